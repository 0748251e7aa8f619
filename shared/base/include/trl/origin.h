/* origin.h - the origin of a web address (RFC 6454), as browsers say it. Any thread. */
#pragma once

#include <trl/compiler.h>

enum { TRL_ORIGIN_MAX = 272 }; /* of the longest, with its NUL */

/* Writes the origin of an absolute http or https URL: in lower case, without the port
 * that the scheme has anyway. Gives what stands behind it in the URL ("" or a path,
 * query, fragment, not looked at), or NULL where it is no such URL: then out is as it
 * was. Names with other letters are taken only in their xn-- form, and a user is
 * refused. */
const char *trl_origin_read(const char *url, char out[TRL_ORIGIN_MAX]) TRL_MUST_CHECK;
