/* Dates, zones and periods: their files, their jumps, their months. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/calendar.h>
#include <trl/compiler.h>

#include "test_times.h"

static void
what_is_no_zone_is_refused(void **state)
{
	static const char *const wrong[] = { "", "/etc/passwd", "../../../etc/passwd",
		"Europe/../Europe/Berlin", "Nowhere/Land", "zone.tab", "Europe", "a b",
		"right/Europe/Berlin" };
	trl_zone *zone = NULL;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wrong); i++)
		if (!trl_zone_open(wrong[i], &zone))
			fail_msg("\"%s\" was taken", wrong[i]);
	assert_null(zone);
}

/* Each byte of a real file is cut off and changed; nothing is read past the end. */
static void
a_broken_file_is_refused_or_read_within_its_bytes(void **state)
{
	FILE *file = fopen("/usr/share/zoneinfo/America/New_York", "rb");
	uint8_t data[8192];
	size_t len, taken = 0;
	trl_zone *zone;

	(void)state;
	assert_non_null(file);
	len = fread(data, 1, sizeof data, file);
	fclose(file);
	for (size_t n = 0; n < len; n++) {
		uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, data, n);
		zone = NULL;
		assert_non_null(trl_zone_read(copy, n, &zone));
		free(copy);
	}
	for (size_t i = 0; i < len; i++) {
		uint8_t *copy = malloc(len);

		memcpy(copy, data, len);
		copy[i] ^= 0x81;
		zone = NULL;
		if (!trl_zone_read(copy, len, &zone)) {
			taken++;
			for (int64_t at = -4000000000; at < 8000000000; at += 400000000)
				trl_zone_instant(zone, at + trl_zone_offset(zone, at),
				    TRL_SKIPPED_AT_JUMP);
		}
		trl_zone_close(&zone);
		free(copy);
	}
	assert_in_range(taken, 1, len);
}

static void
dates_go_there_and_back(void **state)
{
	(void)state;
	for (int64_t days = -800000; days < 800000; days += 13) {
		unsigned month, day;
		int64_t year;

		trl_date_of(days, &year, &month, &day);
		assert_in_range(month, 1, 12);
		assert_in_range(day, 1, trl_month_days(year, month));
		assert_int_equal(trl_days_of(year, month, day), days);
	}
	assert_int_equal(trl_days_of(2026, 11, 24), 20781);
}

static void
a_skipped_local_time_moves_on_and_a_double_one_is_the_first(void **state)
{
	trl_zone *zone = test_zone("America/New_York");

	(void)state;
	assert_int_equal(trl_zone_instant(zone, test_instant("2026-11-01T01:30:00Z"),
			     TRL_SKIPPED_MOVES_ON),
	    test_instant("2026-11-01T05:30:00Z"));
	assert_int_equal(trl_zone_instant(zone, test_instant("2026-03-08T02:30:00Z"),
			     TRL_SKIPPED_MOVES_ON),
	    test_instant("2026-03-08T07:30:00Z"));
	assert_int_equal(trl_zone_instant(zone, test_instant("2026-03-08T02:30:00Z"),
			     TRL_SKIPPED_AT_JUMP),
	    test_instant("2026-03-08T07:00:00Z"));
	trl_zone_close(&zone);
}

/* Each row: the starts of the periods 1, 2, ... of an anchor. */
static void
boundaries_come_from_the_anchor(void **state)
{
	static const struct {
		const char *zone, *anchor;
		enum trl_interval interval;
		unsigned count;
		const char *starts[14];
	} rows[] = {
		{ NULL, "2026-01-31T00:00:00Z", TRL_MONTH, 1,
		    { "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z",
			"2026-04-30T00:00:00Z", "2026-05-31T00:00:00Z",
			"2026-06-30T00:00:00Z", "2026-07-31T00:00:00Z",
			"2026-08-31T00:00:00Z", "2026-09-30T00:00:00Z",
			"2026-10-31T00:00:00Z", "2026-11-30T00:00:00Z",
			"2026-12-31T00:00:00Z", "2027-01-31T00:00:00Z",
			"2027-02-28T00:00:00Z" } },
		{ NULL, "2024-01-30T00:00:00Z", TRL_MONTH, 1,
		    { "2024-02-29T00:00:00Z", "2024-03-30T00:00:00Z" } },
		{ NULL, "2024-02-29T00:00:00Z", TRL_YEAR, 1,
		    { "2025-02-28T00:00:00Z", "2026-02-28T00:00:00Z",
			"2027-02-28T00:00:00Z", "2028-02-29T00:00:00Z" } },
		{ NULL, "2025-01-29T00:00:00Z", TRL_MONTH, 1,
		    { "2025-02-28T00:00:00Z", "2025-03-29T00:00:00Z" } },
		{ NULL, "2025-11-30T00:00:00Z", TRL_MONTH, 3,
		    { "2026-02-28T00:00:00Z", "2026-05-30T00:00:00Z" } },
		{ "Pacific/Kiritimati", "2026-01-31T10:00:00Z", TRL_MONTH, 1,
		    { "2026-02-28T10:00:00Z", "2026-03-31T10:00:00Z" } },
		{ "Europe/Vienna", "2026-03-20T09:00:00Z", TRL_DAY, 14,
		    { "2026-04-03T08:00:00Z" } },
		{ "America/New_York", "2026-03-01T05:00:00Z", TRL_MONTH, 1,
		    { "2026-04-01T04:00:00Z" } },
		{ "America/New_York", "2026-02-08T07:30:00Z", TRL_MONTH, 1,
		    { "2026-03-08T07:30:00Z", "2026-04-08T06:30:00Z" } },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		trl_zone *zone = test_zone(rows[i].zone);
		int64_t anchor = test_instant(rows[i].anchor), at, k;

		for (size_t n = 0; rows[i].starts[n]; n++) {
			assert_true(trl_period_start(zone, anchor, rows[i].interval,
			    rows[i].count, (int64_t)n + 1, &at));
			if (at != test_instant(rows[i].starts[n]))
				fail_msg("%s, period %zu: %s expected, %+lld s off",
				    rows[i].anchor, n + 1, rows[i].starts[n],
				    (long long)(at - test_instant(rows[i].starts[n])));
			assert_true(trl_period_at(
			    zone, anchor, rows[i].interval, rows[i].count, at, &k));
			assert_int_equal(k, n + 1);
			assert_true(trl_period_at(
			    zone, anchor, rows[i].interval, rows[i].count, at - 1, &k));
			assert_int_equal(k, n);
		}
		trl_zone_close(&zone);
	}
}

static uint64_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 16;
}

static void
periods_tile_in_every_zone(void **state)
{
	static const char *const zones[] = { "UTC", "Europe/Vienna", "America/New_York",
		"Pacific/Kiritimati", "Pacific/Apia", "Australia/Lord_Howe",
		"Asia/Kathmandu", "Africa/Casablanca", "America/St_Johns",
		"Antarctica/Troll" };
	uint64_t seed = 20260101;

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		trl_zone *zone = test_zone(zones[i % TRL_COUNT(zones)]);
		int64_t anchor = (int64_t)(next_random(&seed) % 4102444800), now, next,
			k = 0;
		enum trl_interval interval = TRL_WEEK + next_random(&seed) % 3;
		unsigned count = 1 + (unsigned)(next_random(&seed) % 12);

		for (; k < 6; k++) {
			int64_t found;

			assert_true(
			    trl_period_start(zone, anchor, interval, count, k, &now));
			assert_true(trl_period_start(
			    zone, anchor, interval, count, k + 1, &next));
			if (next <= now)
				fail_msg("%s, anchor %lld: period %lld is empty",
				    zones[i % TRL_COUNT(zones)], (long long)anchor,
				    (long long)k);
			assert_true(trl_period_at(
			    zone, anchor, interval, count, next - 1, &found));
			assert_int_equal(found, k);
		}
		trl_zone_close(&zone);
	}
}

static void
beyond_the_calendar_there_is_no_period(void **state)
{
	int64_t at;

	(void)state;
	assert_false(trl_period_start(NULL, 0, TRL_YEAR, 1, 8030, &at));
	assert_true(trl_period_start(NULL, 0, TRL_YEAR, 1, 8029, &at));
	assert_false(trl_period_start(NULL, 0, TRL_YEAR, 1000, INT64_MAX, &at));
	assert_false(trl_period_start(NULL, 0, TRL_DAY, 1, INT64_MIN, &at));
	assert_false(trl_period_start(NULL, INT64_MAX, TRL_MONTH, 1, 1, &at));
	assert_false(trl_period_start(NULL, INT64_MIN, TRL_MONTH, 1, 1, &at));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_zone_is_refused),
		cmocka_unit_test(a_broken_file_is_refused_or_read_within_its_bytes),
		cmocka_unit_test(dates_go_there_and_back),
		cmocka_unit_test(
		    a_skipped_local_time_moves_on_and_a_double_one_is_the_first),
		cmocka_unit_test(boundaries_come_from_the_anchor),
		cmocka_unit_test(periods_tile_in_every_zone),
		cmocka_unit_test(beyond_the_calendar_there_is_no_period),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
