/* Words with places for values: what they make of values, what is refused, and that
 * values do nothing but stand where they are put. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "words/template.h"
#include "words/words.h"
#include "test_arena.h"

static struct notify_value *
values(void)
{
	struct notify_value *map = notify_value_map(arena), *inner;

	notify_value_add_text(arena, map, "name", "Ada");
	notify_value_add_text(arena, map, "empty", "");
	inner = notify_value_add(arena, map, "tenant", NOTIFY_VALUE_MAP);
	notify_value_add_text(arena, inner, "name", "Acme");
	notify_value_add_text(arena, inner, "slug", "acme");
	inner = notify_value_add(arena, map, "list", NOTIFY_VALUE_LIST);
	notify_value_add_text(arena, inner, NULL, "one");
	notify_value_add_text(arena, inner, NULL, "two");
	inner = notify_value_add(arena, map, "people", NOTIFY_VALUE_LIST);
	for (int i = 0; i < 2; i++)
		notify_value_add_text(arena,
		    notify_value_add(arena, inner, NULL, NOTIFY_VALUE_MAP), "who",
		    i ? "Bob" : "Cy");
	notify_value_add(arena, map, "none", NOTIFY_VALUE_LIST);
	return map;
}

static const char *
rendered(const char *words, const struct notify_value *map, enum notify_escape escape)
{
	struct notify_run error = { .left = NOTIFY_STEPS };
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { 0 };

	if (!notify_template_render(words, map, escape, &out, &error))
		return trl_arena_printf(arena, "line %u: %s", error.line, error.what);
	trl_buf_add(&out, "", 1);
	return trl_arena_strdup(arena, (const char *)out.data);
}

/* An amount in words of a language. */
static const char *
spoken(int64_t minor, const char *currency, const char *locale)
{
	struct notify_run run = { .left = NOTIFY_STEPS,
		.comma = notify_has_comma(locale) };
	struct notify_value *map = notify_value_map(arena);
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { 0 };

	notify_value_add_money(arena, map, "due", minor, currency);
	assert_true(notify_template_render("{{due}}.", map, NOTIFY_PLAIN, &out, &run));
	trl_buf_add(&out, "", 1);
	return trl_arena_strdup(arena, (const char *)out.data);
}

/* G1, G6: by the currency's own places. */
static void
amounts_are_written_as_the_language_does(void **state)
{
	static const struct {
		int64_t minor;
		const char *currency, *locale, *text;
	} cases[] = {
		{ 5400, "EUR", "en", "54.00_EUR." },
		{ 5400, "EUR", "de-AT", "54,00_EUR." },
		{ 5400, "EUR", NULL, "54.00_EUR." },
		{ -5, "EUR", "de", "-0,05_EUR." },
		{ 500, "JPY", "ja", "500_JPY." },
		{ 1234567, "JPY", "en", "1_234_567_JPY." },
		{ 123456, "EUR", "en", "1234.56_EUR." },
		{ -12345678, "EUR", "fr", "-123_456,78_EUR." },
		{ 1234, "KWD", "en", "1.234_KWD." },
		{ INT64_MIN, "JPY", "en", "-9_223_372_036_854_775_808_JPY." },
		{ 1, "XYZ", "en", "." },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(cases); i++) {
		const char *made =
		    spoken(cases[i].minor, cases[i].currency, cases[i].locale);
		char plain[80], *end = plain;

		for (; *made; made++) /* a space that does not break is shown as _ */
			if ((unsigned char)*made == 0xc2)
				*end++ = '_', made++;
			else
				*end++ = *made;
		*end = '\0';
		assert_string_equal(plain, cases[i].text);
	}
}

static void
fills_in_values_and_sections(void **state)
{
	static const struct {
		const char *words, *made;
	} cases[] = {
		{ "Hello {{name}}!", "Hello Ada!" },
		{ "{{ name }}", "Ada" },
		{ "{{missing}}.", "." },
		{ "{{tenant.name}}", "Acme" },
		{ "{{tenant.name.more}}", "" },
		{ "{{tenant}}", "" },
		{ "{{#tenant}}{{name}}/{{slug}}{{/tenant}}", "Acme/acme" },
		{ "{{#tenant.name}}yes{{/tenant.name}}", "yes" },
		{ "{{#empty}}yes{{/empty}}{{^empty}}no{{/empty}}", "no" },
		{ "{{#none}}yes{{/none}}{{^none}}no{{/none}}", "no" },
		{ "{{^name}}no{{/name}}", "" },
		{ "{{#list}}<{{.}}>{{/list}}", "<one><two>" },
		{ "{{#people}}{{who}} of {{tenant.name}};{{/people}}",
		    "Cy of Acme;Bob of Acme;" },
		{ "{{#list}}{{#people}}{{.}}{{who}}{{/people}}{{/list}}",
		    "CyBobCyBob" },
		{ "a{{! words }}b", "ab" },
		{ "a\n{{#name}}\nb\n{{/name}}\nc\n", "a\nb\nc\n" },
		{ "a\n  {{! alone }}  \nb", "a\nb" },
		{ "a {{#name}}\nb{{/name}}", "a \nb" },
		{ "{{#a}}{{#b}}{{/b}}{{/a}}x", "x" },
		{ "}} { {x} }", "}} { {x} }" },
		{ "", "" },
	};
	struct notify_value *map = values();

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(cases); i++)
		assert_string_equal(
		    rendered(cases[i].words, map, NOTIFY_TEXT), cases[i].made);
}

static void
refuses_what_is_not_well_formed_and_says_where(void **state)
{
	static const struct {
		const char *words, *said;
	} cases[] = {
		{ "one\ntwo {{name", "line 2: a tag is not closed" },
		{ "{{#a}}\n{{#b}}\n{{/a}}", "line 3: a section is closed that" },
		{ "x\n\n{{#a}}", "line 3: a section is not closed" },
		{ "{{/a}}", "line 1: a section is closed that" },
		{ "{{}}", "line 1: a tag holds a name" },
		{ "{{a b}}", "line 1: a tag holds a name" },
		{ "{{A}}", "line 1: a tag holds a name" },
		{ "{{a..b}}", "line 1: a tag holds a name" },
		{ "{{.a}}", "line 1: a tag holds a name" },
		{ "{{a.}}", "line 1: a tag holds a name" },
		{ "{{> part}}", "line 1: a tag holds a name" },
		{ "{{=<% %>=}}", "line 1: a tag holds a name" },
		{ "{{{name}}}", "line 1: values are always escaped" },
		{ "{{{content}}", "line 1: a tag is not closed" },
		{ "{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}",
		    "line 1: sections lie too deep" },
	};
	struct notify_value *map = values();

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(cases); i++) {
		struct notify_run error = { .left = NOTIFY_STEPS };

		assert_false(notify_template_check(cases[i].words, &error));
		assert_memory_equal(rendered(cases[i].words, map, NOTIFY_TEXT),
		    cases[i].said, strlen(cases[i].said));
	}
}

static void
hostile_values_are_inert(void **state)
{
	static const struct {
		const char *value, *html, *text, *plain;
	} cases[] = {
		{ "<script>alert('x')</script>",
		    "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;",
		    "<script>alert('x')</script>", "<script>alert('x')</script>" },
		{ "\" onload=\"x", "&quot; onload=&quot;x", "\" onload=\"x",
		    "\" onload=\"x" },
		{ "a\r\nBcc: b@example.com", "a  Bcc: b@example.com",
		    "a  Bcc: b@example.com", "a  Bcc: b@example.com" },
		{ "{{name}}", "{{name}}", "{{name}}", "{{name}}" },
		{ "{{#list}}", "{{#list}}", "{{#list}}", "{{#list}}" },
		{ "&amp;", "&amp;amp;", "&amp;", "&amp;" },
		{ "\x1b[31m\x7f", " [31m ", " [31m ", " [31m " },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(cases); i++) {
		struct notify_value *map = notify_value_map(arena);

		notify_value_add_text(arena, map, "v", cases[i].value);
		assert_string_equal(rendered("{{v}}", map, NOTIFY_HTML), cases[i].html);
		assert_string_equal(rendered("{{v}}", map, NOTIFY_TEXT), cases[i].text);
		assert_string_equal(
		    rendered("{{v}}", map, NOTIFY_PLAIN), cases[i].plain);
	}
}

static void
a_line_of_a_plain_part_is_one_whatever_the_words_hold(void **state)
{
	(void)state;
	assert_string_equal(
	    rendered("a\r\nb\n{{name}}", values(), NOTIFY_PLAIN), "a  b Ada");
}

static void
what_grows_without_end_is_refused(void **state)
{
	struct notify_value *map = notify_value_map(arena), *list;
	char *huge = trl_arena_alloc(arena, NOTIFY_TEMPLATE_OUT + 2);

	(void)state;
	memset(huge, 'x', NOTIFY_TEMPLATE_OUT + 1);
	huge[NOTIFY_TEMPLATE_OUT + 1] = '\0';
	notify_value_add_text(arena, map, "huge", huge);
	assert_string_equal(rendered("\n{{huge}}", map, NOTIFY_TEXT),
	    "line 2: what it makes is too long");
	list = notify_value_add(arena, map, "list", NOTIFY_VALUE_LIST);
	for (int i = 0; i < 100; i++)
		notify_value_add_text(arena, list, NULL, "x");
	assert_string_equal(
	    rendered("{{#list}}{{#list}}{{#list}}{{#list}}{{/list}}{{/list}}"
		     "{{/list}}{{/list}}",
		map, NOTIFY_TEXT),
	    "line 1: it takes too many steps: sections stand too often in others");
	huge[NOTIFY_TEMPLATE_BYTES + 1] = '\0';
	assert_string_equal(rendered(huge, map, NOTIFY_TEXT), "line 1: it is too long");
}

/* Whatever is gone over again and again is paid for: words that are passed over, blanks
 * before a tag, comments, names that are looked for in vain. */
static void
what_is_walked_over_is_counted(void **state)
{
	static const struct {
		const char *before, *filling, *after;
	} cases[] = {
		{ "{{#list}}{{#list}}{{^name}}", "words that nobody sees ",
		    "{{/name}}{{/list}}{{/list}}" },
		{ "{{#list}}{{#list}}\n", "  \t ", "{{! }}\n{{/list}}{{/list}}" },
		{ "{{#list}}{{#list}}{{! ", "words ", "}}{{/list}}{{/list}}" },
		{ "{{#list}}{{#list}}", "{{missing}}", "{{/list}}{{/list}}" },
		{ "{{#list}}{{#list}}", "{{#missing}}{{/missing}}",
		    "{{/list}}{{/list}}" },
		{ "{{#list}}{{#list}}", "{{#name}}{{#name}}{{.}}{{/name}}{{/name}}",
		    "{{/list}}{{/list}}" },
	};
	struct notify_value *map = notify_value_map(arena), *list;

	(void)state;
	notify_value_add_text(arena, map, "name", "Ada");
	list = notify_value_add(arena, map, "list", NOTIFY_VALUE_LIST);
	for (int i = 0; i < 50; i++)
		notify_value_add_text(arena, list, NULL, "x");
	for (size_t i = 0; i < TRL_COUNT(cases); i++) {
		TRL_AUTO(trl_buf_fini) struct trl_buf words = { 0 }, out = { 0 };
		struct notify_run run = { .left = NOTIFY_STEPS };

		trl_buf_adds(&words, cases[i].before);
		while (words.len < 60000)
			trl_buf_adds(&words, cases[i].filling);
		trl_buf_adds(&words, cases[i].after);
		trl_buf_add(&words, "", 1);
		assert_false(notify_template_render(
		    (const char *)words.data, map, NOTIFY_TEXT, &out, &run));
		assert_true(run.spent);
		assert_non_null(strstr(run.what, "too many steps"));
	}
}

/* A message's parts share what there is. */
static void
steps_are_taken_from_what_is_left(void **state)
{
	struct notify_run run = { .left = NOTIFY_STEPS_ON_LOOP };
	struct trl_buf out = { 0 };
	size_t before;

	(void)state;
	for (int i = 0; i < 3; i++) {
		before = run.left;
		assert_true(notify_template_render("{{#people}}{{who}}{{/people}}",
		    values(), NOTIFY_HTML, &out, &run));
		assert_in_range(before - run.left, 1, 200);
	}
	trl_buf_fini(&out);
}

static void
the_layout_alone_holds_what_is_not_escaped(void **state)
{
	struct notify_value *map = notify_value_map(arena);

	(void)state;
	notify_value_add_text(arena, map, "content", "<p>\nyes</p>");
	assert_string_equal(rendered("<div>{{{content}}}</div>", map, NOTIFY_HTML),
	    "<div><p>\nyes</p></div>");
}

static void
every_built_in_part_is_well_formed_in_both_languages(void **state)
{
	struct notify_run error = { .left = NOTIFY_STEPS };

	(void)state;
	assert_true(notify_words_built_in_count >= 34);
	for (size_t i = 0; i < notify_words_built_in_count; i++) {
		const struct notify_words *words = &notify_words_built_in[i];
		const char *const parts[] = { words->subject, words->summary,
			words->action ? words->action : "", words->text, words->html };

		assert_non_null(notify_words_of(words->kind, "en"));
		assert_non_null(notify_words_of(words->kind, "de"));
		for (size_t k = 0; k < TRL_COUNT(parts); k++) {
			if (!notify_template_check(parts[k], &error))
				fail_msg("%s.%s, line %u: %s", words->kind,
				    words->locale, error.line, error.what);
			assert_string_not_equal(k == 2 ? "x" : parts[k], "");
		}
	}
}

static void
words_are_sought_in_the_language_its_base_and_english(void **state)
{
	static const struct {
		const char *locale, *sought;
	} cases[] = {
		{ "de-AT", "de-AT de en" },
		{ "de", "de en" },
		{ "en-GB", "en-GB en" },
		{ "en", "en" },
		{ "zh-Hant-TW", "zh-Hant-TW zh en" },
		{ NULL, "en" },
		{ "", "en" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(cases); i++) {
		const char *out[NOTIFY_LOCALES];
		char buffer[64], all[128] = "";

		notify_locales(cases[i].locale, buffer, out);
		for (size_t k = 0; out[k]; k++)
			snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s",
			    k ? " " : "", out[k]);
		assert_string_equal(all, cases[i].sought);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in_values_and_sections),
		cmocka_unit_test(amounts_are_written_as_the_language_does),
		cmocka_unit_test(refuses_what_is_not_well_formed_and_says_where),
		cmocka_unit_test(hostile_values_are_inert),
		cmocka_unit_test(a_line_of_a_plain_part_is_one_whatever_the_words_hold),
		cmocka_unit_test(what_grows_without_end_is_refused),
		cmocka_unit_test(what_is_walked_over_is_counted),
		cmocka_unit_test(steps_are_taken_from_what_is_left),
		cmocka_unit_test(the_layout_alone_holds_what_is_not_escaped),
		cmocka_unit_test(every_built_in_part_is_well_formed_in_both_languages),
		cmocka_unit_test(words_are_sought_in_the_language_its_base_and_english),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
