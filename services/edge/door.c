/* door.c - the listener, and the walk of a request through the rooms. */
#include <string.h>

#include <trl/busiest.h>
#include <trl/log.h>
#include <trl/span.h>
#include <trl/utf8.h>

#include "streams/streams.h"

enum {
	USER_AGENT_MAX = 200,
	CLIENT_LEFT = 499 /* as nginx counts requests whose client is gone */
};

static bool
answers_options(struct edge_request *request)
{
	const char *allow;

	if (strcmp(request->http->method, "OPTIONS") != 0)
		return false;
	allow = edge_route_allow(request);
	if (!*allow)
		return false;
	edge_preflight(request, allow);
	edge_route_offers(request);
	return true;
}

/* What the head itself decides: whether there is any point in walking. */
static enum trl_code
through_the_head(struct edge_request *request)
{
	enum trl_code rc = edge_route(request);
	const char *type;

	if (rc != TRL_OK)
		return rc;
	if (request->route->method->gives) /* its bytes may be of any type */
		return TRL_OK;
	type = edge_answer_type(request->route->method);
	if (!edge_accepts_answer(request->http, type))
		rc = edge_refuse(request, 406,
		    trl_arena_printf(request->ctx->arena, "Answers are %s.", type));
	return rc;
}

/* How much of its body a request's walk would read, judging by its head.
 *
 * A request is walked when it is complete, so that it acts under the rights that hold
 * then. One that the walk will refuse without reading the body does not wait for it. */
static size_t
awaits(void *arg, trl_arena *arena, const struct trl_http_request *told)
{
	struct trl_http_request http = *told;
	trl_ctx ctx = { .arena = arena, .service = "edge" };
	struct edge_request request = { .edge = arg,
		.ctx = &ctx,
		.http = &http,
		.is_head = strcmp(http.method, "HEAD") == 0 };

	if (through_the_head(&request) != TRL_OK || !edge_has_credential(&request) ||
	    edge_body_form(&request) != TRL_OK)
		return 0;
	return request.route->method->takes ? TRL_HTTP_PIECES
					    : request.route->method->max_body_bytes;
}

/* The request's remaining work is done before the stream is opened, because from then
 * on the rounds write into it. */
static enum trl_code
through_the_stream(struct edge_request *request)
{
	enum trl_code rc = edge_stream_admit(request);

	if (rc != TRL_OK)
		return rc;
	edge_stream_last_id(request);
	rc = edge_call(request);
	if (rc != TRL_OK)
		return rc;
	edge_principal_keep(request);
	return edge_stream_open(request);
}

static enum trl_code
through_the_rooms(struct edge_request *request)
{
	enum trl_code rc;

	if (edge_own(request, &rc))
		return rc;
	rc = through_the_head(request);
	if (request->n_segments && answers_options(request))
		return TRL_OK;
	if (rc == TRL_OK)
		rc = edge_principal(request);
	if (rc == TRL_OK)
		rc = edge_grant(request);
	if (rc == TRL_OK)
		rc = edge_permission(request);
	if (rc == TRL_OK)
		rc = edge_decode(request);
	if (rc == TRL_OK && request->route->method->stream)
		return through_the_stream(request);
	if (rc == TRL_OK &&
	    (request->route->method->takes || request->route->method->gives))
		return edge_bytes(request);
	if (rc == TRL_OK)
		rc = edge_call(request);
	if (rc == TRL_OK)
		rc = edge_render(request);
	return rc;
}

static void
count(struct edge_request *request)
{
	const struct edge_route *route = request->route;
	const unsigned code = request->left      ? CLIENT_LEFT
			      : request->put_off ? request->put_off
						 : request->response.status;
	uint64_t now;

	edge_count(request->edge, route, code, &request->ctx->trace);
	if (!route)
		return;
	now = trl_mono_us();
	trl_series_observe_us_of(
	    route->latency, now - request->started_us, &request->ctx->trace);
	if (request->grant) /* the tenant exists */
		trl_busiest_count(
		    request->ctx->tenant, TRL_BUSY_REQUEST, code >= 500, 0, now);
}

/* The User-Agent, which may be any bytes, as text that can be stored and shown. */
static const char *
user_agent(trl_ctx *ctx, const struct trl_http_request *http)
{
	const char *said = trl_http_header(http, "user-agent");
	size_t len;
	char *text;

	if (!said)
		return "";
	len = trl_utf8_cut(said, strlen(said), USER_AGENT_MAX);
	text = trl_arena_strndup(ctx->arena, said, len);
	trl_utf8_clean(text, len, "\t");
	return text;
}

/* The verb if it is a known one, because the names of spans must be few. */
static const char *
known_verb(const char *verb)
{
	static const char *const known[] = { "GET", "POST", "PUT", "PATCH", "DELETE",
		"HEAD", "OPTIONS" };

	for (size_t i = 0; i < TRL_COUNT(known); i++)
		if (strcmp(verb, known[i]) == 0)
			return known[i];
	return "_OTHER";
}

static void
begin_span(struct edge_request *request, struct trl_span *span)
{
	trl_span_begin(
	    request->ctx, span, TRL_SPAN_REQUEST, known_verb(request->http->method));
	trl_span_parent(span, request->caller_span);
}

static void
end_span(struct edge_request *request, struct trl_span *span, enum trl_code rc)
{
	if (span->on && request->route) {
		trl_span_of(span, request->route->method->path);
		if (request->route->shows_path)
			trl_span_text(span, request->http->path);
	}
	trl_span_number(
	    span, request->put_off ? request->put_off : request->response.status);
	trl_span_end(request->ctx, span, rc);
}

static void
walk(void *arg, trl_ctx *ctx, struct trl_http_request *http)
{
	struct edge_request request = { .edge = arg,
		.ctx = ctx,
		.http = http,
		.started_us = trl_mono_us(),
		.is_head = strcmp(http->method, "HEAD") == 0 };
	struct trl_span span;
	enum trl_code rc;

	ctx->service = "edge";
	request.address = edge_address(&request);
	edge_greet(&request);
	begin_span(&request, &span);
	ctx->principal.kind = TRL_NOBODY;
	ctx->principal.address = request.address;
	ctx->principal.user_agent = user_agent(ctx, http);
	rc = through_the_rooms(&request);
	if (rc != TRL_OK) {
		/* Nothing to log: a probe that finds us not ready, or a client that has
		 * left. */
		if (request.route && !request.left)
			trl_log_err(ctx);
		edge_problem(&request, rc);
	}
	count(&request);
	if (!request.answered)
		trl_http_reply(ctx, http, &request.response);
	edge_principal_keep(&request);
	end_span(&request, &span, rc);
}

static double
connections(void *self)
{
	const struct edge *edge = self;

	return edge->server ? (double)trl_http_connections(edge->server) : 0;
}

static void
open_metrics(struct edge *self)
{
	trl_metric_callback("trellis_http_connections", "Connections at the door",
	    false, connections, self);
	trl_series_set(trl_series_at(trl_gauge_new("trellis_http_connections_limit",
					 "Connections that the door takes", NULL),
			   NULL),
	    (double)self->config->max_connections);
	trl_series_set(trl_series_at(trl_gauge_new("trellis_edge_streams_limit",
					 "Event streams that the door takes", NULL),
			   NULL),
	    (double)self->config->max_streams);
}

enum trl_code
edge_door_open(struct edge *self)
{
	const uint32_t idle_s = (uint32_t)self->config->body_idle_s;
	const struct trl_http_options options = {
		.listen = self->config->listen,
		.max_connections = (size_t)self->config->max_connections,
		.max_per_address = (size_t)self->config->max_per_address,
		.piece_timeout_ms = idle_s * 1000,
		.floor_ms = idle_s * 2000,
		.floor_bytes = idle_s * 2 * 1024,
	};
	const struct trl_http_handler handler = { .handle = walk,
		.awaits = awaits,
		.now = edge_answer_now,
		.refuse = edge_turn_away,
		.self = self };

	open_metrics(self);
	return trl_http_open(self->host->loop, &options, &handler, &self->server);
}
