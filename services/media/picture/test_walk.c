/* test_walk.c - what is seen of a file before anything of it is decoded: too many
 * frames, scans and texts, too much beside the picture, and that it is cut off. */
#include "picture/test_bombs.h"

static VipsImage *
frames_of(int width, int height, int n)
{
	VipsImage *image = corners(width, height * n);

	vips_image_set_int(image, VIPS_META_PAGE_HEIGHT, height);
	return image;
}

static void
a_thousand_frames_are_rejected_and_a_hundred_are_not(void **state)
{
	(void)state;
	file_of(frames_of(4, 4, 1000), ".gif", &file);
	assert_rejects(&file, "1000 frames; 100 are allowed.");
	file_of(frames_of(4, 4, 101), ".gif", &file);
	assert_rejects(&file, "101 frames");
	file_of(frames_of(4, 4, 100), ".gif", &file);
	make(&(struct picture_request){ .width = 2 }, &file);
	trl_buf_clear(&file); /* 95 frames of 2,200 x 1,000 */
	trl_buf_add(&file, "GIF89a\x98\x08\xe8\x03\0\0\0", 13);
	for (int i = 0; i < 95; i++)
		trl_buf_add(&file, ",\0\0\0\0\x98\x08\xe8\x03\0\2\2\x4c\1\0", 15);
	trl_buf_add(&file, ";", 1);
	assert_rejects(&file, "megapixels in all; 200 are allowed.");
}

/* A progressive JPEG whose last scan comes n times more. */
static void
jpeg_of_scans(size_t n)
{
	struct trl_buf whole = { 0 };
	size_t last = 0;

	file_of(corners(64, 64), ".jpg[interlace]", &whole);
	for (size_t i = 0; i + 1 < whole.len; i++)
		if (whole.data[i] == 0xff && whole.data[i + 1] == 0xda)
			last = i;
	trl_buf_clear(&file);
	trl_buf_add(&file, whole.data, whole.len - 2);
	for (size_t i = 0; i < n; i++)
		trl_buf_add(&file, whole.data + last, whole.len - 2 - last);
	trl_buf_add(&file, "\xff\xd9", 2);
	trl_buf_fini(&whole);
}

static void
a_thousand_scans_are_rejected_and_those_behind_the_end_do_not_count(void **state)
{
	struct trl_buf many = { 0 };

	(void)state;
	jpeg_of_scans(1000);
	assert_rejects(&file, "scans; 500 are allowed.");
	trl_buf_add(&many, file.data, file.len);
	jpeg_of_scans(0);
	trl_buf_add(&file, many.data, many.len); /* as a gain map, behind the end */
	look_at(&file);
	trl_buf_fini(&many);
}

/* What a decoder would unpack or keep before it comes to the picture. */
static void
bombs_of_text_and_profiles_are_rejected(void **state)
{
	char *large = calloc(1, 17 << 20);
	uint8_t segment[4] = { 0xff, 0xe4, 0xff, 0xff };
	struct trl_buf whole = { 0 };

	(void)state;
	assert_non_null(large);
	memcpy(large, "Comment", 8);
	png_begin(1, 1);
	for (int i = 0; i < 101; i++)
		png_chunk("tEXt", "Comment\0hello", 13);
	png_end();
	assert_rejects(&file, "101 texts; 100 are allowed.");
	png_begin(1, 1);
	png_chunk("zTXt", large, (1 << 20) + 1);
	png_end();
	assert_rejects(
	    &file, "bytes of compressed texts and profiles; 1048576 are allowed.");
	png_begin(1, 1);
	png_chunk("iCCP", large, (1 << 20) + 1);
	png_end();
	assert_rejects(&file, "bytes of compressed texts");
	png_begin(1, 1);
	png_chunk("tEXt", large, 17 << 20);
	png_end();
	assert_rejects(&file, "bytes of metadata; 16777216 are allowed.");
	file_of(corners(64, 64), ".jpg", &whole);
	trl_buf_clear(&file);
	trl_buf_add(&file, whole.data, 2);
	for (int i = 0; i < 260; i++) {
		trl_buf_add(&file, segment, sizeof segment);
		trl_buf_add(&file, large, 65533);
	}
	trl_buf_add(&file, whole.data + 2, whole.len - 2);
	assert_rejects(&file, "bytes of metadata");
	trl_buf_fini(&whole);
	free(large);
	assert_true(status_kib("VmHWM:") < 256 * 1024);
}

/* Some 20 bytes each: a decoder would keep a hundred of each before the first. */
static void
a_million_frames_are_counted_and_not_kept(void **state)
{
	long before;

	(void)state;
	file_of(frames_of(4, 4, 2), ".gif", &file);
	look_at(&file);
	before = status_kib("VmHWM:");
	trl_buf_clear(&file);
	trl_buf_add(&file, "GIF89a\4\0\4\0\0\0\0", 13);
	for (int i = 0; i < 1000000; i++)
		trl_buf_add(&file, ",\0\0\0\0\4\0\4\0\0\2\2\x4c\1\0", 15);
	assert_rejects(&file, "1000000 frames; 100 are allowed.");
	trl_buf_clear(&file);
	trl_buf_add(&file, "RIFF\x04\x80\xde\1WEBP", 12); /* 4 + 24 x 1,306,624 */
	for (int i = 0; i < 1306624; i++)
		trl_buf_add(&file, "ANMF\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
	assert_rejects(&file, "1306624 frames; 100 are allowed.");
	assert_true(status_kib("VmHWM:") < before + 40 * 1024);
}

static void
what_unpacks_to_much_is_rejected_by_its_count(void **state)
{
	struct trl_buf text = { 0 };
	long before;

	(void)state;
	png_begin(1, 1);
	png_end();
	look_at(&file);
	before = status_kib("VmHWM:");
	bomb(&text);
	for (unsigned n = 6; n <= 7; n++) {
		png_begin(1, 1);
		for (unsigned i = 0; i < n; i++)
			png_chunk("zTXt", text.data, text.len);
		png_end();
		if (n == 6)
			look_at(&file);
		else
			assert_rejects(
			    &file, "7 compressed texts and profiles; 6 are allowed.");
	}
	assert_true(status_kib("VmHWM:") > before + 40 * 1024); /* they are bombs */
#if !defined(__SANITIZE_ADDRESS__) /* which keeps what is freed */
	assert_true(status_kib("VmHWM:") < before + 220 * 1024);
#endif
	trl_buf_fini(&text);
}

static void
a_webp_and_a_gif_with_much_beside_the_picture_are_rejected(void **state)
{
	const size_t beside = 17 << 20;
	struct trl_buf whole = { 0 };
	uint8_t *xmp = calloc(1, beside + 8);
	size_t riff;

	(void)state;
	assert_non_null(xmp);
	file_of(corners(64, 64), ".webp", &whole);
	memcpy(xmp, "XMP ", 4);
	for (int i = 0; i < 4; i++)
		xmp[4 + i] = (uint8_t)(beside >> (8 * i));
	riff = whole.len - 8 + beside + 8;
	for (int i = 0; i < 4; i++)
		whole.data[4 + i] = (uint8_t)(riff >> (8 * i));
	trl_buf_add(&whole, xmp, beside + 8);
	assert_rejects(&whole, "bytes of metadata; 16777216 are");
	file_of(corners(64, 64), ".gif", &whole);
	trl_buf_clear(&file);
	trl_buf_add(&file, whole.data, whole.len - 1);
	trl_buf_add(&file, "!\xfe", 2); /* a comment */
	memset(xmp, 255, beside);
	trl_buf_add(&file, xmp, beside / 256 * 256);
	trl_buf_add(&file, "\0;", 2);
	assert_rejects(&file, "bytes of metadata");
	trl_buf_fini(&whole);
	free(xmp);
}

static void
a_file_that_was_cut_off_is_rejected(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(kinds); i++) {
		file_of(corners(300, 200), kinds[i], &file);
		for (size_t tenth = 1; tenth < 10; tenth++) {
			const struct trl_buf part = { .data = file.data,
				.len = file.len * tenth / 10 };

			assert_rejects(&part, tenth < 2 && file.len < 100
						  ? "."
						  : "The picture is broken");
		}
	}
}

/* Its first frames are whole, and a decoder would show them. */
static void
an_animation_that_was_cut_off_is_rejected_and_one_without_an_end_is_not(void **state)
{
	static const char *const moving[] = { ".gif", ".webp" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(moving); i++) {
		file_of(frames_of(300, 200, 10), moving[i], &file);
		for (size_t tenth = 1; tenth < 10; tenth++) {
			const struct trl_buf part = { .data = file.data,
				.len = file.len * tenth / 10 };

			assert_rejects(&part, "The picture is broken: it is cut off.");
		}
	}
	file_of(frames_of(300, 200, 10), ".gif", &file);
	file.len--; /* its trailer, which many a program leaves out */
	look_at(&file);
	assert_int_equal(rig.said.frames, 10);
	trl_buf_adds(&file, ";and whatever comes behind it");
	look_at(&file);
	file_of(frames_of(300, 200, 10), ".webp", &file);
	trl_buf_adds(&file, "and whatever comes behind it");
	look_at(&file);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thousand_frames_are_rejected_and_a_hundred_are_not),
		cmocka_unit_test(a_million_frames_are_counted_and_not_kept),
		cmocka_unit_test(
		    a_thousand_scans_are_rejected_and_those_behind_the_end_do_not_count),
		cmocka_unit_test(bombs_of_text_and_profiles_are_rejected),
		cmocka_unit_test(what_unpacks_to_much_is_rejected_by_its_count),
		cmocka_unit_test(
		    a_webp_and_a_gif_with_much_beside_the_picture_are_rejected),
		cmocka_unit_test(a_file_that_was_cut_off_is_rejected),
		cmocka_unit_test(
		    an_animation_that_was_cut_off_is_rejected_and_one_without_an_end_is_not),
	};

	return run_all(argc, argv, tests, TRL_COUNT(tests), "walk");
}
