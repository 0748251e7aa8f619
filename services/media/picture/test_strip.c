/* test_strip.c - a picture that is asked for as it is: never larger than it came, and
 * with nothing of what came beside it. */
#include "picture/test_bombs.h"

#include "picture/strip.h"

/* Asked for as large as it is, and with so much quality that made anew it is larger. */
static void
make_as_it_is(void)
{
	make(&(struct picture_request){ .width = 4096, .quality = 100 }, &file);
}

/* As file_of, but dear to make anew: flat colours, packed as well as can be. */
static void
cheap(const char *kind)
{
	file_of(corners(300, 200), kind, &file);
}

static const char *const stills[] = { ".jpg[Q=20]", ".jpg[Q=20,interlace]",
	".png[palette,compression=9,effort=10]", ".png[interlace,palette]",
	".webp[lossless]", ".webp[Q=5]" };

static void
what_is_asked_for_as_it_is_is_no_larger_than_it_came(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(stills); i++) {
		VipsImage *image;

		cheap(stills[i]);
		make_as_it_is();
		if (rig.picture.len > file.len)
			fail_msg("%s: %zu bytes of %zu", stills[i], rig.picture.len,
			    file.len);
		assert_int_equal(rig.said.width, 300);
		image = decoded("");
		assert_pixel(image, 10, 10, corner_colours[0], 40);
		assert_pixel(image, 290, 190, corner_colours[3], 40);
		g_object_unref(image);
	}
}

static void
into(size_t at, const void *data, size_t len)
{
	struct trl_buf whole = { 0 };

	trl_buf_add(&whole, file.data, at);
	trl_buf_add(&whole, data, len);
	trl_buf_add(&whole, file.data + at, file.len - at);
	trl_buf_fini(&file);
	file = whole;
}

static void
add_to_riff(const void *data, uint8_t len)
{
	uint32_t n;

	trl_buf_add(&file, data, len);
	n = (uint32_t)file.len - 8;
	for (int i = 0; i < 4; i++)
		file.data[4 + i] = (uint8_t)(n >> (8 * i));
}

static void
what_is_beside_and_behind_it_goes_all_the_same(void **state)
{
	static const char comment[] = "\xff\xfe\0\x08SECRET"
				      "\xff\xe4\0\x08SECRET"
				      "\xff\xee\0\x08SECRET"
				      "\xff\xff\xff\xe1\0\x08SECRET";
	static const char text[] = "\0\0\0\x06tEXtSECRET\1\2\3\4"
				   "\0\0\0\x06seCrSECRET\1\2\3\4"
				   "\0\0\0\x06gAMASECRET\1\2\3\4";

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(stills); i++) {
		const size_t at = strstr(stills[i], "jpg") ? 2 : 33;

		cheap(stills[i]);
		if (strstr(stills[i], "webp"))
			add_to_riff("seCr\x06\0\0\0SECRET"
				    "XMP \x06\0\0\0SECRET",
			    28);
		else
			into(at, at == 2 ? comment : text,
			    at == 2 ? sizeof comment - 1 : sizeof text - 1);
		trl_buf_adds(&file, "PK\3\4SECRET");
		make_as_it_is();
		if (memmem(rig.picture.data, rig.picture.len, "SECRET", 6))
			fail_msg("%s: it is left", stills[i]);
		assert_true(rig.picture.len < file.len);
		g_object_unref(decoded("[fail_on=warning]"));
	}
}

/* Of each there is something that has to change. */
static void
what_has_to_change_is_made_anew(void **state)
{
	static const char *const kinds_in[] = { ".jpg[Q=20,profile=p3]",
		".png[bitdepth=16]", ".webp[Q=5,profile=p3]" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(kinds_in); i++) {
		struct trl_buf bare = { 0 };
		VipsImage *image = corners(300, 200);

		if (strstr(kinds_in[i], "16")) {
			VipsImage *deep = NULL;

			assert_int_equal(vips_colourspace(image, &deep,
					     VIPS_INTERPRETATION_RGB16, NULL),
			    0);
			g_object_unref(image);
			image = deep;
		}
		file_of(image, strstr(kinds_in[i], "16") ? ".png" : kinds_in[i], &file);
		make_as_it_is();
		(void)strip(rig.said.format, file.data, file.len, &bare);
		assert_true(rig.picture.len != bare.len);
		trl_buf_fini(&bare);
	}
}

static void
what_not_everybody_reads_is_not_taken_over(void **state)
{
	struct trl_buf out = { 0 };

	(void)state;
	cheap(".jpg");
	assert_true(strip(PICTURE_JPEG, file.data, file.len, &out));
	for (size_t n = 0; n < file.len; n++) { /* cut off wherever */
		uint8_t *copy = malloc(n ? n : 1);

		assert_non_null(copy);
		memcpy(copy, file.data, n);
		trl_buf_clear(&out);
		assert_false(strip(PICTURE_JPEG, copy, n, &out));
		assert_int_equal(out.len, 0);
		free(copy);
	}
	for (size_t i = 0; i + 1 < file.len; i++)
		if (file.data[i] == 0xff && file.data[i + 1] == 0xc0)
			file.data[i + 1] = 0xc9; /* arithmetic coding */
	assert_false(strip(PICTURE_JPEG, file.data, file.len, &out));
	cheap(".png");
	for (size_t n = 0; n < file.len; n++) {
		trl_buf_clear(&out);
		assert_false(strip(PICTURE_PNG, file.data, n, &out));
	}
	into(33, "\0\0\0\0CgBI\1\2\3\4", 12); /* critical, and unknown */
	assert_false(strip(PICTURE_PNG, file.data, file.len, &out));
	cheap(".gif");
	assert_false(strip(PICTURE_GIF, file.data, file.len, &out));
	trl_buf_fini(&out);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_for_as_it_is_is_no_larger_than_it_came),
		cmocka_unit_test(what_is_beside_and_behind_it_goes_all_the_same),
		cmocka_unit_test(what_has_to_change_is_made_anew),
		cmocka_unit_test(what_not_everybody_reads_is_not_taken_over),
	};

	return run_all(argc, argv, tests, TRL_COUNT(tests), "strip");
}
