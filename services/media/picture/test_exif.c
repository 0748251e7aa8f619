/* test_exif.c - which way a picture is turned, of EXIF that says it in whatever way. */
#include "picture/test_asking.h"

#include "picture/exif.h"

#define BE "MM\0*\0\0\0\10"
#define LE "II*\0\10\0\0\0"
#define BLOCK(text) (text), sizeof(text) - 1

static const struct {
	const char *what, *data;
	size_t len;
	int wants;
} rows[] = {
	{ "six", BLOCK(BE "\0\1\1\22\0\3\0\0\0\1\0\6\0\0\0\0\0\0"), 6 },
	{ "six, little-endian", BLOCK(LE "\1\0\22\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"), 6 },
	{ "with its name", BLOCK("Exif\0\0" BE "\0\1\1\22\0\3\0\0\0\1\0\6\0\0"), 6 },
	{ "behind another",
	    BLOCK(BE "\0\2\1\20\0\2\0\0\0\1A\0\0\0"
		     "\1\22\0\3\0\0\0\1\0\10\0\0"),
	    8 },
	{ "the first counts",
	    BLOCK(BE "\0\2\1\22\0\3\0\0\0\1\0\6\0\0"
		     "\1\22\0\3\0\0\0\1\0\3\0\0"),
	    6 },
	{ "further behind", BLOCK("MM\0*\0\0\0\12xx\0\1\1\22\0\3\0\0\0\1\0\5\0\0"), 5 },
	{ "zero", BLOCK(BE "\0\1\1\22\0\3\0\0\0\1\0\0\0\0"), 1 },
	{ "nine", BLOCK(BE "\0\1\1\22\0\3\0\0\0\1\0\11\0\0"), 1 },
	{ "65535", BLOCK(BE "\0\1\1\22\0\3\0\0\0\1\377\377\0\0"), 1 },
	{ "a byte", BLOCK(BE "\0\1\1\22\0\1\0\0\0\1\6\0\0\0"), 1 },
	{ "a text", BLOCK(BE "\0\1\1\22\0\2\0\0\0\0026\0\0\0"), 1 },
	{ "a long", BLOCK(BE "\0\1\1\22\0\4\0\0\0\1\0\0\0\6"), 1 },
	{ "none of it", BLOCK(BE "\0\1\1\22\0\3\0\0\0\0\0\6\0\0"), 1 },
	{ "two of it", BLOCK(BE "\0\1\1\22\0\3\0\0\0\2\0\6\0\6"), 1 },
	{ "in the second directory",
	    BLOCK(BE "\0\0\0\0\0\16\0\1\1\22\0\3\0\0\0\1\0\6\0\0"), 1 },
	{ "cut off", BLOCK(BE "\0\1\1\22\0\3\0\0\0\1\0\6"), 1 },
	{ "more entries than bytes", BLOCK(BE "\377\377\0\1\0\3\0\0\0\1\0\6\0\0"), 1 },
	{ "no directory", BLOCK(BE), 1 },
	{ "one beyond the end", BLOCK("MM\0*\377\377\377\377\0\1"), 1 },
	{ "one at the end", BLOCK("MM\0*\0\0\0\11\0"), 1 },
	{ "no TIFF", BLOCK("MM\0+\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\6\0\0"), 1 },
	{ "a name", BLOCK("Exif\0\0"), 1 },
	{ "nothing", BLOCK(""), 1 },
};

static void
only_one_short_of_the_first_directory_turns(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		/* Of the heap, so that a sanitizer sees where it ends. */
		uint8_t *copy = malloc(rows[i].len ? rows[i].len : 1);
		int is;

		assert_non_null(copy);
		memcpy(copy, rows[i].data, rows[i].len);
		is = exif_orientation(copy, rows[i].len);
		if (is != rows[i].wants)
			fail_msg("%s: it is %d", rows[i].what, is);
		free(copy);
	}
}

/* What its size is said to be, and the picture that comes of it. */
static void
a_picture_is_turned_as_a_browser_turns_it(void **state)
{
	struct trl_buf plain = { 0 }, file = { 0 };

	(void)state;
	file_of(corners(120, 80), ".jpg[strip]", &plain);
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const bool named = rows[i].len >= 4 && rows[i].data[0] == 'E';
		const size_t n = 2 + (named ? 0 : 6) + rows[i].len;
		const uint32_t width = rows[i].wants >= 5 ? 80 : 120;

		trl_buf_clear(&file);
		trl_buf_add(&file, plain.data, 2);
		trl_buf_add(&file, (uint8_t[]){ 0xff, 0xe1, 0, (uint8_t)n }, 4);
		trl_buf_add(&file, "Exif\0\0", named ? 0 : 6);
		trl_buf_add(&file, rows[i].data, rows[i].len);
		trl_buf_add(&file, plain.data + 2, plain.len - 2);
		look_at(&file);
		if (rig.said.width != width || rig.said.height != 200 - width)
			fail_msg("%s: it is %u wide", rows[i].what, rig.said.width);
		make(&(struct picture_request){ .width = width }, &file);
		assert_int_equal(rig.said.height, 200 - width);
	}
	trl_buf_fini(&plain);
	trl_buf_fini(&file);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_one_short_of_the_first_directory_turns),
		cmocka_unit_test(a_picture_is_turned_as_a_browser_turns_it),
	};

	return run_all(argc, argv, tests, TRL_COUNT(tests), "exif");
}
