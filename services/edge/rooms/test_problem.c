/* (Over 400 lines: each kind of failure, as its answer.) A failure as a document (RFC
 * 9457): of each code, of HTTP itself, at the door. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_rig.h"

static const enum trl_code codes[] = { TRL_MALFORMED, TRL_INVALID, TRL_UNAUTHENTICATED,
	TRL_DENIED, TRL_NOT_FOUND, TRL_EXISTS, TRL_CONFLICT, TRL_PRECONDITION, TRL_RATE,
	TRL_QUOTA, TRL_BUSY, TRL_UNAVAILABLE, TRL_DEADLINE, TRL_UNCERTAIN,
	TRL_INTERNAL };

static const char *
body_text(void)
{
	const struct trl_http_response *response = &rig.request.response;

	return trl_arena_strndup(rig.ctx.arena, response->body, response->body_len);
}

static void
has(const char *document, const char *part)
{
	if (!strstr(document, part))
		fail_msg("%s is not in %s", part, document);
}

static void
has_not(const char *document, const char *part)
{
	if (strstr(document, part))
		fail_msg("%s is in %s", part, document);
}

/* "not-found". */
static const char *
page_name(const char *code)
{
	char *name = trl_arena_strdup(rig.ctx.arena, code);

	for (char *at = name; *at; at++)
		*at = *at == '_' ? '-' : (char)(*at | 0x20);
	return name;
}

static void
each_code_has_its_document_and_page(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(codes); i++) {
		const char *name = trl_code_name(codes[i]), *text, *page;

		rig_ask("GET", "/api/v1/me");
		memset(rig.ctx.trace.trace_id, 0xab, 16);
		assert_int_equal(
		    trl_fail(&rig.ctx, codes[i], "In \"words\"."), codes[i]);
		edge_problem(&rig.request, codes[i]);
		text = body_text();
		page = page_name(name);
		assert_int_equal(
		    rig.request.response.status, trl_code_status(codes[i]));
		assert_string_equal(
		    rig_told("Content-Type"), "application/problem+json");
		assert_string_equal(rig_told("Cache-Control"), "no-store");
		has(text, trl_arena_printf(
			      rig.ctx.arena, "{\"type\":\"/problems/%s\",", page));
		has(text, trl_arena_printf(rig.ctx.arena, "\"code\":\"%s\"", name));
		has(text, trl_arena_printf(rig.ctx.arena, "\"status\":%u",
			      trl_code_status(codes[i])));
		has(text, trl_arena_printf(rig.ctx.arena, "\"title\":\"%s\"",
			      trl_code_title(codes[i])));
		has(text, "\"trace_id\":\"abababababababababababababababab\"");
		has(text, "\"instance\":\"/api/v1/me\"");
		has_not(text, "\"errors\"");
		if (trl_is_fault(codes[i]))
			has_not(text, "words"); /* only for the log */
		else
			has(text, "\"detail\":\"In \\\"words\\\".\"");
		assert_non_null(edge_problem_page(rig.ctx.arena, page));
		has(edge_problem_page(rig.ctx.arena, page), trl_code_title(codes[i]));
	}
}

static void
who_may_try_again_is_told_when(void **state)
{
	static const struct {
		enum trl_code code;
		uint32_t wait_ms;
		const char *wait_s;
	} rows[] = { { TRL_RATE, 1, "1" }, { TRL_RATE, 1001, "2" }, { TRL_RATE, 0, "" },
		{ TRL_CONFLICT, 1000, "1" }, { TRL_CONFLICT, 0, "" },
		{ TRL_BUSY, 0, "1" }, { TRL_UNAVAILABLE, 0, "1" },
		{ TRL_UNCERTAIN, 0, "1" }, { TRL_UNAVAILABLE, 30000, "30" },
		{ TRL_DEADLINE, 0, "1" }, { TRL_DEADLINE, 3000, "3" },
		{ TRL_INTERNAL, 0, "" }, { TRL_NOT_FOUND, 0, "" } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		rig_ask("GET", "/api/v1/me");
		(void)trl_fail(&rig.ctx, rows[i].code, "No.");
		if (rows[i].wait_ms)
			trl_err_retry_after(&rig.ctx, rows[i].wait_ms);
		edge_problem(&rig.request, rows[i].code);
		assert_string_equal(rig_told("Retry-After"), rows[i].wait_s);
	}
}

/* Whoever does not know whether it was done is told how to find out, and when. */
static void
who_is_in_doubt_is_told_what_to_do(void **state)
{
	static const enum trl_code doubts[] = { TRL_DEADLINE, TRL_UNCERTAIN };
	static const struct {
		const char *verb, *path, *key, *says;
	} rows[] = {
		{ "GET", "/api/v1/me", NULL, "Try again after" },
		{ "PATCH", "/api/v1/me", "k", "the same Idempotency-Key" },
		{ "PATCH", "/api/v1/me", NULL, "look whether it was, before" },
		{ "POST", "/api/v1/files", NULL, "look whether it was, before" },
		{ "PATCH", "/api/v1/uploads/" RIG_ID, NULL, "Ask by HEAD" },
		{ "PATCH", "/api/v1/uploads/" RIG_ID, "k", "Ask by HEAD" },
		{ "GET", "/nowhere", NULL, "Try again after" },
	};

	(void)state;
	for (size_t i = 0; i < 2 * TRL_COUNT(rows); i++) {
		const enum trl_code code = doubts[i % 2];

		rig_ask(rows[i / 2].verb, rows[i / 2].path);
		if (rows[i / 2].key)
			rig_header("idempotency-key", rows[i / 2].key);
		(void)edge_route(&rig.request);
		trl_err_clear(&rig.ctx);
		rig.request.status = 0;
		(void)trl_fail(&rig.ctx, code, "secret words");
		edge_problem(&rig.request, code);
		has(body_text(), "\"detail\":\"");
		has(body_text(), rows[i / 2].says);
		has_not(body_text(), "secret words");
		assert_string_equal(rig_told("Retry-After"), "1");
	}
	for (int code = TRL_BUSY; code <= TRL_UNAVAILABLE; code++) {
		rig_ask("GET", "/api/v1/me");
		(void)trl_fail(&rig.ctx, (enum trl_code)code, "secret words");
		edge_problem(&rig.request, (enum trl_code)code);
		has(body_text(), "Try again after the time in Retry-After.");
	}
}

static void
errors_point_to_fields_of_a_condition_alone(void **state)
{
	(void)state;
	rig_ask("POST", "/api/v1/tenants");
	(void)trl_fail_field(&rig.ctx, TRL_EXISTS, "slug", "It is taken.");
	edge_problem(&rig.request, TRL_EXISTS);
	has(body_text(),
	    "\"errors\":[{\"pointer\":\"/slug\",\"detail\":\"It is taken.\"}]");
	rig_ask("POST", "/api/v1/tenants");
	trl_err_violation(&rig.ctx, "/a~1b", "Too %s.", "long");
	trl_err_violation(&rig.ctx, "/c", "Too short.");
	(void)trl_fail(&rig.ctx, TRL_INVALID, "Two things.");
	edge_problem(&rig.request, TRL_INVALID);
	has(body_text(), "\"errors\":[{\"pointer\":\"/a~1b\",\"detail\":\"Too long.\"},"
			 "{\"pointer\":\"/c\",\"detail\":\"Too short.\"}]");
	rig_ask("POST", "/api/v1/tenants");
	(void)trl_fail_field(&rig.ctx, TRL_INTERNAL, "tenant_pkey", "Inside.");
	edge_problem(&rig.request, TRL_INTERNAL);
	has_not(body_text(), "tenant_pkey");
}

static void
a_quota_names_what_of_the_plan_is_used_up(void **state)
{
	(void)state;
	rig_ask("POST", "/api/v1/tenants");
	trl_err_quota(&rig.ctx, "seats", "team", 5, 8);
	(void)trl_fail(&rig.ctx, TRL_QUOTA, "No seat.");
	edge_problem(&rig.request, TRL_QUOTA);
	has(body_text(),
	    "\"feature\":\"seats\",\"limit\":5,\"used\":8,\"plan\":\"team\"");
	rig_ask("POST", "/api/v1/tenants");
	trl_err_quota(&rig.ctx, "storage-bytes", "team", 5000, 4990);
	trl_err_reserved(&rig.ctx, 9);
	(void)trl_fail(&rig.ctx, TRL_TOO_LARGE, "The plan's storage is too small.");
	edge_problem(&rig.request, TRL_TOO_LARGE);
	has(body_text(), "\"feature\":\"storage-bytes\",\"limit\":5000,\"used\":4990,"
			 "\"reserved\":9,\"plan\":\"team\"");
	rig_ask("POST", "/api/v1/tenants");
	(void)trl_fail(&rig.ctx, TRL_QUOTA, "Too many.");
	edge_problem(&rig.request, TRL_QUOTA);
	has_not(body_text(), "\"limit\"");
}

/* A method that needs a feature, which the plan has or has not. */
static void
without_the_feature_a_method_is_no_part_of_the_plan(void **state)
{
	static struct trl_method method;
	static struct edge_route route;
	static const struct trl_access_grant grant = { .plan = "free" };
	uint32_t held[2];

	(void)state;
	rig_ask("GET", "/api/v1/webhook-endpoints");
	rig_route();
	method = *rig.request.route->method;
	route = *rig.request.route;
	route.method = &method;
	method.feature = "hooks";
	method.feature_id = UINT32_MAX;
	rig.request.route = &route;
	rig.request.grant = &grant;
	held[0] = method.permission;
	held[1] = method.feature_id;
	rig.ctx.principal = (struct trl_principal){
		.kind = TRL_PERSON, .permissions = held, .n_permissions = 2
	};
	assert_int_equal(edge_permission(&rig.request), TRL_OK);
	rig.ctx.principal.n_permissions = 1;
	assert_int_equal(edge_permission(&rig.request), TRL_QUOTA);
	edge_problem(&rig.request, TRL_QUOTA);
	assert_int_equal(rig.request.response.status, 403);
	has(body_text(),
	    "\"feature\":\"hooks\",\"limit\":0,\"used\":0,\"plan\":\"free\"");
}

static void
statuses_of_http_itself_have_a_name_and_a_page(void **state)
{
	static const struct {
		uint16_t status;
		const char *code, *page;
	} rows[] = { { 405, "METHOD_NOT_ALLOWED", "method-not-allowed" },
		{ 406, "NOT_ACCEPTABLE", "not-acceptable" },
		{ 408, "REQUEST_TIMEOUT", "request-timeout" },
		{ 411, "LENGTH_REQUIRED", "length-required" },
		{ 412, "PROTOCOL_VERSION", "protocol-version" },
		{ 413, "TOO_LARGE", "too-large" },
		{ 415, "UNSUPPORTED_MEDIA_TYPE", "unsupported-media-type" } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const char *text;

		rig_ask("GET", "/api/v1/me");
		(void)edge_refuse(&rig.request, rows[i].status, "Not like this.");
		edge_problem(&rig.request, TRL_MALFORMED);
		text = body_text();
		assert_int_equal(rig.request.response.status, rows[i].status);
		has(text,
		    trl_arena_printf(rig.ctx.arena, "\"code\":\"%s\"", rows[i].code));
		has(text, "\"detail\":\"Not like this.\"");
		assert_int_equal(rig.request.response.close,
		    rows[i].status == 408 || rows[i].status == 413);
		assert_non_null(edge_problem_page(rig.ctx.arena, rows[i].page));
	}
	assert_null(edge_problem_page(rig.ctx.arena, "no-such-thing"));
	assert_null(edge_problem_page(rig.ctx.arena, ""));
	assert_null(edge_problem_page(rig.ctx.arena, "not-foun"));
	assert_null(edge_problem_page(rig.ctx.arena, "not-founds"));
	assert_null(edge_problem_page(rig.ctx.arena, "NOT_FOUND"));
}

static void
who_must_sign_in_is_told_how(void **state)
{
	(void)state;
	rig_ask("GET", "/api/v1/me");
	(void)trl_fail(&rig.ctx, TRL_UNAUTHENTICATED, "Sign in first.");
	edge_problem(&rig.request, TRL_UNAUTHENTICATED);
	assert_string_equal(rig_told("WWW-Authenticate"), "Bearer realm=\"trellis\"");
}

/* RFC 6750, 3.1: of a token that was sent, and only then, what is wrong with it. */
static void
a_token_of_too_small_a_scope_is_told_which_it_lacks(void **state)
{
	static const struct {
		enum edge_credential credential;
		const char *target, *told;
	} rows[] = {
		{ EDGE_BEARER, "/api/v1/tenants/" RIG_ID "/members",
		    "Bearer realm=\"trellis\", error=\"insufficient_scope\", "
		    "scope=\"tenants.member.list\"" },
		{ EDGE_BEARER, "/api/v1/me",
		    "Bearer realm=\"trellis\", error=\"insufficient_scope\"" },
		{ EDGE_COOKIE, "/api/v1/me", "" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		rig_ask("GET", rows[i].target);
		rig_route();
		rig.request.credential = rows[i].credential;
		rig.ctx.principal.kind = TRL_KEY;
		assert_int_equal(edge_permission(&rig.request), TRL_DENIED);
		edge_problem(&rig.request, TRL_DENIED);
		assert_int_equal(rig.request.response.status, 403);
		assert_string_equal(rig_told("WWW-Authenticate"), rows[i].told);
	}
}

/* WHATWG HTML, 9.2.3: EventSource ends for good with whatever is not 200. */
static void
what_passes_does_not_end_an_event_source(void **state)
{
	static const struct {
		const char *target, *accept, *last;
		enum trl_code code;
		unsigned status;
	} rows[] = {
		{ "/api/v1/events/stream", "text/event-stream", NULL, TRL_UNAVAILABLE,
		    200 },
		{ "/api/v1/events/stream", "text/event-stream", NULL, TRL_BUSY, 200 },
		{ "/api/v1/events/stream", "text/event-stream", NULL, TRL_DEADLINE,
		    200 },
		{ "/api/v1/events/stream", "text/event-stream", RIG_ID, TRL_RATE, 200 },
		{ "/api/v1/events/stream", "text/event-stream", NULL, TRL_RATE, 429 },
		{ "/api/v1/events/stream", "text/event-stream", RIG_ID,
		    TRL_UNAUTHENTICATED, 401 },
		{ "/api/v1/events/stream", "text/event-stream", RIG_ID, TRL_INTERNAL,
		    500 },
		{ "/api/v1/events/stream", "*/*", RIG_ID, TRL_UNAVAILABLE, 503 },
		{ "/api/v1/me", "text/event-stream", RIG_ID, TRL_UNAVAILABLE, 503 },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const struct trl_http_response *response = &rig.request.response;
		const char *body;

		rig_ask("GET", rows[i].target);
		rig_header("accept", rows[i].accept);
		if (rows[i].last)
			rig_header("last-event-id", rows[i].last);
		if (i % 2) /* at the door no route is known */
			rig_route();
		trl_err_retry_after(&rig.ctx, 7000);
		edge_problem(&rig.request, rows[i].code);
		if (response->status != rows[i].status)
			fail_msg("row %zu: %u", i, response->status);
		if (rows[i].status != 200)
			continue;
		body = trl_arena_strndup(
		    rig.ctx.arena, response->body, response->body_len);
		assert_string_equal(rig_told("Content-Type"), "text/event-stream");
		assert_memory_equal(body, ": ", 2);
		assert_in_range(atoi(strstr(body, "\nretry: ") + 8), 7000, 10000);
		assert_string_equal(body + strlen(body) - 2, "\n\n");
	}
}

/* RFC 9110, 15.5.16: the coding where it is the coding, else the type. */
static void
a_415_says_what_would_be_taken(void **state)
{
	static const char patches[] = "application/merge-patch+json, application/json";
	static const char offset[] = "application/offset+octet-stream";
	static const struct {
		const char *method, *target, *coding, *accept, *patch, *encoding, *more;
		const char *post;
	} rows[] = {
		{ "POST", "/api/v1/tenants", NULL, "application/json", "", "" },
		{ "PUT", "/api/v1/notification-preferences", "identity",
		    "application/json", "", "" },
		{ "PATCH", "/api/v1/me", NULL, patches, patches, "" },
		{ "PATCH", "/api/v1/me", "gzip", "", "", "identity" },
		{ "PATCH", "/api/v1/me", "identity", "", "", "identity", "gzip" },
		{ "POST", "/api/v1/unsubscribe/abc", NULL,
		    "application/x-www-form-urlencoded, multipart/form-data, "
		    "application/json",
		    "", "" },
		{ "POST", "/api/v1/uploads", NULL, offset, "", "", NULL, offset },
		{ "PATCH", "/api/v1/uploads/" RIG_ID, NULL, "", offset, "", NULL, "" },
		{ "POST", "/api/v1/uploads", "gzip", "", "", "identity" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		rig_ask(rows[i].method, rows[i].target);
		rig_route();
		rig_header("tus-resumable", "1.0.0");
		rig_header("content-type", "image/png");
		if (rows[i].coding)
			rig_header("content-encoding", rows[i].coding);
		if (rows[i].more)
			rig_header("content-encoding", rows[i].more);
		rig_header("content-length", "2");
		rig.http.has_body = true;
		rig.http.content_length = 2;
		assert_int_not_equal(edge_decode(&rig.request), TRL_OK);
		edge_problem(&rig.request, TRL_MALFORMED);
		assert_int_equal(rig.request.response.status, 415);
		assert_string_equal(rig_told("Accept"), rows[i].accept);
		assert_string_equal(rig_told("Accept-Patch"), rows[i].patch);
		assert_string_equal(rig_told("Accept-Encoding"), rows[i].encoding);
		assert_string_equal(
		    rig_told("Accept-Post"), rows[i].post ? rows[i].post : "");
		if (!*rows[i].encoding)
			assert_non_null(strstr(rig.ctx.err.message,
			    "A body of the type image/png is not accepted here; send "
			    "application/"));
	}
}

/* Where no method was found, too: 405, and an override that is none. */
static void
a_paths_own_lines_are_in_the_problems_of_the_door(void **state)
{
	static const struct {
		const char *method, *target, *override, *line;
	} rows[] = {
		{ "PUT", "/api/v1/uploads", NULL, "Tus-Resumable: 1.0.0\r\n" },
		{ "GET", "/api/v1/uploads/" RIG_ID, NULL, "Tus-Resumable: 1.0.0\r\n" },
		{ "POST", "/api/v1/uploads/" RIG_ID, "PUT",
		    "Tus-Resumable: 1.0.0\r\n" },
		{ "POST", "/api/v1/me", NULL, NULL },
		{ "GET", "/nothing", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const struct trl_http_response *response = &rig.request.response;

		rig_ask(rows[i].method, rows[i].target);
		if (rows[i].override)
			rig_header("x-http-method-override", rows[i].override);
		edge_problem(&rig.request, edge_route(&rig.request));
		assert_in_range(response->status, 400, 405);
		assert_non_null(memmem(response->fixed, response->fixed_len,
		    "nosniff\r\n", strlen("nosniff\r\n")));
		assert_true(!rows[i].line ==
			    !memmem(response->fixed, response->fixed_len, "Tus-", 4));
		if (rows[i].line)
			assert_non_null(memmem(response->fixed, response->fixed_len,
			    rows[i].line, strlen(rows[i].line)));
	}
}

static void
the_instance_is_a_reference_whatever_the_path(void **state)
{
	static const struct {
		const char *path, *instance; /* "": none */
	} rows[] = { { "/api/v1/me", "/api/v1/me" }, { "/", "/" }, { "*", "*" },
		{ "/a%20b%C3%a9", "/a%20b%C3%a9" },
		{ "/a:b@c!$&'()*+,;=-._~", "/a:b@c!$&'()*+,;=-._~" },
		{ "/a\"b\\c", "/a%22b%5Cc" },
		{ "/<a>^`{|}[]", "/%3Ca%3E%5E%60%7B%7C%7D%5B%5D" }, { "/%", "/%25" },
		{ "/%zz%4", "/%25zz%254" }, { "/\xff\xfe", "/%FF%FE" },
		{ "//evil.example/a//b", "/%2Fevil.example/a//b" }, { "", "" } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		rig_ask("GET", "/");
		rig.http.path = rows[i].path;
		(void)trl_fail(&rig.ctx, TRL_NOT_FOUND, "Nothing.");
		edge_problem(&rig.request, TRL_NOT_FOUND);
		if (*rows[i].instance)
			has(body_text(), trl_arena_printf(rig.ctx.arena,
					     "\"instance\":\"%s\"", rows[i].instance));
		else
			has_not(body_text(), "\"instance\"");
	}
}

static void
turn_away(uint16_t status, const char *detail)
{
	const struct trl_http_refusal refusal = { status, detail, &rig.http };

	edge_turn_away(&rig.edge, rig.ctx.arena, &refusal, &rig.request.response);
}

static void
what_is_refused_at_the_door_is_a_problem_like_all_others(void **state)
{
	(void)state;
	rig_ask("", "");
	turn_away(431, "16 KiB.");
	assert_int_equal(rig.request.response.status, 431);
	assert_string_equal(rig_told("Content-Type"), "application/problem+json");
	assert_string_equal(rig_told("Cache-Control"), "no-store");
	assert_string_equal(rig_told("Retry-After"), "");
	assert_int_equal(strlen(rig_told("X-Request-Id")), TRL_ID_TEXT - 1);
	assert_int_equal(strlen(rig_told("traceparent")), 55);
	has(rig.request.response.fixed, "Content-Security-Policy: ");
	has(body_text(), "\"code\":\"HEAD_TOO_LARGE\"");
	has(body_text(), "\"detail\":\"16 KiB.\"");
	has(body_text(), trl_arena_printf(rig.ctx.arena, "\"trace_id\":\"%.32s\"",
			     rig_told("traceparent") + 3));
	has_not(body_text(), "\"instance\"");
	rig_ask("PATCH", "/api/v1/uploads/" RIG_ID);
	turn_away(431, "16 KiB.");
	assert_non_null(memmem(rig.request.response.fixed,
	    rig.request.response.fixed_len, "Tus-Resumable: 1.0.0\r\n", 22));
	rig_ask("GET", "/%zz");
	turn_away(431, "16 KiB.");
	has(body_text(), "\"detail\":\"16 KiB.\"");
	rig_ask("", "");
	turn_away(503, "Full.");
	assert_string_equal(rig_told("Retry-After"), "1");
	has(body_text(), "\"status\":503");
}

static void
what_was_read_before_the_door_shut_is_told(void **state)
{
	(void)state;
	rig_ask("POST", "/api/v1/tenants?a=b");
	rig_header("x-request-id", "mine");
	rig_header(
	    "traceparent", "00-abababababababababababababababab-cdcdcdcdcdcdcdcd-01");
	turn_away(501, "Not this.");
	assert_string_equal(rig_told("X-Request-Id"), "mine");
	has(body_text(), "\"trace_id\":\"abababababababababababababababab\"");
	has(body_text(), "\"instance\":\"/api/v1/tenants\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_has_its_document_and_page),
		cmocka_unit_test(who_may_try_again_is_told_when),
		cmocka_unit_test(who_is_in_doubt_is_told_what_to_do),
		cmocka_unit_test(errors_point_to_fields_of_a_condition_alone),
		cmocka_unit_test(a_quota_names_what_of_the_plan_is_used_up),
		cmocka_unit_test(without_the_feature_a_method_is_no_part_of_the_plan),
		cmocka_unit_test(statuses_of_http_itself_have_a_name_and_a_page),
		cmocka_unit_test(who_must_sign_in_is_told_how),
		cmocka_unit_test(a_token_of_too_small_a_scope_is_told_which_it_lacks),
		cmocka_unit_test(a_415_says_what_would_be_taken),
		cmocka_unit_test(a_paths_own_lines_are_in_the_problems_of_the_door),
		cmocka_unit_test(the_instance_is_a_reference_whatever_the_path),
		cmocka_unit_test(
		    what_is_refused_at_the_door_is_a_problem_like_all_others),
		cmocka_unit_test(what_was_read_before_the_door_shut_is_told),
		cmocka_unit_test(what_passes_does_not_end_an_event_source),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
