/* route.c - from a path to a method. The generated table is ordered so that the
 * first match wins; a few dozen routes, compared by their number of segments first.
 * The path is decoded once, segment by segment, after it was split, so an encoded
 * slash stays inside its segment; what decodes to a dot segment, or looks encoded
 * still, is refused rather than understood (reliability.md, HTTP 8).
 * Over 400 lines: what is learnt of a route at the start is what finds it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooms/rooms.h"

static bool
has_header(const struct trl_message *message, bool header)
{
	for (size_t i = 0; i < message->descriptor->n_fields; i++)
		if ((message->fields[i].header != NULL) == header)
			return true;
	return false;
}

static int
field_of(const struct trl_message *message, const char *name, ProtobufCType type)
{
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);

	if (!field || field->type != type)
		return -1;
	return (int)(field - message->descriptor->fields);
}

static bool
is_variable(const struct edge_route *route, const char *name)
{
	size_t i;

	for (i = 0; i < route->n_segments; i++)
		if (route->is_variable[i] && strcmp(route->segments[i], name) == 0)
			return true;
	return false;
}

/* "/api/v1/tenants/{tenant_id}" in pieces that live as long as the process. */
static bool
split_template(struct edge_route *route)
{
	char *text = strdup(route->method->path), *save = NULL, *piece;

	trl_assert(text);
	route->storage = text;
	for (piece = strtok_r(text, "/", &save); piece;
	     piece = strtok_r(NULL, "/", &save)) {
		const size_t len = strlen(piece), at = route->n_segments;

		if (at == EDGE_SEGMENTS_MAX)
			return false;
		route->is_variable[at] = piece[0] == '{' && piece[len - 1] == '}';
		if (route->is_variable[at]) {
			piece[len - 1] = '\0';
			piece++;
		}
		route->segments[at] = piece;
		route->n_segments++;
	}
	return true;
}

static void
learn_fields(struct edge_route *route)
{
	const struct trl_method *method = route->method;
	const ProtobufCMessageDescriptor *in = method->in->descriptor;
	size_t i;

	route->version = field_of(method->out, "version", PROTOBUF_C_TYPE_INT64);
	route->id = field_of(method->out, "id", PROTOBUF_C_TYPE_BYTES);
	route->items = field_of(method->out, "items", PROTOBUF_C_TYPE_MESSAGE);
	route->body = method->media_type
			  ? field_of(method->out, "body", PROTOBUF_C_TYPE_BYTES)
			  : -1;
	route->file_name = field_of(method->out, "file_name", PROTOBUF_C_TYPE_STRING);
	route->next_page_token =
	    field_of(method->out, "next_page_token", PROTOBUF_C_TYPE_STRING);
	route->page_size = field_of(method->in, "page_size", PROTOBUF_C_TYPE_UINT32);
	route->tenant_segment = route->whose_segment = -1;
	for (i = 0; i < route->n_segments && method->auth == TRL_AUTH_PUBLIC; i++)
		if (route->is_variable[i] && strcmp(route->segments[i], "tenant") == 0)
			route->whose_segment = (int)i;
	for (i = 0; i < route->n_segments && method->tenant_field >= 0; i++)
		if (route->is_variable[i] &&
		    strcmp(route->segments[i], in->fields[method->tenant_field].name) ==
			0)
			route->tenant_segment = (int)i;
	for (i = 0; i < in->n_fields; i++)
		if (method->in->fields[i].format == TRL_FORMAT_ID &&
		    is_variable(route, in->fields[i].name))
			route->names = true;
	route->shows_path = true;
	for (i = 0; i < in->n_fields; i++)
		if (method->in->fields[i].format != TRL_FORMAT_ID &&
		    is_variable(route, in->fields[i].name))
			route->shows_path = false;
	for (i = 0; i < in->n_fields; i++)
		if (method->in->fields[i].required && !method->in->fields[i].header &&
		    !is_variable(route, in->fields[i].name))
			route->wants_body = true;
	if (method->verb == TRL_PATCH || method->verb == TRL_PUT)
		route->wants_body = true;
	if (trl_verb_reads(method->verb) || method->verb == TRL_DELETE)
		route->wants_body = false;
	route->binds = has_header(method->in, true);
	route->tells = has_header(method->out, true);
	route->shows = has_header(method->out, false);
}

/* Whether what POST makes can be read at path/{...}. */
static bool
can_locate(const struct edge *self, const struct edge_route *made)
{
	size_t i, j;

	if (made->method->verb != TRL_POST || made->method->status != 201 ||
	    made->id < 0)
		return false;
	for (i = 0; i < self->n_routes; i++) {
		const struct edge_route *route = &self->routes[i];

		if (route->method->verb != TRL_GET ||
		    route->n_segments != made->n_segments + 1 ||
		    !route->is_variable[made->n_segments])
			continue;
		for (j = 0; j < made->n_segments; j++)
			if (route->is_variable[j] != made->is_variable[j] ||
			    strcmp(route->segments[j], made->segments[j]) != 0)
				break;
		if (j == made->n_segments)
			return true;
	}
	return false;
}

static void
status_text(char text[8], unsigned status)
{
	(void)snprintf(text, 8, "%u", status);
}

/* What any request may be answered. */
static bool
is_anybodys(enum trl_code code)
{
	return code == TRL_UNAUTHENTICATED || code == TRL_DENIED || code == TRL_RATE ||
	       code == TRL_MALFORMED || code == TRL_INVALID;
}

static void
open_results(struct edge *self, const char *name, trl_series *out[3])
{
	static const char *const results[] = { "ok", "refused", "failed" };

	for (size_t i = 0; i < TRL_COUNT(results); i++)
		out[i] = trl_series_at(self->requests, name, results[i]);
}

/* All that the method may be answered with stands there with 0: its own status, those
 * of faults, and what its contract lists. */
static void
open_metrics(struct edge *self, struct edge_route *route)
{
	const struct trl_method *method = route->method;
	char status[8];

	open_results(self, method->name, route->results);
	route->latency = trl_series_at(self->latency, method->service);
	status_text(status, method->status);
	route->fine = trl_series_at(self->answers, method->service, status);
	for (int code = TRL_MALFORMED; code <= TRL_INTERNAL; code++) {
		if (code < TRL_BUSY && (method->errors >> code & 1) == 0 &&
		    !is_anybodys(code))
			continue;
		status_text(status, trl_code_status(code));
		trl_series_at(self->answers, method->service, status);
	}
}

/* What is answered where there is no route, or no request that can be read. */
static void
open_metrics_of_none(struct edge *self)
{
	static const char *const statuses[] = { "200", "204", "400", "404", "405",
		"408", "411", "413", "414", "417", "431", "500", "501", "503", "505" };

	open_results(self, "none", self->none);
	for (size_t i = 0; i < TRL_COUNT(statuses); i++)
		trl_series_at(self->answers, "none", statuses[i]);
}

bool
edge_routes_open(struct edge *self)
{
	size_t i;

	open_metrics_of_none(self);

	self->n_routes = trl_routes_count;
	self->routes = calloc(self->n_routes, sizeof *self->routes);
	trl_assert(self->routes);
	for (i = 0; i < self->n_routes; i++) {
		struct edge_route *route = &self->routes[i];

		route->method = trl_routes[i];
		if (!split_template(route))
			return false;
		learn_fields(route);
		edge_headers_learn(self, route);
		open_metrics(self, route);
	}
	for (i = 0; i < self->n_routes; i++)
		self->routes[i].locates = can_locate(self, &self->routes[i]);
	return true;
}

/* A segment that some intermediary may read otherwise than we do. */
static bool
is_doubtful(const char *text, size_t len)
{
	size_t i;

	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return true;
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f ||
		    text[i] == '%' || text[i] == '/' || text[i] == '\\')
			return true;
	return false;
}

/* Errors: TRL_MALFORMED. More segments than any route has: n is beyond the limit. */
static enum trl_code
split_path(struct edge_request *request)
{
	const char *at = request->http->path;

	while (*at == '/') {
		const char *text;
		size_t len = strcspn(at + 1, "/");
		size_t n;

		text = edge_percent_decode(request->ctx->arena, at + 1, len, false, &n);
		if (!text || is_doubtful(text, n))
			return trl_fail(request->ctx, TRL_MALFORMED,
			    "The path is not encoded correctly.");
		if (request->n_segments < EDGE_SEGMENTS_MAX)
			request->segments[request->n_segments] = text;
		request->n_segments++;
		at += 1 + len;
	}
	return TRL_OK;
}

void
edge_route_split(struct edge_request *request)
{
	if (split_path(request) != TRL_OK) {
		request->n_segments = 0;
		trl_err_clear(request->ctx);
	}
}

static bool
matches(const struct edge_route *route, const struct edge_request *request)
{
	size_t i;

	if (route->n_segments != request->n_segments) /* of most routes */
		return false;
	for (i = route->n_segments; i-- > 0;)
		if (route->is_variable[i]
			? request->segments[i][0] == '\0'
			: strcmp(route->segments[i], request->segments[i]) != 0)
			return false;
	return true;
}

static const char *const verb_names[] = { "", "GET", "POST", "PUT", "PATCH", "DELETE",
	"HEAD" };

/* TRL_VERB_NONE, which no route has, for what is none of ours. */
static enum trl_verb
verb_of(const char *name)
{
	for (size_t i = 1; i < TRL_COUNT(verb_names); i++)
		if (strcmp(verb_names[i], name) == 0)
			return (enum trl_verb)i;
	return TRL_VERB_NONE;
}

bool
edge_is_unsubscribe(const char *path)
{
	const size_t len = strlen(EDGE_UNSUBSCRIBE);

	if (strncmp(path, EDGE_UNSUBSCRIBE, len) != 0 || !path[len])
		return false;
	path += len;
	return path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_-")] == '\0';
}

const char *
edge_route_allow(struct edge_request *request)
{
	const struct edge *self = request->edge;
	const char *allow = edge_is_unsubscribe(request->http->path) ? "GET, HEAD" : "";
	size_t i;

	for (i = 0; i < self->n_routes; i++) {
		const struct trl_method *method = self->routes[i].method;

		if (!matches(&self->routes[i], request))
			continue;
		allow = trl_arena_printf(request->ctx->arena, "%s%s%s%s", allow,
		    *allow ? ", " : "", verb_names[method->verb],
		    method->verb == TRL_GET ? ", HEAD" : "");
	}
	return *allow ? trl_arena_printf(request->ctx->arena, "%s, OPTIONS", allow)
		      : "";
}

const struct edge_route *
edge_route_near(const struct edge_request *request)
{
	const struct edge *self = request->edge;

	for (size_t i = 0; request->n_segments && i < self->n_routes; i++)
		if (matches(&self->routes[i], request))
			return &self->routes[i];
	return NULL;
}

bool
edge_route_has(const struct edge_request *request, enum trl_verb verb)
{
	const struct edge *self = request->edge;

	for (size_t i = 0; request->n_segments && i < self->n_routes; i++)
		if (self->routes[i].method->verb == verb &&
		    matches(&self->routes[i], request))
			return true;
	return false;
}

void
edge_route_offers(struct edge_request *request)
{
	const struct edge *self = request->edge;

	for (size_t i = 0; i < self->n_routes; i++) {
		const struct trl_method *method = self->routes[i].method;

		if (!matches(&self->routes[i], request))
			continue;
		edge_offer(request, method->offers);
		if (method->verb == TRL_PATCH)
			edge_add_once(&request->response, "Accept-Patch",
			    method->takes && method->takes->media_types
				? edge_types_taken(request->ctx->arena, method->takes)
				: EDGE_PATCH_TYPES);
	}
}

/* What stands between may let only GET and POST through; a POST then says what it is
 * meant to be, and is from here on. */
static enum trl_code
read_override(struct edge_request *request)
{
	static const char *const verbs[] = { "PATCH", "DELETE", "HEAD" };
	const char *meant = trl_http_header(request->http, "x-http-method-override");

	if (!meant || strcmp(request->http->method, "POST") != 0)
		return TRL_OK;
	for (size_t i = 0; i < TRL_COUNT(verbs); i++)
		if (strcmp(meant, verbs[i]) == 0) {
			request->http->method = verbs[i];
			return TRL_OK;
		}
	return trl_fail(request->ctx, TRL_MALFORMED,
	    "X-HTTP-Method-Override may be PATCH, DELETE or HEAD.");
}

/* GET answers HEAD, too; one that was a POST, whose answer may have a body, only where
 * that would be bytes, which are not asked for then. */
static bool
has_verb(const struct edge_route *route, enum trl_verb verb, bool is_head)
{
	const struct trl_method *method = route->method;

	return method->verb == verb ||
	       (method->verb == TRL_GET &&
		   (is_head || (verb == TRL_HEAD && method->gives)));
}

/* Whether nothing in it could be written in another way. */
static bool
is_exact(const struct trl_http_request *http)
{
	return !http->has_query && !strchr(http->path, '%');
}

enum trl_code
edge_route(struct edge_request *request)
{
	const struct edge *self = request->edge;
	enum trl_verb verb;
	enum trl_code rc;
	size_t i;

	rc = split_path(request);
	if (rc == TRL_OK)
		rc = read_override(request);
	if (rc != TRL_OK)
		return rc;
	verb = verb_of(request->http->method);
	for (i = 0; i < self->n_routes; i++) {
		const struct edge_route *route = &self->routes[i];

		if (route->n_segments == request->n_segments &&
		    has_verb(route, verb, request->is_head) &&
		    matches(route, request)) {
			if (route->method->exact && !is_exact(request->http))
				break;
			request->route = route;
			request->ctx->method = route->method;
			return TRL_OK;
		}
	}
	if (i == self->n_routes && *edge_route_allow(request))
		return edge_refuse(
		    request, 405, "This resource does not support this method.");
	return trl_fail(request->ctx, TRL_NOT_FOUND, "There is nothing at this path.");
}
