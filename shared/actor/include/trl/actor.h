/* actor.h - coroutines over one libuv loop: each message is handled in straight
 * line by an actor that parks instead of blocking.
 *
 * An actor is a pooled stack (64 KiB and a guard page), an arena and a ctx. It
 * runs on the loop's thread; anything that takes ctx may park it. A parked
 * actor is woken exactly once: by the answer, by its deadline or by
 * cancellation; the loser of that race finds its ticket dead.
 *
 * One turn of the loop: completions arrive and wake actors; all that are ready
 * run; then the flush hooks send what they gathered (one write a peer, a
 * connection, a pipeline). So work of one turn shares its system calls. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/buf.h>
#include <trl/ctx.h>

typedef struct trl_loop trl_loop;
typedef struct trl_actor trl_actor;

struct trl_loop_options {
	size_t max_actors;    /* default 4,096 */
	size_t stack_bytes;   /* default 64 KiB, 256 KiB under ASan */
	size_t arena_bytes;   /* the limit of an actor's arena, default 16 MiB */
	uint32_t watchdog_ms; /* a longer turn is logged with its actor; default 50 */
};

/* Start-up only. options may be NULL. */
trl_loop *trl_loop_new(const struct trl_loop_options *options);
/* After trl_loop_run returned. Actors still parked are an assertion. */
void trl_loop_free(trl_loop **loop);
/* Runs until trl_loop_stop, on this thread. SIGUSR1 dumps the actors to the log. */
void trl_loop_run(trl_loop *loop);
/* Loop thread: ends trl_loop_run after this turn. */
void trl_loop_stop(trl_loop *loop);
/* Loop thread: runs turns until done(self) or timeout_ms; for tests and drains.
 * Returns what done said last. */
bool trl_loop_run_until(
    trl_loop *loop, bool (*done)(void *self), void *self, uint32_t timeout_ms);
/* Any thread: has fn(arg) run on the loop's thread soon. Bounded by its users. */
void trl_loop_post(trl_loop *loop, void (*fn)(void *arg), void *arg);
/* Start-up: fn runs at the end of each turn in which an actor or a completion
 * ran, in the order of registration. */
void trl_loop_on_flush(trl_loop *loop, void (*fn)(void *self), void *self);
void trl_loop_off_flush(trl_loop *loop, void *self);
/* How many actors there may be at once. */
size_t trl_loop_max_actors(const trl_loop *loop);
/* Monotonic microseconds as of this turn's start; cheap. */
uint64_t trl_loop_now_us(const trl_loop *loop);

/* Actors. */

struct trl_spawn {
	const char *name; /* static: shown in dumps until ctx->method is set */
	void (*run)(trl_ctx *ctx, void *arg);
	void *arg;
	uint32_t timeout_ms; /* 0: 5,000 */
};

/* Starts an actor in this turn, not at once. Loop thread.
 * Errors: TRL_BUSY when max_actors are alive (nothing was started). */
enum trl_code trl_spawn(trl_loop *loop, const struct trl_spawn *spec) TRL_MUST_CHECK;
/* Like trl_spawn, and gives the actor for trl_cancel; valid until run returns. */
enum trl_code trl_spawn_get(
    trl_loop *loop, const struct trl_spawn *spec, trl_actor **out) TRL_MUST_CHECK;
/* The caller has gone: parks fail with TRL_DEADLINE from now on, the one in
 * progress too. Loop thread, never on itself. */
void trl_cancel(trl_actor *actor);
/* Changes the deadline of the running actor (dispatch loops only). */
void trl_set_deadline(trl_ctx *ctx, uint64_t deadline_us);
size_t trl_actors_alive(const trl_loop *loop);
/* What an actor is doing; the texts live as long as the call that shows it. */
struct trl_actor_state {
	const char *name; /* its method's, else its own */
	enum { TRL_ACTOR_READY, TRL_ACTOR_RUNNING, TRL_ACTOR_PARKED } state;
	uint64_t age_ms;
	const char *parked_on; /* NULL: it is not */
	uint64_t parked_ms;
	struct trl_id tenant; /* nil: none */
};
/* Loop thread: calls fn for each actor that is alive, the youngest first. */
void trl_actors_each(trl_loop *loop,
    void (*fn)(void *self, const struct trl_actor_state *actor), void *self);
/* One line an actor: name or method, age, what it is parked on. */
void trl_actors_dump(trl_loop *loop, struct trl_buf *out);

/* Parking. */

/* A right to wake one actor once. Copies are free; a dead one does nothing, so
 * a completion that comes late is harmless. */
struct trl_ticket {
	trl_actor *actor;
	uint64_t serial;
};

/* Before starting the operation: the ticket its completion will wake. */
struct trl_ticket trl_park_begin(trl_ctx *ctx);
/* Waits until the ticket is woken (also before this call), the deadline or
 * cancellation. what is static text for dumps ("sql", "bus tenants").
 * Errors: TRL_DEADLINE: the operation is still out there; detach it from this
 * stack's memory before returning. The error of ctx is written. */
enum trl_code trl_park(
    trl_ctx *ctx, struct trl_ticket ticket, const char *what) TRL_MUST_CHECK;
/* The same, for at most timeout_ms of the deadline; TRL_DEADLINE with no error
 * written when only that passed. */
enum trl_code trl_park_for(trl_ctx *ctx, struct trl_ticket ticket, const char *what,
    uint32_t timeout_ms) TRL_MUST_CHECK;
/* Loop thread. False: nobody waits any more. */
bool trl_wake(struct trl_ticket ticket);

/* Goes on behind all that are ready now, in this turn: for gathering what others of
 * the turn want as well. Costs nothing where nobody else is ready. */
void trl_yield(trl_ctx *ctx);

/* Errors: TRL_DEADLINE when ms do not fit (after waiting what does). */
enum trl_code trl_sleep(trl_ctx *ctx, uint32_t ms) TRL_MUST_CHECK;

/* One at a time. */

/* Enters the section of key in this process; others of that key wait in order.
 * It spares contention only: across replicas row locks are what counts.
 * The key is copied (up to 64 bytes). Errors: TRL_DEADLINE, TRL_BUSY (256 wait). */
enum trl_code trl_key_enter(trl_ctx *ctx, const void *key, size_t len) TRL_MUST_CHECK;
void trl_key_leave(trl_ctx *ctx, const void *key, size_t len);
/* Whether this actor is inside of one. Then it must not wait for another process: all
 * others of the key would wait with it (the bus asserts that). */
bool trl_key_held(const trl_ctx *ctx);

/* Work that computes or blocks. */

/* A kind of offloaded work with slots and a queue of its own. Static storage,
 * registered once by trl_offload_init. */
struct trl_offload {
	const char *name; /* for metrics: "argon2" */
	unsigned slots;   /* at once */
	unsigned queue;   /* waiting, beyond that BUSY */
	uint32_t retry_after_ms;
	bool waits; /* for somebody outside: each runs on a thread made for it, and so
		       takes none of the loop's few */
	struct trl_offload_state *state;
};
void trl_offload_init(trl_loop *loop, struct trl_offload *kind);
void trl_offload_fini(struct trl_offload *kind);
/* Runs fn(arg) on a thread and parks until it is done. arg must not lie on the
 * actor's stack or arena unless fn is sure to end: a deadline does not stop fn,
 * so this call always waits for a fn that has started; a fn not yet started is
 * dropped at the deadline.
 * Errors: TRL_BUSY (queue full, with retry-after), TRL_DEADLINE (fn never ran). */
enum trl_code trl_offload(trl_ctx *ctx, struct trl_offload *kind, void (*fn)(void *arg),
    void *arg) TRL_MUST_CHECK;
