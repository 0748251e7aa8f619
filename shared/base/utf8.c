/* UTF-8 by the table of RFC 3629 section 4: the second byte's range depends on
 * the first, which is what rules out overlong forms and surrogates. ASCII, nearly
 * all there is, goes eight bytes at a time. */
#include <string.h>

#include <trl/compiler.h>
#include <trl/utf8.h>

#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

/* Whether eight bytes are ASCII and none is NUL. */
static bool
plain8(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return ((word | (word - ONES)) & HIGHS) == 0;
}

static bool
tail(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Length of the sequence at p, 0 where it is not one. */
static size_t
sequence(const uint8_t *p, size_t left)
{
	uint8_t low = 0x80, high = 0xbf;

	if (p[0] < 0x80)
		return p[0] ? 1 : 0;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	if (p[0] < 0xe0)
		return left >= 2 && tail(p[1]) ? 2 : 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (left < 3 || p[1] < low || p[1] > high || !tail(p[2]))
		return 0;
	if (p[0] < 0xf0)
		return 3;
	return left >= 4 && tail(p[3]) ? 4 : 0;
}

bool
trl_utf8_valid(const char *text, size_t len)
{
	size_t at = 0, n;

	while (at < len) {
		if (len - at >= 8 && plain8(text + at)) {
			at += 8;
			continue;
		}
		n = sequence((const uint8_t *)text + at, len - at);
		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

/* Whether eight bytes are ASCII and none is a control character. */
static bool
shown8(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return ((word | (word - ONES * 0x20) | (word + ONES)) & HIGHS) == 0;
}

size_t
trl_utf8_plain(const char *text, size_t len, const char *controls)
{
	size_t at = 0, n;

	while (at < len) {
		const uint8_t byte = (uint8_t)text[at];

		if (len - at >= 8 && shown8(text + at)) {
			at += 8;
			continue;
		}
		n = sequence((const uint8_t *)text + at, len - at);
		if (n == 0 ||
		    ((byte < 0x20 || byte == 0x7f) && !strchr(controls, byte)))
			return at;
		at += n;
	}
	return at;
}

void
trl_utf8_clean(char *text, size_t len, const char *controls)
{
	size_t at = trl_utf8_plain(text, len, controls);

	while (at < len) {
		text[at++] = '?';
		at += trl_utf8_plain(text + at, len - at, controls);
	}
}

size_t
trl_utf8_cut(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && tail((uint8_t)text[max]))
		max--;
	return max;
}

size_t
trl_utf8_count(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += !tail((uint8_t)text[i]);
	return count;
}

uint32_t
trl_utf8_next(const char *text, size_t len, size_t *at)
{
	const uint8_t *p = (const uint8_t *)text + *at;
	size_t n = sequence(p, len - *at);
	uint32_t code;

	if (n <= 1) {
		(*at)++;
		return p[0];
	}
	code = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		code = code << 6 | (p[i] & 0x3f);
	*at += n;
	return code;
}

size_t
trl_utf8_put(uint32_t code, char out[4])
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(lead[n] | code);
	return n;
}

struct range {
	uint32_t first, last;
};

static bool
among(const struct range *ranges, size_t n, uint32_t code)
{
	for (size_t i = 0; i < n && code >= ranges[i].first; i++)
		if (code <= ranges[i].last)
			return true;
	return false;
}

bool
trl_utf8_blank(uint32_t code)
{
	static const struct range ranges[] = { { 0x9, 0xd }, { 0x20, 0x20 },
		{ 0x85, 0x85 }, { 0xa0, 0xa0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200a },
		{ 0x2028, 0x2029 }, { 0x202f, 0x202f }, { 0x205f, 0x205f },
		{ 0x3000, 0x3000 } };

	return among(ranges, TRL_COUNT(ranges), code);
}

bool
trl_utf8_hidden(uint32_t code)
{
	static const struct range ranges[] = { { 0, 0x8 }, { 0xe, 0x1f },
		{ 0x7f, 0x84 }, { 0x86, 0x9f }, { 0xad, 0xad }, { 0x34f, 0x34f },
		{ 0x61c, 0x61c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 },
		{ 0x180b, 0x180f }, { 0x200b, 0x200f }, { 0x202a, 0x202e },
		{ 0x2060, 0x206f }, { 0x2800, 0x2800 } /* the empty Braille pattern */,
		{ 0x3164, 0x3164 }, { 0xfdd0, 0xfdef }, { 0xfe00, 0xfe0f },
		{ 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 },
		{ 0xfff0, 0xfffb } /* anchors of annotations among them */,
		{ 0x16fe4, 0x16fe4 } /* Khitan filler */, { 0x1bca0, 0x1bca3 },
		{ 0x1d159, 0x1d159 } /* null notehead */, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe0fff } };

	return (code & 0xfffe) == 0xfffe || among(ranges, TRL_COUNT(ranges), code);
}
