/* worker.h - what the rooms of a worker share. Private to shared/jobs.
 *
 * Nothing here is locked: all of it runs on the loop's thread. A run is in `held` from
 * its claim until its outcome is in the database; between, heartbeats renew its
 * lease. claim.c takes jobs, run.c runs them, settle.c writes outcomes, lease.c keeps
 * and loses leases, poll.c finds what nobody told us of. */
#pragma once

#include <trl/jobs_open.h>
#include <trl/metrics.h>
#include <trl/span.h>

enum {
	JOBS_DEFAULT_ATTEMPTS = 25,
	JOBS_DEFAULT_SLOTS = 32,
	JOBS_DEFAULT_TIMEOUT_MS = 30000,
	JOBS_CLAIM_MAX = 200,  /* jobs a claim */
	JOBS_SETTLE_MAX = 500, /* outcomes a statement */
	JOBS_PAYLOAD_MAX = 65536,
	JOBS_HOOK_TRIES = 10, /* of dead(), beyond the job's attempts */
	JOBS_KEPT_S = 15 * 24 * 3600,
	JOBS_LOOK_MS = 1000, /* between looks, where nothing else is known */
	JOBS_NEWS_LATER = 31 /* the bit of jobs whose time is to come */
};

/* What becomes of a run. */
enum job_verdict {
	JOB_DONE,
	JOB_FAILED, /* again, or dead */
	JOB_AGAIN,  /* at a time of its own, this attempt or all of them uncounted */
	JOB_DEAD,
	JOB_CANCELLED,
	JOB_RELEASED /* this process stops: at once, elsewhere */
};

struct jobs_kind {
	const struct trl_job_kind *kind;
	unsigned attempts, slots, per_tenant;
	uint32_t timeout_ms, news;
	unsigned running;
	bool more;           /* there may be ready ones */
	bool blocked;        /* ... behind a tenant's cap */
	struct trl_id after; /* the tenant whose turn was last */
	unsigned credit;     /* what that has left of its turn */
	struct {
		trl_series *done, *failed, *dead, *cancelled, *again, *released,
		    *fenced;
		trl_series *lapsed, *wait, *run, *ready, *oldest, *running;
	} m;
};

struct jobs_cron {
	const struct trl_cron *cron;
	struct cron_spec *spec;
	struct trl_zone *zone; /* NULL: UTC */
};

struct trl_job_run {
	struct trl_job_run *prev, *next; /* of held */
	struct trl_job_run *next_ended;
	struct trl_jobs *jobs;
	struct jobs_kind *kind;
	struct trl_id id, tenant, token;
	unsigned attempt, attempts;
	int64_t made_at_us, run_at_us;
	uint8_t trace[TRL_TRACE_BYTES];
	bool has_trace;
	bool has_key;
	bool hook_only;       /* nothing is left but dead() */
	bool hook_cancelled;  /* ... because it was cancelled */
	trl_actor *actor;     /* NULL: ended */
	uint64_t lease_until; /* monotonic, as this process believes */
	bool lost;            /* the lease is another's: no outcome is written */
	bool cancel;          /* the operator wants it to end */
	bool release;         /* the process stops */
	bool tried;           /* an outcome was sent, and its answer lost */
	bool asked;           /* is in the heartbeat that is under way */
	unsigned refusals;    /* how often PostgreSQL refused its single outcome */

	bool anew;     /* of JOB_AGAIN: with all its attempts */
	bool recorded; /* it wrote under its key */
	struct trl_id scope;

	enum job_verdict verdict; /* asked for by run(), then what it came to */
	int64_t again_at_us;      /* of JOB_AGAIN; of JOB_FAILED the earliest */
	char error[300];

	size_t len;
	uint8_t payload[];
};

struct trl_jobs {
	trl_loop *loop;
	trl_pg *app, *sys;
	const char *service;
	void *self;
	uint32_t lease_ms, idle_poll_ms, release_ms;
	struct jobs_kind *kinds;
	const char **names;
	size_t n_kinds, next_kind;
	struct jobs_cron *crons;
	const char **cron_names;
	size_t n_crons;

	struct trl_job_run *held;
	size_t n_held;
	struct trl_job_run *ended, **ended_last; /* waiting to be settled */
	size_t n_ended;

	bool claiming, settling, polling, beating; /* an actor is at it */
	bool draining, crons_known;
	struct trl_id lost_claim; /* the token of a claim whose answer was lost */
	unsigned settle_failures;
	size_t settle_singly; /* so many one by one: among them is a bad one */
	uint32_t poll_ms;     /* until the next poll; doubles while there is nothing */
	uint64_t stats_at_us;
	struct jobs_timers *timers;
};

/* queue.c: the bit that tells this worker of a kind's new jobs. */
uint32_t jobs_news_of(const struct trl_job_kind *kind);
/* poll.c */
void jobs_timers_open(trl_jobs *jobs);
void jobs_timers_close(trl_jobs *jobs);
void jobs_poll_in(trl_jobs *jobs, uint32_t ms);
void jobs_beat_start(trl_jobs *jobs);
void jobs_release_in(trl_jobs *jobs, uint32_t ms);
/* Settles again a little later, after a failure. */
void jobs_settle_in(trl_jobs *jobs, uint32_t ms);
struct jobs_kind *jobs_kind_of(trl_jobs *jobs, const char *name);
/* A batch of the sys pool over jobs, its planner told. */
trl_batch *jobs_batch(trl_jobs *jobs, trl_ctx *ctx);

/* claim.c: starts a claim where there is reason and room. */
void jobs_claim(trl_jobs *jobs);
/* Gives back what a claim took whose answer was lost. Parks. */
enum trl_code jobs_unclaim(trl_jobs *jobs, trl_ctx *ctx) TRL_MUST_CHECK;
/* run.c: starts the actor of a claimed job. */
void jobs_run(struct trl_job_run *run);
/* settle.c: the run has a verdict. */
void jobs_ended(struct trl_job_run *run);
void jobs_settle(trl_jobs *jobs);
void jobs_forget(struct trl_job_run *run);
/* A verdict in the words of the statement job_back. */
struct jobs_back {
	struct trl_id id, token;
	const char *state, *error, *ending;
	int64_t delay_ms;
	unsigned uncounted; /* so many of its attempts are not counted */
};
/* Where a job that failed at its attempt goes. */
struct jobs_back jobs_after_failure(const struct jobs_kind *kind, unsigned attempt,
    unsigned attempts, const char *ending, const char *error);
/* Adds the statement; fenced gets those that were not this worker's any more. lapsed:
 * only where the lease has run out. */
void jobs_send_back(trl_ctx *ctx, trl_batch *batch, const struct jobs_back *back,
    size_t n, bool lapsed, ProtobufCMessage *fenced);
/* lease.c */
void jobs_beat(trl_jobs *jobs);
void jobs_release_all(trl_jobs *jobs);
/* Leases that ran out elsewhere. Parks. */
enum trl_code jobs_rescue(trl_jobs *jobs, trl_ctx *ctx) TRL_MUST_CHECK;
/* tick.c */
enum trl_code jobs_crons_open(
    trl_jobs *jobs, const struct trl_cron *const *crons) TRL_MUST_CHECK;
void jobs_crons_close(trl_jobs *jobs);
enum trl_code jobs_crons_add(trl_jobs *jobs, trl_ctx *ctx) TRL_MUST_CHECK;
enum trl_code jobs_tick(trl_jobs *jobs, trl_ctx *ctx) TRL_MUST_CHECK;
/* backoff.c: milliseconds until the attempt after this one. */
int64_t jobs_backoff_ms(const struct trl_job_kind *kind, unsigned attempt);
