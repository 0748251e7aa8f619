/* What is heard of billing: plans and who has which, as the grant then has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "entitled.h"
#include "test_ground.h"
#include "test_plan.h"

static Tenants__V1__Grant *
granted(struct trl_id tenant)
{
	Tenants__V1__GetGrantRequest ask = TENANTS__V1__GET_GRANT_REQUEST__INIT;
	struct world_caller edge = { 0 };
	Tenants__V1__Grant *out;

	trl_set(&ask, account_id, world_bytes(&founder->account));
	trl_set(&ask, tenant_id, world_bytes(&tenant));
	assert_int_equal(
	    world_call(&edge, &tenants_v1_get_grant, &ask.base, &out), TRL_OK);
	return out;
}

static void
before_billing_said_anything_nothing_is_known(void **state)
{
	Tenants__V1__Grant *grant = granted(home);

	(void)state;
	assert_null(grant->plan);
	assert_false(grant->has_api_reads_per_minute);
	assert_false(grant->has_api_writes_per_minute);
}

static void
whoever_has_no_plan_has_the_fallbacks(void **state)
{
	Tenants__V1__Grant *grant;

	(void)state;
	hear_plan("free", 1, true, 3, 60);
	hear_plan("team", 1, false, 20, PLAN_NO_LIMIT);
	grant = granted(home);
	assert_string_equal(grant->plan, "free");
	assert_int_equal(grant->api_reads_per_minute, 60);
	assert_false(grant->has_api_writes_per_minute); /* the catalogue has none */
}

static void
a_plan_holds_and_its_tenants_copies_end(void **state)
{
	unsigned before = ground.tenant_bumps;
	Tenants__V1__Grant *grant;

	(void)state;
	hear_plan("free", 1, true, 3, 60);
	hear_plan("team", 1, false, 20, PLAN_NO_LIMIT);
	assert_int_equal(ground.tenant_bumps, before);
	hear_entitlements(home, 1, "team", 0);
	assert_int_equal(ground.tenant_bumps, before + 1);
	grant = granted(home);
	assert_string_equal(grant->plan, "team");
	assert_false(grant->has_api_reads_per_minute);
	hear_entitlements(home, 2, NULL, 0);
	assert_string_equal(granted(home)->plan, "free");
}

/* As after a snapshot, or once an event comes again. */
static void
what_is_older_stands_back(void **state)
{
	(void)state;
	hear_plan("free", 7, true, 3, 60);
	hear_plan("team", 7, false, 20, 600);
	hear_entitlements(home, 5, "team", 0);
	hear_entitlements(home, 4, NULL, 0);
	assert_string_equal(granted(home)->plan, "team");
	hear_plan("team", 6, false, 20, 700);
	assert_int_equal(granted(home)->api_reads_per_minute, 600);
	hear_plan("team", 8, false, 20, 800);
	assert_int_equal(granted(home)->api_reads_per_minute, 800);
}

static void
a_plan_that_is_not_heard_of_yet_is_the_fallback(void **state)
{
	(void)state;
	hear_plan("free", 9, true, 3, 60);
	hear_entitlements(home, 9, "later", 0);
	assert_string_equal(granted(home)->plan, "free");
}

static void
there_is_one_fallback(void **state)
{
	(void)state;
	hear_plan("free", 10, true, 3, 60);
	hear_plan("basic", 11, true, 3, 90);
	assert_string_equal(granted(home)->plan, "basic");
	hear_plan("free", 12, true, 3, 61);
	assert_string_equal(granted(home)->plan, "free");
	assert_string_equal(
	    world_sql("select count(*) from tenants.plan_directory where fallback"),
	    "1");
}

/* As grants are asked for features that contracts name. */
static void
a_feature_is_there_or_not(void **state)
{
	Billing__V1__Entitlement values[] = { BILLING__V1__ENTITLEMENT__INIT,
		BILLING__V1__ENTITLEMENT__INIT, BILLING__V1__ENTITLEMENT__INIT };
	struct tenants_feature features[3];
	struct tenants_entitled entitled = { .features = features, .n = 3 };
	static const char *const names[] = { "a", "b", "c" };

	(void)state;
	assert_true(tenants_entitled_has(&(struct tenants_entitled){ 0 }, "a"));
	entitled.known = true;
	for (size_t i = 0; i < 3; i++) {
		values[i].feature = (char *)(uintptr_t)names[i];
		values[i].type = (Billing__V1__Feature__Type)(i + 1);
		features[i] = (struct tenants_feature){ &values[i], false };
	}
	values[1].has_number = 1;
	values[2].text = (char *)(uintptr_t) "";
	assert_false(tenants_entitled_has(&entitled, "a"));
	assert_false(tenants_entitled_has(&entitled, "b"));
	assert_false(tenants_entitled_has(&entitled, "c"));
	assert_false(tenants_entitled_has(&entitled, "d"));
	values[0].boolean = 1;
	values[1].has_number = 0;
	values[2].text = (char *)(uintptr_t) "mail";
	for (size_t i = 0; i < 3; i++)
		assert_true(tenants_entitled_has(&entitled, names[i]));
}

static void
what_the_operator_gave_stands_before_the_plan(void **state)
{
	(void)state;
	hear_plan("free", 20, true, 3, 60);
	hear_override(home, 20, "api-reads-per-minute", 5000);
	assert_int_equal(granted(home)->api_reads_per_minute, 5000);
	hear_override(home, 21, "api-reads-per-minute", PLAN_NO_LIMIT);
	assert_false(granted(home)->has_api_reads_per_minute);
	hear_override(home, 22, "no-such-feature", 1);
	assert_int_equal(granted(home)->api_reads_per_minute, 60);
}

static Tenants__V1__GetEntitlementReply *
asked(struct trl_id tenant, const char *feature)
{
	Tenants__V1__GetEntitlementRequest ask =
	    TENANTS__V1__GET_ENTITLEMENT_REQUEST__INIT;
	struct world_caller service = { .tenant = tenant };
	Tenants__V1__GetEntitlementReply *out;

	ask.feature = (char *)(uintptr_t)feature;
	assert_int_equal(
	    world_call(&service, &tenants_v1_get_entitlement, &ask.base, &out), TRL_OK);
	return out;
}

/* As services ask that limit by a feature. */
static void
a_service_is_told_one_features_value(void **state)
{
	Tenants__V1__GetEntitlementReply *out;

	(void)state;
	hear_plan("free", 30, true, 3, 60);
	hear_plan("team", 30, false, PLAN_NO_LIMIT, 600);
	out = asked(home, "seats");
	assert_true(out->known && out->has_number && !out->unlimited);
	assert_int_equal(out->number, 3);
	assert_string_equal(out->plan, "free");
	out = asked(home, "sso");
	assert_true(out->known && out->has_boolean && !out->boolean);
	assert_false(out->has_number || out->has_unlimited);
	hear_override(home, 30, "seats", 7);
	assert_int_equal(asked(home, "seats")->number, 7);
	hear_entitlements(home, 31, "team", 0);
	out = asked(home, "seats");
	assert_true(out->known && out->unlimited && !out->has_number);
	assert_string_equal(out->plan, "team");
	assert_true(asked(home, "sso")->boolean);
}

static void
a_service_is_told_that_no_plan_says_anything_of_a_feature(void **state)
{
	Tenants__V1__GetEntitlementReply *out;

	(void)state;
	hear_plan("free", 32, true, 3, 60);
	out = asked(home, "storage-bytes");
	assert_true(out->has_known && !out->known);
	assert_string_equal(out->plan, "free");
	world_sql("delete from tenants.plan_directory");
	out = asked(home, "seats");
	assert_false(out->known);
	assert_null(out->plan);
}

static void
a_services_question_has_a_tenant(void **state)
{
	Tenants__V1__GetEntitlementRequest ask =
	    TENANTS__V1__GET_ENTITLEMENT_REQUEST__INIT;

	(void)state;
	ask.feature = (char *)(uintptr_t) "seats";
	assert_int_equal(world_call(NULL, &tenants_v1_get_entitlement, &ask.base, NULL),
	    TRL_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    before_billing_said_anything_nothing_is_known, ground_found),
		cmocka_unit_test_setup(
		    whoever_has_no_plan_has_the_fallbacks, ground_found),
		cmocka_unit_test_setup(
		    a_plan_holds_and_its_tenants_copies_end, ground_found),
		cmocka_unit_test_setup(what_is_older_stands_back, ground_found),
		cmocka_unit_test_setup(
		    a_plan_that_is_not_heard_of_yet_is_the_fallback, ground_found),
		cmocka_unit_test_setup(there_is_one_fallback, ground_found),
		cmocka_unit_test(a_feature_is_there_or_not),
		cmocka_unit_test_setup(
		    what_the_operator_gave_stands_before_the_plan, ground_found),
		cmocka_unit_test_setup(
		    a_service_is_told_one_features_value, ground_found),
		cmocka_unit_test_setup(
		    a_service_is_told_that_no_plan_says_anything_of_a_feature,
		    ground_found),
		cmocka_unit_test(a_services_question_has_a_tenant),
	};

	return cmocka_run_group_tests(tests, ground_open, world_close);
}
