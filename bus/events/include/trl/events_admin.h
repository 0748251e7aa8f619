/* events_admin.h - what the operator sees and does of a service's events. In an actor,
 * by the operator's contract only. Results lie in ctx's arena. */
#pragma once

#include <trl/events_open.h>

/* The names of this service's subscriptions (of every teller one each), NULL-ended. */
const char *const *trl_events_names(trl_ctx *ctx, const trl_events *events);

/* One lane of a subscription of this service. */
struct trl_events_lag {
	const char *subscription, *producer;
	unsigned lane;
	bool live; /* past its snapshot */
	uint32_t epoch;
	uint64_t cursor, head; /* head: the producer's */
	uint64_t parked;
	int64_t
	    oldest_at_us; /* of what is parked, or waits to be applied; 0: nothing */
};
/* Asks the producers for their heads. Errors: TRL_UNAVAILABLE and other faults. */
enum trl_code trl_events_lag(trl_ctx *ctx, trl_events *events,
    struct trl_events_lag **out, size_t *n) TRL_MUST_CHECK;

/* How far a subscriber of another service says it is in this one's log. */
struct trl_events_subscriber {
	const char *service, *subscription;
	unsigned lane;
	uint64_t acknowledged, head;
};
enum trl_code trl_events_subscribers(trl_ctx *ctx, trl_events *events,
    struct trl_events_subscriber **out, size_t *n) TRL_MUST_CHECK;
/* It is no more; its place holds back nothing that retention would drop. */
enum trl_code trl_events_forget(trl_ctx *ctx, trl_events *events, const char *service,
    const char *subscription) TRL_MUST_CHECK;

/* An event that could not be applied. The operator's command and the table say that it
 * is parked. */
struct trl_dead_letter {
	const char *subscription, *error;
	int64_t parked_at_us;
	struct trl_event event;
};
/* Those of one subscription (NULL: of all), by id, after one (nil: all). */
enum trl_code trl_events_dead_letters(trl_ctx *ctx, trl_events *events,
    const char *subscription, struct trl_id after, size_t limit,
    struct trl_dead_letter **out, size_t *n) TRL_MUST_CHECK;
/* Applies a dead letter again, and then those that wait behind it, in order, until
 * one fails. event nil: every subject's. *applied counts.
 * Errors: TRL_NOT_FOUND (subscription, event), TRL_CONFLICT (an earlier event of its
 * subject is a dead letter), and what the handler says of a named event. */
enum trl_code trl_events_redrive(trl_ctx *ctx, trl_events *events,
    const char *subscription, struct trl_id event, size_t *applied) TRL_MUST_CHECK;
/* Leaves a dead letter out for good, and applies those that wait behind it.
 * Errors: TRL_NOT_FOUND, TRL_CONFLICT. */
enum trl_code trl_events_skip(trl_ctx *ctx, trl_events *events,
    const char *subscription, struct trl_id event, size_t *applied) TRL_MUST_CHECK;

struct trl_events_replay {
	const char *subscription;
	int lane;         /* -1: all */
	uint64_t seq;     /* from this number on; 0: from the oldest that is kept */
	int64_t since_us; /* or, where it is not 0, from this moment on */
	bool again;       /* also what was applied, whatever the inbox knows */
};
/* Sets cursors. What the inbox knows is passed over, unless again.
 * Errors: TRL_NOT_FOUND, TRL_INVALID (lane; a number that is not kept or not given). */
enum trl_code trl_events_replay(trl_ctx *ctx, trl_events *events,
    const struct trl_events_replay *terms) TRL_MUST_CHECK;

/* The log of this service: up to limit events of a lane after a number. */
enum trl_code trl_events_tail(trl_ctx *ctx, trl_events *events, unsigned lane,
    uint64_t after, size_t limit, struct trl_event **out, size_t *n) TRL_MUST_CHECK;
/* The last number of each lane, TRL_EVENT_LANES of them, and the epoch. */
enum trl_code trl_events_heads(
    trl_ctx *ctx, trl_events *events, uint64_t *heads, uint32_t *epoch) TRL_MUST_CHECK;
/* After a restore of this service's database: subscribers read again with overlap. */
enum trl_code trl_events_new_epoch(trl_ctx *ctx, trl_events *events) TRL_MUST_CHECK;
