/* greet.c - what an answer needs of a request whatever becomes of it: its ids, and
 * whether a page may read it; and the answer to what the HTTP server refuses by itself,
 * which looks and counts like all else. */
#include <stdio.h>
#include <string.h>

#include <trl/log.h>
#include <trl/trace.h>

#include "rooms/rooms.h"

/* Echoed if it is harmless, else made. */
static const char *
find_request_id(const struct edge_request *request)
{
	const char *text = trl_http_header(request->http, "x-request-id");
	char *made;

	if (text && *text && strlen(text) <= 128 &&
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			 "0123456789-_.:/+=@") == strlen(text))
		return text;
	made = trl_arena_alloc(request->ctx->arena, TRL_ID_TEXT);
	trl_id_format(trl_id_new(), made);
	return made;
}

/* The caller's trace, where there is one, goes on. */
static void
find_trace(struct edge_request *request)
{
	const char *text = trl_http_header(request->http, "traceparent");
	struct trl_trace *trace = &request->ctx->trace;
	struct trl_trace from;

	trl_trace_new(trace);
	if (!text || !trl_trace_parse(text, &from))
		return;
	memcpy(trace->trace_id, from.trace_id, sizeof from.trace_id);
	trace->flags = from.flags;
	memcpy(request->caller_span, from.span_id, sizeof from.span_id);
}

void
edge_greet(struct edge_request *request)
{
	const char *origin = trl_http_header(request->http, "origin");

	request->request_id = find_request_id(request);
	find_trace(request);
	if (origin && edge_origin_allowed(request->edge, request->http, origin))
		request->origin = origin;
}

void
edge_count(struct edge *self, const struct edge_route *route, unsigned code,
    const struct trl_trace *trace)
{
	const size_t result = code >= 500 ? 2 : code >= 400;
	char status[8];

	trl_series_add_of((route ? route->results : self->none)[result], trace);
	if (route && code == route->method->status) {
		trl_series_add(route->fine, 1);
		return;
	}
	(void)snprintf(status, sizeof status, "%u", code);
	trl_series_add(trl_series_at(self->answers,
			   route ? route->method->service : "none", status),
	    1);
}

/* Clients that cannot speak, and floods, fill no log. */
void
edge_turn_away(void *self, trl_arena *arena, const struct trl_http_refusal *refusal,
    struct trl_http_response *out)
{
	struct trl_http_request http = *refusal->request;
	trl_ctx ctx = { .arena = arena, .service = "edge" };
	struct edge_request request = { .edge = self, .ctx = &ctx, .http = &http };

	edge_greet(&request);
	edge_route_split(&request);
	(void)edge_refuse(&request, refusal->status, refusal->detail);
	edge_problem(&request, refusal->status == 503 ? TRL_BUSY : TRL_MALFORMED);
	*out = request.response;
	edge_count(self, NULL, refusal->status, &ctx.trace);
	trl_log(refusal->status == 500 ? TRL_LOG_ERROR : TRL_LOG_DEBUG, &ctx,
	    "refused at the door", TRL_LOG_INT("status", refusal->status),
	    TRL_LOG_STR("detail", refusal->detail));
}
