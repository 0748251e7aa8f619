/* Byte ranges: what is asked for, what is malformed, and what would be more than the
 * whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <trl/buf.h>
#include <trl/compiler.h>

#include "content/range.h"

enum { THOUSANDS = 4000 };

struct row {
	const char *text;
	uint64_t size;
	enum content_range wanted;
	size_t n;
	struct content_span spans[CONTENT_SPANS_MAX];
};

static void
check(const struct row *row)
{
	struct content_span spans[CONTENT_SPANS_MAX];
	size_t n = 99;
	const enum content_range found =
	    content_range_read(row->text, row->size, spans, &n);

	if (found != row->wanted)
		fail_msg("%s of %llu: %d, not %d", row->text,
		    (unsigned long long)row->size, (int)found, (int)row->wanted);
	if (found != CONTENT_SPANS)
		return;
	assert_int_equal(n, row->n);
	for (size_t i = 0; i < n; i++)
		if (spans[i].first != row->spans[i].first ||
		    spans[i].last != row->spans[i].last)
			fail_msg("%s: span %zu is %llu-%llu", row->text, i,
			    (unsigned long long)spans[i].first,
			    (unsigned long long)spans[i].last);
}

#define CHECK_ALL(rows)                                                                \
	for (size_t i = 0; i < TRL_COUNT(rows); i++)                                   \
	check(&(rows)[i])

static void
one_range_is_given(void **state)
{
	static const struct row rows[] = {
		{ "bytes=0-0", 10, CONTENT_SPANS, 1, { { 0, 0 } } },
		{ "bytes=0-9", 10, CONTENT_SPANS, 1, { { 0, 9 } } },
		{ "bytes=0-", 10, CONTENT_SPANS, 1, { { 0, 9 } } },
		{ "bytes=9-", 10, CONTENT_SPANS, 1, { { 9, 9 } } },
		{ "bytes=5-100", 10, CONTENT_SPANS, 1, { { 5, 9 } } },
		{ "bytes=-5", 10, CONTENT_SPANS, 1, { { 5, 9 } } },
		{ "bytes=-10", 10, CONTENT_SPANS, 1, { { 0, 9 } } },
		{ "bytes=-11", 10, CONTENT_SPANS, 1, { { 0, 9 } } },
		{ "BYTES=1-2", 10, CONTENT_SPANS, 1, { { 1, 2 } } },
		{ "bytes=1-2 ", 10, CONTENT_SPANS, 1, { { 1, 2 } } },
		{ "bytes=,,1-2, ,", 10, CONTENT_SPANS, 1, { { 1, 2 } } },
		{ "bytes=0001-0002", 10, CONTENT_SPANS, 1, { { 1, 2 } } },
		{ "bytes=-99999999999999999999999999", 10, CONTENT_SPANS, 1,
		    { { 0, 9 } } },
		{ "bytes=3-99999999999999999999999999", 10, CONTENT_SPANS, 1,
		    { { 3, 9 } } },
		{ "bytes=0-18446744073709551615", 10, CONTENT_SPANS, 1, { { 0, 9 } } },
	};

	(void)state;
	CHECK_ALL(rows);
}

/* Q8: 32 bits would be too few. */
static void
numbers_have_sixty_four_bits(void **state)
{
	static const struct row rows[] = {
		{ "bytes=4294967295-4294967296", 4294967297, CONTENT_SPANS, 1,
		    { { 4294967295, 4294967296 } } },
		{ "bytes=4294967295-4294967296", 4294967296, CONTENT_SPANS, 1,
		    { { 4294967295, 4294967295 } } },
		{ "bytes=4294967295-4294967296", 4294967295, CONTENT_NONE, 0,
		    { { 0 } } },
		{ "bytes=-4294967297", 5000000000, CONTENT_SPANS, 1,
		    { { 705032703, 4999999999 } } },
		{ "bytes=18446744073709551614-18446744073709551615", UINT64_MAX,
		    CONTENT_SPANS, 1, { { UINT64_MAX - 1, UINT64_MAX - 1 } } },
	};

	(void)state;
	CHECK_ALL(rows);
}

static void
what_is_malformed_counts_for_nothing(void **state)
{
	static const char *const texts[] = { NULL, "", "bytes", "bytes=", "bytes=,",
		"bytes=-", "bytes=--5", "bytes=-0x5", "bytes=a-b", "bytes=5",
		"bytes=9-5", "bytes=0-0,9-5", "bytes=0 -0", "bytes=0- 0",
		"bytes=0-0 1-1", "bytes=0-0;1-1", "bytes=+0-0", "items=0-0", "byte=0-0",
		"bytes:0-0", "bytes =0-0", "bytes=0-0,x", "bytes=0-0-", "bytes=1.5-2",
		"bytes=0-+5", "bytes=99999999999999999999-5" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(texts); i++)
		check(&(const struct row){
		    .text = texts[i], .size = 10, .wanted = CONTENT_WHOLE });
}

static void
what_is_not_there_is_none(void **state)
{
	static const struct row rows[] = {
		{ "bytes=10-", 10, CONTENT_NONE, 0, { { 0 } } },
		{ "bytes=10-12", 10, CONTENT_NONE, 0, { { 0 } } },
		{ "bytes=-0", 10, CONTENT_NONE, 0, { { 0 } } },
		{ "bytes=10-,11-12,-0", 10, CONTENT_NONE, 0, { { 0 } } },
		{ "bytes=18446744073709551615-", 10, CONTENT_NONE, 0, { { 0 } } },
		{ "bytes=99999999999999999999-", 10, CONTENT_NONE, 0, { { 0 } } },
		{ "bytes=0-0", 0, CONTENT_NONE, 0, { { 0 } } },
		{ "bytes=0-", 0, CONTENT_NONE, 0, { { 0 } } },
		/* Beside others it is left out. */
		{ "bytes=10-,3-4", 10, CONTENT_SPANS, 1, { { 3, 4 } } },
		/* The last bytes of nothing are all of it (14.1.2). */
		{ "bytes=-5", 0, CONTENT_WHOLE, 0, { { 0 } } },
		{ "bytes=0-0,-5", 0, CONTENT_WHOLE, 0, { { 0 } } },
	};

	(void)state;
	CHECK_ALL(rows);
}

static void
several_are_given_as_long_as_they_are_not_more_than_the_whole(void **state)
{
	static const struct row rows[] = {
		{ "bytes=0-0,9-9", 10, CONTENT_SPANS, 2, { { 0, 0 }, { 9, 9 } } },
		{ "bytes=0-0 , 9-9", 10, CONTENT_SPANS, 2, { { 0, 0 }, { 9, 9 } } },
		{ "bytes=9-9,0-0", 10, CONTENT_SPANS, 2, { { 9, 9 }, { 0, 0 } } },
		{ "bytes=0-4,5-9", 10, CONTENT_SPANS, 2, { { 0, 4 }, { 5, 9 } } },
		{ "bytes=0-4,4-9", 10, CONTENT_WHOLE, 0, { { 0 } } },
		{ "bytes=0-,0-", 10, CONTENT_WHOLE, 0, { { 0 } } },
		{ "bytes=-1,-1,-1", 10, CONTENT_SPANS, 3,
		    { { 9, 9 }, { 9, 9 }, { 9, 9 } } },
		{ "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,"
		  "24-24,26-26,28-28,30-30",
		    100, CONTENT_SPANS, 16,
		    { { 0, 0 }, { 2, 2 }, { 4, 4 }, { 6, 6 }, { 8, 8 }, { 10, 10 },
			{ 12, 12 }, { 14, 14 }, { 16, 16 }, { 18, 18 }, { 20, 20 },
			{ 22, 22 }, { 24, 24 }, { 26, 26 }, { 28, 28 }, { 30, 30 } } },
		{ "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,"
		  "24-24,26-26,28-28,30-30,32-32",
		    100, CONTENT_WHOLE, 0, { { 0 } } },
	};

	(void)state;
	CHECK_ALL(rows);
}

/* R5: however many there are, no more than one reading of the header, and the whole
 * once. */
static void
ranges_by_the_thousand_are_cheap(void **state)
{
	static const char *const each[] = { "0-,", "-1,", "0-0,", "99-,", "5-4,",
		",,,,", "0-0 ", "18446744073709551616-," };
	const clock_t began =
	    clock(); /* what it computes: others may have the machine */

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(each); i++) {
		struct content_span spans[CONTENT_SPANS_MAX];
		struct trl_buf text = { 0 };
		enum content_range found;
		size_t n;

		trl_buf_adds(&text, "bytes=");
		for (int k = 0; k < THOUSANDS; k++)
			trl_buf_adds(&text, each[i]);
		trl_buf_add(&text, "", 1);
		found = content_range_read((const char *)text.data, 50, spans, &n);
		assert_int_equal(found, each[i][0] == '9' || each[i][0] == '1'
					    ? CONTENT_NONE
					    : CONTENT_WHOLE);
		trl_buf_fini(&text);
	}
	assert_true(clock() - began < CLOCKS_PER_SEC / 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_range_is_given),
		cmocka_unit_test(numbers_have_sixty_four_bits),
		cmocka_unit_test(what_is_malformed_counts_for_nothing),
		cmocka_unit_test(what_is_not_there_is_none),
		cmocka_unit_test(
		    several_are_given_as_long_as_they_are_not_more_than_the_whole),
		cmocka_unit_test(ranges_by_the_thousand_are_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
