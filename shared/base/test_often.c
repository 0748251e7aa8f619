/* test_often.c - which lines are written, and which are left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "often.h"

static const struct often_kind busy = { .service = "media", .code = TRL_BUSY };
static uint64_t left_out;

static unsigned
written(const struct often_kind *kind, uint64_t now_us, unsigned n)
{
	unsigned may = 0;

	while (n--)
		may += often_may(kind, now_us, &left_out);
	return may;
}

static void
the_next_window_says_how_many_were_left_out(void **state)
{
	(void)state;
	often_forget();
	assert_int_equal(written(&busy, 5, OFTEN_LINES + 7), OFTEN_LINES);
	assert_int_equal(left_out, 0);
	assert_int_equal(written(&busy, 4 + OFTEN_WINDOW_US, 1), 0);
	assert_int_equal(often_left_out(), 8);
	assert_int_equal(written(&busy, 5 + OFTEN_WINDOW_US, 1), 1);
	assert_int_equal(left_out, 8);
	assert_int_equal(written(&busy, 5 + OFTEN_WINDOW_US, 1), 1);
	assert_int_equal(left_out, 0);
}

static void
one_kind_does_not_hide_another(void **state)
{
	const struct often_kind others[] = {
		{ .service = "media", .code = TRL_DEADLINE },
		{ .service = "auth", .code = TRL_BUSY },
		{ .service = "media", .code = TRL_BUSY, .line = 1 },
		{ .service = "media", .code = TRL_BUSY, .file = "a.c" },
		{ .service = "media", .code = TRL_BUSY, .method = &left_out },
	};

	(void)state;
	often_forget();
	assert_int_equal(written(&busy, 0, 1000), OFTEN_LINES);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_int_equal(written(&others[i], 0, 1000), OFTEN_LINES);
}

static void
the_oldest_makes_room_where_there_are_too_many_kinds(void **state)
{
	(void)state;
	often_forget();
	for (int i = 0; i <= OFTEN_KINDS; i++) {
		const struct often_kind kind = { .line = i, .code = TRL_BUSY };

		assert_int_equal(written(&kind, (uint64_t)i, 20), OFTEN_LINES);
	}
	for (int i = 1; i <= OFTEN_KINDS; i++) {
		const struct often_kind kind = { .line = i, .code = TRL_BUSY };

		assert_int_equal(written(&kind, OFTEN_KINDS, 1), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_window_says_how_many_were_left_out),
		cmocka_unit_test(one_kind_does_not_hide_another),
		cmocka_unit_test(the_oldest_makes_room_where_there_are_too_many_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
