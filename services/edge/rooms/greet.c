/* greet.c - what an answer needs of a request whatever becomes of it: its ids, and
 * whether a page may read it; and the answer to what the HTTP server refuses by itself,
 * which looks and counts like all else. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include <trl/log.h>

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

/* W3C trace context: version 00, or a later one's first fields; ids not all zero. */
static void
find_trace(struct edge_request *request)
{
	const char *text = trl_http_header(request->http, "traceparent");
	struct trl_trace *trace = &request->ctx->trace;
	uint8_t head[1], id[16], span[8], flags[1];

	trl_trace_new(trace);
	if (!text || strlen(text) < 55 || text[2] != '-' || text[35] != '-' ||
	    text[52] != '-' || (text[55] != '\0' && text[55] != '-') ||
	    strspn(text, "0123456789abcdef-") < 55)
		return;
	if (sodium_hex2bin(head, 1, text, 2, NULL, NULL, NULL) != 0 ||
	    head[0] == 0xff || (head[0] == 0 && text[55] != '\0') ||
	    sodium_hex2bin(id, 16, text + 3, 32, NULL, NULL, NULL) != 0 ||
	    sodium_hex2bin(span, 8, text + 36, 16, NULL, NULL, NULL) != 0 ||
	    sodium_hex2bin(flags, 1, text + 53, 2, NULL, NULL, NULL) != 0 ||
	    sodium_is_zero(id, sizeof id) || sodium_is_zero(span, sizeof span))
		return;
	memcpy(trace->trace_id, id, sizeof id);
	trace->flags = flags[0] & 1;
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
edge_count(struct edge *self, const char *method, unsigned code)
{
	char status[8];

	(void)snprintf(status, sizeof status, "%u", code);
	trl_series_add(trl_series_at(self->requests, method, status), 1);
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
	(void)edge_refuse(&request, refusal->status, refusal->detail);
	edge_problem(&request, refusal->status == 503 ? TRL_BUSY : TRL_MALFORMED);
	*out = request.response;
	edge_count(self, "none", refusal->status);
	trl_log(refusal->status == 500 ? TRL_LOG_ERROR : TRL_LOG_DEBUG, &ctx,
	    "refused at the door", TRL_LOG_INT("status", refusal->status),
	    TRL_LOG_STR("detail", refusal->detail));
}
