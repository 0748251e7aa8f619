/* fetch.c - the log, served to subscribers by any replica. Whether there is something
 * new is known from the heads in memory; only then PostgreSQL is asked, for numbers
 * that are known to be there. So a subscriber that waits costs a parked actor, and no
 * statement. */
#include "events.h"

#include <stdlib.h>
#include <string.h>

#include <trl/value.h>

#include "framework_sql.h"

/* What one Fetch reads. */
struct ranges {
	size_t n;
	int64_t *lanes, *afters, *throughs; /* place by place as in the request */
	bool more;
};

static bool
has_news(const struct events *events, const Events__V1__FetchRequest *in)
{
	for (size_t i = 0; i < in->n_lanes; i++)
		if (events->lanes[in->lanes[i]].head > in->afters[i])
			return true;
	return false;
}

/* Parks until something is new for in, its epoch is over, or the time is. */
static enum trl_code
await_news(trl_ctx *ctx, struct events *events, const Events__V1__FetchRequest *in)
{
	uint64_t until_us = trl_mono_us() + (uint64_t)in->wait_ms * 1000, now;

	while (events->epoch == in->epoch && !has_news(events, in) &&
	       !events->draining && (now = trl_mono_us()) + 1000 < until_us) {
		struct events_waiter waiter = { .next = events->waiters,
			.at = &events->waiters,
			.ticket = trl_park_begin(ctx) };
		enum trl_code rc;

		if (waiter.next)
			waiter.next->at = &waiter.next;
		events->waiters = &waiter;
		rc = trl_park_for(
		    ctx, waiter.ticket, "events", (uint32_t)((until_us - now) / 1000));
		if (waiter.at) {
			*waiter.at = waiter.next;
			if (waiter.next)
				waiter.next->at = waiter.at;
		}
		if (rc != TRL_OK && ctx->err.code != TRL_OK)
			return rc; /* the caller has gone, or its deadline is here */
	}
	return TRL_OK;
}

/* Shares most events out among the lanes that have some. */
static void
share_out(trl_ctx *ctx, const struct events *events, const Events__V1__FetchRequest *in,
    struct ranges *out)
{
	size_t busy = 0, left = in->max_events, share;

	out->n = in->n_lanes;
	out->lanes = events_ints(ctx, out->n);
	out->afters = events_ints(ctx, out->n);
	out->throughs = events_ints(ctx, out->n);
	for (size_t i = 0; i < out->n; i++) {
		out->lanes[i] = in->lanes[i];
		out->afters[i] = out->throughs[i] = (int64_t)in->afters[i];
		busy += events->lanes[in->lanes[i]].head > in->afters[i];
	}
	share = busy ? (left + busy - 1) / busy : 0;
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < out->n && left > 0; i++) {
			int64_t head = (int64_t)events->lanes[in->lanes[i]].head;
			int64_t n = head - out->throughs[i];
			int64_t most =
			    (int64_t)(round == 0 && share < left ? share : left);

			if (n <= 0)
				continue;
			if (n > most)
				n = most;
			out->throughs[i] += n;
			left -= (size_t)n;
		}
	for (size_t i = 0; i < out->n; i++)
		out->more |=
		    (int64_t)events->lanes[in->lanes[i]].head > out->throughs[i];
}

static enum trl_code
read_log(trl_ctx *ctx, struct events *events, const Events__V1__FetchRequest *in,
    const struct ranges *ranges, Events__V1__FetchReply *out)
{
	trl_batch *batch = trl_batch_new(ctx, events->sys, (struct trl_scope){ 0 });

	trl_batch_get(batch, &trl_sql_event_read, NULL, &out->base,
	    TRL_ARG_INTS("lanes", ranges->lanes, ranges->n),
	    TRL_ARG_INTS("afters", ranges->afters, ranges->n),
	    TRL_ARG_INTS("throughs", ranges->throughs, ranges->n),
	    TRL_ARG_TEXTS("types", in->types, in->n_types),
	    TRL_ARG_TEXT("unless", events->audit ? events->audit->name : ""),
	    TRL_ARG_INT("most", FETCH_MAX), TRL_ARG_INT("most_bytes", FETCH_BYTES));
	return trl_batch_read(batch);
}

static size_t
place_of(const struct ranges *ranges, uint32_t lane)
{
	size_t i = 0;

	while (i < ranges->n && ranges->lanes[i] != lane)
		i++;
	trl_assert(i < ranges->n);
	return i;
}

/* What came of each lane: how far, and how many were not wanted; those are dropped
 * from the reply. Rows end where no more bytes fit, so the lanes before the last one
 * came whole; where some of theirs are missing all the same, the reader counts and
 * sees. The first row always fits: where there is none at all, one is missing. */
static void
account(const struct events *events, const struct ranges *ranges,
    Events__V1__FetchReply *out)
{
	size_t kept = 0, whole = 0;

	while (whole < ranges->n && ranges->afters[whole] == ranges->throughs[whole])
		whole++;
	if (out->n_events == 0)
		whole++;
	for (size_t i = 0; i < out->n_events; i++) {
		events_row *row = out->events[i];
		size_t place = place_of(ranges, row->lane);

		whole = place;
		out->throughs[place] = row->seq;
		if (row->has_id)
			out->events[kept++] = row;
		else
			out->skipped[place]++;
	}
	out->n_events = kept;
	for (size_t i = 0; i < whole && i < ranges->n; i++)
		out->throughs[i] = (uint64_t)ranges->throughs[i];
	for (size_t i = 0; i < ranges->n; i++)
		out->more |= events->lanes[ranges->lanes[i]].head > out->throughs[i];
}

static void
answer(trl_ctx *ctx, const struct events *events, const Events__V1__FetchRequest *in,
    Events__V1__FetchReply *out)
{
	size_t n = in->n_lanes;

	out->has_epoch = out->has_more = true;
	out->epoch = events->epoch;
	out->lanes = trl_arena_memdup(ctx->arena, in->lanes, n * sizeof *out->lanes);
	out->throughs =
	    trl_arena_memdup(ctx->arena, in->afters, n * sizeof *out->throughs);
	out->skipped = trl_arena_zalloc(ctx->arena, n * sizeof *out->skipped);
	out->firsts = trl_arena_zalloc(ctx->arena, n * sizeof *out->firsts);
	out->n_lanes = out->n_throughs = out->n_skipped = out->n_firsts = n;
	for (size_t i = 0; i < n; i++)
		out->firsts[i] = events->lanes[in->lanes[i]].first;
}

static enum trl_code
check(trl_ctx *ctx, const Events__V1__FetchRequest *in)
{
	uint32_t seen = 0;

	if (in->n_lanes != in->n_afters)
		return trl_fail_field(
		    ctx, TRL_INVALID, "afters", "There are as many afters as lanes.");
	for (size_t i = 0; i < in->n_lanes; i++) {
		if (in->lanes[i] >= LANES || seen >> in->lanes[i] & 1 ||
		    in->afters[i] > INT64_MAX)
			return trl_fail_field(ctx, TRL_INVALID, "lanes",
			    "The lanes are from 0 to %d, each of them once.",
			    LANES - 1);
		seen |= 1u << in->lanes[i];
	}
	return TRL_OK;
}

enum trl_code
events_fetch(struct events *events, trl_ctx *ctx, const Events__V1__FetchRequest *in,
    Events__V1__FetchReply *out)
{
	struct ranges ranges = { 0 };
	enum trl_code rc = check(ctx, in);

	if (rc == TRL_OK && (!events->has_heads || in->hint > events->total ||
				in->epoch > events->epoch))
		rc = events_heads_read(ctx, events); /* another replica knows more */
	if (rc == TRL_OK)
		rc = await_news(ctx, events, in);
	if (rc != TRL_OK)
		return rc;
	events_progress_note(events, ctx->caller ? ctx->caller : "", in);
	answer(ctx, events, in, out);
	if (in->epoch != events->epoch)
		return TRL_OK;
	share_out(ctx, events, in, &ranges);
	out->more = ranges.more;
	if (in->max_events == 0) { /* to learn how far it goes */
		for (size_t i = 0; i < in->n_lanes; i++)
			out->throughs[i] = events->lanes[in->lanes[i]].head;
		return TRL_OK;
	}
	if (!has_news(events, in))
		return TRL_OK;
	rc = read_log(ctx, events, in, &ranges, out);
	if (rc != TRL_OK)
		return rc;
	out->more = false;
	account(events, &ranges, out);
	trl_series_add(events->m.fetched, (double)out->n_events);
	return TRL_OK;
}

enum trl_code
events_heads(struct events *events, trl_ctx *ctx, const Events__V1__HeadsRequest *in,
    Events__V1__HeadsReply *out)
{
	Trellis__Bus__HeadRows rows = TRELLIS__BUS__HEAD_ROWS__INIT;
	enum trl_code rc = events_heads_read(ctx, events);

	if (rc == TRL_OK && in->before) {
		trl_batch *batch =
		    trl_batch_new(ctx, events->sys, (struct trl_scope){ 0 });

		trl_batch_get(batch, &trl_sql_event_heads_before, NULL, &rows.base,
		    TRL_ARG_TIME("before", trl_value_time_us(in->before)));
		rc = trl_batch_read(batch);
	}
	if (rc != TRL_OK)
		return rc;
	out->heads = trl_arena_zalloc(ctx->arena, LANES * sizeof *out->heads);
	out->firsts = trl_arena_zalloc(ctx->arena, LANES * sizeof *out->firsts);
	out->n_heads = out->n_firsts = LANES;
	for (size_t i = 0; i < LANES; i++) {
		out->heads[i] = events->lanes[i].head;
		out->firsts[i] = events->lanes[i].first;
	}
	for (size_t i = 0; i < rows.n_rows; i++)
		out->heads[rows.rows[i]->lane % LANES] = rows.rows[i]->last_seq;
	trl_set(out, epoch, events->epoch);
	return TRL_OK;
}
