/* decode.c - decodes path, query, header fields and body into the method's message, and
 * validates it by the contract. What the path does not hold comes from the query for
 * GET and DELETE, else from a JSON body; anything else in a request is refused, not
 * ignored. */
#include <string.h>
#include <strings.h>

#include <trellis/empty.trl.h>

#include <trl/json.h>
#include <trl/utf8.h>
#include <trl/validate.h>
#include <trl/wire.h>

#include "rooms/rooms.h"

enum { TYPE_SHOWN = 100 };

static enum trl_code
set_path(struct edge_request *request)
{
	const struct edge_route *route = request->route;
	size_t i;

	for (i = 0; i < route->n_segments; i++) {
		enum trl_code rc;

		if (!route->is_variable[i])
			continue;
		rc = trl_json_set_text(request->ctx, route->method->in, request->in,
		    route->segments[i], request->segments[i],
		    strlen(request->segments[i]));
		if (rc == TRL_OK)
			continue;
		/* What is not an id names no resource. */
		trl_err_clear(request->ctx);
		return trl_fail(
		    request->ctx, TRL_NOT_FOUND, "There is nothing at this path.");
	}
	return TRL_OK;
}

/* Whether fields that the path does not hold come from the query; else from a body. */
static bool
takes_query(const struct trl_method *method)
{
	return trl_verb_reads(method->verb) || method->verb == TRL_DELETE;
}

/* Errors: TRL_MALFORMED, TRL_INVALID (which lists all pairs so far). */
static enum trl_code
set_pair(struct edge_request *request, const char *pair, size_t len)
{
	const struct trl_method *method = request->route->method;
	const struct trl_message *rules =
	    takes_query(method) ? method->in : &trellis_empty_rules;
	trl_arena *arena = request->ctx->arena;
	const char *equals = memchr(pair, '=', len), *name, *value;
	const size_t name_len = equals ? (size_t)(equals - pair) : len;
	size_t n, value_len;

	name = edge_percent_decode(arena, pair, name_len, true, &n);
	value = edge_percent_decode(arena, equals ? equals + 1 : "",
	    equals ? len - name_len - 1 : 0, true, &value_len);
	if (!name || !value) {
		trl_err_clear(request->ctx);
		return trl_fail(
		    request->ctx, TRL_MALFORMED, "The query is not encoded correctly.");
	}
	return trl_json_set_text(
	    request->ctx, rules, request->in, name, value, value_len);
}

static enum trl_code
set_query(struct edge_request *request)
{
	const char *at = request->http->query;
	enum trl_code rc = TRL_OK;

	while (*at) {
		const size_t len = strcspn(at, "&");

		if (len)
			rc = set_pair(request, at, len);
		at += len + (at[len] == '&');
	}
	return rc;
}

/* application/json, or for PATCH application/merge-patch+json; only charset utf-8. */
static bool
is_json(const struct edge_request *request)
{
	const char *type = trl_http_header(request->http, "content-type");
	size_t len;

	if (!type)
		return false;
	len = strcspn(type, "; \t");
	if (!(len == 16 && strncasecmp(type, "application/json", len) == 0) &&
	    !(len == 28 &&
		strncasecmp(type, "application/merge-patch+json", len) == 0 &&
		request->route->method->verb == TRL_PATCH))
		return false;
	type += len;
	type += strspn(type, "; \t");
	return *type == '\0' || strcasecmp(type, "charset=utf-8") == 0 ||
	       strcasecmp(type, "charset=\"utf-8\"") == 0;
}

/* In any of its lines (RFC 9110, 5.3): the first may be harmless. */
bool
edge_body_is_coded(const struct edge_request *request)
{
	const struct trl_http_request *http = request->http;
	size_t i;

	for (i = 0; i < http->n_headers; i++)
		if (strcmp(http->headers[i].name, "content-encoding") == 0 &&
		    strcasecmp(http->headers[i].value, "identity") != 0)
			return true;
	return false;
}

/* RFC 8058: a mail program unsubscribes its reader by posting a form to a link. If the
 * path says everything and no session could be abused, a form is accepted and ignored.
 */
static bool
takes_form(const struct edge_route *route)
{
	return !route->wants_body && route->method->auth == TRL_AUTH_PUBLIC;
}

static bool
is_one_click(const struct edge_request *request)
{
	static const char *const forms[] = { "application/x-www-form-urlencoded",
		"multipart/form-data" };
	const char *type = trl_http_header(request->http, "content-type");
	size_t i;

	if (!type || !takes_form(request->route))
		return false;
	for (i = 0; i < TRL_COUNT(forms); i++)
		if (strncasecmp(type, forms[i], strlen(forms[i])) == 0)
			return true;
	return false;
}

void
edge_say_taken(struct edge_request *request)
{
	const enum trl_verb verb = request->route->method->verb;
	const struct trl_body *takes = request->route->method->takes;
	struct trl_http_response *response = &request->response;

	if (edge_body_is_coded(request)) {
		trl_http_add_header(response, "Accept-Encoding", "identity");
		return;
	}
	if (takes && takes->media_types) {
		const char *types = edge_types_taken(request->ctx->arena, takes);

		trl_http_add_header(
		    response, verb == TRL_PATCH ? "Accept-Patch" : "Accept", types);
		if (verb == TRL_POST)
			trl_http_add_header(response, "Accept-Post", types);
		return;
	}
	if (verb == TRL_PATCH)
		trl_http_add_header(response, "Accept-Patch", EDGE_PATCH_TYPES);
	trl_http_add_header(response, "Accept",
	    verb == TRL_PATCH ? EDGE_PATCH_TYPES
	    : takes_form(request->route)
		? "application/x-www-form-urlencoded, multipart/form-data, "
		  "application/json"
		: "application/json");
}

/* The type that came is the client's, of any bytes. */
enum trl_code
edge_refuse_type(struct edge_request *request, const char *taken)
{
	const char *type = trl_http_header(request->http, "content-type");
	trl_arena *arena = request->ctx->arena;
	const char *body = "A body without Content-Type";
	size_t len;

	if (type) {
		char *came;

		len = trl_utf8_cut(type, strlen(type), TYPE_SHOWN);
		came = trl_arena_strndup(arena, type, len);
		trl_utf8_clean(came, len, "");
		body = trl_arena_printf(arena, "A body of the type %s", came);
	}
	return edge_refuse(request, 415,
	    trl_arena_printf(arena, "%s is not accepted here; send %s.", body, taken));
}

static bool
is_empty(const struct trl_http_request *http)
{
	return !http->has_body || http->content_length == 0;
}

enum trl_code
edge_body_form(struct edge_request *request)
{
	const struct trl_method *method = request->route->method;
	const struct trl_http_request *http = request->http;

	if (method->takes)
		return edge_bytes_form(request);
	if (is_empty(http) && !request->route->wants_body)
		return TRL_OK;
	if (takes_query(method))
		return edge_refuse(request, 400, "This method takes no body.");
	if (!http->has_body && !trl_http_header(http, "content-length"))
		return edge_refuse(request, 411,
		    "The body is missing: send a JSON object, with Content-Length or "
		    "in chunks.");
	if (is_empty(http))
		return trl_fail(request->ctx, TRL_MALFORMED,
		    "The body is missing: send a JSON object.");
	if (edge_body_is_coded(request))
		return edge_refuse(
		    request, 415, "Send the body without a Content-Encoding.");
	if (!is_one_click(request) && !is_json(request))
		return edge_refuse_type(request, "application/json in UTF-8");
	return TRL_OK;
}

static enum trl_code
body_failed(struct edge_request *request, enum trl_code rc)
{
	request->response.close = true;
	switch (rc) {
	case TRL_QUOTA:
		return edge_refuse(request, 413,
		    trl_arena_printf(request->ctx->arena,
			"The body may have at most %u bytes with this method.",
			(unsigned)request->route->method->max_body_bytes));
	case TRL_MALFORMED:
		return edge_refuse(request, 400, "The body's framing is broken.");
	default:
		return rc;
	}
}

/* Decodes the body. */
static enum trl_code
set_body(struct edge_request *request)
{
	const struct trl_method *method = request->route->method;
	const uint8_t *data;
	enum trl_code rc;
	size_t len;

	rc = edge_body_form(request);
	if (rc != TRL_OK || is_empty(request->http) || method->takes)
		return rc;
	rc = trl_http_body(
	    request->ctx, request->http, method->max_body_bytes, &data, &len);
	if (rc != TRL_OK)
		return body_failed(request, rc);
	if (is_one_click(request) || (!len && !request->route->wants_body))
		return TRL_OK;
	return trl_json_decode(
	    request->ctx, method->in, (const char *)data, len, request->in);
}

enum trl_code
edge_decode(struct edge_request *request)
{
	const struct trl_method *method = request->route->method;
	enum trl_code rc = TRL_OK;

	request->in = trl_message_new(request->ctx->arena, method->in->descriptor);
	if (request->route->binds)
		rc = edge_bound_version(request);
	if (rc == TRL_OK)
		rc = set_path(request);
	if (rc == TRL_OK)
		rc = set_query(request);
	if (rc == TRL_OK && request->route->binds)
		rc = edge_bound_take(request);
	if (rc == TRL_OK)
		rc = set_body(request);
	if (rc == TRL_OK)
		rc = trl_validate(request->ctx, method->in, request->in);
	return rc;
}
