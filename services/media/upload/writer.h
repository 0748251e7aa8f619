/* writer.h - what this process writes at the moment, for the files of this folder. Loop
 * thread.
 *
 * A writer is two actors. The message's own reads its body and queues the pieces
 * (writer.c); one beside it writes, hashes and commits them (flush.c), and goes on to
 * the end where the message was cut off, for what has come is kept. */
#pragma once

#include <trl/stream.h>

#include "quota/quota.h"
#include "store/store.h"
#include "upload/hash.h"
#include "upload/upload.h"

enum {
	UPLOAD_QUEUE_BYTES = 1 << 20,      /* of one writer, received and not written */
	UPLOADS_QUEUE_BYTES = 64 << 20,    /* of all, beyond a piece of each */
	UPLOAD_CHECKPOINT_BYTES = 8 << 20, /* the most that a kill costs */
	UPLOAD_STRETCH_US = 60000000,      /* how long a join goes on at a time */
	UPLOAD_ANSWER_MS = 700,            /* how long a holder may take to answer */
	UPLOAD_FENCE_MS = 2000             /* how long it may take to be gone */
};

/* After which a job takes up a finish that nobody has come to an end with. */
#define UPLOAD_FINISH_AFTER_US 60000000

struct upload_piece {
	struct upload_piece *next;
	size_t len;
	uint8_t data[];
};

/* An actor that waits until what it asked for was made durable, or the writer is gone.
 */
struct upload_waiter {
	struct upload_waiter *next;
	struct trl_ticket ticket;
};

struct uploads {
	struct media *media;
	trl_loop *loop;
	struct trl_id holder; /* this process */
	struct upload_writer *first;
	size_t queued; /* bytes */
	struct trl_offload hashing;
	uint64_t stretch_us; /* of a join; fixed, but in tests */
	bool watches, closing;
	unsigned dropping; /* actors that undo what a message has left */
};

/* uploads.c: such an actor begins, and has come to its end. */
void uploads_enter(struct uploads *all);
void uploads_leave(struct uploads *all);

struct upload_writer {
	struct uploads *all;
	struct upload_writer *next; /* while it is listed */
	unsigned refs;
	struct trl_id tenant, id, uploader;
	int64_t generation;
	uint64_t most;     /* the length, or the collection's most */
	uint64_t length;   /* UINT64_MAX: not known yet */
	uint64_t expected; /* where this body ends; UINT64_MAX: not known */
	uint64_t reserved;
	struct quota quota; /* where the length is not known; plan is the next one */
	char plan[64];
	/* received: by us; written: to the store; durable: the row says so. */
	uint64_t received, written, durable;
	struct upload_piece *pieces, **last;
	size_t queued;
	digests *digests; /* then the row moves only with the last byte */
	SHA256_CTX hash;
	store_writer *store;
	void *state; /* the store's, of the row: until it is open */
	size_t state_len;
	/* Of the message: it has all of the body; it will bring no more of it. */
	bool whole, ended;
	bool left;    /* it asks no more what becomes of it */
	bool creates; /* of struct upload_body */
	bool opened;  /* it may be read from */
	bool fenced;  /* another goes on: nothing more of it counts */
	bool over;    /* nothing more happens; code says how it ended */
	bool row_asked;
	bool unsound; /* the store could not sync: only the close is left */
	bool seized;  /* taken from a holder who did not answer */
	uint64_t asks, answered, ask_at;
	enum trl_code code;
	struct trl_err err;
	struct trl_ticket message, flusher;
	trl_stream *stream; /* the message's body, while it may wait for it */
	struct upload_waiter *waiters;
};

/* writer.c */

/* Lists who writes the row, which the caller has just taken, and starts the actor that
 * does. From then on whoever wants to write it settles with this one; so before the
 * row is taken there is none. Errors: TRL_BUSY, TRL_INTERNAL (the row's hash). */
enum trl_code upload_writer_begin(trl_ctx *ctx, struct uploads *all,
    const upload_row *row, const struct upload_body *body,
    upload_writer **out) TRL_MUST_CHECK;
/* Waits until the store is open; leaves the writer where that fails.
 * Errors: those of store_writer_open; TRL_TOO_LARGE (the collection's most). */
enum trl_code upload_writer_open(trl_ctx *ctx, upload_writer **writer) TRL_MUST_CHECK;
/* Of whoever may: that another one asks for the same id says nothing, the row decides.
 */
upload_writer *upload_writer_find(const struct uploads *all, struct trl_id tenant,
    struct trl_id id, struct trl_id uploader);
void upload_writer_unref(upload_writer **writer);
void upload_writer_unlist(upload_writer *writer);
/* What of the plan it may reserve as it grows. */
void upload_writer_may(upload_writer *writer, const struct quota *quota);
/* Has it make durable what has come until now; parks until it has or is over, ms at
 * most. Errors: TRL_DEADLINE (only of ctx). */
enum trl_code upload_writer_ask(
    trl_ctx *ctx, upload_writer *writer, uint32_t ms) TRL_MUST_CHECK;
/* The same until it is over. */
enum trl_code upload_writer_await(
    trl_ctx *ctx, upload_writer *writer, uint32_t ms) TRL_MUST_CHECK;
void upload_writer_wake(upload_writer *writer);

/* flush.c: an actor of its own; ends with a reference less. */
void upload_flush(trl_ctx *ctx, void *writer);

/* commit.c: bytes, then the row. over: with the last of it; the store is closed then.
 * Errors: TRL_CONFLICT (it is no longer the writer), TRL_TOO_LARGE (the plan),
 * TRL_STORAGE, faults. */
enum trl_code upload_commit(
    trl_ctx *ctx, upload_writer *writer, bool over) TRL_MUST_CHECK;
/* Adds a job: all is durable, and should nobody come to finish it, that will. */
void upload_add_finish(trl_ctx *ctx, struct trl_id id, trl_batch *work);
/* Goes without a trace: the row stays as it is, and is free. */
enum trl_code upload_release(trl_ctx *ctx, upload_writer *writer) TRL_MUST_CHECK;

/* ask.c */

/* Asks the process that holds the row, and parks until it has answered or does not
 * (*answers, where that is not NULL). */
enum trl_code upload_ask_holder(trl_ctx *ctx, struct media *self, const upload_row *row,
    bool *answers) TRL_MUST_CHECK;
/* Lets it know that it is no longer the writer. */
enum trl_code upload_tell_holder(trl_ctx *ctx, struct media *self, struct trl_id holder,
    struct trl_id id) TRL_MUST_CHECK;
/* Listens to what others ask as long as something is written here. */
void upload_watch(struct uploads *all);

/* row.c */

/* Errors: TRL_NOT_FOUND. */
enum trl_code upload_read(
    struct media *self, trl_ctx *ctx, struct trl_id id, upload_row *out) TRL_MUST_CHECK;
struct store_object upload_object(struct trl_id tenant, struct trl_id id);
bool upload_is_final(const upload_row *row);
/* All of its bytes are durable. */
bool upload_is_whole(const upload_row *row);
bool upload_is_expired(const trl_ctx *ctx, const upload_row *row);
