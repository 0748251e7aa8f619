/* look.c - one plain SELECT a second of the heads in the table: it shows what other
 * replicas numbered, and rows that nobody numbered because a process died between the
 * commit and its sequencer. It locks and writes nothing while nothing happens. */
#include "events.h"

#include <stdlib.h>

#include <trl/log.h>
#include <trl/loop_uv.h>
#include <trl/value.h>

#include "framework_sql.h"

enum { PROGRESS_POLLS = 30, LATE_S = 30 };

static enum trl_code
make_heads(trl_ctx *ctx, struct events *events)
{
	trl_batch *batch = trl_batch_new(ctx, events->sys, (struct trl_scope){ 0 });

	trl_batch_add(batch, &trl_sql_event_heads_make, NULL);
	return trl_batch_write_unrecorded(batch);
}

/* Lanes where rows wait, and for how long the oldest has. */
static uint32_t
waiting(struct events *events, const Trellis__Bus__HeadRows *all)
{
	int64_t oldest = 0;
	uint32_t lanes = 0;

	for (size_t i = 0; i < all->n_rows; i++) {
		int64_t at = trl_value_time_us(all->rows[i]->oldest_at);

		if (!all->rows[i]->oldest_at)
			continue;
		lanes |= 1u << all->rows[i]->lane % LANES;
		if (!oldest || at < oldest)
			oldest = at;
	}
	events->oldest_s = oldest ? (double)(trl_wall_us() - oldest) / 1e6 : 0;
	trl_series_set(events->m.oldest, events->oldest_s);
	if (events->oldest_s > LATE_S && events->polls % PROGRESS_POLLS == 1)
		trl_log(TRL_LOG_WARN, NULL, "events wait for their numbers",
		    TRL_LOG_STR("service", events->service),
		    TRL_LOG_INT("seconds", events->oldest_s));
	return lanes;
}

enum trl_code
events_heads_read(trl_ctx *ctx, struct events *events)
{
	Trellis__Bus__HeadRows all = TRELLIS__BUS__HEAD_ROWS__INIT;
	enum trl_code rc = TRL_OK;

	for (int i = 0; rc == TRL_OK && i < 2 && all.n_rows < LANES; i++) {
		trl_batch *batch =
		    trl_batch_new(ctx, events->sys, (struct trl_scope){ 0 });

		if (i > 0)
			rc = make_heads(ctx, events);
		trl_batch_get(batch, &trl_sql_event_heads, NULL, &all.base);
		if (rc == TRL_OK)
			rc = trl_batch_read(batch);
	}
	if (rc != TRL_OK)
		return rc;
	events->has_heads = true;
	events_heads_take(
	    events, (const Trellis__Bus__HeadRow *const *)all.rows, all.n_rows);
	uint32_t lanes = waiting(events, &all);
	if (lanes)
		events_sequence(events, lanes);
	return TRL_OK;
}

static void
look(trl_ctx *ctx, void *arg)
{
	struct events *events = arg;

	ctx->service = events->service;
	if (events_heads_read(ctx, events) != TRL_OK ||
	    (events->polls % PROGRESS_POLLS == 0 &&
		events_progress_write(ctx, events) != TRL_OK) ||
	    (events->polls % PROGRESS_POLLS == 1 &&
		events_show_parked(ctx, events) != TRL_OK))
		trl_err_clear(ctx); /* PostgreSQL is away; that shows elsewhere */
	events->looking = false;
	events_ends(events);
}

static void
on_poll(uv_timer_t *timer)
{
	struct events *events = timer->data;

	if (events->looking)
		return;
	events->polls++;
	events->looking =
	    events_spawn(events, "looking for events", look, events, 2000);
}

void
events_look_open(struct events *events)
{
	events->epoch = 1;
	for (size_t i = 0; i < LANES; i++)
		events->lanes[i].first = 1;
	events->poll = events_timer(events, events);
	events->notice = events_timer(events, events);
	uv_timer_start(events->poll, on_poll, 0, POLL_MS);
}

void
events_look_close(struct events *events)
{
	events_timer_close(&events->poll);
	events_timer_close(&events->notice);
	while (events->progress) {
		struct events_progress *p = events->progress;

		events->progress = p->next;
		free(p);
	}
}
