/* Credit notes: by the operator, and where time is not used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "invoice/test_shop.h"

static const char austria[] = "\"country\":\"AT\"";
static const char big[] = "{\"plan\":\"big\"}";
static const char changed[] = ",\"reason\":\"order_change\"";

static Billing__V1__CreditNote *
credit(const struct world_caller *who, const Billing__V1__Invoice *invoice,
    const char *rest)
{
	Billing__V1__CreditNote *out;

	must(&ground_operator, &billing_v1_credit_invoice,
	    shop_about(who, invoice, rest), &out);
	return out;
}

static Billing__V1__ListCreditNotesReply *
notes(const struct world_caller *who)
{
	Billing__V1__ListCreditNotesReply *out;

	must(who, &billing_v1_list_credit_notes, "{}", &out);
	return out;
}

static const char *
events(const struct world_caller *who, const char *type)
{
	return world_sql(
	    "select (select count(*) from billing.outbox where tenant_id = '%s' and "
	    "type = '%s') + (select count(*) from billing.event_log where tenant_id = "
	    "'%s' and type = '%s')",
	    world_id_text(who->tenant), type, world_id_text(who->tenant), type);
}

/* F10, wholly credited; in German. */
static void
all_of_an_invoice_comes_back_as_it_was(void **state)
{
	struct world_caller who = shop_customer("\"country\":\"AT\",\"locale\":\"de\"");
	Billing__V1__Invoice *invoice;
	Billing__V1__CreditNote *note;

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"gross\"}");
	invoice = shop_invoice(&who, 0);
	note = credit(&who, invoice, changed);
	assert_int_equal(note->net, 833);
	assert_int_equal(note->tax, 167);
	assert_int_equal(note->total, 1000);
	assert_int_equal(note->to_balance, 1000);
	assert_int_equal(note->off_due, 0);
	assert_string_equal(note->type_code, "381");
	assert_string_equal(note->invoice_number, invoice->number);
	assert_non_null(strstr(note->number, "-C000001"));
	assert_string_equal(note->notes[0], "Änderung der Bestellung");
	assert_string_equal(note->lines[0]->description, "Korrektur: gross");
	assert_string_equal(note->taxes[0]->name, "USt");
	assert_string_equal(note->buyer->name, "Ann & Co");
	invoice = shop_invoice(&who, 0);
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__paid);
	assert_int_equal(invoice->amount_credited, 1000);
	assert_non_null(invoice->paid_at);
	assert_int_equal(shop_number(&who, "balance"), 1000);
	assert_int_equal(ground_sum(&who, "revenue"), 0);
	assert_int_equal(ground_sum(&who, "tax"), 0);
	assert_string_equal(events(&who, "billing.credit_note.created"), "1");
	assert_int_equal(notes(&who)->n_items, 1);
	assert_string_equal(notes(&who)->items[0]->number, note->number);
	shop_books_agree(&who);
}

/* The buyer has a VAT id since, and the credit is of the tax that was charged. */
static void
a_credit_has_the_tax_of_its_invoice(void **state)
{
	struct world_caller who = shop_customer("\"country\":\"DE\"");
	Billing__V1__CreditNote *note;

	(void)state;
	shop_subscribe(&who, big);
	shop_profile(&who, "\"country\":\"DE\",\"vat_id\":\"DE123456789\"");
	note = credit(&who, shop_invoice(&who, 0),
	    ",\"reason\":\"duplicate\","
	    "\"amount\":3000");
	assert_int_equal(note->net, 2500);
	assert_int_equal(note->tax, 500);
	assert_string_equal(note->taxes[0]->category, "S");
	shop_books_agree(&who);
}

static void
what_is_not_paid_is_lowered(void **state)
{
	struct world_caller who = shop_customer(austria);
	Billing__V1__Invoice *invoice;
	Billing__V1__CreditNote *note;

	(void)state;
	ground_card(&who, "4000000000000341");
	shop_subscribe(&who, big);
	note = credit(&who, shop_invoice(&who, 0),
	    ",\"reason\":\"unsatisfactory\",\"amount\":1000");
	assert_int_equal(note->off_due, 1000);
	assert_int_equal(note->to_balance, 0);
	invoice = shop_invoice(&who, 0);
	assert_int_equal(invoice->amount_due, 5000);
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__open);
	shop_books_agree(&who);
	(void)credit(&who, invoice, changed); /* and by the rest it is paid */
	invoice = shop_invoice(&who, 0);
	assert_int_equal(invoice->amount_due, 0);
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__paid);
	assert_int_equal(shop_number(&who, "balance"), 0);
	assert_int_equal(ground_sum(&who, "tax"), 0);
	shop_books_agree(&who);
}

/* A10: 1000 of time that is neither used nor paid. */
static void
unused_time_of_an_unpaid_invoice_lowers_it(void **state)
{
	struct world_caller who = shop_customer("\"country\":\"US\"");
	Billing__V1__Invoice *invoice;

	(void)state;
	shop_subscribe(&who, big);
	ground_card(&who, "4000000000000341");
	ground_pass(&who, 31 * SHOP_DAY);
	invoice = shop_invoice(&who, 0);
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__open);
	world_sql("update billing.subscription set clock_at = clock_at "
		  "where tenant_id = '%s'",
	    world_id_text(who.tenant));
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	invoice = shop_invoice(&who, 0);
	assert_true(invoice->amount_credited > 0);
	assert_int_equal(
	    invoice->amount_due, invoice->total - invoice->amount_credited);
	assert_int_equal(shop_number(&who, "balance"), 0);
	assert_int_equal(notes(&who)->n_items, 1);
	assert_int_equal(notes(&who)->items[0]->total, invoice->amount_credited);
	assert_false(notes(&who)->items[0]->has_reason);
	shop_books_agree(&who);
}

/* A7: of what was debited, after discount, and in the balance as it was paid. */
static void
unused_time_that_was_paid_is_credit(void **state)
{
	struct world_caller who = shop_customer(austria);
	Billing__V1__CreditNote *note;

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"team\",\"seats\":2,\"interval\":\"year\","
			     "\"coupon\":\"HALF\"}");
	ground_pass(&who, 100 * SHOP_DAY);
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	note = notes(&who)->items[0];
	assert_int_equal(note->net, 9000 - 2466); /* R(9000 * 100 / 365) */
	assert_int_equal(note->to_balance, note->total);
	assert_int_equal(shop_number(&who, "balance"), note->total);
	shop_books_agree(&who);
}

/* What the operator credited is not credited once more when the subscription ends. */
static void
what_was_credited_is_not_credited_again(void **state)
{
	struct world_caller who = shop_customer(austria);

	(void)state;
	shop_subscribe(&who, big);
	(void)credit(&who, shop_invoice(&who, 0), changed);
	ground_pass(&who, SHOP_DAY);
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	assert_int_equal(notes(&who)->n_items, 1);
	assert_int_equal(shop_number(&who, "balance"), 6000);
	shop_books_agree(&who);
}

/* Back to the payer, and what was paid from the balance to that. */
static void
what_was_paid_may_go_back_to_the_payer(void **state)
{
	struct world_caller who = shop_customer(austria);
	Billing__V1__CreditNote *note;

	(void)state;
	shop_subscribe(&who, big);
	(void)credit(&who, shop_invoice(&who, 0),
	    ",\"reason\":\"duplicate\","
	    "\"amount\":1000");
	ground_pass(&who, 31 * SHOP_DAY);
	assert_int_equal(shop_invoice(&who, 0)->from_balance, 1000);
	note = credit(&who, shop_invoice(&who, 0),
	    ",\"reason\":\"duplicate\","
	    "\"refund\":true");
	assert_int_equal(note->refunded, 5000);
	assert_int_equal(note->to_balance, 1000);
	assert_int_equal(shop_number(&who, "balance"), 1000);
	assert_int_equal(ground_sum(&who, "refunds"), 0);
	assert_int_equal(ground_sum(&who, "cash"), 6000);
	assert_string_equal(
	    world_sql("select string_agg(kind || ' ' || status || ' ' || amount, ', ' "
		      "order by id) from billing.payment where tenant_id = '%s'",
		world_id_text(who.tenant)),
	    "payment succeeded 6000, payment succeeded 5000, refund succeeded 5000");
	shop_books_agree(&who);
}

static void
nothing_above_the_rest_is_credited(void **state)
{
	struct world_caller who = shop_customer(austria);
	Billing__V1__Invoice *invoice;

	(void)state;
	shop_subscribe(&who, big);
	invoice = shop_invoice(&who, 0);
	assert_int_equal(
	    ask(&ground_operator, &billing_v1_credit_invoice,
		shop_about(&who, invoice, ",\"reason\":\"duplicate\",\"amount\":6001"),
		NULL),
	    TRL_CONFLICT);
	(void)credit(&who, invoice, changed);
	assert_int_equal(ask(&ground_operator, &billing_v1_credit_invoice,
			     shop_about(&who, invoice, changed), NULL),
	    TRL_CONFLICT);
	assert_int_equal(notes(&who)->n_items, 1);
}

/* As I17: 6000, and five times 4000 at once. */
static void
five_at_once_do_not_exceed_the_rest(void **state)
{
	enum { MANY = 5 };
	static struct world_run runs[MANY];
	struct world_run *all[MANY];
	struct world_caller who = shop_customer(austria);
	unsigned given = 0;

	(void)state;
	shop_subscribe(&who, big);
	for (size_t i = 0; i < MANY; i++) {
		runs[i] = (struct world_run){ .who = ground_operator,
			.method = &billing_v1_credit_invoice,
			.in = ground_message(&billing_v1_credit_invoice,
			    shop_about(&who, shop_invoice(&who, 0),
				",\"reason\":\"duplicate\",\"amount\":4000")) };
		all[i] = &runs[i];
	}
	for (size_t i = 0; i < MANY; i++)
		world_start(&runs[i]);
	world_wait(all, MANY);
	for (size_t i = 0; i < MANY; i++) {
		given += runs[i].rc == TRL_OK;
		if (runs[i].rc != TRL_OK)
			assert_int_equal(runs[i].rc, TRL_CONFLICT);
	}
	assert_int_equal(given, 1);
	assert_int_equal(shop_number(&who, "balance"), 4000);
	shop_books_agree(&who);
}

static void
only_the_operator_and_only_of_its_invoice(void **state)
{
	struct world_caller who = shop_customer(austria),
			    other = shop_customer(austria);
	Billing__V1__Invoice *invoice;

	(void)state;
	shop_subscribe(&who, big);
	invoice = shop_invoice(&who, 0);
	assert_int_equal(ask(&who, &billing_v1_credit_invoice,
			     shop_about(&who, invoice, changed), NULL),
	    TRL_DENIED);
	assert_int_equal(ask(&ground_operator, &billing_v1_credit_invoice,
			     shop_about(&other, invoice, changed), NULL),
	    TRL_NOT_FOUND);
	assert_int_equal(notes(&other)->n_items, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(all_of_an_invoice_comes_back_as_it_was),
		TEST(a_credit_has_the_tax_of_its_invoice),
		TEST(what_is_not_paid_is_lowered),
		TEST(unused_time_of_an_unpaid_invoice_lowers_it),
		TEST(unused_time_that_was_paid_is_credit),
		TEST(what_was_credited_is_not_credited_again),
		TEST(what_was_paid_may_go_back_to_the_payer),
		TEST(nothing_above_the_rest_is_credited),
		TEST(five_at_once_do_not_exceed_the_rest),
		TEST(only_the_operator_and_only_of_its_invoice),
	};

	return cmocka_run_group_tests(tests, shop_open, ground_close);
}
