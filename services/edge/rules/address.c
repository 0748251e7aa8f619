/* address.c - who the client is behind proxies: X-Forwarded-For as far as it is to be
 * believed. */
#include <arpa/inet.h>
#include <string.h>

#include "rules/rules.h"

/* The nth address from the end of all X-Forwarded-For lines together (a proxy may
 * add to the last line or write one of its own), or the first there is; NULL: none. */
static const char *
forwarded(const struct trl_http_request *http, int64_t nth, size_t *len)
{
	const char *found = NULL;
	size_t i;

	for (i = http->n_headers; i-- > 0;) {
		const char *text = http->headers[i].value;
		const char *end = text + strlen(text), *start;

		if (strcmp(http->headers[i].name, "x-forwarded-for") != 0)
			continue;
		for (;; end = start - 1) {
			for (start = end; start > text && start[-1] != ','; start--)
				;
			found = start;
			*len = (size_t)(end - start);
			if (--nth <= 0)
				return found;
			if (start == text)
				break;
		}
	}
	return found;
}

/* The client's address: what the outermost trusted hop saw, counted from the right
 * (all of whose left part anybody can write). What is no address is nobody's. */
const char *
edge_address(const struct edge_request *request)
{
	const int64_t hops = request->edge->config->trusted_hops;
	const char *found = NULL;
	unsigned char bytes[16];
	size_t len = 0;
	char *out;

	if (hops)
		found = forwarded(request->http, hops, &len);
	while (found && len && (*found == ' ' || *found == '\t'))
		found++, len--;
	while (len && (found[len - 1] == ' ' || found[len - 1] == '\t'))
		len--;
	if (!found || !len || len > 45)
		return request->http->peer_address;
	out = trl_arena_strndup(request->ctx->arena, found, len);
	if (inet_pton(AF_INET, out, bytes) != 1 && inet_pton(AF_INET6, out, bytes) != 1)
		return request->http->peer_address;
	return out;
}
