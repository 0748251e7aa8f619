/* Times by the clock: what a spec means, and what the clock's jumps do to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/clock.h>
#include <trl/compiler.h>

#include "cron.h"
#include "test_times.h"

struct row {
	const char *spec, *zone, *after, *want[4];
};

static void
check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		trl_zone *zone = test_zone(rows[i].zone);
		struct cron_spec spec;
		const char *why = cron_parse(rows[i].spec, &spec);
		int64_t at = test_instant(rows[i].after);

		if (why)
			fail_msg("%s: %s", rows[i].spec, why);
		for (size_t j = 0; j < 4 && rows[i].want[j]; j++) {
			char got[TRL_TIME_TEXT];

			assert_true(cron_next(&spec, zone, at, &at));
			trl_time_format(at * 1000000, got);
			if (strcmp(got, rows[i].want[j]) != 0)
				fail_msg("%s in %s, %zu. after %s: %s and not %s",
				    rows[i].spec, rows[i].zone ? rows[i].zone : "UTC",
				    j + 1, rows[i].after, got, rows[i].want[j]);
		}
		trl_zone_close(&zone);
	}
}

static void
fields_mean_what_cron_says(void **state)
{
	static const struct row rows[] = {
		{ "* * * * *", NULL, "2026-01-31T23:59:30Z",
		    { "2026-02-01T00:00:00Z", "2026-02-01T00:01:00Z" } },
		{ "0 3 * * mon-fri", NULL, "2026-11-27T04:00:00Z",
		    { "2026-11-30T03:00:00Z", "2026-12-01T03:00:00Z" } },
		{ "*/20 8-9 * * *", NULL, "2026-03-01T08:30:00Z",
		    { "2026-03-01T08:40:00Z", "2026-03-01T09:00:00Z",
			"2026-03-01T09:20:00Z", "2026-03-01T09:40:00Z" } },
		{ "5,50 0 1 jan,JUL *", NULL, "2026-02-01T00:00:00Z",
		    { "2026-07-01T00:05:00Z", "2026-07-01T00:50:00Z",
			"2027-01-01T00:05:00Z" } },
		{ "0 0 * * 7", NULL, "2026-11-24T00:00:00Z",
		    { "2026-11-29T00:00:00Z", "2026-12-06T00:00:00Z" } },
		/* Day and weekday: either does. */
		{ "0 0 13 * fri", NULL, "2026-11-01T00:00:00Z",
		    { "2026-11-06T00:00:00Z", "2026-11-13T00:00:00Z",
			"2026-11-20T00:00:00Z" } },
		{ "10-59/15 * * * *", NULL, "2026-01-01T00:00:00Z",
		    { "2026-01-01T00:10:00Z", "2026-01-01T00:25:00Z",
			"2026-01-01T00:40:00Z", "2026-01-01T00:55:00Z" } },
	};

	(void)state;
	check(rows, TRL_COUNT(rows));
}

static void
rare_days_are_found(void **state)
{
	static const struct row rows[] = {
		{ "0 12 29 2 *", NULL, "2024-03-01T00:00:00Z",
		    { "2028-02-29T12:00:00Z", "2032-02-29T12:00:00Z" } },
		/* 2100 is no leap year. */
		{ "0 12 29 2 *", NULL, "2096-03-01T00:00:00Z",
		    { "2104-02-29T12:00:00Z" } },
		{ "0 0 31 * *", NULL, "2026-01-31T00:00:00Z",
		    { "2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z" } },
		{ "0 0 l * *", NULL, "2028-01-31T12:00:00Z",
		    { "2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z",
			"2028-04-30T00:00:00Z" } },
		{ "30 23 31 12 *", "Asia/Kolkata", "2026-01-01T00:00:00Z",
		    { "2026-12-31T18:00:00Z" } },
	};

	(void)state;
	check(rows, TRL_COUNT(rows));
}

static void
a_skipped_time_comes_once_at_the_jump_and_a_repeated_one_once(void **state)
{
	static const struct row rows[] = {
		/* Berlin jumps from 02:00 to 03:00 at 01:00Z on 29 March 2026. */
		{ "30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z",
		    { "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z",
			"2026-03-30T00:30:00Z" } },
		{ "0,30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z",
		    { "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z",
			"2026-03-30T00:00:00Z" } },
		/* ... and back from 03:00 to 02:00 at 01:00Z on 25 October. */
		{ "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
		    { "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z" } },
		{ "30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z",
		    { "2026-10-26T01:30:00Z" } },
		/* New York: 07:00Z on 8 March, 06:00Z on 1 November. */
		{ "15 2 * * *", "America/New_York", "2026-03-08T00:00:00Z",
		    { "2026-03-08T07:00:00Z", "2026-03-09T06:15:00Z" } },
		{ "15 1 * * *", "America/New_York", "2026-11-01T00:00:00Z",
		    { "2026-11-01T05:15:00Z", "2026-11-02T06:15:00Z" } },
		/* The other half of the world: Sydney, 4 October and 5 April. */
		{ "30 2 * * *", "Australia/Sydney", "2026-10-03T00:00:00Z",
		    { "2026-10-03T16:00:00Z", "2026-10-04T15:30:00Z" } },
		/* Half an hour: Lord Howe, 02:00 to 02:30. */
		{ "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z",
		    { "2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z" } },
	};

	(void)state;
	check(rows, TRL_COUNT(rows));
}

static void
every_hour_means_every_real_hour(void **state)
{
	static const struct row rows[] = {
		{ "30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z",
		    { "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z",
			"2026-10-25T02:30:00Z" } },
		{ "30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z",
		    { "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z" } },
		{ "0 * * * sun", "America/New_York", "2026-11-01T03:30:00Z",
		    { "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z",
			"2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z" } },
	};

	(void)state;
	check(rows, TRL_COUNT(rows));
}

static void
behind_the_last_transition_the_rule_holds(void **state)
{
	static const struct row rows[] = {
		{ "0 12 1 7 *", "Europe/Berlin", "2060-01-01T00:00:00Z",
		    { "2060-07-01T10:00:00Z" } },
		{ "0 12 1 1 *", "Europe/Berlin", "2060-02-01T00:00:00Z",
		    { "2061-01-01T11:00:00Z" } },
		{ "30 2 * * *", "Europe/Berlin", "2060-03-27T02:00:00Z",
		    { "2060-03-28T01:00:00Z", "2060-03-29T00:30:00Z" } },
		{ "0 12 1 1 *", "Australia/Sydney", "2060-02-01T00:00:00Z",
		    { "2061-01-01T01:00:00Z" } },
		{ "0 12 1 7 *", "America/New_York", "2060-01-01T00:00:00Z",
		    { "2060-07-01T16:00:00Z" } },
	};

	(void)state;
	check(rows, TRL_COUNT(rows));
}

static void
what_is_no_spec_is_refused_with_a_reason(void **state)
{
	static const char *const wrong[] = { "", "* * * *", "* * * * * *", "60 * * * *",
		"* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 * ", "* * * * 8",
		"*/0 * * * *", "5-1 * * * *", "a * * * *", "1, * * * *", "-1 * * * *",
		"1-2-3 * * * *", "* * * foo *", "0 0 30 2 *", "0 0 31 4,6,9,11 *",
		"99999999999999999999 * * * *", "*/1/1 * * * *", "@daily" };
	char longer[400];
	struct cron_spec spec;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wrong); i++)
		if (!cron_parse(wrong[i], &spec))
			fail_msg("\"%s\" was taken", wrong[i]);
	memset(longer, '1', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	assert_non_null(cron_parse(longer, &spec));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_mean_what_cron_says),
		cmocka_unit_test(rare_days_are_found),
		cmocka_unit_test(
		    a_skipped_time_comes_once_at_the_jump_and_a_repeated_one_once),
		cmocka_unit_test(every_hour_means_every_real_hour),
		cmocka_unit_test(behind_the_last_transition_the_rule_holds),
		cmocka_unit_test(what_is_no_spec_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
