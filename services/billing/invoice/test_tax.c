/* Taxes by where buyer and seller are, by plan, and by the operator's word. */
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

static Billing__V1__Invoice *
preview_of(const char *profile, const char *change)
{
	struct world_caller who = shop_customer(profile);

	return shop_preview(&who, change)->invoice;
}

/* F8, F9, and the rest of the world. */
static void
tax_is_that_of_the_places(void **state)
{
	static const struct {
		const char *profile, *category, *rate;
		int64_t tax;
		const char *reason;
	} rows[] = {
		{ "\"country\":\"AT\"", "S", "20", 1000, NULL },
		{ "\"country\":\"DE\",\"vat_id\":\"DE123456789\"", "AE", "0", 0,
		    "Reverse charge: the buyer accounts for the tax." },
		{ "\"country\":\"DE\",\"vat_id\":\"DE123456789\","
		  "\"locale\":\"de-DE\"",
		    "AE", "0", 0,
		    "Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge)." },
		{ "\"country\":\"DE\"", "S", "20", 1000, NULL },
		{ "\"country\":\"GR\",\"vat_id\":\"EL123456789\"", "AE", "0", 0,
		    "Reverse charge: the buyer accounts for the tax." },
		{ "\"country\":\"US\"", "O", NULL, 0, "Not subject to tax." },
		{ "\"country\":\"US\",\"vat_id\":\"US1\",\"locale\":\"ja\"", "O", NULL,
		    0, "課税対象外です。" },
		{ "\"country\":\"CH\"", "Z", "0", 0, NULL },
		{ "\"country\":\"CA\"", "S", "5", 250, NULL },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		Billing__V1__Invoice *invoice = preview_of(rows[i].profile, big);
		const Billing__V1__TaxTotal *tax = invoice->taxes[0];

		assert_int_equal(invoice->n_taxes, 1);
		if (strcmp(tax->category, rows[i].category) != 0 ||
		    tax->tax != rows[i].tax || invoice->total != 5000 + rows[i].tax)
			fail_msg("%s: %s %lld", rows[i].profile, tax->category,
			    (long long)tax->tax);
		if (rows[i].rate)
			assert_string_equal(tax->rate, rows[i].rate);
		else
			assert_null(tax->rate);
		if (!rows[i].reason) {
			assert_null(tax->reason);
			assert_int_equal(invoice->n_notes, 0);
			continue;
		}
		assert_string_equal(tax->reason, rows[i].reason);
		assert_int_equal(invoice->n_notes, 1);
		assert_string_equal(invoice->notes[0], rows[i].reason);
	}
}

/* F2's kind: two taxes of one place, each on the same net. */
static void
two_taxes_of_a_region_are_shown_each(void **state)
{
	Billing__V1__Invoice *invoice =
	    preview_of("\"country\":\"CA\",\"region\":\"CA-QC\"", big);
	const Billing__V1__Line *line = invoice->lines[0];

	(void)state;
	assert_int_equal(invoice->n_taxes, 2);
	assert_string_equal(invoice->taxes[0]->name, "GST");
	assert_int_equal(invoice->taxes[0]->tax, 250);
	assert_string_equal(invoice->taxes[1]->name, "QST");
	assert_string_equal(invoice->taxes[1]->rate, "9.975");
	assert_int_equal(invoice->taxes[1]->tax, 499);
	assert_int_equal(invoice->total, 5749);
	assert_string_equal(line->tax_rate, "14.975");
	assert_int_equal(line->n_taxes, 2);
	assert_int_equal(line->taxes[1]->tax, 499);
}

/* F10's first half. */
static void
tax_that_is_in_a_price_is_taken_out_of_it(void **state)
{
	Billing__V1__Invoice *invoice = preview_of(austria, "{\"plan\":\"gross\"}");

	(void)state;
	assert_int_equal(invoice->subtotal, 1000);
	assert_int_equal(invoice->net, 833);
	assert_int_equal(invoice->tax, 167);
	assert_int_equal(invoice->total, 1000);
	assert_true(invoice->lines[0]->tax_inclusive);
}

/* F9's rates: of one name, by class. */
static void
a_plan_has_the_rate_of_its_class(void **state)
{
	Billing__V1__Invoice *invoice = preview_of(austria, "{\"plan\":\"book\"}");

	(void)state;
	assert_string_equal(invoice->taxes[0]->rate, "10");
	assert_string_equal(invoice->taxes[0]->name, "USt");
	assert_int_equal(invoice->total, 1099);
}

static void
an_exemption_is_the_operators_and_stands_on_the_invoice(void **state)
{
	struct world_caller who = shop_customer(austria);
	Billing__V1__Invoice *invoice;
	const char *tenant = trl_arena_strdup(world.arena, world_id_text(who.tenant));

	(void)state;
	must(&ground_operator, &billing_v1_set_exemption,
	    trl_arena_printf(world.arena,
		"{\"tenant_id\":\"%s\",\"reason\":\"Embassy, art. 151\"}", tenant),
	    NULL);
	shop_profile(&who, austria); /* which keeps it */
	invoice = shop_preview(&who, big)->invoice;
	assert_string_equal(invoice->taxes[0]->category, "E");
	assert_string_equal(invoice->taxes[0]->reason, "Embassy, art. 151");
	assert_int_equal(invoice->tax, 0);
	assert_int_equal(ask(&who, &billing_v1_set_exemption,
			     trl_arena_printf(world.arena,
				 "{\"tenant_id\":\"%s\",\"reason\":\"me\"}", tenant),
			     NULL),
	    TRL_DENIED);
	must(&ground_operator, &billing_v1_set_exemption,
	    trl_arena_printf(world.arena, "{\"tenant_id\":\"%s\"}", tenant), NULL);
	assert_int_equal(shop_preview(&who, big)->invoice->tax, 1000);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(tax_is_that_of_the_places),
		TEST(two_taxes_of_a_region_are_shown_each),
		TEST(tax_that_is_in_a_price_is_taken_out_of_it),
		TEST(a_plan_has_the_rate_of_its_class),
		TEST(an_exemption_is_the_operators_and_stands_on_the_invoice),
	};

	return cmocka_run_group_tests(tests, shop_open, ground_close);
}
