/* test_picture.c - what becomes of good pictures: the confined program is asked, and
 * what it makes is decoded again. Over
 * 400 lines: each picture is a few lines that draw it. */
#include "picture/test_asking.h"

static struct trl_buf file;

/* As a camera that was turned would have written it: stored so that orientation makes
 * it upright again. */
static VipsImage *
stored_turned(VipsImage *upright, int orientation)
{
	/* EXIF's orientations, as what undoes them: a flip, then a turn. */
	static const struct {
		bool flip;
		VipsAngle angle;
	} undo[] = { { false, VIPS_ANGLE_D0 }, { true, VIPS_ANGLE_D0 },
		{ false, VIPS_ANGLE_D180 }, { true, VIPS_ANGLE_D180 },
		{ true, VIPS_ANGLE_D270 }, { false, VIPS_ANGLE_D270 },
		{ true, VIPS_ANGLE_D90 }, { false, VIPS_ANGLE_D90 } };
	VipsImage *flipped = NULL, *out = NULL;

	if (undo[orientation - 1].flip)
		assert_int_equal(
		    vips_flip(upright, &flipped, VIPS_DIRECTION_HORIZONTAL, NULL), 0);
	else
		assert_int_equal(vips_copy(upright, &flipped, NULL), 0);
	assert_int_equal(vips_rot(flipped, &out, undo[orientation - 1].angle, NULL), 0);
	g_object_unref(flipped);
	g_object_unref(upright);
	vips_image_set_int(out, VIPS_META_ORIENTATION, orientation);
	return out;
}

static void
assert_corners(VipsImage *image, int within)
{
	const int x = image->Xsize - 1, y = vips_image_get_page_height(image) - 1;

	assert_pixel(image, 0, 0, corner_colours[0], within);
	assert_pixel(image, x, 0, corner_colours[1], within);
	assert_pixel(image, 0, y, corner_colours[2], within);
	assert_pixel(image, x, y, corner_colours[3], within);
}

static void
all_eight_orientations_come_out_upright_and_without_the_tag(void **state)
{
	static const char *const kinds[] = { ".jpg[Q=95]", ".webp[lossless]" };

	(void)state;
	for (int i = 1; i <= 8; i++)
		for (size_t k = 0; k < TRL_COUNT(kinds); k++) {
			VipsImage *image;

			file_of(stored_turned(corners(120, 80), i), kinds[k], &file);
			look_at(&file);
			assert_int_equal(rig.said.width, 120);
			assert_int_equal(rig.said.height, 80);
			make(&(struct picture_request){ .width = 60 }, &file);
			assert_int_equal(rig.said.width, 60);
			assert_int_equal(rig.said.height, 40);
			image = decoded("");
			assert_int_equal(image->Xsize, 60);
			assert_int_equal(image->Ysize, 40);
			assert_corners(image, 12);
			assert_int_equal(vips_image_get_orientation(image), 1);
			g_object_unref(image);
		}
}

static void
a_cover_is_cut_on_both_sides_also_of_one_that_is_turned(void **state)
{
	VipsImage *image;

	(void)state;
	file_of(stored_turned(corners(400, 100), 6), ".jpg[Q=95]", &file);
	make(&(struct picture_request){ .width = 50,
		 .height = 50,
		 .fit = PICTURE_COVER,
		 .format = PICTURE_PNG },
	    &file);
	image = decoded("");
	assert_int_equal(image->Xsize, 50);
	assert_int_equal(image->Ysize, 50);
	assert_corners(image, 12);
	g_object_unref(image);
}

/* 64 x 64 of pure red ink. */
static VipsImage *
red_ink(void)
{
	const uint8_t ink[] = { 0, 255, 255, 0 };
	uint8_t pixels[64 * 64 * 4];
	VipsImage *image;

	for (size_t i = 0; i < sizeof pixels; i++)
		pixels[i] = ink[i % 4];
	image = vips_image_new_from_memory_copy(
	    pixels, sizeof pixels, 64, 64, 4, VIPS_FORMAT_UCHAR);
	image->Type = VIPS_INTERPRETATION_CMYK;
	return image;
}

/* How it looks at 9, 9, in CIELAB; takes it. */
static void
read_lab(VipsImage *image, double lab[3])
{
	VipsImage *converted;
	double *at;
	int n;

	assert_int_equal(
	    image->Bands == 4
		? vips_icc_import(image, &converted, "input_profile", "cmyk", "intent",
		      VIPS_INTENT_RELATIVE, NULL)
		: vips_colourspace(image, &converted, VIPS_INTERPRETATION_LAB, NULL),
	    0);
	assert_int_equal(vips_getpoint(converted, &at, &n, 9, 9, NULL), 0);
	memcpy(lab, at, 3 * sizeof *lab);
	g_free(at);
	g_object_unref(converted);
	g_object_unref(image);
}

/* Within 10 of what the ink is (CIE76), so neither pale nor inverted. vips writes CMYK
 * as Adobe does: inverted, with the marker that says so. */
static void
cmyk_is_the_red_that_the_ink_is_with_a_profile_and_without(void **state)
{
	static const char *const kinds[] = { ".jpg[Q=95,profile=cmyk]",
		".jpg[Q=95,strip]" };
	double ink[3], made[3], sum = 0;

	(void)state;
	read_lab(red_ink(), ink);
	for (size_t i = 0; i < TRL_COUNT(kinds); i++) {
		VipsImage *image;

		file_of(red_ink(), kinds[i], &file);
		assert_non_null(memmem(file.data, file.len, "Adobe", 5));
		make(&(struct picture_request){ .width = 32, .format = PICTURE_PNG },
		    &file);
		image = decoded("");
		assert_int_equal(image->Bands, 3);
		assert_int_equal(image->Type, VIPS_INTERPRETATION_sRGB);
		assert_int_equal(vips_image_get_typeof(image, VIPS_META_ICC_NAME), 0);
		read_lab(image, made);
		for (int k = 0; k < 3; k++)
			sum += (made[k] - ink[k]) * (made[k] - ink[k]);
		if (sum > 100)
			fail_msg("it is %g %g %g, not %g %g %g", made[0], made[1],
			    made[2], ink[0], ink[1], ink[2]);
		sum = 0;
	}
}

static void
p3_becomes_srgb_before_its_profile_goes(void **state)
{
	/* sRGB's red, written with P3's numbers, is what must come back. */
	static const uint8_t rgb[] = { 220, 60, 60 };
	VipsImage *image = corners(64, 64), *flat, *p3;

	(void)state;
	assert_int_equal(vips_linear(image, &flat, (double[]){ 0, 0, 0 },
			     (double[]){ 220, 60, 60 }, 3, "uchar", TRUE, NULL),
	    0);
	g_object_unref(image);
	assert_int_equal(vips_icc_transform(flat, &p3, "p3", "input_profile", "srgb",
			     "intent", VIPS_INTENT_RELATIVE, NULL),
	    0);
	g_object_unref(flat);
	file_of(p3, ".png", &file);
	image = vips_image_new_from_buffer(file.data, file.len, "", NULL);
	assert_pixel(image, 5, 5, (const uint8_t[]){ 204, 73, 67 }, 8); /* it is P3 */
	g_object_unref(image);
	make(&(struct picture_request){ .width = 32 }, &file);
	image = decoded("");
	assert_pixel(image, 16, 16, rgb, 2);
	assert_int_equal(vips_image_get_typeof(image, VIPS_META_ICC_NAME), 0);
	g_object_unref(image);
}

/* With a profile that is none, or not for so many channels, it is taken as sRGB. */
static void
a_profile_that_is_wrong_harms_nothing(void **state)
{
	static const char nonsense[] = "this is no profile";

	(void)state;
	for (int i = 0; i < 2; i++) {
		VipsImage *image = corners(40, 40);
		const void *profile = nonsense;
		size_t len = sizeof nonsense;
		VipsBlob *cmyk = NULL;

		if (i == 1) {
			assert_int_equal(vips_profile_load("cmyk", &cmyk, NULL), 0);
			profile = vips_blob_get(cmyk, &len);
		}
		vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, profile, len);
		file_of(image, ".jpg[Q=95]", &file);
		if (cmyk)
			vips_area_unref(VIPS_AREA(cmyk));
		make(&(struct picture_request){ .format = PICTURE_PNG }, &file);
		image = decoded("");
		assert_corners(image, 12);
		g_object_unref(image);
	}
}

static void
sixteen_bits_become_eight_and_alpha_stays(void **state)
{
	VipsImage *image = corners(64, 64), *with, *wide;

	(void)state;
	assert_int_equal(vips_bandjoin_const1(image, &with, 128, NULL), 0);
	g_object_unref(image);
	assert_int_equal(
	    vips_colourspace(with, &wide, VIPS_INTERPRETATION_RGB16, NULL), 0);
	g_object_unref(with);
	file_of(wide, ".png", &file);
	make(&(struct picture_request){ .width = 32 }, &file);
	image = decoded("");
	assert_int_equal(image->BandFmt, VIPS_FORMAT_UCHAR);
	assert_int_equal(image->Bands, 4);
	assert_corners(image, 3);
	assert_int_equal(rig.said.format, PICTURE_PNG);
	{
		double *at;
		int n;

		assert_int_equal(vips_getpoint(image, &at, &n, 9, 9, NULL), 0);
		assert_in_range(at[3], 126, 130);
		g_free(at);
	}
	g_object_unref(image);
}

/* A black disc on nothing: what cannot be seen is white, and its edge has no dark rim.
 */
static void
what_is_transparent_lies_on_white_in_a_jpeg(void **state)
{
	static const uint8_t white[] = { 255, 255, 255 };
	uint8_t *pixels = calloc(200 * 200, 4);
	VipsImage *image;

	(void)state;
	assert_non_null(pixels);
	for (int y = 50; y < 150; y++)
		for (int x = 50; x < 150; x++) /* yellow, over black that is clear */
			memcpy(pixels + 4 * (y * 200 + x), "\xff\xff\x00\xff", 4);
	image = vips_image_new_from_memory_copy(
	    pixels, 200 * 200 * 4, 200, 200, 4, VIPS_FORMAT_UCHAR);
	free(pixels);
	image->Type = VIPS_INTERPRETATION_sRGB;
	file_of(image, ".png", &file);
	make(
	    &(struct picture_request){
		.width = 66, .format = PICTURE_JPEG, .quality = 95 },
	    &file);
	image = decoded("");
	assert_int_equal(image->Bands, 3);
	assert_pixel(image, 2, 2, white, 3);
	for (int x = 0; x < image->Xsize; x++) {
		double *at;
		int n;

		/* From white to yellow red and green are full all the way. */
		assert_int_equal(vips_getpoint(image, &at, &n, x, 33, NULL), 0);
		assert_true(at[0] > 235 && at[1] > 235);
		g_free(at);
	}
	g_object_unref(image);
}

static uint8_t
grey_of(int frame)
{
	return (uint8_t)(20 + frame * 23 % 220);
}

/* An animation of n frames, each of another grey. */
static VipsImage *
animation(int width, int height, int n)
{
	const size_t frame = (size_t)width * (size_t)height * 3;
	uint8_t *pixels = malloc(frame * (size_t)n);
	int delays[PICTURE_FRAMES_MAX * 10];
	VipsImage *image;

	assert_non_null(pixels);
	for (int i = 0; i < n; i++) {
		memset(pixels + frame * (size_t)i, grey_of(i), frame);
		delays[i] = 70;
	}
	image = vips_image_new_from_memory_copy(
	    pixels, frame * (size_t)n, width, height * n, 3, VIPS_FORMAT_UCHAR);
	free(pixels);
	image->Type = VIPS_INTERPRETATION_sRGB;
	vips_image_set_int(image, VIPS_META_PAGE_HEIGHT, height);
	vips_image_set_array_int(image, "delay", delays, n);
	vips_image_set_int(image, "loop", 3);
	return image;
}

static void
an_animation_moves_on_as_gif_and_webp_and_stands_still_elsewhere(void **state)
{
	static const struct {
		enum picture_format format;
		int frames;
	} rows[] = { { PICTURE_ANY, 10 }, { PICTURE_WEBP, 10 }, { PICTURE_GIF, 10 },
		{ PICTURE_JPEG, 1 }, { PICTURE_PNG, 1 } };
	static const enum picture_fit fits[] = { PICTURE_CONTAIN, PICTURE_COVER };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows) * TRL_COUNT(fits); i++) {
		const int frames = rows[i / 2].frames;
		VipsImage *image;

		file_of(
		    animation(60, 40, 10), i % 3 ? ".gif" : ".webp[lossless]", &file);
		make(&(struct picture_request){ .width = 30,
			 .height = 30,
			 .fit = fits[i % 2],
			 .format = rows[i / 2].format },
		    &file);
		assert_int_equal(rig.said.frames, frames);
		image = decoded(frames > 1 ? "n=-1" : "");
		assert_int_equal(vips_image_get_n_pages(image), frames);
		assert_int_equal(image->Xsize, 30);
		assert_int_equal(vips_image_get_page_height(image), i % 2 ? 30 : 20);
		for (int k = 0; k < frames; k++) {
			const uint8_t grey[] = { grey_of(k), grey_of(k), grey_of(k) };

			assert_pixel(image, 15, k * (i % 2 ? 30 : 20) + 10, grey, 4);
		}
		if (frames > 1) {
			int *delays, n, loop;

			assert_int_equal(
			    vips_image_get_array_int(image, "delay", &delays, &n), 0);
			assert_int_equal(delays[0], 70);
			assert_int_equal(vips_image_get_int(image, "loop", &loop), 0);
			assert_int_equal(loop, 3);
		}
		g_object_unref(image);
		look_at(&file);
		assert_int_equal(rig.said.frames, 10);
		assert_int_equal(rig.said.height, 40);
	}
}

static void
small_ones_are_not_enlarged_and_thin_ones_keep_a_pixel(void **state)
{
	(void)state;
	file_of(corners(20, 10), ".png", &file);
	make(&(struct picture_request){ .width = 1000, .height = 1000 }, &file);
	assert_int_equal(rig.said.width, 20);
	assert_int_equal(rig.said.height, 10);
	file_of(corners(4000, 2), ".png", &file);
	make(&(struct picture_request){ .width = 10, .format = PICTURE_WEBP }, &file);
	assert_int_equal(rig.said.width, 10);
	assert_int_equal(rig.said.height, 1);
}

/* Each format goes in and out, and says by its first bytes what it is. */
static void
every_format_becomes_every_other(void **state)
{
	static const struct {
		const char *kind;
		enum picture_format format;
		const char *loader;
	} rows[] = { { ".jpg", PICTURE_JPEG, "jpegload_buffer" },
		{ ".png", PICTURE_PNG, "pngload_buffer" },
		{ ".webp", PICTURE_WEBP, "webpload_buffer" },
		{ ".gif", PICTURE_GIF, "gifload_buffer" },
		{ ".avif", PICTURE_AVIF, "heifload_buffer" } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows) * TRL_COUNT(rows); i++) {
		const struct picture_request asked = {
			.width = 50, .heif = 1, .format = rows[i % 5].format
		};
		VipsImage *image;
		const char *loader;

		file_of(corners(100, 60), rows[i / 5].kind, &file);
		make(&asked, &file);
		assert_int_equal(rig.said.format, asked.format);
		image = decoded("");
		assert_int_equal(
		    vips_image_get_string(image, VIPS_META_LOADER, &loader), 0);
		assert_string_equal(loader, rows[i % 5].loader);
		assert_corners(image, 40);
		g_object_unref(image);
	}
}

static void
quality_makes_it_larger(void **state)
{
	static const enum picture_format formats[] = { PICTURE_JPEG, PICTURE_WEBP,
		PICTURE_AVIF };
	VipsImage *noise, *grey;

	(void)state;
	assert_int_equal(vips_gaussnoise(&noise, 200, 200, NULL), 0);
	assert_int_equal(vips_cast_uchar(noise, &grey, NULL), 0);
	g_object_unref(noise);
	file_of(grey, ".png", &file);
	for (size_t i = 0; i < TRL_COUNT(formats); i++) {
		size_t low;

		make(&(struct picture_request){ .format = formats[i], .quality = 10 },
		    &file);
		low = rig.picture.len;
		make(&(struct picture_request){ .format = formats[i], .quality = 90 },
		    &file);
		assert_true(rig.picture.len > low * 3 / 2);
	}
}

static void
heif_is_turned_once_by_its_own_box_and_comes_in_only_where_it_may(void **state)
{
	VipsImage *image = corners(120, 80);

	(void)state;
	vips_image_set_int(image, VIPS_META_ORIENTATION, 6); /* EXIF's, to be ignored */
	file_of(image, ".avif[Q=90]", &file);
	ask(&(struct picture_request){ .task = PICTURE_MAKE }, &file);
	assert_int_equal(rig.said.status, PICTURE_REJECTED);
	assert_string_equal(rig.said.reason, "This is not a JPEG, PNG, WebP or GIF.");
	make(&(struct picture_request){ .heif = 1, .width = 60 }, &file);
	assert_int_equal(rig.said.format, PICTURE_WEBP);
	image = decoded("");
	assert_int_equal(image->Xsize, 60);
	assert_int_equal(image->Ysize, 40);
	assert_corners(image, 20);
	g_object_unref(image);
}

static void
what_it_looks_like_is_told(void **state)
{
	(void)state;
	file_of(corners(300, 200), ".png", &file);
	look_at(&file);
	assert_int_equal(rig.said.format, PICTURE_PNG);
	assert_int_equal(rig.said.width, 300);
	assert_int_equal(rig.said.height, 200);
	assert_int_equal(rig.said.frames, 1);
	assert_in_range(rig.said.thumb_hash_len, 18, 30);
	assert_int_equal(rig.picture.len, 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    all_eight_orientations_come_out_upright_and_without_the_tag),
		cmocka_unit_test(
		    a_cover_is_cut_on_both_sides_also_of_one_that_is_turned),
		cmocka_unit_test(
		    cmyk_is_the_red_that_the_ink_is_with_a_profile_and_without),
		cmocka_unit_test(p3_becomes_srgb_before_its_profile_goes),
		cmocka_unit_test(a_profile_that_is_wrong_harms_nothing),
		cmocka_unit_test(sixteen_bits_become_eight_and_alpha_stays),
		cmocka_unit_test(what_is_transparent_lies_on_white_in_a_jpeg),
		cmocka_unit_test(
		    an_animation_moves_on_as_gif_and_webp_and_stands_still_elsewhere),
		cmocka_unit_test(
		    small_ones_are_not_enlarged_and_thin_ones_keep_a_pixel),
		cmocka_unit_test(every_format_becomes_every_other),
		cmocka_unit_test(quality_makes_it_larger),
		cmocka_unit_test(
		    heif_is_turned_once_by_its_own_box_and_comes_in_only_where_it_may),
		cmocka_unit_test(what_it_looks_like_is_told),
	};

	return run_all(argc, argv, tests, TRL_COUNT(tests), "picture");
}
