/* test_size.c - how large pictures come out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <trl/compiler.h>

#include "picture/size.h"

static const struct {
	int width, height;
	uint32_t asked_width, asked_height;
	enum picture_fit fit;
	int out_width, out_height;
} rows[] = {
	{ 4000, 3000, 400, 400, PICTURE_CONTAIN, 400, 300 },
	{ 3000, 4000, 400, 400, PICTURE_CONTAIN, 300, 400 },
	{ 4000, 3000, 400, 0, PICTURE_CONTAIN, 400, 300 },
	{ 4000, 3000, 0, 300, PICTURE_CONTAIN, 400, 300 },
	{ 4000, 3000, 0, 0, PICTURE_CONTAIN, 4000, 3000 },
	{ 4000, 3000, 400, 400, PICTURE_COVER, 400, 400 },
	{ 4000, 3000, 400, 0, PICTURE_COVER, 400, 300 },
	/* Never enlarged; a cover keeps its proportions. */
	{ 300, 200, 400, 400, PICTURE_CONTAIN, 300, 200 },
	{ 300, 200, 400, 400, PICTURE_COVER, 200, 200 },
	{ 1000, 200, 400, 400, PICTURE_COVER, 200, 200 },
	{ 300, 300, 400, 200, PICTURE_COVER, 300, 150 },
	/* One pixel at least. */
	{ 16000, 1, 10, 10, PICTURE_CONTAIN, 10, 1 },
	{ 1, 16000, 10, 10, PICTURE_CONTAIN, 1, 10 },
	{ 1, 16000, 10, 10, PICTURE_COVER, 1, 1 },
	{ 1, 1, 4096, 4096, PICTURE_COVER, 1, 1 },
	{ 16000, 1, 1, 1, PICTURE_CONTAIN, 1, 1 },
};

static void
it_is_as_large_as_was_asked_and_never_larger_than_it_was(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const struct picture_request asked = { .width = rows[i].asked_width,
			.height = rows[i].asked_height,
			.fit = rows[i].fit };
		const struct size size = size_of(rows[i].width, rows[i].height, &asked);

		assert_int_equal(size.kept_width, rows[i].out_width);
		assert_int_equal(size.kept_height, rows[i].out_height);
		assert_true(size.width <= rows[i].width);
		assert_true(size.height <= rows[i].height);
		assert_true(size.left >= 0 && size.top >= 0);
		assert_true(size.left + size.kept_width <= size.width);
		assert_true(size.top + size.kept_height <= size.height);
	}
}

/* Whatever is asked of whatever there is, what is kept lies within it. */
static void
what_is_kept_lies_within_it(void **state)
{
	static const int sides[] = { 1, 2, 3, 7, 99, 100, 101, 4095, 16383 };
	enum { N = TRL_COUNT(sides) };

	(void)state;
	for (size_t i = 0; i < (size_t)N * N * N * N * 2; i++) {
		const struct picture_request asked = { .width =
							   (uint32_t)sides[i / 2 % N],
			.height = (uint32_t)sides[i / 2 / N % N],
			.fit = i % 2 ? PICTURE_COVER : PICTURE_CONTAIN };
		const int width = sides[i / 2 / N / N % N];
		const int height = sides[i / 2 / N / N / N];
		const struct size size = size_of(width, height, &asked);

		assert_in_range(size.width, 1, width);
		assert_in_range(size.height, 1, height);
		assert_in_range(size.kept_width, 1, asked.width);
		assert_in_range(size.kept_height, 1, asked.height);
		assert_in_range(size.left, 0, size.width - size.kept_width);
		assert_in_range(size.top, 0, size.height - size.kept_height);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    it_is_as_large_as_was_asked_and_never_larger_than_it_was),
		cmocka_unit_test(what_is_kept_lies_within_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
