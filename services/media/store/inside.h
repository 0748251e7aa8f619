/* inside.h - what a kind of store is made of; known to this folder only. store.h says
 * what each function does. */
#pragma once

#include <trl/metrics.h>

#include "store.h"

enum { STORE_KEEP_BYTES = 64 << 20 };

struct store_way {
	void (*close)(media_store *store);
	/* Makes sure (store_is_sure, store_refuse) that this is the store that the rows
	 * are about, where that is not known yet (media_store.sure),
	 * or not any more (lost). */
	enum trl_code (*make_sure)(trl_ctx *ctx, media_store *store);
	enum trl_code (*writer_open)(trl_ctx *ctx, media_store *store,
	    const struct store_object *object, const struct store_place *from,
	    store_writer **out);
	enum trl_code (*writer_write)(
	    trl_ctx *ctx, store_writer *writer, struct store_pieces *pieces);
	enum trl_code (*writer_sync)(
	    trl_ctx *ctx, store_writer *writer, struct store_place *now);
	void (*writer_close)(store_writer *writer);
	/* Before the close of one of which no row says anything: what it has sent goes.
	 * NULL: the next one forgets it. */
	enum trl_code (*writer_forget)(trl_ctx *ctx, store_writer *writer);
	/* Of a join: how many bytes are to come until the writer is between parts;
	 * *between: it is, so that a sync sends nothing that is sent again. */
	uint64_t (*writer_step)(const store_writer *writer, bool *between);
	/* Of a join, between parts: adds the n bytes at `at` of another object without
	 * their coming through here; *copied false: it cannot, and they have to be
	 * written. */
	enum trl_code (*writer_copy)(trl_ctx *ctx, store_writer *writer,
	    const struct store_object *from, uint64_t at, uint64_t n, bool *copied);
	enum trl_code (*finish)(trl_ctx *ctx, media_store *store,
	    const struct store_object *object, const struct store_place *whole);
	enum trl_code (*abandon)(
	    trl_ctx *ctx, media_store *store, const struct store_object *object);
	enum trl_code (*put)(trl_ctx *ctx, media_store *store,
	    const struct store_object *object, const void *data, size_t len);
	enum trl_code (*size)(trl_ctx *ctx, media_store *store,
	    const struct store_object *object, uint64_t *size);
	enum trl_code (*reader_open)(trl_ctx *ctx, media_store *store,
	    const struct store_object *object, uint64_t offset, uint64_t len,
	    store_reader **out);
	enum trl_code (*reader_next)(
	    trl_ctx *ctx, store_reader *reader, const uint8_t **data, size_t *len);
	void (*reader_close)(store_reader *reader);
	/* So many bytes that are there, at once, and not as one of many long readers.
	 * NULL: by the reader. */
	enum trl_code (*read)(trl_ctx *ctx, media_store *store,
	    const struct store_object *object, uint64_t offset, size_t len, void *into);
	/* NULL: by the reader. */
	enum trl_code (*give)(trl_ctx *ctx, media_store *store,
	    const struct store_object *object, trl_stream *stream, uint64_t offset,
	    uint64_t len);
	/* NULL: there are none. */
	const char *(*url)(trl_ctx *ctx, const media_store *store,
	    const struct store_object *object, uint64_t seconds, const char *type,
	    const char *disposition);
	enum trl_code (*fetch)(trl_ctx *ctx, media_store *store,
	    const struct store_object *object, int *fd);
	enum trl_code (*remove)(
	    trl_ctx *ctx, media_store *store, const struct store_object *object);
	enum trl_code (*remove_tenant)(
	    trl_ctx *ctx, media_store *store, struct trl_id tenant, bool *more);
	enum trl_code (*list)(
	    trl_ctx *ctx, media_store *store, struct store_listing *at);
	enum trl_code (*forget)(
	    trl_ctx *ctx, media_store *store, const struct store_found *found);
	/* set NULL: only reads. */
	enum trl_code (*sweeps)(
	    trl_ctx *ctx, media_store *store, uint64_t *sweeps, const uint64_t *set);
};

struct media_store {
	const struct store_way *way;
	bool sure;
	bool lost;           /* it was, but what it was opened on is gone */
	uint64_t keep_bytes; /* a join is kept at least as often; fixed, but in tests */
	bool no_copies;      /* it is asked for none of writer_copy any more */

	/* ready.c */
	trl_loop *loop;
	bool asking; /* an actor is; it closes a store that was closed meanwhile */
	bool closed;
	bool told;         /* why it is not sure was logged */
	uint64_t asked_us; /* monotonic */
	char refused[512]; /* why this store is not used; or "" */
	char why[512];     /* or why that is not known */
	trl_metric *is_refused;
};

/* When what goes on page by page leaves the rest (monotonic). Asked before the first
 * one: an exchange with a server may move the deadline on. */
uint64_t store_until(trl_ctx *ctx);
/* Adds a readiness check to the host's ops. */
void store_watch(media_store *store, const struct trl_host *host);
/* The check: NULL, or why not. */
const char *store_unready(void *store);
/* What make_sure has found. */
void store_refuse(media_store *store, const char *why);
void store_is_sure(media_store *store);

struct store_writer {
	media_store *store;
	uint64_t offset, durable;
	uint64_t length; /* of the whole, or STORE_LENGTH_UNKNOWN */
	int64_t generation;
	bool busy;   /* an actor is in it */
	bool broken; /* only the close is left */
};

struct store_reader {
	media_store *store;
	uint64_t offset, left;
};

/* The mark's words, for both kinds: "ID" or "ID SWEEPS", and a newline. */
struct store_mark {
	struct trl_id id;
	uint64_t sweeps;
};
enum { STORE_MARK_BYTES = 64 };
bool store_mark_read(const char *text, size_t len, struct store_mark *out);
/* Gives its length. */
size_t store_mark_write(const struct store_mark *mark, char text[STORE_MARK_BYTES]);
