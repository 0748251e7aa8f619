/* runtime.h - the loop and its actors from inside, for the files of this folder.
 * One thread owns all of it but the posts. */
#pragma once

#include <uv.h>

#include <trl/actor.h>
#include <trl/metrics.h>

#include "context.h"

enum trl_state { TRL_IDLE, TRL_READY, TRL_RUNNING, TRL_PARKED };
enum trl_outcome { TRL_WOKEN, TRL_TIMED_OUT, TRL_CANCELLED };

static const uint64_t trl_never = UINT64_MAX;

struct trl_actor {
	trl_ctx ctx;
	trl_loop *loop;
	const char *name;
	void (*run)(trl_ctx *ctx, void *arg);
	void *arg;
	uint64_t started_us, parked_us;

	enum trl_state state;
	enum trl_outcome outcome; /* of the last park */
	uint64_t serial;          /* of the living ticket, 0: none */
	bool woken;               /* the living ticket was used */
	bool deaf;                /* parked where neither time nor cancel count */
	const char *what;         /* it is parked on */
	uint64_t wake_at;         /* its place in the heap, trl_never: none */
	size_t heap_at;

	struct trl_actor *next; /* ready, or idle */
	struct trl_actor *prev_alive, *next_alive;
	struct trl_actor *next_made; /* all there ever were */

	struct trl_context context;
	uint8_t *stack;  /* NULL until first used */
	unsigned n_keys; /* it holds: key.c */
	bool warm;       /* the stack and the arena hold memory */
	bool finished;
	void *fake_stack; /* AddressSanitizer's */
};

struct trl_hook {
	void (*fn)(void *self);
	void *self;
};

struct trl_post;
struct trl_key;

enum { TRL_KEY_SLOTS = 1024, TRL_HOOKS_MAX = 32 };

struct trl_loop {
	uv_loop_t uv;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t spin; /* active while polling must not block: work is left, or more is
			   looked for */
	uint64_t rests_us; /* since when there was nothing to run; 0: there is */
	bool may_spin;     /* there is another processor that work comes from */
	uint32_t spin_us;  /* for so long it looks for more before it sleeps */
	uv_timer_t timer;  /* at the head of the heap */
	uv_timer_t trim;   /* once after a rush */
	bool was_rush;     /* the heap is given back when it is over */
	const uint8_t *heap_start; /* where it ended when the loop was made */
	uv_timer_t patience;       /* of trl_loop_run_until */
	uv_async_t async;
	uv_signal_t usr1;
	struct trl_loop_options options;

	uint64_t now_us;
	bool now_valid;
	uint64_t clock_us; /* the last reading, for the watchdog */
	uint64_t armed_us; /* when timer fires, trl_never: it does not */
	uint64_t longest_us;
	const char *longest_name;

	struct trl_actor *current;
	struct trl_actor *ready, **ready_last;
	struct trl_actor *idle; /* latest first */
	size_t n_idle, least_idle;
	struct trl_actor *alive, *made;
	size_t n_alive;
	uint64_t serial;
	struct trl_actor **heap;
	size_t n_heap, heap_cap;

	struct trl_hook hooks[TRL_HOOKS_MAX];
	size_t n_hooks;
	struct trl_key *keys[TRL_KEY_SLOTS];

	uv_mutex_t post_lock;
	struct trl_post *posts, **posts_last;

	bool (*done)(void *self); /* of trl_loop_run_until */
	void *done_self;
	bool out_of_patience;

	struct trl_context home;
	void *home_fake;
	const void *home_stack;
	size_t home_bytes;

	trl_series *turn_seconds, *slow_turns, *refused;
};

static inline bool
trl_ticket_lives(struct trl_ticket ticket)
{
	return ticket.serial != 0 && ticket.actor->serial == ticket.serial &&
	       !ticket.actor->woken;
}

/* actor.c */
void trl_actor_ready(struct trl_actor *actor);
/* From the loop into the actor, until it parks or ends. */
void trl_actor_resume(struct trl_actor *actor);
/* From the actor back to the loop. */
void trl_actor_leave(struct trl_actor *actor);
const char *trl_actor_name(const struct trl_actor *actor);
void trl_actors_free(trl_loop *loop);

/* heap.c: places actor at its time, or takes it out (trl_never). */
void trl_heap_set(trl_loop *loop, struct trl_actor *actor, uint64_t at);

/* loop.c: for how long to look for more, after a wait that took so long. */
uint32_t trl_spin_next(uint32_t spin_us, uint64_t waited_us);

/* park.c */
void trl_expire(trl_loop *loop);
/* TRL_DEADLINE where a park would fail at once. */
enum trl_code trl_park_possible(trl_ctx *ctx, const char *what) TRL_MUST_CHECK;
/* Waits for the ticket whatever the deadline says; the waker is sure to come. */
void trl_park_surely(trl_ctx *ctx, struct trl_ticket ticket, const char *what);

/* post.c */
void trl_post_init(trl_loop *loop);
void trl_post_fini(trl_loop *loop);

/* watch.c */
void trl_watch_init(trl_loop *loop);
void trl_watch_fini(trl_loop *loop);
/* At the end of a turn. */
void trl_watch_turn(trl_loop *loop);
