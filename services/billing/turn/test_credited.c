/* Credits of a change: their tax, and what a credit note may still give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "invoice/test_shop.h"

static const char austria[] = "\"country\":\"AT\"";
static const char big[] = "{\"plan\":\"big\"}";

static Billing__V1__CreditNote *
credit(const struct world_caller *who, const Billing__V1__Invoice *invoice,
    const char *rest)
{
	Billing__V1__CreditNote *out;

	must(&ground_operator, &billing_v1_credit_invoice,
	    shop_about(who, invoice,
		trl_arena_printf(world.arena, ",\"reason\":\"order_change\"%s", rest)),
	    &out);
	return out;
}

static void
is_too_much(const struct world_caller *who, const Billing__V1__Invoice *invoice,
    const char *rest)
{
	assert_int_equal(ask(&ground_operator, &billing_v1_credit_invoice,
			     shop_about(who, invoice,
				 trl_arena_printf(world.arena,
				     ",\"reason\":\"order_change\"%s", rest)),
			     NULL),
	    TRL_CONFLICT);
}

/* The clock is moved to a month of 30 days. */
static void
begin_april(const struct world_caller *who)
{
	world_sql("update billing.subscription set clock_at = '2027-04-01' where "
		  "tenant_id = '%s'",
	    world_id_text(who->tenant));
}

static struct world_caller
in_april(const char *profile, const char *change, int days)
{
	struct world_caller who = shop_customer(profile);

	begin_april(&who);
	shop_subscribe(&who, change);
	ground_pass(&who, days * SHOP_DAY);
	return who;
}

static void
has(const Billing__V1__Line *line, int64_t net, int64_t tax, const char *category,
    const char *rate)
{
	assert_int_equal(line->net, net);
	assert_int_equal(line->tax, tax);
	assert_string_equal(line->tax_category, category);
	assert_string_equal(line->tax_rate, rate);
}

/* The buyer shows a VAT id since, and its tax is its own business. */
static void
a_credit_on_an_invoice_has_the_tax_of_its_line(void **state)
{
	struct world_caller who =
	    in_april("\"country\":\"DE\"", "{\"plan\":\"team\"}", 15);
	const Billing__V1__Invoice *before, *invoice;

	(void)state;
	before = shop_invoice(&who, 0);
	shop_profile(&who, "\"country\":\"DE\",\"vat_id\":\"DE123456789\"");
	invoice = shop_preview(&who, big)->invoice;
	has(invoice->lines[0], -450, -90, "S", "20");
	shop_subscribe(&who, big);
	invoice = shop_invoice(&who, 0);
	assert_int_equal(invoice->n_lines, 2);
	has(invoice->lines[0], -450, -90, "S", "20");
	has(invoice->lines[1], 2500, 0, "AE", "0");
	assert_int_equal(invoice->n_taxes, 2);
	assert_int_equal(invoice->total, 1960);
	assert_int_equal(invoice->lines[0]->of_line, 1);
	assert_true(trl_id_eq(
	    trl_value_id(invoice->lines[0]->of_invoice_id), trl_value_id(before->id)));
	assert_false(invoice->lines[1]->has_of_invoice_id);
	shop_books_agree(&who);
}

/* Other seats wait, and are credited on the next period's invoice. */
static void
what_waits_for_the_next_invoice_keeps_its_tax_too(void **state)
{
	struct world_caller who =
	    in_april("\"country\":\"DE\"", "{\"plan\":\"team\",\"seats\":2}", 15);
	const Billing__V1__Invoice *invoice;

	(void)state;
	shop_subscribe(&who, "{\"seats\":1}");
	shop_profile(&who, "\"country\":\"DE\",\"vat_id\":\"DE123456789\"");
	ground_pass(&who, 15 * SHOP_DAY);
	invoice = shop_invoice(&who, 0);
	assert_int_equal(invoice->n_lines, 3);
	has(invoice->lines[0], -900, -180, "S", "20");
	has(invoice->lines[1], 450, 0, "AE", "0");
	has(invoice->lines[2], 900, 0, "AE", "0");
	shop_books_agree(&who);
}

/* A book at 10 % and then the big plan at 20 %: of 3333 and 667 tax that are left of
 * that its invoice has 3267, the rest is another's, and each line has its own tax. */
static void
an_end_among_tax_classes_gives_back_what_was_paid(void **state)
{
	struct world_caller who = in_april(austria, "{\"plan\":\"book\"}", 10);
	Billing__V1__ListCreditNotesReply *notes;
	const Billing__V1__Invoice *invoice;

	(void)state;
	shop_subscribe(&who, big);
	invoice = shop_invoice(&who, 0);
	has(invoice->lines[0], -666, -67, "S", "10");
	has(invoice->lines[1], 3333, 667, "S", "20");
	assert_int_equal(invoice->total, 3267);
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	must(&who, &billing_v1_list_credit_notes, "{}", &notes);
	assert_int_equal(notes->n_items, 1);
	assert_int_equal(notes->items[0]->n_lines, 1);
	has(notes->items[0]->lines[0], 2722, 545, "S", "20");
	assert_int_equal(notes->items[0]->n_taxes, 1);
	assert_string_equal(notes->items[0]->taxes[0]->rate, "20");
	invoice = shop_invoice(&who, 0);
	assert_int_equal(invoice->n_lines, 1);
	has(invoice->lines[0], -611, -122, "S", "20");
	assert_int_equal(shop_number(&who, "balance"), 4000);
	assert_int_equal(ground_sum(&who, "tax"), -33);
	shop_books_agree(&who);
}

static void
a_credit_note_gives_no_more_than_a_change_has_left(void **state)
{
	struct world_caller who = in_april(austria, "{\"plan\":\"team\"}", 15);
	const Billing__V1__Invoice *older;

	(void)state;
	shop_subscribe(&who, big); /* it credits 450 and 90 */
	older = shop_invoice(&who, 1);
	assert_int_equal(older->total, 1080);
	is_too_much(&who, older, ",\"amount\":541");
	assert_int_equal(credit(&who, older, ",\"amount\":100")->total, 100);
	assert_int_equal(credit(&who, older, "")->total, 440);
	is_too_much(&who, older, ",\"amount\":1");
	is_too_much(&who, older, "");
	assert_int_equal(shop_number(&who, "balance"), 540);
	shop_books_agree(&who);
}

static void
what_waits_to_be_credited_is_left_out_too(void **state)
{
	struct world_caller who =
	    in_april(austria, "{\"plan\":\"team\",\"seats\":2}", 15);
	const Billing__V1__Invoice *older;

	(void)state;
	shop_subscribe(&who, "{\"seats\":1}"); /* -900 and -180, at the renewal */
	older = shop_invoice(&who, 0);
	assert_int_equal(older->total, 2160);
	is_too_much(&who, older, ",\"amount\":1081");
	assert_int_equal(credit(&who, older, "")->total, 1080);
	ground_pass(&who, 15 * SHOP_DAY);
	assert_int_equal(shop_invoice(&who, 0)->total, 540);
	is_too_much(&who, older, "");
	shop_books_agree(&who);
}

/* An upgrade that is not paid counts while it may still be. */
static void
what_is_void_credits_nothing(void **state)
{
	struct world_caller who = in_april(austria, "{\"plan\":\"team\"}", 15);
	const Billing__V1__Invoice *older = shop_invoice(&who, 0);

	(void)state;
	ground_card(&who, "4000000000000341");
	shop_subscribe(&who, big);
	is_too_much(&who, older, ",\"amount\":541");
	must(&who, &billing_v1_drop_pending_change, "{}", NULL);
	assert_int_equal(credit(&who, older, "")->total, 1080);
	shop_books_agree(&who);
}

/* And what was to be an upgrade is no reason to keep what is not used. */
static void
an_end_while_an_upgrade_waits_credits_all_that_is_left(void **state)
{
	struct world_caller who = in_april(austria, "{\"plan\":\"team\"}", 15);

	(void)state;
	ground_card(&who, "4000000000000341");
	shop_subscribe(&who, big);
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	assert_int_equal(shop_number(&who, "balance"), 540);
	shop_books_agree(&who);
}

/* The operator takes the upgrade's invoice back, and with it what it credited. */
static void
a_credit_that_is_taken_back_is_none(void **state)
{
	struct world_caller who = in_april(austria, "{\"plan\":\"team\"}", 15);
	const Billing__V1__Invoice *older, *newer;

	(void)state;
	shop_subscribe(&who, big);
	newer = shop_invoice(&who, 0);
	older = shop_invoice(&who, 1);
	assert_int_equal(credit(&who, newer, "")->total, 3000 - 540);
	assert_int_equal(credit(&who, older, "")->total, 1080);
	is_too_much(&who, older, "");
	is_too_much(&who, newer, "");
	assert_int_equal(shop_number(&who, "balance"), 1080 + 3000 - 540);
	assert_int_equal(ground_sum(&who, "revenue"), 0);
	assert_int_equal(ground_sum(&who, "tax"), 0);
	shop_books_agree(&who);
}

#define TEST(name) cmocka_unit_test_teardown(name, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_credit_on_an_invoice_has_the_tax_of_its_line),
		TEST(what_waits_for_the_next_invoice_keeps_its_tax_too),
		TEST(an_end_among_tax_classes_gives_back_what_was_paid),
		TEST(a_credit_note_gives_no_more_than_a_change_has_left),
		TEST(what_waits_to_be_credited_is_left_out_too),
		TEST(what_is_void_credits_nothing),
		TEST(an_end_while_an_upgrade_waits_credits_all_that_is_left),
		TEST(a_credit_that_is_taken_back_is_none),
	};

	return cmocka_run_group_tests(tests, shop_open, ground_close);
}
