/* decode.c - path, query and body become the method's message, held against its
 * contract. Of GET and DELETE all but the path comes from the query, of the others
 * from a JSON body; what a request has beyond that is refused, not ignored. */
#include <string.h>
#include <strings.h>

#include <trl/json.h>
#include <trl/validate.h>
#include <trl/wire.h>

#include "edge.h"

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
		/* What is not an id is no resource's id. */
		trl_err_clear(request->ctx);
		return trl_fail(
		    request->ctx, TRL_NOT_FOUND, "There is nothing at this path.");
	}
	return TRL_OK;
}

static enum trl_code
bad_query(struct edge_request *request, const char *name, const char *why)
{
	trl_err_violation(request->ctx,
	    trl_arena_printf(request->ctx->arena, "/%s", name), "%s", why);
	return trl_fail(
	    request->ctx, TRL_MALFORMED, "The query has a parameter that %s.", why);
}

static bool
is_of_path(const struct edge_route *route, const char *name)
{
	size_t i;

	for (i = 0; i < route->n_segments; i++)
		if (route->is_variable[i] && strcmp(route->segments[i], name) == 0)
			return true;
	return false;
}

static enum trl_code
set_pair(struct edge_request *request, const char *pair, size_t len)
{
	const struct trl_message *rules = request->route->method->in;
	trl_arena *arena = request->ctx->arena;
	const char *equals = memchr(pair, '=', len), *name, *value;
	const size_t name_len = equals ? (size_t)(equals - pair) : len;
	const ProtobufCFieldDescriptor *field;
	size_t n, value_len;

	name = edge_percent_decode(arena, pair, name_len, true, &n);
	value = edge_percent_decode(arena, equals ? equals + 1 : "",
	    equals ? len - name_len - 1 : 0, true, &value_len);
	if (!name || !value)
		return trl_fail(request->ctx, TRL_MALFORMED,
		    "The query is not encoded as it should be.");
	field =
	    protobuf_c_message_descriptor_get_field_by_name(rules->descriptor, name);
	if (!field || is_of_path(request->route, name) ||
	    rules->fields[field - rules->descriptor->fields].internal)
		return bad_query(request, name, "is not known here");
	return trl_json_set_text(
	    request->ctx, rules, request->in, name, value, value_len);
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

static enum trl_code
set_query(struct edge_request *request)
{
	const enum trl_verb verb = request->route->method->verb;
	const char *at = request->http->query;

	if (*at && verb != TRL_GET && verb != TRL_DELETE)
		return trl_fail(
		    request->ctx, TRL_MALFORMED, "This method takes no query.");
	while (*at) {
		const size_t len = strcspn(at, "&");

		if (len) {
			const enum trl_code rc = set_pair(request, at, len);

			if (rc != TRL_OK)
				return rc;
		}
		at += len + (at[len] == '&');
	}
	return TRL_OK;
}

/* application/json, or for PATCH application/merge-patch+json; charset utf-8 alone. */
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

/* RFC 8058: a mail program unsubscribes its reader by posting a form to a link. Where
 * the path says all, and no session could be abused, a form is read and says no more.
 */
static bool
is_one_click(const struct edge_request *request)
{
	static const char *const forms[] = { "application/x-www-form-urlencoded",
		"multipart/form-data" };
	const char *type = trl_http_header(request->http, "content-type");
	size_t i;

	if (!type || request->route->wants_body ||
	    request->route->method->auth != TRL_AUTH_PUBLIC)
		return false;
	for (i = 0; i < TRL_COUNT(forms); i++)
		if (strncasecmp(type, forms[i], strlen(forms[i])) == 0)
			return true;
	return false;
}

static enum trl_code
body_failed(struct edge_request *request, enum trl_code rc)
{
	request->response.close = true;
	switch (rc) {
	case TRL_QUOTA:
		return edge_refuse(request, 413,
		    trl_arena_printf(request->ctx->arena,
			"The body of this method may have %u bytes.",
			(unsigned)request->route->method->max_body_bytes));
	case TRL_DEADLINE:
		return edge_refuse(request, 408, "The body did not arrive in time.");
	case TRL_MALFORMED:
		return edge_refuse(request, 400, "The body's framing is broken.");
	default:
		return rc;
	}
}

/* Reads and decodes the body. It has its own time (the server's), so the method's
 * begins after it. */
static enum trl_code
set_body(struct edge_request *request)
{
	const struct trl_method *method = request->route->method;
	struct trl_http_request *http = request->http;
	const char *coding = trl_http_header(http, "content-encoding");
	const bool empty = !http->has_body || http->content_length == 0;
	const bool one_click = is_one_click(request);
	const uint8_t *data;
	enum trl_code rc;
	size_t len;

	if (empty && !request->route->wants_body)
		return TRL_OK;
	if (method->verb == TRL_GET || method->verb == TRL_DELETE)
		return edge_refuse(request, 400, "This method takes no body.");
	if (!http->has_body && !trl_http_header(http, "content-length"))
		return edge_refuse(request, 411,
		    "A JSON object is missing: send Content-Length or chunks.");
	if (empty)
		return trl_fail(
		    request->ctx, TRL_MALFORMED, "A JSON object is missing.");
	if ((!one_click && !is_json(request)) ||
	    (coding && strcasecmp(coding, "identity") != 0))
		return edge_refuse(request, 415, "Send application/json in UTF-8.");
	rc = trl_http_body(request->ctx, http, method->max_body_bytes, &data, &len);
	if (rc != TRL_OK)
		return body_failed(request, rc);
	if (one_click || (!len && !request->route->wants_body))
		return TRL_OK;
	return trl_json_decode(
	    request->ctx, method->in, (const char *)data, len, request->in);
}

enum trl_code
edge_decode(struct edge_request *request)
{
	const struct trl_method *method = request->route->method;
	enum trl_code rc;

	request->in = trl_message_new(request->ctx->arena, method->in->descriptor);
	rc = set_path(request);
	if (rc == TRL_OK)
		rc = set_query(request);
	if (rc == TRL_OK)
		rc = set_body(request);
	if (rc == TRL_OK)
		rc = trl_validate(request->ctx, method->in, request->in);
	return rc;
}
