/* What holds for both stores: the same cases for a folder and for a bucket.
 * Over 400 lines: it is one table, and each case is a few lines. */
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

static void
run_case(trl_ctx *ctx, void *arg)
{
	struct run *run = arg;

	run->fn(ctx, run->store);
	run->done = true;
}

static bool
is_done(void *run)
{
	return ((struct run *)run)->done;
}

static void
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
static uint8_t
byte_at(unsigned of, uint64_t at)
{
	return (uint8_t)((at * 2654435761u >> 11) + of * 7 + (at >> 16));
}

static void
fill(uint8_t *to, size_t len, unsigned of, uint64_t from)
{
	for (size_t i = 0; i < len; i++)
		to[i] = byte_at(of, from + i);
}

static bool
is_filled(const uint8_t *bytes, size_t len, unsigned of, uint64_t from)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != byte_at(of, from + i))
			return false;
	return true;
}

static struct store_object
new_object(void)
{
	return (struct store_object){ trl_id_new(), trl_id_new(), "" };
}

struct look {
	unsigned of, bad;
	uint64_t at;
};

/* On a thread, where cmocka says nothing. */
static void
look_at(void *self, const void *data, size_t len)
{
	struct look *look = self;

	look->bad += !is_filled(data, len, look->of, look->at);
	look->at += len;
}

/* Pieces, three in one go; each is seen as it is written. */
static void
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
static struct store_place
through_the_row(trl_ctx *ctx, struct store_place place)
{
	place.state = trl_arena_memdup(ctx->arena, place.state, place.state_len);
	place.generation++;
	return place;
}

static struct store_place
sync_and_close(trl_ctx *ctx, store_writer **writer)
{
	struct store_place now = { 0 };

	assert_int_equal(store_writer_sync(ctx, *writer, &now), TRL_OK);
	now = through_the_row(ctx, now);
	store_writer_close(writer);
	assert_null(*writer);
	return now;
}

static void
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

static void
is_missing(trl_ctx *ctx, media_store *store, const struct store_object *object)
{
	uint64_t size;

	assert_int_equal(store_size(ctx, store, object, &size), TRL_NOT_FOUND);
	trl_err_clear(ctx);
}

/* An upload of len bytes, in one go. */
static void
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

static void
many_sizes(trl_ctx *ctx, media_store *store)
{
	static const uint64_t sizes[] = { 0, 1, 4096, 100000, 8 * UNIT - 1, 8 * UNIT,
		8 * UNIT + 1, 20 * UNIT };

	for (unsigned i = 0; i < TRL_COUNT(sizes); i++) {
		const struct store_object object = new_object();

		upload(ctx, store, &object, i, sizes[i]);
		holds(ctx, store, &object, i, sizes[i]);
		assert_int_equal(store_remove(ctx, store, &object), TRL_OK);
		is_missing(ctx, store, &object);
	}
}

static void
uploads_of_any_size_are_there_when_they_are_finished(void **state)
{
	act(state, many_sizes);
}

static void
many_writers(trl_ctx *ctx, media_store *store)
{
	static const uint64_t ends[] = { 5, 300000, 300000, 8 * UNIT, 8 * UNIT + 77,
		17 * UNIT, 17 * UNIT + 1 };
	const struct store_object object = new_object();
	struct store_place place = { .length = 17 * UNIT + 1, .generation = 1 };
	store_writer *writer;

	for (size_t i = 0; i < TRL_COUNT(ends); i++) {
		const uint64_t from = place.offset;

		assert_int_equal(
		    store_writer_open(ctx, store, &object, &place, &writer), TRL_OK);
		write_some(ctx, writer, 1, from, ends[i] - from);
		place = sync_and_close(ctx, &writer);
		assert_int_equal(place.offset, ends[i]);
		is_missing(ctx, store, &object);
	}
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	holds(ctx, store, &object, 1, place.length);
	assert_int_equal(store_abandon(ctx, store, &object), TRL_OK);
	is_missing(ctx, store, &object);
}

static void
each_writer_goes_on_where_the_last_one_was_durable(void **state)
{
	act(state, many_writers);
}

static void
lost_bytes(trl_ctx *ctx, media_store *store)
{
	static const uint64_t durable[] = { 0, 1000, 8 * UNIT, 9 * UNIT };

	for (size_t i = 0; i < TRL_COUNT(durable); i++) {
		struct store_object object = new_object();
		const uint64_t length = durable[i] + 9 * UNIT;
		struct store_place place = { .length = length, .generation = 1 };
		store_writer *writer;

		assert_int_equal(
		    store_writer_open(ctx, store, &object, &place, &writer), TRL_OK);
		write_some(ctx, writer, 1, 0, durable[i]);
		assert_int_equal(store_writer_sync(ctx, writer, &place), TRL_OK);
		place = through_the_row(ctx, place);
		write_some(ctx, writer, 2, durable[i], 9 * UNIT);
		store_writer_close(&writer);
		assert_int_equal(
		    store_writer_open(ctx, store, &object, &place, &writer), TRL_OK);
		write_some(ctx, writer, 1, durable[i], 9 * UNIT);
		place = sync_and_close(ctx, &writer);
		assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
		holds(ctx, store, &object, 1, length);
		object.part = NULL; /* with the parts of the first one */
		assert_int_equal(store_remove(ctx, store, &object), TRL_OK);
	}
}

static void
what_was_not_durable_is_forgotten(void **state)
{
	act(state, lost_bytes);
}

static void
late_length(trl_ctx *ctx, media_store *store)
{
	const struct store_object object = new_object();
	struct store_place place = { .length = STORE_LENGTH_UNKNOWN, .generation = 1 };
	store_writer *writer;

	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &writer), TRL_OK);
	write_some(ctx, writer, 3, 0, 9 * UNIT);
	place = sync_and_close(ctx, &writer);
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &writer), TRL_OK);
	write_some(ctx, writer, 3, 9 * UNIT, 10 * UNIT);
	place = sync_and_close(ctx, &writer);
	place.length = 19 * UNIT; /* by a request without a body */
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	holds(ctx, store, &object, 3, 19 * UNIT);
	assert_int_equal(store_remove(ctx, store, &object), TRL_OK);
}

static void
a_length_may_become_known_last(void **state)
{
	act(state, late_length);
}

static void
nothing_to_go_on(trl_ctx *ctx, media_store *store)
{
	const struct store_object object = new_object();
	struct store_place place = { .length = 2000, .generation = 1 };
	store_writer *writer;

	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &writer), TRL_OK);
	write_some(ctx, writer, 1, 0, 1000);
	place = sync_and_close(ctx, &writer);
	assert_int_equal(store_abandon(ctx, store, &object), TRL_OK);
	assert_int_equal(store_abandon(ctx, store, &object), TRL_OK);
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &writer), TRL_NOT_FOUND);
	trl_err_clear(ctx);
	place.offset = place.length;
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_NOT_FOUND);
	trl_err_clear(ctx);
}

static void
bytes_that_are_gone_are_missed(void **state)
{
	act(state, nothing_to_go_on);
}

static void
parts(trl_ctx *ctx, media_store *store)
{
	struct store_object object = new_object();
	uint8_t *bytes = malloc(70000);
	size_t got;
	int fd;

	object.part = "w_320-h_320_fit_contain";
	fill(bytes, 70000, 4, 0);
	is_missing(ctx, store, &object);
	assert_int_equal(store_put(ctx, store, &object, "first", 5), TRL_OK);
	assert_int_equal(store_put(ctx, store, &object, bytes, 70000), TRL_OK);
	holds(ctx, store, &object, 4, 70000);
	memset(bytes, 0, 70000);
	assert_int_equal(
	    store_head(ctx, store, &object, 69990, 4096, bytes, &got), TRL_OK);
	assert_int_equal(got, 10);
	assert_true(is_filled(bytes, got, 4, 69990));
	assert_int_equal(
	    store_head(ctx, store, &object, 12345, 1, bytes, &got), TRL_OK);
	assert_int_equal(got, 1);
	assert_int_equal(bytes[0], byte_at(4, 12345));
	assert_int_equal(
	    store_head(ctx, store, &object, 70000, 10, bytes, &got), TRL_OK);
	assert_int_equal(got, 0);
	assert_int_equal(store_fetch(ctx, store, &object, &fd), TRL_OK);
	assert_int_equal(read(fd, bytes, 70000), 70000);
	assert_true(is_filled(bytes, 70000, 4, 0));
	assert_int_equal(read(fd, bytes, 1), 0);
	close(fd);
	assert_int_equal(store_remove(ctx, store, &object), TRL_OK);
	assert_int_equal(store_remove(ctx, store, &object), TRL_OK);
	is_missing(ctx, store, &object);
	assert_int_equal(store_fetch(ctx, store, &object, &fd), TRL_NOT_FOUND);
	trl_err_clear(ctx);
	free(bytes);
}

static void
what_was_made_of_a_file_is_put_and_read_in_parts(void **state)
{
	act(state, parts);
}

static void
take_seen(void *self, const void *data, size_t len)
{
	uint64_t *at = self;

	/* Of the first 5 bytes of one upload and 9 MiB of another. */
	for (size_t i = 0; i < len; i++, ++*at)
		assert_int_equal(((const uint8_t *)data)[i],
		    *at < 5 ? byte_at(1, *at) : byte_at(2, *at - 5));
}

static void
join(trl_ctx *ctx, media_store *store)
{
	struct store_object parts[3] = { new_object(), new_object(), new_object() },
			    whole = new_object();
	uint8_t byte[2];
	size_t got;

	upload(ctx, store, &parts[0], 1, 5);
	upload(ctx, store, &parts[1], 0, 0);
	upload(ctx, store, &parts[2], 2, 9 * UNIT);
	for (int i = 0; i < 2; i++) { /* as after one that was killed */
		uint64_t seen = 0, size;

		assert_int_equal(
		    store_join(ctx, store, parts, 3, &whole, take_seen, &seen), TRL_OK);
		assert_int_equal(seen, 9 * UNIT + 5);
		assert_int_equal(store_size(ctx, store, &whole, &size), TRL_OK);
		assert_int_equal(size, 9 * UNIT + 5);
	}
	assert_int_equal(store_head(ctx, store, &whole, 4, 2, byte, &got), TRL_OK);
	assert_int_equal(byte[0], byte_at(1, 4));
	assert_int_equal(byte[1], byte_at(2, 0));
	assert_int_equal(store_remove(ctx, store, &parts[1]), TRL_OK);
	assert_int_equal(
	    store_join(ctx, store, parts, 3, &whole, take_seen, NULL), TRL_NOT_FOUND);
	trl_err_clear(ctx);
	assert_int_equal(store_remove(ctx, store, &parts[0]), TRL_OK);
	assert_int_equal(store_remove(ctx, store, &parts[2]), TRL_OK);
	assert_int_equal(store_remove(ctx, store, &whole), TRL_OK);
}

static void
parts_are_joined_by_copies_and_may_be_joined_again(void **state)
{
	act(state, join);
}

static void
remove_all(trl_ctx *ctx, media_store *store)
{
	struct store_object a = new_object(), b = { a.tenant, trl_id_new(), "" },
			    c = new_object(), made = a;
	struct store_place place = { .length = 100, .generation = 1 };
	store_writer *writer;

	upload(ctx, store, &a, 1, 10);
	upload(ctx, store, &b, 2, 10);
	upload(ctx, store, &c, 3, 10);
	made.part = "thumb";
	assert_int_equal(store_put(ctx, store, &made, "x", 1), TRL_OK);
	made.part = "large";
	assert_int_equal(store_put(ctx, store, &made, "x", 1), TRL_OK);
	made.part = NULL;
	assert_int_equal(store_remove(ctx, store, &made), TRL_OK);
	is_missing(ctx, store, &a);
	made.part = "large";
	is_missing(ctx, store, &made);
	holds(ctx, store, &b, 2, 10);
	assert_int_equal(store_put(ctx, store, &made, "x", 1), TRL_OK);
	assert_int_equal(store_writer_open(ctx, store, &a, &place, &writer), TRL_OK);
	write_some(ctx, writer, 1, 0, 50);
	place = sync_and_close(ctx, &writer);
	assert_int_equal(store_remove_tenant(ctx, store, a.tenant), TRL_OK);
	assert_int_equal(store_remove_tenant(ctx, store, a.tenant), TRL_OK);
	is_missing(ctx, store, &b);
	is_missing(ctx, store, &made);
	assert_int_equal(
	    store_writer_open(ctx, store, &a, &place, &writer), TRL_NOT_FOUND);
	trl_err_clear(ctx);
	holds(ctx, store, &c, 3, 10);
	assert_int_equal(store_remove(ctx, store, &c), TRL_OK);
}

static void
a_file_goes_with_what_was_made_of_it_and_a_tenant_with_its_files(void **state)
{
	act(state, remove_all);
}

/* How many of each kind are listed of a tenant; all that is there is forgotten. */
static void
list(trl_ctx *ctx, media_store *store, struct trl_id tenant, unsigned kinds[4],
    bool forget)
{
	struct store_listing at = { .ended = false };

	memset(kinds, 0, 4 * sizeof *kinds);
	while (!at.ended) {
		assert_int_equal(store_list(ctx, store, &at), TRL_OK);
		for (size_t i = 0; i < at.n; i++) {
			const struct store_found *found = &at.found[i];

			if (!trl_id_eq(found->tenant, tenant))
				continue;
			kinds[found->kind]++;
			assert_in_range(trl_wall_us() + 5000000 - found->changed_us, 0,
			    INT64_C(120) * 1000000);
			if (found->kind == STORE_WHOLE)
				assert_int_equal(found->size, 10);
			if (found->kind == STORE_MADE)
				assert_string_equal(found->part, "a_thumb-1");
			if (forget)
				assert_int_equal(
				    store_forget(ctx, store, found), TRL_OK);
		}
	}
}

static void
list_all(trl_ctx *ctx, media_store *store)
{
	struct store_object a = new_object(), b = { a.tenant, trl_id_new(), "" },
			    made = a;
	struct store_place place = { .length = 9 * UNIT, .generation = 1 };
	store_writer *writer;
	unsigned kinds[4];

	upload(ctx, store, &a, 1, 10);
	made.part = "a_thumb-1";
	assert_int_equal(store_put(ctx, store, &made, "x", 1), TRL_OK);
	assert_int_equal(store_writer_open(ctx, store, &b, &place, &writer), TRL_OK);
	write_some(ctx, writer, 1, 0, 50);
	place = sync_and_close(ctx, &writer);
	for (int i = 0; i < 2; i++) {
		list(ctx, store, a.tenant, kinds, i == 1);
		assert_int_equal(kinds[STORE_WHOLE], 1);
		assert_int_equal(kinds[STORE_MADE], 1);
		assert_in_range(kinds[STORE_UPLOAD], 1, 2); /* a tail, too */
		assert_int_equal(kinds[STORE_SCRAP], 0);
	}
	list(ctx, store, a.tenant, kinds, false);
	for (int i = 0; i < 4; i++)
		assert_int_equal(kinds[i], 0);
	is_missing(ctx, store, &a);
	assert_int_equal(
	    store_writer_open(ctx, store, &b, &place, &writer), TRL_NOT_FOUND);
	trl_err_clear(ctx);
}

static void
all_that_lies_there_is_listed_and_can_be_forgotten(void **state)
{
	act(state, list_all);
}

static void
many(trl_ctx *ctx, media_store *store)
{
	struct store_object object = new_object();
	const unsigned n = STORE_PAGE + 20;
	unsigned kinds[4];

	object.part = "a_thumb-1";
	for (unsigned i = 0; i < n; i++) {
		object.file = trl_id_new();
		assert_int_equal(store_put(ctx, store, &object, "", 0), TRL_OK);
	}
	list(ctx, store, object.tenant, kinds, false);
	assert_int_equal(kinds[STORE_MADE], n);
	assert_int_equal(store_remove_tenant(ctx, store, object.tenant), TRL_OK);
	list(ctx, store, object.tenant, kinds, false);
	assert_int_equal(kinds[STORE_MADE], 0);
}

static void
more_than_a_page_is_listed_once_each(void **state)
{
	act(state, many);
}

static int
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
	*state = &world;
	return 0;
}

/* Nothing is left: not a folder. */
static int
close_folder(void **state)
{
	struct world *world = *state;

	store_close(&world->store);
	assert_null(world->store);
	trl_loop_free(&world->loop);
	return rmdir(world->folder);
}

static int
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

static void
nothing(trl_ctx *ctx, media_store *store)
{
	struct store_listing at = { .ended = false };

	while (!at.ended) {
		assert_int_equal(store_list(ctx, store, &at), TRL_OK);
		assert_int_equal(at.n, 0);
	}
}

static int
close_bucket(void **state)
{
	struct world *world = *state;

	act(state, nothing);
	store_close(&world->store);
	trl_loop_free(&world->loop);
	test_server_end(&world->server);
	return 0;
}

#define CASES                                                                          \
	cmocka_unit_test(uploads_of_any_size_are_there_when_they_are_finished),        \
	    cmocka_unit_test(each_writer_goes_on_where_the_last_one_was_durable),      \
	    cmocka_unit_test(what_was_not_durable_is_forgotten),                       \
	    cmocka_unit_test(a_length_may_become_known_last),                          \
	    cmocka_unit_test(bytes_that_are_gone_are_missed),                          \
	    cmocka_unit_test(what_was_made_of_a_file_is_put_and_read_in_parts),        \
	    cmocka_unit_test(parts_are_joined_by_copies_and_may_be_joined_again),      \
	    cmocka_unit_test(                                                          \
		a_file_goes_with_what_was_made_of_it_and_a_tenant_with_its_files),     \
	    cmocka_unit_test(all_that_lies_there_is_listed_and_can_be_forgotten)

int
main(void)
{
	const struct CMUnitTest folder[] = { CASES,
		cmocka_unit_test(more_than_a_page_is_listed_once_each) };
	const struct CMUnitTest bucket[] = { CASES };

	trl_assert(sodium_init() >= 0);
	return cmocka_run_group_tests(folder, open_folder, close_folder) +
	       cmocka_run_group_tests(bucket, open_bucket, close_bucket);
}
