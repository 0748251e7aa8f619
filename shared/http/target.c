/* target.c - the request's target (RFC 9112, section 3.2): split, and refused
 * where its path could mean something else to whoever decodes it again. */
#include "head.h"

#include <string.h>
#include <strings.h>

#include <trl/utf8.h>

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX in place; false where a '%' is not followed by two digits. */
static bool
decode(char *s, size_t *len)
{
	size_t to = 0;

	for (size_t i = 0; i < *len; i++, to++) {
		if (s[i] != '%') {
			s[to] = s[i];
			continue;
		}
		if (i + 2 >= *len || hex(s[i + 1]) < 0 || hex(s[i + 2]) < 0)
			return false;
		s[to] = (char)(hex(s[i + 1]) << 4 | hex(s[i + 2]));
		i += 2;
	}
	*len = to;
	return true;
}

static bool
climbs(const char *s, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && s[i] != '/' && s[i] != '\\')
			continue;
		if ((i - start == 1 && s[start] == '.') ||
		    (i - start == 2 && s[start] == '.' && s[start + 1] == '.'))
			return true;
		start = i + 1;
	}
	return false;
}

bool
trl_http_path_ok(const char *path, size_t len)
{
	char text[8192 + 1];

	if (!memchr(path, '%', len) && !memchr(path, '.', len) &&
	    !memchr(path, '\\', len))
		return true; /* the target's characters were checked */
	if (len > sizeof text)
		return false;
	memcpy(text, path, len);
	if (!decode(text, &len) || trl_utf8_plain(text, len, "") != len ||
	    climbs(text, len))
		return false;
	return !decode(text, &len) || !climbs(text, len);
}

uint16_t
trl_http_target(
    trl_arena *arena, struct trl_http_head *head, char *target, const char **authority)
{
	struct trl_http_request *request = &head->request;
	char *mark, *slash;
	size_t skip;

	head->detail = "The address cannot be read.";
	for (const char *p = target; *p; p++) {
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || *p == '#')
			return 400;
	}
	if (!strcmp(target, "*") && !strcmp(request->method, "OPTIONS")) {
		request->path = target;
		head->detail = NULL;
		return 200;
	}
	mark = strchr(target, '?');
	if (mark)
		*mark++ = '\0';
	request->query = mark ? mark : "";
	request->has_query = mark != NULL;
	if (target[0] != '/') {
		skip = !strncasecmp(target, "http://", 7)    ? 7
		       : !strncasecmp(target, "https://", 8) ? 8
							     : 0;
		if (!skip)
			return 400;
		slash = strchr(target + skip, '/');
		*authority = slash ? trl_arena_strndup(arena, target + skip,
					 (size_t)(slash - target) - skip)
				   : target + skip;
		target = slash ? slash : trl_arena_strdup(arena, "/");
	}
	request->path = target;
	if (!trl_http_path_ok(target, strlen(target)))
		return 400;
	head->detail = NULL;
	return 200;
}
