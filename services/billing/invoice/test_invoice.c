/* What invoices say: words, times, and the sums that EN 16931 asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "invoice/test_shop.h"

static const char austria[] = "\"country\":\"AT\"";
static const char big[] = "{\"plan\":\"big\"}";

static void
words_are_the_buyers_and_stay(void **state)
{
	struct world_caller who =
	    shop_customer("\"country\":\"AT\",\"locale\":\"de-AT\"");
	Billing__V1__Invoice *invoice;

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"team\",\"seats\":3,\"interval\":\"month\"}");
	ground_pass(&who, 10 * SHOP_DAY);
	shop_subscribe(&who, big);
	shop_profile(&who, "\"country\":\"AT\",\"locale\":\"fr\"");
	invoice = shop_invoice(&who, 0);
	assert_string_equal(
	    invoice->lines[0]->description, "Ungenutzte Zeit: 3 × team");
	assert_string_equal(invoice->lines[1]->description, "Restliche Zeit: big");
	assert_string_equal(invoice->terms,
	    "Wird automatisch vom hinterlegten Zahlungsmittel abgebucht.");
	assert_string_equal(invoice->locale, "de-AT");
}

static void
who_is_charged_by_nobody_is_told_when_to_pay(void **state)
{
	static const struct {
		const char *seller, *terms;
	} told[] = { { "", "Payable at once." },
		{ "\"due_days\":1,", "Payable within one day." },
		{ "\"due_days\":14,", "Payable within 14 days." } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(told); i++) {
		struct world_caller who = ground_owner(); /* it has no card */

		shop_profile(&who, austria);
		shop_sells(told[i].seller);
		shop_subscribe(&who, big);
		assert_string_equal(shop_invoice(&who, 0)->terms, told[i].terms);
	}
	shop_sells("");
}

/* H10: whatever becomes of seller and buyer. */
static void
a_final_invoice_stays_as_it_is(void **state)
{
	struct world_caller who = shop_customer(austria);
	Billing__V1__Invoice *before, *since;

	(void)state;
	shop_subscribe(&who, big);
	before = shop_invoice(&who, 0);
	shop_profile(&who, "\"country\":\"DE\","
			   "\"vat_id\":\"DE123456789\",\"locale\":\"de\"");
	shop_sells("\"due_days\":30,\"footer\":\"New\",");
	since = shop_invoice(&who, 0);
	assert_int_equal(protobuf_c_message_get_packed_size(&before->base),
	    protobuf_c_message_get_packed_size(&since->base));
	assert_string_equal(since->buyer->country, "AT");
	assert_string_equal(since->terms, before->terms);
	assert_null(since->footer);
	shop_sells("");
}

static void
all_that_en_16931_asks_for_is_there(void **state)
{
	struct world_caller who = shop_customer(
	    "\"country\":\"DE\",\"vat_id\":\"DE123456789\",\"address_line1\":\"Weg 2\","
	    "\"postal_code\":\"10115\",\"city\":\"Berlin\","
	    "\"email\":\"ann@example.test\"");
	Billing__V1__Invoice *invoice;
	const Billing__V1__Line *line;

	(void)state;
	shop_sells("\"due_days\":14,\"footer\":\"Thank you\",");
	shop_subscribe(&who, "{\"plan\":\"team\",\"seats\":3,\"interval\":\"month\"}");
	shop_sells("");
	invoice = shop_invoice(&who, 0);
	line = invoice->lines[0];
	assert_non_null(invoice->number);
	assert_non_null(invoice->issued_at);
	assert_string_equal(invoice->type_code, "380");
	assert_string_equal(invoice->currency, "EUR");
	assert_int_equal(
	    trl_value_time_us(invoice->due_at) - trl_value_time_us(invoice->issued_at),
	    14 * INT64_C(86400000000));
	assert_string_equal(
	    invoice->terms, "Charged automatically to the payment method on file.");
	assert_string_equal(invoice->footer, "Thank you");
	assert_string_equal(invoice->seller->name, "Acme GmbH");
	assert_string_equal(invoice->seller->vat_id, "ATU12345678");
	assert_string_equal(invoice->buyer->name, "Ann & Co");
	assert_string_equal(invoice->buyer->country, "DE");
	assert_string_equal(invoice->buyer->vat_id, "DE123456789");
	assert_non_null(invoice->period_start);
	assert_int_equal(trl_value_time_us(invoice->period_start),
	    trl_value_time_us(line->period_start));
	assert_int_equal(trl_value_time_us(invoice->period_end),
	    trl_value_time_us(line->period_end));
	assert_string_equal(line->unit, "C62");
	assert_string_equal(line->quantity, "3");
	assert_string_equal(line->unit_amount, "900");
	assert_string_equal(line->description, "3 × team");
	assert_string_equal(line->tax_category, "AE");
	assert_string_equal(line->tax_rate, "0");
}

static int64_t
rate_of(const char *text)
{
	trl_int128 value = 0;

	assert_int_equal(trl_decimal_read(text, strlen(text), RATE_PLACES, &value), 0);
	return (int64_t)value;
}

/* BR-CO-17, with the one minor unit of tolerance that tax in a price needs. */
static void
check_group(const Billing__V1__TaxTotal *group)
{
	int64_t tax, rate = group->rate ? rate_of(group->rate) : 0;

	assert_true(trl_muldiv(group->net, rate, 100000000, &tax));
	if (llabs(tax - group->tax) > 1)
		fail_msg("BR-CO-17: %lld at %s is not %lld", (long long)group->net,
		    group->rate, (long long)group->tax);
	assert_true(!!group->reason == (strcmp(group->category, "S") != 0 &&
					   strcmp(group->category, "Z") != 0));
}

static void
check_sums(const Billing__V1__Invoice *invoice)
{
	int64_t lines = 0, shown = 0, net = 0, tax = 0, amounts = 0, off = 0;

	for (size_t i = 0; i < invoice->n_lines; i++) {
		lines += invoice->lines[i]->net;
		shown += invoice->lines[i]->tax;
		amounts += invoice->lines[i]->amount;
		off += invoice->lines[i]->discount;
	}
	for (size_t i = 0; i < invoice->n_taxes; i++) {
		net += invoice->taxes[i]->net;
		tax += invoice->taxes[i]->tax;
		check_group(invoice->taxes[i]);
	}
	assert_int_equal(invoice->net, lines); /* BR-CO-10 and, as there are only */
	assert_int_equal(invoice->net, net);   /* lines' allowances, -11, -12, -13 */
	assert_int_equal(invoice->tax, tax);   /* BR-CO-14 */
	assert_int_equal(invoice->tax, shown);
	assert_int_equal(invoice->total, invoice->net + invoice->tax); /* BR-CO-15 */
	assert_int_equal(invoice->subtotal, amounts);
	assert_int_equal(invoice->discount, off);
	/* BR-CO-16: BT-115 = BT-112 - BT-113 */
	assert_int_equal(
	    invoice->amount_due + invoice->amount_paid + invoice->carried_on,
	    invoice->total - (invoice->from_balance - invoice->carried));
	assert_true(invoice->n_taxes > 0);                       /* BR-CO-18 */
	assert_true(invoice->amount_due <= 0 || invoice->terms); /* BR-CO-25 */
}

/* An upgrade amid of a period, as a preview, of customers of all kinds. */
static void
sums_hold_on_many_invoices(void **state)
{
	static const char *const profiles[] = { "\"country\":\"AT\"",
		"\"country\":\"DE\",\"vat_id\":\"DE123456789\"", "\"country\":\"US\"",
		"\"country\":\"CH\"", "\"country\":\"CA\"" };
	static const char *const plans[] = { "team", "big", "gross", "book", "tiny" };
	static const char *const coupons[] = { "", ",\"coupon\":\"HALF\"",
		",\"coupon\":\"ALL\"", ",\"coupon\":\"FLAT\"",
		",\"coupon\":\"QUARTER\"" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(profiles); i++) {
		struct world_caller who = shop_customer(profiles[i]);

		shop_subscribe(&who, "{\"plan\":\"gross\"}");
		check_sums(shop_invoice(&who, 0));
		ground_pass(&who, 86400 * 3 + 4711 * (int)(i + 1));
		for (size_t j = 0; j < 60; j++) {
			Billing__V1__Preview *preview = shop_preview(&who,
			    trl_arena_printf(world.arena,
				"{\"plan\":\"%s\",\"when\":\"now\",\"interval\":"
				"\"month\""
				",\"seats\":%zu%s}",
				plans[j % 5], 1 + j * j % 97, coupons[j / 5 % 5]));

			if (preview->invoice)
				check_sums(preview->invoice);
			if (preview->renewal)
				check_sums(preview->renewal);
		}
	}
}

/* G1, G2: a minor unit is what ISO 4217 says. */
static void
currencies_without_decimals_stay_what_they_are(void **state)
{
	static const struct {
		const char *plan, *currency;
		int64_t total;
	} rows[] = { { "yen", "JPY", 500 }, { "shilling", "UGX", 5 },
		{ "krona", "ISK", 5000 } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct world_caller who = shop_customer(trl_arena_printf(world.arena,
		    "\"country\":\"US\",\"currency\":\"%s\"", rows[i].currency));
		Billing__V1__Invoice *invoice = shop_preview(&who,
		    trl_arena_printf(world.arena, "{\"plan\":\"%s\"}", rows[i].plan))
						    ->invoice;

		assert_string_equal(invoice->currency, rows[i].currency);
		assert_int_equal(invoice->total, rows[i].total);
		assert_int_equal(invoice->lines[0]->amount, rows[i].total);
	}
}

/* H5: and the next one collects it. */
static void
what_is_too_small_to_collect_is_carried(void **state)
{
	struct world_caller who = shop_customer("\"country\":\"US\"");
	Billing__V1__Invoice *invoice;

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"tiny\",\"interval\":\"month\"}");
	invoice = shop_invoice(&who, 0);
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__paid);
	assert_int_equal(invoice->amount_due, 0);
	assert_int_equal(invoice->carried_on, 30);
	assert_int_equal(ground_sum(&who, "carried"), 30);
	assert_int_equal(ground_sum(&who, "cash"), 0);
	ground_pass(&who, 31 * SHOP_DAY);
	invoice = shop_invoice(&who, 0);
	assert_int_equal(invoice->carried, 30);
	assert_int_equal(invoice->total, 30);
	assert_int_equal(invoice->amount_paid, 60);
	assert_int_equal(ground_sum(&who, "cash"), 60);
	shop_books_agree(&who);
}

/* H5's figures: 30 and then 1000. */
static void
what_is_carried_is_collected_with_what_follows(void **state)
{
	struct world_caller who = shop_customer("\"country\":\"US\"");
	const Billing__V1__Invoice *invoice;

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"tiny\",\"interval\":\"month\"}");
	shop_subscribe(&who, "{\"plan\":\"gross\",\"when\":\"period_end\"}");
	ground_pass(&who, 31 * SHOP_DAY);
	invoice = shop_invoice(&who, 0);
	assert_int_equal(invoice->total, 1000);
	assert_int_equal(invoice->carried, 30);
	assert_int_equal(invoice->amount_paid, 1030);
	assert_int_equal(ground_sum(&who, "carried"), 0);
	shop_books_agree(&who);
}

/* H8's first half: a period that nothing is due of, and an end with nothing left. */
static void
nothing_to_bill_is_no_invoice(void **state)
{
	struct world_caller who = shop_customer(austria);
	Billing__V1__Preview *preview;

	(void)state;
	shop_subscribe(&who, big);
	preview = shop_preview(&who, "{\"plan\":\"tiny\"}");
	assert_null(preview->invoice);
	assert_non_null(preview->renewal);
	must(&who, &billing_v1_cancel_subscription, "{}", NULL);
	ground_pass(&who, 100 * SHOP_DAY);
	assert_string_equal(ground_of(&who, "status"), "canceled");
	assert_int_equal(shop_count(&who), 1);
	assert_string_equal(world_sql("select next_invoice from billing.subscription "
				      "where tenant_id = '%s'",
				world_id_text(who.tenant)),
	    "2");
}

/* H8's second half, and A19's: a number, and no provider. */
static void
a_total_of_nothing_is_numbered_and_paid(void **state)
{
	static const char *const changes[] = { "{\"plan\":\"nil\"}",
		"{\"plan\":\"big\",\"coupon\":\"ALL\"}" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(changes); i++) {
		struct world_caller who = shop_customer(austria);
		Billing__V1__Invoice *invoice;

		shop_subscribe(&who, changes[i]);
		invoice = shop_invoice(&who, 0);
		assert_int_equal(invoice->total, 0);
		assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__paid);
		assert_non_null(invoice->number);
		assert_string_equal(world_sql("select count(*) from billing.payment "
					      "where tenant_id = '%s'",
					world_id_text(who.tenant)),
		    "0");
		shop_books_agree(&who);
	}
}

/* G8: while a balance or an open invoice is in the old one. */
static void
a_currency_stays_while_there_is_something_in_it(void **state)
{
	struct world_caller who = shop_customer(austria);
	static const char dollars[] =
	    "{\"legal_name\":\"Ann\",\"country\":\"AT\",\"currency\":\"USD\"}";

	(void)state;
	shop_subscribe(&who, big);
	assert_int_equal(
	    ask(&who, &billing_v1_put_profile, dollars, NULL), TRL_CONFLICT);
	assert_string_equal(world.err.field, "currency");
	ground_pass(&who, 10 * SHOP_DAY);
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	assert_true(shop_number(&who, "balance") > 0);
	assert_int_equal(
	    ask(&who, &billing_v1_put_profile, dollars, NULL), TRL_CONFLICT);
	assert_int_equal(ask(&who, &billing_v1_put_profile,
			     "{\"legal_name\":\"Ann\",\"country\":\"AT\","
			     "\"currency\":\"EUR\"}",
			     NULL),
	    TRL_OK);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(words_are_the_buyers_and_stay),
		TEST(who_is_charged_by_nobody_is_told_when_to_pay),
		TEST(a_final_invoice_stays_as_it_is),
		TEST(all_that_en_16931_asks_for_is_there),
		TEST(sums_hold_on_many_invoices),
		TEST(currencies_without_decimals_stay_what_they_are),
		TEST(what_is_too_small_to_collect_is_carried),
		TEST(what_is_carried_is_collected_with_what_follows),
		TEST(nothing_to_bill_is_no_invoice),
		TEST(a_total_of_nothing_is_numbered_and_paid),
		TEST(a_currency_stays_while_there_is_something_in_it),
	};

	return cmocka_run_group_tests(tests, shop_open, ground_close);
}
