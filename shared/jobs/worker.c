/* worker.c - see trl/jobs_open.h: opening, hearing of new jobs, draining, closing.
 *
 * Stopping is in two steps. First nothing is claimed any more, and what runs may end.
 * After a while what still runs is cancelled, and its jobs go back without having
 * used up an attempt, so that another replica has them at once and need not wait for
 * the leases to run out. */
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/complain.h>

enum { DEFAULT_LEASE_MS = 30000, DEFAULT_RELEASE_MS = 18000 };

/* Something of this process has added jobs and committed. */
static void
on_news(void *self, uint32_t mask)
{
	trl_jobs *jobs = self;

	for (size_t i = 0; i < jobs->n_kinds; i++)
		jobs->kinds[i].more |= (jobs->kinds[i].news & mask) != 0;
	if (mask >> JOBS_NEWS_LATER & 1) {
		jobs->poll_ms = 0;
		jobs_poll_in(jobs, 0);
	}
	jobs_claim(jobs);
}

static void
open_metrics(const trl_jobs *jobs, struct jobs_kind *kind)
{
	const char *service = jobs->service, *name = kind->kind->name;
	trl_metric *m = trl_counter_new("trellis_jobs_total",
	    "Outcomes of jobs; fenced: too late, dropped; lapsed: taken over",
	    "service", "kind", "result", NULL);

	kind->m.done = trl_series_at(m, service, name, "done");
	kind->m.failed = trl_series_at(m, service, name, "failed");
	kind->m.dead = trl_series_at(m, service, name, "dead");
	kind->m.cancelled = trl_series_at(m, service, name, "cancelled");
	kind->m.again = trl_series_at(m, service, name, "again");
	kind->m.released = trl_series_at(m, service, name, "released");
	kind->m.fenced = trl_series_at(m, service, name, "fenced");
	kind->m.lapsed = trl_series_at(m, service, name, "lapsed");
	m = trl_histogram_new(TRL_SCALE_LONG, "trellis_jobs_wait_seconds",
	    "From a job's time to its claim", "service", NULL);
	kind->m.wait = trl_series_at(m, service);
	m = trl_histogram_new(TRL_SCALE_LONG, "trellis_jobs_run_seconds",
	    "Runs of jobs", "service", "kind", NULL);
	kind->m.run = trl_series_at(m, service, name);
	m = trl_gauge_new("trellis_jobs_ready",
	    "Jobs that wait for a worker, up to 10,000", "service", "kind", NULL);
	kind->m.ready = trl_series_at(m, service, name);
	m = trl_gauge_new("trellis_jobs_oldest_due_seconds",
	    "For how long the oldest job that waits has been due", "service", "kind",
	    NULL);
	kind->m.oldest = trl_series_at(m, service, name);
	m = trl_gauge_new("trellis_jobs_running", "Jobs that run in this process",
	    "service", "kind", NULL);
	kind->m.running = trl_series_at(m, service, name);
}

static void
show_slots(const trl_jobs *jobs, const struct jobs_kind *kind)
{
	trl_metric *m = trl_gauge_new("trellis_jobs_slots",
	    "Jobs that may run at once in this process", "service", "kind", NULL);

	trl_series_set(trl_series_at(m, jobs->service, kind->kind->name), kind->slots);
}

static bool
is_known(const trl_jobs *jobs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(jobs->names[i], name) == 0)
			return true;
	return false;
}

static bool
open_kinds(trl_jobs *jobs, const struct trl_job_kind *const *kinds)
{
	while (kinds && kinds[jobs->n_kinds])
		jobs->n_kinds++;
	jobs->kinds = calloc(jobs->n_kinds + 1, sizeof *jobs->kinds);
	jobs->names = calloc(jobs->n_kinds + 1, sizeof *jobs->names);
	trl_assert(jobs->kinds != NULL && jobs->names != NULL);
	for (size_t i = 0; i < jobs->n_kinds; i++) {
		const struct trl_job_kind *k = kinds[i];
		struct jobs_kind *kind = &jobs->kinds[i];

		if (is_known(jobs, i, k->name)) {
			trl_complain("%s: two kinds of jobs are named %s",
			    jobs->service, k->name);
			return false;
		}
		jobs->names[i] = k->name;
		kind->kind = k;
		kind->attempts = k->attempts ? k->attempts : JOBS_DEFAULT_ATTEMPTS;
		kind->slots = k->slots ? k->slots : JOBS_DEFAULT_SLOTS;
		kind->per_tenant =
		    k->per_tenant ? k->per_tenant : (kind->slots + 3) / 4;
		kind->timeout_ms =
		    k->timeout_ms ? k->timeout_ms : JOBS_DEFAULT_TIMEOUT_MS;
		kind->news = jobs_news_of(k);
		kind->after = trl_id_random(); /* replicas start at other tenants */
		open_metrics(jobs, kind);
		show_slots(jobs, kind);
	}
	return true;
}

enum trl_code
trl_jobs_open(trl_loop *loop, const struct trl_jobs_options *options, trl_jobs **out)
{
	trl_jobs *jobs = calloc(1, sizeof *jobs);

	trl_assert(jobs != NULL);
	jobs->loop = loop;
	jobs->sys = options->sys;
	jobs->service = options->service;
	jobs->self = options->self;
	jobs->lease_ms = options->lease_ms ? options->lease_ms : DEFAULT_LEASE_MS;
	jobs->idle_poll_ms =
	    options->idle_poll_ms ? options->idle_poll_ms : JOBS_LOOK_MS;
	jobs->release_ms =
	    options->release_ms ? options->release_ms : DEFAULT_RELEASE_MS;
	jobs->ended_last = &jobs->ended;
	jobs_timers_open(jobs);
	if (!open_kinds(jobs, options->kinds) ||
	    jobs_crons_open(jobs, options->crons) != TRL_OK) {
		trl_jobs_close(&jobs);
		return TRL_INTERNAL;
	}
	jobs->app = options->app;
	if (jobs->app)
		trl_pg_on_news(jobs->app, TRL_PG_JOBS, on_news, jobs);
	trl_pg_on_news(jobs->sys, TRL_PG_JOBS, on_news, jobs);
	jobs_poll_in(jobs, 0);
	*out = jobs;
	return TRL_OK;
}

void
trl_jobs_drain(trl_jobs *jobs)
{
	if (jobs->draining)
		return;
	jobs->draining = true;
	jobs_release_in(jobs, jobs->release_ms);
}

static bool
is_at_rest(const trl_jobs *jobs)
{
	return !jobs->held && !jobs->claiming && !jobs->settling && !jobs->polling &&
	       !jobs->beating;
}

bool
trl_jobs_drained(const trl_jobs *jobs)
{
	return jobs->draining && is_at_rest(jobs);
}

void
trl_jobs_close(trl_jobs **pointer)
{
	trl_jobs *jobs = TRL_TAKE(*pointer);

	if (!jobs)
		return;
	trl_assert(is_at_rest(jobs));
	if (jobs->app)
		trl_pg_on_news(jobs->app, TRL_PG_JOBS, NULL, NULL);
	trl_pg_on_news(jobs->sys, TRL_PG_JOBS, NULL, NULL);
	jobs_timers_close(jobs);
	jobs_crons_close(jobs);
	free(jobs->kinds);
	free(jobs->names);
	free(jobs);
}
