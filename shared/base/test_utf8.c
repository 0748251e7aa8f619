/* test_utf8.c - UTF-8 from outside: what is well formed, what is plain, cleaned, cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/compiler.h>
#include <trl/utf8.h>

static void
knows_well_formed_text(void **state)
{
	static const struct {
		const char *text;
		bool fine;
	} rows[] = { { "", true }, { "a\x7f", true }, { "\xc2\x80", true },
		{ "\xdf\xbf\xe0\xa0\x80", true }, { "\xef\xbf\xbf", true },
		{ "\xed\x9f\xbf\xee\x80\x80", true }, { "\xf0\x90\x80\x80", true },
		{ "\xf4\x8f\xbf\xbf", true }, { "\x80", false }, { "\xc1\xbf", false },
		{ "\xe0\x9f\xbf", false }, { "\xed\xa0\x80", false },
		{ "\xed\xbf\xbf", false }, { "\xf0\x8f\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false }, { "\xf8\x88\x80\x80\x80", false },
		{ "\xe2\x82", false }, { "\xe2\x28\xa1", false }, { "a\xff", false } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		if (trl_utf8_valid(rows[i].text, strlen(rows[i].text)) != rows[i].fine)
			fail_msg("row %zu", i);
}

/* Each character at each place of a long text, so that the eight bytes at a time and
 * the single ones see it. */
static void
tells_how_much_is_plain(void **state)
{
	static const struct {
		const char *in;
		bool plain;
	} rows[] = { { "~", true }, { "\t", true }, { " ", true }, { "\xc3\xa4", true },
		{ "\xf0\x9f\x98\x80", true }, { "\n", false }, { "\x1f", false },
		{ "\x7f", false }, { "\x1b", false }, { "\xe9", false },
		{ "\xed\xa0\x80", false } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		for (size_t at = 0; at < 20; at++) {
			const size_t n = strlen(rows[i].in);
			char text[32];

			memset(text, 'x', sizeof text);
			memcpy(text + at, rows[i].in, n);
			assert_int_equal(trl_utf8_plain(text, 20 + n, "\t"),
			    rows[i].plain ? 20 + n : at);
		}
	assert_int_equal(trl_utf8_plain("a\0b", 3, "\t"), 1);
}

static void
cleans_each_byte_that_is_not_plain(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = { { "", "" }, { "caf\xe9", "caf?" }, { "\xc3", "?" },
		{ "\xc3\xa4\xe2\x82", "\xc3\xa4??" },
		{ "a\r\n\tb\x1b[0m", "a??\tb?[0m" }, { "\xff\xfe tail", "?? tail" },
		{ "eight plain bytes, then \x80 and more",
		    "eight plain bytes, then ? and more" } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		char text[64];
		const size_t len = strlen(rows[i].in);

		memcpy(text, rows[i].in, len + 1);
		trl_utf8_clean(text, len, "\t");
		assert_string_equal(text, rows[i].out);
		assert_true(trl_utf8_plain(text, len, "\t") == len);
	}
}

static void
cuts_between_characters(void **state)
{
	static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
	static const size_t want[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10 };

	(void)state;
	for (size_t max = 0; max < TRL_COUNT(want); max++)
		assert_int_equal(trl_utf8_cut(text, sizeof text - 1, max), want[max]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_well_formed_text),
		cmocka_unit_test(tells_how_much_is_plain),
		cmocka_unit_test(cleans_each_byte_that_is_not_plain),
		cmocka_unit_test(cuts_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
