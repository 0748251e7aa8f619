/* bill.h - the sums of an invoice or credit note, as EN 16931 has them: lines rounded,
 * a discount split over them, tax once per category and rate on the sum of its lines.
 * Pure. Amounts are minor units; a credit's are negative, and come out as exactly minus
 * its invoice's. */
#pragma once

#include <trl/money.h>

enum {
	BILL_LINES_MAX = 1000,
	BILL_GROUPS_MAX = 20,
	BILL_RATES_MAX = 3,
	RATE_PLACES = 6
};

/* What is charged on a line: an EN 16931 category (S, Z, E, AE, K, G, O) and its rates,
 * each on the same net, as Canada's two are. */
struct bill_tax {
	char category[4];
	size_t n_rates;                    /* 0: nothing */
	trl_int128 rates[BILL_RATES_MAX];  /* percent, 6 places */
	const char *names[BILL_RATES_MAX]; /* "VAT"; may be NULL */
};

struct bill_line {
	int64_t amount;    /* as the price has it: with its tax in it, or without */
	bool inclusive;    /* the tax is in it */
	bool undiscounted; /* no coupon holds for it */
	struct bill_tax tax_kind;
	/* Made by bill_sum: */
	int64_t discount; /* of the amount, 0 or more where that is */
	int64_t net, tax; /* of what is left; net + tax is what the line adds */
	int64_t taxes[BILL_RATES_MAX]; /* tax by rate */
};

/* The tax of one category and rate. */
struct bill_group {
	char category[4];
	trl_int128 rate;
	const char *name;
	int64_t net, tax;
};

struct bill {
	size_t n_lines;
	struct bill_line *lines;
	size_t n_groups;
	struct bill_group
	    groups[BILL_GROUPS_MAX]; /* in the order of their first lines */
	int64_t discount, net, tax, total;
};

/* What a coupon takes off the lines that charge and that it holds for: never more than
 * their sum. Credits are of what was debited, after discount, and stay as they are.
 * percent has RATE_PLACES, up to 100; of an amount as it is. False: it does not fit. */
bool bill_percent_off(const struct bill *bill, trl_int128 percent, int64_t *out);
bool bill_amount_off(const struct bill *bill, int64_t amount, int64_t *out);
/* Fills everything else from lines and discount. False: it does not fit, or has too
 * many groups. */
bool bill_sum(struct bill *bill);

/* Category and rates, in their order. */
bool bill_has_same_tax(const struct bill_tax *tax, const struct bill_tax *other);
/* Adds to the group of one of a kind's rates (0 where it has none). False: it does not
 * fit, or there are too many groups. */
bool bill_add_to_group(struct bill *bill, const struct bill_tax *kind, size_t rate,
    int64_t net, int64_t tax);
