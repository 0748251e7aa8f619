/* A request's line and cookie from outside: METHOD, a space, path and query; after a
 * line feed the Cookie header. Whatever they are, the path finds one route of the real
 * table or none, and what the query sets can be held against the contract. */
#include <stdint.h>
#include <string.h>

#include <trl/json.h>
#include <trl/validate.h>
#include <trl/wire.h>

#include <trl/utf8.h>

#include "rooms/rooms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
extern const char *const fuzz_tokens[];

const char *const fuzz_tokens[] = { "GET ", "DELETE ", "POST ", "/api/v1/tenants/",
	"01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21", "/members",
	"?page_size=", "page_token=", "&", "=", "%2e%2e", "%00", "%ff", "%25", "%", "+",
	"/../", "//", "4294967296", "\n__Host-session=", "; ", NULL };

static struct edge *
edge_with_routes(void)
{
	static struct edge self;

	if (self.n_routes)
		return &self;
	self.requests = trl_counter_new(
	    "fuzz_requests_total", "Of the fuzz target.", "method", "result", NULL);
	self.answers = trl_counter_new(
	    "fuzz_answers_total", "Of the fuzz target.", "service", "code", NULL);
	self.latency = trl_histogram_new(TRL_SCALE_FINE, "fuzz_request_seconds",
	    "Of the fuzz target.", "service", NULL);
	trl_assert(edge_routes_open(&self));
	return &self;
}

static void
check_segments(const struct edge_request *request)
{
	for (size_t i = 0; i < request->n_segments; i++) {
		const char *text = request->segments[i];

		trl_assert(trl_utf8_valid(text, strlen(text)));
		trl_assert(!strpbrk(text, "/\\%"));
		trl_assert(strcmp(text, ".") != 0 && strcmp(text, "..") != 0);
	}
}

static void
check_message(struct edge_request *request)
{
	const struct trl_message *rules = request->route->method->in;
	struct trl_buf text = { 0 };
	const uint8_t *data;
	size_t len;

	trl_assert(trl_validate(request->ctx, rules, request->in) == TRL_OK);
	trl_json_encode(&text, rules, request->in, true);
	trl_wire_encode(request->ctx->arena, request->in, &data, &len);
	trl_assert(!trl_wire_check(rules->descriptor, data, len));
	trl_buf_fini(&text);
}

static void
walk(struct edge_request *request)
{
	const trl_ctx *ctx = request->ctx;
	enum trl_code rc = edge_route(request);

	if (rc == TRL_OK) {
		trl_assert(request->n_segments == request->route->n_segments);
		check_segments(request);
		rc = edge_decode(request);
		if (rc == TRL_OK)
			check_message(request);
	}
	if (rc != TRL_OK) {
		trl_assert(
		    rc == TRL_MALFORMED || rc == TRL_INVALID || rc == TRL_NOT_FOUND);
		trl_assert(ctx->err.code == rc && ctx->err.message[0] != '\0');
	}
}

static void
check_cookie(const struct edge_request *request, const char *cookie)
{
	size_t len = 0;
	const char *token = edge_cookie_read(request, &len);

	if (!token)
		return;
	trl_assert(token >= cookie && token + len <= cookie + strlen(cookie));
	trl_assert(!memchr(token, ';', len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	trl_ctx ctx = { .arena = trl_arena_new(0) };
	char *method = trl_arena_strndup(ctx.arena, (const char *)data, len);
	char *cookie = strchr(method, '\n'), *path, *query;
	struct trl_http_header header = { .name = "cookie", .value = "" };
	struct trl_http_request http = { .headers = &header, .n_headers = 1 };
	struct edge_request request = { .edge = edge_with_routes(), .ctx = &ctx };
	size_t decoded_len;
	const char *decoded;

	if (cookie) {
		*cookie++ = '\0';
		header.value = cookie;
		header.value_len = strlen(cookie);
	}
	path = strchr(method, ' ');
	if (path && path[1] == '/') {
		*path++ = '\0';
		query = strchr(path, '?');
		if (query)
			*query++ = '\0';
		http.method = method;
		http.path = path;
		http.query = query ? query : "";
		request.http = &http;
		walk(&request);
		check_cookie(&request, header.value);
	}
	decoded =
	    edge_percent_decode(ctx.arena, (const char *)data, len, true, &decoded_len);
	if (decoded) {
		trl_assert(decoded_len <= len && trl_utf8_valid(decoded, decoded_len));
		trl_assert(!memchr(data, 0, len) == !memchr(decoded, 0, decoded_len));
	}
	trl_arena_free(&ctx.arena);
	return 0;
}
