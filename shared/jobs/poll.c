/* poll.c - finding what nobody told of: jobs of other processes, those whose time has
 * come, leases that ran out, ticks. While there is work one looks often, when idle
 * once a second, and earlier only where a time that is known comes earlier. The look
 * is one plain SELECT over partial indexes: it takes no lock and writes nothing, so
 * an idle service costs PostgreSQL next to nothing. */
#include "worker.h"

#include <stdlib.h>
#include <string.h>

#include <trl/batch.h>
#include <trl/log.h>
#include <trl/loop_uv.h>

#include "framework_sql.h"
#include "job_rows.pb-c.h"

enum {
	POLL_TIMEOUT_MS = 5000,
	POLL_BUSY_MS = 50,
	POLL_LEAST_MS = 2,
	STATS_EVERY_US = 5000000
};

struct jobs_timers {
	uv_timer_t poll, beat, release, settle;
	unsigned open;
};

struct jobs_kind *
jobs_kind_of(trl_jobs *jobs, const char *name)
{
	for (size_t i = 0; name && i < jobs->n_kinds; i++)
		if (strcmp(jobs->names[i], name) == 0)
			return &jobs->kinds[i];
	return NULL;
}

trl_batch *
jobs_batch(trl_jobs *jobs, trl_ctx *ctx)
{
	trl_batch *batch = trl_batch_new(ctx, jobs->sys, (struct trl_scope){ 0 });

	trl_batch_add(batch, &trl_sql_plan_by_index, NULL);
	return batch;
}

static enum trl_code
promote(trl_jobs *jobs, trl_ctx *ctx)
{
	Jobs__Count count = JOBS__COUNT__INIT;
	trl_batch *batch = jobs_batch(jobs, ctx);
	enum trl_code rc;

	trl_batch_get(batch, &trl_sql_job_promote, NULL, &count.base);
	rc = trl_batch_write_unrecorded(batch);
	if (rc == TRL_OK && count.n > 0) {
		jobs->poll_ms = 0;
		for (size_t i = 0; i < jobs->n_kinds; i++)
			jobs->kinds[i].more = true;
	}
	return rc;
}

static enum trl_code
show_stats(trl_jobs *jobs, trl_ctx *ctx)
{
	Jobs__Stats stats = JOBS__STATS__INIT;
	trl_batch *batch = jobs_batch(jobs, ctx);
	enum trl_code rc;

	trl_batch_get(batch, &trl_sql_job_stats, NULL, &stats.base,
	    TRL_ARG_TEXTS("kinds", jobs->names, jobs->n_kinds));
	rc = trl_batch_read(batch);
	for (size_t i = 0; rc == TRL_OK && i < stats.n_items; i++) {
		const Jobs__Stat *stat = stats.items[i];
		struct jobs_kind *kind = jobs_kind_of(jobs, stat->kind);

		if (!kind)
			continue;
		trl_series_set(kind->m.ready, (double)stat->ready);
		trl_series_set(kind->m.oldest, (double)stat->oldest_us / 1e6);
	}
	return rc;
}

static enum trl_code
look(trl_jobs *jobs, trl_ctx *ctx, Jobs__Poll *found)
{
	trl_batch *batch = jobs_batch(jobs, ctx);
	enum trl_code rc;

	trl_batch_get(batch, &trl_sql_job_poll, NULL, &found->base,
	    TRL_ARG_TEXTS("kinds", jobs->names, jobs->n_kinds),
	    TRL_ARG_TEXTS("crons", jobs->cron_names, jobs->n_crons));
	rc = trl_batch_read(batch);
	for (size_t i = 0; rc == TRL_OK && i < found->n_ready; i++) {
		struct jobs_kind *kind = jobs_kind_of(jobs, found->ready[i]);

		if (kind)
			kind->more = true;
	}
	return rc;
}

static enum trl_code
look_after(trl_jobs *jobs, trl_ctx *ctx, Jobs__Poll *found)
{
	enum trl_code rc = TRL_OK;

	if (!trl_id_is_nil(jobs->lost_claim))
		rc = jobs_unclaim(jobs, ctx);
	if (rc == TRL_OK && !jobs->crons_known)
		rc = jobs_crons_add(jobs, ctx);
	if (rc == TRL_OK)
		rc = look(jobs, ctx, found);
	if (rc == TRL_OK && found->due)
		rc = promote(jobs, ctx);
	if (rc == TRL_OK && found->ticks)
		rc = jobs_tick(jobs, ctx);
	if (rc == TRL_OK && found->lapsed)
		rc = jobs_rescue(jobs, ctx);
	if (rc == TRL_OK && found->cancels)
		jobs_beat(jobs);
	if (rc == TRL_OK && (found->n_ready > 0 || jobs->stats_at_us > 0) &&
	    trl_mono_us() - jobs->stats_at_us > STATS_EVERY_US) {
		rc = show_stats(jobs, ctx);
		/* Shown as nothing once, and then no more until there is some. */
		jobs->stats_at_us = found->n_ready > 0 ? trl_mono_us() : 0;
	}
	return rc;
}

static uint32_t
next_look_ms(trl_jobs *jobs, const Jobs__Poll *found)
{
	uint32_t ms;

	jobs->poll_ms = jobs->poll_ms == 0 ? POLL_BUSY_MS : 2 * jobs->poll_ms;
	if (jobs->poll_ms > jobs->idle_poll_ms)
		jobs->poll_ms = jobs->idle_poll_ms;
	ms = jobs->poll_ms;
	if (found->has_next_ms && !found->due && !found->ticks && found->next_ms < ms)
		ms = found->next_ms > POLL_LEAST_MS ? (uint32_t)found->next_ms
						    : POLL_LEAST_MS;
	return ms;
}

static void
poll_once(trl_ctx *ctx, void *arg)
{
	trl_jobs *jobs = arg;
	Jobs__Poll found = JOBS__POLL__INIT;
	enum trl_code rc;

	ctx->service = jobs->service;
	rc = look_after(jobs, ctx, &found);
	if (rc != TRL_OK && rc != TRL_UNAVAILABLE) /* the pool said that already */
		trl_log_err(ctx);
	jobs->polling = false;
	if (jobs->draining)
		return;
	jobs_poll_in(
	    jobs, rc == TRL_OK ? next_look_ms(jobs, &found) : jobs->idle_poll_ms);
	jobs_claim(jobs);
}

static void
on_poll(uv_timer_t *timer)
{
	trl_jobs *jobs = timer->data;
	struct trl_spawn spec = { .name = "jobs poll",
		.run = poll_once,
		.arg = jobs,
		.timeout_ms = POLL_TIMEOUT_MS };

	if (jobs->polling || jobs->draining)
		return;
	jobs->polling = trl_spawn(jobs->loop, &spec) == TRL_OK;
	if (!jobs->polling)
		jobs_poll_in(jobs, jobs->idle_poll_ms);
}

void
jobs_poll_in(trl_jobs *jobs, uint32_t ms)
{
	uv_timer_t *timer = &jobs->timers->poll;

	if (jobs->draining ||
	    (uv_is_active((uv_handle_t *)timer) && uv_timer_get_due_in(timer) <= ms))
		return;
	uv_timer_start(timer, on_poll, ms, 0);
}

static void
on_beat(uv_timer_t *timer)
{
	trl_jobs *jobs = timer->data;

	if (jobs->held)
		jobs_beat(jobs);
	else
		uv_timer_stop(timer);
}

void
jobs_beat_start(trl_jobs *jobs)
{
	uv_timer_t *timer = &jobs->timers->beat;

	if (!uv_is_active((uv_handle_t *)timer))
		uv_timer_start(timer, on_beat, jobs->lease_ms / 3, jobs->lease_ms / 3);
}

static void
on_release(uv_timer_t *timer)
{
	jobs_release_all(timer->data);
}

void
jobs_release_in(trl_jobs *jobs, uint32_t ms)
{
	uv_timer_start(&jobs->timers->release, on_release, ms, 0);
}

static void
on_settle(uv_timer_t *timer)
{
	jobs_settle(timer->data);
}

void
jobs_settle_in(trl_jobs *jobs, uint32_t ms)
{
	uv_timer_start(&jobs->timers->settle, on_settle, ms, 0);
}

void
jobs_timers_open(trl_jobs *jobs)
{
	struct jobs_timers *timers = calloc(1, sizeof *timers);
	trl_assert(timers != NULL);
	uv_timer_t *all[] = { &timers->poll, &timers->beat, &timers->release,
		&timers->settle };

	for (size_t i = 0; i < TRL_COUNT(all); i++) {
		trl_assert(uv_timer_init(trl_loop_uv(jobs->loop), all[i]) == 0);
		all[i]->data = jobs;
	}
	timers->open = TRL_COUNT(all);
	jobs->timers = timers;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	struct jobs_timers *timers = handle->data;

	if (--timers->open == 0)
		free(timers);
}

void
jobs_timers_close(trl_jobs *jobs)
{
	struct jobs_timers *timers = TRL_TAKE(jobs->timers);
	uv_timer_t *all[] = { &timers->poll, &timers->beat, &timers->release,
		&timers->settle };

	for (size_t i = 0; i < TRL_COUNT(all); i++) {
		all[i]->data = timers;
		uv_timer_stop(all[i]);
		uv_close((uv_handle_t *)all[i], on_timer_closed);
	}
}
