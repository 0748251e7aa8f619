/* disposition.c - a file's name in a header field. It is read by characters, so that
 * one that is no ASCII is one "_" of the plain name, and a broken one is, too. */
#include <ctype.h>
#include <string.h>

#include <trl/compiler.h>
#include <trl/disposition.h>
#include <trl/utf8.h>

enum { NAME_MAX_BYTES = 255 };

/* Controls, those of direction among them, by which a name would look like another. */
static bool
is_harmful(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0, 0x1f },
		{ '/', '/' },
		{ '\\', '\\' },
		{ 0x7f, 0x9f },
		{ 0x61c, 0x61c },
		{ 0x200e, 0x200f },
		{ 0x2028, 0x202e },
		{ 0x2066, 0x2069 },
	};

	for (size_t i = 0; i < TRL_COUNT(ranges); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

/* What every client takes between quotes as it is. */
static bool
is_plain(uint32_t code)
{
	return code < 0x80 && (isalnum((int)code) || strchr("-._ ()", (int)code));
}

/* attr-char of RFC 8187, 3.2.1. */
static bool
is_bare(uint8_t byte)
{
	return byte < 0x80 && (isalnum(byte) || strchr("!#$&+-.^_`|~", byte));
}

static char *
put_encoded(char *to, const char *text, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; len > 0; len--, text++) {
		const uint8_t byte = (uint8_t)*text;

		if (is_bare(byte)) {
			*to++ = (char)byte;
			continue;
		}
		*to++ = '%';
		*to++ = digits[byte >> 4];
		*to++ = digits[byte & 15];
	}
	return to;
}

/* The length of the character at the beginning; 1 of what is none, with code 0. */
static size_t
first_character(const char *text, size_t len, uint32_t *code)
{
	for (size_t n = 1; n <= 4 && n <= len; n++) {
		size_t at = 0;

		if (!trl_utf8_valid(text, n))
			continue;
		*code = trl_utf8_next(text, n, &at);
		return n;
	}
	*code = 0;
	return 1;
}

const char *
trl_disposition(trl_arena *arena, const char *name, bool is_inline)
{
	const char *kind = is_inline ? "inline" : "attachment";
	size_t len = name ? strlen(name) : 0, n;
	char *plain, *whole, *p, *w;
	/* A folder's name, or none at all once an end's dots are cut off. */
	const bool is_dots = name && strspn(name, ".") == len;
	bool is_same = true;

	if (!len)
		return kind;
	if (len > NAME_MAX_BYTES)
		len = trl_utf8_cut(name, len, NAME_MAX_BYTES);
	p = plain = trl_arena_alloc(arena, len + 1);
	w = whole = trl_arena_alloc(arena, 3 * len + 1);
	for (size_t at = 0; at < len; at += n) {
		uint32_t code;

		n = first_character(name + at, len - at, &code);
		if (is_harmful(code) || is_dots) {
			*w++ = *p++ = '_';
			continue;
		}
		w = put_encoded(w, name + at, n);
		/* The first dot would hide the file. */
		*p = is_plain(code) && (at > 0 || code != '.') ? (char)code : '_';
		is_same = is_same && (uint32_t)(uint8_t)*p == code;
		p++;
	}
	*p = *w = '\0';
	if (is_same)
		return trl_arena_printf(arena, "%s; filename=\"%s\"", kind, plain);
	return trl_arena_printf(
	    arena, "%s; filename=\"%s\"; filename*=UTF-8''%s", kind, plain, whole);
}
