/* condition.h - whether a request wants what there is (RFC 9110, 13). Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct content_conditions { /* header fields; NULL: was not sent */
	const char *if_match, *if_unmodified_since, *if_none_match, *if_modified_since,
	    *if_range;
};

enum content_verdict {
	CONTENT_GIVEN,        /* the part that is asked for */
	CONTENT_GIVEN_WHOLE,  /* the part was of something else: all of it */
	CONTENT_NOT_MODIFIED, /* 304 */
	CONTENT_OTHER         /* 412 */
};

/* Holds what was asked, in the order of RFC 9110, 13.2.2, against a strong tag (with
 * its quotes) and a time in Unix seconds. A date that is none counts for nothing. */
enum content_verdict content_judge(
    const struct content_conditions *asked, const char *etag, int64_t modified_s);

/* A date of HTTP in any of its three forms (5.6.7), in Unix seconds; false: it is none.
 * A year of two digits is one from 1970 to 2069. */
bool content_date_read(const char *text, int64_t *seconds);
