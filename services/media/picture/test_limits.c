/* test_limits.c - pictures that are wrong, dear or more than a picture: each is
 * rejected with a sentence, and the program that looked at it lives on. What memory it
 * takes and gives back is in test_memory.c. What is rejected before it is decoded at
 * all is in test_walk.c. */
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
		assert_rejects(
		    &file, "This is not a JPEG, PNG, WebP, GIF, AVIF or HEIC.");
	}
	for (size_t i = 0; i < TRL_COUNT(others); i++) {
		file_of(corners(9, 9), others[i], &file);
		assert_rejects(&file, "This is not a JPEG");
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
		cmocka_unit_test(it_ends_when_it_is_asked_in_another_way),
	};

	return run_all(argc, argv, tests, TRL_COUNT(tests), "limits");
}
