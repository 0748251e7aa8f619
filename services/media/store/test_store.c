/* What holds for both stores of uploads, and of what was made of files. */
#include "test_both.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uploads_of_any_size_are_there_when_they_are_finished),
		cmocka_unit_test(each_writer_goes_on_where_the_last_one_was_durable),
		cmocka_unit_test(what_was_not_durable_is_forgotten),
		cmocka_unit_test(a_length_may_become_known_last),
		cmocka_unit_test(bytes_that_are_gone_are_missed),
		cmocka_unit_test(what_was_made_of_a_file_is_put_and_read_in_parts),
	};

	trl_assert(sodium_init() >= 0);
	return BOTH(tests, tests);
}
