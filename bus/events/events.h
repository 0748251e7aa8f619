/* events.h - one service's end of events: its log with the heads of the lanes in
 * memory, and its subscriptions. Private to bus/events; all of it on the loop. */
#pragma once

#include <uv.h>

#include <trl/event.h>
#include <trl/events_open.h>
#include <trl/metrics.h>

#include "event_rows.pb-c.h"
#include "events_v1.server.h"

typedef Events__V1__Event events_row; /* as it is read, and as it travels */

enum {
	LANES = TRL_EVENT_LANES,
	POLL_MS = 1000,  /* between plain looks at the heads */
	NOTICE_MS = 5,   /* at least between notices */
	MOVE_MAX = 1000, /* events numbered in one transaction */
	FETCH_MAX = 500,
	FETCH_BYTES = 384 * 1024,
	APPLY_MAX = 200 /* events applied in one transaction */
};

/* A Fetch that waits for something new. */
struct events_waiter {
	struct events_waiter *next, **at; /* at: NULL when it is not in the list */
	struct trl_ticket ticket;
};

struct events_lane {
	uint64_t head, first;
};

/* How far a subscriber of another service is, as it said last; written now and then. */
struct events_progress {
	struct events_progress *next;
	char service[48], subscription[48];
	uint64_t seq[LANES], written[LANES];
	bool known[LANES], fresh[LANES];
};

struct events {
	trl_loop *loop;
	trl_bus *bus;
	trl_pg *pg, *sys;
	const char *service;
	void *self;
	bool tells, draining;
	uint32_t retry_ms;
	/* There are new numbers, which its subscriptions to itself hear of so. */
	void (*on_numbers)(struct events *events);
	unsigned running; /* actors of this end */
	trl_snapshot_fn *snapshot;
	const struct trl_event_type *audit; /* NULL: it tells no audit entries */
	const struct trl_sql *audit_page;

	/* The log. */
	bool has_heads;
	struct events_lane lanes[LANES];
	uint32_t epoch;
	uint64_t total; /* of all heads */
	struct events_waiter *waiters;
	uint32_t unsequenced; /* lanes where rows wait for numbers */
	bool sequencing, looking, notifying, notify_again;
	uint64_t move_at_us; /* the next move; monotonic */
	unsigned polls;
	uv_timer_t *poll, *notice;
	double oldest_s; /* how long the oldest row waits */
	struct events_progress *progress;

	struct subscription *subscriptions;
	struct {
		trl_series *sequenced, *fetched, *notices, *oldest;
	} m;
};

/* parked.c: shows how many events of each subscription are parked. */
enum trl_code events_show_parked(trl_ctx *ctx, struct events *events) TRL_MUST_CHECK;

/* actors.c: starts an actor of this end; false: there is no room, or it drains. */
bool events_spawn(struct events *events, const char *name,
    void (*run)(trl_ctx *ctx, void *arg), void *arg, uint32_t timeout_ms);
/* Its last act. */
void events_ends(struct events *events);
/* A timer on the heap, for uv_close outlives its owner. */
uv_timer_t *events_timer(struct events *events, void *data);
void events_timer_close(uv_timer_t **timer);

/* heads.c: takes what was read or moved, and wakes whoever waits. */
void events_heads_take(
    struct events *events, const Trellis__Bus__HeadRow *const *rows, size_t n);
void events_wake_all(struct events *events);

/* look.c: looks at the heads from now on. */
void events_look_open(struct events *events);
void events_look_close(struct events *events);
/* Reads the heads, at most once at a time. */
enum trl_code events_heads_read(trl_ctx *ctx, struct events *events) TRL_MUST_CHECK;

/* sequencer.c: numbers what waits in these lanes; from trl_pg_on_news. */
void events_sequence(void *events, uint32_t lanes);
/* Tells that there is something new; at most once in NOTICE_MS. */
void events_notify(struct events *events);

/* progress.c: what a subscriber said of itself; written when it is due. */
void events_progress_note(
    struct events *events, const char *service, const Events__V1__FetchRequest *in);
enum trl_code events_progress_write(trl_ctx *ctx, struct events *events) TRL_MUST_CHECK;

void events_progress_forget(
    struct events *events, const char *service, const char *subscription);

/* row.c: an event as it is stored, as handlers see it. In ctx's arena.
 * Errors: TRL_INTERNAL: its payload cannot be decoded. */
enum trl_code events_of_row(
    trl_ctx *ctx, const events_row *row, struct trl_event *out) TRL_MUST_CHECK;

/* Numbers in the arena, as arguments of a statement. */
int64_t *events_ints(trl_ctx *ctx, size_t n);
