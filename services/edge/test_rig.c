/* See test_rig.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>
#include <sodium.h>

#include "test_rig.h"

struct rig rig;

int
rig_open(void **state)
{
	(void)state;
	rig.edge.config = &rig.config;
	rig.edge.requests = trl_counter_new(
	    "test_requests_total", "Of the test.", "method", "result", NULL);
	rig.edge.answers = trl_counter_new(
	    "test_answers_total", "Of the test.", "service", "code", NULL);
	rig.edge.latency = trl_histogram_new(
	    TRL_SCALE_FINE, "test_request_seconds", "Of the test.", "service", NULL);
	rig.ctx.arena = trl_arena_new(0);
	return sodium_init() >= 0 && edge_routes_open(&rig.edge) ? 0 : -1;
}

int
rig_close(void **state)
{
	(void)state;
	for (size_t i = 0; i < rig.edge.n_routes; i++) {
		free(rig.edge.routes[i].storage);
		free(rig.edge.routes[i].fixed);
	}
	trl_buf_fini(&rig.edge.sendable);
	trl_buf_fini(&rig.edge.readable);
	free(rig.edge.routes);
	trl_buf_fini(&rig.edge.body);
	trl_arena_free(&rig.ctx.arena);
	return 0;
}

struct edge_request *
rig_ask(const char *method, const char *target)
{
	trl_arena *arena = rig.ctx.arena;
	char *path, *query;

	trl_arena_reset(arena);
	rig.ctx = (trl_ctx){ .arena = arena, .service = "edge" };
	path = trl_arena_strdup(arena, target);
	query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	rig.http = (struct trl_http_request){ .method = method,
		.path = path,
		.query = query ? query : "",
		.has_query = query != NULL,
		.host = "trellis.test",
		.peer_address = "192.0.2.1",
		.headers = rig.headers };
	rig.request = (struct edge_request){ .edge = &rig.edge,
		.ctx = &rig.ctx,
		.http = &rig.http,
		.request_id = "request-1",
		.address = "192.0.2.1",
		.is_head = strcmp(method, "HEAD") == 0 };
	return &rig.request;
}

void
rig_header(const char *name, const char *value)
{
	assert_true(rig.http.n_headers < TRL_COUNT(rig.headers));
	rig.headers[rig.http.n_headers++] =
	    (struct trl_http_header){ name, value, strlen(value) };
}

void
rig_route(void)
{
	if (edge_route(&rig.request) != TRL_OK)
		fail_msg(
		    "%s %s: %s", rig.http.method, rig.http.path, rig.ctx.err.message);
}

const char *
rig_told(const char *name)
{
	const struct trl_http_response *response = &rig.request.response;

	for (size_t i = 0; i < response->n_headers; i++)
		if (strcasecmp(response->headers[i].name, name) == 0)
			return response->headers[i].value;
	return "";
}
