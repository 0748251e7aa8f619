/* test_collector.c - see test_collector.h. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <trl/metrics.h>

#include "test_collector.h"

static void
keep(char *out, size_t room, const struct trl_http_request *request, const char *name)
{
	const char *value = trl_http_header(request, name);

	snprintf(out, room, "%s", value != NULL ? value : "");
}

static void
take(void *self, trl_ctx *ctx, struct trl_http_request *request)
{
	struct collector *c = self;
	struct trl_http_response answer = {
		.status = c->status, .body = c->body, .body_len = c->body_len
	};
	const uint8_t *body;
	size_t len;

	assert_int_equal(
	    trl_http_body(ctx, request, sizeof c->got, &body, &len), TRL_OK);
	memcpy(c->got, body, len);
	c->got_len = len;
	keep(c->type, sizeof c->type, request, "content-type");
	keep(c->x_one, sizeof c->x_one, request, "x-one");
	keep(c->auth, sizeof c->auth, request, "x-sentry-auth");
	snprintf(c->path, sizeof c->path, "%s", request->path);
	if (c->retry_after != NULL)
		trl_http_add_header(&answer, "Retry-After", c->retry_after);
	if (c->limits != NULL)
		trl_http_add_header(&answer, "X-Sentry-Rate-Limits", c->limits);
	trl_http_add_header(&answer, "X-Limits", "60:error:key");
	trl_http_reply(ctx, request, &answer);
	c->asked++;
}

static size_t
awaits(void *self, trl_arena *arena, const struct trl_http_request *request)
{
	(void)arena, (void)request;
	return sizeof((struct collector *)self)->got;
}

static void
refuse(void *self, trl_arena *arena, const struct trl_http_refusal *refusal,
    struct trl_http_response *out)
{
	(void)self, (void)arena;
	*out = (struct trl_http_response){ .status = refusal->status };
}

void
collector_open(struct collector *c, trl_loop *loop)
{
	struct trl_http_handler handler = {
		.handle = take, .awaits = awaits, .refuse = refuse, .self = c
	};
	char listen[40];

	c->loop = loop;
	snprintf(listen, sizeof listen, "127.0.0.1:%u", c->port);
	assert_int_equal(
	    trl_http_open(loop, &(struct trl_http_options){ .listen = listen },
		&handler, &c->server),
	    TRL_OK);
	c->port = trl_http_port(c->server);
}

static bool
drained(void *server)
{
	return trl_http_drained(server);
}

void
collector_close(struct collector *c)
{
	trl_http_drain(c->server);
	assert_true(trl_loop_run_until(c->loop, drained, c->server, 10000));
	trl_http_close(&c->server);
}

const char *
collector_url(const struct collector *c, const char *path)
{
	static char url[100];

	snprintf(url, sizeof url, "http://127.0.0.1:%u%s", c->port, path);
	return url;
}

bool
collector_was_asked(void *self)
{
	const struct asked *asked = self;

	return asked->collector->asked >= asked->until;
}

bool
nobody_runs(void *loop)
{
	return trl_actors_alive(loop) == 0;
}

struct sought {
	const char *name, *labels;
	double value;
};

static void
seek(void *self, const struct trl_sample *sample)
{
	struct sought *sought = self;
	char labels[200] = "";

	for (size_t i = 0; i < sample->n_labels; i++) {
		strcat(labels, i > 0 ? "," : "");
		strcat(labels, sample->values[i]);
	}
	if (strcmp(sample->name, sought->name) == 0 &&
	    strcmp(labels, sought->labels) == 0)
		sought->value = sample->value;
}

double
counted(const char *name, const char *labels)
{
	struct sought sought = { name, labels, -1 };

	trl_metrics_each(seek, &sought);
	return sought.value;
}
