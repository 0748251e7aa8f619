/* condition.h - the preconditions of a request (RFC 9110, 13). Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct content_conditions { /* header fields; NULL: not sent */
	const char *if_match, *if_unmodified_since, *if_none_match, *if_modified_since,
	    *if_range;
};

enum content_verdict {
	CONTENT_GIVEN,        /* serve the range, if one is asked for */
	CONTENT_GIVEN_WHOLE,  /* If-Range fails: serve the whole */
	CONTENT_NOT_MODIFIED, /* 304 */
	CONTENT_OTHER         /* 412 */
};

/* Evaluates them in the order of RFC 9110, 13.2.2, against a strong tag (with its
 * quotes) and a time in Unix seconds. An invalid date is ignored. */
enum content_verdict content_judge(
    const struct content_conditions *asked, const char *etag, int64_t modified_s);

/* Parses an HTTP date in any of its three forms (5.6.7) into Unix seconds; false: it is
 * none. Two-digit years are 1970 to 2069. */
bool content_date_read(const char *text, int64_t *seconds);
