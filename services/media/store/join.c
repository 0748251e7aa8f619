/* join.c - one object of copies of others, a stretch at a time. It goes step by step; a
 * step ends where the store's own parts do. Where the store can copy a step by itself
 * its bytes are only read, for their hash; else they are written, too. What there is of
 * the whole is kept between steps, where nothing is sent that is sent again later. */
#include <trl/log.h>

#include "inside.h"

enum { FORGET_US = 30000000, KEEP_US = 10000000 };

struct join {
	const struct store_joining *what;
	media_store *store;
	store_writer *writer;
	struct store_place now; /* as kept */
	uint64_t kept_us;       /* monotonic */
	bool told;              /* keep was called */
	bool copied;            /* by the store */
};

/* After one step at least, however short the time is. */
static bool
is_over(const struct join *join)
{
	return trl_mono_us() >= join->what->until_us &&
	       join->writer->offset > join->what->from.offset;
}

static bool
is_due(const struct join *join)
{
	return join->writer->offset - join->now.offset >= join->store->keep_bytes ||
	       trl_mono_us() - join->kept_us >= KEEP_US || is_over(join);
}

static enum trl_code
keep(trl_ctx *ctx, struct join *join)
{
	enum trl_code rc = store_writer_sync(ctx, join->writer, &join->now);

	if (rc != TRL_OK)
		return rc;
	join->told = true;
	join->kept_us = trl_mono_us();
	return join->what->keep(join->what->self, ctx, &join->now);
}

static enum trl_code
read_step(trl_ctx *ctx, struct join *join, const struct store_object *part, uint64_t at,
    uint64_t n, bool copied)
{
	TRL_AUTO(store_reader_close) store_reader *reader = NULL;
	const uint8_t *data;
	size_t len = 1;
	enum trl_code rc = store_reader_open(ctx, join->store, part, at, n, &reader);

	while (rc == TRL_OK && len > 0) {
		rc = store_reader_next(ctx, reader, &data, &len);
		if (rc == TRL_OK && len > 0 && !copied)
			rc = store_writer_write(ctx, join->writer, data, len);
		if (rc == TRL_OK)
			join->what->seen(join->what->self, data, len);
	}
	return rc;
}

static enum trl_code
copy_step(trl_ctx *ctx, struct join *join, const struct store_object *part, uint64_t at,
    uint64_t n, bool *copied)
{
	store_writer *writer = join->writer;
	enum trl_code rc;

	*copied = false;
	rc = join->store->way->writer_copy(ctx, writer, part, at, n, copied);
	if (rc == TRL_OK && *copied) {
		writer->offset += n;
		join->copied = true;
	}
	writer->broken = rc != TRL_OK;
	return rc;
}

/* What the whole has from a part, from `at` on. */
static enum trl_code
add_part(trl_ctx *ctx, struct join *join, const struct store_object *part, uint64_t at,
    uint64_t size)
{
	const struct store_way *way = join->store->way;
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && at < size) {
		const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
		bool between, copied = false;
		uint64_t n = way->writer_step(join->writer, &between);

		if (between && is_due(join) && join->writer->offset > join->now.offset)
			rc = keep(ctx, join);
		if (rc != TRL_OK || (between && is_over(join)))
			return rc;
		if (n > size - at)
			n = size - at;
		if (between)
			rc = copy_step(ctx, join, part, at, n, &copied);
		if (rc == TRL_OK)
			rc = read_step(ctx, join, part, at, n, copied);
		if (rc == TRL_OK)
			trl_arena_rewind(ctx->arena, mark);
		at += n;
	}
	return rc;
}

/* Of the parts, which were there before this began. */
static enum trl_code
add_all(trl_ctx *ctx, struct join *join, const uint64_t *sizes)
{
	const struct store_joining *what = join->what;
	uint64_t begin = 0;
	enum trl_code rc = TRL_OK;

	for (size_t i = 0; i < what->n && rc == TRL_OK; begin += sizes[i++]) {
		const uint64_t offset = join->writer->offset;

		if (begin + sizes[i] > offset && begin <= offset)
			rc = add_part(
			    ctx, join, &what->parts[i], offset - begin, sizes[i]);
	}
	if (rc == TRL_OK && join->writer->offset == join->writer->length)
		rc = keep(ctx, join);
	return rc;
}

static enum trl_code
measure(
    trl_ctx *ctx, media_store *store, const struct store_joining *what, uint64_t *sizes)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < what->n; i++) {
		enum trl_code rc = store_size(ctx, store, &what->parts[i], &sizes[i]);

		if (rc != TRL_OK)
			return rc;
		sum += sizes[i];
	}
	if (sum != what->from.length)
		return trl_fail(ctx, TRL_INTERNAL,
		    "the parts of an upload have another length than before");
	return TRL_OK;
}

/* Of a stretch that failed before anything was kept: the next one begins anew, and a
 * bucket would keep each one's parts. The time of the stretch may be over. */
static void
forget(trl_ctx *ctx, const struct join *join)
{
	const struct trl_err err = ctx->err;
	enum trl_code rc = TRL_OK;

	if (join->told || join->what->from.offset > 0 ||
	    !join->store->way->writer_forget)
		return;
	trl_err_clear(ctx);
	trl_set_deadline(ctx, trl_mono_us() + FORGET_US);
	rc = join->store->way->writer_forget(ctx, join->writer);
	if (rc != TRL_OK) /* the sweep finds it */
		trl_log_err(ctx);
	trl_err_clear(ctx);
	ctx->err = err;
}

/* Its own bytes, where the parts are there. */
static enum trl_code
gone(trl_ctx *ctx, enum trl_code rc)
{
	if (rc != TRL_NOT_FOUND)
		return rc;
	trl_err_clear(ctx);
	return trl_fail(
	    ctx, TRL_GONE, "What had been assembled is no longer in the store.");
}

static enum trl_code
go_on(trl_ctx *ctx, struct join *join, const uint64_t *sizes)
{
	enum trl_code rc;

	join->now.copies = !join->store->no_copies;
	rc = store_writer_open(
	    ctx, join->store, join->what->into, &join->now, &join->writer);

	if (rc != TRL_OK)
		return rc;
	rc = add_all(ctx, join, sizes);
	if (rc == TRL_OK) /* the state goes with the writer */
		join->now.state =
		    trl_arena_memdup(ctx->arena, join->now.state, join->now.state_len);
	else
		forget(ctx, join);
	store_writer_close(&join->writer);
	return rc;
}

/* Servers are known that take a copy of a range for one of the whole. */
static enum trl_code
finish(trl_ctx *ctx, struct join *join)
{
	const struct store_object *into = join->what->into;
	uint64_t size = join->now.offset;
	enum trl_code rc = store_finish(ctx, join->store, into, &join->now);

	if (rc == TRL_OK && join->copied)
		rc = store_size(ctx, join->store, into, &size);
	if (rc != TRL_OK || size == join->now.offset)
		return rc;
	trl_log(TRL_LOG_ERROR, ctx,
	    "a copy that the store made has the wrong length: from now on bytes are "
	    "written",
	    TRL_LOG_INT("bytes", (int64_t)size),
	    TRL_LOG_INT("wanted", (int64_t)join->now.offset));
	join->store->no_copies = true;
	return TRL_NOT_FOUND;
}

enum trl_code
store_join(
    trl_ctx *ctx, media_store *store, const struct store_joining *what, bool *whole)
{
	struct join join = { .what = what,
		.store = store,
		.now = what->from,
		.kept_us = trl_mono_us() };
	uint64_t *sizes = trl_arena_alloc(ctx->arena, (what->n + 1) * sizeof *sizes);
	enum trl_code rc = TRL_OK;

	if (join.now.offset < join.now.length) {
		rc = measure(ctx, store, what, sizes);
		if (rc == TRL_OK)
			rc = gone(ctx, go_on(ctx, &join, sizes));
	}
	*whole = false;
	if (rc != TRL_OK || join.now.offset < join.now.length)
		return rc;
	rc = gone(ctx, finish(ctx, &join));
	*whole = rc == TRL_OK;
	return rc;
}
