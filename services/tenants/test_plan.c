/* test_plan.c - see test_plan.h: events as they come out of a batch, in a transaction
 * of the _sys role, and what follows its commit. */
#include "test_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <billing_v1.trl.h>

#include <trl/wire.h>

#include "test_ground.h"

struct heard {
	const struct trl_event_type *type;
	struct trl_id tenant;
	const ProtobufCMessage *payload;
	enum trl_code rc;
};

static void
hear_in_actor(trl_ctx *ctx, void *arg)
{
	struct heard *heard = arg;
	struct trl_event event = { .type = heard->type,
		.type_name = heard->type->name,
		.tenant = heard->tenant,
		.payload = heard->payload };
	TRL_AUTO(trl_pg_close)
	trl_pg *sys = test_db_open(&world.db, world.loop, &tenants_sql, "sys", NULL);
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;

	trl_wire_encode(ctx->arena, heard->payload, &event.data, &event.len);
	ctx->tenant = heard->tenant;
	heard->rc = trl_tx_open(ctx, sys, TRL_SCOPE_TENANT(heard->tenant), &tx);
	if (heard->rc == TRL_OK)
		heard->rc = tenants_hears_plans.apply(world.self, ctx, tx, &event, 1);
	if (heard->rc == TRL_OK)
		heard->rc = trl_tx_commit(&tx, NULL);
	tenants_hears_plans.applied(world.self, ctx, heard->tenant);
}

static void
hear(const struct trl_event_type *type, struct trl_id tenant,
    const ProtobufCMessage *payload)
{
	struct heard heard = { type, tenant, payload, TRL_OK };

	world_act(hear_in_actor, &heard);
	assert_int_equal(heard.rc, TRL_OK);
}

static void
fill_number(Billing__V1__Entitlement *out, const char *key, int64_t number)
{
	billing__v1__entitlement__init(out);
	out->feature = out->name = (char *)(uintptr_t)key;
	trl_set(out, type, BILLING__V1__FEATURE__TYPE__number);
	out->has_number = number != PLAN_NO_LIMIT;
	out->number = number;
}

void
hear_plan(const char *key, int64_t version, bool fallback, int64_t seats, int64_t reads)
{
	Billing__V1__PlanEvent event = BILLING__V1__PLAN_EVENT__INIT;
	Billing__V1__Entitlement features[3];
	Billing__V1__Entitlement *list[] = { &features[0], &features[1], &features[2] };

	fill_number(&features[0], "seats", seats);
	fill_number(&features[1], "api-reads-per-minute", reads);
	fill_number(&features[2], "sso", PLAN_NO_LIMIT);
	features[2].type = BILLING__V1__FEATURE__TYPE__boolean;
	trl_set(&features[2], boolean, !fallback);
	event.plan = event.name = (char *)(uintptr_t)key;
	trl_set(&event, version, version);
	trl_set(&event, fallback, fallback);
	event.features = list;
	event.n_features = TRL_COUNT(list);
	hear(&billing_event_plan_changed, trl_id_nil, &event.base);
}

void
hear_entitlements(
    struct trl_id tenant, int64_t version, const char *plan, unsigned seats)
{
	Billing__V1__EntitlementsEvent event = BILLING__V1__ENTITLEMENTS_EVENT__INIT;

	trl_set(&event, version, version);
	event.plan = (char *)(uintptr_t)plan;
	event.has_seats = seats > 0;
	event.seats = seats;
	hear(&billing_event_entitlements_changed, tenant, &event.base);
}

void
hear_override(
    struct trl_id tenant, int64_t version, const char *feature, int64_t number)
{
	Billing__V1__EntitlementsEvent event = BILLING__V1__ENTITLEMENTS_EVENT__INIT;
	Billing__V1__FeatureValue value = BILLING__V1__FEATURE_VALUE__INIT;

	value.feature = (char *)(uintptr_t)feature;
	value.has_number = number != PLAN_NO_LIMIT;
	value.number = number;
	trl_set(&event, version, version);
	event.overrides = (Billing__V1__FeatureValue *[]){ &value };
	event.n_overrides = 1;
	hear(&billing_event_entitlements_changed, tenant, &event.base);
}
