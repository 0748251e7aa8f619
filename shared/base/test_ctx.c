/* What is done between a write's end and its answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/ctx.h>

struct trail {
	char text[16];
};

static void
first(trl_ctx *ctx, void *arg)
{
	assert_int_equal(ctx->err.code, TRL_OK);
	strcat(((struct trail *)arg)->text, "1");
	trl_fail(ctx, TRL_UNAVAILABLE, "Redis is away");
}

static void
second(trl_ctx *ctx, void *arg)
{
	assert_int_equal(ctx->err.code, TRL_OK);
	strcat(((struct trail *)arg)->text, "2");
}

static void
what_follows_a_write_runs_unless_it_was_refused(void **state)
{
	static const struct {
		enum trl_code rc;
		const char *want;
	} rows[] = {
		{ TRL_OK, "12" },
		{ TRL_UNCERTAIN, "12" },
		{ TRL_NOT_FOUND, "" },
		{ TRL_CONFLICT, "" },
		{ TRL_BUSY, "" },
		{ TRL_DEADLINE, "" },
	};
	trl_arena *arena = trl_arena_new(65536);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct trail trail = { "" };
		trl_ctx ctx = { .arena = arena };

		trl_after_write(&ctx, first, &trail);
		trl_after_write(&ctx, second, &trail);
		if (rows[i].rc != TRL_OK)
			trl_fail(&ctx, rows[i].rc, "the write's own");
		trl_write_ended(&ctx, rows[i].rc);
		assert_string_equal(trail.text, rows[i].want);
		/* Once, and the message's error is what it was. */
		trl_write_ended(&ctx, TRL_OK);
		assert_string_equal(trail.text, rows[i].want);
		assert_int_equal(ctx.err.code, rows[i].rc);
	}
	trl_arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_follows_a_write_runs_unless_it_was_refused),
	};
	return cmocka_run_group_tests_name("ctx", tests, NULL, NULL);
}
