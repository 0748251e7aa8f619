/* pull.c - one Fetch of all lanes that are ours to read, and what it must hold: in each
 * lane the numbers that follow the last one, all of them. A missing number is a bug
 * somewhere and never passed over: the lane stops, and looks again now and then. */
#include "pull.h"

#include <string.h>

#include <trl/log.h>

#include "framework_sql.h"

enum {
	GAP_MS = 3000,
	BEHIND_MS = 200,
	PASS_AFTER = 1000, /* unwanted events passed over before that is noted */
	BACKOFF_MOST = 50  /* retry_ms, at most */
};

static bool
is_ours(const struct sub_lane *lane, uint64_t now)
{
	return lane->until_us <= now;
}

bool
sub_may_wait(const struct subscription *sub)
{
	uint64_t now = trl_mono_us();

	for (size_t i = 0; i < LANES; i++)
		if (is_ours(&sub->lanes[i], now))
			return sub->live && sub->loaded && sub->until_us <= now;
	return false;
}

bool
sub_retries(const struct subscription *sub)
{
	for (size_t i = 0; i < LANES; i++)
		if (sub->lanes[i].fails > 0 || sub->lanes[i].put_off > 0)
			return true;
	return false;
}

uint64_t
sub_next_us(const struct subscription *sub)
{
	uint64_t now = trl_mono_us(), next = now + 1000000;

	if (sub->until_us > now)
		return sub->until_us;
	for (size_t i = 0; i < LANES; i++)
		if (sub->lanes[i].until_us > now && sub->lanes[i].until_us < next)
			next = sub->lanes[i].until_us;
	return next;
}

/* Names the lanes in a turning order, so that each comes first once. */
static void
ask(trl_ctx *ctx, struct subscription *sub, Events__V1__FetchRequest *in)
{
	uint64_t now = trl_mono_us();

	in->lanes = trl_arena_zalloc(ctx->arena, LANES * sizeof *in->lanes);
	in->afters = trl_arena_zalloc(ctx->arena, LANES * sizeof *in->afters);
	in->n_lanes = in->n_afters = 0;
	for (unsigned i = 0; i < LANES; i++) {
		unsigned at = (sub->first + i) % LANES;

		if (!is_ours(&sub->lanes[at], now))
			continue;
		in->lanes[in->n_lanes++] = at;
		in->afters[in->n_afters++] = sub->lanes[at].seq;
	}
	in->subscription = sub->name;
	in->types = sub->types;
	in->n_types = sub->n_types;
	in->has_epoch = in->has_max_events = in->has_wait_ms = in->has_hint = true;
	in->epoch = sub->epoch;
}

static enum trl_code
call(trl_ctx *ctx, struct subscription *sub, const Events__V1__FetchRequest *in,
    Events__V1__FetchReply **out)
{
	enum trl_code rc = sub_ask_events(ctx, sub, in, out);

	if (rc != TRL_OK)
		return rc;
	if ((*out)->n_lanes != in->n_lanes || (*out)->n_throughs != in->n_lanes ||
	    (*out)->n_skipped != in->n_lanes || (*out)->n_firsts != in->n_lanes ||
	    memcmp((*out)->lanes, in->lanes, in->n_lanes * sizeof *in->lanes) != 0)
		return trl_fail(
		    ctx, TRL_INTERNAL, "broken events of %s", sub->producer);
	return TRL_OK;
}

enum trl_code
sub_await(trl_ctx *ctx, struct subscription *sub, uint32_t wait_ms, bool *news)
{
	Events__V1__FetchRequest in = EVENTS__V1__FETCH_REQUEST__INIT;
	Events__V1__FetchReply *out;
	enum trl_code rc;

	ctx->service = sub->events->service;
	ask(ctx, sub, &in);
	in.wait_ms = wait_ms;
	if (in.n_lanes == 0)
		return TRL_OK;
	rc = call(ctx, sub, &in, &out);
	if (rc != TRL_OK)
		return rc;
	*news = out->epoch != in.epoch;
	for (size_t i = 0; i < in.n_lanes; i++)
		*news |= out->throughs[i] > sub->lanes[in.lanes[i]].seq;
	return TRL_OK;
}

static void
alarm_of(struct subscription *sub, unsigned lane, uint64_t seq, const char *what)
{
	trl_log(TRL_LOG_ERROR, NULL, what, TRL_LOG_STR("subscription", sub->name),
	    TRL_LOG_STR("producer", sub->producer), TRL_LOG_INT("lane", lane),
	    TRL_LOG_INT("after", seq));
}

/* Whether rows are exactly what follows lane->seq, but for those not wanted. */
static bool
is_dense(const struct sub_lane *lane, const events_row *const *rows, size_t n,
    uint64_t through, uint64_t skipped)
{
	uint64_t last = lane->seq;

	for (size_t i = 0; i < n; i++) {
		if (rows[i]->seq <= last || rows[i]->seq > through)
			return false;
		last = rows[i]->seq;
	}
	return through >= lane->seq && n + skipped == through - lane->seq;
}

/* Takes one lane's part of the reply: rows[0..n). */
static void
take_lane(trl_ctx *ctx, struct subscription *sub, unsigned at,
    const events_row *const *rows, size_t n, const Events__V1__FetchReply *reply,
    size_t place)
{
	struct sub_lane *lane = &sub->lanes[at];

	if (lane->seq + 1 < reply->firsts[place]) {
		if (!lane->missed)
			alarm_of(sub, at, lane->seq,
			    "events were dropped before they were read; a replay from "
			    "a later number, or a new subscription, goes on");
		lane->missed = true;
		lane->until_us = trl_mono_us() + GAP_MS * 1000;
		return;
	}
	if (!is_dense(lane, rows, n, reply->throughs[place], reply->skipped[place])) {
		if (!lane->gap) {
			trl_series_add(sub->m.gaps, 1);
			alarm_of(
			    sub, at, lane->seq, "a number is missing: the lane stops");
		}
		lane->gap = true;
		lane->until_us = trl_mono_us() + GAP_MS * 1000;
		return;
	}
	lane->gap = lane->missed = false;
	lane->rows = rows;
	lane->n = n;
	lane->through = reply->throughs[place];
	lane->events = trl_arena_zalloc(ctx->arena, (n + 1) * sizeof *lane->events);
	for (size_t i = 0; i < n; i++)
		if (events_of_row(ctx, rows[i], &lane->events[i]) != TRL_OK)
			trl_err_clear(ctx); /* a dead letter, when its turn comes */
	if (n == 0)
		lane->seq = lane->through;
}

static void
take(trl_ctx *ctx, struct subscription *sub, const Events__V1__FetchReply *reply)
{
	size_t from = 0;

	for (size_t i = 0; i < reply->n_lanes; i++) {
		size_t to = from;

		while (
		    to < reply->n_events && reply->events[to]->lane == reply->lanes[i])
			to++;
		take_lane(ctx, sub, reply->lanes[i],
		    (const events_row *const *)reply->events + from, to - from, reply,
		    i);
		from = to;
	}
}

/* Notes how far lanes are in which nothing was wanted for long. */
static enum trl_code
pass_over(trl_ctx *ctx, struct subscription *sub)
{
	int64_t *lanes = events_ints(ctx, LANES), *saved = events_ints(ctx, LANES),
		*seqs = events_ints(ctx, LANES);
	trl_batch *batch;
	size_t n = 0;
	enum trl_code rc;

	for (unsigned i = 0; i < LANES; i++) {
		const struct sub_lane *lane = &sub->lanes[i];

		if (lane->n > 0 || lane->seq < lane->saved + PASS_AFTER)
			continue;
		lanes[n] = i;
		saved[n] = (int64_t)lane->saved;
		seqs[n++] = (int64_t)lane->seq;
	}
	if (n == 0)
		return TRL_OK;
	batch = trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });
	trl_batch_add(batch, &trl_sql_cursor_pass, NULL,
	    TRL_ARG_TEXT("subscription", sub->name), TRL_ARG_INTS("lanes", lanes, n),
	    TRL_ARG_INTS("saved", saved, n), TRL_ARG_INTS("seqs", seqs, n));
	rc = trl_batch_write_unrecorded(batch);
	for (size_t i = 0; rc == TRL_OK && i < n; i++)
		sub->lanes[lanes[i]].saved = (uint64_t)seqs[i];
	return rc;
}

static enum trl_code
fetch(trl_ctx *ctx, struct subscription *sub, bool *more)
{
	Events__V1__FetchRequest in = EVENTS__V1__FETCH_REQUEST__INIT;
	Events__V1__FetchReply *out;
	enum trl_code rc;

	ask(ctx, sub, &in);
	in.max_events = FETCH_MAX;
	in.hint = sub->hint;
	if (in.n_lanes == 0)
		return TRL_OK;
	rc = call(ctx, sub, &in, &out);
	if (rc != TRL_OK)
		return rc;
	sub->first = (sub->first + 1) % LANES;
	if (out->epoch > sub->epoch) {
		*more = true;
		return sub_new_epoch(ctx, sub, out->epoch);
	}
	if (out->epoch < sub->epoch) { /* this replica does not know yet */
		sub->until_us = trl_mono_us() + BEHIND_MS * 1000;
		return TRL_OK;
	}
	take(ctx, sub, out);
	*more = out->more;
	return pass_over(ctx, sub);
}

static void
forget_fetched(struct subscription *sub)
{
	for (size_t i = 0; i < LANES; i++) {
		sub->lanes[i].events = NULL;
		sub->lanes[i].rows = NULL;
		sub->lanes[i].n = sub->lanes[i].at = 0;
	}
}

static void
note_failure(trl_ctx *ctx, struct subscription *sub, enum trl_code rc)
{
	const uint32_t least_ms = sub->events->retry_ms,
		       most_ms = least_ms * BACKOFF_MOST;
	uint32_t ms = sub->fails < 6 ? least_ms << sub->fails : most_ms;

	if (sub->fails++ % 16 == 1)
		trl_log(TRL_LOG_WARN, ctx, "events cannot be applied for now",
		    TRL_LOG_STR("subscription", sub->name),
		    TRL_LOG_STR("code", trl_code_name(rc)),
		    TRL_LOG_STR("reason", ctx->err.message));
	trl_err_clear(ctx);
	sub->loaded = false; /* whatever was written, or not */
	if (ms > most_ms)
		ms = most_ms;
	sub->until_us = trl_mono_us() + ms * 1000ull;
}

/* Whether a lane has something that it could not apply. */
static bool
is_stuck(const struct subscription *sub)
{
	for (size_t i = 0; i < LANES; i++)
		if (sub->lanes[i].gap || sub->lanes[i].missed ||
		    sub->lanes[i].fails > 0 || sub->lanes[i].put_off > 0)
			return true;
	return false;
}

static void
note_end(struct subscription *sub, bool came_to_it)
{
	if (came_to_it)
		sub->behind_us = 0;
	else if (!sub->behind_us)
		sub->behind_us = trl_mono_us();
}

enum sub_state
sub_pull_all(trl_ctx *ctx, struct subscription *sub)
{
	bool ready = false, more = false;
	enum trl_code rc;

	ctx->service = sub->events->service;
	ctx->principal.kind = TRL_SERVICE;
	rc = sub_begin(ctx, sub, &ready);
	if (rc == TRL_OK && !ready) {
		sub->fails = 0;
		note_end(sub, false);
		return SUB_MORE;
	}
	if (rc == TRL_OK)
		rc = fetch(ctx, sub, &more);
	if (rc == TRL_OK)
		rc = sub_apply(ctx, sub, &more);
	forget_fetched(sub);
	note_end(sub, rc == TRL_OK && !more && !is_stuck(sub));
	if (rc != TRL_OK) {
		trl_series_add(sub->m.pull_failures, 1);
		note_failure(ctx, sub, rc);
		return SUB_IDLE;
	}
	sub->fails = 0;
	return more && sub_may_wait(sub) ? SUB_MORE : SUB_IDLE;
}
