/* events_open.h - making a service's end of events: for the skeleton (service.c), tests
 * and the bench. Start-up and loop thread; nothing here parks. */
#pragma once

#include <trl/bus_open.h>
#include <trl/events.h>
#include <trl/pg.h>

/* What a service tells, and what it subscribes to. */
typedef struct events trl_events;

struct trl_events_options {
	trl_loop *loop;
	trl_bus *bus;
	trl_pg *pg;                /* under _app: where its facts are written */
	trl_pg *sys;               /* under _sys */
	const char *service;       /* its name */
	bool tells;                /* has an outbox: sequences it and serves the log */
	trl_snapshot_fn *snapshot; /* or NULL */
	const struct trl_event_type *audit; /* its audit entries' (pg.h); or NULL */
	const struct trl_sql *audit_page;   /* service.h; or NULL */
	const struct trl_subscription *const *subscriptions; /* NULL-ended, or NULL */
	/* Those that TRL_EVERY_TELLER stands for, NULL-ended; itself is left out. They
	 * stay. Or NULL: none. */
	const char *const *tellers;
	uint32_t retry_ms; /* 0: 100; when what failed is tried again, at first */
};

trl_events *trl_events_open(const struct trl_events_options *options);
/* Before trl_bus_serve: serves the log, and begins. self is the service's state. */
void trl_events_start(trl_events *events, void *self);
/* Nothing new is begun; what runs comes to its end. */
void trl_events_drain(trl_events *events);
bool trl_events_drained(const trl_events *events);
/* Only once it is drained. */
void trl_events_close(trl_events **events);
