/* lease.c - keeping leases, losing them, and taking over those that ran out. A third
 * of a lease after another, one statement renews all that this worker holds. What
 * it does not find is another's by now: its actor is cancelled and its outcome
 * dropped. Where a lease could not be renewed in time (this process stood still or is
 * cut off) the actor is cancelled too, for another may run the job; whose the outcome
 * is, the row's token decides. */
#include "worker.h"

#include <stdlib.h>
#include <string.h>

#include <trl/batch.h>
#include <trl/log.h>

#include "framework_sql.h"
#include "job_rows.pb-c.h"

enum { BEAT_TIMEOUT_MS = 5000 };

static void
lose(struct trl_job_run *run)
{
	if (run->lost)
		return;
	run->lost = true;
	if (run->actor)
		trl_cancel(run->actor);
}

static void
cancel_late(trl_jobs *jobs)
{
	uint64_t now = trl_mono_us();

	for (struct trl_job_run *r = jobs->held; r; r = r->next)
		if (r->lease_until < now && r->actor)
			trl_cancel(r->actor);
}

static int
by_id(const void *a, const void *b)
{
	const Jobs__Held *const *x = a, *const *y = b;

	return memcmp((*x)->id.data, (*y)->id.data, 16);
}

static const Jobs__Held *
find(const Jobs__HeldList *kept, const struct trl_job_run *run)
{
	Jobs__Held want = JOBS__HELD__INIT, *key = &want, **found = NULL;

	want.id.data = (uint8_t *)run->id.bytes;
	if (kept->n_items > 0)
		found = bsearch(
		    &key, kept->items, kept->n_items, sizeof(Jobs__Held *), by_id);
	return found ? *found : NULL;
}

/* A run that came since keeps its own lease, and one whose outcome is on its way may
 * be gone for a good reason. */
static void
apply(trl_jobs *jobs, Jobs__HeldList *kept, uint64_t lease_until)
{
	if (kept->n_items > 0)
		qsort(kept->items, kept->n_items, sizeof(Jobs__Held *), by_id);
	for (struct trl_job_run *r = jobs->held; r; r = r->next) {
		const Jobs__Held *row = r->asked ? find(kept, r) : NULL;

		if (row) {
			r->lease_until = lease_until;
			if (row->cancel && !r->cancel && r->actor) {
				r->cancel = true;
				trl_cancel(r->actor);
			}
		} else if (r->asked && r->actor) {
			lose(r);
		}
	}
}

static void
beat(trl_ctx *ctx, void *arg)
{
	trl_jobs *jobs = arg;
	size_t n = 0;
	uint64_t lease_until = trl_mono_us() + (uint64_t)jobs->lease_ms * 1000;
	struct trl_id *ids = trl_arena_alloc(ctx->arena, jobs->n_held * sizeof *ids);
	struct trl_id *tokens =
	    trl_arena_alloc(ctx->arena, jobs->n_held * sizeof *tokens);
	Jobs__HeldList kept = JOBS__HELD_LIST__INIT;
	enum trl_code rc = TRL_OK;

	ctx->service = jobs->service;
	cancel_late(jobs);
	for (struct trl_job_run *r = jobs->held; r; r = r->next) {
		r->asked = !r->lost;
		if (r->asked) {
			ids[n] = r->id;
			tokens[n++] = r->token;
		}
	}
	if (n > 0) {
		trl_batch *batch = jobs_batch(jobs, ctx);

		trl_batch_get(batch, &trl_sql_job_renew, NULL, &kept.base,
		    TRL_ARG_IDS("ids", ids, n), TRL_ARG_IDS("tokens", tokens, n),
		    TRL_ARG_INT("lease_ms", jobs->lease_ms));
		rc = trl_batch_write_unrecorded(batch);
		if (rc == TRL_OK)
			apply(jobs, &kept, lease_until);
		else
			trl_log_err(ctx);
	}
	jobs->beating = false;
}

void
jobs_beat(trl_jobs *jobs)
{
	struct trl_spawn spec = { .name = "jobs heartbeat",
		.run = beat,
		.arg = jobs,
		.timeout_ms = BEAT_TIMEOUT_MS };

	if (!jobs->beating && jobs->held)
		jobs->beating = trl_spawn(jobs->loop, &spec) == TRL_OK;
}

void
jobs_release_all(trl_jobs *jobs)
{
	for (struct trl_job_run *r = jobs->held; r; r = r->next)
		if (r->actor && !r->release) {
			r->release = true;
			trl_cancel(r->actor);
		}
}

static size_t
decide(trl_jobs *jobs, const Jobs__HeldList *rows, struct jobs_back *backs)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n_items; i++) {
		const Jobs__Held *row = rows->items[i];
		struct jobs_kind *kind = jobs_kind_of(jobs, row->kind);

		if (!kind || row->id.len != 16 || row->token.len != 16)
			continue;
		backs[n] = jobs_after_failure(kind, row->attempt, row->attempts,
		    row->ending ? row->ending : "", "its worker was lost");
		memcpy(backs[n].id.bytes, row->id.data, 16);
		memcpy(backs[n++].token.bytes, row->token.data, 16);
		trl_series_add(kind->m.lapsed, 1);
	}
	return n;
}

enum trl_code
jobs_rescue(trl_jobs *jobs, trl_ctx *ctx)
{
	Jobs__HeldList rows = JOBS__HELD_LIST__INIT, others = JOBS__HELD_LIST__INIT;
	trl_batch *read = jobs_batch(jobs, ctx), *work = jobs_batch(jobs, ctx);
	struct jobs_back *backs;
	enum trl_code rc;
	size_t n;

	trl_batch_get(read, &trl_sql_job_lapsed, NULL, &rows.base,
	    TRL_ARG_TEXTS("kinds", jobs->names, jobs->n_kinds));
	rc = trl_batch_read(read);
	if (rc != TRL_OK || rows.n_items == 0)
		return rc;
	backs = trl_arena_alloc(ctx->arena, rows.n_items * sizeof *backs);
	n = decide(jobs, &rows, backs);
	if (n == 0)
		return TRL_OK;
	trl_log(TRL_LOG_WARN, ctx, "jobs whose worker was lost are taken over",
	    TRL_LOG_INT("jobs", n));
	jobs_send_back(ctx, work, backs, n, true, &others.base);
	return trl_batch_write_unrecorded(work);
}
