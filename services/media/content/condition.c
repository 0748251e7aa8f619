/* condition.c - preconditions, in the order in which they are to be looked at: the
 * later ones count only where the earlier ones were not sent or hold. */
#include "content/condition.h"

#include <string.h>

/* Whether a list has the tag. It is read by its grammar, since a tag may hold a comma;
 * what is no list of tags ends where it stops being one. */
static bool
lists_tag(const char *list, const char *etag, bool weakly)
{
	const size_t len = strlen(etag);

	if (strcmp(list, "*") == 0)
		return true;
	for (;;) {
		const char *tag = list + strspn(list, " \t,"), *end;
		const bool weak = strncmp(tag, "W/", 2) == 0;

		tag += weak ? 2 : 0;
		end = *tag == '"' ? strchr(tag + 1, '"') : NULL;
		if (!end)
			return false;
		end++;
		list = end + strspn(end, " \t");
		if (*list && *list != ',')
			return false;
		if ((size_t)(end - tag) == len && memcmp(tag, etag, len) == 0 &&
		    (weakly || !weak))
			return true;
	}
}

/* Whether it was changed after a date; what is no date was before everything. */
static bool
changed_after(const char *date, int64_t modified_s, bool if_no_date)
{
	int64_t seconds;

	return content_date_read(date, &seconds) ? modified_s > seconds : if_no_date;
}

/* Only a strong tag, or the very time of the last change, which is a strong one here:
 * bytes never change under their id. */
static bool
is_of_this(const char *if_range, const char *etag, int64_t modified_s)
{
	int64_t seconds;

	if (if_range[0] == '"' || strncmp(if_range, "W/", 2) == 0)
		return strcmp(if_range, etag) == 0;
	return content_date_read(if_range, &seconds) && seconds == modified_s;
}

enum content_verdict
content_judge(
    const struct content_conditions *asked, const char *etag, int64_t modified_s)
{
	if (asked->if_match) {
		if (!lists_tag(asked->if_match, etag, false))
			return CONTENT_OTHER;
	} else if (asked->if_unmodified_since &&
		   changed_after(asked->if_unmodified_since, modified_s, false)) {
		return CONTENT_OTHER;
	}
	if (asked->if_none_match) {
		if (lists_tag(asked->if_none_match, etag, true))
			return CONTENT_NOT_MODIFIED;
	} else if (asked->if_modified_since &&
		   !changed_after(asked->if_modified_since, modified_s, true)) {
		return CONTENT_NOT_MODIFIED;
	}
	if (asked->if_range && !is_of_this(asked->if_range, etag, modified_s))
		return CONTENT_GIVEN_WHOLE;
	return CONTENT_GIVEN;
}
