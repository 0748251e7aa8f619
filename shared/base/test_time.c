/* test_time.c - RFC 3339 both ways, as tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/clock.h>
#include <trl/compiler.h>

static void
reads_what_is_a_time(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01t00:00:00z", 0 },
		{ "1970-01-01T00:00:00.000001Z", 1 },
		{ "1969-12-31T23:59:59.999999Z", -1 },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "1969-12-31T18:30:00-05:30", 0 },
		{ "1970-01-01T00:00:00-00:00", 0 },
		{ "2000-02-29T12:00:00Z", 951825600000000 },
		{ "2026-11-23T22:45:00.5Z", 1795473900500000 },
		{ "2026-11-23T22:45:00.123456789Z", 1795473900123456 },
		{ "0001-01-01T00:00:00Z", -62135596800000000 },
		{ "9999-12-31T23:59:59.999999999Z", 253402300799999999 },
		{ "1990-12-31T23:59:60Z", 662688000000000 },
		{ "1990-12-31T15:59:60-08:00", 662688000000000 },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		int64_t us = 42;

		if (!trl_time_parse(rows[i].text, strlen(rows[i].text), &us) ||
		    us != rows[i].us)
			fail_msg("%s gives %lld", rows[i].text, (long long)us);
	}
}

static void
refuses_what_is_none(void **state)
{
	static const char *const rows[] = {
		"",
		"1970",
		"1970-01-01",
		"1970-01-01T00:00:00",
		"1970-01-01 00:00:00Z",
		"1970-01-01T00:00Z",
		"1970-1-01T00:00:00Z",
		"1970-13-01T00:00:00Z",
		"1970-00-01T00:00:00Z",
		"1970-01-00T00:00:00Z",
		"1970-01-32T00:00:00Z",
		"1971-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"1970-01-01T24:00:00Z",
		"1970-01-01T00:60:00Z",
		"1970-01-01T00:00:60Z",
		"1970-01-01T23:59:60Z",
		"1990-12-31T23:59:61Z",
		"1970-01-01T00:00:00.Z",
		"1970-01-01T00:00:00,5Z",
		"1970-01-01T00:00:00.1234567890Z",
		"1970-01-01T00:00:00+0100",
		"1970-01-01T00:00:00+24:00",
		"1970-01-01T00:00:00+01:60",
		"1970-01-01T00:00:00+01",
		"1970-01-01T00:00:00ZZ",
		"1970-01-01T00:00:00Z ",
		" 1970-01-01T00:00:00Z",
		"+970-01-01T00:00:00Z",
		"0000-01-01T00:00:00Z",
		"0001-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
		"10000-01-01T00:00:00Z",
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		int64_t us = 42;

		if (trl_time_parse(rows[i], strlen(rows[i]), &us))
			fail_msg("%s is taken as %lld", rows[i], (long long)us);
		assert_int_equal(us, 42);
	}
}

static void
a_nul_inside_is_no_time(void **state)
{
	int64_t us;

	(void)state;
	assert_false(trl_time_parse("1970-01-01T00:00:00\0", 20, &us));
	assert_false(trl_time_parse("1970-01-01\0"
				    "00:00:00Z",
	    20, &us));
}

static void
writes_as_many_decimals_as_needed(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 500000, "1970-01-01T00:00:00.500Z" },
		{ 1, "1970-01-01T00:00:00.000001Z" },
		{ -1, "1969-12-31T23:59:59.999999Z" },
		{ 951825600000000, "2000-02-29T12:00:00Z" },
		{ -62135596800000000, "0001-01-01T00:00:00Z" },
		{ 253402300799999999, "9999-12-31T23:59:59.999999Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999999Z" },
		{ INT64_MIN, "0001-01-01T00:00:00Z" },
	};
	char text[TRL_TIME_TEXT];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		trl_time_format(rows[i].us, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void
what_is_written_reads_back(void **state)
{
	char text[TRL_TIME_TEXT];
	int64_t back;

	(void)state;
	for (int64_t us = -62135596800000000; us < 253402300799999999;
	     us += 1234567890123457) {
		trl_time_format(us, text);
		assert_true(trl_time_parse(text, strlen(text), &back));
		assert_true(back == us);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_is_a_time),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(a_nul_inside_is_no_time),
		cmocka_unit_test(writes_as_many_decimals_as_needed),
		cmocka_unit_test(what_is_written_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
