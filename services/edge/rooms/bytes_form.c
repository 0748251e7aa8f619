/* bytes_form.c - what the head of a request says of the bytes that it brings: whether
 * its method would take them. Nothing of the body is looked at. */
#include <string.h>
#include <strings.h>

#include "rooms/rooms.h"

/* Whether the body's type is one of the contract's; its parameters do not count. */
static bool
is_taken(const struct trl_body *takes, const char *type)
{
	const size_t len = type ? strcspn(type, "; \t") : 0;

	if (!takes->media_types)
		return true;
	for (const char *const *name = takes->media_types; type && *name; name++)
		if (strlen(*name) == len && strncasecmp(*name, type, len) == 0)
			return true;
	return false;
}

const char *
edge_types_taken(trl_arena *arena, const struct trl_body *takes)
{
	const char *types = "";

	for (const char *const *type = takes->media_types; *type; type++)
		types =
		    trl_arena_printf(arena, "%s%s%s", types, *types ? ", " : "", *type);
	return types;
}

enum trl_code
edge_bytes_form(struct edge_request *request)
{
	const struct trl_body *takes = request->route->method->takes;
	const struct trl_http_request *http = request->http;
	const char *type = trl_http_header(http, "content-type");
	const bool is_known = http->content_length != UINT64_MAX;

	if (takes->optional && !http->has_body)
		return TRL_OK; /* whatever it would have been */
	if (!http->has_body && !trl_http_header(http, "content-length"))
		return edge_refuse(request, 411,
		    "The body is missing: send it with Content-Length or in chunks.");
	if (edge_body_is_coded(request))
		return edge_refuse(
		    request, 415, "Send the body without a Content-Encoding.");
	/* Taken as the whole, each part would be a file of its own, and its sender
	 * would believe that all of them are one (RFC 9110, 14.5). */
	if (trl_http_header(http, "content-range"))
		return trl_fail(request->ctx, TRL_MALFORMED,
		    "A body is taken as a whole: send none with a Content-Range.");
	if (!is_taken(takes, type))
		return edge_refuse_type(
		    request, edge_types_taken(request->ctx->arena, takes));
	if (is_known && http->content_length > takes->max_bytes)
		return edge_refuse(request, 413,
		    trl_arena_printf(request->ctx->arena,
			"The body may have at most %llu bytes with this method.",
			(unsigned long long)takes->max_bytes));
	return TRL_OK;
}
