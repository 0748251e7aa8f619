/* ops.c - what the operator and the orchestrator ask of a process. /livez answers
 * as long as the loop turns; /readyz asks each check; /stats shows what is going
 * on right now; /metrics/tenants, whom for. All are answered also where no actor is
 * free. */
#include <trl/ops.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <trl/busiest.h>

#include "scrape.h"

enum { SCRAPE_MS = 10000 }; /* as long as a scraper waits by default */

struct check {
	const char *name;
	const char *(*check)(void *self);
	void *self;
};

struct trl_ops {
	trl_loop *loop;
	trl_http_server *http;
	struct ops_scraper scraper;
	uint64_t started_us;
	struct check *checks;
	size_t n_checks;
	char unready[160];
};

static void
refuse(void *self, trl_arena *arena, const struct trl_http_refusal *refusal,
    struct trl_http_response *out)
{
	(void)self;
	out->status = refusal->status;
	out->body = trl_arena_printf(arena, "%s\n", refusal->detail);
	out->body_len = strlen(out->body);
	trl_http_add_header(out, "Content-Type", "text/plain; charset=utf-8");
}

void
ops_answer(struct trl_http_response *out, uint16_t status, const char *type,
    const void *body, size_t len)
{
	out->status = status;
	out->body = body;
	out->body_len = len;
	trl_http_add_header(out, "Content-Type", type);
	trl_http_add_header(out, "Cache-Control", "no-store");
}

static void
answer_text(
    trl_arena *arena, struct trl_http_response *out, uint16_t status, const char *text)
{
	const char *line = trl_arena_printf(arena, "%s\n", text);

	ops_answer(out, status, "text/plain; charset=utf-8", line, strlen(line));
}

static void
tenants(trl_arena *arena, struct trl_http_response *out)
{
	struct trl_buf text = { 0 };

	trl_busiest_render(&text, trl_mono_us());
	ops_answer(out, 200, "text/plain; version=0.0.4; charset=utf-8",
	    trl_arena_memdup(arena, text.data, text.len), text.len);
	trl_buf_fini(&text);
}

static long
rss_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long whole, resident = 0;

	if (f && fscanf(f, "%ld %ld", &whole, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}

/* A line of the dump a string; names are ours, but escaping costs nothing. */
static void
add_lines(struct trl_buf *out, const struct trl_buf *lines)
{
	bool inside = false, any = false;

	for (size_t i = 0; i < lines->len; i++) {
		uint8_t c = lines->data[i];

		if (c == '\n') {
			if (inside)
				trl_buf_adds(out, "\"");
			inside = false;
			continue;
		}
		if (!inside)
			trl_buf_adds(out, any ? ",\"" : "\"");
		inside = any = true;
		if (c == '"' || c == '\\')
			trl_buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			trl_buf_printf(out, "\\u%04x", c);
		else
			trl_buf_add(out, &c, 1);
	}
	if (inside)
		trl_buf_adds(out, "\"");
}

static void
stats(struct trl_ops *ops, trl_arena *arena, struct trl_http_response *out)
{
	struct trl_buf text = { 0 }, actors = { 0 };

	trl_actors_dump(ops->loop, &actors);
	trl_buf_printf(&text,
	    "{\"version\":\"%s\",\"pid\":%ld,\"uptime_seconds\":%.3f,\"rss_bytes\":%ld,"
	    "\"ready\":%s,\"actors_alive\":%zu,\"actors\":[",
	    TRL_VERSION, (long)getpid(),
	    (double)(trl_mono_us() - ops->started_us) / 1e6, rss_bytes(),
	    trl_ops_unready(ops) ? "false" : "true", trl_actors_alive(ops->loop));
	add_lines(&text, &actors);
	trl_buf_adds(&text, "]}\n");
	ops_answer(out, 200, "application/json",
	    trl_arena_memdup(arena, text.data, text.len), text.len);
	trl_buf_fini(&text);
	trl_buf_fini(&actors);
}

static bool
is_for_scraping(const struct trl_http_request *request)
{
	return strcmp(request->path, "/metrics") == 0 &&
	       (strcmp(request->method, "GET") == 0 ||
		   strcmp(request->method, "HEAD") == 0);
}

static bool
tell(void *self, trl_arena *arena, const struct trl_http_request *request,
    struct trl_http_response *out)
{
	struct trl_ops *ops = self;
	const char *path = request->path, *why;

	if (strcmp(request->method, "GET") != 0 &&
	    strcmp(request->method, "HEAD") != 0) {
		answer_text(arena, out, 405, "only GET and HEAD");
	} else if (!strcmp(path, "/livez")) {
		answer_text(arena, out, 200, "alive");
	} else if (!strcmp(path, "/readyz")) {
		why = trl_ops_unready(ops);
		answer_text(arena, out, why ? 503 : 200, why ? why : "ready");
	} else if (!strcmp(path, "/metrics")) {
		ops_scrape_now(&ops->scraper, arena, request, out);
	} else if (!strcmp(path, "/metrics/tenants")) {
		tenants(arena, out);
	} else if (!strcmp(path, "/stats")) {
		stats(ops, arena, out);
	} else {
		answer_text(
		    arena, out, 404, "/livez /readyz /metrics /metrics/tenants /stats");
	}
	return true;
}

static void
handle(void *self, trl_ctx *ctx, struct trl_http_request *request)
{
	struct trl_ops *ops = self;
	struct trl_http_response response = { 0 };

	if (is_for_scraping(request)) {
		ops_scrape(ctx, &ops->scraper, request);
		return;
	}
	(void)tell(self, ctx->arena, request, &response);
	trl_http_reply(ctx, request, &response);
}

enum trl_code
trl_ops_open(trl_loop *loop, const char *listen, trl_ops **out)
{
	struct trl_ops *ops = calloc(1, sizeof *ops);
	const struct trl_http_options options = { .listen = listen,
		.max_connections = 256,
		.handler_timeout_ms = SCRAPE_MS };
	const struct trl_http_handler handler = {
		.handle = handle, .now = tell, .refuse = refuse, .self = ops
	};
	enum trl_code rc;

	trl_assert(ops);
	ops->loop = loop;
	ops->started_us = trl_mono_us();
	rc = trl_http_open(loop, &options, &handler, &ops->http);
	if (rc != TRL_OK) {
		free(ops);
		return rc;
	}
	*out = ops;
	return TRL_OK;
}

void
trl_ops_close(trl_ops **ops_at)
{
	struct trl_ops *ops = TRL_TAKE(*ops_at);

	if (!ops)
		return;
	trl_http_close(&ops->http);
	free(ops->checks);
	free(ops);
}

unsigned
trl_ops_port(const trl_ops *ops)
{
	return trl_http_port(ops->http);
}

void
trl_ops_check(
    trl_ops *ops, const char *name, const char *(*check)(void *self), void *self)
{
	ops->checks = reallocarray(ops->checks, ops->n_checks + 1, sizeof *ops->checks);
	trl_assert(ops->checks);
	ops->checks[ops->n_checks++] = (struct check){ name, check, self };
}

const char *
trl_ops_unready(trl_ops *ops)
{
	for (size_t i = 0; i < ops->n_checks; i++) {
		const char *why = ops->checks[i].check(ops->checks[i].self);

		if (!why)
			continue;
		snprintf(ops->unready, sizeof ops->unready, "%s: %s",
		    ops->checks[i].name, why);
		return ops->unready;
	}
	return NULL;
}
