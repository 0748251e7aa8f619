/* store.h - where the bytes of files lie: in a folder (of this host, or shared by all
 * hosts of media), or in a bucket of an S3 server. Rows say what exists and how much of
 * it is durable; the store holds only bytes, and except for renditions none ever change
 * under their name. For media's actors.
 *
 * Faults of all: TRL_UNAVAILABLE (with retry-after; the cause is logged), TRL_BUSY,
 * TRL_DEADLINE. */
#pragma once

#include <sys/uio.h>

#include <trl/service.h>
#include <trl/stream.h>

typedef struct media_store media_store;
struct media_config;

/* A file's own bytes (part ""), or a rendition: part is its key, 1 to 80 of a-z, 0-9, _
 * and -. */
struct store_object {
	struct trl_id tenant, file;
	const char *part;
};

/* Start-up: whether what the settings name exists; false: trl_complain said what is
 * wrong. */
bool store_check_config(const struct media_config *config);
/* Adds a readiness check to the host's ops. Errors: TRL_INTERNAL, complained. */
enum trl_code store_open(const struct trl_host *host, const struct media_config *config,
    media_store **out) TRL_MUST_CHECK;
void store_close(media_store **store);

/* Uploads. */

enum { STORE_STATE_BYTES = 262144 /* at most */ };
#define STORE_LENGTH_UNKNOWN UINT64_MAX

/* How far an upload's bytes are durable. state is the store's own, 17 bytes for each
 * 8 MiB in S3, at most STORE_STATE_BYTES, none in a folder. */
struct store_place {
	uint64_t offset, length; /* of the whole, or STORE_LENGTH_UNKNOWN */
	int64_t generation;      /* rises with each writer of the upload */
	const void *state;
	size_t state_len;
	/* For the open: the store copies most of the bytes itself, so take memory only
	 * when some are written. */
	bool copies;
};

/* Lives on the heap; several actors may use it in turn. */
typedef struct store_writer store_writer;

/* Continues at from->offset and forgets what lies beyond. object.part is "".
 * Errors: TRL_LOCKED (another live process has it open), TRL_NOT_FOUND (what was
 * durable is missing), TRL_STORAGE, TRL_TOO_LARGE (longer than an object can be),
 * TRL_BUSY (too many writers). */
enum trl_code store_writer_open(trl_ctx *ctx, media_store *store,
    const struct store_object *object, const struct store_place *from,
    store_writer **out) TRL_MUST_CHECK;
/* Pieces to write in one go, of at most TRL_STREAM_PIECE bytes each. */
struct store_pieces {
	const struct iovec *at;
	unsigned n;
	unsigned written; /* out: how many were written, also after an error */
	/* Called on a thread with each piece that was written, so that hashing needs no
	 * thread of its own; or NULL. */
	void (*seen)(void *self, const void *data, size_t len);
	void *self;
};
/* Errors: TRL_STORAGE (no space: what was written stands, and the rest may be tried
 * again), TRL_TOO_LARGE, TRL_GONE (the store has ended the upload: what was durable is
 * lost for good). After TRL_GONE or a fault only close may be called. */
enum trl_code store_writer_write_all(
    trl_ctx *ctx, store_writer *writer, struct store_pieces *pieces) TRL_MUST_CHECK;
/* The same of one piece. */
enum trl_code store_writer_write(
    trl_ctx *ctx, store_writer *writer, const void *data, size_t len) TRL_MUST_CHECK;
/* Sets the length, once it is known. */
void store_writer_length(store_writer *writer, uint64_t length);
/* Makes durable what was written; now->state lives until the writer's next call.
 * Errors: TRL_STORAGE, TRL_GONE, TRL_NOT_FOUND (it was removed meanwhile, which is not
 * always noticed). After any error only close may be called, and the last place that
 * was given stands. */
enum trl_code store_writer_sync(
    trl_ctx *ctx, store_writer *writer, struct store_place *now) TRL_MUST_CHECK;
/* Never parks. */
void store_writer_close(store_writer **writer);

/* Gives an upload that is all durable, and whose writer is closed, its name as an
 * object. Costs the same whatever the size, and may be repeated.
 * Errors: TRL_LOCKED, TRL_NOT_FOUND as for the open; TRL_GONE, also while an earlier
 * finish is still running. */
enum trl_code store_finish(trl_ctx *ctx, media_store *store,
    const struct store_object *object, const struct store_place *whole) TRL_MUST_CHECK;
/* Removes an upload's bytes, finished or not; there may be none. */
enum trl_code store_abandon(
    trl_ctx *ctx, media_store *store, const struct store_object *object) TRL_MUST_CHECK;

/* Whole objects. */

/* Writes an object durably, replacing one of that name. Errors: TRL_STORAGE. */
enum trl_code store_put(trl_ctx *ctx, media_store *store,
    const struct store_object *object, const void *data, size_t len) TRL_MUST_CHECK;
/* Errors: TRL_NOT_FOUND. */
enum trl_code store_size(trl_ctx *ctx, media_store *store,
    const struct store_object *object, uint64_t *size) TRL_MUST_CHECK;

/* Reads part of an object, piece by piece. Errors: TRL_NOT_FOUND, from the open;
 * TRL_UNAVAILABLE if it ends before len. */
typedef struct store_reader store_reader;
enum trl_code store_reader_open(trl_ctx *ctx, media_store *store,
    const struct store_object *object, uint64_t offset, uint64_t len,
    store_reader **out) TRL_MUST_CHECK;
/* At most TRL_STREAM_PIECE bytes, good until the next call; *len 0: the end. */
enum trl_code store_reader_next(trl_ctx *ctx, store_reader *reader,
    const uint8_t **data, size_t *len) TRL_MUST_CHECK;
void store_reader_close(store_reader **reader);

/* A URL that opens the object at its server, with these fields in the answer, for
 * seconds or as long as the settings allow; in ctx's arena. NULL: there is none,
 * because the store is a folder or the settings say so. */
const char *store_url(trl_ctx *ctx, const media_store *store,
    const struct store_object *object, uint64_t seconds, const char *type,
    const char *disposition);
/* Writes part of an object into the stream, without ending it.
 * Errors: those of the reader and of trl_stream_write. */
enum trl_code store_give(trl_ctx *ctx, media_store *store,
    const struct store_object *object, trl_stream *stream, uint64_t offset,
    uint64_t len) TRL_MUST_CHECK;
/* Reads len bytes from offset, or fewer if the object ends before. into must live as
 * long as the call. Errors: TRL_NOT_FOUND. */
enum trl_code store_head(trl_ctx *ctx, media_store *store,
    const struct store_object *object, uint64_t offset, size_t len, void *into,
    size_t *got) TRL_MUST_CHECK;
/* Opens a descriptor that reads the object from its start; the caller closes it.
 * Errors: TRL_NOT_FOUND, TRL_STORAGE (a bucket's object is first copied to a file
 * without a name). */
enum trl_code store_fetch(trl_ctx *ctx, media_store *store,
    const struct store_object *object, int *fd) TRL_MUST_CHECK;
/* Concatenates objects into one, in stretches, each of which continues where the one
 * before has saved its progress. */
struct store_joining {
	const struct store_object *parts;
	size_t n;
	const struct store_object *into;
	struct store_place
	    from;          /* the start, with the total length, or what was saved */
	uint64_t until_us; /* monotonic: when the stretch ends, or soon after */
	/* Sees all bytes after from, on the loop's thread, for hashing. */
	void (*seen)(void *self, const void *data, size_t len);
	/* Saves the progress: all that was seen is durable. now->state lives as long as
	 * this call. */
	enum trl_code (*keep)(
	    void *self, trl_ctx *ctx, const struct store_place *now) TRL_MUST_CHECK;
	void *self;
};
/* *whole: the object exists under its name; else there is more to do. After a failure
 * it continues where it was last saved, or leaves nothing if it never was. May be
 * repeated. Errors: TRL_NOT_FOUND (a part), TRL_GONE (what was saved is lost: start
 * anew), those of keep, store_writer_open, _write and _finish. */
enum trl_code store_join(trl_ctx *ctx, media_store *store,
    const struct store_joining *what, bool *whole) TRL_MUST_CHECK;
/* Removes an object, which may be missing; part NULL: with all of its renditions, and
 * the remains of its upload. */
enum trl_code store_remove(
    trl_ctx *ctx, media_store *store, const struct store_object *object) TRL_MUST_CHECK;
/* Removes as much as time permits, and at least something; *more: there is more. */
enum trl_code store_remove_tenant(
    trl_ctx *ctx, media_store *store, struct trl_id tenant, bool *more) TRL_MUST_CHECK;

/* For the sweep: lists everything, a page per call. */

enum { STORE_PART_BYTES = 81, STORE_PAGE = 250, STORE_AFTER_BYTES = 2048 };

enum store_kind {
	STORE_WHOLE,  /* a file's own bytes */
	STORE_MADE,   /* a rendition: part */
	STORE_UPLOAD, /* of an upload that is not finished */
	STORE_SCRAP   /* left over from a store_put of a process that died, or not ours:
			 then without tenant and file */
};

struct store_found {
	enum store_kind kind;
	struct trl_id tenant, file; /* or nil */
	char part[STORE_PART_BYTES];
	uint64_t size;      /* 0 for an upload in a bucket */
	int64_t changed_us; /* wall clock */
	const char *name;   /* the store's own; for store_forget */
};

/* Zeroed at first; found is in ctx's arena. */
struct store_listing {
	char after[STORE_AFTER_BYTES]; /* the store's own */
	bool ended;
	struct store_found *found;
	size_t n;      /* may be 0 before the end */
	size_t passed; /* how many could not be read; they were logged */
};

enum trl_code store_list(
    trl_ctx *ctx, media_store *store, struct store_listing *at) TRL_MUST_CHECK;
/* Removes exactly what was found. */
enum trl_code store_forget(
    trl_ctx *ctx, media_store *store, const struct store_found *found) TRL_MUST_CHECK;
/* The number of sweeps in the store's own mark; at first 0. It goes along with the
 * bytes into copies and backups. Durable once it is set. */
enum trl_code store_sweeps(
    trl_ctx *ctx, media_store *store, uint64_t *sweeps) TRL_MUST_CHECK;
enum trl_code store_sweeps_set(
    trl_ctx *ctx, media_store *store, uint64_t sweeps) TRL_MUST_CHECK;
