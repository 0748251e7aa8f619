/* jobs_open.h - a service's worker, for the skeleton (bus/service) and tests: it
 * claims the service's jobs under leases, runs them in actors, and ticks its crons.
 * Only at start-up and on the loop's thread. */
#pragma once

#include <trl/jobs.h>

struct trl_jobs_options {
	const char *service;                     /* for logs and metrics */
	trl_pg *app;                             /* where the service adds jobs */
	trl_pg *sys;                             /* the same schema under _sys */
	const struct trl_job_kind *const *kinds; /* NULL-ended, or NULL */
	const struct trl_cron *const *crons;     /* NULL-ended, or NULL */
	void *self;                              /* the service's state, for run() */
	uint32_t lease_ms;                       /* 0: 30,000; renewed at a third */
	uint32_t idle_poll_ms;                   /* 0: 1,000 */
	uint32_t release_ms; /* after trl_jobs_drain, until those that still run are
				cut off; 0: 18,000 */
};

/* Starts it; both pools are open. Jobs of kinds that are not listed are left alone.
 * Errors: TRL_INTERNAL: a kind is listed twice, or a cron's time or zone cannot be
 * read (printed). */
enum trl_code trl_jobs_open(trl_loop *loop, const struct trl_jobs_options *options,
    trl_jobs **out) TRL_MUST_CHECK;
/* Claims no more. What runs may end; what does not goes back, its attempt not
 * counted. */
void trl_jobs_drain(trl_jobs *jobs);
bool trl_jobs_drained(const trl_jobs *jobs);
/* After it has drained. Its timers close in the next turn of the loop. */
void trl_jobs_close(trl_jobs **jobs);
