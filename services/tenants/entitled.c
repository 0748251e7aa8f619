/* entitled.c - see entitled.h. */
#include "entitled.h"

#include <string.h>

#include <trl/wire.h>

void
tenants_entitled_get(
    trl_batch *work, struct trl_id tenant, Tenants__V1__EntitledRow *row)
{
	tenants__v1__entitled_row__init(row);
	trl_batch_get(work, &tenants_sql_entitled_get, NULL, &row->base,
	    TRL_ARG_ID("tenant_id", tenant));
}

static const Billing__V1__FeatureValue *
own_value(const Billing__V1__EntitlementsEvent *own, const char *feature)
{
	for (size_t i = 0; own && i < own->n_overrides; i++)
		if (strcmp(own->overrides[i]->feature, feature) == 0)
			return own->overrides[i];
	return NULL;
}

/* Where a price counts seats, those that are paid for are the limit, if they are less.
 */
static void
limit_seats(const Billing__V1__EntitlementsEvent *own, Billing__V1__Entitlement *seats)
{
	if (!own || !own->has_seats)
		return;
	if (!seats->has_number || seats->number > own->seats) {
		trl_set(seats, number, own->seats);
	}
}

static struct tenants_feature
feature_of(trl_ctx *ctx, const Billing__V1__Entitlement *plan,
    const Billing__V1__EntitlementsEvent *own)
{
	Billing__V1__Entitlement *out =
	    trl_arena_memdup(ctx->arena, plan, sizeof *plan);
	const Billing__V1__FeatureValue *value = own_value(own, plan->feature);

	if (strcmp(plan->feature, TENANTS_SEATS) == 0 &&
	    plan->type == BILLING__V1__FEATURE__TYPE__number)
		limit_seats(own, out);
	if (!value)
		return (struct tenants_feature){ out, false };
	out->has_boolean = value->has_boolean;
	out->boolean = value->boolean;
	out->has_number = value->has_number;
	out->number = value->number;
	out->text = value->text;
	return (struct tenants_feature){ out, true };
}

static enum trl_code
read_own(trl_ctx *ctx, const Tenants__V1__EntitledRow *row,
    const Billing__V1__EntitlementsEvent **out)
{
	ProtobufCMessage *message;
	enum trl_code rc;

	*out = NULL;
	if (!row->has_own)
		return TRL_OK;
	rc = trl_wire_decode(ctx, &billing__v1__entitlements_event__descriptor,
	    row->own.data, row->own.len, &message);
	if (rc == TRL_OK)
		*out = (const Billing__V1__EntitlementsEvent *)message;
	return trl_fold(ctx, rc);
}

enum trl_code
tenants_entitled_read(
    trl_ctx *ctx, const Tenants__V1__EntitledRow *row, struct tenants_entitled *out)
{
	const Billing__V1__EntitlementsEvent *own;
	const Billing__V1__PlanEvent *plan;
	ProtobufCMessage *message;
	enum trl_code rc;

	*out = (struct tenants_entitled){ .known = row->has_plan };
	if (!row->has_plan)
		return TRL_OK;
	rc = trl_wire_decode(ctx, &billing__v1__plan_event__descriptor, row->plan.data,
	    row->plan.len, &message);
	if (rc == TRL_OK)
		rc = read_own(ctx, row, &own);
	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	plan = (const Billing__V1__PlanEvent *)message;
	out->plan = plan->plan;
	out->plan_name = plan->name;
	out->features = trl_arena_alloc(
	    ctx->arena, (plan->n_features + 1) * sizeof out->features[0]);
	for (size_t i = 0; i < plan->n_features; i++)
		out->features[out->n++] = feature_of(ctx, plan->features[i], own);
	return TRL_OK;
}

const Billing__V1__Entitlement *
tenants_entitled_to(const struct tenants_entitled *entitled, const char *feature)
{
	for (size_t i = 0; i < entitled->n; i++)
		if (strcmp(entitled->features[i].value->feature, feature) == 0)
			return entitled->features[i].value;
	return NULL;
}

bool
tenants_entitled_has(const struct tenants_entitled *entitled, const char *feature)
{
	const Billing__V1__Entitlement *value = tenants_entitled_to(entitled, feature);

	if (!entitled->known)
		return true;
	if (!value)
		return false;
	switch (value->type) {
	case BILLING__V1__FEATURE__TYPE__boolean:
		return value->boolean;
	case BILLING__V1__FEATURE__TYPE__number:
		return !value->has_number || value->number > 0;
	default:
		return value->text && value->text[0];
	}
}
