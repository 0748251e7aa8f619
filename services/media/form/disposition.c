/* disposition.c - see disposition.h. Browsers write names in quotes as they are, with
 * %22 for a quote (WHATWG); others put a backslash before quotes and backslashes. A
 * name that has %22 itself cannot be told from that, so nothing is made of it. */
#include "form/disposition.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool
is_token(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void
skip_blanks(const char *text, size_t len, size_t *at)
{
	while (*at < len && (text[*at] == ' ' || text[*at] == '\t'))
		(*at)++;
}

static const char *
token_as_it_is(trl_arena *arena, const char *text, size_t len, size_t *at)
{
	const size_t from = *at;

	while (*at < len && is_token(text[*at]))
		(*at)++;
	return *at > from ? trl_arena_strndup(arena, text + from, *at - from) : NULL;
}

const char *
token_next(trl_arena *arena, const char *text, size_t len, size_t *at)
{
	char *token = (char *)(uintptr_t)token_as_it_is(arena, text, len, at);

	for (char *c = token; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return token;
}

/* A backslash before the last quote of all is one: a name may end with it. */
static bool
is_escape(const char *at, const char *last)
{
	return *at == '\\' && at + 1 < last && (at[1] == '\\' || at[1] == '"');
}

/* NULL: it has no end. */
static const char *
quoted_next(trl_arena *arena, const char *text, size_t len, size_t *at)
{
	const char *const from = text + *at + 1;
	const char *const last = memrchr(from, '"', len - *at - 1);
	const char *to = from;
	char *value, *end;

	if (!last)
		return NULL;
	while (*to != '"')
		to += is_escape(to, last) ? 2 : 1;
	value = end = trl_arena_alloc(arena, (size_t)(to - from) + 1);
	for (const char *c = from; c < to; c++) {
		if (is_escape(c, last))
			c++;
		*end++ = *c;
	}
	*end = '\0';
	*at = (size_t)(to + 1 - text);
	return value;
}

int
parameter_next(
    trl_arena *arena, const char *text, size_t len, size_t *at, struct parameter *out)
{
	skip_blanks(text, len, at);
	while (*at < len && text[*at] == ';') {
		(*at)++;
		skip_blanks(text, len, at);
		if (*at >= len || text[*at] == ';')
			continue; /* an empty one */
		out->name = token_next(arena, text, len, at);
		if (!out->name || *at >= len || text[(*at)++] != '=')
			return -1;
		out->value = *at < len && text[*at] == '"'
				 ? quoted_next(arena, text, len, at)
				 : token_as_it_is(arena, text, len, at);
		return out->value ? 1 : -1;
	}
	return *at < len ? -1 : 0;
}

static int
hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* UTF-8'language'percent-encoded (RFC 8187, which has no other charset any more). NULL,
 * or what is wrong: a name is never lost in silence. */
static const char *
extended_value(trl_arena *arena, const char *text, const char **out)
{
	char *value, *end;

	if (strncasecmp(text, "utf-8'", 6) != 0)
		return "filename* in Content-Disposition must be UTF-8'' and the name "
		       "(RFC 8187).";
	text = strchr(text + 6, '\'');
	if (!text)
		return "filename* in Content-Disposition must be UTF-8'' and the name "
		       "(RFC 8187).";
	value = end = trl_arena_alloc(arena, strlen(++text) + 1);
	for (; *text; text++, end++) {
		*end = *text;
		if (*text == '%') {
			const int high = hex_of(text[1]),
				  low = high < 0 ? -1 : hex_of(text[2]);

			if (low < 0)
				return "filename* in Content-Disposition has a % "
				       "without two hexadecimal digits (RFC 8187).";
			if (high + low == 0)
				return "filename* in Content-Disposition has a NUL.";
			*end = (char)(high << 4 | low);
			text += 2;
		}
	}
	*end = '\0';
	*out = value;
	return NULL;
}

/* Takes one; NULL, or what is wrong. */
static const char *
take(trl_arena *arena, const struct parameter *parameter, struct disposition *out,
    const char **extended)
{
	const char **into = NULL;

	if (strcmp(parameter->name, "name") == 0)
		into = &out->name;
	else if (strcmp(parameter->name, "filename") == 0)
		into = &out->filename;
	else if (strcmp(parameter->name, "filename*") == 0)
		into = extended;
	if (into && *into)
		return "Content-Disposition has a parameter twice.";
	if (into && into == extended)
		return extended_value(arena, parameter->value, extended);
	if (into)
		*into = parameter->value;
	return NULL;
}

const char *
disposition_read(
    trl_arena *arena, const char *text, size_t len, struct disposition *out)
{
	const char *extended = NULL, *wrong = NULL;
	struct parameter parameter;
	size_t at = 0;
	int found = 0;

	*out = (struct disposition){ 0 };
	if (memchr(text, 0, len))
		return "Content-Disposition has a NUL.";
	skip_blanks(text, len, &at);
	out->type = token_next(arena, text, len, &at);
	if (!out->type)
		return "Content-Disposition has no type, such as attachment.";
	while (
	    !wrong && (found = parameter_next(arena, text, len, &at, &parameter)) > 0)
		wrong = take(arena, &parameter, out, &extended);
	if (!wrong && found < 0)
		wrong = "Content-Disposition has something that is no parameter, such "
			"as filename=\"a.txt\".";
	if (extended)
		out->filename = extended;
	return wrong;
}
