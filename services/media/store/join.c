/* join.c - one object of copies of others. */
#include <trl/log.h>

#include "inside.h"

enum { FORGET_US = 30000000 };

struct join {
	store_writer *writer;
	struct store_place whole;
	void (*seen)(void *self, const void *data, size_t len);
	void *self;
};

static enum trl_code
copy(trl_ctx *ctx, struct join *join, store_reader *reader)
{
	const uint8_t *data;
	enum trl_code rc;
	size_t len;

	while (
	    (rc = store_reader_next(ctx, reader, &data, &len)) == TRL_OK && len > 0) {
		join->seen(join->self, data, len);
		rc = store_writer_write(ctx, join->writer, data, len);
		if (rc != TRL_OK)
			return rc;
	}
	return rc;
}

static enum trl_code
copy_all(trl_ctx *ctx, media_store *store, const struct store_object *parts, size_t n,
    struct join *join)
{
	enum trl_code rc = TRL_OK;

	for (size_t i = 0; i < n && rc == TRL_OK; i++) {
		TRL_AUTO(store_reader_close) store_reader *reader = NULL;
		uint64_t size;

		rc = store_size(ctx, store, &parts[i], &size);
		if (rc == TRL_OK)
			rc = store_reader_open(ctx, store, &parts[i], 0, size, &reader);
		if (rc == TRL_OK)
			rc = copy(ctx, join, reader);
	}
	if (rc == TRL_OK)
		rc = store_writer_sync(ctx, join->writer, &join->whole);
	return rc;
}

static enum trl_code
length_of(trl_ctx *ctx, media_store *store, const struct store_object *parts, size_t n,
    uint64_t *length)
{
	uint64_t size, sum = 0;

	for (size_t i = 0; i < n; i++) {
		enum trl_code rc = store_size(ctx, store, &parts[i], &size);

		if (rc != TRL_OK)
			return rc;
		sum += size;
	}
	*length = sum;
	return TRL_OK;
}

/* Of an attempt that failed: the next one begins anew, and a bucket would keep each
 * one's parts. The time of the attempt may be over. */
static void
forget(trl_ctx *ctx, media_store *store, store_writer *writer)
{
	const struct trl_err err = ctx->err;
	enum trl_code rc = TRL_OK;

	trl_err_clear(ctx);
	trl_set_deadline(ctx, trl_mono_us() + FORGET_US);
	if (store->way->writer_forget)
		rc = store->way->writer_forget(ctx, writer);
	if (rc != TRL_OK) /* the sweep finds it */
		trl_log_err(ctx);
	trl_err_clear(ctx);
	ctx->err = err;
}

enum trl_code
store_join(trl_ctx *ctx, media_store *store, const struct store_object *parts, size_t n,
    const struct store_object *into,
    void (*seen)(void *self, const void *data, size_t len), void *self)
{
	struct join join = { .seen = seen, .self = self, .whole = { .generation = 1 } };
	struct store_place *whole = &join.whole;
	enum trl_code rc = length_of(ctx, store, parts, n, &whole->length);

	if (rc == TRL_OK)
		rc = store_writer_open(ctx, store, into, whole, &join.writer);
	if (rc != TRL_OK)
		return rc;
	rc = copy_all(ctx, store, parts, n, &join);
	if (rc == TRL_OK) /* the state goes with the writer */
		whole->state =
		    trl_arena_memdup(ctx->arena, whole->state, whole->state_len);
	else
		forget(ctx, store, join.writer);
	store_writer_close(&join.writer);
	return rc == TRL_OK ? store_finish(ctx, store, into, whole) : rc;
}
