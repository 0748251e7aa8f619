/* names.c - names in mails to people outside. Somebody's name, and an organisation's,
 * are whatever their owners typed; mail programs make links of what looks like one, and
 * then a name in our frame is an advertisement of theirs. So a word that reads as an
 * address or a link is left out of a name there. */
#include <string.h>

#include <trl/utf8.h>

#include "words/words.h"

/* The full stops that a name of a host may have (UTS #46), and two that look alike. */
static bool
is_dot(uint32_t code)
{
	return code == '.' || code == 0x3002 || code == 0xff0e || code == 0xff61 ||
	       code == 0x2024 || code == 0xfe52;
}

static bool
is_at(uint32_t code)
{
	return code == '@' || code == 0xff20 || code == 0xfe6b;
}

static bool
is_punctuation(uint32_t code)
{
	return code < 0x80 && strchr(".,;:!?()[]{}<>\"'", (int)code) != NULL;
}

/* Whether a word has a scheme, an @, or a dot with a top-level domain's beginning (two
 * characters or more) behind it: "Inc.", "J.R." and "3.5" are names. */
static bool
reads_as_link(const char *word, size_t len)
{
	uint32_t code, before = 0;
	bool dotted = false;
	size_t behind = 0;

	for (size_t at = 0; at < len; before = code) {
		code = trl_utf8_next(word, len, &at);
		if (is_at(code) || (code == '/' && before == '/'))
			return true;
		if (is_dot(code)) {
			dotted = before != 0;
			behind = 0;
		} else if (code < 0x80 &&
			   (code < 'A' || (code > 'Z' && code < 'a') || code > 'z')) {
			dotted = dotted && code == '-';
			behind = 0;
		} else if (dotted && ++behind == 2) {
			return true;
		}
	}
	return false;
}

/* Where the next word begins and ends; false: there is none. */
static bool
next_word(const char *text, size_t len, size_t *from, size_t *to)
{
	size_t at = *to;

	*from = len;
	while (at < len) {
		const size_t here = at;
		const uint32_t code = trl_utf8_next(text, len, &at);

		if (!trl_utf8_blank(code) && *from == len)
			*from = here;
		if (trl_utf8_blank(code) && *from < len) {
			*to = here;
			return true;
		}
	}
	*to = len;
	return *from < len;
}

static bool
says_something(const char *text)
{
	for (; *text; text++)
		if (!is_punctuation((unsigned char)*text) && *text != ' ')
			return true;
	return false;
}

const char *
notify_name_plain(trl_arena *arena, const char *name)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { 0 };
	const size_t len = strlen(name);
	size_t from, to = 0;

	while (next_word(name, len, &from, &to)) {
		if (reads_as_link(name + from, to - from))
			continue;
		if (out.len > 0)
			trl_buf_adds(&out, " ");
		trl_buf_add(&out, name + from, to - from);
	}
	trl_buf_add(&out, "", 1);
	return says_something((const char *)out.data)
		   ? trl_arena_strdup(arena, (const char *)out.data)
		   : "…";
}

static bool
is_name(const char *field)
{
	static const char *const fields[] = { "name", "display_name", "tenant_name" };

	for (size_t i = 0; field && i < TRL_COUNT(fields); i++)
		if (strcmp(field, fields[i]) == 0)
			return true;
	return false;
}

/* Contracts hold no cycles, so this ends. */
void
notify_names_plain(trl_arena *arena, struct notify_value *values)
{
	for (struct notify_value *v = values->first; v; v = v->next) {
		if (v->kind != NOTIFY_VALUE_TEXT)
			notify_names_plain(arena, v);
		else if (is_name(v->name) && *v->text)
			v->text = notify_name_plain(arena, v->text);
	}
}
