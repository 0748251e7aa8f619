/* s3.h - what the files of the store in a bucket share. In it lie
 *
 *   TENANT/FILE             a file's own bytes
 *   TENANT/FILE.made/KEY    what was made of it
 *   TENANT/FILE.tail/N-B    what an upload's writer of generation N has durable behind
 *                           the last whole part of its multipart upload of TENANT/FILE,
 *                           which ends at byte B: so a tail that a row names is never
 *                           written over by one that begins elsewhere
 *
 *   trellis-media           whose bucket it is (s3_guard.c)
 *
 * No name of a user's is part of a key. */
#pragma once

#include <trl/http_out.h>
#include <trl/metrics.h>
#include <trl/pg.h>
#include <trl/shares.h>

#include "inside.h"
#include "s3_state.h"
#include "sigv4.h"

enum {
	S3_KEY_BYTES = 256,
	S3_MARK_BYTES = 2048,
	S3_PART_BYTES = 8 << 20, /* of unknown length twice that: 156 GiB at most */
	S3_PAUSE_MS = 100,       /* before a second try; then twice as long each time */
	S3_SMALL_BYTES = 64 << 10,    /* to hash without a thread */
	S3_WRITERS_BYTES = 512 << 20, /* of parts; of one, half of it counts at most */
	S3_CONNECTIONS = 512,
	S3_READERS = 384, /* of them; the rest is for all that takes no long time */
	S3_AGAIN_MS = 2000
};

#define S3_OWNER "trellis-media"

struct s3_store {
	media_store base;
	trl_pg *pg;
	struct trl_id claimed; /* by this process; or nil */
	trl_http_out *out;
	char *url;    /* before the key: "https://host/bucket/" */
	char *prefix; /* the path in it: "/bucket/" */
	char *host;
	char *bucket, *key_id, *region, *spool;
	const trl_secret *secret;
	uint32_t part_bytes, pause_ms; /* fixed, but in tests */
	uint32_t redirect_s;           /* 0: nobody is told a URL of it */
	/* A slow client keeps its part in memory, and its connection, for as long as it
	 * likes: organisations share both. */
	struct trl_shares writers, readers;
	struct trl_offload disk;
	trl_series *retries;
};

/* s3_ask.c: one request, made again where that may help. */

struct s3_ask {
	const char *method;
	const char *key; /* "": the bucket */
	const char *query;
	const char *range;        /* "bytes=0-9", or NULL */
	const char *copies;       /* another key, of which bytes are copied; or NULL */
	const char *copied_range; /* of it; NULL: all */
	const char *type;         /* of the body; NULL: bytes */
	const void *body;
	size_t body_len;
	const char *header; /* of the answer's, that is kept; or NULL */
	bool keeps_errors;  /* an answer of 4xx, or 501, is no failure */
};

struct s3_answer {
	unsigned status;
	struct trl_buf body; /* at most S3_ANSWER_BYTES of it */
	char header[256];
};
enum { S3_ANSWER_BYTES = 4 << 20 };

void s3_answer_fini(struct s3_answer *answer);
/* TRL_OK: 2xx, or what keeps_errors lets pass. Errors: TRL_NOT_FOUND, TRL_STORAGE. */
enum trl_code s3_ask(trl_ctx *ctx, struct s3_store *store, const struct s3_ask *ask,
    struct s3_answer *answer) TRL_MUST_CHECK;
/* The same, whose answer holds nothing that matters. */
enum trl_code s3_do(
    trl_ctx *ctx, struct s3_store *store, const struct s3_ask *ask) TRL_MUST_CHECK;
/* Begins a GET of len bytes from offset, once; its head has come. The error of a
 * failure is written; *again: it may be tried another time. */
enum trl_code s3_get_once(trl_ctx *ctx, struct s3_store *store, const char *key,
    uint64_t offset, uint64_t len, trl_http_exchange **out, bool *again) TRL_MUST_CHECK;
/* Before try number `tries` (from 1 on), where that makes sense: waits. False: not any
 * more; the error stands. */
bool s3_again(trl_ctx *ctx, struct s3_store *store, unsigned tries);
/* What a client is told of a failure; the server's words go to the log. */
enum trl_code s3_refused(trl_ctx *ctx, const char *method, const char *key,
    unsigned status, const char *body, size_t len);

/* The multipart upload is no more. */
enum trl_code s3_ended(trl_ctx *ctx);
/* Of what makes something: that a thing is not there can only be the bucket. */
enum trl_code s3_there(trl_ctx *ctx, enum trl_code rc);

struct sigv4_key s3_signing_key(const struct s3_store *store);
void s3_key_of(const struct store_object *object, char key[S3_KEY_BYTES]);
void s3_tail_of(const struct store_object *object, int64_t generation, uint64_t begin,
    char key[S3_KEY_BYTES]);

/* s3_guard.c: the rows are about this bucket, or it is UNAVAILABLE. */
enum trl_code s3_make_sure(trl_ctx *ctx, media_store *store);
enum trl_code s3_sweeps(
    trl_ctx *ctx, media_store *store, uint64_t *sweeps, const uint64_t *set);

struct s3_range {
	const char *key;
	uint64_t at, len;
};

/* s3_part.c: multipart uploads. Errors: TRL_GONE: there is no such upload. */

enum trl_code s3_begin_parts(trl_ctx *ctx, struct s3_store *store, const char *key,
    struct s3_state *state) TRL_MUST_CHECK;
enum trl_code s3_add_part(trl_ctx *ctx, struct s3_store *store, const char *key,
    struct s3_state *state, const void *data, size_t len) TRL_MUST_CHECK;
/* The part is a range of another object. *copied false: this
 * server does not do that, or not here. */
enum trl_code s3_copy_part(trl_ctx *ctx, struct s3_store *store, const char *key,
    struct s3_state *state, const struct s3_range *from, bool *copied) TRL_MUST_CHECK;
enum trl_code s3_complete(trl_ctx *ctx, struct s3_store *store, const char *key,
    const struct s3_state *state) TRL_MUST_CHECK;

/* s3_write.c */

/* What a part of so many bytes takes of the writers' memory: one alone may be larger
 * than a holder's share. */
uint64_t s3_room_of(uint64_t bytes);
enum trl_code s3_writer_open(trl_ctx *ctx, media_store *store,
    const struct store_object *object, const struct store_place *from,
    store_writer **out);
enum trl_code s3_writer_write(
    trl_ctx *ctx, store_writer *writer, struct store_pieces *pieces);
enum trl_code s3_writer_sync(
    trl_ctx *ctx, store_writer *writer, struct store_place *now);
void s3_writer_close(store_writer *writer);
enum trl_code s3_writer_forget(trl_ctx *ctx, store_writer *writer) TRL_MUST_CHECK;
uint64_t s3_writer_step(const store_writer *writer, bool *between);
enum trl_code s3_writer_copy(trl_ctx *ctx, store_writer *writer,
    const struct store_object *from, uint64_t at, uint64_t n, bool *copied);

/* s3_finish.c */
enum trl_code s3_finish(trl_ctx *ctx, media_store *store,
    const struct store_object *object, const struct store_place *whole);
enum trl_code s3_put(trl_ctx *ctx, media_store *store,
    const struct store_object *object, const void *data, size_t len);

/* s3_read.c */
enum trl_code s3_size(trl_ctx *ctx, media_store *store,
    const struct store_object *object, uint64_t *size);
enum trl_code s3_reader_open(trl_ctx *ctx, media_store *store,
    const struct store_object *object, uint64_t offset, uint64_t len,
    store_reader **out);
enum trl_code s3_reader_next(
    trl_ctx *ctx, store_reader *reader, const uint8_t **data, size_t *len);
void s3_reader_close(store_reader *reader);
/* It takes none of what readers share: whoever has these bytes waits for no client. */
enum trl_code s3_read(trl_ctx *ctx, media_store *store,
    const struct store_object *object, uint64_t offset, size_t len, void *into);
enum trl_code s3_fetch(
    trl_ctx *ctx, media_store *store, const struct store_object *object, int *fd);
/* The first len bytes of a key; TRL_NOT_FOUND: there are fewer. */
enum trl_code s3_read_key(trl_ctx *ctx, struct s3_store *store, const char *key,
    void *into, size_t len) TRL_MUST_CHECK;

/* s3_url.c */
const char *s3_url(trl_ctx *ctx, const media_store *store,
    const struct store_object *object, uint64_t seconds, const char *type,
    const char *disposition);

/* s3_list.c: what begins with prefix, a page at a time. */

struct s3_item {
	char key[S3_MARK_BYTES], id[S3_ID_BYTES + 1]; /* id: of a multipart upload */
	uint64_t size;
	int64_t changed_us;
};
struct s3_page {
	const char *prefix;
	bool uploads;              /* multipart uploads, and not objects */
	char after[S3_MARK_BYTES]; /* where the next page begins */
	char after_id[S3_ID_BYTES + 1];
	bool more;
};
enum trl_code s3_list_page(trl_ctx *ctx, struct s3_store *store, struct s3_page *page,
    unsigned most, void (*fn)(void *self, const struct s3_item *item),
    void *self) TRL_MUST_CHECK;
enum trl_code s3_list(trl_ctx *ctx, media_store *store, struct store_listing *at);

/* s3_remove.c */
enum trl_code s3_abort(trl_ctx *ctx, struct s3_store *store, const char *key,
    const char *id) TRL_MUST_CHECK;
/* All objects and multipart uploads whose key begins so. */
enum trl_code s3_remove_all(
    trl_ctx *ctx, struct s3_store *store, const char *prefix) TRL_MUST_CHECK;
enum trl_code s3_abandon(
    trl_ctx *ctx, media_store *store, const struct store_object *object);
enum trl_code s3_remove(
    trl_ctx *ctx, media_store *store, const struct store_object *object);
enum trl_code s3_remove_tenant(
    trl_ctx *ctx, media_store *store, struct trl_id tenant, bool *more);
enum trl_code s3_forget(
    trl_ctx *ctx, media_store *store, const struct store_found *found);
