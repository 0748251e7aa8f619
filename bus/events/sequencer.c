/* sequencer.c - numbers what was told, right after its commit. Commits of one turn of
 * the loop, and those that come while a move is under way, share the next one: cost
 * falls as load rises. After a move of several the next one waits a moment, so that a
 * flood is numbered, fetched and applied fifty times a second, and not hundreds of
 * times in handfuls; one that comes when it is quiet waits for nobody. Several replicas
 * may try: the head's row lock lets one through, and one that was passed over tries
 * again in a moment, because the other's snapshot may be older than its own commit. */
#include "events.h"

#include <endian.h>
#include <string.h>

#include <trl/log.h>

#include "framework_sql.h"

enum {
	TRIES = 4,
	AGAIN_MS = 2,
	RUN_MS = 5000,
	ENOUGH_MS = 1500,
	PAUSE_US = 2000, /* after a move, for each event of it */
	PAUSE_MAX_US = 20000
};

static void
notify(struct events *events)
{
	char topic[41];
	struct trl_id total = trl_id_nil;
	uint64_t sum = htobe64(events->total);

	snprintf(topic, sizeof topic, "%s.events", events->service);
	memcpy(total.bytes + 8, &sum, sizeof sum);
	trl_bus_notify(events->bus, topic, trl_id_nil, total);
	events->on_numbers(events);
	trl_series_add(events->m.notices, 1);
}

static void
on_notice(uv_timer_t *timer)
{
	struct events *events = timer->data;

	events->notifying = false;
	if (!events->notify_again)
		return;
	events->notify_again = false;
	events_notify(events);
}

void
events_notify(struct events *events)
{
	if (events->notifying) {
		events->notify_again = true;
		return;
	}
	notify(events);
	events->notifying = true;
	uv_timer_start(events->notice, on_notice, NOTICE_MS, 0);
}

/* One move. *missed: lanes that another process has; *more: where there is more. */
static enum trl_code
move(trl_ctx *ctx, struct events *events, uint32_t lanes, uint32_t *missed,
    uint32_t *more)
{
	trl_batch *batch = trl_batch_new(ctx, events->sys, (struct trl_scope){ 0 });
	Trellis__Bus__HeadRows moved = TRELLIS__BUS__HEAD_ROWS__INIT;
	int64_t *list = events_ints(ctx, LANES);
	size_t n = 0, total = 0, most;
	enum trl_code rc;

	for (unsigned i = 0; i < LANES; i++)
		if (lanes >> i & 1)
			list[n++] = i;
	most = MOVE_MAX / n;
	trl_batch_add(batch, &trl_sql_plan_by_index, NULL);
	trl_batch_get(batch, &trl_sql_event_move, NULL, &moved.base,
	    TRL_ARG_INTS("lanes", list, n), TRL_ARG_INT("most", (int64_t)most));
	rc = trl_batch_write_unrecorded(batch);
	if (rc != TRL_OK)
		return rc;
	*missed = lanes;
	*more = 0;
	for (size_t i = 0; i < moved.n_rows; i++) {
		const Trellis__Bus__HeadRow *row = moved.rows[i];

		*missed &= ~(1u << row->lane);
		if (row->moved >= most)
			*more |= 1u << row->lane;
		total += row->moved;
	}
	trl_series_add(events->m.sequenced, (double)total);
	events->move_at_us =
	    *more || total < 2
		? 0
		: trl_mono_us() + (total * PAUSE_US < PAUSE_MAX_US ? total * PAUSE_US
								   : PAUSE_MAX_US);
	events_heads_take(
	    events, (const Trellis__Bus__HeadRow *const *)moved.rows, moved.n_rows);
	if (total > 0)
		events_notify(events);
	return TRL_OK;
}

static enum trl_code
pause_a_moment(trl_ctx *ctx, const struct events *events)
{
	uint64_t now = trl_mono_us();

	if (events->move_at_us <= now || events->draining)
		return TRL_OK;
	return trl_sleep(ctx, (uint32_t)((events->move_at_us - now + 999) / 1000));
}

static void
run(trl_ctx *ctx, void *arg)
{
	struct events *events = arg;
	unsigned tries = 0;

	ctx->service = events->service;
	while (events->unsequenced && trl_time_left_ms(ctx) > ENOUGH_MS) {
		uint32_t lanes, missed = 0, more = 0;

		if (pause_a_moment(ctx, events) != TRL_OK)
			break;
		lanes = events->unsequenced;
		events->unsequenced = 0;
		if (move(ctx, events, lanes, &missed, &more) != TRL_OK) {
			trl_err_clear(ctx); /* the next look finds what is left */
			break;
		}
		trl_arena_reset(ctx->arena); /* there may be thousands of moves */
		events->unsequenced |= more;
		if (!missed) {
			tries = 0;
		} else if (++tries <= TRIES) {
			if (trl_sleep(ctx, AGAIN_MS << tries) != TRL_OK)
				break;
			events->unsequenced |= missed;
		}
	}
	trl_err_clear(ctx);
	events->sequencing = false;
	events_ends(events);
	if (events->unsequenced)
		events_sequence(events, events->unsequenced);
}

void
events_sequence(void *self, uint32_t lanes)
{
	struct events *events = self;

	events->unsequenced |= lanes;
	if (!events->sequencing)
		events->sequencing =
		    events_spawn(events, "numbering events", run, events, RUN_MS);
}
