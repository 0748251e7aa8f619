/* sender.c - see sender.h. The actor lives while something waits: it posts the first
 * payload until that is taken or given up, then the next. Order is kept, and one
 * request at most is under way, which is enough for what a process tells. */
#include <trl/sender.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include <trl/complain.h>
#include <trl/http_out.h>
#include <trl/log.h>
#include <trl/loop_uv.h>
#include <trl/metrics.h>

#include "pause.h"

enum {
	MAX_PAYLOADS = 16,
	MAX_BYTES = 1 << 20,
	HEADERS_MAX = 32,
	ATTEMPT_MS = 5000,
	RESOLVE_MS = 5000, /* more, where the name has to wait (http_out.h) */
	REPLY_BYTES = 4096,
	SPAWN_AGAIN_MS = 1000,
};

/* Dropped, by reason. */
enum reason { FULL, REFUSED, EXPIRED, REASONS };

struct payload {
	struct payload *next;
	uint64_t since_us;
	size_t len;
	uint8_t bytes[];
};

struct trl_sender {
	trl_loop *loop;
	trl_http_out *out;
	char *url;
	char *headers[HEADERS_MAX + 2];
	struct trl_sender_options options; /* what is static in it, and limits */
	struct payload *first, **last;
	size_t n, bytes;
	unsigned attempts; /* of the first */
	bool running, closing, stuck, refused;
	trl_actor *actor;
	uv_timer_t *timer; /* until an actor can be had */
	trl_series *sent, *retried, *dropped[REASONS];
};

const char *
trl_sender_refused(const char *url)
{
	return trl_http_url_refused(url);
}

static void
count(trl_sender *s, const char *name)
{
	static const char *const reasons[REASONS] = {
		[FULL] = "full", [REFUSED] = "refused", [EXPIRED] = "expired"
	};
	trl_metric *dropped = trl_counter_new("trellis_telemetry_dropped_total",
	    "Payloads for a collector that it did not get", "to", "reason", NULL);

	s->sent = trl_series_at(trl_counter_new("trellis_telemetry_sent_total",
				    "Payloads that a collector has taken", "to", NULL),
	    name);
	s->retried =
	    trl_series_at(trl_counter_new("trellis_telemetry_retried_total",
			      "Attempts at a collector that were put off", "to", NULL),
		name);
	for (size_t i = 0; i < REASONS; i++)
		s->dropped[i] = trl_series_at(dropped, name, reasons[i]);
}

static char *
copy(const char *text)
{
	char *made = strdup(text);

	trl_assert(made != NULL);
	return made;
}

static void
copy_headers(trl_sender *s, const struct trl_sender_options *options)
{
	size_t n = 0;

	trl_assert(
	    asprintf(&s->headers[n++], "Content-Type: %s", options->content_type) > 0);
	for (size_t i = 0; options->headers != NULL && options->headers[i] != NULL;
	     i++) {
		trl_assert(n <= HEADERS_MAX);
		s->headers[n++] = copy(options->headers[i]);
	}
}

static void start(uv_timer_t *timer);

trl_sender *
trl_sender_open(trl_loop *loop, const struct trl_sender_options *options)
{
	/* The operator names the collector, so it may be anywhere. */
	struct trl_http_out_options out_options = {
		.any_address = true, .ca_file = options->ca_file, .max_connections = 1
	};
	trl_http_out *out = trl_http_out_open(loop, &out_options);
	trl_sender *s;

	if (out == NULL)
		return NULL;
	s = calloc(1, sizeof *s);
	trl_assert(s != NULL);
	s->timer = calloc(1, sizeof *s->timer);
	trl_assert(s->timer != NULL);
	s->loop = loop;
	s->out = out;
	s->options = *options;
	s->url = copy(options->url);
	copy_headers(s, options);
	if (s->options.max_payloads == 0)
		s->options.max_payloads = MAX_PAYLOADS;
	if (s->options.max_bytes == 0)
		s->options.max_bytes = MAX_BYTES;
	s->last = &s->first;
	uv_timer_init(trl_loop_uv(loop), s->timer);
	s->timer->data = s;
	count(s, options->name);
	return s;
}

/* The first one's place is free. */
static void
pop(trl_sender *s)
{
	struct payload *gone = s->first;

	s->first = gone->next;
	if (s->first == NULL)
		s->last = &s->first;
	s->n--;
	s->bytes -= gone->len;
	s->attempts = 0;
	free(gone);
}

static void
free_timer(uv_handle_t *timer)
{
	free(timer);
}

static void
free_sender(trl_sender *s)
{
	while (s->first != NULL)
		pop(s);
	uv_close((uv_handle_t *)s->timer, free_timer);
	trl_http_out_close(&s->out);
	for (size_t i = 0; s->headers[i] != NULL; i++)
		free(s->headers[i]);
	free(s->url);
	free(s);
}

void
trl_sender_close(trl_sender **sender)
{
	trl_sender *s = TRL_TAKE(*sender);

	if (s == NULL)
		return;
	s->closing = true;
	if (s->running)
		trl_cancel(s->actor);
	else
		free_sender(s);
}

/* One attempt; whatever came is in *answer. */
static void
post(trl_ctx *ctx, trl_sender *s, struct trl_sender_answer *answer)
{
	struct trl_http_answer got = { 0 };
	struct trl_http_call call = {
		.method = "POST",
		.url = s->url,
		.headers = (const char *const *)s->headers,
		.body = s->first->bytes,
		.body_len = s->first->len,
		.timeout_ms = ATTEMPT_MS,
		.max_reply = REPLY_BYTES,
		.header = s->options.header,
	};

	trl_set_deadline(ctx, trl_mono_us() + (ATTEMPT_MS + RESOLVE_MS) * 1000ull);
	trl_err_clear(ctx);
	*answer = (struct trl_sender_answer){ .why = "", .body = "", .header = "" };
	if (trl_http_out_call(ctx, s->out, &call, &got) != TRL_OK) {
		answer->why = ctx->err.message;
		return;
	}
	answer->status = got.status;
	answer->body = got.body;
	answer->body_len = got.body_len;
	answer->header = got.header;
	answer->retry_after_s = got.retry_after_s;
}

/* Said when it begins and when it ends, and not for each attempt. */
static void
note(trl_sender *s, trl_ctx *ctx, bool stuck, const struct trl_sender_answer *answer)
{
	if (stuck == s->stuck)
		return;
	s->stuck = stuck;
	if (stuck)
		trl_log(TRL_LOG_WARN, ctx, "a collector takes nothing",
		    TRL_LOG_STR("to", s->options.name),
		    TRL_LOG_INT("status", answer->status),
		    TRL_LOG_STR("detail", answer->why));
	else
		trl_log(TRL_LOG_INFO, ctx, "a collector takes what it is told again",
		    TRL_LOG_STR("to", s->options.name));
}

/* Milliseconds until the next attempt at the first payload; 0: it is done with. */
static uint32_t
settle(trl_sender *s, trl_ctx *ctx, const struct trl_sender_answer *answer)
{
	bool again = sender_tries_again(answer->status);
	enum trl_sender_verdict verdict = TRL_SENDER_BY_STATUS;
	uint32_t pause_ms;

	if (s->options.answered != NULL)
		verdict = s->options.answered(s->options.self, answer);
	again = again && verdict == TRL_SENDER_BY_STATUS;
	note(s, ctx, again, answer);
	if (!again) {
		bool taken = answer->status / 100 == 2;

		if (!taken && !s->refused)
			trl_log(TRL_LOG_WARN, ctx, "a collector refused a payload",
			    TRL_LOG_STR("to", s->options.name),
			    TRL_LOG_INT("status", answer->status));
		s->refused = !taken;
		trl_series_add(taken ? s->sent : s->dropped[REFUSED], 1);
		pop(s);
		while (verdict == TRL_SENDER_SILENCED && s->first != NULL) {
			trl_series_add(s->dropped[REFUSED], 1);
			pop(s);
		}
		return 0;
	}
	pause_ms = sender_pause_ms(++s->attempts, answer->retry_after_s);
	if (trl_mono_us() - s->first->since_us + pause_ms * 1000ull >
	    SENDER_GIVE_UP_S * 1000000ull) {
		trl_series_add(s->dropped[EXPIRED], 1);
		pop(s);
		return pause_ms; /* the next one is not asked for sooner */
	}
	trl_series_add(s->retried, 1);
	return pause_ms;
}

static void
run(trl_ctx *ctx, void *arg)
{
	trl_sender *s = arg;

	while (!s->closing && s->first != NULL) {
		struct trl_sender_answer answer;
		uint32_t pause_ms;

		post(ctx, s, &answer);
		if (s->closing)
			break;
		pause_ms = settle(s, ctx, &answer);
		trl_arena_reset(ctx->arena);
		trl_err_clear(ctx);
		if (pause_ms == 0)
			continue;
		trl_set_deadline(ctx, trl_mono_us() + pause_ms * 1000ull + 1000000);
		if (trl_sleep(ctx, pause_ms) != TRL_OK)
			break; /* cancelled */
	}
	s->running = false;
	s->actor = NULL;
	if (s->closing)
		free_sender(s);
}

static void
start(uv_timer_t *timer)
{
	trl_sender *s = timer->data;
	struct trl_spawn spec = { .name = s->options.name, .run = run, .arg = s };

	if (s->running || s->first == NULL)
		return;
	s->running = trl_spawn_get(s->loop, &spec, &s->actor) == TRL_OK;
	if (!s->running) /* the process is full; this can wait */
		uv_timer_start(s->timer, start, SPAWN_AGAIN_MS, 0);
}

bool
trl_sender_add(trl_sender *s, const void *payload, size_t len)
{
	struct payload *made;

	if (s->n >= s->options.max_payloads || len > s->options.max_bytes - s->bytes) {
		trl_series_add(s->dropped[FULL], 1);
		return false;
	}
	made = malloc(sizeof *made + len);
	trl_assert(made != NULL);
	made->next = NULL;
	made->since_us = trl_mono_us();
	made->len = len;
	memcpy(made->bytes, payload, len);
	*s->last = made;
	s->last = &made->next;
	s->n++;
	s->bytes += len;
	start(s->timer);
	return true;
}

size_t
trl_sender_queued(const trl_sender *s)
{
	return s->n;
}

bool
trl_sender_stuck(const trl_sender *s)
{
	return s->stuck;
}
