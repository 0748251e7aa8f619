/* span.h - what was done for a message, and how long it took: spans of its trace, kept
 * in a ring of this process until somebody takes them (telemetry/traces.h exports
 * them). If the message's trace is not sampled, a span costs one comparison and no
 * memory. Loop thread only.
 *
 *   struct trl_span span;
 *
 *   trl_span_begin(ctx, &span, TRL_SPAN_SQL, sql->name);
 *   rc = ...
 *   trl_span_end(ctx, &span, rc);
 *
 * Between the two, ctx->trace is the span: whatever is begun, called or stored
 * meanwhile has it as its parent. */
#pragma once

#include <string.h>

#include <trl/trace.h>

/* What a span is about, from which its attributes follow (telemetry/otlp.c), and what
 * its fields mean there. */
enum trl_span_what {
	TRL_SPAN_REQUEST, /* served over HTTP: name is the verb, of the route, text the
			     path, number the status */
	TRL_SPAN_CALL,    /* of another service: name is the method, of the service */
	TRL_SPAN_SERVED,  /* such a call, on its other end: name is the method */
	TRL_SPAN_SQL,     /* name is the first statement's, number how many there are */
	TRL_SPAN_REDIS,   /* name is the first command's or script's, likewise */
	TRL_SPAN_HTTP,    /* to the outside: name is the verb, text the host, number the
			     status */
	TRL_SPAN_MAIL,    /* by SMTP: text is the host, number the last reply */
	TRL_SPAN_OFFLOAD, /* name is the kind of work */
	TRL_SPAN_JOB,     /* name is its kind, text its id */
	TRL_SPAN_EVENT    /* applied: name is the subscription, text the type */
};

enum { TRL_SPAN_TEXT = 128 };

/* A span that is over. Texts that are not in it live as long as the process. */
struct trl_span_record {
	uint8_t trace_id[16], span_id[8];
	uint8_t parent_id[8], link_id[8]; /* of this trace; all zero: none */
	enum trl_span_what what;
	enum trl_code code; /* how it ended */
	uint32_t number;
	int64_t began_us; /* wall */
	uint64_t took_us;
	const char *name, *of, *service;
	char text[TRL_SPAN_TEXT]; /* cut to fit, well-formed UTF-8 */
};

struct trl_span {
	bool on;                /* the rest is unset where it is not */
	struct trl_trace outer; /* ctx's, before */
	uint64_t since_us;
	struct trl_span_record record;
};

/* name lives as long as the process; or NULL. */
static inline void trl_span_begin(
    trl_ctx *ctx, struct trl_span *span, enum trl_span_what what, const char *name);
/* Add what is only known later; nothing if the span is not recorded. */
static inline void trl_span_number(struct trl_span *span, size_t number);
static inline void trl_span_of(struct trl_span *span, const char *of);
static inline void trl_span_text(struct trl_span *span, const char *text);
/* Makes a span of another process its parent; all zeros: it has none. */
static inline void trl_span_parent(struct trl_span *span, const uint8_t id[8]);
/* Links the span to what would be its parent: its cause, which ended before it began.
 */
static inline void trl_span_link(struct trl_span *span);
/* Ends it; ctx->trace is what it was before. */
static inline void trl_span_end(
    trl_ctx *ctx, struct trl_span *span, enum trl_code code);

/* For whoever exports them. */

struct trl_spans_options {
	size_t room;  /* spans that are kept; further ones are dropped and counted */
	double ratio; /* of the traces that begin here, 0 to 1; one that comes from
			 elsewhere is as its sender says */
	/* Called with each span that is recorded: how many there are. Must not park. */
	void (*recorded)(void *self, size_t n);
	void *self;
};

/* Start-up: from now on spans are recorded. Until then there is no ring. */
void trl_spans_open(const struct trl_spans_options *options);
void trl_spans_close(void);
/* Takes up to max of the oldest. */
size_t trl_spans_take(struct trl_span_record *out, size_t max);
/* How many are kept, and how many were dropped so far. */
size_t trl_spans_kept(void);
uint64_t trl_spans_dropped(void);
/* Whether a trace that begins here is recorded, by its id. */
bool trl_spans_want(const uint8_t trace_id[16]);

/* Behind the functions above. */
bool trl_span_start_(
    trl_ctx *ctx, struct trl_span *span, enum trl_span_what what, const char *name);
void trl_span_stop_(trl_ctx *ctx, struct trl_span *span, enum trl_code code);
void trl_span_text_(struct trl_span *span, const char *text);

static inline void
trl_span_begin(
    trl_ctx *ctx, struct trl_span *span, enum trl_span_what what, const char *name)
{
	span->on = (ctx->trace.flags & TRL_TRACE_SAMPLED) != 0 &&
		   trl_span_start_(ctx, span, what, name);
}

static inline void
trl_span_end(trl_ctx *ctx, struct trl_span *span, enum trl_code code)
{
	if (span->on)
		trl_span_stop_(ctx, span, code);
}

static inline void
trl_span_number(struct trl_span *span, size_t number)
{
	if (span->on)
		span->record.number = (uint32_t)number;
}

static inline void
trl_span_of(struct trl_span *span, const char *of)
{
	if (span->on)
		span->record.of = of;
}

static inline void
trl_span_text(struct trl_span *span, const char *text)
{
	if (span->on)
		trl_span_text_(span, text);
}

static inline void
trl_span_parent(struct trl_span *span, const uint8_t id[8])
{
	if (span->on)
		memcpy(span->record.parent_id, id, 8);
}

static inline void
trl_span_link(struct trl_span *span)
{
	if (!span->on)
		return;
	memcpy(span->record.link_id, span->record.parent_id, 8);
	memset(span->record.parent_id, 0, 8);
}
