/* file.c - the header that names a file (RFC 6266): a plain name for every client and,
 * where that is not all of it, the whole one in UTF-8 (RFC 8187). */
#include <ctype.h>
#include <string.h>

#include "rules/rules.h"

/* What stands in a name without danger: no quote, no path, nothing that a system takes
 * for more than a letter. */
static bool
is_plain(uint8_t byte)
{
	return byte < 0x80 && (isalnum(byte) || strchr("-._", byte));
}

const char *
edge_disposition(trl_arena *arena, const char *name)
{
	static const char digits[] = "0123456789ABCDEF";
	const size_t len = strlen(name);
	char *plain = trl_arena_strdup(arena, name);
	char *whole = trl_arena_alloc(arena, 3 * len + 1), *at = whole;

	for (size_t i = 0; i < len; i++) {
		const uint8_t byte = (uint8_t)name[i];

		/* The first dot would hide the file. */
		if (!is_plain(byte) || (i == 0 && byte == '.'))
			plain[i] = '_';
		if (is_plain(byte)) {
			*at++ = (char)byte;
			continue;
		}
		*at++ = '%';
		*at++ = digits[byte >> 4];
		*at++ = digits[byte & 15];
	}
	*at = '\0';
	if (strcmp(plain, name) == 0)
		return trl_arena_printf(arena, "attachment; filename=\"%s\"", plain);
	return trl_arena_printf(
	    arena, "attachment; filename=\"%s\"; filename*=UTF-8''%s", plain, whole);
}
