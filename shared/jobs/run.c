/* run.c - one job in one actor. It has the tenant and the trace of the fact that made
 * it, and, as idempotency key, its id: what run() writes by trl_batch_write is
 * recorded under "job:<id>" in the service's schema, so a second run of the same job
 * finds the record and writes nothing. dead() has a key of its own.
 *
 * Whatever run() answers, the job comes to exactly one verdict here; settle.c writes
 * it. */
#include "worker.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include <trl/busiest.h>
#include <trl/log.h>
#include <trl/utf8.h>
#include <trl/validate.h>
#include <trl/wire.h>

static void
fill_ctx(trl_ctx *ctx, const struct trl_job_run *run)
{
	static const char platform[] = "the platform's jobs";
	struct jobs_kind *kind = run->kind;
	char text[TRL_ID_TEXT];

	ctx->service = run->jobs->service;
	ctx->principal.kind = TRL_SERVICE;
	ctx->tenant = run->tenant;
	ctx->job = run->id;
	if (run->has_trace)
		trl_trace_unpack(run->trace, &ctx->trace);
	else
		trl_trace_new(&ctx->trace);
	trl_id_format(run->id, text);
	ctx->idempotency.key = trl_arena_printf(ctx->arena, "job:%s", text);
	/* As long as the job may come back, by its attempts or by an operator. */
	ctx->idempotency.kept_s = JOBS_KEPT_S;
	ctx->idempotency.from_client = true;
	ctx->idempotency.is_retry = true;
	if (trl_id_is_nil(run->tenant))
		crypto_generichash(ctx->idempotency.scope, 16,
		    (const uint8_t *)platform, sizeof platform, NULL, 0);
	else
		memcpy(ctx->idempotency.scope, run->tenant.bytes, 16);
	crypto_generichash(ctx->idempotency.request, 32, run->payload, run->len,
	    (const uint8_t *)kind->kind->name, strnlen(kind->kind->name, 64));
}

static enum trl_code
read_payload(trl_ctx *ctx, const struct trl_job_run *run, struct trl_job *job)
{
	const struct trl_message *rules = run->kind->kind->message;
	ProtobufCMessage *payload;
	enum trl_code rc =
	    trl_wire_decode(ctx, rules->descriptor, run->payload, run->len, &payload);

	if (rc == TRL_OK)
		rc = trl_validate(ctx, rules, payload);
	if (rc != TRL_OK)
		return rc;
	*job = (struct trl_job){
		.id = run->id,
		.tenant = run->tenant,
		.attempt = run->attempt,
		.attempts = run->attempts,
		.payload = payload,
		.made_at_us = run->made_at_us,
		.run_at_us = run->run_at_us,
		.has_key = run->has_key,
	};
	return TRL_OK;
}

static void
keep_error(struct trl_job_run *run, const char *what, const trl_ctx *ctx)
{
	snprintf(run->error, sizeof run->error, "%s%s: %s", what,
	    trl_code_name(ctx->err.code), ctx->err.message);
	trl_utf8_clean(run->error, strlen(run->error), "\t\n");
}

static enum job_verdict
after_failure(struct trl_job_run *run, trl_ctx *ctx, enum trl_code rc)
{
	enum job_verdict asked = run->verdict;

	if (ctx->err.code == TRL_OK)
		trl_fail(ctx, rc, "failed without an error");
	if (run->release)
		return JOB_RELEASED;
	if (run->cancel)
		return JOB_CANCELLED;
	if (asked == JOB_AGAIN)
		return JOB_AGAIN;
	if (run->error[0] == '\0')
		keep_error(run, "", ctx);
	return asked == JOB_DEAD || run->attempt >= run->attempts ? JOB_DEAD
								  : JOB_FAILED;
}

static void *
self_of(const struct trl_job_run *run)
{
	void *own = run->kind->kind->self;

	return own ? own : run->jobs->self;
}

static enum job_verdict
run_it(struct trl_job_run *run, trl_ctx *ctx, const struct trl_job *job)
{
	const struct trl_job_kind *kind = run->kind->kind;
	uint64_t began = trl_mono_us(), now;
	enum trl_code rc;

	run->verdict = JOB_DONE;
	rc = kind->run(self_of(run), ctx, job);
	now = trl_mono_us();
	trl_series_observe_us(run->kind->m.run, now - began);
	trl_busiest_count(job->tenant, TRL_BUSY_CALL,
	    trl_is_fault(rc) && run->verdict != JOB_AGAIN, now - began, now);
	return rc == TRL_OK ? JOB_DONE : after_failure(run, ctx, rc);
}

/* Tells the kind that the job has ended. Where that fails, the job comes back for that
 * only. */
static enum job_verdict
tell_end(struct trl_job_run *run, trl_ctx *ctx, const struct trl_job *job,
    enum job_verdict verdict)
{
	const struct trl_job_kind *kind = run->kind->kind;
	enum trl_code rc;

	if (!kind->dead)
		return verdict;
	trl_err_clear(ctx);
	ctx->idempotency.recorded = ctx->idempotency.replayed = false;
	ctx->idempotency.key =
	    trl_arena_printf(ctx->arena, "%s:dead", ctx->idempotency.key);
	trl_set_deadline(ctx, trl_mono_us() + (uint64_t)run->kind->timeout_ms * 1000);
	rc = kind->dead(self_of(run), ctx, job);
	if (rc == TRL_OK)
		return verdict;
	trl_log(TRL_LOG_ERROR, ctx, "a job's end could not be told",
	    TRL_LOG_STR("kind", kind->name), TRL_LOG_STR("error", ctx->err.message));
	if (run->attempt >= run->attempts + JOBS_HOOK_TRIES)
		return verdict;
	run->hook_cancelled = verdict == JOB_CANCELLED;
	run->hook_only = true;
	return JOB_FAILED;
}

static enum job_verdict
decide(struct trl_job_run *run, trl_ctx *ctx)
{
	enum job_verdict verdict;
	struct trl_job job;

	if (read_payload(ctx, run, &job) != TRL_OK) {
		keep_error(run, "the payload cannot be read: ", ctx);
		return JOB_DEAD; /* and nothing could be told */
	}
	if (run->hook_only)
		return tell_end(
		    run, ctx, &job, run->hook_cancelled ? JOB_CANCELLED : JOB_DEAD);
	verdict = run_it(run, ctx, &job);
	run->recorded = ctx->idempotency.recorded || ctx->idempotency.replayed;
	memcpy(run->scope.bytes, ctx->idempotency.scope, sizeof run->scope.bytes);
	/* In a cancelled actor nothing may park any more: the end of a cancelled job
	 * is told by the next claim. */
	if (verdict == JOB_DEAD && !ctx->cancelled)
		verdict = tell_end(run, ctx, &job, verdict);
	return verdict;
}

/* Of the trace of the fact that made the job, which was over before. */
static void
begin_span(trl_ctx *ctx, struct trl_span *span, const struct trl_job_run *run)
{
	char id[TRL_ID_TEXT];

	trl_span_begin(ctx, span, TRL_SPAN_JOB, run->kind->kind->name);
	if (!span->on)
		return;
	trl_span_link(span);
	trl_id_format(run->id, id);
	trl_span_text(span, id);
}

/* One that only asked to run again has not failed. */
static enum trl_code
span_code(const struct trl_job_run *run, const trl_ctx *ctx)
{
	if (run->verdict != JOB_DEAD && run->verdict != JOB_FAILED)
		return TRL_OK;
	return ctx->err.code != TRL_OK ? ctx->err.code : TRL_INTERNAL;
}

static void
run_actor(trl_ctx *ctx, void *arg)
{
	struct trl_job_run *run = arg;
	struct trl_span span;

	fill_ctx(ctx, run);
	begin_span(ctx, &span, run);
	ctx->job_run = run;
	run->verdict = decide(run, ctx);
	ctx->job_run = NULL;
	if (run->verdict == JOB_DEAD)
		trl_log(TRL_LOG_ERROR, ctx, "a job is dead",
		    TRL_LOG_STR("kind", run->kind->kind->name),
		    TRL_LOG_INT("attempt", run->attempt),
		    TRL_LOG_STR("error", run->error));
	else if (run->verdict == JOB_FAILED)
		trl_log(TRL_LOG_WARN, ctx, "a job failed",
		    TRL_LOG_STR("kind", run->kind->kind->name),
		    TRL_LOG_INT("attempt", run->attempt),
		    TRL_LOG_INT("attempts", run->attempts),
		    TRL_LOG_STR("error", run->error));
	trl_span_end(ctx, &span, span_code(run, ctx));
	run->actor = NULL;
	jobs_ended(run);
}

void
jobs_run(struct trl_job_run *run)
{
	struct trl_spawn spec = { .name = run->kind->kind->name,
		.run = run_actor,
		.arg = run,
		.timeout_ms = run->kind->timeout_ms };

	if (trl_spawn_get(run->jobs->loop, &spec, &run->actor) == TRL_OK)
		return;
	run->actor = NULL;
	run->verdict = JOB_RELEASED; /* too many actors: a little later */
	jobs_ended(run);
}

/* What run() may say. */

enum trl_code
trl_job_again(trl_ctx *ctx, int64_t run_at_us)
{
	trl_assert(ctx->job_run != NULL);
	ctx->job_run->verdict = JOB_AGAIN;
	ctx->job_run->again_at_us = run_at_us;
	trl_err_clear(ctx);
	return trl_fail(ctx, TRL_BUSY, "the job asked to run again");
}

enum trl_code
trl_job_next(trl_ctx *ctx, int64_t run_at_us)
{
	enum trl_code rc = trl_job_again(ctx, run_at_us);

	ctx->job_run->anew = true;
	return rc;
}

void
trl_job_not_before(trl_ctx *ctx, int64_t run_at_us)
{
	trl_assert(ctx->job_run != NULL);
	ctx->job_run->again_at_us = run_at_us;
}

enum trl_code
trl_job_give_up(trl_ctx *ctx, const char *why)
{
	struct trl_job_run *run = ctx->job_run;

	trl_assert(run != NULL);
	run->verdict = JOB_DEAD;
	snprintf(run->error, sizeof run->error, "given up: %s", why);
	trl_utf8_clean(run->error, strlen(run->error), "\t\n");
	trl_err_clear(ctx);
	return trl_fail(ctx, TRL_INTERNAL, "%s", run->error);
}
