/* An installation without a provider: invoices are paid some other way, and the
 * operator records that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "invoice/test_shop.h"

/* Asks without a provider. The test clock, which goes on later, needs one. */
static void
order(const struct world_caller *who, const char *change)
{
	struct billing *self = world.self;
	const struct provider *provider = self->provider;

	self->provider = NULL;
	shop_subscribe(who, change);
	self->provider = provider;
}

static struct world_caller
customer(void)
{
	struct world_caller who = ground_owner();

	shop_profile(&who, "\"country\":\"US\"");
	ground_pass(&who, 0);
	return who;
}

static void
record(const struct world_caller *who, const Billing__V1__Invoice *invoice)
{
	must(&ground_operator, &billing_v1_record_payment, shop_about(who, invoice, ""),
	    NULL);
}

static void
a_first_invoice_waits_as_long_as_it_says(void **state)
{
	struct world_caller who, late;

	(void)state;
	shop_sells("\"due_days\":14,");
	who = customer();
	late = customer();
	order(&who, "{\"plan\":\"big\"}");
	order(&late, "{\"plan\":\"big\"}");
	ground_pass(&who, 14 * SHOP_DAY - 1);
	assert_string_equal(ground_of(&who, "status"), "incomplete");
	record(&who, shop_invoice(&who, 0));
	assert_string_equal(ground_of(&who, "status"), "active");
	ground_pass(&late, 14 * SHOP_DAY - 1);
	assert_int_equal(
	    shop_invoice(&late, 0)->status, BILLING__V1__INVOICE__STATUS__open);
	ground_pass(&late, 1);
	assert_string_equal(ground_of(&late, "status"), "incomplete_expired");
	assert_int_equal(
	    shop_invoice(&late, 0)->status, BILLING__V1__INVOICE__STATUS__void);
	shop_books_agree(&late);
}

static void
what_is_to_be_paid_at_once_waits_for_23_hours(void **state)
{
	struct world_caller who;

	(void)state;
	shop_sells("");
	who = customer();
	order(&who, "{\"plan\":\"big\"}");
	ground_pass(&who, 23 * SHOP_HOUR - 1);
	assert_string_equal(ground_of(&who, "status"), "incomplete");
	ground_pass(&who, 1);
	assert_string_equal(ground_of(&who, "status"), "incomplete_expired");
}

static void
an_upgrade_waits_as_long_as_its_invoice_says(void **state)
{
	struct world_caller who;

	(void)state;
	shop_sells("\"due_days\":14,");
	who = customer();
	order(&who, "{\"plan\":\"team\"}");
	record(&who, shop_invoice(&who, 0));
	order(&who, "{\"plan\":\"big\"}");
	ground_pass(&who, 14 * SHOP_DAY - 1);
	assert_string_equal(ground_of(&who, "plan"), "team");
	record(&who, shop_invoice(&who, 0));
	assert_string_equal(ground_of(&who, "plan"), "big");
	shop_books_agree(&who);
}

/* Who can be charged has the 23 hours, whatever the terms are. */
static void
with_a_provider_the_terms_are_for_renewals(void **state)
{
	struct world_caller who;

	(void)state;
	shop_sells("\"due_days\":14,");
	who = customer();
	shop_subscribe(&who, "{\"plan\":\"big\"}");
	ground_pass(&who, 23 * SHOP_HOUR);
	assert_string_equal(ground_of(&who, "status"), "incomplete_expired");
}

#define TEST(name) cmocka_unit_test_teardown(name, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_first_invoice_waits_as_long_as_it_says),
		TEST(what_is_to_be_paid_at_once_waits_for_23_hours),
		TEST(an_upgrade_waits_as_long_as_its_invoice_says),
		TEST(with_a_provider_the_terms_are_for_renewals),
	};

	return cmocka_run_group_tests(tests, shop_open, ground_close);
}
