/* plans_in.c - what is heard of billing: each plan's features, and each tenant's plan.
 * They become copies, and then the tenant's epoch is raised, by nobody else: a grant
 * that is asked for after it is made of the copy. Billing raising it would have grants
 * made anew of what is not heard yet.
 *
 * Of a plan that changes no epoch is raised, for nobody knows whose it is: copies of
 * grants end by their age, within 5 s. */
#include "tenants.h"

#include <billing_v1.trl.h>

static void
keep_plan(trl_tx *tx, const struct trl_event *event)
{
	const Billing__V1__PlanEvent *told = (const void *)event->payload;

	if (told->plan && told->has_version)
		trl_tx_add(tx, &tenants_sql_plan_directory_put, &told->base,
		    TRL_ARG_BYTES("document", event->data, event->len));
}

static void
keep_tenants(trl_tx *tx, const struct trl_event *event)
{
	const Billing__V1__EntitlementsEvent *told = (const void *)event->payload;

	trl_tx_add(tx, &tenants_sql_plan_copy_put, &told->base,
	    TRL_ARG_ID("tenant_id", event->tenant),
	    TRL_ARG_BYTES("document", event->data, event->len));
}

static enum trl_code
apply(void *self, trl_ctx *ctx, trl_tx *tx, const struct trl_event *events, size_t n)
{
	(void)self, (void)ctx;
	for (size_t i = 0; i < n; i++) {
		if (events[i].type == &billing_event_plan_changed)
			keep_plan(tx, &events[i]);
		else if (events[i].type == &billing_event_entitlements_changed)
			keep_tenants(tx, &events[i]);
	}
	return TRL_OK;
}

static void
applied(void *state, trl_ctx *ctx, struct trl_id tenant)
{
	struct tenants *self = state;

	if (!trl_id_is_nil(tenant))
		trl_access_bump_tenant(ctx, self->access, tenant);
}

static const char *const types[] = { "billing.plan.changed",
	"billing.entitlements.changed", NULL };

const struct trl_subscription tenants_hears_plans = {
	.name = "plans",
	.producer = "billing",
	.types = types,
	.start = TRL_FROM_SNAPSHOT,
	.apply = apply,
	.applied = applied,
};
