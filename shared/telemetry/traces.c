/* traces.c - see traces.h. Spans are taken out of the ring when there are enough for a
 * payload, or a second after the first; while one payload is on its way and another
 * waits, they stay in the ring, which is all that a collector that is away costs. */
#include <trl/traces.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <uv.h>

#include <trl/complain.h>
#include <trl/log.h>
#include <trl/loop_uv.h>
#include <trl/metrics.h>
#include <trl/sender.h>

#include "otlp.h"

enum {
	RING = 2048,
	BATCH = 256, /* spans a payload: some 100 KiB, made in a millisecond */
	PAYLOADS = 2,
	PAUSE_MS = 1000,
	FLUSH_MS = 2000
};

struct trl_traces {
	trl_sender *sender;
	uv_timer_t *timer;
	trl_arena *arena;
	struct otlp_resource resource;
	char instance[TRL_ID_TEXT];
	struct trl_span_record batch[BATCH];
	trl_series *exported, *rejected;
	bool told_rejected;
	uint64_t flush_until_us; /* 0: nobody waits for it */
};

/* Of the form http://collector:4318 or https://host/some/path. */
static char *
full_url(const char *base)
{
	size_t len = strlen(base);
	char *made = NULL;

	while (len > 0 && base[len - 1] == '/')
		len--;
	trl_assert(asprintf(&made, "%.*s/v1/traces", (int)len, base) > 0);
	return made;
}

const char *
trl_traces_refused_url(const char *url)
{
	char *full = full_url(url);
	const char *wrong =
	    strchr(url, '?') != NULL ? "the URL has a query" : trl_sender_refused(full);

	free(full);
	return wrong;
}

/* A secret ends without NUL. */
static const char *
read_headers(const trl_secret *secret, struct otlp_headers *out)
{
	size_t len = secret != NULL ? trl_secret_len(secret) : 0;
	char *text = malloc(len + 1);
	const char *wrong;

	trl_assert(text != NULL);
	if (len > 0)
		memcpy(text, trl_secret_bytes(secret), len);
	text[len] = '\0';
	wrong = otlp_headers_read(text, out);
	sodium_memzero(text, len);
	free(text);
	return wrong;
}

const char *
trl_traces_refused_headers(const trl_secret *headers)
{
	return read_headers(headers, NULL);
}

static void
send_some(struct trl_traces *t)
{
	size_t n = trl_spans_take(t->batch, BATCH), len;
	const uint8_t *data;

	otlp_encode(t->arena, &t->resource, t->batch, n, &data, &len);
	if (trl_sender_add(t->sender, data, len))
		trl_series_add(t->exported, (double)n);
	trl_arena_reset(t->arena);
}

static void
on_timer(uv_timer_t *timer)
{
	struct trl_traces *t = timer->data;

	if (trl_spans_kept() > 0 && trl_sender_queued(t->sender) < PAYLOADS)
		send_some(t);
	if (trl_spans_kept() > 0) /* at once, where there is a payload of them */
		uv_timer_start(timer, on_timer,
		    trl_spans_kept() >= BATCH && trl_sender_queued(t->sender) < PAYLOADS
			? 0
			: PAUSE_MS,
		    0);
}

/* A collector may lie: no more than were sent are counted. */
static enum trl_sender_verdict
answered(void *self, const struct trl_sender_answer *answer)
{
	struct trl_traces *t = self;
	uint64_t rejected;
	const char *why;

	if (answer->status / 100 != 2)
		return TRL_SENDER_BY_STATUS;
	if (trl_spans_kept() >= BATCH) /* there is room again in a moment */
		uv_timer_start(t->timer, on_timer, 0, 0);
	rejected = otlp_rejected(t->arena, answer->body, answer->body_len, &why);
	if (rejected > BATCH)
		rejected = BATCH;
	trl_series_add(t->rejected, (double)rejected);
	if (rejected > 0 && !t->told_rejected)
		trl_log(TRL_LOG_WARN, NULL, "a collector rejected spans",
		    TRL_LOG_INT("spans", rejected), TRL_LOG_STR("detail", why));
	t->told_rejected = rejected > 0;
	trl_arena_reset(t->arena);
	return TRL_SENDER_BY_STATUS;
}

static void
recorded(void *self, size_t n)
{
	struct trl_traces *t = self;

	if (n == BATCH)
		uv_timer_start(t->timer, on_timer, 0, 0);
	else if (n == 1)
		uv_timer_start(t->timer, on_timer, PAUSE_MS, 0);
}

static double
dropped(void *self)
{
	(void)self;
	return (double)trl_spans_dropped();
}

static void
count(struct trl_traces *t)
{
	t->exported = trl_series_at(
	    trl_counter_new("trellis_trace_spans_total",
		"Spans that were handed over to be sent to the collector", NULL),
	    NULL);
	t->rejected = trl_series_at(
	    trl_counter_new("trellis_trace_spans_rejected_total",
		"Spans that the collector took and rejected by itself", NULL),
	    NULL);
	trl_metric_callback("trellis_trace_spans_dropped_total",
	    "Spans that were dropped because too many waited", true, dropped, t);
}

static trl_sender *
open_sender(
    trl_loop *loop, struct trl_traces *t, const struct trl_traces_options *options)
{
	struct otlp_headers headers;
	char *url = full_url(options->url);
	const char *wrong = read_headers(options->headers, &headers);
	trl_sender *sender;

	if (wrong != NULL) {
		trl_complain("The headers for the collector: %s.", wrong);
		free(url);
		return NULL;
	}
	sender = trl_sender_open(loop, &(struct trl_sender_options){ .name = "traces",
					   .url = url,
					   .content_type = "application/x-protobuf",
					   .headers = headers.lines,
					   .ca_file = options->ca_file,
					   .max_payloads = PAYLOADS,
					   .answered = answered,
					   .self = t });
	sodium_memzero(headers.storage, headers.len);
	free(headers.storage);
	free(url);
	return sender;
}

trl_traces *
trl_traces_open(trl_loop *loop, const struct trl_traces_options *options)
{
	struct trl_traces *t = calloc(1, sizeof *t);

	trl_assert(t != NULL);
	t->sender = open_sender(loop, t, options);
	if (t->sender == NULL) {
		free(t);
		return NULL;
	}
	t->timer = calloc(1, sizeof *t->timer);
	trl_assert(t->timer != NULL);
	uv_timer_init(trl_loop_uv(loop), t->timer);
	t->timer->data = t;
	t->arena = trl_arena_new(0);
	trl_id_format(trl_id_random(), t->instance);
	t->resource =
	    (struct otlp_resource){ options->service, options->version, t->instance };
	count(t);
	trl_spans_open(&(struct trl_spans_options){
	    .room = RING, .ratio = options->ratio, .recorded = recorded, .self = t });
	return t;
}

static void
free_timer(uv_handle_t *timer)
{
	free(timer);
}

void
trl_traces_close(trl_traces **traces)
{
	struct trl_traces *t = TRL_TAKE(*traces);

	if (t == NULL)
		return;
	trl_spans_close();
	trl_metric_callback_drop(t);
	uv_close((uv_handle_t *)t->timer, free_timer);
	trl_sender_close(&t->sender);
	trl_arena_free(&t->arena);
	free(t);
}

void
trl_traces_flush(trl_traces *t)
{
	if (t->flush_until_us == 0)
		t->flush_until_us = trl_mono_us() + FLUSH_MS * 1000;
	uv_timer_start(t->timer, on_timer, 0, 0);
}

bool
trl_traces_flushed(trl_traces *t)
{
	bool over = trl_sender_stuck(t->sender) ||
		    (trl_spans_kept() == 0 && trl_sender_queued(t->sender) == 0) ||
		    (t->flush_until_us != 0 && trl_mono_us() > t->flush_until_us);

	if (over)
		t->flush_until_us = 0;
	return over;
}
