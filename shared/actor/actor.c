/* actor.c - actors from birth to pool.
 *
 * The structs are made once and kept until the loop goes, so that a stale ticket
 * always points at an actor, if not at its own; the serial tells the difference.
 * Idle ones are taken latest first: the same few stacks stay in the caches, and
 * what a rush left behind is given back a little later. */
#include "runtime.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <trl/crash.h>
#include <trl/method.h>

#include "fibre.h"
#include "stack.h"

enum {
	WARM_IDLE = 16,
	TRIM_AFTER_MS = 2000,
	TRIM_AT_ONCE = 64,
	TRIM_NEXT_MS = 20,
	HEAP_KEPT = 64 << 10,
	HEAP_TRIM_MAX = 32 << 20,
	DEFAULT_TIMEOUT_MS = 5000
};

static void
begin(void *arg)
{
	struct trl_actor *self = arg;
	trl_loop *loop = self->loop;

	trl_fibre_finish(NULL, &loop->home_stack, &loop->home_bytes);
	self->run(&self->ctx, self->arg);
	self->finished = true;
	trl_fibre_start(NULL, loop->home_stack, loop->home_bytes);
	trl_context_switch(&self->context, &loop->home);
	trl_assert(!"a finished actor was resumed");
}

void
trl_actor_leave(struct trl_actor *actor)
{
	trl_loop *loop = actor->loop;

	trl_fibre_start(&actor->fake_stack, loop->home_stack, loop->home_bytes);
	trl_context_switch(&actor->context, &loop->home);
	trl_fibre_finish(actor->fake_stack, &loop->home_stack, &loop->home_bytes);
}

void
trl_actor_ready(struct trl_actor *actor)
{
	trl_loop *loop = actor->loop;

	actor->state = TRL_READY;
	actor->next = NULL;
	*loop->ready_last = actor;
	loop->ready_last = &actor->next;
}

static struct trl_actor *
take_idle(trl_loop *loop)
{
	struct trl_actor *actor = loop->idle;

	if (actor == NULL) {
		actor = calloc(1, sizeof *actor);
		trl_assert(actor != NULL);
		actor->loop = loop;
		actor->next_made = loop->made;
		loop->made = actor;
		return actor;
	}
	loop->idle = actor->next;
	loop->n_idle--;
	if (loop->n_idle < loop->least_idle)
		loop->least_idle = loop->n_idle;
	return actor;
}

/* What rows, replies and arenas of a rush have left free between what stays: some three
 * megabytes of a service after an hour of renewals. malloc_trim(3) walks the whole
 * heap, which once took 669 ms of a large one; so that is left alone, and a small one
 * is walked once, when the rush is over: a few milliseconds. Measured is the main heap
 * only; the arenas of other threads, which are walked with it, are not. */
static void
trim_heap(trl_loop *loop)
{
	uint8_t *end = sbrk(0);

	loop->was_rush = false;
	if (end - loop->heap_start < HEAP_TRIM_MAX)
		malloc_trim(HEAP_KEPT);
}

/* Gives back the memory of those that nobody took since the timer was set. What
 * went idle later waits for another round; a quiet process ends with WARM_IDLE
 * and no timer. A few at a time, since the loop stands still meanwhile. */
static void
trim(uv_timer_t *timer)
{
	trl_loop *loop = timer->data;
	size_t keep = loop->n_idle - loop->least_idle;
	size_t i = 0, trimmed = 0;

	if (keep < WARM_IDLE)
		keep = WARM_IDLE;
	for (struct trl_actor *a = loop->idle; a != NULL; a = a->next, i++) {
		if (i < keep || !a->warm)
			continue;
		if (trimmed++ == TRIM_AT_ONCE) {
			uv_timer_start(timer, trim, TRIM_NEXT_MS, 0);
			return;
		}
		trl_fibre_clean(a->stack, loop->options.stack_bytes);
		trl_stack_trim(a->stack, loop->options.stack_bytes);
		trl_arena_free(&a->ctx.arena);
		a->warm = false;
		loop->was_rush = true;
	}
	loop->least_idle = loop->n_idle;
	if (keep > WARM_IDLE) {
		uv_timer_start(timer, trim, TRIM_AFTER_MS, 0);
	} else if (loop->was_rush) {
		trim_heap(loop);
	}
}

static void
give_back(struct trl_actor *actor)
{
	trl_loop *loop = actor->loop;

	trl_heap_set(loop, actor, trl_never);
	if (actor->next_alive != NULL)
		actor->next_alive->prev_alive = actor->prev_alive;
	if (actor->prev_alive != NULL)
		actor->prev_alive->next_alive = actor->next_alive;
	else
		loop->alive = actor->next_alive;
	loop->n_alive--;
	trl_arena_reset(actor->ctx.arena);
	actor->serial = 0;
	actor->state = TRL_IDLE;
	actor->next = loop->idle;
	loop->idle = actor;
	loop->n_idle++;
	if (loop->n_idle > WARM_IDLE && !uv_is_active((uv_handle_t *)&loop->trim)) {
		loop->least_idle = loop->n_idle;
		uv_timer_start(&loop->trim, trim, TRIM_AFTER_MS, 0);
	}
}

void
trl_actor_resume(struct trl_actor *actor)
{
	trl_loop *loop = actor->loop;

	actor->state = TRL_RUNNING;
	loop->current = actor;
	trl_crash_doing(actor->name, &actor->ctx);
	trl_fibre_start(&loop->home_fake, actor->stack, loop->options.stack_bytes);
	trl_context_switch(&loop->home, &actor->context);
	trl_fibre_finish(loop->home_fake, NULL, NULL);
	loop->current = NULL;
	trl_crash_doing(NULL, NULL);
	if (actor->finished)
		give_back(actor);
}

static void
fill_ctx(struct trl_actor *actor, uint32_t timeout_ms)
{
	trl_arena *arena = actor->ctx.arena;
	trl_loop *loop = actor->loop;

	if (arena == NULL)
		arena = trl_arena_new(loop->options.arena_bytes);
	memset(&actor->ctx, 0, sizeof actor->ctx);
	actor->ctx.loop = loop;
	actor->ctx.actor = actor;
	actor->ctx.arena = arena;
	actor->ctx.principal.address = "";
	actor->ctx.principal.user_agent = "";
	actor->ctx.deadline_us =
	    trl_loop_now_us(loop) +
	    (uint64_t)(timeout_ms ? timeout_ms : DEFAULT_TIMEOUT_MS) * 1000;
}

enum trl_code
trl_spawn_get(trl_loop *loop, const struct trl_spawn *spec, trl_actor **out)
{
	struct trl_actor *actor;

	if (loop->n_alive >= loop->options.max_actors) {
		trl_series_add(loop->refused, 1);
		return TRL_BUSY;
	}
	actor = take_idle(loop);
	if (actor->stack == NULL)
		actor->stack = trl_stack_new(loop->options.stack_bytes);
	fill_ctx(actor, spec->timeout_ms);
	actor->name = spec->name;
	actor->run = spec->run;
	actor->arg = spec->arg;
	actor->started_us = trl_loop_now_us(loop);
	actor->warm = true;
	actor->finished = false;
	actor->woken = false;
	actor->deaf = false;
	actor->serial = 0;
	actor->wake_at = trl_never;
	trl_fibre_clean(actor->stack, loop->options.stack_bytes);
	trl_context_init(
	    &actor->context, actor->stack, loop->options.stack_bytes, begin, actor);
	actor->prev_alive = NULL;
	actor->next_alive = loop->alive;
	if (loop->alive != NULL)
		loop->alive->prev_alive = actor;
	loop->alive = actor;
	loop->n_alive++;
	trl_heap_set(loop, actor, actor->ctx.deadline_us);
	trl_actor_ready(actor);
	*out = actor;
	return TRL_OK;
}

enum trl_code
trl_spawn(trl_loop *loop, const struct trl_spawn *spec)
{
	trl_actor *actor;

	return trl_spawn_get(loop, spec, &actor);
}

size_t
trl_actors_alive(const trl_loop *loop)
{
	return loop->n_alive;
}

const char *
trl_actor_name(const struct trl_actor *actor)
{
	if (actor->ctx.method != NULL)
		return actor->ctx.method->name;
	return actor->name;
}

void
trl_actors_each(trl_loop *loop,
    void (*fn)(void *self, const struct trl_actor_state *actor), void *self)
{
	uint64_t now = trl_mono_us();

	for (const struct trl_actor *a = loop->alive; a != NULL; a = a->next_alive) {
		struct trl_actor_state state = {
			.name = trl_actor_name(a),
			.state = a->state == TRL_PARKED  ? TRL_ACTOR_PARKED
				 : a->state == TRL_READY ? TRL_ACTOR_READY
							 : TRL_ACTOR_RUNNING,
			.age_ms = (now - a->started_us) / 1000,
			.tenant = a->ctx.tenant,
		};

		if (a->state == TRL_PARKED) {
			state.parked_on = a->what;
			state.parked_ms = (now - a->parked_us) / 1000;
		}
		fn(self, &state);
	}
}

static void
dump_one(void *self, const struct trl_actor_state *actor)
{
	struct trl_buf *out = self;

	trl_buf_printf(
	    out, "%s age %llu ms ", actor->name, (unsigned long long)actor->age_ms);
	if (actor->parked_on != NULL)
		trl_buf_printf(out, "parked on %s %llu ms\n", actor->parked_on,
		    (unsigned long long)actor->parked_ms);
	else
		trl_buf_adds(
		    out, actor->state == TRL_ACTOR_READY ? "ready\n" : "running\n");
}

void
trl_actors_dump(trl_loop *loop, struct trl_buf *out)
{
	trl_actors_each(loop, dump_one, out);
}

void
trl_actors_free(trl_loop *loop)
{
	trl_assert(loop->n_alive == 0);
	while (loop->made != NULL) {
		struct trl_actor *actor = loop->made;

		loop->made = actor->next_made;
		if (actor->stack != NULL) {
			trl_fibre_clean(actor->stack, loop->options.stack_bytes);
			trl_stack_free(actor->stack, loop->options.stack_bytes);
		}
		trl_arena_free(&actor->ctx.arena);
		free(actor);
	}
}
