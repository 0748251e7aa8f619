/* written.h - media types as they were written, by whoever. Private to kinds/. */
#pragma once

#include "kinds/table.h"

#define WRITTEN_UNKNOWN "application/octet-stream"

/* Without its parameters. text is not copied. */
struct written {
	const char *text;
	size_t len;
	const struct kind_row *row; /* NULL: none is known */
};

/* False: it is no media type (RFC 9110, 8.3.1). */
bool written_read(const char *text, struct written *out);
/* What a file's name says (NULL: it has none); of no row: nothing. */
struct written written_by_name(const char *name);
/* Without case, as the next two. */
bool written_is(const struct written *type, const char *text);
bool written_begins(const struct written *type, const char *with);
bool written_ends(const struct written *type, const char *with);
/* Whether it is what clients send that do not know. */
bool written_says_nothing(const struct written *declared);
/* "image/ *" (without the space): it names all of a kind. */
bool written_is_star(const struct written *declared);
/* Two pictures, two of sound and film, or two fonts. */
bool written_of_one_class(const struct written *a, const struct written *b);
