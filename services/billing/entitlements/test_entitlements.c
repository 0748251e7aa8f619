/* What an organisation may use, as the others are told: which plan holds in which
 * state, in the transaction of the change; and what a new subscriber is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "entitlements/entitlements.h"
#include "test_ground.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

static int
told(struct trl_id tenant)
{
	return atoi(world_sql("select count(*) from billing.outbox where tenant_id = "
			      "'%s' and type = 'billing.entitlements.changed'",
	    world_id_text(tenant)));
}

static size_t
from_hex(const char *text, uint8_t *out)
{
	size_t n = strlen(text) / 2;

	for (size_t i = 0; i < n; i++) {
		char byte[3] = { text[2 * i], text[2 * i + 1], 0 };

		out[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return n;
}

/* The newest event of that kind: the platform's plan, or an organisation's. */
static ProtobufCMessage *
newest(const char *type, struct trl_id tenant, const char *which,
    const ProtobufCMessageDescriptor *descriptor)
{
	const char *text = world_sql(
	    "select coalesce((select encode(payload, 'hex') from billing.outbox where "
	    "type = '%s' and tenant_id = '%s' and position('%s' in encode(payload, "
	    "'escape')) > 0 order by id desc limit 1), '')",
	    type, world_id_text(tenant), which);
	uint8_t *bytes = trl_arena_alloc(world.arena, strlen(text) + 1);
	ProtobufCMessage *message =
	    protobuf_c_message_unpack(descriptor, NULL, from_hex(text, bytes), bytes);

	assert_non_null(message); /* freed with the process */
	return message;
}

static void
expect(const struct world_caller *who, const char *plan, uint32_t seats)
{
	Billing__V1__EntitlementsEvent *event =
	    (void *)newest("billing.entitlements.changed", who->tenant, "",
		&billing__v1__entitlements_event__descriptor);

	if (plan)
		assert_string_equal(event->plan ? event->plan : "(fallback)", plan);
	else
		assert_null(event->plan);
	assert_int_equal(event->seats, seats);
	assert_int_equal(event->has_seats, seats > 0);
	assert_in_range(event->version, 1,
	    atoll(world_sql("select version from billing.subscription where "
			    "tenant_id = '%s'",
		world_id_text(who->tenant))));
	protobuf_c_message_free_unpacked(&event->base, NULL);
}

/* An owner with a way to pay. */
static struct world_caller
payer(const char *card)
{
	struct world_caller who = ground_owner();

	must(&who, &billing_v1_put_profile,
	    "{\"legal_name\":\"Ann\",\"country\":\"AT\"}", NULL);
	ground_card(&who, card);
	return who;
}

static void
a_paid_plan_holds_and_a_canceled_one_does_not(void **state)
{
	struct world_caller who = payer("4242424242424242");

	(void)state;
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"team\",\"seats\":5}",
	    NULL);
	expect(&who, "team", 5);
	who = payer("4242424242424242");
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	expect(&who, "big", 0); /* its price counts no seats */
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	expect(&who, NULL, 0);
}

/* Until then it is the fallback plan's: whoever pays nothing has what everybody has. */
static void
an_unpaid_first_period_gives_nothing(void **state)
{
	struct world_caller who = payer("4000000000000341");
	int before = told(who.tenant);

	(void)state;
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	assert_int_equal(told(who.tenant), before);
}

static void
a_downgrade_holds_at_the_end_of_the_period(void **state)
{
	struct world_caller who = payer("4242424242424242");
	int before;

	(void)state;
	ground_pass(&who, 0);
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	before = told(who.tenant);
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"team\",\"seats\":5}",
	    NULL);
	assert_int_equal(told(who.tenant), before);
	ground_pass(&who, 32 * DAY);
	expect(&who, "team", 5);
}

/* What changes nothing of what may be used tells nobody. */
static void
a_renewal_and_a_profile_tell_nothing(void **state)
{
	struct world_caller who = payer("4242424242424242");
	int before;

	(void)state;
	ground_pass(&who, 0);
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	before = told(who.tenant);
	ground_pass(&who, 32 * DAY);
	must(&who, &billing_v1_put_profile,
	    "{\"legal_name\":\"Ann\",\"country\":\"AT\"}", NULL);
	assert_int_equal(told(who.tenant), before);
}

static const char *
override(const struct world_caller *who, const char *value, const char *more)
{
	return trl_arena_printf(world.arena, "{\"tenant_id\":\"%s\",\"value\":%s%s}",
	    world_id_text(who->tenant), value, more);
}

static void
the_operator_gives_and_takes(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Overrides *all;
	Billing__V1__EntitlementsEvent *event;

	(void)state;
	must(&ground_operator, &billing_v1_override_entitlement,
	    override(&who, "{\"feature\":\"seats\",\"number\":7}", ""), NULL);
	must(&ground_operator, &billing_v1_override_entitlement,
	    override(&who, "{\"feature\":\"sso\",\"boolean\":true}", ""), &all);
	assert_int_equal(all->n_items, 2);
	expect(&who, NULL, 0);
	event = (void *)newest("billing.entitlements.changed", who.tenant, "",
	    &billing__v1__entitlements_event__descriptor);
	assert_int_equal(event->n_overrides, 2);
	assert_int_equal(event->overrides[0]->number, 7);
	protobuf_c_message_free_unpacked(&event->base, NULL);
	must(&ground_operator, &billing_v1_override_entitlement,
	    override(&who, "{\"feature\":\"seats\"}", ",\"remove\":true"), &all);
	assert_int_equal(all->n_items, 1);
	assert_string_equal(all->items[0]->feature, "sso");
	assert_int_equal(told(who.tenant), 3);
}

static void
a_value_of_no_feature_or_of_another_type_is_refused(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	assert_int_equal(
	    ask(&ground_operator, &billing_v1_override_entitlement,
		override(&who, "{\"feature\":\"sso\",\"number\":1}", ""), NULL),
	    TRL_INVALID);
	assert_int_equal(
	    ask(&ground_operator, &billing_v1_override_entitlement,
		override(&who, "{\"feature\":\"none\",\"number\":1}", ""), NULL),
	    TRL_INVALID);
	assert_int_equal(
	    ask(&who, &billing_v1_override_entitlement,
		override(&who, "{\"feature\":\"sso\",\"boolean\":true}", ""), NULL),
	    TRL_DENIED);
	assert_int_equal(told(who.tenant), 0);
}

/* A catalogue with another value is one event a plan, not one an organisation. */
static void
a_catalogue_tells_of_the_plans_that_it_changes(void **state)
{
	Billing__V1__PlanEvent *plan;
	int before = atoi(world_sql("select count(*) from billing.outbox where type = "
				    "'billing.plan.changed'"));

	(void)state;
	assert_int_equal(before, 3);
	plan = (void *)newest("billing.plan.changed", trl_id_nil, "free",
	    &billing__v1__plan_event__descriptor);
	assert_true(plan->fallback);
	assert_int_equal(plan->n_features, 2);
	assert_int_equal(plan->features[0]->number, 3);
	protobuf_c_message_free_unpacked(&plan->base, NULL);
	ground_catalogue(
	    "{\"features\":[{\"key\":\"seats\",\"type\":\"number\",\"name\":\"Seats\"},"
	    "{\"key\":\"sso\",\"type\":\"boolean\",\"name\":\"Single sign-on\"}],"
	    "\"plans\":[{\"key\":\"free\",\"name\":\"Free\",\"rank\":0,\"features\":"
	    "[{\"feature\":\"seats\",\"number\":4}]}],\"fallback_plan\":\"free\"}");
	assert_int_equal(atoi(world_sql("select count(*) from billing.outbox where "
					"type = 'billing.plan.changed'")),
	    before + 1);
	plan = (void *)newest("billing.plan.changed", trl_id_nil, "free",
	    &billing__v1__plan_event__descriptor);
	assert_int_equal(plan->features[0]->number, 4);
	assert_true(plan->features[1]->has_boolean && !plan->features[1]->boolean);
	protobuf_c_message_free_unpacked(&plan->base, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_paid_plan_holds_and_a_canceled_one_does_not),
		cmocka_unit_test(an_unpaid_first_period_gives_nothing),
		cmocka_unit_test(a_downgrade_holds_at_the_end_of_the_period),
		cmocka_unit_test(a_renewal_and_a_profile_tell_nothing),
		cmocka_unit_test(the_operator_gives_and_takes),
		cmocka_unit_test(a_value_of_no_feature_or_of_another_type_is_refused),
		cmocka_unit_test(a_catalogue_tells_of_the_plans_that_it_changes),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
