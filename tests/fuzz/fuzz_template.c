/* An organisation's words from outside, and a value: the first line is the value, the
 * rest the words. Whatever they are, they are refused with a line that is there, or
 * what they make is bounded; a value never ends a line of a plain part, and in HTML
 * brings no mark that the words do not hold. */
#include <stdint.h>
#include <string.h>

#include <trl/arena.h>

#include "words/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
extern const char *const fuzz_tokens[];

const char *const fuzz_tokens[] = { "{{v}}", "{{#v}}", "{{/v}}", "{{^v}}", "{{.}}",
	"{{#list}}", "{{/list}}", "{{map.v}}", "{{#map}}", "{{/map}}", "{{! x }}",
	"{{{content}}}", "{{", "}}", "{{{", "}}}", "\r\n", "<", "&", "\"", NULL };

static size_t
count(const char *text, size_t len, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == c;
	return n;
}

static struct notify_value *
values_with(trl_arena *arena, const char *value)
{
	struct notify_value *map = notify_value_map(arena), *inner;

	notify_value_add_text(arena, map, "v", value);
	inner = notify_value_add(arena, map, "map", NOTIFY_VALUE_MAP);
	notify_value_add_text(arena, inner, "v", value);
	inner = notify_value_add(arena, map, "list", NOTIFY_VALUE_LIST);
	for (int i = 0; i < 3; i++)
		notify_value_add_text(arena, inner, NULL, value);
	return map;
}

static void
check_made(const char *words, const char *value, enum notify_escape escape,
    const struct trl_buf *out)
{
	const char *made = (const char *)out->data;

	trl_assert(out->len <= NOTIFY_TEMPLATE_OUT);
	if (escape == NOTIFY_PLAIN)
		trl_assert(
		    count(made, out->len, '\n') + count(made, out->len, '\r') == 0);
	if (escape == NOTIFY_HTML && strchr(words, '<') == NULL)
		trl_assert(count(made, out->len, '<') == 0);
	if (strstr(words, "{{") == NULL && escape == NOTIFY_TEXT)
		trl_assert(out->len == strlen(words));
	(void)value;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	trl_arena *arena = trl_arena_new(0);
	char *text = trl_arena_strndup(arena, (const char *)data, len);
	const size_t line = strcspn(text, "\n");
	const char *words = text + line + (text[line] == '\n');
	const char *value = trl_arena_strndup(arena, text, line);
	struct notify_run error = { .left = NOTIFY_STEPS }, again = { 0 };
	const bool fine = notify_template_check(words, &error);

	for (int escape = NOTIFY_PLAIN; escape <= NOTIFY_HTML; escape++) {
		struct trl_buf out = { 0 };
		bool made;

		again = (struct notify_run){ .left = NOTIFY_STEPS };
		made = notify_template_render(words, values_with(arena, value),
		    (enum notify_escape)escape, &out, &again);

		trl_assert((fine || !made) && again.left <= NOTIFY_STEPS);
		if (!made)
			trl_assert(again.what && again.line >= 1 &&
				   again.line <= 1 + count(words, strlen(words), '\n'));
		else if (out.len)
			check_made(words, value, (enum notify_escape)escape, &out);
		trl_buf_fini(&out);
	}
	trl_arena_free(&arena);
	return 0;
}
