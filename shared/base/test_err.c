/* test_err.c - one error a ctx, and what a ctx answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/ctx.h>

static void
the_first_error_stands(void **state)
{
	struct trl_ctx ctx = { 0 };

	(void)state;
	assert_int_equal(
	    trl_fail_field(&ctx, TRL_EXISTS, "slug", "%s is taken", "acme"),
	    TRL_EXISTS);
	assert_int_equal(trl_fail(&ctx, TRL_INTERNAL, "later"), TRL_INTERNAL);
	assert_int_equal(ctx.err.code, TRL_EXISTS);
	assert_string_equal(ctx.err.message, "acme is taken");
	assert_string_equal(ctx.err.field, "slug");
	assert_non_null(strstr(ctx.err.file, "test_err.c"));
	trl_err_clear(&ctx);
	assert_int_equal(ctx.err.code, TRL_OK);
	trl_fail(&ctx, TRL_BUSY, "full");
	trl_err_retry_after(&ctx, 250);
	assert_int_equal(ctx.err.code, TRL_BUSY);
	assert_string_equal(ctx.err.field, "");
	assert_int_equal(ctx.err.retry_after_ms, 250);
}

static void
folding_turns_conditions_alone_into_internal(void **state)
{
	struct trl_ctx ctx = { 0 };

	(void)state;
	assert_int_equal(trl_fold(&ctx, TRL_OK), TRL_OK);
	assert_int_equal(trl_fold(&ctx, TRL_UNCERTAIN), TRL_UNCERTAIN);
	assert_int_equal(
	    trl_fold(&ctx, trl_fail(&ctx, TRL_NOT_FOUND, "no account")), TRL_INTERNAL);
	assert_int_equal(ctx.err.code, TRL_INTERNAL);
	assert_string_equal(ctx.err.message, "unhandled NOT_FOUND: no account");
}

static void
violations_are_kept_up_to_their_limit(void **state)
{
	TRL_AUTO(trl_arena_free) trl_arena *arena = trl_arena_new(0);
	struct trl_ctx ctx = { .arena = arena };

	(void)state;
	for (int i = 0; i < 20; i++)
		trl_err_violation(&ctx, "/items/3", "is %d too many", i);
	assert_int_equal(ctx.err.n_violations, TRL_ERR_VIOLATIONS_MAX);
	assert_string_equal(ctx.err.violations[15].pointer, "/items/3");
	assert_string_equal(ctx.err.violations[15].detail, "is 15 too many");
}

static void
a_ctx_knows_its_permissions_time_and_trace(void **state)
{
	static const uint32_t ids[] = { 3, 7, 9, 4000000000u };
	struct trl_ctx ctx = { .now_us = 5 };
	struct trl_trace a = { 0 }, b = { 0 };

	(void)state;
	assert_false(trl_may(&ctx, 3));
	ctx.principal.permissions = ids;
	ctx.principal.n_permissions = TRL_COUNT(ids);
	for (size_t i = 0; i < TRL_COUNT(ids); i++) {
		assert_true(trl_may(&ctx, ids[i]));
		assert_false(trl_may(&ctx, ids[i] + 1));
	}
	assert_int_equal(trl_now(&ctx), 5);
	assert_int_equal(trl_time_left_ms(&ctx), 0);
	const uint64_t before = trl_mono_us();
	ctx.deadline_us = before + 60000000;
	const uint64_t left = trl_time_left_ms(&ctx);
	/* Exact but for what passed in between. */
	assert_in_range(left, 59999 - (trl_mono_us() - before) / 1000, 60000);
	trl_trace_new(&a);
	trl_trace_new(&b);
	assert_memory_not_equal(a.trace_id, b.trace_id, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_error_stands),
		cmocka_unit_test(folding_turns_conditions_alone_into_internal),
		cmocka_unit_test(violations_are_kept_up_to_their_limit),
		cmocka_unit_test(a_ctx_knows_its_permissions_time_and_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
