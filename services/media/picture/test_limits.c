/* test_limits.c - pictures that are wrong, dear or more than a picture: each is
 * rejected with a sentence, and the program that looked at it lives on, no larger than
 * before. What is rejected before it is decoded at all is in test_walk.c. */
#include "picture/test_bombs.h"

static void
a_png_of_64250_a_side_in_5_kb_is_rejected_from_its_header(void **state)
{
	long before;

	(void)state;
	png_begin(1, 1);
	png_end();
	look_at(&file); /* it is awake */
	before = status_kib("VmHWM:");
	png_begin(64250, 64250);
	png_end();
	assert_rejects(&file, "64250 x 64250 pixels; a side may have 16383.");
	png_begin(16000, 16000);
	png_end();
	assert_rejects(&file, "256 megapixels; 50 are allowed.");
	assert_true(status_kib("VmHWM:") < before + 8 * 1024);
	png_begin(1, 1);
	png_end();
	look_at(&file); /* it was not the rest that was wrong */
}

static void
other_headers_that_say_too_much_are_rejected(void **state)
{
	static const char gif[] = "GIF89a\xff\xff\xff\xff\x00\x00\x00"
				  ",\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0;";
	static const char webp[] = "RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f"
				   "\xff\xff\xff\x0f\0\0\0\0\0\0\0\0\0";

	(void)state;
	trl_buf_clear(&file);
	trl_buf_add(&file, gif, sizeof gif - 1);
	assert_rejects(&file, "65535 x 65535");
	trl_buf_clear(&file);
	trl_buf_add(&file, webp, sizeof webp - 1);
	assert_rejects(&file, ".");
	file_of(corners(16, 17000), ".avif[Q=1]", &file);
	assert_rejects(&file, ".");
	assert_true(status_kib("VmHWM:") < 256 * 1024);
}

/* Wherever a bit is wrong, there is an answer, and the next picture is right. */
static void
whatever_is_wrong_inside_it_answers(void **state)
{
	enum { TRIES = 60 };
	unsigned seed = 7, rejected = 0;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(kinds); i++) {
		file_of(corners(90, 70), kinds[i], &file);
		for (int k = 0; k < TRIES; k++) {
			struct trl_buf wrong = { 0 };

			trl_buf_add(&wrong, file.data, file.len);
			for (int n = 0; n <= k % 5; n++) {
				seed = seed * 1103515245 + 12345;
				wrong.data[seed / 7 % wrong.len] ^=
				    (uint8_t)(1 << seed % 8);
			}
			ask(
			    &(struct picture_request){
				.task = PICTURE_MAKE, .width = 40, .heif = 1 },
			    &wrong);
			rejected += rig.said.status == PICTURE_REJECTED;
			trl_buf_fini(&wrong);
		}
	}
	assert_true(rejected > TRL_COUNT(kinds) * TRIES / 10);
	file_of(corners(90, 70), ".png", &file);
	make(&(struct picture_request){ .width = 40 }, &file);
}

static void
svg_pdf_tiff_and_the_like_are_no_pictures_whatever_they_are_called(void **state)
{
	static const char svg[] =
	    "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>"
	    "<image href='http://127.0.0.1:1/canary'/></svg>";
	static const char *const texts[] = {
		svg,
		"<?xml version='1.0'?><svg/>",
		"%PDF-1.4\n",
		"push graphic-context\nviewbox 0 0 9 9\n",
		"<html><script>alert(1)</script>",
		"P6\n1 1\n255\nabc",
		"#?RADIANCE\n",
		"id=ImageMagick version=1.0\n",
		"x",
	};
	static const char *const others[] = { ".tif", ".jp2", ".ppm" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(texts); i++) {
		trl_buf_clear(&file);
		trl_buf_adds(&file, texts[i]);
		assert_rejects(&file, "This is no JPEG, PNG, WebP, GIF, AVIF or HEIC.");
	}
	for (size_t i = 0; i < TRL_COUNT(others); i++) {
		file_of(corners(9, 9), others[i], &file);
		assert_rejects(&file, "This is no JPEG");
	}
	trl_buf_clear(&file);
	assert_rejects(&file, "The file is empty.");
}

/* Two things in one file: it is the picture that its first bytes say, and what is made
 * of it is nothing else any more. */
static void
of_a_polyglot_only_the_picture_comes_back(void **state)
{
	static const char script[] = "<script>alert('polyglot')</script>";

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(kinds); i++) {
		file_of(corners(90, 70), kinds[i], &file);
		trl_buf_adds(&file, "PK\3\4");
		trl_buf_adds(&file, script);
		make(&(struct picture_request){ .width = 40, .heif = 1 }, &file);
		assert_null(memmem(rig.picture.data, rig.picture.len, "polyglot", 8));
	}
	/* A GIF to a browser, a script to another. */
	trl_buf_clear(&file);
	trl_buf_adds(&file, "GIF89a/*");
	trl_buf_adds(&file, "*/=1;alert('polyglot')");
	assert_rejects(&file, ".");
}

static void
write_file(const char *path, const struct trl_buf *buf)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(buf->data, 1, buf->len, out), buf->len);
	assert_int_equal(fclose(out), 0);
}

/* All that a stream has, and a 0. */
static void
read_all(FILE *in, struct trl_buf *buf)
{
	size_t n;

	trl_buf_clear(buf);
	while ((n = fread(trl_buf_reserve(buf, 65536), 1, 65536, in)) > 0)
		buf->len += n;
}

/* exiftool's answer, as text. */
static void
told_by_exiftool(const char *arguments, const char *path, struct trl_buf *text)
{
	char command[1024];
	FILE *pipe;

	(void)snprintf(command, sizeof command, "exiftool -q %s %s", arguments, path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	read_all(pipe, text);
	assert_int_equal(pclose(pipe), 0);
	trl_buf_add(text, "", 1);
}

/* What is in file, with those tags. */
static void
tag(const char *folder, const char *tags, const char *end)
{
	char path[128], words[512];
	struct trl_buf text = { 0 };
	FILE *in;

	(void)snprintf(path, sizeof path, "%s/in.%s", folder, end);
	(void)snprintf(words, sizeof words, "-overwrite_original %s", tags);
	write_file(path, &file);
	told_by_exiftool(words, path, &text);
	in = fopen(path, "r");
	assert_non_null(in);
	read_all(in, &file);
	assert_int_equal(fclose(in), 0);
	assert_int_equal(unlink(path), 0);
	assert_non_null(memmem(file.data, file.len, "SECRET", 6));
	trl_buf_fini(&text);
}

/* Of a picture with everything that a format can carry beside it nothing is left. */
static void
nothing_that_was_said_beside_the_picture_is_left(void **state)
{
	static const struct {
		const char *kind, *end, *tags;
	} in[] = {
		{ ".jpg[profile=srgb]", "jpg",
		    "-IPTC:Keywords=SECRET -Comment=SECRET -EXIF:Artist=SECRET "
		    "-GPSLatitude=52.5 -GPSLatitudeRef=N -GPSLongitude=13.4 "
		    "-GPSLongitudeRef=E -XMP:Creator=SECRET" },
		{ ".png[profile=srgb]", "png",
		    "-PNG:Comment=SECRET -EXIF:Artist=SECRET -XMP:Creator=SECRET "
		    "-GPSLatitude=52.5 -GPSLatitudeRef=N" },
		{ ".webp[profile=srgb]", "webp",
		    "-EXIF:Artist=SECRET -XMP:Creator=SECRET -GPSLatitude=52.5" },
		{ ".gif", "gif", "-Comment=SECRET -XMP:Creator=SECRET" },
		{ ".avif", "avif",
		    "-EXIF:Artist=SECRET -XMP:Creator=SECRET -GPSLatitude=52.5" },
	};
	static const struct {
		enum picture_format format;
		const char *end;
	} out[] = { { PICTURE_JPEG, "jpg" }, { PICTURE_PNG, "png" },
		{ PICTURE_WEBP, "webp" }, { PICTURE_GIF, "gif" },
		{ PICTURE_AVIF, "avif" } };
	static const char *const groups[] = { "[IFD0]", "[ExifIFD]", "[GPS]", "[IPTC]",
		"[XMP", "[ICC", "SECRET", "Comment", "Photoshop", "Artist" };
	char folder[] = "/tmp/trellis-strip-XXXXXX", path[128];
	struct trl_buf text = { 0 };

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < TRL_COUNT(in) * TRL_COUNT(out); i++) {
		if (i % 5 == 0) {
			file_of(corners(90, 70), in[i / 5].kind, &file);
			tag(folder, in[i / 5].tags, in[i / 5].end);
		}
		make(
		    &(struct picture_request){ .heif = 1, .format = out[i % 5].format },
		    &file);
		assert_null(memmem(rig.picture.data, rig.picture.len, "SECRET", 6));
		(void)snprintf(path, sizeof path, "%s/%s.%s", folder, in[i / 5].end,
		    out[i % 5].end);
		write_file(path, &rig.picture);
	}
	told_by_exiftool("-a -G1 -s -u", folder, &text);
	assert_non_null(strstr((char *)text.data, "webp.jpg"));
	for (size_t k = 0; k < TRL_COUNT(groups); k++)
		if (strstr((char *)text.data, groups[k]))
			fail_msg("there is %s: %s", groups[k], (char *)text.data);
	for (size_t i = 0; i < TRL_COUNT(in) * TRL_COUNT(out); i++) {
		(void)snprintf(path, sizeof path, "%s/%s.%s", folder, in[i / 5].end,
		    out[i % 5].end);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(folder), 0);
	trl_buf_fini(&text);
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

/* 1,000 mixed pictures; tools/bench pictures does 5,000 of 12 megapixels. */
static void
it_does_not_grow(void **state)
{
	struct trl_buf inputs[TRL_COUNT(kinds)] = { { 0 } };
	long after_200 = 0;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(kinds); i++)
		file_of(corners(400, 300), kinds[i], &inputs[i]);
	for (size_t i = 0; i < 1000; i++) {
		make(&(struct picture_request){ .width = 20 + (uint32_t)(i % 90),
			 .heif = 1 },
		    &inputs[i % (TRL_COUNT(kinds) - 1)]);
		if (i == 200)
			after_200 = status_kib("VmRSS:");
	}
	if (status_kib("VmRSS:") > after_200 + after_200 / 20)
		fail_msg("%ld KiB after 200, %ld after 1,000", after_200,
		    status_kib("VmRSS:"));
	for (size_t i = 0; i < TRL_COUNT(kinds); i++)
		trl_buf_fini(&inputs[i]);
}

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
	enum { KINDS = 16, ROUNDS = 20 };
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
	if (status_kib("VmRSS:") > before + 16 * 1024)
		fail_msg("%ld KiB after %d, %ld after %d", before, KINDS * ROUNDS / 4,
		    status_kib("VmRSS:"), KINDS * ROUNDS);
	for (size_t i = 0; i < KINDS; i++)
		trl_buf_fini(&inputs[i]);
}

/* What another release asks ends it, and is no answer. */
static void
it_ends_when_it_is_asked_in_another_way(void **state)
{
	struct picture_request asked = { .task = 9 };

	(void)state;
	file_of(corners(9, 9), ".png", &file);
	assert_false(is_answered(&asked, file.data, file.len));
	(void)stop_it();
	start_it();
	asked = (struct picture_request){ .task = PICTURE_MAKE, .width = 4097 };
	assert_false(is_answered(&asked, file.data, file.len));
	(void)stop_it();
	start_it();
	look_at(&file);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_png_of_64250_a_side_in_5_kb_is_rejected_from_its_header),
		cmocka_unit_test(other_headers_that_say_too_much_are_rejected),
		cmocka_unit_test(whatever_is_wrong_inside_it_answers),
		cmocka_unit_test(
		    svg_pdf_tiff_and_the_like_are_no_pictures_whatever_they_are_called),
		cmocka_unit_test(of_a_polyglot_only_the_picture_comes_back),
		cmocka_unit_test(nothing_that_was_said_beside_the_picture_is_left),
		cmocka_unit_test(a_large_webp_is_decoded_in_memory),
		cmocka_unit_test(it_does_not_grow),
		cmocka_unit_test(what_large_and_broken_ones_took_goes_back),
		cmocka_unit_test(it_ends_when_it_is_asked_in_another_way),
	};

	return run_all(argc, argv, tests, TRL_COUNT(tests), "limits");
}
