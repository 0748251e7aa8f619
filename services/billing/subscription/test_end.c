/* What billing makes of the end of an organisation: a rest while it is being deleted,
 * and what stays when it is erased. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <tenants_v1.trl.h>

#include "subscription/erase.h"
#include "test_ground.h"

enum { DAY = 24 * 3600 };

static void
nothing_is_billed_while_it_is_being_deleted(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	ground_trial("\"days\":14,\"end\":\"pause\"");
	ground_found(&who, ground_now());
	ground_card(&who, "4242424242424242");
	ground_hear(&who, &tenants_event_tenant_deleted, 2, true, ground_now());
	ground_pass(&who, 20 * DAY);
	assert_string_equal(ground_of(&who, "status"), "trialing");
	ground_hear(&who, &tenants_event_tenant_deleted, 2, true,
	    ground_now()); /* told again */
	ground_hear(&who, &tenants_event_tenant_restored, 3, false, ground_now());
	ground_settle();
	assert_string_equal(
	    ground_of(&who, "status"), "trialing"); /* it has a test clock */
	ground_pass(&who, 1);
	assert_string_equal(ground_of(&who, "status"), "active");
	assert_int_equal(ground_sum(&who, "cash"), 900);
	/* At its own time: the period is the one that would have been. */
	assert_string_equal(
	    ground_of(&who, "period_end < clock_at + interval '26 days'"), "t");
}

/* The same by the job, without a test clock. */
static void
what_fell_due_meanwhile_happens_once_it_is_restored(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	ground_trial("\"days\":14,\"end\":\"pause\"");
	ground_hear(&who, &tenants_event_tenant_deleted, 2, true, ground_now());
	ground_found(&who, ground_now() - 20 * DAY);
	assert_string_equal(ground_of(&who, "status"), "trialing");
	ground_hear(&who, &tenants_event_tenant_restored, 3, false, ground_now());
	ground_settle();
	assert_string_equal(ground_of(&who, "status"), "paused");
}

static void
erase(trl_ctx *ctx, void *arg)
{
	const struct world_caller *who = arg;

	ctx->service = "billing";
	ctx->tenant = who->tenant;
	assert_int_equal(erase_account(world.self, ctx, who->tenant), TRL_OK);
}

static void
erased_it_keeps_its_books(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Subscription *sub;

	(void)state;
	ground_trial("\"days\":14,\"end\":\"pause\"");
	ground_card(&who, "4242424242424242");
	ground_pass(&who, 0);
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"team\",\"seats\":2}",
	    NULL);
	world_sql("insert into billing.invoice select (jsonb_populate_record(i, "
		  "jsonb_build_object('id', gen_random_uuid(), 'place', 99, "
		  "'number', null, 'status', 'draft'))).* from billing.invoice i "
		  "where tenant_id = '%s'",
	    world_id_text(who.tenant));
	for (int i = 0; i < 2; i++)
		world_act(erase, &who);
	assert_string_equal(
	    ground_of(&who, "concat(status, plan, seats, clock_at, next_invoice)"),
	    "2");
	must(&who, &billing_v1_get_subscription, "{}", &sub);
	assert_false(sub->has_status);
	assert_string_equal(
	    world_sql("select string_agg(status || ' ' || amount_paid, ',') from "
		      "billing.invoice where tenant_id = '%s'",
		world_id_text(who.tenant)),
	    "paid 1800");
	assert_int_equal(ground_sum(&who, "cash"), 1800);
}

/* By the classes of tables: what goes with the tenant. */
static void
profile_and_ways_to_pay_go(void **state)
{
	(void)state;
	assert_string_equal(
	    world_sql(
		"set search_path = billing; select string_agg(c.relname, ' ' order "
		"by c.relname) from pg_class c where c.relnamespace = "
		"'billing'::regnamespace and c.relkind = 'r' and c.relname = any "
		"(trl_erasable('now')) and c.relname = any (array['profile', "
		"'payment_method', 'entitlement', 'tenant_copy', 'subscription', "
		"'invoice', 'credit_note', 'payment', 'ledger_transaction', "
		"'ledger_entry', 'series_directory', 'coupon_directory', "
		"'trial_directory'])"),
	    "entitlement payment_method profile tenant_copy");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_billed_while_it_is_being_deleted),
		TEST(what_fell_due_meanwhile_happens_once_it_is_restored),
		TEST(erased_it_keeps_its_books),
		TEST(profile_and_ways_to_pay_go),
	};
	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
