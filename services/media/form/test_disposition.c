/* Names as clients write them: RFC 6266, 7578 and 8187, browsers, curl; and what is
 * none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "form/disposition.h"
#include "test_arena.h"

static void
names_are_kept_byte_for_byte(void **state)
{
	static const struct {
		const char *text, *filename;
	} rows[] = {
		{ "attachment; filename=\"a.txt\"", "a.txt" },
		{ "attachment; filename=a.txt", "a.txt" },
		{ "attachment;FileName=\"x\"", "x" },
		{ "attachment", NULL },
		{ "attachment;", NULL },
		{ "attachment; ; filename=x ;", "x" },
		{ "form-data; name=\"file\"; filename=\"Отчёт 東京 🎉 é.pdf\"",
		    "Отчёт 東京 🎉 é.pdf" },
		{ "attachment; filename=\"e.pdf\"; filename*=UTF-8''%C3%A9.pdf",
		    "\xc3\xa9.pdf" },
		{ "attachment; filename*=utf-8'en'%E6%9D%B1; filename=\"e\"",
		    "\xe6\x9d\xb1" },
		{ "attachment; filename*=UTF-8''a%0d%0ab", "a\r\nb" },
		/* Quotes and backslashes, of those who escape them and who do not. */
		{ "attachment; filename=\"a\\\"b\"", "a\"b" },
		{ "attachment; filename=\"a\\\\b\"", "a\\b" },
		{ "attachment; filename=\"a\\b\"", "a\\b" },
		{ "attachment; filename=\"C:\\dir\\a.txt\"", "C:\\dir\\a.txt" },
		{ "attachment; filename=\"a\\\"", "a\\" },
		{ "attachment; filename=\"a%22b\"", "a%22b" },
		{ "attachment; filename=\"../../etc/passwd\"", "../../etc/passwd" },
		{ "attachment; filename=\"a;b=c\"", "a;b=c" },
		{ "attachment; filename=\"\"", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct disposition found;
		const char *wrong =
		    disposition_read(arena, rows[i].text, strlen(rows[i].text), &found);

		if (wrong)
			print_error("%s: %s\n", rows[i].text, wrong);
		assert_null(wrong);
		if (!rows[i].filename)
			assert_null(found.filename);
		else
			assert_string_equal(found.filename, rows[i].filename);
	}
}

static void
what_cannot_be_read_is_said(void **state)
{
	static const char *const rows[] = { "", "; filename=x", "=x",
		"attachment; filename",
		"attachment; filename=", "attachment; filename=\"x",
		"attachment; filename=\"x\" y", "attachment; filename=x; filename=y",
		"attachment; name=a; filename=b; name=c", "attachment; =x",
		"attachment x", "attachment, filename=x", "attachment; filename = x",
		"attachment; file name=x" };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct disposition found;

		if (!disposition_read(arena, rows[i], strlen(rows[i]), &found))
			print_error("%s\n", rows[i]);
		assert_non_null(
		    disposition_read(arena, rows[i], strlen(rows[i]), &found));
	}
	{
		struct disposition found;

		assert_non_null(
		    disposition_read(arena, "attachment; filename=a\0b", 24, &found));
	}
}

/* No name is lost in silence: also where another stands beside it. */
static void
what_is_wrong_with_an_encoded_name_is_said(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "attachment; filename*=ISO-8859-1''%E9.txt", "UTF-8''" },
		{ "attachment; filename=\"e\"; filename*=ISO-8859-1''%E9", "UTF-8''" },
		{ "attachment; filename*=UTF-8%41", "UTF-8''" },
		{ "attachment; filename*=UTF-8''%zz%4",
		    "a % without two hexadecimal digits" },
		{ "attachment; filename=\"e\"; filename*=UTF-8''%4", "a %" },
		{ "attachment; filename*=UTF-8''a%00", "NUL" },
		{ "attachment; filename=a b", "no parameter" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct disposition found;
		const char *wrong =
		    disposition_read(arena, rows[i].text, strlen(rows[i].text), &found);

		if (!wrong || !strstr(wrong, rows[i].said))
			fail_msg("%s: %s", rows[i].text, wrong ? wrong : "taken");
	}
}

/* Whatever the length of it, it takes little more memory than it has. */
static void
a_thousand_parameters_take_little_memory(void **state)
{
	const size_t before = trl_arena_used(arena);
	struct disposition found;
	char text[16384] = "a";
	size_t at = 1;

	(void)state;
	while (at + 8 < sizeof text) {
		memcpy(text + at, ";b=\"\"", 5);
		at += 5;
	}
	assert_null(disposition_read(arena, text, at, &found));
	assert_true(trl_arena_used(arena) - before < 16 * sizeof text);
	memset(text + 1, '\\', sizeof text - 1);
	memcpy(text + 1, ";b=\"", 4);
	text[sizeof text - 1] = '"';
	assert_null(disposition_read(arena, text, sizeof text, &found));
	assert_true(trl_arena_used(arena) - before < 17 * sizeof text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_kept_byte_for_byte),
		cmocka_unit_test(what_cannot_be_read_is_said),
		cmocka_unit_test(what_is_wrong_with_an_encoded_name_is_said),
		cmocka_unit_test(a_thousand_parameters_take_little_memory),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
