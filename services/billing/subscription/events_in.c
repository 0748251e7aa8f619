/* events_in.c - what is heard of tenants: see trial.h. What a deletion means for
 * billing says due.h. */
#include <string.h>

#include <tenants_v1.trl.h>

#include "turn/due.h"
#include "subscription/trial.h"

static void
keep_copy(trl_tx *tx, const Tenants__V1__Tenant *tenant)
{
	trl_tx_add(tx, &billing_sql_tenant_copy_put, NULL,
	    TRL_ARG_ID("tenant_id", trl_value_id(tenant->id)),
	    TRL_ARG_BOOL(
		"deleting", tenant->status == TENANTS__V1__TENANT__STATUS__deleting),
	    TRL_ARG_INT("version", tenant->version));
}

static void
add_trial(trl_ctx *ctx, trl_tx *tx, const struct trl_event *event,
    const Tenants__V1__TenantEvent *told)
{
	const struct trl_job_terms terms = { .key = "founding" };
	Billing__V1__TrialJob *job = billing_v1_trial_job_new(ctx);

	trl_set(job, founder, told->by);
	job->founded_at = trl_value_time(ctx, event->at_us);
	trl_tx_job(tx, &trial_job, &terms, &job->base);
}

static enum trl_code
apply(void *self, trl_ctx *ctx, trl_tx *tx, const struct trl_event *events, size_t n)
{
	(void)self;
	for (size_t i = 0; i < n; i++) {
		const struct trl_event *event = &events[i];
		const Tenants__V1__TenantEvent *told = (const void *)event->payload;

		if (!event->type || !told->tenant)
			continue;
		keep_copy(tx, told->tenant);
		if (event->type == &tenants_event_tenant_created && told->has_by)
			add_trial(ctx, tx, event, told);
		else if (event->type == &tenants_event_tenant_restored)
			due_look(tx);
	}
	return TRL_OK;
}

static const char *const types[] = { "tenants.tenant.created", "tenants.tenant.deleted",
	"tenants.tenant.restored", NULL };

const struct trl_subscription billing_hears_tenants = {
	.name = "tenants",
	.producer = "tenants",
	.types = types,
	.start = TRL_FROM_FIRST,
	.apply = apply,
};
