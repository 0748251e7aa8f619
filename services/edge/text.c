/* text.c - percent-encoding (RFC 3986, 2.1), decoded exactly once. */
#include <string.h>

#include "edge.h"

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

const char *
edge_percent_decode(
    trl_arena *arena, const char *text, size_t len, bool plus, size_t *out_len)
{
	char *out = trl_arena_alloc(arena, len + 1);
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			const int high = i + 2 < len ? hex(text[i + 1]) : -1;
			const int low = i + 2 < len ? hex(text[i + 2]) : -1;

			if (high < 0 || low < 0 || (high == 0 && low == 0))
				return NULL;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		out[n++] = c;
	}
	out[n] = '\0';
	*out_len = n;
	return edge_utf8(out, n) ? out : NULL;
}

/* The length of a well-formed sequence (RFC 3629) at text, 0: none. */
static size_t
sequence(const uint8_t *text, size_t left)
{
	static const struct {
		uint8_t mask, lead;
		size_t len;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 1, 0 }, { 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 }, { 0xf8, 0xf0, 4, 0x10000 } };
	size_t f, i;

	for (f = 0; f < TRL_COUNT(forms); f++) {
		uint32_t point = text[0] & (uint8_t)~forms[f].mask;

		if ((text[0] & forms[f].mask) != forms[f].lead)
			continue;
		if (forms[f].len > left)
			return 0;
		for (i = 1; i < forms[f].len; i++) {
			if ((text[i] & 0xc0) != 0x80)
				return 0;
			point = point << 6 | (text[i] & 0x3f);
		}
		if (point < forms[f].least || point > 0x10ffff ||
		    (point >= 0xd800 && point <= 0xdfff))
			return 0;
		return forms[f].len;
	}
	return 0;
}

bool
edge_utf8(const char *text, size_t len)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t i = 0;

	while (i < len) {
		const size_t n = sequence(at + i, len - i);

		if (!n)
			return false;
		i += n;
	}
	return true;
}
