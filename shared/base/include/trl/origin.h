/* origin.h - the origin of a web address (RFC 6454), as browsers say it. Any thread. */
#pragma once

#include <trl/compiler.h>

enum { TRL_ORIGIN_MAX = 272 }; /* of the longest, with its NUL */

/* Writes the origin of an absolute http or https URL, in lower case and without the
 * scheme's default port. Returns the rest of the URL ("" or a path, query or fragment,
 * not checked), or NULL if it is no such URL; then out is unchanged. Internationalised
 * names are accepted only in their xn-- form, and user information is refused. */
const char *trl_origin_read(const char *url, char out[TRL_ORIGIN_MAX]) TRL_MUST_CHECK;
