/* tenants.EvaluateFlag, EvaluateFlags - features of the plan as flags of OpenFeature,
 * so that a program reads them by whichever client its language has. */
#include "entitled.h"

#include <string.h>

/* As great as a number that every client holds exactly (RFC 8259, 6). */
#define UNLIMITED INT64_C(9007199254740991)

static void
fill_value(const Billing__V1__Entitlement *value, Tenants__V1__EvaluatedFlag *out)
{
	switch (value->type) {
	case BILLING__V1__FEATURE__TYPE__boolean:
		trl_set(out, boolean, value->boolean);
		out->variant = (char *)(uintptr_t)(value->boolean ? "on" : "off");
		break;
	case BILLING__V1__FEATURE__TYPE__number:
		trl_set(out, number, value->has_number ? value->number : UNLIMITED);
		if (!value->has_number)
			out->variant = (char *)(uintptr_t) "unlimited";
		break;
	default:
		out->text = value->text ? value->text : (char *)(uintptr_t) "";
	}
}

static void
fill(trl_ctx *ctx, const struct tenants_entitled *entitled,
    const struct tenants_feature *feature, Tenants__V1__EvaluatedFlag *out)
{
	out->key = feature->value->feature;
	fill_value(feature->value, out);
	out->reason = (char *)(uintptr_t)(feature->own ? "TARGETING_MATCH" : "STATIC");
	out->metadata = tenants_v1_flag_metadata_new(ctx);
	out->metadata->plan = (char *)(uintptr_t)entitled->plan;
}

static enum trl_code
read(struct tenants *self, trl_ctx *ctx, struct tenants_entitled *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	Tenants__V1__EntitledRow row;
	enum trl_code rc;

	tenants_entitled_get(work, ctx->tenant, &row);
	rc = trl_batch_read(work);
	return rc == TRL_OK ? tenants_entitled_read(ctx, &row, out) : rc;
}

/* Errors: TRL_NOT_FOUND (no plan has such a feature). */
enum trl_code
tenants_evaluate_flag(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__EvaluateFlagRequest *in, Tenants__V1__EvaluatedFlag *out)
{
	struct tenants_entitled entitled;
	enum trl_code rc = read(self, ctx, &entitled);

	if (rc != TRL_OK)
		return rc;
	for (size_t i = 0; i < entitled.n; i++) {
		if (strcmp(entitled.features[i].value->feature, in->key) != 0)
			continue;
		fill(ctx, &entitled, &entitled.features[i], out);
		return TRL_OK;
	}
	return trl_fail(ctx, TRL_NOT_FOUND, "There is no feature %s.", in->key);
}

enum trl_code
tenants_evaluate_flags(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__EvaluateFlagsRequest *in, Tenants__V1__EvaluatedFlags *out)
{
	struct tenants_entitled entitled;
	enum trl_code rc = read(self, ctx, &entitled);

	(void)in;
	if (rc != TRL_OK)
		return rc;
	out->flags =
	    trl_arena_alloc(ctx->arena, (entitled.n + 1) * sizeof out->flags[0]);
	for (size_t i = 0; i < entitled.n; i++) {
		out->flags[i] = tenants_v1_evaluated_flag_new(ctx);
		fill(ctx, &entitled, &entitled.features[i], out->flags[i]);
	}
	out->n_flags = entitled.n;
	return TRL_OK;
}
