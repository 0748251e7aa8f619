/* written.c - see written.h. */
#include "kinds/written.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <trl/compiler.h>

#include "kinds/kinds.h"

static bool
is_token(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool
written_read(const char *text, struct written *out)
{
	size_t slash, end;

	text += strspn(text, " \t");
	for (slash = 0; is_token(text[slash]); slash++)
		;
	if (slash == 0 || text[slash] != '/')
		return false;
	for (end = slash + 1; is_token(text[end]); end++)
		;
	if (end == slash + 1 || end > KINDS_TYPE_MAX)
		return false;
	if (!strchr(";", text[end + strspn(text + end, " \t")]))
		return false; /* strchr finds the end, too */
	*out = (struct written){ text, end, kind_row_of(text, end) };
	return true;
}

bool
written_is(const struct written *type, const char *text)
{
	return type->len == strlen(text) &&
	       strncasecmp(type->text, text, type->len) == 0;
}

bool
written_begins(const struct written *type, const char *with)
{
	return type->len > strlen(with) &&
	       strncasecmp(type->text, with, strlen(with)) == 0;
}

bool
written_ends(const struct written *type, const char *with)
{
	const size_t len = strlen(with);

	return type->len > len &&
	       strncasecmp(type->text + type->len - len, with, len) == 0;
}

/* Or do not care (curl -d), or call files of many kinds so (WPS Office). */
bool
written_says_nothing(const struct written *declared)
{
	static const char *const words[] = { WRITTEN_UNKNOWN,
		"application/x-octet-stream", "application/octetstream",
		"application/oct-stream", "binary/octet-stream", "application/unknown",
		"application/x-unknown", "unknown/unknown", "content/unknown",
		"application/binary", "application/x-binary", "application/download",
		"application/x-download", "application/force-download",
		"application/save", "application/x-www-form-urlencoded",
		"application/x-compressed", "application/kswps", "application/kset",
		"application/ksdps", "application/*", "*/*" };

	for (size_t i = 0; i < TRL_COUNT(words); i++)
		if (written_is(declared, words[i]))
			return true;
	return written_begins(declared, "application/wps-office.") ||
	       written_begins(declared, "application/x-extension-");
}

struct written
written_by_name(const char *name)
{
	const char *dot = name ? strrchr(name, '.') : NULL;
	const struct kind_row *row = dot && dot[1] ? kind_row_ending(dot + 1) : NULL;

	return row ? (struct written){ row->type, strlen(row->type), row }
		   : (struct written){ 0 };
}

/* Pictures, sound and film, fonts: who means one of them is not surprised by another.
 * 0: it is none of these. */
static char
class_of(const struct written *type)
{
	const struct written usual = { type->row ? type->row->type : type->text,
		type->row ? strlen(type->row->type) : type->len, type->row };

	return written_begins(&usual, "image/") ? 'i'
	       : written_begins(&usual, "audio/") || written_begins(&usual, "video/")
		   ? 'v'
	       : written_begins(&usual, "font/") ? 'f'
						 : 0;
}

bool
written_of_one_class(const struct written *a, const struct written *b)
{
	return class_of(a) && class_of(a) == class_of(b);
}

bool
written_is_star(const struct written *declared)
{
	return written_ends(declared, "/*") && !written_says_nothing(declared);
}
