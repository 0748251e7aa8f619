/* range.h - which bytes a Range header asks for (RFC 9110, 14). Pure; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { CONTENT_SPANS_MAX = 16 }; /* a request for more gets the whole */

struct content_span {
	uint64_t first, last; /* inclusive */
};

enum content_range {
	CONTENT_WHOLE, /* no range was asked for, or none that counts */
	CONTENT_SPANS, /* 206: n of them, in the order of the request */
	CONTENT_NONE   /* 416: none of them exists */
};

/* Parses a Range header (NULL: none was sent) for size bytes. Ignored are what is not a
 * list of byte ranges, more than CONTENT_SPANS_MAX of them, and ranges that together
 * are longer than the whole. A range that does not exist is left out if others do. */
enum content_range content_range_read(const char *text, uint64_t size,
    struct content_span spans[CONTENT_SPANS_MAX], size_t *n);
