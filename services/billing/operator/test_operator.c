/* Void invoices, those that are given up, and money that came another way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "invoice/test_shop.h"

static const char abroad[] = "\"country\":\"US\"";
static const char big[] = "{\"plan\":\"big\"}";

static Billing__V1__Invoice *
does(const struct trl_method *method, const struct world_caller *who,
    const Billing__V1__Invoice *invoice, const char *rest)
{
	Billing__V1__Invoice *out;

	must(&ground_operator, method, shop_about(who, invoice, rest), &out);
	return out;
}

static void
is_refused(const struct trl_method *method, const struct world_caller *who,
    const Billing__V1__Invoice *invoice)
{
	assert_int_equal(
	    ask(&ground_operator, method, shop_about(who, invoice, ""), NULL),
	    TRL_CONFLICT);
}

static Billing__V1__Subscription__Status
status_of(const struct world_caller *who)
{
	Billing__V1__Subscription *out;

	must(who, &billing_v1_get_subscription, "{}", &out);
	return out->status;
}

/* An organisation whose second invoice is open: its card is no good any more. */
static struct world_caller
debtor(const char *coupon)
{
	struct world_caller who = shop_customer(abroad);

	shop_subscribe(&who, big);
	if (coupon)
		shop_subscribe(
		    &who, trl_arena_printf(world.arena, "{\"coupon\":\"%s\"}", coupon));
	ground_card(&who, "4000000000000341");
	ground_pass(&who, 31 * SHOP_DAY);
	assert_int_equal(
	    shop_invoice(&who, 0)->status, BILLING__V1__INVOICE__STATUS__open);
	assert_int_equal(status_of(&who), BILLING__V1__SUBSCRIPTION__STATUS__past_due);
	return who;
}

/* H3 */
static void
a_void_invoice_keeps_its_number_and_gives_back_once(void **state)
{
	struct world_caller who = shop_customer(abroad);
	Billing__V1__Invoice *invoice;

	(void)state;
	shop_subscribe(&who, big);
	(void)ask(&ground_operator, &billing_v1_credit_invoice,
	    shop_about(&who, shop_invoice(&who, 0),
		",\"reason\":\"order_change\",\"amount\":1000"),
	    NULL);
	shop_subscribe(&who, "{\"coupon\":\"HALF\"}");
	ground_card(&who, "4000000000000341");
	ground_pass(&who, 31 * SHOP_DAY);
	invoice = shop_invoice(&who, 0);
	assert_int_equal(invoice->from_balance, 1000);
	assert_int_equal(invoice->amount_due, 1500);
	assert_int_equal(shop_number(&who, "balance"), 0);
	invoice = does(&billing_v1_void_invoice, &who, invoice, "");
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__void);
	assert_non_null(invoice->number);
	assert_non_null(invoice->voided_at);
	assert_int_equal(invoice->amount_due, 0);
	assert_int_equal(invoice->n_lines, 1);
	assert_int_equal(shop_number(&who, "balance"), 1000);
	assert_int_equal(shop_number(&who, "coupon_left"), 1);
	assert_int_equal(status_of(&who), BILLING__V1__SUBSCRIPTION__STATUS__active);
	shop_books_agree(&who);
	is_refused(&billing_v1_void_invoice, &who, invoice);
	assert_int_equal(shop_number(&who, "balance"), 1000);
	ground_card(&who, "4242424242424242");
	ground_pass(&who, 31 * SHOP_DAY);
	assert_int_equal(shop_invoice(&who, 0)->discount, 2500);
	assert_int_equal(shop_invoice(&who, 0)->from_balance, 1000);
	shop_books_agree(&who);
}

static void
what_is_paid_is_not_voided(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	shop_subscribe(&who, big);
	is_refused(&billing_v1_void_invoice, &who, shop_invoice(&who, 0));
	is_refused(&billing_v1_write_off, &who, shop_invoice(&who, 0));
	is_refused(&billing_v1_record_payment, &who, shop_invoice(&who, 0));
}

static void
what_was_paid_and_credited_of_a_void_invoice_is_right(void **state)
{
	struct world_caller who = debtor(NULL);
	Billing__V1__Invoice *invoice = shop_invoice(&who, 0);

	(void)state;
	(void)does(&billing_v1_record_payment, &who, invoice, ",\"amount\":700");
	must(&ground_operator, &billing_v1_credit_invoice,
	    shop_about(&who, invoice, ",\"reason\":\"duplicate\",\"amount\":300"),
	    NULL);
	assert_int_equal(shop_invoice(&who, 0)->amount_due, 4000);
	shop_books_agree(&who);
	(void)does(&billing_v1_void_invoice, &who, invoice, "");
	assert_int_equal(shop_number(&who, "balance"), 700);
	assert_int_equal(ground_sum(&who, "revenue"), -5000); /* the first one's */
	shop_books_agree(&who);
}

static void
a_first_invoice_that_is_void_ends_what_waited_for_it(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	ground_card(&who, "4000000000000341");
	shop_subscribe(&who, big);
	is_refused(&billing_v1_write_off, &who, shop_invoice(&who, 0));
	(void)does(&billing_v1_void_invoice, &who, shop_invoice(&who, 0), "");
	assert_int_equal(
	    status_of(&who), BILLING__V1__SUBSCRIPTION__STATUS__incomplete_expired);
	shop_books_agree(&who);
}

static void
what_is_given_up_is_a_loss_until_it_is_paid(void **state)
{
	struct world_caller who = debtor(NULL);
	Billing__V1__Invoice *invoice =
	    does(&billing_v1_write_off, &who, shop_invoice(&who, 0), "");

	(void)state;
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__uncollectible);
	assert_int_equal(ground_sum(&who, "bad_debt"), 5000);
	assert_int_equal(ground_sum(&who, "receivable"), 0);
	shop_books_agree(&who);
	invoice = does(&billing_v1_record_payment, &who, invoice,
	    ",\"reference\":\"Transfer 17\"");
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__paid);
	assert_int_equal(ground_sum(&who, "bad_debt"), 0);
	assert_int_equal(ground_sum(&who, "cash"), 10000);
	shop_books_agree(&who);
}

static void
what_is_given_up_may_be_void_after_all(void **state)
{
	struct world_caller who = debtor(NULL);
	Billing__V1__Invoice *invoice = shop_invoice(&who, 0);

	(void)state;
	(void)does(&billing_v1_write_off, &who, invoice, "");
	(void)does(&billing_v1_void_invoice, &who, invoice, "");
	assert_int_equal(ground_sum(&who, "bad_debt"), 0);
	assert_int_equal(ground_sum(&who, "revenue"), -5000);
	shop_books_agree(&who);
}

static void
money_that_came_another_way_makes_it_active(void **state)
{
	struct world_caller who = debtor(NULL);
	Billing__V1__Invoice *invoice = shop_invoice(&who, 0);

	(void)state;
	invoice = does(&billing_v1_record_payment, &who, invoice,
	    ",\"amount\":2000,\"reference\":\"A\"");
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__open);
	assert_int_equal(invoice->amount_due, 3000);
	assert_int_equal(
	    ask(&ground_operator, &billing_v1_record_payment,
		shop_about(&who, invoice, ",\"amount\":2000,\"reference\":\"A\""),
		NULL),
	    TRL_CONFLICT); /* the same transfer twice */
	invoice = does(&billing_v1_record_payment, &who, invoice,
	    ",\"amount\":3500,\"reference\":\"B\"");
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__paid);
	assert_int_equal(invoice->amount_paid, 5000);
	assert_int_equal(shop_number(&who, "balance"), 500);
	assert_int_equal(status_of(&who), BILLING__V1__SUBSCRIPTION__STATUS__active);
	shop_books_agree(&who);
}

/* C7: renewals stay drafts; that of the present period may be paid, older ones go. */
static void
drafts_are_paid_or_deleted_and_take_no_number_before(void **state)
{
	struct world_caller who = debtor(NULL);
	Billing__V1__Invoice *invoice;

	(void)state;
	ground_pass(&who, 62 * SHOP_DAY);
	assert_int_equal(status_of(&who), BILLING__V1__SUBSCRIPTION__STATUS__unpaid);
	assert_int_equal(shop_count(&who), 4);
	invoice = shop_invoice(&who, 0);
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__draft);
	assert_null(invoice->number);
	is_refused(&billing_v1_record_payment, &who, shop_invoice(&who, 1));
	(void)does(&billing_v1_void_invoice, &who, shop_invoice(&who, 1), ""); /* H2 */
	assert_int_equal(shop_count(&who), 3);
	invoice = does(&billing_v1_record_payment, &who, invoice, "");
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__paid);
	assert_non_null(strstr(invoice->number, "-000003"));
	assert_int_equal(status_of(&who), BILLING__V1__SUBSCRIPTION__STATUS__active);
	shop_books_agree(&who);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(a_void_invoice_keeps_its_number_and_gives_back_once),
		TEST(what_is_paid_is_not_voided),
		TEST(what_was_paid_and_credited_of_a_void_invoice_is_right),
		TEST(a_first_invoice_that_is_void_ends_what_waited_for_it),
		TEST(what_is_given_up_is_a_loss_until_it_is_paid),
		TEST(what_is_given_up_may_be_void_after_all),
		TEST(money_that_came_another_way_makes_it_active),
		TEST(drafts_are_paid_or_deleted_and_take_no_number_before),
	};

	return cmocka_run_group_tests(tests, shop_open, ground_close);
}
