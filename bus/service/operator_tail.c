/* operator_tail.c - the log of a service as the operator reads it: its newest events,
 * or what came after a place in each lane. Events of different lanes are shown in the
 * order of their ids, which is that of their time. */
#include "operator.h"

#include <stdlib.h>
#include <string.h>

#include <trl/events_admin.h>
#include <trl/value.h>

enum {
	LIMIT = 20,
	REPLY_MAX = 300 << 10, /* bytes of events in one reply */
};

/* What is read of all lanes, before it is cut. */
struct reading {
	trl_ctx *ctx;
	trl_events *events;
	const char *type;
	size_t limit;
	uint64_t heads[TRL_EVENT_LANES];
	uint64_t after[TRL_EVENT_LANES];
	const struct trl_event **found;
	size_t n;
};

static int
by_id(const void *a, const void *b)
{
	const struct trl_event *x = *(const struct trl_event *const *)a;
	const struct trl_event *y = *(const struct trl_event *const *)b;
	int order = memcmp(x->id.bytes, y->id.bytes, sizeof x->id.bytes);
	return order != 0 ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

/* The next events of one lane; where a type is wanted, after moves past the others. */
static enum trl_code
read_lane(struct reading *reading, unsigned lane)
{
	struct trl_event *rows;
	size_t n;
	enum trl_code rc;

	if (reading->after[lane] >= reading->heads[lane])
		return TRL_OK;
	rc = trl_events_tail(reading->ctx, reading->events, lane, reading->after[lane],
	    reading->limit, &rows, &n);
	for (size_t i = 0; rc == TRL_OK && i < n; i++)
		if (reading->type == NULL ||
		    strcmp(rows[i].type_name, reading->type) == 0)
			reading->found[reading->n++] = &rows[i];
	if (rc == TRL_OK && n > 0)
		reading->after[lane] = rows[n - 1].seq;
	return rc;
}

/* Cuts what was found to limit and to what a reply holds: the newest where the newest
 * were asked for, else the oldest; after then stands before the first that was cut. */
static void
put(struct reading *reading, bool newest, Operator__V1__TailEventsReply *out)
{
	size_t from = 0, size = 0;

	qsort(reading->found, reading->n, sizeof reading->found[0], by_id);
	if (newest && reading->n > reading->limit)
		from = reading->n - reading->limit;
	out->events = trl_arena_alloc(
	    reading->ctx->arena, (reading->limit + 1) * sizeof out->events[0]);
	for (size_t i = from; i < reading->n; i++) {
		const struct trl_event *event = reading->found[i];
		if (out->n_events == reading->limit || size >= REPLY_MAX) {
			if (event->seq <= reading->after[event->lane])
				reading->after[event->lane] = event->seq - 1;
			continue;
		}
		Operator__V1__Event *to =
		    trl_arena_alloc(reading->ctx->arena, sizeof *to);
		size += operator_fill_event(reading->ctx, event, to);
		out->events[out->n_events++] = to;
	}
	out->after = trl_arena_memdup(
	    reading->ctx->arena, reading->after, sizeof reading->after);
	out->n_after = TRL_EVENT_LANES;
}

enum trl_code
operator_tail_events(operator_self *self, trl_ctx *ctx,
    const Operator__V1__TailEventsRequest *in, Operator__V1__TailEventsReply *out)
{
	struct reading reading = {
		.ctx = ctx,
		.events = self->host->events,
		.type = in->type,
		.limit = in->has_limit ? in->limit : LIMIT,
	};
	uint32_t epoch;
	enum trl_code rc;

	if (self->host->events == NULL)
		return TRL_OK;
	rc = trl_events_heads(ctx, self->host->events, reading.heads, &epoch);
	reading.found = trl_arena_alloc(
	    ctx->arena, TRL_EVENT_LANES * reading.limit * sizeof reading.found[0]);
	for (unsigned lane = 0; rc == TRL_OK && lane < TRL_EVENT_LANES; lane++) {
		uint64_t head = reading.heads[lane];
		reading.after[lane] = head > reading.limit ? head - reading.limit : 0;
		if (in->n_after > 0)
			reading.after[lane] = lane < in->n_after ? in->after[lane] : 0;
		rc = read_lane(&reading, lane);
	}
	if (rc == TRL_OK)
		put(&reading, in->n_after == 0, out);
	return rc;
}
