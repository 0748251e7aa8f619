/* loop.c - the turn.
 *
 * libuv polls, its callbacks wake actors; after the poll (check) all that are
 * ready run, and then the flush hooks. The same happens before the next poll
 * (prepare), for what timers did; so nothing is left unsent when the loop sleeps.
 * Actors that make each other ready may not keep the loop from its descriptors:
 * after some milliseconds they go on behind a poll that does not block. */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <trl/loop_uv.h>

#include "fibre.h"
#include "runtime.h"

enum {
	DEFAULT_ACTORS = 4096,
	DEFAULT_WATCHDOG_MS = 50,
	LONGEST_RUN_US = 5000,
	SPIN_LEAST_US = 50,
	SPIN_MOST_US = 200,
	CLOSE_US = 5000000
};

#ifdef TRL_FIBRES /* the sanitizer's frames are larger */
enum { DEFAULT_STACK = 256 << 10 };
#else
enum { DEFAULT_STACK = 64 << 10 };
#endif

uv_loop_t *
trl_loop_uv(trl_loop *loop)
{
	return &loop->uv;
}

size_t
trl_loop_max_actors(const trl_loop *loop)
{
	return loop->options.max_actors;
}

uint64_t
trl_loop_now_us(const trl_loop *loop)
{
	if (!loop->now_valid) {
		trl_loop *self = (trl_loop *)loop;

		self->now_us = self->clock_us = trl_mono_us();
		self->now_valid = true;
	}
	return loop->now_us;
}

/* Runs one actor and notes how long it held the loop. */
static void
run_one(trl_loop *loop, struct trl_actor *actor)
{
	uint64_t before = loop->clock_us;

	trl_actor_resume(actor);
	loop->clock_us = trl_mono_us();
	if (loop->clock_us - before > loop->longest_us) {
		loop->longest_us = loop->clock_us - before;
		loop->longest_name = trl_actor_name(actor);
	}
}

static void
run_ready(trl_loop *loop, uint64_t until)
{
	if (loop->ready != NULL) {
		loop->clock_us = trl_mono_us();
		if (loop->rests_us != 0 && loop->may_spin)
			loop->spin_us = trl_spin_next(
			    loop->spin_us, loop->clock_us - loop->rests_us);
		loop->rests_us = 0;
	}
	while (loop->ready != NULL && loop->clock_us < until) {
		struct trl_actor *actor = loop->ready;

		loop->ready = actor->next;
		if (loop->ready == NULL)
			loop->ready_last = &loop->ready;
		run_one(loop, actor);
	}
}

static void
turn(trl_loop *loop)
{
	uint64_t until;

	trl_expire(loop);
	until = loop->clock_us + LONGEST_RUN_US;
	do {
		run_ready(loop, until);
		for (size_t i = 0; i < loop->n_hooks; i++)
			loop->hooks[i].fn(loop->hooks[i].self);
	} while (loop->ready != NULL && loop->clock_us < until);
}

static void
on_timer(uv_timer_t *timer)
{
	trl_loop *loop = timer->data;

	loop->armed_us = trl_never; /* prepare comes next and expires */
}

/* The timer fires at the heap's head or before: one that is early costs a turn,
 * moving it at each change would cost at each message. */
static void
arm(trl_loop *loop)
{
	uint64_t head = loop->n_heap > 0 ? loop->heap[0]->wake_at : trl_never;

	if (head == trl_never) {
		if (loop->armed_us != trl_never)
			uv_timer_stop(&loop->timer);
		loop->armed_us = trl_never;
	} else if (head < loop->armed_us) {
		uint64_t left = head > loop->clock_us ? head - loop->clock_us : 0;

		uv_update_time(&loop->uv);
		uv_timer_start(&loop->timer, on_timer, (left + 999) / 1000, 0);
		loop->armed_us = head;
	}
}

/* To wake a thread that sleeps costs several times what a small message does. So the
 * loop looks for more work for a moment before it sleeps, as long as that has paid
 * lately: where the last wait was a short one the moment grows, where it was long the
 * moment shrinks to nothing. (The idea is KVM's halt polling: Linux,
 * Documentation/virt/kvm/halt-polling.rst.) */
uint32_t
trl_spin_next(uint32_t spin_us, uint64_t waited_us)
{
	if (waited_us > SPIN_MOST_US)
		return spin_us / 2 < SPIN_LEAST_US ? 0 : spin_us / 2;
	if (waited_us <= spin_us)
		return spin_us;
	if (spin_us == 0)
		return SPIN_LEAST_US;
	return 2 * spin_us < SPIN_MOST_US ? 2 * spin_us : SPIN_MOST_US;
}

/* Whether it is too early to sleep; others that want to run come first. */
static bool
looks_for_more(trl_loop *loop)
{
	if (loop->rests_us == 0)
		loop->rests_us = loop->clock_us;
	if (loop->clock_us - loop->rests_us >= loop->spin_us)
		return false;
	sched_yield();
	return true;
}

static void
on_spin(uv_idle_t *spin)
{
	(void)spin; /* its being active is what counts */
}

static void
before_poll(uv_prepare_t *prepare)
{
	trl_loop *loop = prepare->data;

	turn(loop);
	loop->clock_us = trl_mono_us();
	trl_watch_turn(loop);
	arm(loop);
	if (loop->ready != NULL || looks_for_more(loop) ||
	    (loop->done != NULL && loop->done(loop->done_self)))
		uv_idle_start(&loop->spin, on_spin);
	else
		uv_idle_stop(&loop->spin);
	loop->now_valid = false;
}

static void
after_poll(uv_check_t *check)
{
	turn(check->data);
}

static void
start_handles(trl_loop *loop)
{
	loop->heap_start = sbrk(0);
	trl_assert(uv_loop_init(&loop->uv) == 0);
	uv_prepare_init(&loop->uv, &loop->prepare);
	uv_check_init(&loop->uv, &loop->check);
	uv_idle_init(&loop->uv, &loop->spin);
	uv_timer_init(&loop->uv, &loop->timer);
	uv_timer_init(&loop->uv, &loop->trim);
	uv_timer_init(&loop->uv, &loop->patience);
	loop->prepare.data = loop;
	loop->check.data = loop;
	loop->timer.data = loop;
	loop->trim.data = loop;
	loop->patience.data = loop;
	uv_prepare_start(&loop->prepare, before_poll);
	uv_check_start(&loop->check, after_poll);
	/* Only the async handle keeps the loop alive. */
	uv_unref((uv_handle_t *)&loop->prepare);
	uv_unref((uv_handle_t *)&loop->check);
	uv_unref((uv_handle_t *)&loop->spin);
	uv_unref((uv_handle_t *)&loop->timer);
	uv_unref((uv_handle_t *)&loop->trim);
}

trl_loop *
trl_loop_new(const struct trl_loop_options *options)
{
	trl_loop *loop = calloc(1, sizeof *loop);
	struct trl_loop_options *o;

	trl_assert(loop != NULL);
	if (options != NULL)
		loop->options = *options;
	o = &loop->options;
	o->max_actors = o->max_actors ? o->max_actors : DEFAULT_ACTORS;
	o->stack_bytes = o->stack_bytes ? o->stack_bytes : DEFAULT_STACK;
	o->stack_bytes = (o->stack_bytes + 4095) & ~(size_t)4095;
	o->watchdog_ms = o->watchdog_ms ? o->watchdog_ms : DEFAULT_WATCHDOG_MS;
	/* libuv reads it at the first use of its pool; four threads are few for all
	 * kinds of offloaded work together. */
	setenv("UV_THREADPOOL_SIZE", "8", 0);
	/* A name that no server answers for would keep a thread, and the end of the
	 * process, for up to a minute. Before there are threads that read it. */
	setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);
	signal(SIGPIPE, SIG_IGN);
	loop->may_spin = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	loop->ready_last = &loop->ready;
	loop->armed_us = trl_never;
	start_handles(loop);
	trl_post_init(loop);
	trl_watch_init(loop);
	return loop;
}

/* Waits for what others are closing; a handle left open is their bug. */
static void
close_uv(trl_loop *loop)
{
	uint64_t end = trl_mono_us() + CLOSE_US;
	int rc;

	while ((rc = uv_loop_close(&loop->uv)) == UV_EBUSY && trl_mono_us() < end) {
		uv_run(&loop->uv, UV_RUN_NOWAIT);
		uv_sleep(1);
	}
	trl_assert(rc == 0);
}

void
trl_loop_free(trl_loop **loop_at)
{
	trl_loop *loop = TRL_TAKE(*loop_at);

	if (loop == NULL)
		return;
	trl_assert(loop->n_alive == 0);
	uv_close((uv_handle_t *)&loop->prepare, NULL);
	uv_close((uv_handle_t *)&loop->check, NULL);
	uv_close((uv_handle_t *)&loop->spin, NULL);
	uv_close((uv_handle_t *)&loop->timer, NULL);
	uv_close((uv_handle_t *)&loop->trim, NULL);
	uv_close((uv_handle_t *)&loop->patience, NULL);
	uv_close((uv_handle_t *)&loop->async, NULL);
	uv_close((uv_handle_t *)&loop->usr1, NULL);
	close_uv(loop);
	trl_post_fini(loop);
	trl_watch_fini(loop);
	trl_actors_free(loop);
	free(loop->heap);
	free(loop);
}

void
trl_loop_run(trl_loop *loop)
{
	loop->now_valid = false;
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	loop->now_valid = false;
}

void
trl_loop_stop(trl_loop *loop)
{
	uv_stop(&loop->uv);
}

static void
lose_patience(uv_timer_t *timer)
{
	((trl_loop *)timer->data)->out_of_patience = true;
	/* Where done() took longer than that, this comes before the loop would wait,
	 * with no timer left: it must not. */
	uv_stop(timer->loop);
}

bool
trl_loop_run_until(
    trl_loop *loop, bool (*done)(void *self), void *self, uint32_t timeout_ms)
{
	bool is_done;

	trl_assert(loop->done == NULL && loop->current == NULL);
	loop->done = done;
	loop->done_self = self;
	loop->now_valid = false;
	loop->out_of_patience = false;
	uv_update_time(&loop->uv);
	uv_timer_start(&loop->patience, lose_patience, timeout_ms, 0);
	while (!(is_done = done(self)) && !loop->out_of_patience)
		uv_run(&loop->uv, UV_RUN_ONCE);
	uv_timer_stop(&loop->patience);
	loop->now_valid = false; /* who knows when the next turn comes */
	loop->done = NULL;
	return is_done; /* not whether it still is: what it looks at may move on */
}

void
trl_loop_on_flush(trl_loop *loop, void (*fn)(void *self), void *self)
{
	trl_assert(loop->n_hooks < TRL_HOOKS_MAX);
	loop->hooks[loop->n_hooks++] = (struct trl_hook){ fn, self };
}

void
trl_loop_off_flush(trl_loop *loop, void *self)
{
	size_t kept = 0;

	for (size_t i = 0; i < loop->n_hooks; i++)
		if (loop->hooks[i].self != self)
			loop->hooks[kept++] = loop->hooks[i];
	loop->n_hooks = kept;
}
