/* tag.c - entity tags (RFC 9110, 8.8.3): the one of a version, and the lists of them in
 * If-Match and If-None-Match. A list is read by its grammar, because a tag may hold a
 * comma; what is no list of tags ends where it stops being one. */
#include <string.h>

#include "rules/rules.h"

struct tag {
	const char *text; /* with its quotes */
	size_t len;
	bool weak;
};

/* The next of a list; false: there is none. */
static bool
next_tag(const char **list, struct tag *out)
{
	const char *at = *list + strspn(*list, " \t,"), *end;

	out->weak = strncmp(at, "W/", 2) == 0;
	out->text = at += out->weak ? 2 : 0;
	end = *at == '"' ? strchr(at + 1, '"') : NULL;
	if (!end)
		return false;
	out->len = (size_t)(end + 1 - at);
	*list = end + 1 + strspn(end + 1, " \t");
	return **list == ',' || **list == '\0';
}

/* The version that a tag is of; false: of none. */
static bool
version_of(const struct tag *tag, int64_t *version)
{
	const size_t digits = tag->len - 2;
	size_t i;

	if (tag->weak || !digits || digits > 18 || (digits > 1 && tag->text[1] == '0'))
		return false;
	*version = 0;
	for (i = 1; i <= digits; i++) {
		if (tag->text[i] < '0' || tag->text[i] > '9')
			return false;
		*version = *version * 10 + (tag->text[i] - '0');
	}
	return true;
}

const char *
edge_tag(trl_arena *arena, int64_t version)
{
	uint64_t left = version < 0 ? -(uint64_t)version : (uint64_t)version;
	char *at = (char *)trl_arena_alloc(arena, 24) + 24;

	*--at = '\0';
	*--at = '"';
	do
		*--at = (char)('0' + left % 10);
	while (left /= 10);
	if (version < 0)
		*--at = '-';
	*--at = '"';
	return at;
}

bool
edge_if_none_match(const struct trl_http_request *http, const char *etag)
{
	const size_t len = strlen(etag);
	struct tag tag;
	size_t i;

	for (i = 0; i < http->n_headers; i++) {
		const char *list = http->headers[i].value;

		if (strcmp(http->headers[i].name, "if-none-match") != 0)
			continue;
		if (strcmp(list, "*") == 0)
			return true;
		while (next_tag(&list, &tag))
			if (tag.len == len && memcmp(tag.text, etag, len) == 0)
				return true;
	}
	return false;
}

enum edge_condition
edge_if_match(
    const struct trl_http_request *http, int64_t versions[EDGE_TAGS_MAX], size_t *n)
{
	bool sent = false;
	struct tag tag;
	size_t i;

	*n = 0;
	for (i = 0; i < http->n_headers; i++) {
		const char *list = http->headers[i].value;
		int64_t version;

		if (strcmp(http->headers[i].name, "if-match") != 0)
			continue;
		if (strcmp(list, "*") == 0)
			return EDGE_UNCONDITIONAL;
		sent = true;
		while (next_tag(&list, &tag)) {
			if (!version_of(&tag, &version))
				continue;
			if (*n == EDGE_TAGS_MAX)
				return EDGE_TOO_MANY_TAGS;
			versions[(*n)++] = version;
		}
	}
	return sent ? EDGE_ONE_OF_VERSIONS : EDGE_UNCONDITIONAL;
}
