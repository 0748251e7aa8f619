/* hand_over.c - events go to their handler, those of one tenant at a time: under its
 * scope, as row security wants it. Order holds within a tenant, and so within each
 * aggregate.
 *
 * How much a handler writes of an event is its own affair, and may depend on what an
 * organisation set up. So it gets few events at a time and memory of its own, and what
 * it added leaves and is given back once it is much: a batch of whatever size takes a
 * bounded part of this process and of its connection. */
#include <string.h>

#include <trl/span.h>

#include "subscription.h"

enum { MUCH_BYTES = 1 << 20, ALONE_MAX = 32 };

enum trl_code
sub_work_begin(trl_ctx *ctx, struct subscription *sub, struct sub_work *out)
{
	enum trl_code rc =
	    trl_tx_open(ctx, sub->events->sys, (struct trl_scope){ 0 }, &out->tx);

	if (rc == TRL_OK)
		out->arena = trl_arena_new(0);
	return rc;
}

void
sub_work_end(struct sub_work *work)
{
	trl_tx_rollback(&work->tx); /* first: it may refer to the arena */
	trl_arena_free(&work->arena);
}

static bool
is_traced(const struct trl_event *event)
{
	return (event->trace.flags & TRL_TRACE_SAMPLED) != 0;
}

/* How many of these events are handed over at once. One that is traced goes alone, so
 * that what is done for it is told of nothing else; but whoever sends many of these
 * does not make a batch of many calls: the rest are told of none. */
static size_t
count_together(const struct trl_event *events, size_t n, unsigned *alone)
{
	size_t k = 1;

	if (n > TRL_APPLY_MOST)
		n = TRL_APPLY_MOST;
	if (*alone > 0 && is_traced(&events[0])) {
		--*alone;
		return 1;
	}
	while (k < n && (*alone == 0 || !is_traced(&events[k])))
		k++;
	return k;
}

static void
begin_span(trl_ctx *ctx, struct trl_span *span, const struct subscription *sub,
    const struct trl_event *event, size_t n)
{
	ctx->trace = event->trace;
	if (n > 1)
		ctx->trace.flags = 0;
	trl_span_begin(ctx, span, TRL_SPAN_EVENT, sub->name);
	trl_span_link(span);
	trl_span_text(span, event->type_name);
}

/* A call of the handler, in the memory of work. */
static enum trl_code
hand_some(trl_ctx *ctx, struct subscription *sub, struct sub_work *work,
    const struct trl_event *events, size_t n)
{
	trl_arena *own = ctx->arena;
	enum trl_code rc;

	ctx->arena = work->arena;
	rc = sub->spec->apply(sub->events->self, ctx, work->tx, events, n);
	if (rc != TRL_OK && ctx->err.code == TRL_OK)
		trl_fail(ctx, rc, "failed without an error");
	if (rc == TRL_OK && trl_arena_used(work->arena) > MUCH_BYTES) {
		rc = trl_tx_send(work->tx);
		if (rc == TRL_OK)
			trl_arena_reset(work->arena);
	}
	ctx->err.violations = NULL; /* they lie there, too */
	ctx->err.n_violations = 0;
	ctx->arena = own;
	return rc;
}

static enum trl_code
hand_group(trl_ctx *ctx, struct subscription *sub, struct sub_work *work,
    const struct trl_event *events, size_t n)
{
	const struct trl_trace own = ctx->trace;
	unsigned alone = ALONE_MAX;
	enum trl_code rc = TRL_OK;

	for (size_t i = 0; i < n; i++)
		if (events[i].type && !events[i].payload)
			return trl_fail(ctx, TRL_INTERNAL,
			    "the payload of %s cannot be read", events[i].type_name);
	ctx->tenant = events[0].tenant;
	trl_tx_scope(work->tx, TRL_SCOPE_TENANT(events[0].tenant));
	for (size_t i = 0, k; rc == TRL_OK && i < n; i += k) {
		struct trl_span span;

		k = count_together(events + i, n - i, &alone);
		begin_span(ctx, &span, sub, &events[i], k);
		rc = hand_some(ctx, sub, work, events + i, k);
		trl_span_end(ctx, &span, rc);
	}
	if (rc == TRL_OK)
		ctx->trace = own;
	else /* stays for whoever logs it */
		ctx->trace.flags = 0;
	ctx->tenant = trl_id_nil;
	return rc;
}

enum trl_code
sub_hand_over(trl_ctx *ctx, struct subscription *sub, struct sub_work *work,
    struct trl_event *events, size_t n)
{
	struct trl_event *group = trl_arena_alloc(ctx->arena, n * sizeof *group);
	bool *done = trl_arena_zalloc(ctx->arena, n * sizeof *done);
	enum trl_code rc = TRL_OK;

	for (size_t i = 0; rc == TRL_OK && i < n; i++) {
		size_t k = 0;

		if (done[i])
			continue;
		for (size_t j = i; j < n; j++) {
			if (done[j] || !trl_id_eq(events[j].tenant, events[i].tenant))
				continue;
			done[j] = true;
			group[k++] = events[j];
		}
		rc = hand_group(ctx, sub, work, group, k);
		group += k;
	}
	return rc;
}
