/* store.h - where the bytes of files lie: in a folder (of this host, or one that all
 * hosts of media share), or in a bucket of an S3 server. Rows say what there is and how
 * far it came; the store holds bytes only, and nothing in it is ever changed under its
 * name but what was made of a file. For media's actors.
 *
 * Faults of all: TRL_UNAVAILABLE (with a time to come again; the cause goes to the
 * log), TRL_BUSY, TRL_DEADLINE. */
#pragma once

#include <sys/uio.h>

#include <trl/service.h>
#include <trl/stream.h>

typedef struct media_store media_store;
struct media_config;

/* A file's own bytes (part ""), or what was made of them: part is a rendition's key,
 * 1 to 80 of a-z, 0-9, _ and -. */
struct store_object {
	struct trl_id tenant, file;
	const char *part;
};

/* Start-up. What the settings name must be there; false: trl_complain said what is
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
	/* Of the open: the store copies most of it, so memory is taken only where bytes
	 * are written. */
	bool copies;
};

/* Lives on the heap, for several actors one after the other. */
typedef struct store_writer store_writer;

/* Goes on at from->offset; what lies beyond is forgotten. object.part is "".
 * Errors: TRL_LOCKED (another process has it open still; a dead one has not),
 * TRL_NOT_FOUND (what was durable is not there), TRL_STORAGE, TRL_TOO_LARGE (the store
 * has no room for such a length in one object), TRL_BUSY (too many writers). */
enum trl_code store_writer_open(trl_ctx *ctx, media_store *store,
    const struct store_object *object, const struct store_place *from,
    store_writer **out) TRL_MUST_CHECK;
/* What is written in one go: pieces of at most TRL_STREAM_PIECE bytes each. */
struct store_pieces {
	const struct iovec *at;
	unsigned n;
	unsigned written; /* out: how many were, also where an error ends it */
	/* Called with each that was written, on a thread: a hash of them needs none of
	 * its own. Or NULL. */
	void (*seen)(void *self, const void *data, size_t len);
	void *self;
};
/* Errors: TRL_STORAGE (there is no room: what was written stands, and the rest may be
 * tried again), TRL_TOO_LARGE, TRL_GONE (the store has ended the upload: what was
 * durable never comes back), of which only the close is left. After a fault only the
 * close is left. */
enum trl_code store_writer_write_all(
    trl_ctx *ctx, store_writer *writer, struct store_pieces *pieces) TRL_MUST_CHECK;
/* The same of one piece. */
enum trl_code store_writer_write(
    trl_ctx *ctx, store_writer *writer, const void *data, size_t len) TRL_MUST_CHECK;
/* The length became known. */
void store_writer_length(store_writer *writer, uint64_t length);
/* Makes durable what was written; now->state is the writer's until its next call.
 * Errors: TRL_STORAGE, TRL_GONE, TRL_NOT_FOUND (somebody has removed it meanwhile,
 * which is not always seen); after any error only the close is left, and the last place
 * that was told stands. */
enum trl_code store_writer_sync(
    trl_ctx *ctx, store_writer *writer, struct store_place *now) TRL_MUST_CHECK;
/* Never parks. */
void store_writer_close(store_writer **writer);

/* Once all of it is durable, and its writer closed: the object is there under its name.
 * Costs the same whatever its size, and may be repeated.
 * Errors: TRL_LOCKED, TRL_NOT_FOUND as of the open, TRL_GONE; the latter may also be
 * said while a finish before is still at it. */
enum trl_code store_finish(trl_ctx *ctx, media_store *store,
    const struct store_object *object, const struct store_place *whole) TRL_MUST_CHECK;
/* The bytes of an upload go, finished or not; that there are none is fine. */
enum trl_code store_abandon(
    trl_ctx *ctx, media_store *store, const struct store_object *object) TRL_MUST_CHECK;

/* Whole objects. */

/* Durable, and in place of what had the name. Errors: TRL_STORAGE. */
enum trl_code store_put(trl_ctx *ctx, media_store *store,
    const struct store_object *object, const void *data, size_t len) TRL_MUST_CHECK;
/* Errors: TRL_NOT_FOUND. */
enum trl_code store_size(trl_ctx *ctx, media_store *store,
    const struct store_object *object, uint64_t *size) TRL_MUST_CHECK;

/* A part of an object, piece by piece. Errors: TRL_NOT_FOUND, of the open; what ends
 * before len is TRL_UNAVAILABLE. */
typedef struct store_reader store_reader;
enum trl_code store_reader_open(trl_ctx *ctx, media_store *store,
    const struct store_object *object, uint64_t offset, uint64_t len,
    store_reader **out) TRL_MUST_CHECK;
/* At most TRL_STREAM_PIECE bytes, until the next call; *len 0: that was all. */
enum trl_code store_reader_next(trl_ctx *ctx, store_reader *reader,
    const uint8_t **data, size_t *len) TRL_MUST_CHECK;
void store_reader_close(store_reader **reader);

/* A URL by which whoever has it reads the object from its server for so many seconds,
 * or as many as the settings let it, with these fields in the answer; in ctx's arena.
 * NULL: it has none, for the store is a folder, or by the settings. */
const char *store_url(trl_ctx *ctx, const media_store *store,
    const struct store_object *object, uint64_t seconds, const char *type,
    const char *disposition);
/* Writes a part of an object into the stream and does not end it.
 * Errors: as the reader's, and those of trl_stream_write. */
enum trl_code store_give(trl_ctx *ctx, media_store *store,
    const struct store_object *object, trl_stream *stream, uint64_t offset,
    uint64_t len) TRL_MUST_CHECK;
/* Reads up to len bytes from offset, into memory that lives as long as the call; fewer
 * where the object ends. Errors: TRL_NOT_FOUND. */
enum trl_code store_head(trl_ctx *ctx, media_store *store,
    const struct store_object *object, uint64_t offset, size_t len, void *into,
    size_t *got) TRL_MUST_CHECK;
/* A descriptor that reads all of it from its begin; the caller closes it.
 * Errors: TRL_NOT_FOUND, TRL_STORAGE (a bucket's object is copied to a file without a
 * name first). */
enum trl_code store_fetch(trl_ctx *ctx, media_store *store,
    const struct store_object *object, int *fd) TRL_MUST_CHECK;
/* One object of copies of others, in their order; made in stretches, each of which goes
 * on where the one before has kept what there was. */
struct store_joining {
	const struct store_object *parts;
	size_t n;
	const struct store_object *into;
	struct store_place
	    from;          /* the begin, with the length of all, or what was kept */
	uint64_t until_us; /* monotonic: when the stretch ends, or soon after */
	/* Sees all bytes behind from, on the loop's thread, for hashing. */
	void (*seen)(void *self, const void *data, size_t len);
	/* All that was seen is durable. now->state lives as long as this call. */
	enum trl_code (*keep)(
	    void *self, trl_ctx *ctx, const struct store_place *now) TRL_MUST_CHECK;
	void *self;
};
/* *whole: it is there under its name; else there is more to do. What fails goes on
 * where it was kept last; where that was not yet, nothing stays of it. May be repeated.
 * Errors: TRL_NOT_FOUND (a part), TRL_GONE (what was kept: it has to begin anew),
 * keep's, as of store_writer_open, _write and _finish. */
enum trl_code store_join(trl_ctx *ctx, media_store *store,
    const struct store_joining *what, bool *whole) TRL_MUST_CHECK;
/* part NULL: with all that was made of it, and what an upload left. That there is none
 * is fine. */
enum trl_code store_remove(
    trl_ctx *ctx, media_store *store, const struct store_object *object) TRL_MUST_CHECK;
/* As much of it as the time lets, and at least something; *more: there is more. */
enum trl_code store_remove_tenant(
    trl_ctx *ctx, media_store *store, struct trl_id tenant, bool *more) TRL_MUST_CHECK;

/* For the sweep: all that lies there, a page a call. */

enum { STORE_PART_BYTES = 81, STORE_PAGE = 250, STORE_AFTER_BYTES = 2048 };

enum store_kind {
	STORE_WHOLE,  /* a file's own bytes */
	STORE_MADE,   /* what was made of it: part */
	STORE_UPLOAD, /* of an upload that is not finished */
	STORE_SCRAP   /* what a process that died left of a store_put, or a stranger's:
			 then without tenant and file */
};

struct store_found {
	enum store_kind kind;
	struct trl_id tenant, file; /* or nil */
	char part[STORE_PART_BYTES];
	uint64_t size;      /* of an upload in a bucket 0 */
	int64_t changed_us; /* wall clock */
	const char *name;   /* the store's own; for store_forget */
};

/* Zeroed at first; found is in ctx's arena. */
struct store_listing {
	char after[STORE_AFTER_BYTES]; /* the store's own */
	bool ended;
	struct store_found *found;
	size_t n;      /* may be 0 before the end */
	size_t passed; /* over: what could not be read, and was logged */
};

enum trl_code store_list(
    trl_ctx *ctx, media_store *store, struct store_listing *at) TRL_MUST_CHECK;
/* Removes just that. */
enum trl_code store_forget(
    trl_ctx *ctx, media_store *store, const struct store_found *found) TRL_MUST_CHECK;
/* The number of sweeps that the store's own mark says; at first 0. It goes where the
 * bytes go: into copies and backups of them. Durable once it is set. */
enum trl_code store_sweeps(
    trl_ctx *ctx, media_store *store, uint64_t *sweeps) TRL_MUST_CHECK;
enum trl_code store_sweeps_set(
    trl_ctx *ctx, media_store *store, uint64_t sweeps) TRL_MUST_CHECK;
