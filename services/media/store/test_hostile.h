/* test_hostile.h - a bucket whose server fails as it is told to. Include it once in a
 * test's program. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <sodium.h>

#include "store/s3.h"
#include "test_server.h"

enum {
	PIECE = 64 << 10,
	UNIT = 128 << 10 /* an eighth of a part */,
	PATIENCE_MS = 60000
};

static struct test_server server;
static struct media_config config;
static trl_loop *loop;
static media_store *store;
static const struct store_object object = { { { 1 } }, { { 2 } }, "" };

struct run {
	void (*fn)(trl_ctx *ctx);
	bool done;
};

static inline void
run_case(trl_ctx *ctx, void *arg)
{
	struct run *run = arg;

	run->fn(ctx);
	run->done = true;
}

static inline bool
is_done(void *run)
{
	return ((struct run *)run)->done;
}

static inline void
act(void (*fn)(trl_ctx *ctx))
{
	struct run run = { .fn = fn };
	const struct trl_spawn spawn = {
		.name = "case", .run = run_case, .arg = &run, .timeout_ms = PATIENCE_MS
	};

	assert_int_equal(trl_spawn(loop, &spawn), TRL_OK);
	assert_true(trl_loop_run_until(loop, is_done, &run, PATIENCE_MS));
}

static inline unsigned tell(const char *fmt, ...) TRL_PRINTF(1, 2);

static inline unsigned
tell(const char *fmt, ...)
{
	char line[128] = "";
	va_list args;

	va_start(args, fmt);
	assert_true(vdprintf(server.input, fmt, args) > 0);
	va_end(args);
	assert_non_null(fgets(line, sizeof line, server.told));
	return (unsigned)strtoul(line, NULL, 10);
}

static inline void
fail_next(const char *kind, const char *fault, unsigned n)
{
	(void)tell("fail %s %s %u\n", kind, fault, n);
}

/* No two parts are alike. */
static inline uint8_t
byte_at(unsigned of, uint64_t at)
{
	return (uint8_t)((at * 2654435761u >> 9) + at / UNIT * 37 + of);
}

static inline enum trl_code
write_some(trl_ctx *ctx, store_writer *writer, unsigned of, uint64_t from, uint64_t len)
{
	uint8_t *piece = malloc(PIECE);
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && len > 0) {
		const size_t n = len < PIECE ? (size_t)len : PIECE;

		for (size_t i = 0; i < n; i++)
			piece[i] = byte_at(of, from + i);
		rc = store_writer_write(ctx, writer, piece, n);
		from += n;
		len -= n;
	}
	free(piece);
	return rc;
}

static inline store_writer *
open_writer(trl_ctx *ctx, const struct store_place *place)
{
	store_writer *writer = NULL;

	assert_int_equal(
	    store_writer_open(ctx, store, &object, place, &writer), TRL_OK);
	return writer;
}

static inline void
keep_place(trl_ctx *ctx, struct store_place *place)
{
	place->state = trl_arena_memdup(ctx->arena, place->state, place->state_len);
	place->generation++;
}

/* Writes [from, to) of `of` by a new writer and makes it durable. */
static inline void
upload_to(trl_ctx *ctx, struct store_place *place, unsigned of, uint64_t to)
{
	store_writer *writer = open_writer(ctx, place);

	assert_int_equal(
	    write_some(ctx, writer, of, place->offset, to - place->offset), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, writer, place), TRL_OK);
	keep_place(ctx, place);
	store_writer_close(&writer);
}

static inline void
holds(trl_ctx *ctx, unsigned of, uint64_t len)
{
	store_reader *reader = NULL;
	const uint8_t *data;
	uint64_t size, at = 0;
	size_t n;

	assert_int_equal(store_size(ctx, store, &object, &size), TRL_OK);
	assert_int_equal(size, len);
	assert_int_equal(
	    store_reader_open(ctx, store, &object, 0, size, &reader), TRL_OK);
	do {
		assert_int_equal(store_reader_next(ctx, reader, &data, &n), TRL_OK);
		for (size_t i = 0; i < n; i++)
			if (data[i] != byte_at(of, at + i))
				fail_msg("byte %zu is wrong", (size_t)at + i);
		at += n;
	} while (n > 0);
	store_reader_close(&reader);
	assert_int_equal(at, len);
}

static inline void
is_unavailable(trl_ctx *ctx, enum trl_code rc)
{
	assert_int_equal(rc, TRL_UNAVAILABLE);
	assert_int_not_equal(ctx->err.retry_after_ms, 0);
	trl_err_clear(ctx);
}

static inline void
is_missing(trl_ctx *ctx)
{
	uint64_t size;

	assert_int_equal(store_size(ctx, store, &object, &size), TRL_NOT_FOUND);
	trl_err_clear(ctx);
}

static inline int
open_bucket(void **state)
{
	struct trl_host host = { .loop = trl_loop_new(NULL) };

	(void)state;
	test_server_start(&server, "test_s3_hostile.py");
	config = test_server_config(&server);
	loop = host.loop;
	assert_int_equal(store_open(&host, &config, &store), TRL_OK);
	((struct s3_store *)store)->part_bytes = 8 * UNIT;
	((struct s3_store *)store)->pause_ms = 4;
	return 0;
}

static inline void
clean(trl_ctx *ctx)
{
	assert_int_equal(
	    store_remove_tenant(ctx, store, object.tenant, &(bool){ false }), TRL_OK);
}

static inline int
clean_up(void **state)
{
	(void)state;
	(void)tell("forget\n");
	act(clean);
	return 0;
}

static inline int
close_bucket(void **state)
{
	(void)state;
	store_close(&store);
	trl_loop_free(&loop);
	test_server_end(&server);
	return 0;
}

#define CASE(test) cmocka_unit_test_teardown(test, clean_up)
