/* subscription.h - one subscription of this process: where it is in each lane, and what
 * it does next. Private to bus/events.
 *
 * One actor at a time pulls and applies; while there is nothing to pull, another one
 * waits at the producer for something new. A notice, or the answer to that wait, starts
 * the first again. */
#pragma once

#include "events.h"

enum { SUB_NAME_MAX = 40 };

struct sub_lane {
	uint64_t seq;     /* read and, where wanted, applied */
	uint64_t saved;   /* as the cursor's row has it, as far as is known */
	unsigned careful; /* so many events are counted before they are applied */
	bool counted;     /* that this process tries, in the row of the cursor */
	bool gap;        /* a number is missing: nothing is applied until it is there */
	bool missed;     /* the producer dropped what comes next */
	unsigned singly; /* so many events one by one: a batch of them failed */
	unsigned fails;  /* of the next event, by itself */
	unsigned put_off;  /* so often it was tried and could not be, for now */
	uint64_t until_us; /* not before: it failed, or another process has the lane */
	/* What the running pull fetched. */
	struct trl_event *events;
	const events_row *const *rows;
	size_t n, at; /* at: the next one */
	uint64_t through;
};

struct subscription {
	struct subscription *next;
	struct events *events;
	const struct trl_subscription *spec;
	char name[SUB_NAME_MAX + 1]; /* its cursor's */
	const char *producer;        /* one service */
	bool is_own;                 /* that is this one */
	char **types;                /* spec's, of this producer; NULL: all */
	size_t n_types;
	bool begun, live, loaded; /* it has cursors; past the snapshot; they are read */
	uint32_t epoch;
	struct sub_lane lanes[LANES];
	unsigned first; /* lane that the next Fetch begins with */
	uint64_t hint;  /* what notices told */
	bool pulling, again, watching;
	unsigned fails;     /* of pulls, in a row */
	uint64_t behind_us; /* since when it has not come to the end; 0: it has */
	uint64_t until_us;
	uv_timer_t *timer;
	struct {
		trl_series *applied, *repeated, *parked, *gaps, *lag, *failed, *late;
		trl_series *pull_failures, *parked_now;
	} m;
};

/* ask.c: asks the producer. Errors: faults; a refusal is one. */
enum trl_code sub_ask_heads(trl_ctx *ctx, struct subscription *sub,
    const Events__V1__HeadsRequest *in, Events__V1__HeadsReply **out) TRL_MUST_CHECK;
enum trl_code sub_ask_events(trl_ctx *ctx, struct subscription *sub,
    const Events__V1__FetchRequest *in, Events__V1__FetchReply **out) TRL_MUST_CHECK;
/* Of its facts, or of its audit entries. */
enum trl_code sub_ask_snapshot(trl_ctx *ctx, struct subscription *sub,
    const Events__V1__SnapshotRequest *in,
    Events__V1__SnapshotReply **out) TRL_MUST_CHECK;

/* Pulls soon; if it pulls already, once more after that. */
void sub_pull(struct subscription *sub);
/* The same, not before until_us. */
void sub_pull_at(struct subscription *sub, uint64_t until_us);

/* begin.c: makes the cursors, reads the snapshot, loads the cursors. *ready: it is live
 * and loaded. */
enum trl_code sub_begin(
    trl_ctx *ctx, struct subscription *sub, bool *ready) TRL_MUST_CHECK;
enum trl_code sub_load(trl_ctx *ctx, struct subscription *sub) TRL_MUST_CHECK;
/* The producer's numbers may have begun anew. */
enum trl_code sub_new_epoch(
    trl_ctx *ctx, struct subscription *sub, uint32_t epoch) TRL_MUST_CHECK;
/* Calls of the producer. */
enum trl_code sub_heads(trl_ctx *ctx, struct subscription *sub, int64_t before_us,
    Events__V1__HeadsReply **out) TRL_MUST_CHECK;

/* turns.c: applies what the lanes hold, or as much as time and memory are for; *more is
 * set where some is left. Errors: of the database; a handler's failures are the lane's
 * affair. */
enum trl_code sub_apply(
    trl_ctx *ctx, struct subscription *sub, bool *more) TRL_MUST_CHECK;

/* hand_over.c: a transaction in which events are applied, and the memory of what
 * handlers write in it. */
struct sub_work {
	trl_tx *tx;
	trl_arena *arena;
};
enum trl_code sub_work_begin(
    trl_ctx *ctx, struct subscription *sub, struct sub_work *out) TRL_MUST_CHECK;
/* Rolls back what was not committed. */
void sub_work_end(struct sub_work *work);
/* Runs the handler over events of one tenant each. */
enum trl_code sub_hand_over(trl_ctx *ctx, struct subscription *sub,
    struct sub_work *work, struct trl_event *events, size_t n) TRL_MUST_CHECK;

/* late.c: whether an event is left out because its tenant is erased here. */
bool sub_is_late(const struct trl_event *event, bool erased);
/* Takes those out of *n events, whose tenants are looked up in the transaction. */
enum trl_code sub_leave_out_late(trl_ctx *ctx, struct subscription *sub,
    struct sub_work *work, struct trl_event *events, size_t *n) TRL_MUST_CHECK;

/* dead_letter.c: the event stands aside. */
void sub_dead_letter(trl_ctx *ctx, struct subscription *sub, trl_tx *tx,
    const events_row *row, const char *error);

/* subscription.c. Where spec names every teller, each becomes a subscription. */
void sub_open_all(struct events *events, const struct trl_subscription *spec,
    const char *const *tellers);
void sub_start(struct subscription *sub);
/* This service told something, which its subscriptions to itself hear. */
void sub_hear_own(struct events *events);
void sub_close_all(struct events *events);
struct subscription *sub_find(const struct events *events, const char *name);
