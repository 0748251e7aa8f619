/* name.c - what a file may be called: any text of 1 to 255 bytes, kept byte for byte,
 * but for control characters (C0, DEL and C1 of Unicode), which have no look of their
 * own and end lines of headers and logs. A name is never a path: slashes and dots mean
 * nothing. Marks of direction stay; whoever puts a name into a header field deals with
 * them. Names are compared in NFC, by PostgreSQL. */
#include <string.h>

#include <trl/utf8.h>

#include "media.h"

enum { NAME_BYTES = 255 };

/* Of valid UTF-8: C1 is C2 80 to C2 9F. */
static bool
has_controls(const char *name)
{
	const unsigned char *p = (const unsigned char *)name;

	for (; *p; p++)
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			return true;
	return false;
}

enum trl_code
media_name_check(trl_ctx *ctx, const char *name)
{
	const size_t len = name ? strlen(name) : 0;
	const char *wrong = NULL;

	if (len == 0)
		wrong = "A file's name is not empty.";
	else if (len > NAME_BYTES)
		wrong = "A file's name has at most 255 bytes.";
	else if (!trl_utf8_valid(name, len))
		wrong = "A file's name is UTF-8.";
	else if (has_controls(name))
		wrong = "A file's name has no control characters.";
	return wrong ? trl_fail_field(ctx, TRL_INVALID, "name", "%s", wrong) : TRL_OK;
}
