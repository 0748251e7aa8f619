/* settle.c - outcomes into the database: those of a turn, and all that gathered while
 * the last statement was on its way, leave as one. Rows are touched only where the
 * lease is still this worker's: an outcome that comes too late is dropped and
 * counted ("fenced").
 *
 * Where most of what runs has not ended yet, a few milliseconds are waited for more:
 * each statement costs about as much as its jobs do, and so does the claim behind it.
 *
 * A slot is free once its outcome is written: until then the database counts the job
 * as running, too, and a claim would find the tenant at its cap.
 *
 * Where the answer is lost, the same is sent again until one comes; it does no harm
 * twice. A row that is not found then was either settled by the first try or is
 * another's, and is not counted. Where PostgreSQL refuses a statement, its outcomes
 * are sent one by one, so that a bad one holds up no other; it is let go after a few
 * tries, and its lease runs out. */
#include "worker.h"

#include <stdlib.h>
#include <string.h>

#include <trl/batch.h>
#include <trl/log.h>

#include "framework_sql.h"
#include "job_rows.pb-c.h"

enum {
	SETTLE_TIMEOUT_MS = 5000,
	SETTLE_AGAIN_MS = 50,
	SETTLE_AGAIN_MOST_MS = 1000,
	GATHER_MS = 8,
	REFUSALS_MAX = 5
};

struct settling {
	struct trl_job_run **runs;
	size_t n, n_done, n_back, n_records;
	struct trl_id *done_ids, *done_tokens;
	struct trl_id *record_ids, *record_scopes;
	struct jobs_back *backs;
};

struct jobs_back
jobs_after_failure(const struct jobs_kind *kind, unsigned attempt, unsigned attempts,
    const char *ending, const char *error)
{
	struct jobs_back back = {
		.state = "scheduled",
		.error = error,
		.ending = ending,
		.delay_ms = jobs_backoff_ms(kind->kind, attempt),
	};
	bool hook = kind->kind->dead != NULL;

	if (ending[0] != '\0' && (!hook || attempt >= attempts + JOBS_HOOK_TRIES)) {
		back.state = ending; /* told often enough */
	} else if (ending[0] == '\0' && attempt >= attempts) {
		back.state = hook ? "ready" : "dead";
		back.ending = hook ? "dead" : "";
		back.delay_ms = 0;
	}
	return back;
}

static struct jobs_back
back_of(const struct trl_job_run *run)
{
	struct jobs_back back = {
		.state = "scheduled", .error = run->error, .ending = ""
	};
	int64_t now = trl_wall_us();
	int64_t asked_ms = run->again_at_us > now ? (run->again_at_us - now) / 1000 : 0;
	bool hook = run->kind->kind->dead != NULL;
	const char *ending = !run->hook_only       ? ""
			     : run->hook_cancelled ? "cancelled"
						   : "dead";

	switch (run->verdict) {
	case JOB_FAILED:
		back = jobs_after_failure(
		    run->kind, run->attempt, run->attempts, ending, run->error);
		if (strcmp(back.state, "scheduled") == 0 && back.delay_ms < asked_ms)
			back.delay_ms = asked_ms;
		break;
	case JOB_AGAIN:
		back.uncounted = run->anew ? run->attempt : 1;
		back.delay_ms = asked_ms;
		break;
	case JOB_RELEASED:
		back.uncounted = 1;
		back.ending = ending;
		back.delay_ms = run->release ? 0 : 1000;
		break;
	case JOB_CANCELLED:
		if (hook && !run->hook_only) { /* the next claim tells it */
			back.state = "ready";
			back.ending = "cancelled";
		} else {
			back.state = "cancelled";
		}
		break;
	default:
		back.state = "dead";
		break;
	}
	if (strcmp(back.state, "scheduled") == 0 && back.delay_ms == 0)
		back.state = "ready";
	back.id = run->id;
	back.token = run->token;
	return back;
}

static ProtobufCBinaryData *
id_array(trl_arena *arena, const struct jobs_back *backs, size_t n, bool token)
{
	ProtobufCBinaryData *all = trl_arena_alloc(arena, n * sizeof *all);

	for (size_t i = 0; i < n; i++)
		all[i] = (ProtobufCBinaryData){ 16,
			(uint8_t *)(token ? backs[i].token.bytes : backs[i].id.bytes) };
	return all;
}

void
jobs_send_back(trl_ctx *ctx, trl_batch *batch, const struct jobs_back *backs, size_t n,
    bool lapsed, ProtobufCMessage *fenced)
{
	Jobs__Back *in = trl_arena_alloc(ctx->arena, sizeof *in);

	jobs__back__init(in);
	in->n_ids = in->n_tokens = in->n_states = in->n_delays_ms = in->n_errors =
	    in->n_uncounted = in->n_endings = n;
	in->ids = id_array(ctx->arena, backs, n, false);
	in->tokens = id_array(ctx->arena, backs, n, true);
	in->states = trl_arena_alloc(ctx->arena, n * sizeof *in->states);
	in->errors = trl_arena_alloc(ctx->arena, n * sizeof *in->errors);
	in->endings = trl_arena_alloc(ctx->arena, n * sizeof *in->endings);
	in->delays_ms = trl_arena_alloc(ctx->arena, n * sizeof *in->delays_ms);
	in->uncounted = trl_arena_alloc(ctx->arena, n * sizeof *in->uncounted);
	for (size_t i = 0; i < n; i++) {
		in->states[i] = (char *)backs[i].state;
		in->errors[i] = (char *)backs[i].error;
		in->endings[i] = (char *)backs[i].ending;
		in->delays_ms[i] = backs[i].delay_ms;
		in->uncounted[i] = (int32_t)backs[i].uncounted;
	}
	trl_batch_get(batch, &trl_sql_job_back, &in->base, fenced,
	    TRL_ARG_BOOL("lapsed", lapsed));
}

/* Takes what ended; runs whose lease is lost write nothing. */
static void
gather(trl_jobs *jobs, trl_ctx *ctx, struct settling *out)
{
	size_t most = jobs->settle_singly > 0 ? 1 : JOBS_SETTLE_MAX;

	*out = (struct settling){
		.runs = trl_arena_alloc(ctx->arena, most * sizeof *out->runs),
		.done_ids = trl_arena_alloc(ctx->arena, most * sizeof *out->done_ids),
		.done_tokens =
		    trl_arena_alloc(ctx->arena, most * sizeof *out->done_tokens),
		.record_ids =
		    trl_arena_alloc(ctx->arena, most * sizeof *out->record_ids),
		.record_scopes =
		    trl_arena_alloc(ctx->arena, most * sizeof *out->record_scopes),
	};
	size_t n_back = 0;
	for (struct trl_job_run *r = jobs->ended; r && out->n < most; r = r->next_ended)
		n_back += r->verdict != JOB_DONE;
	out->backs = trl_arena_alloc(ctx->arena, n_back * sizeof *out->backs);
	while (jobs->ended && out->n < most) {
		struct trl_job_run *run = jobs->ended;

		jobs->ended = run->next_ended;
		if (!jobs->ended)
			jobs->ended_last = &jobs->ended;
		jobs->n_ended--;
		run->next_ended = NULL;
		if (run->lost) {
			trl_log(TRL_LOG_WARN, ctx, "a job's outcome came too late",
			    TRL_LOG_ID("job", run->id),
			    TRL_LOG_STR("kind", run->kind->kind->name));
			trl_series_add(run->kind->m.fenced, 1);
			jobs_forget(run);
			continue;
		}
		out->runs[out->n++] = run;
		if (run->verdict == JOB_DONE) {
			out->done_ids[out->n_done] = run->id;
			out->done_tokens[out->n_done++] = run->token;
			if (run->recorded) {
				out->record_ids[out->n_records] = run->id;
				out->record_scopes[out->n_records++] = run->scope;
			}
		} else {
			out->backs[out->n_back++] = back_of(run);
		}
	}
}

static void
put_back(trl_jobs *jobs, struct settling *all)
{
	for (size_t i = all->n; i-- > 0;) {
		all->runs[i]->tried = true;
		all->runs[i]->next_ended = jobs->ended;
		if (!jobs->ended)
			jobs->ended_last = &all->runs[i]->next_ended;
		jobs->ended = all->runs[i];
		jobs->n_ended++;
	}
}

static bool
lists(const Jobs__HeldList *list, struct trl_id id)
{
	for (size_t i = 0; i < list->n_items; i++)
		if (list->items[i]->id.len == 16 &&
		    memcmp(list->items[i]->id.data, id.bytes, 16) == 0)
			return true;
	return false;
}

static void
count(const struct trl_job_run *run)
{
	struct jobs_kind *kind = run->kind;
	trl_series *series[] = { [JOB_DONE] = kind->m.done,
		[JOB_FAILED] = kind->m.failed,
		[JOB_AGAIN] = kind->m.again,
		[JOB_DEAD] = kind->m.dead,
		[JOB_CANCELLED] = kind->m.cancelled,
		[JOB_RELEASED] = kind->m.released };

	trl_series_add(series[run->verdict], 1);
}

static void
settled(trl_ctx *ctx, struct settling *all, const Jobs__HeldList *not_done,
    const Jobs__HeldList *not_back)
{
	for (size_t i = 0; i < all->n; i++) {
		struct trl_job_run *run = all->runs[i];
		const Jobs__HeldList *fenced =
		    run->verdict == JOB_DONE ? not_done : not_back;

		if (!lists(fenced, run->id)) {
			count(run);
		} else if (!run->tried) {
			trl_log(TRL_LOG_WARN, ctx, "a job's outcome came too late",
			    TRL_LOG_ID("job", run->id),
			    TRL_LOG_STR("kind", run->kind->kind->name));
			trl_series_add(run->kind->m.fenced, 1);
		}
		jobs_forget(run);
	}
}

static enum trl_code
send_all(trl_jobs *jobs, trl_ctx *ctx, struct settling *all)
{
	Jobs__HeldList not_done = JOBS__HELD_LIST__INIT;
	Jobs__HeldList not_back = JOBS__HELD_LIST__INIT;
	trl_batch *batch = jobs_batch(jobs, ctx);
	enum trl_code rc;

	if (all->n_done > 0)
		trl_batch_get(batch, &trl_sql_job_done, NULL, &not_done.base,
		    TRL_ARG_IDS("ids", all->done_ids, all->n_done),
		    TRL_ARG_IDS("tokens", all->done_tokens, all->n_done));
	if (all->n_records > 0)
		trl_batch_add(batch, &trl_sql_job_record_done, NULL,
		    TRL_ARG_IDS("ids", all->record_ids, all->n_records),
		    TRL_ARG_IDS("scopes", all->record_scopes, all->n_records));
	if (all->n_back > 0)
		jobs_send_back(
		    ctx, batch, all->backs, all->n_back, false, &not_back.base);
	rc = trl_batch_write_unrecorded(batch);
	if (rc == TRL_OK)
		settled(ctx, all, &not_done, &not_back);
	return rc;
}

/* PostgreSQL would not have it. A key that was taken meanwhile passes with the next
 * try; what is refused again and again is let go. */
static void
be_refused(trl_jobs *jobs, trl_ctx *ctx, struct settling *all)
{
	struct trl_job_run *run = all->runs[0];

	if (all->n > 1) {
		jobs->settle_singly = all->n;
	} else if (++run->refusals >= REFUSALS_MAX) {
		trl_log(TRL_LOG_ERROR, ctx, "a job's outcome cannot be written",
		    TRL_LOG_ID("job", run->id),
		    TRL_LOG_STR("kind", run->kind->kind->name));
		jobs_forget(run);
		all->n = 0;
	}
}

static void
settle_later(trl_jobs *jobs, trl_ctx *ctx, struct settling *all, enum trl_code rc)
{
	uint32_t ms = SETTLE_AGAIN_MS;

	if (jobs->settle_failures++ == 0 || rc == TRL_INTERNAL)
		trl_log_err(ctx);
	if (rc == TRL_INTERNAL)
		be_refused(jobs, ctx, all);
	put_back(jobs, all);
	for (unsigned i = 1; i < jobs->settle_failures && ms < SETTLE_AGAIN_MOST_MS;
	     i++)
		ms *= 2;
	jobs_settle_in(jobs, ms < SETTLE_AGAIN_MOST_MS ? ms : SETTLE_AGAIN_MOST_MS);
}

static void
settle(trl_ctx *ctx, void *arg)
{
	trl_jobs *jobs = arg;
	struct settling all;
	enum trl_code rc = TRL_OK;

	ctx->service = jobs->service;
	trl_yield(ctx); /* what ends in this turn goes along */
	if (2 * jobs->n_ended < jobs->n_held && !jobs->draining &&
	    trl_sleep(ctx, GATHER_MS) != TRL_OK)
		trl_err_clear(ctx);
	gather(jobs, ctx, &all);
	if (all.n > 0)
		rc = send_all(jobs, ctx, &all);
	jobs->settling = false;
	if (rc != TRL_OK) {
		settle_later(jobs, ctx, &all, rc);
		return;
	}
	jobs->settle_failures = 0;
	if (jobs->settle_singly > 0)
		jobs->settle_singly--;
	for (size_t i = 0; i < jobs->n_kinds; i++) {
		jobs->kinds[i].more |= jobs->kinds[i].blocked;
		jobs->kinds[i].blocked = false;
	}
	jobs_settle(jobs);
	jobs_claim(jobs);
}

void
jobs_settle(trl_jobs *jobs)
{
	struct trl_spawn spec = { .name = "jobs settle",
		.run = settle,
		.arg = jobs,
		.timeout_ms = SETTLE_TIMEOUT_MS };

	if (jobs->settling || !jobs->ended)
		return;
	jobs->settling = trl_spawn(jobs->loop, &spec) == TRL_OK;
	if (!jobs->settling)
		jobs_settle_in(jobs, SETTLE_AGAIN_MS);
}

void
jobs_ended(struct trl_job_run *run)
{
	trl_jobs *jobs = run->jobs;

	*jobs->ended_last = run;
	jobs->ended_last = &run->next_ended;
	jobs->n_ended++;
	if (jobs->settle_failures == 0)
		jobs_settle(jobs);
}

void
jobs_forget(struct trl_job_run *run)
{
	trl_jobs *jobs = run->jobs;

	run->kind->running--;
	trl_series_set(run->kind->m.running, run->kind->running);
	if (run->prev)
		run->prev->next = run->next;
	else
		jobs->held = run->next;
	if (run->next)
		run->next->prev = run->prev;
	jobs->n_held--;
	free(run);
}
