/* The trial that an organisation begins with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <tenants_v1.trl.h>

#include "test_ground.h"

enum { DAY = 24 * 3600 };

/* 2026-03-20T09:00:00Z, ten in the morning in Vienna. */
#define MARCH INT64_C(1773997200)

static void
a_founded_organisation_tries_the_catalogues_price(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Subscription *sub;
	int64_t at = ground_now() - 10;

	(void)state;
	ground_trial("\"days\":14,\"end\":\"pause\"");
	ground_found(&who, at);
	must(&who, &billing_v1_get_subscription, "{}", &sub);
	assert_int_equal(sub->status, BILLING__V1__SUBSCRIPTION__STATUS__trialing);
	assert_string_equal(sub->price, "team-month");
	assert_int_equal(trl_value_time_us(sub->trial_end) / 1000000, at + 14 * DAY);
	assert_string_equal(ground_of(&who, "concat(seats, ' ', period_end = due_at)"),
	    "1 f"); /* it is told three days before */
}

static void
what_is_heard_twice_is_one_trial(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	ground_trial("\"days\":14,\"end\":\"pause\"");
	ground_found(&who, ground_now());
	ground_found(&who, ground_now());
	assert_string_equal(ground_of(&who, "version"), "1");
	assert_string_equal(
	    world_sql(
		"select taken from billing.trial_directory where account_id = '%s'",
		world_id_text(who.person->account)),
	    "1");
}

static void
an_organisation_that_acted_first_keeps_what_it_did(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	ground_trial("\"days\":14,\"end\":\"pause\"");
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"team\"}", NULL);
	ground_found(&who, ground_now() - 60);
	assert_string_equal(ground_of(&who, "status"), "incomplete");
}

/* B16: 29 March has 23 hours there. */
static void
days_are_those_of_the_organisations_zone(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Subscription *sub;

	(void)state;
	ground_trial("\"days\":14,\"end\":\"pause\"");
	must(&who, &billing_v1_put_profile,
	    "{\"legal_name\":\"Ann\",\"country\":\"AT\",\"time_zone\":\"Europe/"
	    "Vienna\"}",
	    NULL);
	ground_found(&who, MARCH);
	must(&who, &billing_v1_get_subscription, "{}", &sub);
	assert_int_equal(
	    trl_value_time_us(sub->trial_end) / 1000000, MARCH + 14 * DAY - 3600);
}

/* C1 */
static void
a_trial_pauses_without_a_way_to_pay(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Preview *preview;

	(void)state;
	ground_trial("\"days\":14,\"end\":\"pause\"");
	ground_pass(&who, 0);
	ground_found(&who, ground_now());
	/* What it would cost is asked before a card is set up. */
	must(&who, &billing_v1_preview_subscription, "{\"seats\":5}", &preview);
	assert_null(preview->invoice);
	assert_int_equal(preview->renewal->total, 4500);
	ground_pass(&who, 11 * DAY);
	assert_string_equal(ground_told(&who),
	    "subscription.started entitlements.changed "
	    "subscription.trial_ending");
	ground_pass(&who, 3 * DAY);
	assert_string_equal(ground_of(&who, "status"), "paused");
	assert_string_equal(ground_told(&who),
	    "subscription.started entitlements.changed subscription.trial_ending "
	    "subscription.paused entitlements.changed");
	assert_string_equal(world_sql("select count(*) from billing.invoice where "
				      "tenant_id = '%s'",
				world_id_text(who.tenant)),
	    "0");
}

/* C1, as set. */
static void
a_trial_is_canceled_without_a_way_to_pay(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	ground_trial("\"days\":14,\"end\":\"cancel\"");
	ground_pass(&who, 0);
	ground_found(&who, ground_now());
	ground_pass(&who, 14 * DAY);
	assert_string_equal(ground_of(&who, "status"), "canceled");
}

static void
a_trial_with_a_way_to_pay_is_billed_at_its_end(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	ground_trial("\"days\":14,\"end\":\"pause\"");
	ground_pass(&who, 0);
	ground_found(&who, ground_now());
	ground_card(&who, "4242424242424242");
	ground_pass(&who, 14 * DAY - 1);
	assert_int_equal(ground_sum(&who, "cash"), 0);
	ground_pass(&who, 1);
	assert_string_equal(ground_of(&who, "status"), "active");
	assert_int_equal(ground_sum(&who, "cash"), 900);
}

/* A day's trial is told at its beginning, and the clock does not go back for it. */
static void
a_short_trial_is_told_at_once(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	ground_trial("\"days\":1,\"end\":\"pause\"");
	ground_pass(&who, 0);
	ground_found(&who, ground_now());
	ground_pass(&who, 1);
	assert_string_equal(ground_told(&who),
	    "subscription.started entitlements.changed "
	    "subscription.trial_ending");
	assert_string_equal(
	    ground_of(&who, "clock_at > now() - interval '1 minute'"), "t");
}

/* C2 */
static void
there_is_no_second_trial(void **state)
{
	struct world_caller who = ground_owner(), second = who, other = ground_owner();

	(void)state;
	ground_trial("\"days\":14,\"end\":\"pause\"");
	ground_found(&who, ground_now());
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	ground_found(&who, ground_now());
	assert_string_equal(ground_of(&who, "status"), "canceled");
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"team\"}", NULL);
	assert_string_equal(ground_of(&who, "status"), "incomplete");
	second.tenant = trl_id_new();
	ground_found(&second, ground_now());
	assert_string_equal(ground_of(&second, "count(*)"), "0");
	ground_found(&other, ground_now());
	assert_string_equal(ground_of(&other, "status"), "trialing");
}

static void
a_founder_has_as_many_trials_as_the_catalogue_says(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	ground_trial("\"days\":14,\"end\":\"pause\",\"per_owner\":3");
	world_sql("create table founded (tenant_id uuid)");
	for (int i = 0; i < 8; i++) { /* at once */
		who.tenant = trl_id_new();
		world_sql(
		    "insert into founded values ('%s')", world_id_text(who.tenant));
		ground_hear(
		    &who, &tenants_event_tenant_created, 1, false, ground_now());
	}
	ground_settle();
	assert_string_equal(
	    world_sql("select count(*) from billing.subscription join founded using "
		      "(tenant_id) where status = 'trialing'"),
	    "3");
}

static void
without_a_trial_in_the_catalogue_nothing_begins(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	ground_catalogue("{\"plans\":[{\"key\":\"free\",\"name\":\"Free\",\"rank\":0}],"
			 "\"fallback_plan\":\"free\"}");
	ground_found(&who, ground_now());
	assert_string_equal(ground_of(&who, "count(*)"), "0");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(a_founded_organisation_tries_the_catalogues_price),
		TEST(what_is_heard_twice_is_one_trial),
		TEST(an_organisation_that_acted_first_keeps_what_it_did),
		TEST(days_are_those_of_the_organisations_zone),
		TEST(a_trial_pauses_without_a_way_to_pay),
		TEST(a_trial_is_canceled_without_a_way_to_pay),
		TEST(a_trial_with_a_way_to_pay_is_billed_at_its_end),
		TEST(a_short_trial_is_told_at_once),
		TEST(there_is_no_second_trial),
		TEST(a_founder_has_as_many_trials_as_the_catalogue_says),
		TEST(without_a_trial_in_the_catalogue_nothing_begins),
	};
	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
