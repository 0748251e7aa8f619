/* tell.c - tells how much an organisation stores, for whoever bills it: some seconds
 * after it changed, and once for all that changed meanwhile. So it costs a busy
 * organisation no event a file. The row that all uploads of it change is not held while
 * this process thinks: what was read is told if it is still so, in one trip. */
#include <trl/event.h>

#include <trellis/empty.trl.h>

#include "quota/quota.h"

enum { TELL_AFTER_US = 5000000, TRIES = 8 };

void
quota_tell(trl_batch *work)
{
	trl_ctx *ctx = trl_batch_ctx(work);
	struct trl_job_terms *terms = trl_arena_alloc(ctx->arena, sizeof *terms);

	*terms = (struct trl_job_terms){ .key = "storage",
		.run_at_us = trl_now(ctx) + TELL_AFTER_US };
	trl_batch_job(work, &quota_tell_job, terms, NULL);
}

/* Errors: TRL_CONFLICT (it is another by now). */
static enum trl_code
tell(struct media *self, trl_ctx *ctx, struct trl_id tenant)
{
	const struct trl_scope scope = TRL_SCOPE_TENANT(tenant);
	Media__V1__StorageEvent now = MEDIA__V1__STORAGE_EVENT__INIT;
	trl_batch *work;
	enum trl_code rc = trl_fold(
	    ctx, trl_batch_get_one(ctx, self->pg, scope, &media_sql_storage_used, NULL,
		     &now.base, TRL_ARG_ID("tenant_id", tenant)));

	if (rc != TRL_OK || !now.has_used) /* nothing was ever stored */
		return rc;
	work = trl_batch_new(ctx, self->pg, scope);
	trl_batch_add(
	    work, &media_sql_storage_still, &now.base, TRL_ARG_ID("tenant_id", tenant));
	trl_batch_event(work, &media_event_storage_changed, tenant, &now.base);
	return trl_batch_write_unrecorded(work);
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	struct media *self = state;
	enum trl_code rc = TRL_CONFLICT;

	for (unsigned i = 0; rc == TRL_CONFLICT && i < TRIES; i++) {
		trl_err_clear(ctx);
		rc = tell(self, ctx, job->tenant);
	}
	if (rc != TRL_CONFLICT)
		return rc;
	trl_err_clear(ctx);
	return trl_job_again(ctx, trl_now(ctx) + TELL_AFTER_US);
}

const struct trl_job_kind quota_tell_job = {
	.name = "tell_storage",
	.message = &trellis_empty_rules,
	.run = run,
};
