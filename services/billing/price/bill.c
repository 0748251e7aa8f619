/* bill.c - see bill.h. */
#include "price/bill.h"

#include <stdlib.h>
#include <string.h>

#include <trl/compiler.h>

static const trl_int128 hundred = 100000000; /* percent, RATE_PLACES */

/* What a coupon may take off of a line. */
static int64_t
discountable(const struct bill_line *line)
{
	return line->amount > 0 && !line->undiscounted ? line->amount : 0;
}

static bool
charges(const struct bill *bill, int64_t *sum)
{
	*sum = 0;
	for (size_t i = 0; i < bill->n_lines; i++)
		if (__builtin_add_overflow(*sum, discountable(&bill->lines[i]), sum))
			return false;
	return true;
}

bool
bill_percent_off(const struct bill *bill, trl_int128 percent, int64_t *out)
{
	int64_t sum;

	trl_assert(percent >= 0 && percent <= hundred);
	return charges(bill, &sum) && trl_muldiv(sum, percent, hundred, out);
}

bool
bill_amount_off(const struct bill *bill, int64_t amount, int64_t *out)
{
	int64_t sum;

	trl_assert(amount >= 0);
	if (!charges(bill, &sum))
		return false;
	*out = amount < sum ? amount : sum;
	return true;
}

/* Over the lines that it holds for, by what they charge. */
static bool
split_discount(struct bill *bill)
{
	int64_t *weights, *parts;
	bool fits;

	for (size_t i = 0; i < bill->n_lines; i++)
		bill->lines[i].discount = 0;
	if (bill->discount == 0)
		return true;
	weights = calloc(2 * bill->n_lines, sizeof *weights);
	trl_assert(weights != NULL);
	parts = weights + bill->n_lines;
	for (size_t i = 0; i < bill->n_lines; i++)
		weights[i] = discountable(&bill->lines[i]);
	fits = trl_split(bill->discount, weights, bill->n_lines, parts);
	for (size_t i = 0; fits && i < bill->n_lines; i++)
		bill->lines[i].discount = parts[i];
	free(weights);
	return fits;
}

/* All rates of a kind together. */
static trl_int128
whole_rate(const struct bill_tax *tax)
{
	trl_int128 rate = 0;

	for (size_t i = 0; i < tax->n_rates; i++)
		rate += tax->rates[i];
	return rate;
}

/* Lines that are taxed together: those without their tax in them by one rate of their
 * category, the n-th such rate where a line has it more than once; those with their tax
 * in them where all of their rates are the same, since their price says no more than
 * that. */
struct together {
	bool inclusive;
	const struct bill_tax *tax;
	size_t at; /* in tax->rates */
};

bool
bill_has_same_tax(const struct bill_tax *tax, const struct bill_tax *other)
{
	if (strcmp(tax->category, other->category) != 0 ||
	    tax->n_rates != other->n_rates)
		return false;
	for (size_t i = 0; i < tax->n_rates; i++)
		if (tax->rates[i] != other->rates[i])
			return false;
	return true;
}

/* Where in its rates a line has that of which; -1: it is not among them. */
static int
place_in(const struct bill_line *line, const struct together *which)
{
	const struct bill_tax *tax = &line->tax_kind;
	trl_int128 rate = which->tax->rates[which->at];
	size_t before = 0;

	if (line->inclusive != which->inclusive ||
	    strcmp(tax->category, which->tax->category) != 0)
		return -1;
	if (which->inclusive)
		return bill_has_same_tax(tax, which->tax) ? (int)which->at : -1;
	for (size_t i = 0; i < which->at; i++)
		before += which->tax->rates[i] == rate;
	for (size_t i = 0; i < tax->n_rates; i++)
		if (tax->rates[i] == rate && before-- == 0)
			return (int)i;
	return -1;
}

static bool
sum_of(const struct bill *bill, const struct together *which, int64_t *sum)
{
	*sum = 0;
	for (size_t i = 0; i < bill->n_lines; i++) {
		const struct bill_line *line = &bill->lines[i];

		if (place_in(line, which) >= 0 &&
		    __builtin_add_overflow(*sum, line->amount - line->discount, sum))
			return false;
	}
	return true;
}

/* A line's exact part of a tax: over *divisor. */
static trl_int128
exact_tax(
    const struct bill_line *line, const struct together *which, trl_int128 *divisor)
{
	*divisor = hundred + (which->inclusive ? whole_rate(which->tax) : 0);
	return (trl_int128)(line->amount - line->discount) *
	       which->tax->rates[which->at];
}

/* The line whose tax is to move by one: that with the largest remainder in that
 * direction, the first of equal ones. */
static int64_t *
next_to_move(const struct bill *bill, const struct together *which, int direction)
{
	int64_t *best = NULL;
	trl_int128 most = 0;

	for (size_t i = 0; i < bill->n_lines; i++) {
		struct bill_line *line = &bill->lines[i];
		int place = place_in(line, which);
		trl_int128 divisor, rest;

		if (place < 0)
			continue;
		rest = exact_tax(line, which, &divisor);
		rest = (rest - line->taxes[place] * divisor) * direction;
		if (!best || rest > most) {
			most = rest;
			best = &line->taxes[place];
		}
	}
	trl_assert(best != NULL);
	return best;
}

/* What lines show of a tax that they have together, by the largest remainder. */
static void
show_tax(struct bill *bill, const struct together *which, int64_t tax)
{
	int64_t shown = 0;

	for (size_t i = 0; i < bill->n_lines; i++) {
		struct bill_line *line = &bill->lines[i];
		int place = place_in(line, which);
		trl_int128 exact, divisor;

		if (place < 0)
			continue;
		exact = exact_tax(line, which, &divisor);
		line->taxes[place] = (int64_t)(exact / divisor);
		shown += line->taxes[place];
	}
	for (int step = tax > shown ? 1 : -1; shown != tax; shown += step)
		*next_to_move(bill, which, step) += step;
}

static struct bill_group *
group_of(struct bill *bill, const char *category, trl_int128 rate, const char *name)
{
	struct bill_group *group = bill->groups;

	for (size_t i = 0; i < bill->n_groups; i++, group++)
		if (group->rate == rate && strcmp(group->category, category) == 0)
			return group;
	if (bill->n_groups == BILL_GROUPS_MAX)
		return NULL;
	bill->n_groups++;
	*group = (struct bill_group){ .rate = rate, .name = name };
	memcpy(group->category, category, sizeof group->category);
	return group;
}

bool
bill_add_to_group(struct bill *bill, const struct bill_tax *kind, size_t rate,
    int64_t net, int64_t tax)
{
	bool taxed = rate < kind->n_rates;
	struct bill_group *group = group_of(bill, kind->category,
	    taxed ? kind->rates[rate] : 0, taxed ? kind->names[rate] : NULL);

	return group && !__builtin_add_overflow(group->net, net, &group->net) &&
	       !__builtin_add_overflow(group->tax, tax, &group->tax);
}

/* The net of lines with their tax in them, so that their sum stays what it is; the tax
 * is split by the rates. */
static bool
sum_inclusive(struct bill *bill, struct together which)
{
	const struct bill_tax *tax = which.tax;
	trl_int128 whole = whole_rate(tax);
	int64_t sum, net, weights[BILL_RATES_MAX], taxes[BILL_RATES_MAX] = { 0 };

	for (size_t i = 0; i < tax->n_rates; i++)
		weights[i] = (int64_t)tax->rates[i];
	if (!sum_of(bill, &which, &sum) ||
	    !trl_muldiv(sum, hundred, hundred + whole, &net) ||
	    (whole > 0 && !trl_split(sum - net, weights, tax->n_rates, taxes)))
		return false;
	for (; which.at < tax->n_rates; which.at++) {
		if (!bill_add_to_group(bill, tax, which.at, net, taxes[which.at]))
			return false;
		show_tax(bill, &which, taxes[which.at]);
	}
	return tax->n_rates > 0 || bill_add_to_group(bill, tax, 0, net, 0);
}

static bool
sum_exclusive(struct bill *bill, const struct together *which)
{
	int64_t net, tax;

	if (!sum_of(bill, which, &net) ||
	    !trl_muldiv(net, which->tax->rates[which->at], hundred, &tax) ||
	    !bill_add_to_group(bill, which->tax, which->at, net, tax))
		return false;
	show_tax(bill, which, tax);
	return true;
}

static bool
is_first(const struct bill *bill, size_t i, const struct together *which)
{
	for (size_t before = 0; before < i; before++)
		if (place_in(&bill->lines[before], which) >= 0)
			return false;
	return true;
}

/* The sums that line i is the first of. */
static bool
sum_firsts(struct bill *bill, size_t i)
{
	const struct bill_line *line = &bill->lines[i];
	const struct bill_tax *tax = &line->tax_kind;
	struct together which = { line->inclusive, tax, 0 };

	if (line->inclusive)
		return !is_first(bill, i, &which) || sum_inclusive(bill, which);
	for (; which.at < tax->n_rates; which.at++)
		if (is_first(bill, i, &which) && !sum_exclusive(bill, &which))
			return false;
	return tax->n_rates > 0 ||
	       bill_add_to_group(bill, tax, 0, line->amount - line->discount, 0);
}

/* What a line adds, by the taxes that it shows. */
static bool
sum_line(struct bill *bill, struct bill_line *line)
{
	line->tax = 0;
	for (size_t i = 0; i < line->tax_kind.n_rates; i++)
		line->tax += line->taxes[i];
	line->net = line->amount - line->discount - (line->inclusive ? line->tax : 0);
	return !__builtin_add_overflow(bill->net, line->net, &bill->net) &&
	       !__builtin_add_overflow(bill->tax, line->tax, &bill->tax);
}

bool
bill_sum(struct bill *bill)
{
	bill->n_groups = 0;
	bill->net = bill->tax = 0;
	if (!split_discount(bill))
		return false;
	for (size_t i = 0; i < bill->n_lines; i++)
		if (!sum_firsts(bill, i))
			return false;
	for (size_t i = 0; i < bill->n_lines; i++)
		if (!sum_line(bill, &bill->lines[i]))
			return false;
	return !__builtin_add_overflow(bill->net, bill->tax, &bill->total);
}
