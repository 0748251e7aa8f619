/* test_memory.c - how much memory pictures may take, and that it goes back. */
#include "picture/test_bombs.h"

/* Under ASan what was freed is kept for a while: what grows is found by the others, and
 * faults by a few of each kind. */
#if defined(__SANITIZE_ADDRESS__)
enum { PICTURES = 202, ROUNDS = 4 };
#else
enum { PICTURES = 1000, ROUNDS = 20 };
#endif

static void
assert_took(long before, long at_most)
{
	const long now = status_kib("VmRSS:");

#if !defined(__SANITIZE_ADDRESS__)
	if (now > before + at_most)
		fail_msg("%ld KiB, and then %ld: more than %ld", before, now, at_most);
#else
	assert_true(before > 0 && now > 0 && at_most > 0);
#endif
}

/* vips would decode what is larger than 100 MB into a file, which it may not write. */
static void
a_large_webp_is_decoded_in_memory(void **state)
{
	VipsImage *image;

	(void)state;
	assert_int_equal(vips_black(&image, 1610, 16380, "bands", 4, NULL), 0);
	image->Type = VIPS_INTERPRETATION_sRGB;
	file_of(image, ".webp[effort=0,lossless]", &file);
	make(&(struct picture_request){ .width = 4096, .format = PICTURE_JPEG }, &file);
	assert_int_equal(rig.said.height, 16380);
}

/* Mixed pictures; tools/bench pictures does 5,000 of 12 megapixels. */
static void
it_does_not_grow(void **state)
{
	struct trl_buf inputs[TRL_COUNT(kinds)] = { { 0 } };
	long after_200 = 0;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(kinds); i++)
		file_of(corners(400, 300), kinds[i], &inputs[i]);
	for (size_t i = 0; i < PICTURES; i++) {
		make(&(struct picture_request){ .width = 20 + (uint32_t)(i % 90),
			 .heif = 1 },
		    &inputs[i % (TRL_COUNT(kinds) - 1)]);
		if (i == 200)
			after_200 = status_kib("VmRSS:");
	}
	assert_took(after_200, after_200 / 20);
	for (size_t i = 0; i < TRL_COUNT(kinds); i++)
		trl_buf_fini(&inputs[i]);
}

#if !defined(__SANITIZE_ADDRESS__) /* which memory is not limited with */
static void
one_that_needs_too_much_memory_is_told_so_and_not_called_broken(void **state)
{
	VipsImage *image;

	(void)state;
	assert_int_equal(vips_black(&image, 3050, 16380, "bands", 4, NULL), 0);
	image->Type = VIPS_INTERPRETATION_sRGB;
	file_of(image, ".webp[effort=0,lossless]", &file);
	ask(&(struct picture_request){ .task = PICTURE_MAKE, .width = 4096 }, &file);
	assert_int_equal(rig.said.status, PICTURE_REJECTED);
	assert_string_equal(
	    rig.said.reason, "The picture needs more memory than is allowed.");
	make(&(struct picture_request){ .width = 1000 }, &file);
}
#endif

static void
draw_kind(size_t which)
{
	static const char *const large[] = { ".jpg", ".jpg[interlace]", ".png",
		".png[interlace]", ".webp", ".gif" };
	struct trl_buf text = { 0 };
	VipsImage *cmyk = NULL, *image = corners(500, 400);

	switch (which) {
	case 0:
		assert_int_equal(vips_icc_transform(image, &cmyk, "cmyk",
				     "input_profile", "srgb", NULL),
		    0);
		g_object_unref(image);
		file_of(cmyk, ".jpg", &file);
		return;
	case 1:
		g_object_unref(image);
		bomb(&text);
		png_begin(1, 1);
		for (int i = 0; i < 3; i++)
			png_chunk("zTXt", text.data, text.len);
		png_end();
		trl_buf_fini(&text);
		return;
	case 2:
	case 3:
		g_object_unref(image);
		image = corners(100, 8 * 60);
		vips_image_set_int(image, VIPS_META_PAGE_HEIGHT, 60);
		file_of(image, which == 2 ? ".gif" : ".webp", &file);
		return;
	default:
		file_of(image, large[which % TRL_COUNT(large)], &file);
		file.len -= which % 2 ? 0 : file.len / 3; /* broken */
	}
}

/* Among small ones, some that take a hundred megabytes: what it took goes back. */
static void
what_large_and_broken_ones_took_goes_back(void **state)
{
	enum { KINDS = 16 };
	struct trl_buf inputs[KINDS] = { { 0 } };
	long before = 0;

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		draw_kind(i);
		trl_buf_add(&inputs[i], file.data, file.len);
	}
	for (size_t i = 0; i < KINDS * ROUNDS; i++) {
		if (i % KINDS == 1 && i / KINDS % 4 != 0)
			continue; /* which takes long */
		ask(&(struct picture_request){ .task = PICTURE_MAKE,
			.format = (uint32_t)(PICTURE_JPEG + i / KINDS % 3),
			.width = 200 + (uint32_t)(i / KINDS) },
		    &inputs[i % KINDS]);
		if (i + 1 == KINDS * ROUNDS / 4)
			before = status_kib("VmRSS:");
	}
	assert_true(status_kib("VmHWM:") > 80 * 1024);
	assert_took(before, 16 * 1024);
	for (size_t i = 0; i < KINDS; i++)
		trl_buf_fini(&inputs[i]);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_large_webp_is_decoded_in_memory),
#if !defined(__SANITIZE_ADDRESS__)
		cmocka_unit_test(
		    one_that_needs_too_much_memory_is_told_so_and_not_called_broken),
#endif
		cmocka_unit_test(it_does_not_grow),
		cmocka_unit_test(what_large_and_broken_ones_took_goes_back),
	};

	return run_all(argc, argv, tests, TRL_COUNT(tests), "memory");
}
