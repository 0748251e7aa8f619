/* test_options.c - how a picture is to be shown, read and written again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "variant/options.h"

static void
they_are_read_in_any_order_and_written_in_one(void **state)
{
	static const char *const rows[][2] = {
		{ "w_400", "w_400" },
		{ "h_1", "h_1" },
		{ "q_80,f_webp,fit_cover,h_300,w_400",
		    "w_400,h_300,fit_cover,f_webp,q_80" },
		{ "w_320,h_320,fit_contain", "w_320,h_320" },
		{ "fit_cover,w_4096", "w_4096" },
		{ "f_auto,w_9,q_100", "w_9,f_auto,q_100" },
		{ "w_9,f_png", "w_9,f_png" },
		{ "w_9,f_gif", "w_9,f_gif" },
		{ "w_9,f_avif,q_1", "w_9,f_avif,q_1" },
		{ "w_9,f_jpeg", "w_9,f_jpeg" },
	};
	char text[OPTIONS_TEXT_MAX];
	struct options options;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		assert_null(options_read(rows[i][0], &options));
		options_write(&options, text);
		assert_string_equal(text, rows[i][1]);
		assert_null(options_read(text, &options)); /* and so for ever */
		options_write(&options, text);
		assert_string_equal(text, rows[i][1]);
	}
}

static void
what_is_wrong_is_told(void **state)
{
	static const char *const rows[] = { "", ",", "w_", "w_0", "w_4097", "w_-1",
		"w_+1", "w_01", "w_1.5", "w_1e3", "w_99999999999999999999", "w_4 ",
		" w_4", "w_4,", ",w_4", "w_4,,h_4", "w_4,w_4", "w_4,fit_",
		"w_4,fit_fill", "w_4,f_", "w_4,f_svg", "w_4,f_jpg", "w_4,F_png",
		"w_4,q_0", "w_4,q_101", "w_4,q_", "w_4,f_png,q_9", "q_9,f_gif,w_4",
		"fit_cover", "f_webp", "x_4", "w_4;h_4", "w_4,h_4/..", "thumb", "w",
		"w_4,fi" };
	struct options options;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		if (!options_read(rows[i], &options))
			fail_msg("\"%s\" was read", rows[i]);
}

static void
the_format_is_decided_by_the_picture_and_where_it_may_by_the_client(void **state)
{
	static const struct {
		const char *text, *type, *accept, *key;
		bool moves, has_alpha;
	} rows[] = {
		{ "w_9", "image/jpeg", NULL, "w_9-f_jpeg" },
		{ "w_9", "image/png", "image/webp", "w_9-f_png" },
		{ "w_9,q_5", "image/png", NULL, "w_9-f_png" },
		{ "w_9", "image/heic", NULL, "w_9-f_webp" },
		{ "w_9", "image/avif", NULL, "w_9-f_webp" },
		{ "w_9,f_avif", "image/png", NULL, "w_9-f_avif" },
		{ "w_9,f_auto", "image/png", "image/avif,image/webp,*/*;q=0.8",
		    "w_9-f_webp" },
		{ "w_9,f_auto", "image/png", "*/*", "w_9-f_png" },
		{ "w_9,f_auto", "image/png", "image/webp;q=0", "w_9-f_png" },
		{ "w_9,f_auto", "image/webp", NULL, "w_9-f_jpeg" },
		{ "w_9,f_auto", "image/webp", "*/*", "w_9-f_png", .has_alpha = true },
		{ "w_9,f_auto", "image/avif", "image/avif", "w_9-f_png",
		    .has_alpha = true },
		{ "w_9,f_auto", "image/webp", "*/*", "w_9-f_gif", .moves = true,
		    .has_alpha = true },
		{ "w_9,f_auto", "image/webp", "image/webp", "w_9-f_webp", .moves = true,
		    .has_alpha = true },
		{ "w_9,f_auto", "image/gif", NULL, "w_9-f_gif", .has_alpha = true },
		{ "w_9", "image/webp", NULL, "w_9-f_webp", .has_alpha = true },
		{ "w_9,f_auto", "image/heic", "text/html", "w_9-f_jpeg" },
		{ "w_9,f_auto,q_7", "image/jpeg", "IMAGE/WEBP ; q=0.1",
		    "w_9-f_webp-q_7" },
		{ "w_9,h_8,fit_cover,f_jpeg,q_7", "image/gif", NULL,
		    "w_9-h_8-fit_cover-f_jpeg-q_7" },
	};
	char key[OPTIONS_TEXT_MAX];
	struct options options;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		assert_null(options_read(rows[i].text, &options));
		options = options_decided(&options,
		    &(struct options_picture){
			rows[i].type, rows[i].moves, rows[i].has_alpha },
		    rows[i].accept);
		options_key(&options, key);
		assert_string_equal(key, rows[i].key);
	}
}

static void
only_what_accept_names_is_accepted(void **state)
{
	static const struct {
		const char *accept;
		bool webp;
	} rows[] = { { NULL, false }, { "", false }, { "*/*", false },
		{ "image/*", false }, { "image/webp", true }, { "image/webpx", false },
		{ "text/html, image/webp;q=0.9", true }, { "image/webp;q=0", false },
		{ "image/webp;a=b; q=0.0", false }, { ",,image/webp", true },
		{ "ximage/webp", false } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		assert_int_equal(
		    options_accepts(rows[i].accept, "image/webp"), rows[i].webp);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_are_read_in_any_order_and_written_in_one),
		cmocka_unit_test(what_is_wrong_is_told),
		cmocka_unit_test(
		    the_format_is_decided_by_the_picture_and_where_it_may_by_the_client),
		cmocka_unit_test(only_what_accept_names_is_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
