/* Sums of invoices: tax by the group, discounts over the lines, credits that mirror. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <trl/compiler.h>

#include "price/bill.h"

enum { LINES = 4 };

struct row {
	const char *name;
	struct {
		int64_t amount;
		const char *rate;
		bool inclusive;
		int64_t tax; /* shown on the line */
	} lines[LINES];
	int64_t discount, net, tax, total;
};

static const struct row rows[] = {
	{ "tax of the sum, not the sum of taxes",
	    { { 5555, "23", false, 1278 }, { 1111, "23", false, 255 } }, 0, 6666, 1533,
	    8199 },
	{ "half a cent goes up", { { 14000, "9.975", false, 1397 } }, 0, 14000, 1397,
	    15397 },
	{ "two taxes on one net", { { 14000, "5 9.975", false, 2097 } }, 0, 14000, 2097,
	    16097 },
	{ "two taxes on a larger one", { { 114000, "5 9.975", false, 17072 } }, 0,
	    114000, 17072, 131072 },
	{ "two taxes in it", { { 16097, "5 9.975", true, 2097 } }, 0, 14000, 2097,
	    16097 },
	{ "tax that is in it",
	    { { 34000, "19", true, 5429 }, { 1390, "19", true, 222 } }, 0, 29739, 5651,
	    35390 },
	{ "two rates", { { 999, "20", false, 200 }, { 999, "10", false, 100 } }, 0,
	    1998, 300, 2298 },
	{ "one with its tax in it", { { 1000, "20", true, 167 } }, 0, 833, 167, 1000 },
	{ "two halves, and the first is shown",
	    { { 5, "10", false, 1 }, { 5, "10", false, 0 } }, 0, 10, 1, 11 },
	{ "a rate that several kinds of lines have is one group",
	    { { 1010, "5 9.975", false, 152 }, { 510, "5", false, 25 } }, 0, 1520, 177,
	    1697 },
	{ "the same rate twice", { { 1010, "5 5", false, 102 } }, 0, 1010, 102, 1112 },
	{ "a charge and a credit",
	    { { 1909, "20", false, 381 }, { -6517, "20", false, -1303 } }, 0, -4608,
	    -922, -5530 },
	{ "nothing left", { { 3000, "20", false, 0 } }, 3000, 0, 0, 0 },
	{ "a discount over two rates",
	    { { 1000, "20", false, 180 }, { 500, "10", false, 45 } }, 150, 1350, 225,
	    1575 },
};

static trl_int128
rate(const char *text)
{
	trl_int128 value = 0;

	if (trl_decimal_read(text, strlen(text), RATE_PLACES, &value))
		fail_msg("%s is no rate", text);
	return value;
}

/* "5 9.975" are two. */
static struct bill_tax
rates(const char *text)
{
	struct bill_tax tax = { .category = "S" };
	char copy[40], *rest = NULL;

	snprintf(copy, sizeof copy, "%s", text);
	for (char *one = strtok_r(copy, " ", &rest); one;
	     one = strtok_r(NULL, " ", &rest))
		tax.rates[tax.n_rates++] = rate(one);
	return tax;
}

static void
sum_row(const struct row *row, int sign)
{
	struct bill_line lines[LINES] = { 0 };
	struct bill bill = { .lines = lines, .discount = sign > 0 ? row->discount : 0 };

	for (; bill.n_lines < LINES && row->lines[bill.n_lines].rate; bill.n_lines++)
		lines[bill.n_lines] = (struct bill_line){
			.amount = sign * row->lines[bill.n_lines].amount,
			.inclusive = row->lines[bill.n_lines].inclusive,
			.tax_kind = rates(row->lines[bill.n_lines].rate),
		};
	assert_true(bill_sum(&bill));
	if (bill.net != sign * row->net || bill.tax != sign * row->tax ||
	    bill.total != sign * row->total)
		fail_msg("%s (%+d): %lld + %lld = %lld", row->name, sign,
		    (long long)bill.net, (long long)bill.tax, (long long)bill.total);
	for (size_t i = 0; i < bill.n_lines; i++)
		if (lines[i].tax != sign * row->lines[i].tax)
			fail_msg("%s (%+d): line %zu shows %lld", row->name, sign, i,
			    (long long)lines[i].tax);
}

static void
each_bill_has_its_sums(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		sum_row(&rows[i], 1);
}

static void
a_credit_is_minus_its_charge(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		if (rows[i].discount == 0)
			sum_row(&rows[i], -1);
}

static void
a_coupon_takes_off_what_there_is(void **state)
{
	struct bill_line lines[] = { { .amount = 2000 }, { .amount = 1000 } };
	const struct bill bill = { .n_lines = 2, .lines = lines };
	int64_t off;

	(void)state;
	assert_true(bill_amount_off(&bill, 5000, &off));
	assert_int_equal(off, 3000);
	assert_true(bill_amount_off(&bill, 100, &off));
	assert_int_equal(off, 100);
	assert_true(bill_percent_off(&bill, rate("12.5"), &off));
	assert_int_equal(off, 375);
	assert_true(bill_percent_off(&bill, rate("100"), &off));
	assert_int_equal(off, 3000);
	lines[0].amount = -2000; /* a credit is after discount already */
	assert_true(bill_amount_off(&bill, 5000, &off));
	assert_int_equal(off, 1000);
	assert_true(bill_percent_off(&bill, rate("50"), &off));
	assert_int_equal(off, 500);
	lines[1].undiscounted = true;
	assert_true(bill_amount_off(&bill, 5000, &off));
	assert_int_equal(off, 0);
	assert_true(bill_percent_off(&bill, rate("50"), &off));
	assert_int_equal(off, 0);
}

static void
what_does_not_fit_is_refused(void **state)
{
	struct bill_line lines[] = { { .amount = INT64_MAX }, { .amount = 1 } };
	struct bill bill = { .n_lines = 2, .lines = lines };
	int64_t off;

	(void)state;
	assert_false(bill_sum(&bill));
	assert_false(bill_amount_off(&bill, 1, &off));
	assert_false(bill_percent_off(&bill, rate("1"), &off));
	bill.n_lines = 1;
	lines[0].tax_kind = rates("20");
	assert_false(bill_sum(&bill));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bill_has_its_sums),
		cmocka_unit_test(a_credit_is_minus_its_charge),
		cmocka_unit_test(a_coupon_takes_off_what_there_is),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
