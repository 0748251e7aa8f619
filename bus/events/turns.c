/* turns.c - which events are applied next, together or one by one. A batch that fails
 * is tried again event by event; one that fails by itself five times becomes a dead
 * letter, and the lane goes on. Where the fault is not the event's but a lock's, the
 * load's or the network's, the lane waits for as long as that takes: an operator could
 * mend nothing there. A process that has not got past its first events yet counts
 * before it tries, so that an event that kills it becomes a dead letter too. */
#include <string.h>

#include <trl/log.h>

#include "batch.h"
#include "framework_sql.h"

enum {
	TRIES = 5,
	CRASHES = 3,
	PUT_OFF_MOST = 4, /* doublings of retry_ms */
	PUT_OFF_TOLD = 8, /* every so often that a lane was put off is logged */
	ROLLBACK_MS = 3,
	ENOUGH_MS = 3000,    /* left of the actor's time; else the rest comes again */
	MUCH_BYTES = 8 << 20 /* of its memory, half; the rest comes to the next one */
};

static bool
is_ready(const struct sub_lane *lane)
{
	return lane->at < lane->n && lane->until_us <= trl_mono_us();
}

static void
pick(struct subscription *sub, struct batch *out)
{
	*out = (struct batch){ 0 };
	for (unsigned i = 0; i < LANES && out->n < APPLY_MAX && !out->alone; i++) {
		unsigned at = (sub->first + i) % LANES;
		struct sub_lane *lane = &sub->lanes[at];
		size_t n = lane->n - lane->at;

		if (!is_ready(lane))
			continue;
		if (lane->careful > 0 || lane->singly > 0) {
			if (out->n > 0)
				continue;
			out->alone = true;
		}
		if (n > APPLY_MAX - out->n)
			n = APPLY_MAX - out->n;
		if (lane->singly > 0)
			n = 1;
		out->parts[out->n_parts++] =
		    (struct part){ .lane = at, .from = lane->at, .n = n };
		out->n += n;
	}
}

/* The event becomes a dead letter. */
static enum trl_code
give_up(trl_ctx *ctx, struct subscription *sub, struct batch *batch, const char *why)
{
	const struct part *part = &batch->parts[0];
	const struct trl_event *event = &sub->lanes[part->lane].events[part->from];
	enum trl_code rc = sub_apply_batch(ctx, sub, batch, why);

	if (rc != TRL_OK || !part->owned)
		return rc; /* its turn comes again */
	trl_log(TRL_LOG_ERROR, ctx, "an event is parked",
	    TRL_LOG_STR("subscription", sub->name),
	    TRL_LOG_STR("type", event->type_name), TRL_LOG_ID("event", event->id),
	    TRL_LOG_ID("subject", event->subject), TRL_LOG_STR("reason", why));
	return TRL_OK;
}

/* PostgreSQL or the network is away: for all lanes. */
static bool
is_outage(enum trl_code rc)
{
	return rc == TRL_UNAVAILABLE || rc == TRL_UNCERTAIN;
}

/* Somebody holds a row, or there is too much to do: for this lane, while it lasts. */
static bool
is_overload(enum trl_code rc)
{
	return rc == TRL_BUSY || rc == TRL_DEADLINE || rc == TRL_CONFLICT;
}

/* The lane waits and tries again; what it waits for is no fault of its event. */
static void
put_off(trl_ctx *ctx, struct subscription *sub, const struct batch *batch)
{
	const struct part *part = &batch->parts[0];
	struct sub_lane *lane = &sub->lanes[part->lane];
	uint64_t ms = (uint64_t)sub->events->retry_ms
		      << (lane->put_off < PUT_OFF_MOST ? lane->put_off : PUT_OFF_MOST);

	if (++lane->put_off % PUT_OFF_TOLD == 0)
		trl_log(TRL_LOG_WARN, ctx, "an event cannot be applied for now",
		    TRL_LOG_STR("subscription", sub->name),
		    TRL_LOG_INT("lane", part->lane),
		    TRL_LOG_ID("event", lane->events[part->from].id),
		    TRL_LOG_STR("code", trl_code_name(ctx->err.code)),
		    TRL_LOG_STR("reason", ctx->err.message));
	trl_err_clear(ctx);
	lane->until_us = trl_mono_us() + ms * 1000;
}

/* The one event of batch has failed by itself; once too often: a dead letter. */
static enum trl_code
failed_alone(trl_ctx *ctx, struct subscription *sub, struct batch *batch)
{
	struct sub_lane *lane = &sub->lanes[batch->parts[0].lane];
	const char *why = trl_arena_printf(
	    ctx->arena, "%s: %s", trl_code_name(ctx->err.code), ctx->err.message);

	trl_err_clear(ctx);
	if (++lane->fails < TRIES) {
		lane->until_us = trl_mono_us() + ((uint64_t)sub->events->retry_ms * 1000
						     << 2 * (lane->fails - 1));
		return TRL_OK;
	}
	return give_up(ctx, sub, batch, why);
}

/* The rollback is on its way on its own connection; until it is there, the lane's row
 * is locked by ourselves. */
static void
let_go(trl_ctx *ctx)
{
	struct trl_err err = ctx->err;

	trl_err_clear(ctx);
	if (trl_sleep(ctx, ROLLBACK_MS) != TRL_OK)
		trl_err_clear(ctx);
	ctx->err = err;
}

static enum trl_code
failed(trl_ctx *ctx, struct subscription *sub, struct batch *batch, enum trl_code rc)
{
	if (is_outage(rc) || trl_time_left_ms(ctx) < ENOUGH_MS)
		return rc;
	trl_series_add(sub->m.failed, 1);
	let_go(ctx);
	if (batch->n == 1 && is_overload(rc)) {
		put_off(ctx, sub, batch);
		return TRL_OK;
	}
	if (batch->n == 1)
		return failed_alone(ctx, sub, batch);
	trl_log(TRL_LOG_WARN, ctx, "a batch of events failed; applying them one by one",
	    TRL_LOG_STR("subscription", sub->name), TRL_LOG_INT("events", batch->n),
	    TRL_LOG_STR("reason", ctx->err.message));
	trl_err_clear(ctx);
	for (size_t i = 0; i < batch->n_parts; i++)
		sub->lanes[batch->parts[i].lane].singly = (unsigned)batch->parts[i].n;
	return TRL_OK;
}

/* Counts, before what a process that began here may have died of. */
static enum trl_code
be_careful(trl_ctx *ctx, struct subscription *sub, struct batch *batch, bool *deadly)
{
	struct part *part = &batch->parts[0];
	struct sub_lane *lane = &sub->lanes[part->lane];
	Trellis__Bus__CountRow tries = TRELLIS__BUS__COUNT_ROW__INIT;
	trl_batch *work = trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });
	enum trl_code rc;

	trl_batch_get(work, &trl_sql_cursor_try, NULL, &tries.base,
	    TRL_ARG_TEXT("subscription", sub->name), TRL_ARG_INT("lane", part->lane));
	rc = trl_batch_write_unrecorded(work);
	if (rc != TRL_OK)
		return rc;
	lane->counted = true;
	*deadly = tries.n >= CRASHES;
	if (tries.n > 0) { /* each of what was at hand is counted by itself */
		lane->careful = lane->singly = APPLY_MAX;
		batch->n = part->n = 1;
	}
	return TRL_OK;
}

/* The process lives: what it counted is no death, be it that the events failed, that
 * another process had the lane, or that PostgreSQL went away, and then as soon as it is
 * back. Else a few restarts in such times would give up what nobody died of. */
static void
count_back(trl_ctx *ctx, struct subscription *sub, unsigned lane)
{
	trl_batch *work = trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });

	trl_batch_add(work, &trl_sql_cursor_untry, NULL,
	    TRL_ARG_TEXT("subscription", sub->name), TRL_ARG_INT("lane", lane));
	if (trl_batch_write_unrecorded(work) == TRL_OK)
		sub->lanes[lane].counted = false;
	else
		trl_err_clear(ctx);
}

static enum trl_code
run(trl_ctx *ctx, struct subscription *sub, struct batch *batch)
{
	const unsigned first = batch->parts[0].lane;
	struct sub_lane *lane = &sub->lanes[first];
	bool deadly = false;
	enum trl_code rc = TRL_OK;

	if (lane->counted) /* of a time before */
		count_back(ctx, sub, first);
	if (batch->alone && lane->careful > 0 && !lane->counted)
		rc = be_careful(ctx, sub, batch, &deadly);
	if (rc == TRL_OK)
		rc = deadly ? give_up(ctx, sub, batch,
				  "processes died while they applied it")
			    : sub_apply_batch(ctx, sub, batch, NULL);
	if (rc != TRL_OK) {
		lane->careful = 0; /* the process lives */
		rc = failed(ctx, sub, batch, rc);
	}
	if (rc == TRL_OK && lane->counted)
		count_back(ctx, sub, first);
	return rc;
}

enum trl_code
sub_apply(trl_ctx *ctx, struct subscription *sub, bool *more)
{
	struct batch batch;
	bool goes_on = true;

	for (pick(sub, &batch); batch.n > 0 && goes_on; pick(sub, &batch)) {
		enum trl_code rc = run(ctx, sub, &batch);

		if (rc != TRL_OK)
			return rc;
		goes_on = trl_time_left_ms(ctx) >= ENOUGH_MS &&
			  trl_arena_used(ctx->arena) < MUCH_BYTES;
	}
	*more |= batch.n > 0;
	return TRL_OK;
}
