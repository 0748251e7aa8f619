/* What is taken back of an invoice, in however many pieces, is the invoice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "price/take_back.h"

enum { LINES = 4 };

/* Lines of all kinds: with tax added and in it, two rates, a discount, a credit. */
static struct bill
invoice_of(struct bill_line lines[LINES])
{
	struct bill bill = { .n_lines = LINES, .lines = lines, .discount = 301 };

	lines[0] = (struct bill_line){ .amount = 5555,
		.tax_kind = { .category = "S", .n_rates = 1, .rates = { 23000000 } } };
	lines[1] = (struct bill_line){ .amount = 1000,
		.inclusive = true,
		.tax_kind = { .category = "S", .n_rates = 1, .rates = { 20000000 } } };
	lines[2] = (struct bill_line){ .amount = 14000,
		.tax_kind = {
		    .category = "S", .n_rates = 2, .rates = { 5000000, 9975000 } } };
	lines[3] = (struct bill_line){ .amount = -777,
		.tax_kind = { .category = "S", .n_rates = 1, .rates = { 23000000 } } };
	assert_true(bill_sum(&bill));
	return bill;
}

static void
note(const struct bill *takes, struct bill_taken taken[LINES])
{
	for (size_t i = 0; i < LINES; i++) {
		taken[i].net += takes->lines[i].net;
		for (size_t j = 0; j < BILL_RATES_MAX; j++)
			taken[i].taxes[j] += takes->lines[i].taxes[j];
	}
}

static void
all_is_taken(const struct bill *invoice, const struct bill_taken taken[LINES])
{
	for (size_t i = 0; i < LINES; i++) {
		assert_int_equal(taken[i].net, invoice->lines[i].net);
		for (size_t j = 0; j < BILL_RATES_MAX; j++)
			assert_int_equal(taken[i].taxes[j], invoice->lines[i].taxes[j]);
	}
	assert_int_equal(bill_left(invoice, taken), 0);
}

static void
all_at_once_is_exactly_the_invoice(void **state)
{
	struct bill_line lines[LINES], taken_lines[LINES];
	struct bill invoice = invoice_of(lines), takes = { .lines = taken_lines };
	struct bill_taken taken[LINES] = { 0 };

	(void)state;
	assert_true(bill_take_gross(&invoice, taken, invoice.total, &takes));
	assert_int_equal(takes.net, invoice.net);
	assert_int_equal(takes.tax, invoice.tax);
	assert_int_equal(takes.n_groups, invoice.n_groups);
	for (size_t i = 0; i < takes.n_groups; i++) {
		assert_int_equal(takes.groups[i].net, invoice.groups[i].net);
		assert_int_equal(takes.groups[i].tax, invoice.groups[i].tax);
	}
	note(&takes, taken);
	all_is_taken(&invoice, taken);
}

/* Whatever the pieces, by amount or with tax. */
static void
pieces_add_up_to_the_invoice(void **state)
{
	struct bill_line lines[LINES], taken_lines[LINES];
	struct bill invoice = invoice_of(lines), takes = { .lines = taken_lines };
	uint32_t seed = 1;

	(void)state;
	for (int run = 0; run < 500; run++) {
		struct bill_taken taken[LINES] = { 0 };
		int64_t left = invoice.total;

		for (int i = 0; left > 0; i++) {
			int64_t most, piece, over;

			seed = seed * 1664525 + 1013904223;
			piece = 1 + seed / 7 % 4000;
			most = piece < left ? piece : left;
			if (i > 20)
				most = left;
			if (seed % 3 && i <= 20)
				assert_true(
				    bill_take_gross(&invoice, taken, most, &takes));
			else if (i <= 20)
				assert_true(bill_take_amount(&invoice, taken,
				    seed / 5 % 3, piece, left - 1, &takes, &over));
			else
				assert_true(
				    bill_take_gross(&invoice, taken, left, &takes));
			assert_true(takes.total <= left);
			if (seed % 3 && i <= 20)
				assert_int_equal(takes.total, most);
			assert_int_equal(takes.total, takes.net + takes.tax);
			note(&takes, taken);
			left -= takes.total;
			assert_int_equal(left, bill_left(&invoice, taken));
		}
		all_is_taken(&invoice, taken);
	}
}

/* F10 */
static void
tax_that_is_in_a_price_comes_back_as_it_went(void **state)
{
	struct bill_line line = { .amount = 1000,
		.inclusive = true,
		.tax_kind = { .category = "S", .n_rates = 1, .rates = { 20000000 } } },
			 took;
	struct bill invoice = { .n_lines = 1, .lines = &line },
		    takes = { .lines = &took };
	struct bill_taken taken = { 0 };
	int64_t over;

	(void)state;
	assert_true(bill_sum(&invoice));
	assert_true(bill_take_amount(&invoice, &taken, 0, 1000, 1000, &takes, &over));
	assert_int_equal(over, 0);
	assert_int_equal(takes.net, 833);
	assert_int_equal(takes.tax, 167);
}

static void
no_more_is_taken_than_there_is(void **state)
{
	struct bill_line lines[LINES], taken_lines[LINES];
	struct bill invoice = invoice_of(lines), takes = { .lines = taken_lines };
	struct bill_taken taken[LINES] = { 0 };
	int64_t over;

	(void)state;
	assert_true(
	    bill_take_amount(&invoice, taken, 0, 999999, INT64_MAX, &takes, &over));
	assert_int_equal(takes.net, invoice.lines[0].net);
	assert_int_equal(takes.tax, invoice.lines[0].tax);
	assert_int_equal(over, 0); /* more was never debited */
	assert_true(bill_take_amount(&invoice, taken, 0, 999999, 100, &takes, &over));
	assert_int_equal(takes.total, 100);
	assert_int_equal(over, invoice.lines[0].net - takes.net);
}

/* 4000 at 20 % were credited and 10000 at 10 % charged: 6200. Of 8000 of that, 8800
 * with tax, this invoice has 6200, at 10 %; the rest is another's. */
static void
what_an_invoice_is_not_over_is_left_with_its_own_tax(void **state)
{
	struct bill_line lines[2] = {
		{ .amount = -4000,
		    .tax_kind = { .category = "S",
			.n_rates = 1,
			.rates = { 20000000 } } },
		{ .amount = 10000,
		    .tax_kind = { .category = "S",
			.n_rates = 1,
			.rates = { 10000000 } } },
	};
	struct bill_line took[2];
	struct bill invoice = { .n_lines = 2, .lines = lines },
		    takes = { .lines = took };
	struct bill_taken taken[2] = { 0 };
	int64_t over;

	(void)state;
	assert_true(bill_sum(&invoice));
	assert_int_equal(invoice.total, 6200);
	assert_true(
	    bill_take_amount(&invoice, taken, 1, 8000, invoice.total, &takes, &over));
	assert_int_equal(takes.net, 5636);
	assert_int_equal(takes.tax, 564);
	assert_int_equal(took[0].net, 0);
	assert_int_equal(takes.n_groups, 1);
	assert_int_equal(over, 8000 - 5636);
	/* Of one tax it is the invoice that is taken. */
	lines[0].tax_kind = lines[1].tax_kind;
	assert_true(bill_sum(&invoice));
	assert_true(
	    bill_take_amount(&invoice, taken, 1, 8000, invoice.total, &takes, &over));
	assert_int_equal(takes.net, 6000);
	assert_int_equal(took[0].net, -4000);
	assert_int_equal(over, 2000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_at_once_is_exactly_the_invoice),
		cmocka_unit_test(pieces_add_up_to_the_invoice),
		cmocka_unit_test(tax_that_is_in_a_price_comes_back_as_it_went),
		cmocka_unit_test(no_more_is_taken_than_there_is),
		cmocka_unit_test(what_an_invoice_is_not_over_is_left_with_its_own_tax),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
