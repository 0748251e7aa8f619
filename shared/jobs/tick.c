/* tick.c - crons: a row each with its next time. When that has come, the row moves on
 * by an update that names the time it had, so only one replica adds the job, in the
 * same transaction. The new time is the first one after now: ticks that were missed
 * (nobody ran) come once. While the job of the last tick waits, its key keeps a
 * second one away. */
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/batch.h>
#include <trl/complain.h>
#include <trl/log.h>

#include "cron.h"
#include "framework_sql.h"
#include "job_rows.pb-c.h"

static void
complain(const trl_jobs *jobs, const struct trl_cron *cron, const char *what,
    const char *why)
{
	trl_complain("%s: cron %s: the %s \"%s\": %s", jobs->service, cron->name, what,
	    strcmp(what, "zone") == 0 ? cron->zone : cron->when, why);
}

enum trl_code
jobs_crons_open(trl_jobs *jobs, const struct trl_cron *const *crons)
{
	size_t n = 0;

	while (crons && crons[n])
		n++;
	jobs->crons = calloc(n + 1, sizeof *jobs->crons);
	jobs->cron_names = calloc(n + 1, sizeof *jobs->cron_names);
	trl_assert(jobs->crons != NULL && jobs->cron_names != NULL);
	for (size_t i = 0; i < n; i++) {
		struct jobs_cron *cron = &jobs->crons[i];
		const char *why;

		cron->cron = crons[i];
		jobs->cron_names[i] = crons[i]->name;
		jobs->n_crons = i + 1;
		cron->spec = calloc(1, sizeof *cron->spec);
		trl_assert(cron->spec != NULL);
		why = cron_parse(crons[i]->when, cron->spec);
		if (why) {
			complain(jobs, crons[i], "time", why);
			return TRL_INTERNAL;
		}
		if (!crons[i]->zone || strcmp(crons[i]->zone, "UTC") == 0)
			continue;
		why = trl_zone_open(crons[i]->zone, &cron->zone);
		if (why) {
			complain(jobs, crons[i], "zone", why);
			return TRL_INTERNAL;
		}
	}
	jobs->crons_known = n == 0;
	return TRL_OK;
}

void
jobs_crons_close(trl_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n_crons; i++) {
		free(jobs->crons[i].spec);
		trl_zone_close(&jobs->crons[i].zone);
	}
	free(jobs->crons);
	free(jobs->cron_names);
}

/* Wall microseconds of the tick after now. */
static int64_t
next_us(const trl_ctx *ctx, const struct jobs_cron *cron)
{
	int64_t now = trl_now(ctx) / 1000000, at;

	/* cron_parse saw that there is one. */
	trl_assert(cron_next(cron->spec, cron->zone, now, &at));
	return at * 1000000;
}

enum trl_code
jobs_crons_add(trl_jobs *jobs, trl_ctx *ctx)
{
	trl_batch *batch = jobs_batch(jobs, ctx);
	enum trl_code rc;

	for (size_t i = 0; i < jobs->n_crons; i++) {
		const struct trl_cron *cron = jobs->crons[i].cron;

		trl_batch_add(batch, &trl_sql_cron_add, NULL,
		    TRL_ARG_TEXT("name", cron->name),
		    TRL_ARG_TEXT(
			"spec", trl_arena_printf(ctx->arena, "%s %s", cron->when,
				    cron->zone ? cron->zone : "UTC")),
		    TRL_ARG_TIME("next_at", next_us(ctx, &jobs->crons[i])));
	}
	rc = trl_batch_write_unrecorded(batch);
	jobs->crons_known = rc == TRL_OK;
	return rc;
}

static struct jobs_cron *
cron_of(trl_jobs *jobs, const char *name)
{
	for (size_t i = 0; name && i < jobs->n_crons; i++)
		if (strcmp(jobs->cron_names[i], name) == 0)
			return &jobs->crons[i];
	return NULL;
}

enum trl_code
jobs_tick(trl_jobs *jobs, trl_ctx *ctx)
{
	Jobs__Ticks ticks = JOBS__TICKS__INIT;
	trl_batch *read = jobs_batch(jobs, ctx), *work = jobs_batch(jobs, ctx);
	uint8_t *trace;
	enum trl_code rc;

	trl_batch_get(read, &trl_sql_cron_due, NULL, &ticks.base,
	    TRL_ARG_TEXTS("crons", jobs->cron_names, jobs->n_crons));
	rc = trl_batch_read(read);
	for (size_t i = 0; rc == TRL_OK && i < ticks.n_items; i++) {
		const Jobs__Tick *tick = ticks.items[i];
		struct jobs_cron *cron = cron_of(jobs, tick->name);
		const struct trl_job_kind *kind;
		struct trl_trace its;

		if (!cron)
			continue;
		kind = cron->cron->kind;
		trl_trace_new(&its);
		memset(its.span_id, 0, sizeof its.span_id); /* no span caused it */
		trace = trl_arena_alloc(ctx->arena, TRL_TRACE_BYTES);
		trl_trace_pack(&its, trace);
		trl_batch_add(work, &trl_sql_cron_tick, NULL,
		    TRL_ARG_TEXT("name", cron->cron->name),
		    TRL_ARG_TIME("was", tick->next_at),
		    TRL_ARG_TIME("next_at", next_us(ctx, cron)),
		    TRL_ARG_ID("id", trl_new_id(ctx)), TRL_ARG_TEXT("kind", kind->name),
		    TRL_ARG_INT("attempts",
			kind->attempts ? kind->attempts : JOBS_DEFAULT_ATTEMPTS),
		    TRL_ARG_BYTES("trace", trace, TRL_TRACE_BYTES));
		trl_batch_news(work, TRL_PG_JOBS, jobs_news_of(kind));
	}
	return rc == TRL_OK && ticks.n_items > 0 ? trl_batch_write_unrecorded(work)
						 : rc;
}
