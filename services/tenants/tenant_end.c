/* The end of an organisation: a job that DeleteTenant adds for an hour after delete_at,
 * and RestoreTenant cancels, in their own transactions. The hour is for clocks that
 * differ: whether an owner may still restore is decided by a process's clock, when the
 * job's time has come by PostgreSQL's.
 *
 * It tells tenants.tenant.erased, once. By that every service erases what it has of the
 * organisation (bus/service/erase.c), this one too. */
#include <trl/event.h>

#include <empty.trl.h>

#include "tenants.h"

#define HOUR_US (INT64_C(3600) * 1000000)

static const char key[] = "end";

void
tenants_end_at(trl_batch *work, int64_t delete_at_us)
{
	const struct trl_job_terms terms = {
		.key = key, .moves = true, .run_at_us = delete_at_us + HOUR_US
	};

	trl_batch_job(work, &tenants_end_job, &terms, NULL);
}

void
tenants_end_not(trl_batch *work)
{
	trl_batch_job_cancel(work, &tenants_end_job, key);
}

static void
tell(trl_ctx *ctx, trl_tx *tx, struct trl_id tenant)
{
	Tenants__V1__TenantErased *told = tenants_v1_tenant_erased_new(ctx);

	trl_set(told, tenant_id, trl_value_bytes(ctx, tenant));
	trl_tx_event(tx, &tenants_event_tenant_erased, tenant, &told->base);
	trl_tx_audit(tx, "tenants.tenant.erase", tenant, "tenant", NULL);
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;
	struct tenants *self = state;
	tenants_tenant row = TENANTS__V1__TENANT__INIT;
	int64_t end_us;
	enum trl_code rc =
	    trl_tx_begin(ctx, self->pg, TRL_SCOPE_TENANT(job->tenant), &tx);

	if (rc == TRL_OK)
		rc = trl_tx_run(tx, &tenants_sql_tenant_end, NULL, &row.base,
		    TRL_ARG_ID("tenant_id", job->tenant));
	if (rc != TRL_OK)
		return rc;
	/* One without a row was ended by a release that could erase no more than that.
	 */
	if (row.has_status && row.status != TENANTS__V1__TENANT__STATUS__deleting)
		return TRL_OK;
	end_us = row.delete_at ? trl_value_time_us(row.delete_at) : 0;
	if (end_us > trl_now(ctx))
		return trl_job_again(ctx, end_us + HOUR_US);
	tell(ctx, tx, job->tenant);
	return trl_tx_commit(&tx, NULL);
}

const struct trl_job_kind tenants_end_job = {
	.name = "end_tenant",
	.message = &trellis_empty_rules,
	.run = run,
};
