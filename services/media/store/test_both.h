/* test_both.h - a folder and a bucket, for cases that hold for both: their bytes, their
 * uploads, and how each is opened. Include it once in a test's program. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "local.h"
#include "s3.h"
#include "test_server.h"

enum {
	PIECE = 64 << 10,
	UNIT = 128 << 10 /* an eighth of a part */,
	PATIENCE_MS = 60000
};

struct world {
	trl_loop *loop;
	media_store *store;
	char folder[64];
	struct test_server server;
};

struct run {
	void (*fn)(trl_ctx *ctx, media_store *store);
	media_store *store;
	bool done;
};

static inline void
run_case(trl_ctx *ctx, void *arg)
{
	struct run *run = arg;

	run->fn(ctx, run->store);
	run->done = true;
}

static inline bool
is_done(void *run)
{
	return ((struct run *)run)->done;
}

static inline void
act(void **state, void (*fn)(trl_ctx *ctx, media_store *store))
{
	struct world *world = *state;
	struct run run = { .fn = fn, .store = world->store };
	const struct trl_spawn spawn = {
		.name = "case", .run = run_case, .arg = &run, .timeout_ms = PATIENCE_MS
	};

	assert_int_equal(trl_spawn(world->loop, &spawn), TRL_OK);
	assert_true(trl_loop_run_until(world->loop, is_done, &run, PATIENCE_MS));
}

/* Bytes that tell where they stand, and of which upload they are. */
static inline uint8_t
byte_at(unsigned of, uint64_t at)
{
	return (uint8_t)((at * 2654435761u >> 11) + of * 7 + (at >> 16));
}

static inline void
fill(uint8_t *to, size_t len, unsigned of, uint64_t from)
{
	for (size_t i = 0; i < len; i++)
		to[i] = byte_at(of, from + i);
}

static inline bool
is_filled(const uint8_t *bytes, size_t len, unsigned of, uint64_t from)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != byte_at(of, from + i))
			return false;
	return true;
}

static inline struct store_object
new_object(void)
{
	return (struct store_object){ trl_id_new(), trl_id_new(), "" };
}

struct look {
	unsigned of, bad;
	uint64_t at;
};

/* On a thread, where cmocka says nothing. */
static inline void
look_at(void *self, const void *data, size_t len)
{
	struct look *look = self;

	look->bad += !is_filled(data, len, look->of, look->at);
	look->at += len;
}

/* Pieces, three in one go; each is seen as it is written. */
static inline void
write_some(trl_ctx *ctx, store_writer *writer, unsigned of, uint64_t from, uint64_t len)
{
	struct look look = { .of = of, .at = from };
	uint8_t *bytes = malloc(3 * PIECE);
	const uint64_t end = from + len;

	while (look.at < end) {
		struct iovec at[3];
		struct store_pieces pieces = {
			.at = at, .seen = look_at, .self = &look
		};
		const uint64_t begin = look.at;

		for (from = begin; from < end && pieces.n < 3; pieces.n++) {
			uint8_t *piece = bytes + pieces.n * PIECE;
			const size_t n = end - from < PIECE ? end - from : PIECE;

			fill(piece, n, of, from);
			at[pieces.n] = (struct iovec){ piece, n };
			from += n;
		}
		assert_int_equal(store_writer_write_all(ctx, writer, &pieces), TRL_OK);
		assert_int_equal(pieces.written, pieces.n);
		assert_int_equal(look.at, from);
	}
	assert_int_equal(look.bad, 0);
	free(bytes);
}

/* The next process knows what the row holds, and no more. */
static inline struct store_place
through_the_row(trl_ctx *ctx, struct store_place place)
{
	place.state = trl_arena_memdup(ctx->arena, place.state, place.state_len);
	place.generation++;
	return place;
}

static inline struct store_place
sync_and_close(trl_ctx *ctx, store_writer **writer)
{
	struct store_place now = { 0 };

	assert_int_equal(store_writer_sync(ctx, *writer, &now), TRL_OK);
	now = through_the_row(ctx, now);
	store_writer_close(writer);
	assert_null(*writer);
	return now;
}

static inline void
holds(trl_ctx *ctx, media_store *store, const struct store_object *object, unsigned of,
    uint64_t len)
{
	store_reader *reader = NULL;
	const uint8_t *data;
	uint64_t size, at = 0;
	size_t n;

	assert_int_equal(store_size(ctx, store, object, &size), TRL_OK);
	assert_int_equal(size, len);
	assert_int_equal(
	    store_reader_open(ctx, store, object, 0, size, &reader), TRL_OK);
	for (;;) {
		assert_int_equal(store_reader_next(ctx, reader, &data, &n), TRL_OK);
		if (n == 0)
			break;
		assert_in_range(n, 1, TRL_STREAM_PIECE);
		assert_true(is_filled(data, n, of, at));
		at += n;
	}
	assert_int_equal(at, len);
	store_reader_close(&reader);
}

static inline void
is_missing(trl_ctx *ctx, media_store *store, const struct store_object *object)
{
	uint64_t size;

	assert_int_equal(store_size(ctx, store, object, &size), TRL_NOT_FOUND);
	trl_err_clear(ctx);
}

/* An upload of len bytes, in one go. */
static inline void
upload(trl_ctx *ctx, media_store *store, const struct store_object *object, unsigned of,
    uint64_t len)
{
	struct store_place place = { .length = len, .generation = 1 };
	store_writer *writer;

	assert_int_equal(
	    store_writer_open(ctx, store, object, &place, &writer), TRL_OK);
	write_some(ctx, writer, of, 0, len);
	place = sync_and_close(ctx, &writer);
	assert_int_equal(place.offset, len);
	assert_int_equal(store_finish(ctx, store, object, &place), TRL_OK);
}

static inline int
open_folder(void **state)
{
	static struct world world;
	struct trl_host host = { .loop = trl_loop_new(NULL) };

	/* In memory where that can be: the disk has test_local. */
	strcpy(world.folder, "/dev/shm/trellis-store-XXXXXX");
	if (mkdtemp(world.folder) == NULL) {
		strcpy(world.folder, "/tmp/trellis-store-XXXXXX");
		assert_non_null(mkdtemp(world.folder));
	}
	world.loop = host.loop;
	assert_int_equal(local_store_open(&host, world.folder, &world.store), TRL_OK);
	((struct local_store *)world.store)->step_bytes = 8 * UNIT;
	*state = &world;
	return 0;
}

/* Nothing is left: not a folder. */
static inline int
close_folder(void **state)
{
	struct world *world = *state;

	store_close(&world->store);
	assert_null(world->store);
	trl_loop_free(&world->loop);
	return rmdir(world->folder);
}

static inline int
open_bucket(void **state)
{
	static struct world world;
	struct trl_host host = { .loop = trl_loop_new(NULL) };
	struct media_config config;

	test_server_start(&world.server, "test_swift.py");
	config = test_server_config(&world.server);
	world.loop = host.loop;
	assert_true(store_check_config(&config));
	assert_int_equal(store_open(&host, &config, &world.store), TRL_OK);
	((struct s3_store *)world.store)->part_bytes = 8 * UNIT;
	*state = &world;
	return 0;
}

static inline void
nothing(trl_ctx *ctx, media_store *store)
{
	struct store_listing at = { .ended = false };

	while (!at.ended) {
		assert_int_equal(store_list(ctx, store, &at), TRL_OK);
		assert_int_equal(at.n, 0);
	}
}

static inline int
close_bucket(void **state)
{
	struct world *world = *state;

	act(state, nothing);
	store_close(&world->store);
	trl_loop_free(&world->loop);
	test_server_end(&world->server);
	return 0;
}

#define BOTH(folder, bucket)                                                           \
	cmocka_run_group_tests(folder, open_folder, close_folder) +                    \
	    cmocka_run_group_tests(bucket, open_bucket, close_bucket)
