/* headers.c - what every answer carries: ids for tracing, the limits' state, what
 * browsers need for safety, and CORS for an origin that may read. */
#include <string.h>
#include <strings.h>

#include "rules/rules.h"

/* What pages of other origins may read and send, beside what contracts bind. */
static const char readable[] =
    "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, "
    "X-Request-Id, Idempotency-Replayed, traceparent";
static const char sendable[] =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
    "Last-Event-ID, X-CSRF-Token, X-HTTP-Method-Override, X-Request-Id, X-Tenant-Id, "
    "traceparent";

/* The same in every answer. */
static const char safety[] = "X-Content-Type-Options: nosniff\r\n"
			     "Referrer-Policy: no-referrer\r\n"
			     "Content-Security-Policy: default-src 'none'; "
			     "frame-ancestors 'none'\r\n"
			     "Cross-Origin-Opener-Policy: same-origin\r\n"
			     "Cross-Origin-Resource-Policy: same-origin\r\n"
			     /* Our own pages have an origin, too (origin.c). */
			     "Vary: Origin, Accept-Encoding\r\n";

/* Before any route was learnt: the usual. */
static const char *
text_or(const struct trl_buf *names, const char *usual)
{
	return names->len ? (const char *)names->data : usual;
}

/* Whether a list with commas has the name. */
static bool
lists(const char *list, const char *name)
{
	const size_t len = strlen(name);

	for (; *list; list += strspn(list, ", ")) {
		const size_t n = strcspn(list, ",");

		if (n == len && strncasecmp(list, name, n) == 0)
			return true;
		list += n;
	}
	return false;
}

/* Adds a name to a list that ends with NUL, once. */
static void
learn_name(struct trl_buf *list, const char *usual, const char *name)
{
	/* What every page may read and send anyhow (Fetch standard, 2.2.2), or asks for
	 * as whoever sends it does. */
	static const char anybodys[] = "Accept, Cache-Control, Content-Language, "
				       "Content-Length, Content-Type, Expires, "
				       "Last-Modified, :status, :permission, :method";

	if (!list->len)
		trl_buf_add(list, usual, strlen(usual) + 1);
	if (lists((const char *)list->data, name) || lists(anybodys, name))
		return;
	list->len--;
	trl_buf_adds(list, ", ");
	trl_buf_add(list, name, strlen(name) + 1);
}

static void
learn_names(struct trl_buf *list, const char *usual, const struct trl_message *rules)
{
	for (size_t i = 0; i < rules->descriptor->n_fields; i++)
		if (rules->fields[i].header)
			learn_name(list, usual, rules->fields[i].header);
}

/* The line of a name among those of a contract, or NULL. */
static const char *
answer_of(const char *const *answers, const char *line, size_t len)
{
	for (; *answers; answers += 2)
		if (strlen(*answers) == len && strncasecmp(*answers, line, len) == 0)
			return answers[1];
	return NULL;
}

/* Whether a reply has a field that holds the line. */
static bool
is_bound(const struct trl_message *rules, const char *line, size_t len)
{
	for (size_t i = 0; i < rules->descriptor->n_fields; i++) {
		const char *header = rules->fields[i].header;

		if (header && strlen(header) == len &&
		    strncasecmp(header, line, len) == 0)
			return true;
	}
	return false;
}

/* The usual lines, but those that the method has its own of, and its own. */
static void
learn_fixed(struct edge_route *route)
{
	static const char *const none[] = { NULL };
	const char *const *answers = route->method->answers;
	struct trl_buf lines = { 0 };
	const char *line, *end;

	if (!answers)
		answers = none;
	for (line = safety; *line; line = end) {
		const size_t len = strcspn(line, ":");

		end = strstr(line, "\r\n") + 2;
		if (!answer_of(answers, line, len) &&
		    !is_bound(route->method->out, line, len))
			trl_buf_add(&lines, line, (size_t)(end - line));
	}
	for (; *answers; answers += 2)
		trl_buf_printf(&lines, "%s: %s\r\n", answers[0], answers[1]);
	route->fixed_len = lines.len;
	trl_buf_add(&lines, "", 1);
	route->fixed = (char *)lines.data;
}

void
edge_headers_learn(struct edge *self, struct edge_route *route)
{
	const struct trl_method *method = route->method;
	const char *const *name;

	learn_names(&self->sendable, sendable, method->in);
	learn_names(&self->readable, readable, method->out);
	for (name = method->answers; name && *name; name += 2)
		learn_name(&self->readable, readable, *name);
	for (name = method->offers; name && *name; name += 2)
		learn_name(&self->readable, readable, *name);
	if (method->answers || is_bound(method->out, "Vary", 4))
		learn_fixed(route);
}

void
edge_add_once(struct trl_http_response *response, const char *name, const char *value)
{
	for (size_t i = 0; i < response->n_headers; i++)
		if (strcasecmp(response->headers[i].name, name) == 0)
			return;
	trl_http_add_header(response, name, value);
}

void
edge_offer(struct edge_request *request, const char *const *offers)
{
	for (; offers && *offers; offers += 2)
		edge_add_once(&request->response, offers[0], offers[1]);
}

/* Appends text, or value in decimal; *at stays inside the buffer by the caller's
 * arithmetic. Every answer comes through here, hence not printf. */
static char *
put_text(char *at, const char *text)
{
	const size_t len = strlen(text);

	memcpy(at, text, len);
	return at + len;
}

static char *
put_number(char *at, uint64_t value)
{
	char digits[20];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + value % 10);
	while (value /= 10);
	while (n)
		*at++ = digits[--n];
	return at;
}

enum { LIMIT_TEXT = 96 }; /* a name of up to 32, two numbers of up to 20, the rest */

/* RateLimit fields for HTTP, draft 11: a list of the policies a request counted
 * against, what is left of each, and when there is one more: where nothing is left,
 * what Retry-After says. */
static void
add_limits(struct edge_request *request)
{
	const size_t n = request->states.n;
	char *policy, *left, *p, *l;
	size_t i;

	if (!n)
		return;
	p = policy = trl_arena_alloc(request->ctx->arena, 2 * n * LIMIT_TEXT);
	l = left = policy + n * LIMIT_TEXT;
	for (i = 0; i < n; i++) {
		const struct trl_limit_state *state = &request->states.state[i];

		trl_assert(strlen(state->limit->name) <= 32);
		p = put_text(put_text(p, i ? ", \"" : "\""), state->limit->name);
		p = put_number(put_text(p, "\";q="), state->quota);
		p = put_number(put_text(p, ";w="), state->limit->window_s);
		l = put_text(put_text(l, i ? ", \"" : "\""), state->limit->name);
		l = put_number(put_text(l, "\";r="), state->remaining);
		l = put_number(put_text(l, ";t="), (state->next_us + 999999) / 1000000);
	}
	*p = *l = '\0';
	trl_http_add_header(&request->response, "RateLimit-Policy", policy);
	trl_http_add_header(&request->response, "RateLimit", left);
}

static char *
put_hex(char *at, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		*at++ = digits[bytes[i] >> 4];
		*at++ = digits[bytes[i] & 15];
	}
	return at;
}

static void
add_trace(struct edge_request *request)
{
	const struct trl_trace *trace = &request->ctx->trace;
	char *text = trl_arena_alloc(request->ctx->arena, 56), *at;

	at = put_hex(put_text(text, "00-"), trace->trace_id, sizeof trace->trace_id);
	at = put_hex(put_text(at, "-"), trace->span_id, sizeof trace->span_id);
	at = put_hex(put_text(at, "-"), &trace->flags, 1);
	*at = '\0';
	trl_http_add_header(&request->response, "traceparent", text);
	trl_http_add_header(&request->response, "X-Request-Id", request->request_id);
}

void
edge_headers(struct edge_request *request)
{
	struct trl_http_response *response = &request->response;

	add_trace(request);
	add_limits(request);
	response->fixed = safety;
	response->fixed_len = sizeof safety - 1;
	if (request->route && request->route->fixed) {
		response->fixed = request->route->fixed;
		response->fixed_len = request->route->fixed_len;
	}
	if (request->edge->tls)
		trl_http_add_header(response, "Strict-Transport-Security",
		    "max-age=63072000; includeSubDomains");
	if (request->origin) {
		trl_http_add_header(
		    response, "Access-Control-Allow-Origin", request->origin);
		trl_http_add_header(
		    response, "Access-Control-Allow-Credentials", "true");
		trl_http_add_header(response, "Access-Control-Expose-Headers",
		    text_or(&request->edge->readable, readable));
	}
}

void
edge_preflight(struct edge_request *request, const char *allow)
{
	struct trl_http_response *response = &request->response;
	const char *wanted =
	    trl_http_header(request->http, "access-control-request-method");

	*response = (struct trl_http_response){ .status = 204 };
	edge_headers(request);
	trl_http_add_header(response, "Allow", allow);
	if (request->origin && wanted) {
		trl_http_add_header(response, "Access-Control-Allow-Methods", allow);
		trl_http_add_header(response, "Access-Control-Allow-Headers",
		    text_or(&request->edge->sendable, sendable));
		trl_http_add_header(response, "Access-Control-Max-Age", "600");
	}
}
