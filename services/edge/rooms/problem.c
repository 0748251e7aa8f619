/* problem.c - the one place where a failure becomes an answer: RFC 9457. The
 * message of a condition is shown; of a fault only what to do, and the trace id,
 * by which the log is found. Over 400 lines: a third of it is the words, which stand
 * nowhere else. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include <trl/json.h>

#include "rooms/rooms.h"

/* Statuses of HTTP itself, that no code of ours stands for. */
struct plain_status {
	uint16_t status;
	const char *code, *title, *help;
};

static const struct plain_status plain[] = {
	{ 400, "MALFORMED", "The request cannot be read", NULL },
	{ 405, "METHOD_NOT_ALLOWED", "Method not allowed",
	    "The resource exists, but does not support this method; the Allow header "
	    "lists those that it does." },
	{ 406, "NOT_ACCEPTABLE", "Nothing acceptable to send",
	    "Answers are application/json, which the Accept header rules out." },
	{ 408, "REQUEST_TIMEOUT", "The request took too long to arrive",
	    "The headers and the body must each arrive in time. Send the request "
	    "again." },
	{ 411, "LENGTH_REQUIRED", "The length is missing",
	    "Send Content-Length, or Transfer-Encoding: chunked." },
	{ 412, "PROTOCOL_VERSION", "This version of the protocol is not supported",
	    "The header field that names the version of a protocol is missing, or "
	    "names "
	    "another one; detail says which there is. Nothing of the request was "
	    "done." },
	{ 413, "TOO_LARGE", "The body is too large", NULL },
	{ 414, "URI_TOO_LONG", "The address is too long",
	    "A request target may be at most 8 KiB long." },
	{ 415, "UNSUPPORTED_MEDIA_TYPE", "The body's type is not supported", NULL },
	{ 417, "EXPECTATION_FAILED", "The expectation cannot be met",
	    "Only Expect: 100-continue is supported." },
	{ 421, "MISDIRECTED", "This server does not serve that host",
	    "Check the Host header." },
	{ 431, "HEAD_TOO_LARGE", "The headers are too large",
	    "The headers may be at most 16 KiB, and at most 100 of them." },
	{ 500, "INTERNAL", "Internal error", NULL },
	{ 501, "NOT_IMPLEMENTED", "Not implemented",
	    "The request uses a part of HTTP that this server does not offer." },
	{ 503, "BUSY", "Busy", NULL },
	{ 505, "HTTP_VERSION", "This version of HTTP is not supported",
	    "Use HTTP/1.1." },
};

/* What each code of ours means, for readers of /problems/{name}. */
static const char *const help[] = {
	[TRL_MALFORMED] =
	    "The request does not have the form it should have: broken JSON, an "
	    "unknown or repeated field, a wrong type, an unknown parameter, a "
	    "contradiction. errors[] names the places. Sending it again "
	    "unchanged will not help.",
	[TRL_INVALID] =
	    "The request has the right form, but a value is outside what is "
	    "allowed; errors[] names the places. Or the Idempotency-Key was already "
	    "used for another request.",
	[TRL_UNAUTHENTICATED] =
	    "The request carries no session or API key, or one that is "
	    "unknown, expired or revoked. Sign in again.",
	[TRL_DENIED] = "The caller is known, but is not allowed to do this here.",
	[TRL_NOT_FOUND] = "It does not exist, or the caller may not know of it.",
	[TRL_EXISTS] = "A name that must be unique is taken; errors[] says which.",
	[TRL_CONFLICT] =
	    "The request does not fit the present state, or another request "
	    "with the same Idempotency-Key is still running (Retry-After then says "
	    "how long to wait).",
	[TRL_PRECONDITION] =
	    "The resource has changed since the ETag in If-Match was read. "
	    "Read it again.",
	[TRL_RATE] =
	    "A rate limit is reached. RateLimit-Policy and RateLimit describe the "
	    "limits; Retry-After says how long to wait.",
	[TRL_QUOTA] =
	    "A limit of the plan or of the account is reached. Of a feature of "
	    "the plan, feature, limit, used and plan say which.",
	[TRL_GONE] = "It was there and is no longer: it expired, or was removed.",
	[TRL_TOO_LARGE] =
	    "The body is larger than this method, or what the plan leaves, takes; the "
	    "OpenAPI document and the detail say how much.",
	[TRL_UNSUPPORTED_MEDIA_TYPE] =
	    "The body has a type or an encoding that this method does not take; the "
	    "Accept header lists those that it does. Most take application/json in "
	    "UTF-8, without a Content-Encoding.",
	[TRL_RANGE] =
	    "The Range header asks for bytes that are not there; Content-Range says "
	    "how many there are.",
	[TRL_LOCKED] =
	    "Another request is changing it at this moment. Try again after the time "
	    "in Retry-After.",
	[TRL_CHECKSUM] =
	    "The bytes that came have another checksum than the one that was sent with "
	    "them. Nothing of this request was kept; send it again.",
	[TRL_STORAGE] =
	    "The server has no room left for it. What was kept so far is safe; "
	    "try again later.",
	[TRL_BUSY] = "The server has too much to do right now. Wait as long as "
		     "Retry-After says, "
		     "and try again.",
	[TRL_UNAVAILABLE] =
	    "A part of the system does not answer. Nothing was changed, though of "
	    "bytes "
	    "that were being sent some may be kept. Try again after the time in "
	    "Retry-After.",
	[TRL_DEADLINE] =
	    "The request could not be finished in time. A change may have been made "
	    "all the same. Send the same request with the same Idempotency-Key to find "
	    "out: the change is made at most once. Of an upload a HEAD says how far it "
	    "has come.",
	[TRL_UNCERTAIN] =
	    "The change may or may not have been made. Send the same request with the "
	    "same Idempotency-Key to find out: the change is made at most once. Of an "
	    "upload a HEAD says how far it has come.",
	[TRL_INTERNAL] =
	    "The server failed. Its log has the details, under the trace_id.",
};

/* A problem in the making. */
struct problem {
	uint16_t status;
	const char *code, *title, *detail, *instance, *trace;
	const struct trl_err *err; /* for errors[], or NULL */
};

/* The path as a URI reference (RFC 3986): what may not stand in one, and a '%' that
 * encodes nothing, encoded; and a second slash, which would begin a host. NULL where no
 * path was read. */
static const char *
instance_of(trl_arena *arena, const char *path)
{
	static const char plain_chars[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "-._~!$&'()*+,;=:@/";
	char *text = trl_arena_alloc(arena, 3 * strlen(path) + 1), *to = text;

	for (const char *at = path; *at; at++) {
		const bool is_plain = strchr(plain_chars, *at) ||
				      (*at == '%' && isxdigit((unsigned char)at[1]) &&
					  isxdigit((unsigned char)at[2]));

		if (is_plain && !(at == path + 1 && *at == '/'))
			*to++ = *at;
		else
			to += sprintf(to, "%%%02X", (unsigned)(unsigned char)*at);
	}
	*to = '\0';
	return *text ? text : NULL;
}

static const struct plain_status *
plain_of(uint16_t status)
{
	size_t i;

	for (i = 0; i < TRL_COUNT(plain); i++)
		if (plain[i].status == status)
			return &plain[i];
	return status < 500 ? &plain[0] : plain_of(500);
}

static void
add_text(struct trl_buf *out, const char *name, const char *text)
{
	trl_buf_printf(out, ",\"%s\":", name);
	trl_json_string(out, text, strlen(text));
}

/* "NOT_FOUND" as in a URI: "not-found". */
static void
add_type(struct trl_buf *out, const char *code)
{
	trl_buf_adds(out, "{\"type\":\"/problems/");
	for (; *code; code++) {
		const char c = *code == '_' ? '-' : (char)tolower((unsigned char)*code);

		trl_buf_add(out, &c, 1);
	}
	trl_buf_adds(out, "\"");
}

static void
add_errors(struct trl_buf *out, const struct trl_err *err)
{
	size_t i;

	if (!err || (!err->n_violations && !err->field[0]))
		return;
	trl_buf_adds(out, ",\"errors\":[");
	for (i = 0; i < err->n_violations; i++) {
		const struct trl_violation *violation = &err->violations[i];

		trl_buf_adds(out, i ? ",{\"pointer\":" : "{\"pointer\":");
		trl_json_string(out, violation->pointer, strlen(violation->pointer));
		add_text(out, "detail", violation->detail);
		trl_buf_adds(out, "}");
	}
	if (!err->n_violations) {
		char pointer[80];

		(void)snprintf(pointer, sizeof pointer, "%s%s",
		    err->field[0] == '/' ? "" : "/", err->field);
		trl_buf_adds(out, "{\"pointer\":");
		trl_json_string(out, pointer, strlen(pointer));
		add_text(out, "detail", err->message);
		trl_buf_adds(out, "}");
	}
	trl_buf_adds(out, "]");
}

/* Members of our own (RFC 9457, 3.2): what of the plan is used up. */
static void
add_quota(struct trl_buf *out, const struct trl_err *err)
{
	if (!err || trl_is_fault(err->code) || !err->quota.feature[0])
		return;
	add_text(out, "feature", err->quota.feature);
	trl_buf_printf(out, ",\"limit\":%lld,\"used\":%lld",
	    (long long)err->quota.limit, (long long)err->quota.used);
	if (err->quota.reserved >= 0)
		trl_buf_printf(
		    out, ",\"reserved\":%lld", (long long)err->quota.reserved);
	if (err->quota.plan[0])
		add_text(out, "plan", err->quota.plan);
}

static void
write_problem(struct trl_buf *out, const struct problem *problem)
{
	add_type(out, problem->code);
	add_text(out, "title", problem->title);
	trl_buf_printf(out, ",\"status\":%u", (unsigned)problem->status);
	if (problem->detail && *problem->detail)
		add_text(out, "detail", problem->detail);
	if (problem->instance)
		add_text(out, "instance", problem->instance);
	add_text(out, "code", problem->code);
	if (problem->trace)
		add_text(out, "trace_id", problem->trace);
	add_errors(out, problem->err);
	add_quota(out, problem->err);
	trl_buf_adds(out, "}");
}

static void
add_problem_headers(struct edge_request *request, enum trl_code rc, uint16_t status)
{
	struct trl_http_response *response = &request->response;
	trl_arena *arena = request->ctx->arena;
	const unsigned wait_s = edge_retry_after_s(request, rc);

	if (wait_s)
		trl_http_add_header(
		    response, "Retry-After", trl_arena_printf(arena, "%u", wait_s));
	if (status == 401 || request->challenge)
		trl_http_add_header(response, "WWW-Authenticate",
		    request->challenge ? request->challenge : EDGE_CHALLENGE);
	if (status == 415 && request->route)
		edge_say_taken(request);
	if (status == 405) {
		const char *allow = edge_route_allow(request);

		trl_http_add_header(response, "Allow", *allow ? allow : EDGE_OWN_ALLOW);
	}
	if (status == 416 && rc == TRL_RANGE)
		trl_http_add_header(response, "Content-Range",
		    trl_arena_printf(arena, "bytes */%lld",
			(long long)request->ctx->err.quota.limit));
	if (status == 408 || status == 413)
		response->close = true;
	trl_http_add_header(response, "Cache-Control", "no-store");
}

/* Before a route is found, too: at the door. */
static bool
is_for_stream(const struct edge_request *request)
{
	const struct edge *edge = request->edge;

	if (request->route)
		return request->route->method->stream;
	for (size_t i = 0; i < edge->n_routes; i++)
		if (edge->routes[i].method->stream &&
		    strcmp(edge->routes[i].method->path, request->http->path) == 0)
			return true;
	return false;
}

/* EventSource gives up for good where an answer is not 200 (WHATWG HTML, 9.2.3). What
 * passes by itself is told to it by a stream that says when to come again, and ends; so
 * is a limit to one that was here before, which all come back at once may meet. */
static bool
is_put_off(const struct edge_request *request, uint16_t status)
{
	const struct trl_http_request *http = request->http;

	return (status == 503 || status == 504 ||
		   (status == 429 && trl_http_header(http, "last-event-id"))) &&
	       edge_names_stream(http) && is_for_stream(request);
}

static void
put_off(struct edge_request *request, const struct problem *problem, unsigned wait_s)
{
	struct trl_http_response *response = &request->response;
	struct trl_buf *body = &request->edge->body;
	const unsigned least_ms = wait_s > 2 ? wait_s * 1000 : 2000;

	request->put_off = problem->status;
	*response = (struct trl_http_response){ .status = 200 };
	edge_headers(request);
	trl_http_add_header(response, "Cache-Control", "no-store");
	trl_buf_clear(body);
	trl_buf_printf(body, ": %u %s\nretry: %u\n\n", problem->status, problem->title,
	    least_ms + randombytes_uniform(3000));
	edge_render_body(request, "text/event-stream", body->data, body->len);
}

/* What each answer of a path has (Tus-Resumable), though none of its methods was asked
 * for, or the request was not read to its end: 405, 431. */
static void
add_near(struct edge_request *request)
{
	const struct edge_route *near = edge_route_near(request);

	if (!near || !near->fixed)
		return;
	request->response.fixed = near->fixed;
	request->response.fixed_len = near->fixed_len;
}

void
edge_problem(struct edge_request *request, enum trl_code rc)
{
	const struct trl_err *err = &request->ctx->err;
	struct trl_buf *body = &request->edge->body;
	struct problem problem = { .err = err };
	char trace[33];

	sodium_bin2hex(trace, sizeof trace, request->ctx->trace.trace_id, 16);
	problem.trace = trace;
	if (request->status) {
		const struct plain_status *known = plain_of(request->status);

		problem.status = request->status;
		problem.code = known->code;
		problem.title = known->title;
		problem.detail = err->message;
	} else {
		problem.status = (uint16_t)trl_code_status(rc);
		problem.code = trl_code_name(rc);
		problem.title = trl_code_title(rc);
		problem.detail = trl_is_fault(rc) && !request->tells_fault
				     ? edge_advice(request, rc)
				     : err->message;
		if (trl_is_fault(rc))
			problem.err = NULL;
	}
	if (is_put_off(request, problem.status)) {
		put_off(request, &problem, edge_retry_after_s(request, rc));
		return;
	}
	if (edge_speaks_ofrep(request))
		problem.status = edge_ofrep_status(request, problem.status);
	problem.instance = instance_of(request->ctx->arena, request->http->path);
	request->response = (struct trl_http_response){ .status = problem.status };
	edge_headers(request);
	if (!request->route)
		add_near(request);
	add_problem_headers(request, rc, problem.status);
	trl_buf_clear(body);
	if (edge_speaks_ofrep(request)) {
		edge_ofrep_failure(body, request, problem.status,
		    problem.detail ? problem.detail : problem.title);
		edge_render_body(request, "application/json", body->data, body->len);
		return;
	}
	write_problem(body, &problem);
	edge_render_body(request, "application/problem+json", body->data, body->len);
}

/* Whether a name in a URI stands for a code. */
static bool
is_named(const char *code, const char *name)
{
	for (; *code && *name; code++, name++)
		if (*name != (*code == '_' ? '-' : tolower((unsigned char)*code)))
			return false;
	return *code == *name;
}

const char *
edge_problem_page(trl_arena *arena, const char *name)
{
	size_t i;

	for (i = 1; i < TRL_COUNT(help); i++)
		if (help[i] && is_named(trl_code_name((enum trl_code)i), name))
			return trl_arena_printf(arena, "%s (%s, HTTP %u)\n\n%s\n",
			    trl_code_title((enum trl_code)i),
			    trl_code_name((enum trl_code)i),
			    (unsigned)trl_code_status((enum trl_code)i), help[i]);
	for (i = 0; i < TRL_COUNT(plain); i++)
		if (plain[i].help && is_named(plain[i].code, name))
			return trl_arena_printf(arena, "%s (%s, HTTP %u)\n\n%s\n",
			    plain[i].title, plain[i].code, (unsigned)plain[i].status,
			    plain[i].help);
	return NULL;
}
