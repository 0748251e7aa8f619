/* text.c - percent-encoding (RFC 3986, 2.1), decoded exactly once; a parameter of the
 * query. */
#include <string.h>

#include <trl/utf8.h>

#include "rules/rules.h"

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

const char *
edge_percent_decode(
    trl_arena *arena, const char *text, size_t len, bool plus, size_t *out_len)
{
	char *out = trl_arena_alloc(arena, len + 1);
	size_t i, n = 0;

	if (!memchr(text, '%', len) && !(plus && memchr(text, '+', len))) {
		memcpy(out, text, len); /* as nearly every segment */
		n = len;
	}
	for (i = n; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			const int high = i + 2 < len ? hex(text[i + 1]) : -1;
			const int low = i + 2 < len ? hex(text[i + 2]) : -1;

			if (high < 0 || low < 0 || (high == 0 && low == 0))
				return NULL;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		out[n++] = c;
	}
	out[n] = '\0';
	*out_len = n;
	return trl_utf8_valid(out, n) ? out : NULL;
}

const char *
edge_query(const struct edge_request *request, const char *name)
{
	const size_t name_len = strlen(name);
	const char *at = request->http->query;

	while (*at) {
		const size_t len = strcspn(at, "&");
		size_t n;

		if (len > name_len && at[name_len] == '=' &&
		    strncmp(at, name, name_len) == 0)
			return edge_percent_decode(request->ctx->arena,
			    at + name_len + 1, len - name_len - 1, true, &n);
		at += len + (at[len] == '&');
	}
	return NULL;
}
