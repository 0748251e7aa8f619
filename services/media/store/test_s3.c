/* Uploads into a bucket whose server is busy, breaks off, lies or is full: nothing that
 * was durable is lost, and nothing is taken for done that is not. */
#include "test_hostile.h"

static void
busy(trl_ctx *ctx)
{
	struct store_place place = { .length = 17 * UNIT, .generation = 1 };

	fail_next("begin", "slowdown", 1);
	fail_next("part", "slowdown", 1);
	fail_next("part", "late", 1);
	fail_next("part", "cut", 1);
	fail_next("part", "lost", 1);
	fail_next("put", "cut", 1);
	fail_next("complete", "error", 1);
	upload_to(ctx, &place, 1, 10 * UNIT); /* with a tail */
	fail_next("get", "cut", 1);
	fail_next("part", "odd", 1);
	fail_next("part", "bare", 1);
	upload_to(ctx, &place, 1, 17 * UNIT);
	fail_next("complete", "error200", 1);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	fail_next("head", "error", 1);
	fail_next("get", "half", 3);
	holds(ctx, 1, 17 * UNIT);
}

static void
a_server_that_is_busy_or_breaks_off_is_asked_again(void **state)
{
	(void)state;
	act(busy);
}

static void
stays_busy(trl_ctx *ctx)
{
	struct store_place place = { .length = 17 * UNIT, .generation = 1 }, none;
	store_writer *writer;

	upload_to(ctx, &place, 1, 9 * UNIT);
	fail_next("part", "slowdown", 1000);
	writer = open_writer(ctx, &place);
	is_unavailable(ctx, write_some(ctx, writer, 1, 9 * UNIT, 8 * UNIT));
	store_writer_close(&writer);
	(void)tell("forget\n");
	fail_next("put", "cut", 1000);
	writer = open_writer(ctx, &place);
	assert_int_equal(write_some(ctx, writer, 1, 9 * UNIT, UNIT), TRL_OK);
	is_unavailable(ctx, store_writer_sync(ctx, writer, &none));
	store_writer_close(&writer);
	fail_next("get", "slowdown", 1000);
	is_unavailable(ctx, store_writer_open(ctx, store, &object, &place, &writer));
	(void)tell("forget\n");
	upload_to(ctx, &place, 1, 17 * UNIT);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	holds(ctx, 1, 17 * UNIT);
	assert_int_equal(((struct s3_store *)store)->writers.used, 0);
}

static void
one_that_stays_busy_is_unavailable_and_the_upload_goes_on_later(void **state)
{
	(void)state;
	act(stays_busy);
}

/* A process dies between the bytes and the row: what the row names is as it was. */
static void
forgotten(trl_ctx *ctx)
{
	struct store_place place = { .length = 20 * UNIT, .generation = 1 }, lost;
	store_writer *writer = open_writer(ctx, &place);

	assert_int_equal(write_some(ctx, writer, 1, 0, 9 * UNIT), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, writer, &place), TRL_OK);
	keep_place(ctx, &place);
	lost = place;
	assert_int_equal(write_some(ctx, writer, 1, 9 * UNIT, 8 * UNIT), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, writer, &lost), TRL_OK);
	store_writer_close(&writer);
	upload_to(ctx, &place, 1, 20 * UNIT);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	holds(ctx, 1, 20 * UNIT);
}

static void
a_checkpoint_that_no_row_heard_of_leaves_the_one_before(void **state)
{
	(void)state;
	act(forgotten);
}

static void
not_made(trl_ctx *ctx)
{
	struct store_place place = { .length = 9 * UNIT, .generation = 1 };

	upload_to(ctx, &place, 1, 9 * UNIT);
	fail_next("complete", "error200", 1000);
	is_unavailable(ctx, store_finish(ctx, store, &object, &place));
	is_missing(ctx);
	(void)tell("forget\n");
	fail_next("complete", "lost", 1);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	holds(ctx, 1, 9 * UNIT);
}

static void
a_200_with_an_error_in_it_is_none_and_a_lost_answer_is_found_out(void **state)
{
	(void)state;
	act(not_made);
}

static void
other_parts(trl_ctx *ctx)
{
	struct store_place place = { .length = 9 * UNIT, .generation = 1 }, old = place;
	store_writer *stale = open_writer(ctx, &old);

	assert_int_equal(write_some(ctx, stale, 2, 0, 5 * UNIT), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, stale, &old), TRL_OK);
	place = old;
	keep_place(ctx, &place);
	upload_to(ctx, &place, 2, 6 * UNIT);
	/* It was fenced off and does not know. */
	assert_int_equal(write_some(ctx, stale, 3, 5 * UNIT, UNIT), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, stale, &old), TRL_OK);
	store_writer_close(&stale);
	upload_to(ctx, &place, 2, 9 * UNIT);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	holds(ctx, 2, 9 * UNIT);
}

static void
a_writer_that_was_fenced_off_changes_nothing(void **state)
{
	(void)state;
	act(other_parts);
}

static void
stale_part(trl_ctx *ctx)
{
	struct store_place place = { .length = 9 * UNIT, .generation = 1 };
	struct s3_state late;
	uint8_t byte = 'x';
	char key[S3_KEY_BYTES];

	upload_to(ctx, &place, 2, 9 * UNIT);
	s3_key_of(&object, key);
	assert_true(s3_state_read(&late, place.state, place.state_len));
	late.n_parts = 0;
	late.etags.len = 0;
	assert_int_equal(
	    s3_add_part(ctx, (struct s3_store *)store, key, &late, &byte, 1), TRL_OK);
	s3_state_fini(&late);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_GONE);
	trl_err_clear(ctx);
	is_missing(ctx);
}

static void
a_part_that_another_has_written_over_is_not_made_part_of_a_file(void **state)
{
	(void)state;
	act(stale_part);
}

/* As a rule of the bucket ends multipart uploads after some days. */
static void
ended(trl_ctx *ctx)
{
	struct store_place place = { .length = 17 * UNIT, .generation = 1 };
	store_writer *writer;

	upload_to(ctx, &place, 1, 8 * UNIT);
	fail_next("part", "gone", 1);
	writer = open_writer(ctx, &place);
	assert_int_equal(write_some(ctx, writer, 1, 8 * UNIT, 9 * UNIT), TRL_GONE);
	trl_err_clear(ctx);
	store_writer_close(&writer);
	upload_to(ctx, &place, 1, 17 * UNIT);
	fail_next("complete", "gone", 1);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_GONE);
	trl_err_clear(ctx);
	/* That is what one says that was made, too: by a finish before. */
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	fail_next("complete", "gone", 1);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	holds(ctx, 1, 17 * UNIT);
}

static void
a_multipart_upload_that_was_ended_is_missed(void **state)
{
	(void)state;
	act(ended);
}

static void
full(trl_ctx *ctx)
{
	const struct store_object made = { object.tenant, object.file, "thumb" };
	struct store_place place = { .length = 9 * UNIT, .generation = 1 };
	store_writer *writer = open_writer(ctx, &place);

	assert_int_equal(write_some(ctx, writer, 1, 0, 8 * UNIT - 5), TRL_OK);
	fail_next("part", "full", 1);
	fail_next("part", "quota", 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    write_some(ctx, writer, 1, 8 * UNIT - 5, PIECE), TRL_STORAGE);
		trl_err_clear(ctx);
	}
	assert_int_equal(write_some(ctx, writer, 1, 8 * UNIT - 5, UNIT + 5), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, writer, &place), TRL_OK);
	keep_place(ctx, &place);
	store_writer_close(&writer);
	fail_next("put", "full", 1);
	assert_int_equal(store_put(ctx, store, &made, "x", 1), TRL_STORAGE);
	trl_err_clear(ctx);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	holds(ctx, 1, 9 * UNIT);
}

static void
a_store_that_is_full_says_so_and_takes_the_rest_later(void **state)
{
	(void)state;
	act(full);
}

static void
too_many(trl_ctx *ctx)
{
	enum { MOST = S3_WRITERS_BYTES / 2 / (8 * UNIT) }; /* of one organisation */
	struct store_place place = { .length = UINT64_C(5) << 40, .generation = 1 };
	const struct store_object others = { { { 7 } }, object.file, "" };
	store_writer *writers[MOST], *more;

	/* One of the largest is let in where nothing else is, and leaves others room.
	 */
	writers[0] = open_writer(ctx, &place);
	place.length = 8 * UNIT;
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &more), TRL_BUSY);
	assert_int_not_equal(ctx->err.retry_after_ms, 0);
	trl_err_clear(ctx);
	assert_int_equal(store_writer_open(ctx, store, &others, &place, &more), TRL_OK);
	store_writer_close(&more);
	store_writer_close(&writers[0]);
	for (size_t i = 0; i < MOST; i++)
		writers[i] = open_writer(ctx, &place);
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &more), TRL_BUSY);
	trl_err_clear(ctx);
	assert_int_equal(store_writer_open(ctx, store, &others, &place, &more), TRL_OK);
	store_writer_close(&more);
	store_writer_close(&writers[5]);
	place.length = 100; /* it takes no more than it has */
	writers[5] = open_writer(ctx, &place);
	for (size_t i = 0; i < MOST; i++)
		store_writer_close(&writers[i]);
	assert_int_equal(((struct s3_store *)store)->writers.used, 0);
	place.length = (UINT64_C(5) << 40) + 1;
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &more), TRL_TOO_LARGE);
	trl_err_clear(ctx);
}

static void
writers_are_bounded_by_what_they_may_hold_in_memory(void **state)
{
	(void)state;
	act(too_many);
}

/* Whoever reads slowly keeps a connection for as long. */
static void
too_many_read(trl_ctx *ctx)
{
	const struct store_object others = { { { 7 } }, object.file, "" };
	struct store_place place = { .length = 3 * UNIT, .generation = 1 };
	struct s3_store *s3 = (struct s3_store *)store;
	store_reader *readers[2], *more;
	uint8_t head[2];
	size_t got = 0;

	upload_to(ctx, &place, 1, 3 * UNIT);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	s3->readers.size = 4;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
		    store_reader_open(ctx, store, &object, 0, 3 * UNIT, &readers[i]),
		    TRL_OK);
	assert_int_equal(
	    store_reader_open(ctx, store, &object, 0, 3 * UNIT, &more), TRL_BUSY);
	assert_int_not_equal(ctx->err.retry_after_ms, 0);
	trl_err_clear(ctx);
	assert_int_equal(/* what an upload's end looks at takes no long time */
	    store_head(ctx, store, &object, UNIT, sizeof head, head, &got), TRL_OK);
	assert_int_equal(got, sizeof head);
	assert_int_equal(/* it is looked for */
	    store_reader_open(ctx, store, &others, 0, 3 * UNIT, &more), TRL_NOT_FOUND);
	trl_err_clear(ctx);
	for (size_t i = 0; i < 2; i++)
		store_reader_close(&readers[i]);
	assert_int_equal(s3->readers.used, 0);
	s3->readers.size = S3_READERS;
	holds(ctx, 1, 3 * UNIT);
}

static void
slow_readers_of_one_organisation_keep_no_other_out(void **state)
{
	(void)state;
	act(too_many_read);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_server_that_is_busy_or_breaks_off_is_asked_again),
		CASE(one_that_stays_busy_is_unavailable_and_the_upload_goes_on_later),
		CASE(a_checkpoint_that_no_row_heard_of_leaves_the_one_before),
		CASE(a_200_with_an_error_in_it_is_none_and_a_lost_answer_is_found_out),
		CASE(a_writer_that_was_fenced_off_changes_nothing),
		CASE(a_part_that_another_has_written_over_is_not_made_part_of_a_file),
		CASE(a_multipart_upload_that_was_ended_is_missed),
		CASE(a_store_that_is_full_says_so_and_takes_the_rest_later),
		CASE(writers_are_bounded_by_what_they_may_hold_in_memory),
		CASE(slow_readers_of_one_organisation_keep_no_other_out),
	};

	trl_assert(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, open_bucket, close_bucket);
}
