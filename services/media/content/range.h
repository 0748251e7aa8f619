/* range.h - which bytes a Range header asks for (RFC 9110, 14). Pure; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { CONTENT_SPANS_MAX = 16 }; /* that are given; who asks for more gets the whole */

struct content_span {
	uint64_t first, last; /* both are given */
};

enum content_range {
	CONTENT_WHOLE, /* none is asked for, or none that is to be heeded */
	CONTENT_SPANS, /* 206: n of them, in the order that they were asked for */
	CONTENT_NONE   /* 416: not one of them is there */
};

/* Reads a Range header (NULL: none was sent) of size bytes. What is no list of byte
 * ranges counts for nothing, and so do more than CONTENT_SPANS_MAX of them, or such
 * that are together longer than the whole. One that is not there beside others that are
 * is left out. */
enum content_range content_range_read(const char *text, uint64_t size,
    struct content_span spans[CONTENT_SPANS_MAX], size_t *n);
