/* span.c - the ring of spans that are over. It is made once, when somebody wants them,
 * and never grows: what comes while it is full is dropped, so that a trace that was
 * begun to be told is told as far as it goes. */
#include <trl/span.h>

#include <stdlib.h>

#include <trl/utf8.h>

#include "random.h"

/* Of 2^56, which a double holds. */
static const double ALL_TRACES = 72057594037927936.0;

static struct {
	struct trl_span_record *spans; /* NULL: nobody wants any */
	size_t room, first, n;
	uint64_t below; /* traces whose id's end is less are wanted */
	uint64_t dropped;
	void (*recorded)(void *self, size_t n);
	void *self;
} ring;

void
trl_spans_open(const struct trl_spans_options *options)
{
	trl_assert(ring.spans == NULL && options->room > 0);
	ring.spans = calloc(options->room, sizeof *ring.spans);
	trl_assert(ring.spans != NULL);
	ring.room = options->room;
	ring.first = ring.n = 0;
	ring.dropped = 0;
	ring.below = (uint64_t)(options->ratio * ALL_TRACES);
	ring.recorded = options->recorded;
	ring.self = options->self;
}

void
trl_spans_close(void)
{
	free(ring.spans);
	memset(&ring, 0, sizeof ring);
}

/* As OpenTelemetry's TraceIdRatioBased: all who see an id decide alike. Of the last
 * seven bytes, which W3C Trace Context, level 2, wants random. */
bool
trl_spans_want(const uint8_t trace_id[16])
{
	uint64_t end = 0;

	for (size_t i = 9; i < 16; i++)
		end = end << 8 | trace_id[i];
	return end < ring.below;
}

size_t
trl_spans_kept(void)
{
	return ring.n;
}

uint64_t
trl_spans_dropped(void)
{
	return ring.dropped;
}

size_t
trl_spans_take(struct trl_span_record *out, size_t max)
{
	size_t n = 0;

	for (; n < max && ring.n > 0; n++) {
		out[n] = ring.spans[ring.first];
		ring.first = (ring.first + 1) % ring.room;
		ring.n--;
	}
	return n;
}

bool
trl_span_start_(
    trl_ctx *ctx, struct trl_span *span, enum trl_span_what what, const char *name)
{
	struct trl_span_record *record = &span->record;

	if (ring.spans == NULL)
		return false;
	span->outer = ctx->trace;
	*record = (struct trl_span_record){ .what = what,
		.name = name,
		.service = ctx->service,
		.began_us = trl_wall_us() };
	memcpy(record->trace_id, ctx->trace.trace_id, 16);
	memcpy(record->parent_id, ctx->trace.span_id, 8);
	trl_random(record->span_id, sizeof record->span_id);
	record->span_id[0] |= 1;
	memcpy(ctx->trace.span_id, record->span_id, 8);
	span->since_us = trl_mono_us();
	return true;
}

void
trl_span_text_(struct trl_span *span, const char *text)
{
	size_t len = trl_utf8_cut(text, strlen(text), TRL_SPAN_TEXT - 1);

	memcpy(span->record.text, text, len);
	span->record.text[len] = '\0';
	trl_utf8_clean(span->record.text, len, "");
}

void
trl_span_stop_(trl_ctx *ctx, struct trl_span *span, enum trl_code code)
{
	ctx->trace = span->outer;
	span->record.code = code;
	span->record.took_us = trl_mono_us() - span->since_us;
	if (ring.n == ring.room) {
		ring.dropped++;
		return;
	}
	ring.spans[(ring.first + ring.n++) % ring.room] = span->record;
	ring.recorded(ring.self, ring.n);
}
