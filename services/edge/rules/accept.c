/* accept.c - what a client takes for an answer (RFC 9110, 12.5). Of a media type the
 * range that names it most closely decides, wherever it stands in the list, and a
 * weight of 0 refuses; other weights do not matter, because there is one type to give.
 */
#include <string.h>
#include <strings.h>

#include "rules/rules.h"

/* Whether a range's parameters, up to the comma, have a weight of 0. */
static bool
is_refused(const char *at)
{
	const char *end = at + strcspn(at, ",");

	while (at < end) {
		const char *value;
		size_t len;

		at += strspn(at, "; \t");
		len = strcspn(at, ";, \t");
		if (len > 2 && strncasecmp(at, "q=0", 3) == 0) {
			value = at + 3 + (at[3] == '.');
			return value + strspn(value, "0") == at + len;
		}
		at += len;
	}
	return false;
}

/* How closely a range names a type: 3 as itself, 2 by its family, 1 as anything, 0 not
 * at all. */
static unsigned
closeness(const char *range, size_t len, const char *type)
{
	const size_t family = strcspn(type, "/") + 1;

	if (len == strlen(type) && strncasecmp(range, type, len) == 0)
		return 3;
	if (len == family + 1 && range[family] == '*' &&
	    strncasecmp(range, type, family) == 0)
		return 2;
	return len == 3 && strncmp(range, "*/*", 3) == 0;
}

/* Goes through all lines of a header. True: a range at least so close to name names it,
 * and the closest of all does not refuse it. *sent: there was any range. */
static bool
takes(const struct trl_http_request *http, const char *header, const char *name,
    unsigned least, bool *sent)
{
	unsigned closest = 0;
	bool taken = false;
	size_t i;

	*sent = false;
	for (i = 0; i < http->n_headers; i++) {
		const char *at = http->headers[i].value;

		if (strcmp(http->headers[i].name, header) != 0)
			continue;
		while (*(at += strspn(at, " \t,"))) {
			const size_t len = strcspn(at, ";, \t");
			const unsigned close = closeness(at, len, name);

			*sent = true;
			if (close >= least && close > closest) {
				closest = close;
				taken = !is_refused(at + len);
			}
			at += strcspn(at, ",");
		}
	}
	return taken;
}

const char *
edge_answer_type(const struct trl_method *method)
{
	if (method->stream)
		return "text/event-stream";
	return method->media_type ? method->media_type : "application/json";
}

bool
edge_accepts_answer(const struct trl_http_request *http, const char *type)
{
	bool sent;

	if (takes(http, "accept", type, 1, &sent) || !sent)
		return true;
	/* A client that names the type of problems, or asks for a stream or file as for
	 * all else, is answered. */
	return takes(http, "accept", "application/problem+json", 3, &sent) ||
	       (strcmp(type, "application/json") != 0 &&
		   takes(http, "accept", "application/json", 3, &sent));
}

bool
edge_names_stream(const struct trl_http_request *http)
{
	bool sent;

	return takes(http, "accept", "text/event-stream", 3, &sent);
}

bool
edge_accepts_gzip(const struct trl_http_request *http)
{
	bool sent;

	return takes(http, "accept-encoding", "gzip", 3, &sent);
}
