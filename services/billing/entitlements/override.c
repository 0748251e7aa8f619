/* billing.OverrideEntitlement - the operator gives an organisation what its plan does
 * not. */
#include "entitlements/entitlements.h"

#include <string.h>

#include "turn/turn.h"

struct wanted {
	const Billing__V1__OverrideEntitlementRequest *in;
	Billing__V1__Overrides *out;
};

/* The list with the value in the place of the former one, or without it. False: there
 * would be too many. */
static bool
put_override(trl_ctx *ctx, const Billing__V1__Overrides *now,
    Billing__V1__FeatureValue *value, bool remove, Billing__V1__Overrides *out)
{
	out->n_items = 0;
	out->items =
	    trl_arena_alloc(ctx->arena, (now->n_items + 1) * sizeof out->items[0]);
	for (size_t i = 0; i < now->n_items; i++)
		if (strcmp(now->items[i]->feature, value->feature) != 0)
			out->items[out->n_items++] = now->items[i];
	if (!remove)
		out->items[out->n_items++] = value;
	return out->n_items <= ENTITLED_OVERRIDES_MAX;
}

/* Errors: TRL_INVALID (no such feature, or a value of another type), TRL_QUOTA. */
static enum trl_code
decide(struct turn *turn, void *arg, struct life_outcome *out)
{
	const struct wanted *wanted = arg;
	Billing__V1__FeatureValue *value = wanted->in->value;
	struct account *account = &turn->account;
	Billing__V1__Overrides *next = billing_v1_overrides_new(turn->ctx);
	const char *why = wanted->in->remove
			      ? NULL
			      : catalogue_value_fault(account->catalogue, value);

	(void)out;
	if (why)
		return trl_fail_field(turn->ctx, TRL_INVALID, "value", "%s", why);
	if (!put_override(
		turn->ctx, account->overrides, value, wanted->in->remove, next))
		return trl_fail(turn->ctx, TRL_QUOTA,
		    "An organisation may have %d of these.", ENTITLED_OVERRIDES_MAX);
	account->overrides = next;
	turn->entitles = true;
	trl_batch_add(turn->work,
	    wanted->in->remove ? &billing_sql_entitlement_remove
			       : &billing_sql_entitlement_put,
	    &value->base, TRL_ARG_ID("tenant_id", account->tenant));
	return TRL_OK;
}

static ProtobufCMessage *
show(struct turn *turn, void *arg)
{
	const struct wanted *wanted = arg;

	*wanted->out = *turn->account.overrides;
	return &wanted->out->base;
}

enum trl_code
billing_override_entitlement(struct billing *self, trl_ctx *ctx,
    const Billing__V1__OverrideEntitlementRequest *in, Billing__V1__Overrides *out)
{
	static const struct turn_kind kind = { "billing.entitlement.override", decide,
		show };
	struct wanted wanted = { in, out };

	return turn_run(self, ctx, &kind, &wanted);
}
