/* How a file is named: for every client, and as it is; whatever the name is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/compiler.h>
#include <trl/disposition.h>
#include <trl/utf8.h>

struct row {
	const char *name, *wanted;
};

static void
check(const struct row *rows, size_t n)
{
	trl_arena *arena = trl_arena_new(0);

	for (size_t i = 0; i < n; i++)
		assert_string_equal(
		    trl_disposition(arena, rows[i].name, false), rows[i].wanted);
	trl_arena_free(&arena);
}

static void
a_plain_name_stands_as_it_is(void **state)
{
	static const struct row rows[] = {
		{ "INV-000042.pdf", "attachment; filename=\"INV-000042.pdf\"" },
		{ "My report (2).txt", "attachment; filename=\"My report (2).txt\"" },
		{ NULL, "attachment" },
		{ "", "attachment" },
	};

	(void)state;
	check(rows, TRL_COUNT(rows));
}

/* N1: byte for byte, and in the form (NFC, NFD) that it was given in. */
static void
any_name_comes_back_whole(void **state)
{
	static const struct row rows[] = {
		{ "\u041e\u0442\u0447\u0451\u0442 \u6771\u4eac \U0001f389 \u00e9.pdf",
		    "attachment; filename=\"_____ __ _ _.pdf\"; filename*=UTF-8''"
		    "%D0%9E%D1%82%D1%87%D1%91%D1%82%20%E6%9D%B1%E4%BA%AC%20"
		    "%F0%9F%8E%89%20%C3%A9.pdf" },
		{ "e\u0301.pdf",
		    "attachment; filename=\"e_.pdf\"; filename*=UTF-8''e%CC%81.pdf" },
		{ "\u00e9.pdf",
		    "attachment; filename=\"_.pdf\"; filename*=UTF-8''%C3%A9.pdf" },
		{ "100%41.txt", "attachment; filename=\"100_41.txt\"; "
				"filename*=UTF-8''100%2541.txt" },
		{ "a;b=c'd*e,f", "attachment; filename=\"a_b_c_d_e_f\"; "
				 "filename*=UTF-8''a%3Bb%3Dc%27d%2Ae%2Cf" },
		{ ".pdf", "attachment; filename=\"_pdf\"; filename*=UTF-8''.pdf" },
	};

	(void)state;
	check(rows, TRL_COUNT(rows));
}

/* N3 */
static void
a_name_ends_no_line_and_leads_nowhere(void **state)
{
	static const struct row rows[] = {
		{ "2026/7.pdf", "attachment; filename=\"2026_7.pdf\"" },
		{ ".", "attachment; filename=\"_\"" },
		{ "..", "attachment; filename=\"__\"" },
		{ "....", "attachment; filename=\"____\"" },
		{ "../x\"\r\ny.pdf", "attachment; filename=\"_._x___y.pdf\"; "
				     "filename*=UTF-8''.._x%22__y.pdf" },
		{ "..\\..\\etc\\passwd", "attachment; filename=\"_._.._etc_passwd\"; "
					 "filename*=UTF-8''.._.._etc_passwd" },
		{ "a\"; filename=\"b.exe",
		    "attachment; filename=\"a__ filename__b.exe\"; "
		    "filename*=UTF-8''a%22%3B%20filename%3D%22b.exe" },
		{ "a\x01\x1f\x7f\xc2\x85z", "attachment; filename=\"a____z\"" },
		{ "not utf-8 \xff\xc3", "attachment; filename=\"not utf-8 __\"" },
	};

	(void)state;
	check(rows, TRL_COUNT(rows));
}

static void
marks_of_direction_are_replaced(void **state)
{
	static const uint32_t marks[] = { 0x61c, 0x200e, 0x200f, 0x2028, 0x202a, 0x202b,
		0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069 };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(marks); i++) {
		char name[16] = "a";
		const size_t n = trl_utf8_put(marks[i], name + 1);

		strcpy(name + 1 + n, "gpj.exe");
		check(&(const struct row){ name, "attachment; filename=\"a_gpj.exe\"" },
		    1);
	}
	/* A joiner makes a picture of several, and stays. */
	check(&(const struct row){ "a\u200db", "attachment; filename=\"a_b\"; "
					       "filename*=UTF-8''a%E2%80%8Db" },
	    1);
}

static void
a_long_name_is_cut_between_characters(void **state)
{
	trl_arena *arena = trl_arena_new(0);
	char name[400];
	const char *text;

	(void)state;
	memset(name, 'a', sizeof name);
	memcpy(name + 254, "\u00e9", 2);
	name[399] = '\0';
	text = trl_disposition(arena, name, false);
	assert_int_equal(strlen(text), strlen("attachment; filename=\"\"") + 254);
	trl_arena_free(&arena);
}

static void
what_is_shown_has_a_name_too(void **state)
{
	trl_arena *arena = trl_arena_new(0);

	(void)state;
	assert_string_equal(
	    trl_disposition(arena, "cat.jpg", true), "inline; filename=\"cat.jpg\"");
	assert_string_equal(trl_disposition(arena, NULL, true), "inline");
	trl_arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_name_stands_as_it_is),
		cmocka_unit_test(any_name_comes_back_whole),
		cmocka_unit_test(a_name_ends_no_line_and_leads_nowhere),
		cmocka_unit_test(marks_of_direction_are_replaced),
		cmocka_unit_test(a_long_name_is_cut_between_characters),
		cmocka_unit_test(what_is_shown_has_a_name_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
