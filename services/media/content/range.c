/* range.c - byte ranges, read once from left to right in time of the header's length;
 * numbers of any length, since what is beyond 2^64 is beyond any file. */
#include "content/range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* One or more digits; a number that is too large for 64 bits is the largest. */
static bool
read_number(const char **at, uint64_t *number)
{
	const char *p = *at;

	*number = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		const uint64_t digit = (uint64_t)(*p - '0');

		*number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX
							      : *number * 10 + digit;
	}
	if (p == *at)
		return false;
	*at = p;
	return true;
}

/* "-5": the last five, or all where there are fewer; of nothing, all of it. */
static bool
read_suffix(const char **at, uint64_t size, struct content_span *span, bool *is_there)
{
	uint64_t len;

	++*at;
	if (!read_number(at, &len))
		return false;
	*is_there = len > 0;
	if (*is_there)
		*span = (struct content_span){ len < size ? size - len : 0, size - 1 };
	return true;
}

/* "5-9" or "5-". */
static bool
read_span(const char **at, uint64_t size, struct content_span *span, bool *is_there)
{
	uint64_t first, last = UINT64_MAX;

	if (**at == '-')
		return read_suffix(at, size, span, is_there);
	if (!read_number(at, &first) || *(*at)++ != '-')
		return false;
	if (**at >= '0' && **at <= '9' && !read_number(at, &last))
		return false;
	*is_there = first < size;
	if (*is_there)
		*span = (struct content_span){ first, last < size ? last : size - 1 };
	return last >= first;
}

/* Goes on to the next element of a list, over empty ones (RFC 9110, 5.6.1); false:
 * what stands here is none. */
static bool
next_element(const char **at, bool is_first)
{
	const char *p = *at + strspn(*at, " \t");

	if (!is_first && *p && *p != ',')
		return false;
	*at = p + strspn(p, " \t,");
	return true;
}

enum content_range
content_range_read(const char *text, uint64_t size,
    struct content_span spans[CONTENT_SPANS_MAX], size_t *n)
{
	uint64_t left = size;
	bool any = false;

	*n = 0;
	if (!text || strncasecmp(text, "bytes=", 6) != 0)
		return CONTENT_WHOLE;
	text += 6;
	while (next_element(&text, !any)) {
		struct content_span span;
		bool is_there = false;

		if (!*text)
			return *n ? CONTENT_SPANS : any ? CONTENT_NONE : CONTENT_WHOLE;
		if (!read_span(&text, size, &span, &is_there))
			return CONTENT_WHOLE;
		any = true;
		if (!is_there)
			continue;
		if (*n == CONTENT_SPANS_MAX || span.last - span.first >= left)
			return CONTENT_WHOLE;
		left -= span.last - span.first + 1;
		spans[(*n)++] = span;
	}
	return CONTENT_WHOLE;
}
