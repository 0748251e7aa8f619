/* tell.c - tells how much an organisation stores, for whoever bills it: some seconds
 * after it changed, and once for all that changed meanwhile. So it costs a busy
 * organisation no event a file. */
#include <trl/event.h>
#include <trl/tx.h>

#include <trellis/empty.trl.h>

#include "quota/quota.h"

enum { TELL_AFTER_US = 5000000 };

void
quota_tell(trl_batch *work)
{
	trl_ctx *ctx = trl_batch_ctx(work);
	struct trl_job_terms *terms = trl_arena_alloc(ctx->arena, sizeof *terms);

	*terms = (struct trl_job_terms){ .key = "storage",
		.run_at_us = trl_now(ctx) + TELL_AFTER_US };
	trl_batch_job(work, &quota_tell_job, terms, NULL);
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;
	Media__V1__StorageEvent told = MEDIA__V1__STORAGE_EVENT__INIT;
	struct media *self = state;
	enum trl_code rc =
	    trl_tx_begin(ctx, self->pg, TRL_SCOPE_TENANT(job->tenant), &tx);

	trl_set(&told, used, 0);
	if (rc == TRL_OK)
		rc = trl_tx_run(tx, &media_sql_storage_lock, NULL, &told.base,
		    TRL_ARG_ID("tenant_id", job->tenant));
	if (rc != TRL_OK)
		return rc;
	trl_tx_event(tx, &media_event_storage_changed, job->tenant, &told.base);
	return trl_tx_commit(&tx, NULL);
}

const struct trl_job_kind quota_tell_job = {
	.name = "tell_storage",
	.message = &trellis_empty_rules,
	.run = run,
};
