/* A join in a bucket whose server copies parts badly, or not at all: the whole is what
 * the parts are, or it is not there. */
#include "test_hostile.h"

enum { LENGTH = 16 * UNIT };
static const struct store_object part = { { { 1 } }, { { 3 } }, "" };

static enum trl_code
keep(void *self, trl_ctx *ctx, const struct store_place *now)
{
	struct store_place *place = self;

	*place = *now;
	keep_place(ctx, place);
	return TRL_OK;
}

static void
see(void *self, const void *data, size_t len)
{
	(void)self, (void)data, (void)len;
}

/* A stretch, from what was kept on. */
static enum trl_code
join(trl_ctx *ctx, struct store_place *place, uint64_t us, bool *whole)
{
	const struct store_joining what = { .parts = &part,
		.n = 1,
		.into = &object,
		.from = *place,
		.until_us = trl_mono_us() + us,
		.seen = see,
		.keep = keep,
		.self = place };

	return store_join(ctx, store, &what, whole);
}

static struct store_place
begin(trl_ctx *ctx)
{
	uint8_t *bytes = malloc(LENGTH);

	for (size_t i = 0; i < LENGTH; i++)
		bytes[i] = byte_at(1, i);
	assert_int_equal(store_put(ctx, store, &part, bytes, LENGTH), TRL_OK);
	free(bytes);
	return (struct store_place){ .length = LENGTH, .generation = 1 };
}

static void
with_faults(trl_ctx *ctx)
{
	static const char *const faults[] = { "slowdown", "cut", "error200", "none",
		"denied", "unknown" };

	for (size_t i = 0; i < TRL_COUNT(faults); i++) {
		struct store_place place = begin(ctx);
		const unsigned copies = tell("count copy\n"),
			       parts = tell("count part\n");
		bool whole;

		fail_next("copy", faults[i], 1);
		assert_int_equal(join(ctx, &place, UINT32_MAX, &whole), TRL_OK);
		assert_true(whole);
		holds(ctx, 1, LENGTH);
		/* Made again; or all of this stretch is written. */
		assert_int_equal(tell("count copy\n") - copies, i < 3 ? 3 : 1);
		assert_int_equal(tell("count part\n") - parts, i < 3 ? 0 : 2);
		clean(ctx);
	}
}

static void
a_copy_is_made_again_or_the_part_is_written(void **state)
{
	(void)state;
	act(with_faults);
}

/* Its range counts for nothing there. */
static void
too_much(trl_ctx *ctx)
{
	struct store_place place = begin(ctx);
	bool whole;

	fail_next("copy", "whole", 2);
	assert_int_equal(join(ctx, &place, UINT32_MAX, &whole), TRL_GONE);
	assert_false(whole);
	trl_err_clear(ctx);
	assert_true(store->no_copies);
	assert_int_equal(store_abandon(ctx, store, &object), TRL_OK);
	place = (struct store_place){ .length = LENGTH, .generation = 2 };
	assert_int_equal(join(ctx, &place, UINT32_MAX, &whole), TRL_OK);
	assert_true(whole);
	holds(ctx, 1, LENGTH);
	store->no_copies = false;
}

static void
a_server_that_copies_too_much_is_found_out(void **state)
{
	(void)state;
	act(too_much);
}

/* As a rule of the bucket ends multipart uploads after some days. */
static void
aborted(trl_ctx *ctx)
{
	static const char *const kinds[] = { "copy", "complete" };

	for (size_t i = 0; i < TRL_COUNT(kinds); i++) {
		struct store_place place = begin(ctx);
		bool whole;

		assert_int_equal(join(ctx, &place, 1, &whole), TRL_OK);
		assert_false(whole);
		fail_next(kinds[i], "gone", 1);
		assert_int_equal(join(ctx, &place, UINT32_MAX, &whole), TRL_GONE);
		trl_err_clear(ctx);
		clean(ctx);
	}
}

static void
a_multipart_upload_that_was_ended_is_gone(void **state)
{
	(void)state;
	act(aborted);
}

static void
stays_busy(trl_ctx *ctx)
{
	struct store_place place = begin(ctx);
	bool whole;

	assert_int_equal(join(ctx, &place, 1, &whole), TRL_OK);
	assert_int_equal(place.offset, 8 * UNIT);
	fail_next("copy", "error200", 1000);
	is_unavailable(ctx, join(ctx, &place, UINT32_MAX, &whole));
	(void)tell("forget\n");
	assert_int_equal(join(ctx, &place, UINT32_MAX, &whole), TRL_OK);
	assert_true(whole);
	holds(ctx, 1, LENGTH);
}

static void
one_that_stays_busy_is_unavailable_and_the_join_goes_on_later(void **state)
{
	(void)state;
	act(stays_busy);
}

/* Its parts may be hundreds of MiB, and uploads go on all the time. */
static void
no_room(trl_ctx *ctx)
{
	struct s3_store *s3 = (struct s3_store *)store;
	struct store_place place = begin(ctx);
	bool whole;

	s3->writers.used = S3_WRITERS_BYTES;
	assert_int_equal(join(ctx, &place, UINT32_MAX, &whole), TRL_OK);
	assert_true(whole);
	holds(ctx, 1, LENGTH);
	place = (struct store_place){ .length = LENGTH, .generation = 2 };
	store->no_copies = true;
	assert_int_equal(join(ctx, &place, UINT32_MAX, &whole), TRL_BUSY);
	trl_err_clear(ctx);
	assert_int_equal(s3->writers.used, S3_WRITERS_BYTES);
	s3->writers.used = 0;
	assert_int_equal(join(ctx, &place, UINT32_MAX, &whole), TRL_OK);
	assert_int_equal(s3->writers.used, 0);
	store->no_copies = false;
}

static void
a_join_that_the_server_copies_waits_for_no_memory(void **state)
{
	(void)state;
	act(no_room);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_copy_is_made_again_or_the_part_is_written),
		CASE(a_server_that_copies_too_much_is_found_out),
		CASE(a_multipart_upload_that_was_ended_is_gone),
		CASE(a_join_that_the_server_copies_waits_for_no_memory),
		CASE(one_that_stays_busy_is_unavailable_and_the_join_goes_on_later),
	};

	trl_assert(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, open_bucket, close_bucket);
}
