/* open.c - a service's end of events: opening, starting, draining. */
#include "subscription.h"

#include <stdlib.h>
#include <string.h>

#include <trl/loop_uv.h>

#include "framework_sql.h"

/* ---- actors and timers */

bool
events_spawn(struct events *events, const char *name,
    void (*run)(trl_ctx *ctx, void *arg), void *arg, uint32_t timeout_ms)
{
	struct trl_spawn spec = {
		.name = name, .run = run, .arg = arg, .timeout_ms = timeout_ms
	};

	if (trl_spawn(events->loop, &spec) != TRL_OK)
		return false;
	events->running++;
	return true;
}

void
events_ends(struct events *events)
{
	events->running--;
}

uv_timer_t *
events_timer(struct events *events, void *data)
{
	uv_timer_t *timer = calloc(1, sizeof *timer);

	trl_assert(timer != NULL);
	trl_assert(uv_timer_init(trl_loop_uv(events->loop), timer) == 0);
	timer->data = data;
	return timer;
}

static void
on_closed(uv_handle_t *handle)
{
	free(handle);
}

void
events_timer_close(uv_timer_t **pointer)
{
	uv_timer_t *timer = TRL_TAKE(*pointer);

	if (!timer)
		return;
	uv_timer_stop(timer);
	uv_close((uv_handle_t *)timer, on_closed);
}

/* ---- the life of an end */

static void
open_metrics(struct events *events)
{
	trl_metric *m = trl_counter_new("trellis_events_sequenced_total",
	    "Events that were given their number here", "service", NULL);

	events->m.sequenced = trl_series_at(m, events->service);
	m = trl_counter_new("trellis_events_served_total",
	    "Events served to subscribers", "service", NULL);
	events->m.fetched = trl_series_at(m, events->service);
	m = trl_gauge_new("trellis_events_unsequenced_age_seconds",
	    "How long the oldest event waits for its number", "service", NULL);
	events->m.oldest = trl_series_at(m, events->service);
	m = trl_counter_new("trellis_events_notices_total",
	    "Notices that there are new events", "service", NULL);
	events->m.notices = trl_series_at(m, events->service);
}

trl_events *
trl_events_open(const struct trl_events_options *options)
{
	struct events *events = calloc(1, sizeof *events);

	trl_assert(events != NULL && options->sys != NULL);
	*events = (struct events){ .loop = options->loop,
		.bus = options->bus,
		.pg = options->pg,
		.sys = options->sys,
		.service = options->service,
		.tells = options->tells,
		.snapshot = options->snapshot,
		.audit = options->audit,
		.audit_page =
		    options->audit_page ? options->audit_page : &trl_sql_audit_page };
	open_metrics(events);
	for (size_t i = 0; options->subscriptions && options->subscriptions[i]; i++)
		sub_open(events, options->subscriptions[i]);
	return events;
}

void
trl_events_start(trl_events *events, void *self)
{
	static const struct trl_contract *const contracts[] = { &events_v1_server,
		NULL };

	events->self = self;
	if (events->tells) {
		events_heads_open(events);
		if (events->pg)
			trl_pg_on_news(
			    events->pg, TRL_PG_EVENTS, events_sequence, events);
		trl_pg_on_news(events->sys, TRL_PG_EVENTS, events_sequence, events);
		trl_bus_serve_also(events->bus, contracts, events);
	}
	for (struct subscription *sub = events->subscriptions; sub; sub = sub->next)
		sub_start(sub);
}

void
trl_events_drain(trl_events *events)
{
	events->draining = true;
	events_wake_all(events);
}

bool
trl_events_drained(const trl_events *events)
{
	for (const struct subscription *sub = events->subscriptions; sub;
	     sub = sub->next)
		if (sub->pulling)
			return false;
	return true;
}

void
trl_events_close(trl_events **pointer)
{
	struct events *events = TRL_TAKE(*pointer);

	if (!events)
		return;
	trl_assert(events->running == 0);
	if (events->tells) {
		if (events->pg)
			trl_pg_on_news(events->pg, TRL_PG_EVENTS, NULL, NULL);
		trl_pg_on_news(events->sys, TRL_PG_EVENTS, NULL, NULL);
		events_heads_close(events);
	}
	sub_close_all(events);
	free(events);
}
