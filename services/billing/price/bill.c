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

static bool
is_same(const struct bill_line *a, const struct bill_line *b)
{
	const struct bill_tax *first = &a->tax_kind, *second = &b->tax_kind;

	if (a->inclusive != b->inclusive || first->n_rates != second->n_rates ||
	    strcmp(first->category, second->category) != 0)
		return false;
	for (size_t i = 0; i < first->n_rates; i++)
		if (first->rates[i] != second->rates[i])
			return false;
	return true;
}

/* All rates of a line together. */
static trl_int128
whole_rate(const struct bill_line *line)
{
	trl_int128 rate = 0;

	for (size_t i = 0; i < line->tax_kind.n_rates; i++)
		rate += line->tax_kind.rates[i];
	return rate;
}

/* The taxes of a sum, each rate's, and what is left of it without. */
static bool
taxes_of(const struct bill_line *kind, int64_t sum, int64_t *net, int64_t *taxes)
{
	const struct bill_tax *tax = &kind->tax_kind;
	int64_t weights[BILL_RATES_MAX];

	*net = sum;
	if (!kind->inclusive) {
		for (size_t i = 0; i < tax->n_rates; i++)
			if (!trl_muldiv(sum, tax->rates[i], hundred, &taxes[i]))
				return false;
		return true;
	}
	memset(taxes, 0, BILL_RATES_MAX * sizeof *taxes);
	if (whole_rate(kind) == 0)
		return true;
	for (size_t i = 0; i < tax->n_rates; i++)
		weights[i] = (int64_t)tax->rates[i];
	return trl_muldiv(sum, hundred, hundred + whole_rate(kind), net) &&
	       trl_split(sum - *net, weights, tax->n_rates, taxes);
}

/* The line's exact part of what its kind has of one rate: over *divisor. */
static trl_int128
exact_tax(const struct bill_line *line, size_t rate, trl_int128 *divisor)
{
	*divisor = line->inclusive ? hundred + whole_rate(line) : hundred;
	return (trl_int128)(line->amount - line->discount) * line->tax_kind.rates[rate];
}

/* The line whose tax is to move by one: of those of its kind, that with the largest
 * remainder in that direction, the first of equal ones. */
static size_t
next_to_move(const struct bill *bill, size_t first, size_t rate, int direction)
{
	size_t best = first;
	trl_int128 most = -1;

	for (size_t i = first; i < bill->n_lines; i++) {
		const struct bill_line *line = &bill->lines[i];
		trl_int128 divisor, rest;

		if (!is_same(&bill->lines[first], line))
			continue;
		rest = exact_tax(line, rate, &divisor);
		rest -= line->taxes[rate] * divisor;
		if (rest * direction > most) {
			most = rest * direction;
			best = i;
		}
	}
	return best;
}

/* What lines show of one of their kind's rates, by the largest remainder. */
static void
show_tax(struct bill *bill, size_t first, size_t rate, int64_t tax)
{
	int64_t shown = 0;

	for (size_t i = first; i < bill->n_lines; i++) {
		struct bill_line *line = &bill->lines[i];
		trl_int128 exact, divisor;

		if (!is_same(&bill->lines[first], line))
			continue;
		exact = exact_tax(line, rate, &divisor);
		line->taxes[rate] = (int64_t)(exact / divisor);
		shown += line->taxes[rate];
	}
	for (int step = tax > shown ? 1 : -1; shown != tax; shown += step)
		bill->lines[next_to_move(bill, first, rate, step)].taxes[rate] += step;
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

/* The lines like the first one. */
static bool
sum_kind(struct bill *bill, size_t first)
{
	const struct bill_line *kind = &bill->lines[first];
	const struct bill_tax *tax = &kind->tax_kind;
	int64_t sum = 0, net, all = 0, taxes[BILL_RATES_MAX];

	for (size_t i = first; i < bill->n_lines; i++) {
		const struct bill_line *line = &bill->lines[i];

		if (is_same(kind, line) &&
		    __builtin_add_overflow(sum, line->amount - line->discount, &sum))
			return false;
	}
	if (!taxes_of(kind, sum, &net, taxes))
		return false;
	if (tax->n_rates == 0 && !bill_add_to_group(bill, tax, 0, net, 0))
		return false;
	for (size_t i = 0; i < tax->n_rates; i++) {
		if (!bill_add_to_group(bill, tax, i, net, taxes[i]) ||
		    __builtin_add_overflow(all, taxes[i], &all))
			return false;
		show_tax(bill, first, i, taxes[i]);
	}
	return !__builtin_add_overflow(bill->net, net, &bill->net) &&
	       !__builtin_add_overflow(bill->tax, all, &bill->tax);
}

static bool
is_first(const struct bill *bill, size_t i)
{
	for (size_t before = 0; before < i; before++)
		if (is_same(&bill->lines[before], &bill->lines[i]))
			return false;
	return true;
}

bool
bill_sum(struct bill *bill)
{
	bill->n_groups = 0;
	bill->net = bill->tax = 0;
	if (!split_discount(bill))
		return false;
	for (size_t i = 0; i < bill->n_lines; i++)
		if (is_first(bill, i) && !sum_kind(bill, i))
			return false;
	for (size_t i = 0; i < bill->n_lines; i++) {
		struct bill_line *line = &bill->lines[i];

		line->tax = 0;
		for (size_t j = 0; j < line->tax_kind.n_rates; j++)
			line->tax += line->taxes[j];
		line->net =
		    line->amount - line->discount - (line->inclusive ? line->tax : 0);
	}
	return !__builtin_add_overflow(bill->net, bill->tax, &bill->total);
}
