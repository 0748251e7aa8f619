/* offload.c - work on libuv's threads, each kind with slots of its own, so that a
 * rush of one cannot take the threads from another.
 *
 * A job lies on its actor's stack: the actor leaves only when the job is over or
 * was never begun. A thread of its own is joined before the job counts as over, so it
 * touches nothing that may be gone. */
#include <stdlib.h>

#include <trl/crash.h>
#include <trl/span.h>

#include "runtime.h"

enum { OWN_STACK_BYTES = 1 << 20 };

struct job {
	uv_work_t work;
	uv_thread_t thread; /* its own */
	struct job *next;
	struct trl_offload *kind;
	struct trl_ticket ticket;
	void (*fn)(void *arg);
	void *arg;
	uint64_t queued_us;
	enum { QUEUED, GIVEN, DONE, DROPPED } state;
};

struct trl_offload_state {
	trl_loop *loop;
	unsigned running, waiting;
	struct job *first, **last;
	uv_async_t *over_news; /* of threads of their own; or NULL */
	uv_mutex_t lock;       /* over */
	struct job *over;
	trl_series *running_now, *waiting_now, *refused, *waited;
};

static void on_done(uv_work_t *work, int status);

static void
on_thread(uv_work_t *work)
{
	struct job *job = work->data;

	trl_crash_thread("offload");
	trl_crash_doing(job->kind->name, NULL);
	job->fn(job->arg);
	trl_crash_doing(NULL, NULL);
}

static void
show(struct trl_offload_state *state)
{
	trl_series_set(state->running_now, state->running);
	trl_series_set(state->waiting_now, state->waiting);
}

static void
on_own_thread(void *self)
{
	struct job *job = self;
	struct trl_offload_state *state = job->kind->state;

	trl_crash_thread("offload");
	trl_crash_doing(job->kind->name, NULL);
	job->fn(job->arg);
	uv_mutex_lock(&state->lock);
	job->next = state->over;
	state->over = job;
	uv_mutex_unlock(&state->lock);
	uv_async_send(state->over_news);
}

static void
give(struct trl_offload_state *state, struct job *job)
{
	const uv_thread_options_t options = { .flags = UV_THREAD_HAS_STACK_SIZE,
		.stack_size = OWN_STACK_BYTES };

	job->state = GIVEN;
	job->work.data = job;
	state->running++;
	if (job->kind->waits) {
		trl_assert(uv_thread_create_ex(
			       &job->thread, &options, on_own_thread, job) == 0);
		return;
	}
	trl_assert(
	    uv_queue_work(&state->loop->uv, &job->work, on_thread, on_done) == 0);
}

static void
step_out(struct trl_offload_state *state, struct job *job)
{
	struct job **at = &state->first;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	if (state->last == &job->next)
		state->last = at;
	state->waiting--;
}

static void
end(struct trl_offload_state *state, struct job *job, int status)
{
	struct job *next = state->first;

	job->state = status == UV_ECANCELED ? DROPPED : DONE;
	trl_wake(job->ticket);
	state->running--;
	/* One that is out of time leaves the queue itself when it runs. */
	while (next != NULL && !trl_ticket_lives(next->ticket))
		next = next->next;
	if (next != NULL) {
		step_out(state, next);
		trl_series_add(
		    state->waited, (double)(trl_mono_us() - next->queued_us) / 1e6);
		give(state, next);
	}
	show(state);
}

static void
on_done(uv_work_t *work, int status)
{
	struct job *job = work->data;

	end(job->kind->state, job, status);
}

static void
on_over(uv_async_t *news)
{
	struct trl_offload_state *state = news->data;
	struct job *job, *next;

	uv_mutex_lock(&state->lock);
	job = TRL_TAKE(state->over);
	uv_mutex_unlock(&state->lock);
	for (; job != NULL; job = next) {
		next = job->next;
		uv_thread_join(&job->thread);
		end(state, job, 0);
	}
}

static void
open_news(trl_loop *loop, struct trl_offload_state *state)
{
	state->over_news = calloc(1, sizeof *state->over_news);
	trl_assert(state->over_news != NULL && uv_mutex_init(&state->lock) == 0 &&
		   uv_async_init(&loop->uv, state->over_news, on_over) == 0);
	state->over_news->data = state;
	uv_unref((uv_handle_t *)state->over_news);
}

static void
on_news_closed(uv_handle_t *news)
{
	free(news);
}

void
trl_offload_init(trl_loop *loop, struct trl_offload *kind)
{
	struct trl_offload_state *state = calloc(1, sizeof *state);

	trl_assert(state != NULL && kind->slots > 0);
	state->loop = loop;
	state->last = &state->first;
	if (kind->waits)
		open_news(loop, state);
	state->running_now =
	    trl_series_at(trl_gauge_new("trellis_offload_running",
			      "Offloaded work on threads", "kind", NULL),
		kind->name);
	state->waiting_now =
	    trl_series_at(trl_gauge_new("trellis_offload_waiting",
			      "Offloaded work waiting for a slot", "kind", NULL),
		kind->name);
	state->refused = trl_series_at(
	    trl_counter_new("trellis_offload_refused_total",
		"Offloaded work refused because its queue was full", "kind", NULL),
	    kind->name);
	state->waited = trl_series_at(
	    trl_counter_new("trellis_offload_wait_seconds_total",
		"How long offloaded work has waited for its slots", "kind", NULL),
	    kind->name);
	trl_series_set(
	    trl_series_at(trl_gauge_new("trellis_offload_slots",
			      "Offloaded work that may run at once", "kind", NULL),
		kind->name),
	    kind->slots);
	trl_series_set(trl_series_at(trl_gauge_new("trellis_offload_queue_limit",
					 "Offloaded work that may wait", "kind", NULL),
			   kind->name),
	    kind->queue);
	kind->state = state;
}

void
trl_offload_fini(struct trl_offload *kind)
{
	trl_assert(kind->state == NULL || kind->state->running == 0);
	if (kind->state != NULL && kind->state->over_news != NULL) {
		uv_close((uv_handle_t *)kind->state->over_news, on_news_closed);
		uv_mutex_destroy(&kind->state->lock);
	}
	free(TRL_TAKE(kind->state));
}

/* Time ran out. Whether the job has run all the same, which is no failure. */
static bool
came_through(trl_ctx *ctx, struct trl_offload_state *state, struct job *job)
{
	if (job->state == QUEUED) {
		step_out(state, job);
		show(state);
		return false;
	}
	if (job->state == GIVEN) {
		if (!job->kind->waits) /* works while no thread has it */
			uv_cancel((uv_req_t *)&job->work);
		job->ticket = trl_park_begin(ctx);
		trl_park_surely(ctx, job->ticket, job->kind->name);
	}
	return job->state == DONE;
}

static enum trl_code
offload(trl_ctx *ctx, struct trl_offload *kind, void (*fn)(void *arg), void *arg)
{
	struct trl_offload_state *state = kind->state;
	struct job job = { .kind = kind, .fn = fn, .arg = arg };
	bool had_error = ctx->err.code != TRL_OK;
	enum trl_code rc;

	trl_assert(state != NULL && ctx->actor != NULL);
	if (state->running >= kind->slots && state->waiting >= kind->queue) {
		trl_series_add(state->refused, 1);
		rc = trl_fail(ctx, TRL_BUSY, "%s: the queue is full", kind->name);
		trl_err_retry_after(ctx, kind->retry_after_ms);
		return rc;
	}
	rc = trl_park_possible(ctx, kind->name);
	if (rc != TRL_OK)
		return rc;
	job.ticket = trl_park_begin(ctx);
	if (state->running < kind->slots) {
		give(state, &job);
	} else {
		job.queued_us = trl_mono_us();
		*state->last = &job;
		state->last = &job.next;
		state->waiting++;
	}
	show(state);
	rc = trl_park(ctx, job.ticket, kind->name);
	if (rc == TRL_OK || !came_through(ctx, state, &job))
		return rc;
	if (!had_error)
		trl_err_clear(ctx);
	return TRL_OK;
}

enum trl_code
trl_offload(trl_ctx *ctx, struct trl_offload *kind, void (*fn)(void *arg), void *arg)
{
	struct trl_span span;
	enum trl_code rc;

	trl_span_begin(ctx, &span, TRL_SPAN_OFFLOAD, kind->name);
	rc = offload(ctx, kind, fn, arg);
	trl_span_end(ctx, &span, rc);
	return rc;
}
