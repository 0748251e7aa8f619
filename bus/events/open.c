/* open.c - a service's end of events: opening, starting, draining. */
#include "subscription.h"

#include <stdlib.h>
#include <string.h>

#include "framework_sql.h"

enum { RETRY_MS = 100 };

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
		.retry_ms = options->retry_ms ? options->retry_ms : RETRY_MS,
		.on_numbers = sub_hear_own,
		.snapshot = options->snapshot,
		.audit = options->audit,
		.audit_page =
		    options->audit_page ? options->audit_page : &trl_sql_audit_page };
	open_metrics(events);
	for (size_t i = 0; options->subscriptions && options->subscriptions[i]; i++)
		sub_open_all(events, options->subscriptions[i], options->tellers);
	return events;
}

void
trl_events_start(trl_events *events, void *self)
{
	static const struct trl_contract *const contracts[] = { &events_v1_server,
		NULL };

	events->self = self;
	if (events->tells) {
		events_look_open(events);
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
		events_look_close(events);
	}
	sub_close_all(events);
	free(events);
}
