/* entitled.h - what a tenant may use, by the copies of what billing told (plans_in.c):
 * its plan's features, with what the operator gave it in their place. Where billing
 * never said that there are plans, nothing is known, and nothing is limited by it. */
#pragma once

#include <billing_v1.trl.h>

#include "tenants.h"

struct tenants_entitled {
	bool known;
	const char *plan, *plan_name;
	size_t n;
	struct tenants_feature {
		const Billing__V1__Entitlement *value;
		bool own; /* the operator's */
	} * features;
};

/* Adds that row is filled; then reads it. Errors: TRL_INTERNAL. */
void tenants_entitled_get(
    trl_batch *work, struct trl_id tenant, Tenants__V1__EntitledRow *row);
enum trl_code tenants_entitled_read(trl_ctx *ctx, const Tenants__V1__EntitledRow *row,
    struct tenants_entitled *out) TRL_MUST_CHECK;

/* Whether the plan has a feature at all: on, above 0, not empty. Without plans it has
 * every one. */
bool tenants_entitled_has(const struct tenants_entitled *entitled, const char *feature);
/* NULL: no plan has such a feature. */
const Billing__V1__Entitlement *tenants_entitled_to(
    const struct tenants_entitled *entitled, const char *feature);
