/* writer.h - the uploads that this process is writing, for the files of this folder.
 * Loop thread.
 *
 * A writer is two actors. The message's actor reads its body and queues the pieces
 * (writer.c); a second one writes, hashes and commits them (flush.c), and goes on to
 * the end if the message is cut off, because what has arrived is kept. */
#pragma once

#include <trl/stream.h>

#include "quota/quota.h"
#include "store/store.h"
#include "upload/hash.h"
#include "upload/upload.h"

enum {
	UPLOAD_QUEUE_BYTES = 1 << 20,      /* of one writer, received but not written */
	UPLOADS_QUEUE_BYTES = 64 << 20,    /* of all, besides a piece of each */
	UPLOAD_CHECKPOINT_BYTES = 8 << 20, /* the most that a kill costs */
	UPLOAD_STRETCH_US = 60000000,      /* how long a join goes on at a time */
	UPLOAD_ANSWER_MS = 700,            /* how long a holder may take to answer */
	UPLOAD_FENCE_MS = 2000             /* how long it may take to stop */
};

/* After this a job finishes an upload that nobody else has finished. */
#define UPLOAD_FINISH_AFTER_US 60000000

struct upload_piece {
	struct upload_piece *next;
	size_t len;
	uint8_t data[];
};

/* An actor that waits for a checkpoint that it asked for, or the writer's end. */
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
	uint64_t stretch_us; /* of a join; only tests change it */
	bool watches, closing;
	unsigned dropping; /* actors that remove what a message has left behind */
};

/* uploads.c: such an actor begins, and has ended. */
void uploads_enter(struct uploads *all);
void uploads_leave(struct uploads *all);

/* How far a writer's body is. Only its message says so, and it goes only forward:
 *
 *	ARRIVES -> ARRIVED	all of it has come; the message waits for the outcome
 *	ARRIVES -> BROKE_OFF	the message left before that
 *	ARRIVED -> DESERTED	the message left, with the outcome or without */
enum upload_arrival {
	UPLOAD_ARRIVES,
	UPLOAD_ARRIVED,
	UPLOAD_BROKE_OFF,
	UPLOAD_DESERTED
};

/* How far a writer's flusher is. Only the flusher says so, and it goes only forward:
 *
 *	OPENING -> OPEN		the store is open (or need not be any more)
 *	OPENING -> OVER		the store could not be opened
 *	OPEN -> UNSOUND		the store could not sync: it is only closed now
 *	OPEN, UNSOUND -> OVER	code and err say how it ended
 *
 * The message reads its body once this is no longer OPENING. A writer that is OVER is
 * no longer listed. */
enum upload_phase { UPLOAD_OPENING, UPLOAD_OPEN, UPLOAD_UNSOUND, UPLOAD_OVER };

struct upload_writer {
	struct uploads *all;
	struct upload_writer *next; /* while it is listed */
	unsigned refs;
	struct trl_id tenant, id, uploader;
	int64_t generation;
	uint64_t most;     /* the length, or the collection's limit */
	uint64_t length;   /* UINT64_MAX: not known yet */
	uint64_t expected; /* where this body ends; UINT64_MAX: not known */
	uint64_t reserved;
	struct quota quota; /* if the length is not known; its plan lies in plan */
	char plan[64];
	/* received: by us; written: to the store; durable: the row says so. */
	uint64_t received, written, durable;
	struct upload_piece *pieces, **last;
	size_t queued;
	digests *digests; /* if not NULL, the row advances only with the last byte */
	SHA256_CTX hash;
	store_writer *store;
	void *state; /* the store's, from the row; until the store is open */
	size_t state_len;
	enum upload_arrival arrival;
	enum upload_phase phase;
	/* How it began: creates as in struct upload_body; seized from a holder that did
	 * not answer. */
	bool creates, seized;
	/* What others want of it, in any phase: that it commits nothing more, because
	 * another request takes over (this stays); that it answers a row of another
	 * process's; and that what had been received by then (ask_at) is durable. */
	bool fenced, row_asked;
	uint64_t asks, answered, ask_at;
	enum trl_code code;
	struct trl_err err;
	struct trl_ticket message, flusher;
	trl_stream *stream; /* the body, while the message may wait for it */
	struct upload_waiter *waiters;
};

/* writer.c */

/* Makes the writer of a row that the caller has just taken, and starts its flusher.
 * From then on other requests for the row have to settle with this writer; so there is
 * none before the row is taken. Errors: TRL_BUSY, TRL_INTERNAL (the row's hash). */
enum trl_code upload_writer_begin(trl_ctx *ctx, struct uploads *all,
    const upload_row *row, const struct upload_body *body,
    upload_writer **out) TRL_MUST_CHECK;
/* Waits until the store is open; leaves the writer if that fails.
 * Errors: those of store_writer_open; TRL_TOO_LARGE (the collection's limit). */
enum trl_code upload_writer_open(trl_ctx *ctx, upload_writer **writer) TRL_MUST_CHECK;
/* The writer of this uploader's upload, or NULL; that others ask for the same id means
 * nothing. */
upload_writer *upload_writer_find(const struct uploads *all, struct trl_id tenant,
    struct trl_id id, struct trl_id uploader);
void upload_writer_unref(upload_writer **writer);
void upload_writer_unlist(upload_writer *writer);
/* Sets how much of the plan it may reserve as it grows. */
void upload_writer_may(upload_writer *writer, const struct quota *quota);
/* Has it make durable what has arrived; parks until it has, or has ended, or ms have
 * passed. Errors: TRL_DEADLINE (of ctx only). */
enum trl_code upload_writer_ask(
    trl_ctx *ctx, upload_writer *writer, uint32_t ms) TRL_MUST_CHECK;
/* Parks until it has ended, or ms have passed. Errors: likewise. */
enum trl_code upload_writer_await(
    trl_ctx *ctx, upload_writer *writer, uint32_t ms) TRL_MUST_CHECK;
/* The same, and from now on it commits nothing more. */
enum trl_code upload_writer_fence(
    trl_ctx *ctx, upload_writer *writer, uint32_t ms) TRL_MUST_CHECK;
void upload_writer_wake(upload_writer *writer);

/* flush.c: the flusher's actor; gives up its reference at the end. */
void upload_flush(trl_ctx *ctx, void *writer);

/* commit.c: makes bytes durable, then the row. over: for the last time; the store is
 * closed then. Errors: TRL_CONFLICT (it is no longer the writer), TRL_TOO_LARGE (the
 * plan), TRL_STORAGE, faults. */
enum trl_code upload_commit(
    trl_ctx *ctx, upload_writer *writer, bool over) TRL_MUST_CHECK;
/* Adds the job that finishes a complete upload if nobody else does. */
void upload_add_finish(trl_ctx *ctx, struct trl_id id, trl_batch *work);
/* Frees the row without changing it. */
enum trl_code upload_release(trl_ctx *ctx, upload_writer *writer) TRL_MUST_CHECK;

/* ask.c */

/* Asks the process that holds the row, and parks until it has answered or is not going
 * to (*answers, unless NULL). */
enum trl_code upload_ask_holder(trl_ctx *ctx, struct media *self, const upload_row *row,
    bool *answers) TRL_MUST_CHECK;
/* Tells a process that it is no longer the writer. */
enum trl_code upload_tell_holder(trl_ctx *ctx, struct media *self, struct trl_id holder,
    struct trl_id id) TRL_MUST_CHECK;
/* Polls for other processes' questions as long as anything is written here. */
void upload_watch(struct uploads *all);
