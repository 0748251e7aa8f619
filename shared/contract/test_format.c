/* Each format with texts it takes and texts it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <trl/compiler.h>
#include <trl/utf8.h>
#include <trl/validate.h>

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10

struct row {
	enum trl_format format;
	bool fine;
	const char *text;
};

static const struct row rows[] = {
	{ TRL_FORMAT_SLUG, true, "ab" },
	{ TRL_FORMAT_SLUG, true, "a-1-b" },
	{ TRL_FORMAT_SLUG, false, "" },
	{ TRL_FORMAT_SLUG, false, "a" },
	{ TRL_FORMAT_SLUG, false, "1a" },
	{ TRL_FORMAT_SLUG, false, "a--b" },
	{ TRL_FORMAT_SLUG, false, "ab-" },
	{ TRL_FORMAT_SLUG, false, "Ab" },
	{ TRL_FORMAT_SLUG, false, "a_b" },
	{ TRL_FORMAT_EMAIL, true, "a@b.co" },
	{ TRL_FORMAT_EMAIL, true, "Ada.Lovelace+tag@mail.example.org" },
	{ TRL_FORMAT_EMAIL, true, "o'hara@xn--bcher-kva.example" },
	{ TRL_FORMAT_EMAIL, true, X60 "xxxx@b.co" },
	{ TRL_FORMAT_EMAIL, false, X60 "xxxxx@b.co" },
	{ TRL_FORMAT_EMAIL, false, "a@" X60 "xxxx.co" },
	{ TRL_FORMAT_EMAIL, false, X60 "@" X60 "." X60 "." X60 "." X10 "x.co" },
	{ TRL_FORMAT_EMAIL, false, "" },
	{ TRL_FORMAT_EMAIL, false, "a" },
	{ TRL_FORMAT_EMAIL, false, "@b.co" },
	{ TRL_FORMAT_EMAIL, false, "a@" },
	{ TRL_FORMAT_EMAIL, false, "a@localhost" },
	{ TRL_FORMAT_EMAIL, false, "a@b.c@d.e" },
	{ TRL_FORMAT_EMAIL, false, ".a@b.co" },
	{ TRL_FORMAT_EMAIL, false, "a.@b.co" },
	{ TRL_FORMAT_EMAIL, false, "a..b@b.co" },
	{ TRL_FORMAT_EMAIL, false, "a@b..co" },
	{ TRL_FORMAT_EMAIL, false, "a@-b.co" },
	{ TRL_FORMAT_EMAIL, false, "a@b-.co" },
	{ TRL_FORMAT_EMAIL, false, "a@1.2.3.4" },
	{ TRL_FORMAT_EMAIL, false, "a@[1.2.3.4]" },
	{ TRL_FORMAT_EMAIL, false, "\"a b\"@b.co" },
	{ TRL_FORMAT_EMAIL, false, "a b@b.co" },
	{ TRL_FORMAT_EMAIL, false, "a@b.co\n" },
	{ TRL_FORMAT_EMAIL, false, "a\r\nBcc: x@b.co" },
	{ TRL_FORMAT_URL, true, "https://example.org" },
	{ TRL_FORMAT_URL, true, "http://localhost:8080/a?b#c" },
	{ TRL_FORMAT_URL, true, "https://[::1]:9/" },
	{ TRL_FORMAT_URL, false, "https://" },
	{ TRL_FORMAT_URL, false, "https:///a" },
	{ TRL_FORMAT_URL, false, "ftp://example.org" },
	{ TRL_FORMAT_URL, false, "javascript:alert(1)" },
	{ TRL_FORMAT_URL, false, "https://user:pw@example.org" },
	{ TRL_FORMAT_URL, false, "https://example.org:0" },
	{ TRL_FORMAT_URL, false, "https://example.org:65536" },
	{ TRL_FORMAT_URL, false, "https://exa mple.org" },
	{ TRL_FORMAT_URL, false, "https://example.org\\@evil" },
	{ TRL_FORMAT_URL, false, "https://[::1" },
	{ TRL_FORMAT_LOCALE, true, "en" },
	{ TRL_FORMAT_LOCALE, true, "zh-Hant-TW" },
	{ TRL_FORMAT_LOCALE, true, "es-419" },
	{ TRL_FORMAT_LOCALE, false, "e" },
	{ TRL_FORMAT_LOCALE, false, "en_US" },
	{ TRL_FORMAT_LOCALE, false, "en-" },
	{ TRL_FORMAT_LOCALE, false, "4n" },
	{ TRL_FORMAT_TOKEN, true, "trs_AbC-9" },
	{ TRL_FORMAT_TOKEN, false, "" },
	{ TRL_FORMAT_TOKEN, false, "a b" },
	{ TRL_FORMAT_TOKEN, false, "a\x7f" },
	{ TRL_FORMAT_NAME, true, "Ada Lovelace" },
	{ TRL_FORMAT_NAME, true,
	    "\xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb" },
	{ TRL_FORMAT_NAME, false, "" },
	{ TRL_FORMAT_NAME, false, " a" },
	{ TRL_FORMAT_NAME, false, "a " },
	{ TRL_FORMAT_NAME, false, "a\xc2\xa0" },
	{ TRL_FORMAT_NAME, false, "a\nb" },
	{ TRL_FORMAT_NAME, false, "a\tb" },
	{ TRL_FORMAT_NAME, false, "a\x1b[31m" },
	{ TRL_FORMAT_NAME, false,
	    "a\xe2\x80\xae"
	    "b" },
	{ TRL_FORMAT_NAME, false,
	    "a\xe2\x80\xa8"
	    "b" },
	{ TRL_FORMAT_NAME, false, "a\xff" },
	/* a heart with its selector; a Persian word with a joiner; a name's variant */
	{ TRL_FORMAT_NAME, true, "I \xe2\x9d\xa4\xef\xb8\x8f" },
	{ TRL_FORMAT_NAME, true, "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae" },
	{ TRL_FORMAT_NAME, true, "\xe8\x91\x9b\xf3\xa0\x84\x80" },
	{ TRL_FORMAT_NAME, true, "\xe5\xb1\xb1\xe3\x80\x80\xe5\xa4\xaa" },
	/* what cannot be seen: alone, and in a name that would look like another */
	{ TRL_FORMAT_NAME, false, "\xe3\x85\xa4" },
	{ TRL_FORMAT_NAME, false, "\xe2\xa0\x80" },
	{ TRL_FORMAT_NAME, false, "\xe1\xa0\x8e" },
	{ TRL_FORMAT_NAME, false, "\xf3\xa0\x81\x81" },
	{ TRL_FORMAT_NAME, false, "\xe2\x80\x8b" },
	{ TRL_FORMAT_NAME, false, "\xe2\x80\x8d" },
	{ TRL_FORMAT_NAME, false, "\xe3\x80\x80" },
	{ TRL_FORMAT_NAME, false, "\xef\xb8\x8f" },
	{ TRL_FORMAT_NAME, false, "Ada\xe3\x85\xa4" },
	{ TRL_FORMAT_NAME, false,
	    "A\xc2\xad"
	    "da" },
	{ TRL_FORMAT_NAME, false,
	    "A\xe2\x80\x8b"
	    "da" },
	{ TRL_FORMAT_NAME, false,
	    "A\xe2\x80\x8d"
	    "da" },
	{ TRL_FORMAT_NAME, false, "Ada\xef\xb8\x8f" },
	{ TRL_FORMAT_NAME, false, "Ada\xe2\x80\x8e" },
	{ TRL_FORMAT_NAME, false, "Ada\xf3\xa0\x81\x81" },
	{ TRL_FORMAT_NAME, false, "\xe5\xb1\xb1\xe2\x80\x8d" },
	{ TRL_FORMAT_NAME, false, "\xe2\x9d\xa4\xef\xb8\x8f\xef\xb8\x8f" },
	{ TRL_FORMAT_TIME_ZONE, true, "UTC" },
	{ TRL_FORMAT_TIME_ZONE, true, "America/Argentina/Buenos_Aires" },
	{ TRL_FORMAT_TIME_ZONE, true, "Etc/GMT+5" },
	{ TRL_FORMAT_TIME_ZONE, false, "" },
	{ TRL_FORMAT_TIME_ZONE, false, "../etc/passwd" },
	{ TRL_FORMAT_TIME_ZONE, false, "Europe//Berlin" },
	{ TRL_FORMAT_TIME_ZONE, false, "Europe/" },
	{ TRL_FORMAT_ID, true, "01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21" },
	{ TRL_FORMAT_ID, false, "01997d2e4c1a7b3f9a526f1e0c8d4b21" },
	{ TRL_FORMAT_PERMISSION, true, "sample.thing.read" },
	{ TRL_FORMAT_PERMISSION, false, "sample.thing" },
	{ TRL_FORMAT_PERMISSION, false, X60 X60 },
};

static void
takes_and_refuses_each_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const char *wanted = trl_format_check(
		    rows[i].format, rows[i].text, strlen(rows[i].text));

		if ((wanted == NULL) != rows[i].fine)
			fail_msg("format %d: \"%s\" was %s", (int)rows[i].format,
			    rows[i].text, wanted ? "refused" : "taken");
	}
}

static void
writes_every_code_point_it_reads(void **state)
{
	(void)state;
	for (uint32_t code = 1; code <= 0x10ffff; code += code < 0x11000 ? 1 : 57) {
		char text[4];
		size_t len = trl_utf8_put(code, text), at = 0;
		bool surrogate = code >= 0xd800 && code <= 0xdfff;

		assert_int_equal(trl_utf8_valid(text, len), !surrogate);
		if (surrogate)
			continue;
		assert_int_equal(trl_utf8_next(text, len, &at), code);
		assert_int_equal(at, len);
		assert_int_equal(trl_utf8_count(text, len), 1);
	}
}

/* None of what shows nothing is a name, nor may it stand at a name's end. */
static void
takes_no_name_that_nobody_sees(void **state)
{
	(void)state;
	for (uint32_t code = 1; code <= 0x10ffff; code++) {
		char text[8] = "a";
		size_t len;

		if (code >= 0xd800 && code <= 0xdfff)
			continue;
		len = trl_utf8_put(code, text + 1);
		if (!trl_utf8_hidden(code) && !trl_utf8_blank(code))
			continue;
		assert_non_null(trl_format_check(TRL_FORMAT_NAME, text + 1, len));
		assert_non_null(trl_format_check(TRL_FORMAT_NAME, text, len + 1));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_and_refuses_each_text),
		cmocka_unit_test(takes_no_name_that_nobody_sees),
		cmocka_unit_test(writes_every_code_point_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
