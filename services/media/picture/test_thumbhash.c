/* test_thumbhash.c - hashes against those of the reference implementation (the package
 * thumbhash 0.1.1 of npm), of the same pixels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <trl/compiler.h>

#include "picture/thumbhash.h"

static uint8_t pixels[THUMBHASH_SIDE_MAX * THUMBHASH_SIDE_MAX * 4];

typedef void painter(int x, int y, int width, int height, uint8_t *rgba);

static void
red(int x, int y, int width, int height, uint8_t *rgba)
{
	(void)x;
	(void)y;
	(void)width;
	(void)height;
	rgba[0] = rgba[3] = 255;
	rgba[1] = rgba[2] = 0;
}

static void
slope(int x, int y, int width, int height, uint8_t *rgba)
{
	rgba[0] = (uint8_t)(x * x * 255 / (width * width));
	rgba[1] = (uint8_t)(y * y * y / (height * height) * 3);
	rgba[2] = (uint8_t)((x * x + 2 * y) / 100);
	rgba[3] = 255;
}

static void
stripes(int x, int y, int width, int height, uint8_t *rgba)
{
	(void)width;
	(void)height;
	rgba[0] = (uint8_t)(x * 7);
	rgba[1] = (uint8_t)(y * 3);
	rgba[2] = (uint8_t)(x * y);
	rgba[3] = 255;
}

static void
fading(int x, int y, int width, int height, uint8_t *rgba)
{
	(void)width;
	(void)height;
	rgba[0] = 200;
	rgba[1] = (uint8_t)(y * y / 16);
	rgba[2] = (uint8_t)(x * x * y / 1100);
	rgba[3] = (uint8_t)(x * x + 3 * y > 255 ? 255 : x * x + 3 * y);
}

static void
clear(int x, int y, int width, int height, uint8_t *rgba)
{
	(void)x;
	(void)y;
	(void)width;
	(void)height;
	rgba[0] = 9;
	rgba[1] = 8;
	rgba[2] = 7;
	rgba[3] = 0;
}

static void
half(int x, int y, int width, int height, uint8_t *rgba)
{
	(void)width;
	(void)height;
	rgba[0] = x & 1 ? 255 : 0;
	rgba[1] = (uint8_t)(x * x / 50);
	rgba[2] = (uint8_t)(y * y * x / 40);
	rgba[3] = x < 37 ? 255 : 128;
}

static void
it_is_that_of_the_reference(void **state)
{
	static const struct {
		painter *paint;
		int width, height;
		const char *hash;
	} rows[] = {
		{ red, 1, 1, "d5fb2b077f08f708888788708f7088f80888808008088800" },
		{ slope, 100, 75, "0e390e2d9a908787838888898878887885700bd957" },
		{ stripes, 40, 90, "1df809231641705777777558629017f497" },
		{ fading, 64, 64,
		    "1beb8a2d181e958890888978885f447af75710435566777777" },
		{ clear, 10, 20, "0008820300000000000000000000000000000000000000" },
		{ half, 100, 10, "d1998a198c2a8087858878955ff57778af578888887888" },
	};
	uint8_t hash[THUMBHASH_MAX];
	char text[2 * THUMBHASH_MAX + 1];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		size_t len;

		for (int y = 0; y < rows[i].height; y++)
			for (int x = 0; x < rows[i].width; x++)
				rows[i].paint(x, y, rows[i].width, rows[i].height,
				    &pixels[4 * (x + y * rows[i].width)]);
		len = thumbhash(rows[i].width, rows[i].height, pixels, hash);
		for (size_t k = 0; k < len; k++)
			(void)snprintf(&text[2 * k], 3, "%02x", hash[k]);
		assert_string_equal(text, rows[i].hash);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_that_of_the_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
