/* jobs_admin.h - what the operator sees of a service's jobs and may do to them. In an
 * actor, under the worker's own pool: every tenant's jobs. */
#pragma once

#include <trl/jobs.h>

struct trl_job_row {
	struct trl_id id, tenant; /* nil: the platform's */
	const char *kind;
	const char *state; /* scheduled, ready, running, dead, cancelled */
	int priority;
	unsigned attempt, attempts;
	const char *key;   /* or "" */
	const char *error; /* of the last run, or "" */
	int64_t made_at_us, run_at_us;
	int64_t lease_until_us, ended_at_us; /* 0: none */
	/* Only of trl_jobs_show: */
	const uint8_t *payload;
	size_t payload_len;
	const struct trl_message *message; /* its rules; NULL: a kind not known here */
	bool has_trace;
	struct trl_trace trace; /* of the fact that made it */
};

struct trl_job_filter {
	const char *state, *kind;    /* NULL: any */
	const struct trl_id *tenant; /* NULL: any */
	struct trl_id after;         /* the last id of the page before, or nil */
	unsigned limit;              /* 1 to 200 */
};

/* Jobs in rising order of their ids; in ctx's arena. */
enum trl_code trl_jobs_list(trl_jobs *jobs, trl_ctx *ctx,
    const struct trl_job_filter *filter, struct trl_job_row **rows,
    size_t *n) TRL_MUST_CHECK;
/* Errors: TRL_NOT_FOUND. */
enum trl_code trl_jobs_show(trl_jobs *jobs, trl_ctx *ctx, struct trl_id id,
    struct trl_job_row *out) TRL_MUST_CHECK;
/* A dead or cancelled job is ready once more, with all its attempts. reply goes into
 * the idempotency record of ctx's key, where it has one; may be NULL.
 * Errors: TRL_NOT_FOUND, TRL_PRECONDITION (it has not ended), those of a write. */
enum trl_code trl_jobs_retry(trl_jobs *jobs, trl_ctx *ctx, struct trl_id id,
    ProtobufCMessage *reply) TRL_MUST_CHECK;
/* A job that waits ends, after dead() was run where the kind has one; one that runs is
 * asked to: its actor is cancelled within a second or two.
 * Errors: TRL_NOT_FOUND, TRL_PRECONDITION (it has ended), those of a write. */
enum trl_code trl_jobs_cancel(trl_jobs *jobs, trl_ctx *ctx, struct trl_id id,
    ProtobufCMessage *reply) TRL_MUST_CHECK;
