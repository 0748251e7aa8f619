/* json_line.c - JSON of one level. Text is escaped as RFC 8259 asks, and what is
 * not UTF-8 becomes U+FFFD, so that a reader never meets a broken line. */
#include "json_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Kept free for the end: ,"cut":1} and the newline. */
enum { TAIL = 16, LONGEST_ESCAPE = 6 };

static size_t
room(const struct trl_line *line)
{
	return TRL_LINE_MAX - TAIL - line->len;
}

static void
put(struct trl_line *line, const char *p, size_t n)
{
	memcpy(line->text + line->len, p, n);
	line->len += n;
}

/* Bytes of the well-formed UTF-8 sequence at p, 0 where there is none (Unicode,
 * table 3-7). p is NUL-terminated, so looking ahead is safe. */
static size_t
sequence(const uint8_t *p)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	if (p[0] == 0xed)
		high = 0x9f;
	if (p[0] == 0xf0)
		low = 0x90;
	if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* Writes one character escaped; gives the bytes it took of p. */
static size_t
put_character(struct trl_line *line, const char *p)
{
	unsigned char c = (unsigned char)*p;
	char escape[LONGEST_ESCAPE + 1];
	size_t n;

	if (c == '"' || c == '\\') {
		put(line, "\\", 1);
		put(line, p, 1);
		return 1;
	}
	if (c < 0x20 || c == 0x7f) {
		snprintf(escape, sizeof escape, "\\u%04x", c);
		put(line, escape, 6);
		return 1;
	}
	n = sequence((const uint8_t *)p);
	if (n == 0) {
		put(line, "\\ufffd", 6);
		return 1;
	}
	put(line, p, n);
	return n;
}

static bool
put_name(struct trl_line *line, const char *name, size_t for_value)
{
	size_t n = strlen(name);

	if (n + 4 + for_value > room(line)) {
		line->cut = true;
		return false;
	}
	if (line->len > 1)
		put(line, ",", 1);
	put(line, "\"", 1);
	put(line, name, n);
	put(line, "\":", 2);
	return true;
}

void
trl_line_begin(struct trl_line *line)
{
	line->text[0] = '{';
	line->len = 1;
	line->cut = false;
}

void
trl_line_str(struct trl_line *line, const char *name, const char *text)
{
	const char *p = text ? text : "";

	if (!put_name(line, name, 2 + LONGEST_ESCAPE))
		return;
	put(line, "\"", 1);
	while (*p != '\0') {
		if (room(line) < LONGEST_ESCAPE + 1) {
			line->cut = true;
			break;
		}
		p += put_character(line, p);
	}
	put(line, "\"", 1);
}

void
trl_line_int(struct trl_line *line, const char *name, int64_t value)
{
	char digits[24];
	int n = snprintf(digits, sizeof digits, "%" PRId64, value);

	if (put_name(line, name, (size_t)n))
		put(line, digits, (size_t)n);
}

void
trl_line_end(struct trl_line *line)
{
	if (line->cut)
		put(line, ",\"cut\":1", 8);
	put(line, "}\n", 2);
}
