/* Where no provider is configured nothing can be paid with a test card, no clock moves,
 * and so nobody gets a paid plan for nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static void
conflicts(const struct world_caller *who, const struct trl_method *method,
    const char *json, const char *message)
{
	assert_int_equal(ask(who, method, json, NULL), TRL_CONFLICT);
	assert_non_null(strstr(world.err.message, message));
}

static void
a_test_card_is_refused_and_not_kept(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	conflicts(&who, &billing_v1_create_payment_method,
	    "{\"card_number\":\"4242424242424242\",\"expiry_month\":12,"
	    "\"expiry_year\":2099}",
	    "No payment provider is configured");
	assert_string_equal(
	    world_sql("select count(*) from billing.payment_method"), "0");
}

static void
a_test_clock_is_refused_to_the_operator_too(void **state)
{
	struct world_caller who = ground_owner();
	const char *json = ground_id("tenant_id", world_bytes(&who.tenant));

	(void)state;
	conflicts(&ground_operator, &billing_v1_advance_clock, json,
	    "TRELLIS_BILLING_PROVIDER=test");
	assert_int_equal(ask(&who, &billing_v1_advance_clock, json, NULL), TRL_DENIED);
	assert_string_equal(world_sql("select count(*) from billing.subscription "
				      "where clock_at is not null"),
	    "0");
}

static void
a_paid_plan_waits_for_its_money(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Subscription *sub;
	Billing__V1__ListInvoicesReply *list;

	(void)state;
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", &sub);
	assert_int_equal(sub->status, BILLING__V1__SUBSCRIPTION__STATUS__incomplete);
	assert_null(strstr(ground_told(&who), "subscription.started"));
	must(&who, &billing_v1_list_invoices, "{}", &list);
	conflicts(&who, &billing_v1_pay_invoice,
	    ground_id("invoice_id", list->items[0]->id),
	    "No payment provider is configured");
	assert_int_equal(ground_sum(&who, "cash"), 0);
	/* Money that came another way is the operator's to record. */
	must(&ground_operator, &billing_v1_record_payment,
	    trl_arena_printf(world.arena,
		"{\"tenant_id\":\"%s\",\"invoice_id\":\"%s\"}",
		trl_arena_strdup(world.arena, world_id_text(who.tenant)),
		world_id_text(trl_value_id(list->items[0]->id))),
	    NULL);
	must(&who, &billing_v1_get_subscription, "{}", &sub);
	assert_int_equal(sub->status, BILLING__V1__SUBSCRIPTION__STATUS__active);
}

static int
open_without(void **state)
{
	(void)state;
	unsetenv("TRELLIS_BILLING_PROVIDER");
	if (world_open_one(&billing_service) != 0)
		return -1;
	ground_usual();
	return 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(a_test_card_is_refused_and_not_kept),
		TEST(a_test_clock_is_refused_to_the_operator_too),
		TEST(a_paid_plan_waits_for_its_money),
	};

	return cmocka_run_group_tests(tests, open_without, ground_close);
}
