/* plans.c - see plans.h. */
#include "catalogue/plans.h"

#include <string.h>

#include <trl/event.h>
#include <trl/wire.h>

const struct trl_id plans_subject = { .bytes = {
					  'p', 'l', 'a', 'n', 's', 0, 0x80, 0, 0x80 } };

const Billing__V1__FeatureValue *
catalogue_value(const billing_plan *plan, const char *feature)
{
	for (size_t i = 0; i < plan->n_features; i++)
		if (strcmp(plan->features[i]->feature, feature) == 0)
			return plan->features[i];
	return NULL;
}

/* What a plan says of a feature; of one that it does not name: no, no limit, nothing. A
 * plan of today names each number (check.c); one that is only kept was made before. */
static Billing__V1__Entitlement *
entitlement_new(trl_ctx *ctx, const billing_plan *plan, const billing_feature *feature)
{
	Billing__V1__Entitlement *out = billing_v1_entitlement_new(ctx);
	const Billing__V1__FeatureValue *value = catalogue_value(plan, feature->key);

	out->feature = feature->key;
	out->name = feature->name;
	trl_set(out, type, feature->type);
	switch (feature->type) {
	case BILLING__V1__FEATURE__TYPE__boolean:
		trl_set(out, boolean, value && value->boolean);
		break;
	case BILLING__V1__FEATURE__TYPE__number:
		out->has_number = value && value->has_number;
		out->number = value ? value->number : 0;
		break;
	default:
		out->text = value ? value->text : trl_arena_strdup(ctx->arena, "");
	}
	return out;
}

const Billing__V1__PlanEvent *
plans_event(trl_ctx *ctx, const billing_catalogue *catalogue, const billing_plan *plan,
    int64_t version)
{
	Billing__V1__PlanEvent *out = billing_v1_plan_event_new(ctx);

	out->plan = plan->key;
	out->name = plan->name;
	trl_set(out, version, version);
	trl_set(out, fallback, strcmp(plan->key, catalogue->fallback_plan) == 0);
	out->features = trl_arena_alloc(
	    ctx->arena, (catalogue->n_features + 1) * sizeof out->features[0]);
	for (size_t i = 0; i < catalogue->n_features; i++)
		out->features[out->n_features++] =
		    entitlement_new(ctx, plan, catalogue->features[i]);
	return out;
}

static bool
is_same(trl_ctx *ctx, const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	const uint8_t *data[2];
	size_t len[2];

	trl_wire_encode(ctx->arena, a, &data[0], &len[0]);
	trl_wire_encode(ctx->arena, b, &data[1], &len[1]);
	return len[0] == len[1] && memcmp(data[0], data[1], len[0]) == 0;
}

static enum trl_code
tell(trl_ctx *ctx, trl_batch *work, const billing_catalogue *now,
    const billing_catalogue *next, const billing_plan *plan, int64_t version)
{
	const billing_plan *former = catalogue_plan(now, plan->key);
	const Billing__V1__PlanEvent *told = plans_event(ctx, next, plan, version);

	if (former &&
	    is_same(ctx, &plans_event(ctx, now, former, version)->base, &told->base))
		return TRL_OK;
	if (protobuf_c_message_get_packed_size(&told->base) > TRL_EVENT_MAX_BYTES)
		return trl_fail(ctx, TRL_INVALID,
		    "The features of the plan %s hold too much text.", plan->key);
	trl_batch_event(work, &billing_event_plan_changed, plans_subject, &told->base);
	return TRL_OK;
}

enum trl_code
plans_tell(trl_ctx *ctx, trl_batch *work, const billing_catalogue *now,
    const billing_catalogue *next, int64_t version)
{
	const billing_plan *first = catalogue_plan(next, next->fallback_plan);
	enum trl_code rc = tell(ctx, work, now, next, first, version);

	for (size_t i = 0; rc == TRL_OK && i < next->n_plans; i++)
		if (next->plans[i] != first)
			rc = tell(ctx, work, now, next, next->plans[i], version);
	return rc;
}
