/* jobs.h - work that nobody waits for: a row in the service's schema, written in the
 * transaction of the fact that causes it, and run at least once by some replica.
 *
 *   static const struct trl_job_kind mail = {
 *       .name = "mail", .message = &notify_v1_mail_job_rules, .run = notify_mail_run,
 *       .attempts = 12, .slots = 16,
 *   };
 *   trl_batch_job(work, &mail, &(struct trl_job_terms){ .key = key }, &payload.base);
 *
 * run() has the job's tenant and, as idempotency key, the job's id: what it writes by
 * trl_batch_write (one batch a run, as in a method) happens once, also where it runs
 * again because a process died; the record is kept for as long as the job may come
 * back, and a day more. What it does elsewhere (an e-mail, a request) carries the job's
 * id to be known by; calls carry keys made from it.
 *
 * A job that runs is under a lease of 30 s that heartbeats renew. Where its process
 * dies, another one takes it over, as the next attempt. One that has used up its
 * attempts, or was cancelled, is kept for 14 days. Tenants take turns, a turn being
 * one job, or as many as the table job_weight gives the tenant.
 *
 * Jobs that wait on somebody outside may hold their slots for long. A kind of such
 * (per_lane) shares out what is held: a tenant holds no more than what is free still,
 * so there is a slot for whoever comes next, and a lane, which is what such jobs have
 * in common (an endpoint), no more than its tenant may add. */
#pragma once

#include <trl/batch.h>
#include <trl/method.h>
#include <trl/tx.h>

struct trl_job {
	struct trl_id id;
	struct trl_id tenant;
	unsigned attempt; /* 1 on the first run */
	unsigned attempts;
	const ProtobufCMessage *payload; /* of the kind's message */
	int64_t made_at_us, run_at_us;   /* wall */
	/* It was added under a key, and has it still: a job that came back while
	 * another of its key waited has none. */
	bool has_key;
};

struct trl_job_kind {
	const char *name; /* unique in the service */
	const struct trl_message *message;
	/* TRL_OK: done, the row goes. An error: again after the backoff, and dead once
	 * attempts are used up. Runs in an actor; ctx's deadline is timeout_ms. */
	enum trl_code (*run)(void *self, trl_ctx *ctx, const struct trl_job *job);
	/* The job is dead (or was cancelled); may be NULL. Runs like run(), under a key
	 * of its own; where it fails, it is run again up to ten times. */
	enum trl_code (*dead)(void *self, trl_ctx *ctx, const struct trl_job *job);
	unsigned attempts;   /* 0: 25 */
	unsigned slots;      /* run at once in this process; 0: 32 */
	unsigned per_tenant; /* of one tenant, in all replicas; 0: a quarter of slots.
				The platform, which is none, has no cap */
	unsigned per_lane;   /* of one lane of a tenant's, in all replicas; 0: there are
				no lanes, and nothing is shared but turns */
	uint32_t timeout_ms; /* 0: 30,000 */
	/* Waits before attempt n + 1: delays_s[n - 1], the last one repeated; NULL:
	 * n^4 seconds, at most an hour. Both with 10 % jitter. */
	const uint32_t *delays_s;
	size_t n_delays;
	void *self; /* what run() and dead() get; NULL: the service's state */
};

struct trl_job_terms {
	const char *key; /* while a job of this kind, tenant and key waits (not: runs),
			    another is not added; at most 200 bytes; NULL: none */
	bool moves;      /* that one waits until run_at_us instead, also where it has
			    failed before; its payload stays as it is */
	int64_t run_at_us;  /* wall; 0: at once */
	int priority;       /* higher runs first within a tenant's lane; 0 usual */
	struct trl_id lane; /* what it waits on, where the kind has lanes; or nil */
};

/* Adds a job to the batch's transaction; its tenant is the batch's (nil: the
 * platform's). terms may be NULL; payload too, for an empty one. It is packed at once;
 * more than 64 KiB fail the batch. The worker of this process hears of it at once. */
void trl_batch_job(trl_batch *batch, const struct trl_job_kind *kind,
    const struct trl_job_terms *terms, const ProtobufCMessage *payload);
void trl_tx_job(trl_tx *tx, const struct trl_job_kind *kind,
    const struct trl_job_terms *terms, const ProtobufCMessage *payload);

/* Ends what this tenant has of the kind under the key, as the operator would
 * (jobs_admin.h), in the batch's transaction: one that waits never runs, and is kept
 * for 14 days as cancelled. One that runs just now is cut off within a second or two,
 * or comes to its end before: what it wrote stands, and so does the outcome of
 * whichever process has its lease; it does not come back. Kinds with dead() are told.
 * The key is free at once: another job of it may be added by the same batch, behind
 * this. Nothing where there is none. */
void trl_batch_job_cancel(
    trl_batch *batch, const struct trl_job_kind *kind, const char *key);
void trl_tx_job_cancel(trl_tx *tx, const struct trl_job_kind *kind, const char *key);

enum { TRL_JOBS_WAITING_MAX = 32 };
/* The first of the jobs of a kind that ctx's tenant has waiting under a key, or
 * running, behind the job after (nil: of all), oldest first; in ctx's arena. For a
 * service that does in an order of its own what they would do: they run all the same,
 * and find it done. sys is of its _sys role. Errors: faults. */
enum trl_code trl_jobs_waiting(trl_ctx *ctx, trl_pg *sys,
    const struct trl_job_kind *kind, struct trl_id after,
    struct trl_job out[TRL_JOBS_WAITING_MAX], size_t *n) TRL_MUST_CHECK;

/* In run(): not done, and no failure either; again at a time of its own, the attempt
 * not counted. Those that failed before stay counted. Returns what run() returns then.
 */
enum trl_code trl_job_again(trl_ctx *ctx, int64_t run_at_us) TRL_MUST_CHECK;
/* In run(): this is done, and the same job comes for what is next, with all its
 * attempts. Returns what run() returns then. */
enum trl_code trl_job_next(trl_ctx *ctx, int64_t run_at_us) TRL_MUST_CHECK;
/* In run(), before it fails: the next attempt comes no earlier. */
void trl_job_not_before(trl_ctx *ctx, int64_t run_at_us);
/* In run(): a failure that no attempt can mend: dead at once. */
enum trl_code trl_job_give_up(trl_ctx *ctx, const char *why) TRL_MUST_CHECK;

/* Work by the clock, once for all replicas; a tick that was missed runs once, and one
 * whose job still waits adds none. Five fields: minute, hour, day of the month, month,
 * weekday; lists, ranges, steps, names (jan, mon), l for the month's last day. A local
 * time that a jump of the clock skips comes at the jump, one that comes twice the first
 * time; where every hour is meant, each real hour counts. */
struct trl_cron {
	const char *name;                /* unique in the service */
	const char *when;                /* five fields: "0 3 * * mon-fri" */
	const char *zone;                /* IANA; NULL: UTC */
	const struct trl_job_kind *kind; /* a job of it, without payload, is added */
};

typedef struct trl_jobs trl_jobs;
