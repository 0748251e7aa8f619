/* edge.c - opening and closing, configuration, readiness. */
#include "edge.h"

#include <stdlib.h>

#include "streams/streams.h"

/* It is not ready without these; others' routes answer 503 while they are away. */
static const char *const calls[] = { "auth", "tenants", "notify", NULL };

static void
close_edge(void **state)
{
	struct edge *self = *state;
	size_t i;

	if (!self)
		return;
	trl_metric_callback_drop(self);
	edge_streams_free(&self->streams);
	trl_http_close(&self->server);
	trl_access_close(&self->access);
	for (i = 0; i < self->n_routes; i++) {
		free(self->routes[i].storage);
		free(self->routes[i].fixed);
	}
	free(self->routes);
	trl_buf_fini(&self->sendable);
	trl_buf_fini(&self->readable);
	free(self->openapi.gzip);
	trl_buf_fini(&self->body);
	free(self);
	*state = NULL;
}

static enum trl_code
open_edge(const struct trl_host *host, void **out)
{
	struct edge *self = calloc(1, sizeof *self);
	enum trl_code rc;

	trl_assert(self);
	self->host_copy = *host;
	self->host = &self->host_copy;
	self->config = host->config;
	self->needs = calls;
	/* The rest of the actors is for all else. */
	self->transfers.size = trl_loop_max_actors(host->loop) / 4 * 3;
	self->requests = trl_counter_new("trellis_http_requests_total",
	    "Requests: ok, refused (4xx) or failed (5xx)", "method", "result", NULL);
	self->answers = trl_counter_new("trellis_http_answers_total",
	    "Answers by status, and the service whose methods they are of", "service",
	    "code", NULL);
	self->latency =
	    trl_histogram_new(TRL_SCALE_FINE, "trellis_http_request_seconds",
		"From a complete request to the answer", "service", NULL);
	edge_origins_read(self);
	self->access = trl_access_open(host->loop, host->redis);
	*out = self;
	if (!self->access || !edge_routes_open(self) || !edge_own_open(self)) {
		close_edge(out);
		return TRL_INTERNAL;
	}
	self->streams = edge_streams_new(self);
	rc = edge_door_open(self);
	if (rc != TRL_OK)
		close_edge(out);
	return rc;
}

static void
leave_edge(void *self)
{
	((struct edge *)self)->leaving = true;
	trl_http_leave(((struct edge *)self)->server);
}

static void
drain_edge(void *self)
{
	edge_streams_drain(((struct edge *)self)->streams);
	trl_http_drain(((struct edge *)self)->server);
}

static bool
edge_drained(void *self)
{
	const struct edge *edge = self;

	return trl_http_drained(edge->server) && edge_streams_drained(edge->streams);
}

const struct trl_service edge_service = {
	.name = "edge",
	.config = &edge_config_table,
	.config_bytes = sizeof(struct edge_config),
	.check_config = edge_check_config,
	.calls = calls,
	.calls_routes = true,
	.scripts = trl_access_scripts,
	.open = open_edge,
	.leave = leave_edge,
	.drain = drain_edge,
	.drained = edge_drained,
	.close = close_edge,
};
