/* tenants.GetEntitlements - what the organisation may use, and how much of it is used.
 * GetEntitlement - the same of one feature, for a service that limits by it. */
#include "seats.h"

#include <string.h>

static Tenants__V1__Entitlement *
entitlement_new(trl_ctx *ctx, const struct tenants_feature *feature, int64_t seats_used)
{
	const Billing__V1__Entitlement *value = feature->value;
	Tenants__V1__Entitlement *out = tenants_v1_entitlement_new(ctx);

	out->feature = value->feature;
	out->name = value->name;
	trl_set(out, type, (Tenants__V1__Entitlements__Type)value->type);
	out->has_boolean = value->has_boolean;
	out->boolean = value->boolean;
	out->has_number = value->has_number;
	out->number = value->number;
	out->text = value->text;
	trl_set(out, source,
	    feature->own ? TENANTS__V1__ENTITLEMENT__SOURCE__operator
			 : TENANTS__V1__ENTITLEMENT__SOURCE__plan);
	if (strcmp(value->feature, TENANTS_SEATS) == 0) {
		trl_set(out, used, seats_used);
		trl_set(out, over_limit, out->has_number && seats_used > out->number);
	}
	return out;
}

enum trl_code
tenants_get_entitlements(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__GetEntitlementsRequest *in, Tenants__V1__Entitlements *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	Tenants__V1__SeatsRow seats = TENANTS__V1__SEATS_ROW__INIT;
	struct tenants_entitled entitled;
	Tenants__V1__EntitledRow row;
	enum trl_code rc;

	(void)in;
	tenants_entitled_get(work, ctx->tenant, &row);
	trl_batch_get(work, &tenants_sql_seats_used, NULL, &seats.base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_TIME("now", trl_now(ctx)));
	rc = trl_batch_read(work);
	if (rc == TRL_OK)
		rc = tenants_entitled_read(ctx, &row, &entitled);
	if (rc != TRL_OK)
		return rc;
	out->plan = (char *)(uintptr_t)entitled.plan;
	out->plan_name = (char *)(uintptr_t)entitled.plan_name;
	out->items =
	    trl_arena_alloc(ctx->arena, (entitled.n + 1) * sizeof out->items[0]);
	for (size_t i = 0; i < entitled.n; i++)
		out->items[out->n_items++] =
		    entitlement_new(ctx, &entitled.features[i], seats.used);
	return TRL_OK;
}

/* Errors: TRL_INVALID (no tenant). */
enum trl_code
tenants_get_entitlement(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__GetEntitlementRequest *in, Tenants__V1__GetEntitlementReply *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	const Billing__V1__Entitlement *value;
	struct tenants_entitled entitled;
	Tenants__V1__EntitledRow row;
	enum trl_code rc;

	if (trl_id_is_nil(ctx->tenant))
		return trl_fail(ctx, TRL_INVALID, "The call has no organisation.");
	tenants_entitled_get(work, ctx->tenant, &row);
	rc = trl_batch_read(work);
	if (rc == TRL_OK)
		rc = tenants_entitled_read(ctx, &row, &entitled);
	if (rc != TRL_OK)
		return rc;
	value = tenants_entitled_to(&entitled, in->feature);
	out->plan = (char *)(uintptr_t)entitled.plan;
	trl_set(out, known, value != NULL);
	if (!value)
		return TRL_OK;
	out->has_boolean = value->has_boolean;
	out->boolean = value->boolean;
	out->has_number = value->has_number;
	out->number = value->number;
	out->text = value->text;
	if (value->type == BILLING__V1__FEATURE__TYPE__number)
		trl_set(out, unlimited, !value->has_number);
	return TRL_OK;
}
