/* headers.c - what every answer carries: ids for tracing, the limits' state, what
 * browsers need for safety, and CORS by the allow-list. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "edge.h"

static const char exposed[] =
    "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, "
    "X-Request-Id, Idempotency-Replayed, traceparent";

/* RateLimit fields for HTTP, draft 11: a list of the policies a request counted
 * against, and what is left of each. */
static void
add_limits(struct edge_request *request)
{
	trl_arena *arena = request->ctx->arena;
	char policy[320] = "", left[320] = "";
	size_t i, p = 0, l = 0;

	for (i = 0; i < request->states.n; i++) {
		const struct trl_limit_state *state = &request->states.state[i];
		const char *comma = i ? ", " : "";

		p += (size_t)snprintf(policy + p, sizeof policy - p,
		    "%s\"%s\";q=%llu;w=%u", comma, state->limit->name,
		    (unsigned long long)state->quota, state->limit->window_s);
		l += (size_t)snprintf(left + l, sizeof left - l,
		    "%s\"%s\";r=%llu;t=%llu", comma, state->limit->name,
		    (unsigned long long)state->remaining,
		    (unsigned long long)(state->reset_us + 999999) / 1000000);
		if (p >= sizeof policy || l >= sizeof left)
			return;
	}
	if (!request->states.n)
		return;
	trl_http_add_header(&request->response, "RateLimit-Policy",
	    trl_arena_strndup(arena, policy, p));
	trl_http_add_header(
	    &request->response, "RateLimit", trl_arena_strndup(arena, left, l));
}

static void
add_trace(struct edge_request *request)
{
	const struct trl_trace *trace = &request->ctx->trace;
	char id[33], span[17];

	sodium_bin2hex(id, sizeof id, trace->trace_id, sizeof trace->trace_id);
	sodium_bin2hex(span, sizeof span, trace->span_id, sizeof trace->span_id);
	trl_http_add_header(&request->response, "traceparent",
	    trl_arena_printf(
		request->ctx->arena, "00-%s-%s-%02x", id, span, trace->flags));
	trl_http_add_header(&request->response, "X-Request-Id", request->request_id);
}

void
edge_headers(struct edge_request *request)
{
	struct trl_http_response *response = &request->response;

	add_trace(request);
	add_limits(request);
	trl_http_add_header(response, "X-Content-Type-Options", "nosniff");
	trl_http_add_header(response, "Referrer-Policy", "no-referrer");
	trl_http_add_header(response, "Content-Security-Policy",
	    "default-src 'none'; frame-ancestors 'none'");
	trl_http_add_header(response, "Cross-Origin-Opener-Policy", "same-origin");
	trl_http_add_header(response, "Cross-Origin-Resource-Policy", "same-origin");
	if (request->edge->tls)
		trl_http_add_header(response, "Strict-Transport-Security",
		    "max-age=63072000; includeSubDomains");
	if (request->edge->n_origins)
		trl_http_add_header(response, "Vary", "Origin, Accept-Encoding");
	else
		trl_http_add_header(response, "Vary", "Accept-Encoding");
	if (request->origin) {
		trl_http_add_header(
		    response, "Access-Control-Allow-Origin", request->origin);
		trl_http_add_header(
		    response, "Access-Control-Allow-Credentials", "true");
		trl_http_add_header(response, "Access-Control-Expose-Headers", exposed);
	}
}

bool
edge_origin_allowed(const struct edge *self, const struct trl_http_request *http,
    const char *origin, bool *same)
{
	const char *rest = strstr(origin, "://");
	size_t i;

	*same = rest && (rest - origin == 4 || rest - origin == 5) &&
		strncmp(origin, "http", 4) == 0 &&
		strcasecmp(rest + 3, http->host) == 0;
	if (*same)
		return true;
	for (i = 0; i < self->n_origins; i++)
		if (strcmp(self->origins[i], origin) == 0)
			return true;
	return false;
}

/* Whether the codings accepted (RFC 9110, 12.5.3) name gzip with a weight above 0. */
bool
edge_accepts_gzip(const struct trl_http_request *http)
{
	const char *at = trl_http_header(http, "accept-encoding");

	while (at && *at) {
		const size_t len = strcspn(at, ",");

		at += strspn(at, " \t");
		if (strncasecmp(at, "gzip", 4) == 0 && strcspn(at, ";, \t") == 4) {
			const char *q = memchr(at, 'q', strcspn(at, ","));

			return !q || strspn(q, "q= 0.") != strcspn(q, ",");
		}
		at += strcspn(at, ",");
		at += *at == ',';
		(void)len;
	}
	return false;
}
