/* Preconditions: lists, weak tags, dates in three forms, and which of them counts where
 * several were sent (RFC 9110, 13.2.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <trl/compiler.h>

#include "content/condition.h"

#define ETAG "\"e3b0c44298fc\""
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define THEN "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

enum { MODIFIED = 784111777 }; /* THEN */

struct row {
	struct content_conditions asked;
	enum content_verdict wanted;
};

#define CHECK_ALL(rows)                                                                \
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {                                 \
		const enum content_verdict found =                                     \
		    content_judge(&(rows)[i].asked, ETAG, MODIFIED);                   \
		if (found != (rows)[i].wanted)                                         \
			fail_msg("row %zu: %d", i, (int)found);                        \
	}

static void
if_match_compares_strongly(void **state)
{
	static const struct row rows[] = {
		{ { .if_match = ETAG }, CONTENT_GIVEN },
		{ { .if_match = "*" }, CONTENT_GIVEN },
		{ { .if_match = "\"a\", " ETAG ",\"b\"" }, CONTENT_GIVEN },
		{ { .if_match = "\"a,b\" , " ETAG }, CONTENT_GIVEN },
		{ { .if_match = "W/" ETAG }, CONTENT_OTHER },
		{ { .if_match = "\"a\"" }, CONTENT_OTHER },
		{ { .if_match = "" }, CONTENT_OTHER },
		{ { .if_match = "e3b0c44298fc" }, CONTENT_OTHER },
		{ { .if_match = "\"a\" " ETAG }, CONTENT_OTHER },
	};

	(void)state;
	CHECK_ALL(rows);
}

/* R8: equal, any, in a list, weakly. */
static void
if_none_match_compares_weakly(void **state)
{
	static const struct row rows[] = {
		{ { .if_none_match = ETAG }, CONTENT_NOT_MODIFIED },
		{ { .if_none_match = "*" }, CONTENT_NOT_MODIFIED },
		{ { .if_none_match = "\"a\",W/\"b\"," ETAG }, CONTENT_NOT_MODIFIED },
		{ { .if_none_match = "W/" ETAG }, CONTENT_NOT_MODIFIED },
		{ { .if_none_match = ", ," ETAG " ," }, CONTENT_NOT_MODIFIED },
		{ { .if_none_match = "\"a\"" }, CONTENT_GIVEN },
		{ { .if_none_match = "w/" ETAG }, CONTENT_GIVEN },
		{ { .if_none_match = "\"unclosed" }, CONTENT_GIVEN },
	};

	(void)state;
	CHECK_ALL(rows);
}

static void
dates_count_where_there_is_no_tag(void **state)
{
	static const struct row rows[] = {
		{ { .if_unmodified_since = BEFORE }, CONTENT_OTHER },
		{ { .if_unmodified_since = THEN }, CONTENT_GIVEN },
		{ { .if_unmodified_since = AFTER }, CONTENT_GIVEN },
		{ { .if_unmodified_since = "yesterday" }, CONTENT_GIVEN },
		{ { .if_modified_since = BEFORE }, CONTENT_GIVEN },
		{ { .if_modified_since = THEN }, CONTENT_NOT_MODIFIED },
		{ { .if_modified_since = AFTER }, CONTENT_NOT_MODIFIED },
		{ { .if_modified_since = "yesterday" }, CONTENT_GIVEN },
		{ { .if_match = ETAG, .if_unmodified_since = BEFORE }, CONTENT_GIVEN },
		{ { .if_none_match = "\"a\"", .if_modified_since = AFTER },
		    CONTENT_GIVEN },
		{ { .if_none_match = ETAG, .if_modified_since = BEFORE },
		    CONTENT_NOT_MODIFIED },
	};

	(void)state;
	CHECK_ALL(rows);
}

static void
what_comes_first_decides(void **state)
{
	static const struct row rows[] = {
		{ { .if_match = "\"a\"", .if_none_match = ETAG }, CONTENT_OTHER },
		{ { .if_unmodified_since = BEFORE, .if_none_match = ETAG },
		    CONTENT_OTHER },
		{ { .if_match = ETAG, .if_none_match = ETAG }, CONTENT_NOT_MODIFIED },
		/* 304 before 206, also where If-Range would not hold. */
		{ { .if_none_match = ETAG, .if_range = "\"a\"" },
		    CONTENT_NOT_MODIFIED },
		{ { .if_match = ETAG, .if_range = "\"a\"" }, CONTENT_GIVEN_WHOLE },
	};

	(void)state;
	CHECK_ALL(rows);
}

static void
if_range_needs_the_very_same(void **state)
{
	static const struct row rows[] = {
		{ { .if_range = ETAG }, CONTENT_GIVEN },
		{ { .if_range = THEN }, CONTENT_GIVEN },
		{ { .if_range = "Sunday, 06-Nov-94 08:49:37 GMT" }, CONTENT_GIVEN },
		{ { .if_range = "W/" ETAG }, CONTENT_GIVEN_WHOLE },
		{ { .if_range = "\"a\"" }, CONTENT_GIVEN_WHOLE },
		{ { .if_range = "\"a\", " ETAG }, CONTENT_GIVEN_WHOLE },
		{ { .if_range = "*" }, CONTENT_GIVEN_WHOLE },
		{ { .if_range = "" }, CONTENT_GIVEN_WHOLE },
		{ { .if_range = BEFORE }, CONTENT_GIVEN_WHOLE },
		{ { .if_range = AFTER }, CONTENT_GIVEN_WHOLE },
	};

	(void)state;
	CHECK_ALL(rows);
}

/* One of them begins as a weak tag does. */
static void
if_range_knows_each_day_of_the_week(void **state)
{
	static const char *const days[] = { "Sun, 06", "Mon, 07", "Tue, 08", "Wed, 09",
		"Thu, 10", "Fri, 11", "Sat, 12" };

	(void)state;
	for (int i = 0; i < (int)TRL_COUNT(days); i++) {
		struct content_conditions asked = { 0 };
		char date[40];

		(void)snprintf(date, sizeof date, "%s Nov 1994 08:49:37 GMT", days[i]);
		asked.if_range = date;
		assert_int_equal(
		    content_judge(&asked, ETAG, MODIFIED + i * 86400), CONTENT_GIVEN);
		assert_int_equal(content_judge(&asked, ETAG, MODIFIED + i * 86400 + 1),
		    CONTENT_GIVEN_WHOLE);
	}
}

static void
dates_have_three_forms(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} rows[] = {
		{ THEN, MODIFIED },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", MODIFIED },
		{ "Sun Nov  6 08:49:37 1994", MODIFIED },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Thu, 29 Feb 2024 23:59:60 GMT", 1709251200 },
		{ "Wednesday, 01-Jan-69 00:00:00 GMT", 3124224000 },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
	};
	static const char *const wrong[] = { "", "0", "now", "Sun, 06 Nov 1994",
		"Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 29 Feb 2023 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
		"Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT",
		"1994-11-06T08:49:37Z", "Sun Nov  6 08:49:37 1994 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		int64_t seconds = -1;

		if (!content_date_read(rows[i].text, &seconds) ||
		    seconds != rows[i].seconds)
			fail_msg("%s: %lld", rows[i].text, (long long)seconds);
	}
	for (size_t i = 0; i < TRL_COUNT(wrong); i++) {
		int64_t seconds;

		if (content_date_read(wrong[i], &seconds))
			fail_msg("%s is no date", wrong[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(if_match_compares_strongly),
		cmocka_unit_test(if_none_match_compares_weakly),
		cmocka_unit_test(dates_count_where_there_is_no_tag),
		cmocka_unit_test(what_comes_first_decides),
		cmocka_unit_test(if_range_needs_the_very_same),
		cmocka_unit_test(if_range_knows_each_day_of_the_week),
		cmocka_unit_test(dates_have_three_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
