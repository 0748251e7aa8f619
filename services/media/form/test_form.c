/* Forms as they come: cut at any byte they say the same; and those that are none, or
 * too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/buf.h>

#include "form/form.h"

#define TYPE "multipart/form-data; boundary=XX"
#define FIELD(name, value)                                                             \
	"--XX\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r" \
	"\n"
#define FILE_HEAD                                                                      \
	"--XX\r\nContent-Disposition: form-data; name=\"file\"; "                      \
	"filename=\"a.txt\"\r\n"                                                       \
	"Content-Type: text/plain\r\n\r\n"
#define END "\r\n--XX--\r\n"

static trl_arena *arena;
static struct trl_buf told;

/* What a form says, in pieces of a size. */
static const char *
said(const char *type, const char *body, size_t len, size_t piece)
{
	const char *why = NULL;
	form *self = form_new(arena, type, &why);
	enum form_step step = FORM_MORE;

	trl_buf_clear(&told);
	if (!self)
		return why;
	for (size_t at = 0; at < len && step != FORM_WRONG; at += piece) {
		const uint8_t *data = (const uint8_t *)body + at;
		size_t left = len - at < piece ? len - at : piece;
		struct form_part part;

		do {
			step = form_next(self, &data, &left, &part);
			if (step == FORM_FIELD)
				trl_buf_printf(&told, "[%s=%s]", part.name, part.value);
			if (step == FORM_FILE)
				trl_buf_printf(&told, "[%s %s %s:", part.name,
				    part.filename ? part.filename : "-",
				    part.type ? part.type : "-");
			if (step == FORM_BYTES)
				trl_buf_add(&told, part.data, part.len);
			if (step == FORM_FILE_END)
				trl_buf_adds(&told, "]");
			if (step == FORM_END)
				trl_buf_adds(&told, ".");
			if (step == FORM_WRONG)
				trl_buf_printf(&told, "!%s", part.wrong);
		} while (step != FORM_MORE && step != FORM_WRONG);
	}
	if (step != FORM_WRONG && (why = form_finish(self)))
		trl_buf_printf(&told, "?%s", why);
	trl_buf_add(&told, "", 1);
	return (const char *)told.data;
}

struct row {
	const char *body, *says;
};

static void
check(const char *type, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t piece = 1; piece <= strlen(rows[i].body) + 1; piece++) {
			const char *says =
			    said(type, rows[i].body, strlen(rows[i].body), piece);

			assert_string_equal(says, rows[i].says);
		}
}

static void
fields_then_a_file_wherever_they_are_cut(void **state)
{
	static const struct row rows[] = {
		{ FILE_HEAD "hello" END, "[file a.txt text/plain:hello]." },
		{ FIELD("collection", "files") FIELD("name", "b.txt") FILE_HEAD
		    "hello" END,
		    "[collection=files][name=b.txt][file a.txt text/plain:hello]." },
		/* No bytes, with and without a line of their own. */
		{ FILE_HEAD END, "[file a.txt text/plain:]." },
		{ FILE_HEAD "--XX--", "[file a.txt text/plain:]." },
		{ FIELD("name", "") FILE_HEAD "x" END,
		    "[name=][file a.txt text/plain:x]." },
		/* What is nearly a boundary. */
		{ FILE_HEAD "\r\n--X\r\n--Y\r\n-\r\r\n--\r\n" END,
		    "[file a.txt text/plain:\r\n--X\r\n--Y\r\n-\r\r\n--\r\n]." },
		{ FILE_HEAD "\r\n" END, "[file a.txt text/plain:\r\n]." },
		{ FILE_HEAD "\r" END, "[file a.txt text/plain:\r]." },
		{ FILE_HEAD "--XY" END, "[file a.txt text/plain:--XY]." },
		{ FILE_HEAD "-" END, "[file a.txt text/plain:-]." },
		/* What stands before and after, blanks behind a boundary. */
		{ "before\r\n" FILE_HEAD "x" END "after",
		    "[file a.txt text/plain:x]." },
		{ "\r\n" FILE_HEAD "x" END, "[file a.txt text/plain:x]." },
		{ "--XX \t\r\nContent-Disposition: form-data; name=file\r\n\r\nx" END,
		    "[file - -:x]." },
		/* Other fields of the head mean nothing. */
		{ "--XX\r\nX-A: b\r\ncontent-disposition:form-data; name=f; "
		  "filename=g\r\nContent-Transfer-Encoding: binary\r\n\r\nx" END,
		    "[f g -:x]." },
	};

	(void)state;
	check(TYPE, rows, sizeof rows / sizeof *rows);
}

static const struct row no_forms[] = {
	{ FILE_HEAD "hello",
	    "[file a.txt text/plain:hello?The form is cut off before its end." },
	{ FILE_HEAD "x\r\n--XX",
	    "[file a.txt text/plain:x]?The form is cut off before its end." },
	{ FILE_HEAD "x\r\n--XX\r\n",
	    "[file a.txt text/plain:x]?The form is cut off before its end." },
	{ FILE_HEAD "x\r\n" FILE_HEAD "y" END,
	    "[file a.txt text/plain:x]!The form has more after its file: it takes one "
	    "file, as its last part." },
	{ FILE_HEAD "x\r\n" FIELD("name", "y") "--XX--",
	    "[file a.txt text/plain:x]!The form has more after its file: it takes one "
	    "file, as its last part." },
	{ FIELD("name", "y") "--XX--", "[name=y]!The form has no file." },
	{ "--XX--", "!The form has no file." },
	{ "--XXX\r\n", "!A boundary of the form is not at the end of its line." },
	{ FILE_HEAD "x\r\n--XX-\r\n", "[file a.txt text/plain:x]!A boundary of the "
				      "form is not at the end of its line." },
	{ FILE_HEAD "x\r\n--XX\n", "[file a.txt text/plain:x]!A boundary of the form "
				   "is not at the end of its line." },
	{ "--XX\r\n\r\nx", "!A part of the form has no Content-Disposition: "
			   "form-data with a name." },
	{ "--XX\r\nContent-Disposition: attachment; name=file\r\n\r\nx",
	    "!A part of the form has no Content-Disposition: form-data with a "
	    "name." },
	{ "--XX\r\nContent-Disposition: form-data; filename=a\r\n\r\nx",
	    "!A part of the form has no Content-Disposition: form-data with a "
	    "name." },
	{ "--XX\r\nContent-Disposition: form-data; name=\"f\r\n\r\nx",
	    "!Content-Disposition has something that is no parameter, such as "
	    "filename=\"a.txt\"." },
	{ "--XX\r\nContent-Disposition: form-data; name=f\r\n"
	  "Content-Disposition: form-data; name=f\r\n\r\nx",
	    "!A part of the form has Content-Disposition twice." },
	{ "--XX\r\nContent-Disposition: form-data; name=f\r\n"
	  "Content-Transfer-Encoding: base64\r\n\r\nx",
	    "!A part of the form has a Content-Transfer-Encoding; send its bytes as "
	    "they are." },
	{ "--XX\r\nContent-Disposition: form-data;\r\n name=f\r\n\r\nx",
	    "!Content-Disposition has something that is no parameter, such as "
	    "filename=\"a.txt\"." },
	{ "--XX\r\nContent-Disposition: form-data; name=f\nX: y\r\n\r\nx",
	    "!A part of the form has a head that cannot be read." },
	{ "--XX\r\nno colon\r\n\r\nx",
	    "!A part of the form has a head that cannot be read." },
};

static void
what_is_no_such_form_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof no_forms / sizeof *no_forms; i++)
		for (size_t piece = 1; piece <= strlen(no_forms[i].body); piece++) {
			const char *says = said(
			    TYPE, no_forms[i].body, strlen(no_forms[i].body), piece);

			/* A line that goes on in the next is one that ends wrongly. */
			if (strstr(no_forms[i].body, ";\r\n name"))
				assert_non_null(strchr(says, '!'));
			else
				assert_string_equal(says, no_forms[i].says);
		}
}

static void
a_boundary_is_read_or_refused(void **state)
{
	static const char *const good[] = {
		"multipart/form-data; boundary=\"XX\"",
		"Multipart/Form-Data; charset=utf-8; BOUNDARY=XX",
		"multipart/form-data;boundary=XX; x=\"y\"",
	};
	static const char *const bad[] = { "multipart/form-data",
		"multipart/mixed; boundary=XX", "text/plain; boundary=XX",
		"multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
		"multipart/form-data; boundary=\"X\r\nX\"",
		"multipart/form-data; boundary=\"X \"",
		"multipart/form-data; boundary=X\xc3\xa9",
		"multipart/form-data; boundary=a; boundary=b",
		"multipart/form-data boundary=XX",
		"multipart/form-data; boundary="
		"123456789012345678901234567890123456789012345678901234567890"
		"12345678901" };
	const char *body = FILE_HEAD "x" END, *why;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_string_equal(
		    said(good[i], body, strlen(body), 5), "[file a.txt text/plain:x].");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		why = NULL;
		assert_null(form_new(arena, bad[i], &why));
		assert_non_null(why);
	}
}

/* begin, then n bytes, then end; says what it is told. */
static void
check_long(const char *begin, char byte, size_t n, const char *end, const char *says)
{
	struct trl_buf body = { 0 };
	const size_t sizes[] = { 1, 4096, 262144 };

	trl_buf_adds(&body, begin);
	memset(trl_buf_reserve(&body, n + 1), byte, n);
	body.len += n;
	trl_buf_adds(&body, end);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		assert_string_equal(
		    said(TYPE, (const char *)body.data, body.len, sizes[i]), says);
	trl_buf_fini(&body);
}

static void
whatever_is_too_long_is_refused(void **state)
{
	struct trl_buf body = { 0 };

	(void)state;
	check_long("--XX\r\nX: ", 'a', FORM_HEAD_MAX, "",
	    "!A part of the form has a head of more than 8 KiB.");
	check_long("--XX\r\nContent-Disposition: form-data; name=f\r\n\r\n", 'a',
	    FORM_VALUE_MAX + 1, END, "!A field of the form has more than 4096 bytes.");
	check_long("", 'a', FORM_BESIDE_MAX + 1, "",
	    "!The body does not begin with a boundary.");
	check_long("--XX", ' ', FORM_BESIDE_MAX + 1, "\r\n",
	    "!A boundary of the form is not at the end of its line.");
	check_long(FILE_HEAD "x" END, 'a', FORM_BESIDE_MAX, "",
	    "[file a.txt text/plain:x].!There are bytes after the form's end.");
	for (int i = 0; i < FORM_FIELDS_MAX + 1; i++)
		trl_buf_adds(&body, FIELD("f", ""));
	trl_buf_add(&body, "", 1);
	assert_non_null(strstr(said(TYPE, (const char *)body.data, body.len, 100),
	    "!The form has more than 16 fields."));
	trl_buf_fini(&body);
}

/* A file that is full of beginnings of a boundary costs no more than another. */
static void
a_file_of_line_ends_is_kept_byte_for_byte(void **state)
{
	struct trl_buf body = { 0 };
	const size_t n = 100000, head = strlen("[file a.txt text/plain:");

	(void)state;
	trl_buf_adds(&body, FILE_HEAD);
	for (size_t i = 0; i < n; i++)
		trl_buf_adds(&body, i % 3 ? "\r\n--X" : "\r");
	trl_buf_adds(&body, END);
	for (size_t piece = 1; piece < 300000; piece = piece * 7 + 1) {
		const char *says = said(TYPE, (const char *)body.data, body.len, piece);
		const size_t len = body.len - strlen(FILE_HEAD) - strlen(END);

		assert_memory_equal(says + head, body.data + strlen(FILE_HEAD), len);
		assert_string_equal(says + head + len, "].");
	}
	trl_buf_fini(&body);
}

static int
open_arena(void **state)
{
	(void)state;
	arena = trl_arena_new((size_t)1 << 30);
	return 0;
}

static int
close_arena(void **state)
{
	(void)state;
	trl_arena_free(&arena);
	trl_buf_fini(&told);
	return 0;
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, open_arena, close_arena)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(fields_then_a_file_wherever_they_are_cut),
		WITH_ARENA(what_is_no_such_form_is_said),
		WITH_ARENA(a_boundary_is_read_or_refused),
		WITH_ARENA(whatever_is_too_long_is_refused),
		WITH_ARENA(a_file_of_line_ends_is_kept_byte_for_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
