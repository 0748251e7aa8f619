/* list.c - lists of types, and what may turn out to be one of them. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "kinds/kinds.h"
#include "kinds/written.h"

bool
kinds_listable(const char *text)
{
	const char *slash = strchr(text, '/'), *star = strchr(text, '*');
	struct written type;

	if (!written_read(text, &type) || type.len != strlen(text))
		return false;
	return !star || strcmp(text, "*/*") == 0 || (star == slash + 1 && !star[1]);
}

static bool
matches(const char *listed, const char *type)
{
	const struct kind_row *row = kind_row_of(listed, strlen(listed));
	const char *slash = strchr(listed, '/');

	if (strcmp(listed, "*/*") == 0 ||
	    strcasecmp(row ? row->type : listed, type) == 0)
		return true;
	return slash && strcmp(slash, "/*") == 0 &&
	       strncasecmp(listed, type, (size_t)(slash + 1 - listed)) == 0;
}

bool
kinds_listed(const char *const *list, const char *type)
{
	if (!list)
		return true;
	for (; *list; list++)
		if (matches(*list, type))
			return true;
	return false;
}

/* Whether a file of which d was declared may turn out to be a listed one, because it is
 * more special, or its name or its class says it (judge_all). */
static bool
may_turn_out(
    const struct written *d, const struct written *name, const struct written *listed)
{
	if (!listed->row)
		return written_is_star(listed) &&
		       !(d->row && d->row->flags & KIND_SIGNED) &&
		       (written_of_one_class(d, listed) ||
			   (name->row && matches(listed->text, name->row->type)));
	if (d->row && d->row->flags & KIND_SIGNED)
		return kind_row_beneath(listed->row, d->row);
	return (d->row && kind_row_beneath(listed->row, d->row)) ||
	       listed->row == name->row ||
	       (name->row && kind_row_beneath(listed->row, name->row)) ||
	       (!d->row && written_of_one_class(d, listed)) ||
	       (written_is_star(d) && written_begins(d, "text/") &&
		   kind_row_root(listed->row) == kind_row_text());
}

bool
kinds_may_be_listed(const char *const *list, const char *declared, const char *name)
{
	const struct written n = written_by_name(name);
	char type[KINDS_TYPE_MAX + 1];
	struct written d;

	if (!list || kinds_says_nothing(declared))
		return true;
	if (!written_read(declared, &d))
		return false;
	(void)snprintf(type, sizeof type, "%.*s", (int)d.len, d.text);
	if (kinds_listed(list, d.row ? d.row->type : type))
		return true;
	for (; *list; list++) {
		struct written listed;

		if (written_read(*list, &listed) && may_turn_out(&d, &n, &listed))
			return true;
	}
	return false;
}
