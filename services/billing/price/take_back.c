/* take_back.c - see take_back.h. What is taken of a line's tax is its share of what has
 * been taken of the line by then, less what was taken of the tax before; so roundings
 * never add up, and the last credit note takes what is left. */
#include "price/take_back.h"

#include <stdlib.h>
#include <string.h>

#include <trl/compiler.h>

static int64_t
taken_gross(const struct bill_taken *taken)
{
	int64_t sum = taken->net;

	for (size_t i = 0; i < BILL_RATES_MAX; i++)
		sum += taken->taxes[i];
	return sum;
}

static int64_t
left_of(const struct bill_line *line, const struct bill_taken *taken)
{
	return line->net + line->tax - taken_gross(taken);
}

/* Between 0 and most, which may lie below it. */
static int64_t
within(int64_t value, int64_t most)
{
	if (most >= 0)
		return value < 0 ? 0 : value > most ? most : value;
	return value > 0 ? 0 : value < most ? most : value;
}

/* The taxes of what is taken: of a line's whole (its net, or with tax), so much by now.
 */
static bool
take_taxes(const struct bill_line *line, const struct bill_taken *taken, int64_t by_now,
    int64_t whole, struct bill_line *out)
{
	int sign = whole < 0 ? -1 : 1;

	for (size_t i = 0; i < line->tax_kind.n_rates; i++) {
		int64_t tax;

		if (!trl_muldiv(line->taxes[i], sign * by_now, sign * whole, &tax))
			return false;
		out->taxes[i] =
		    within(tax - taken->taxes[i], line->taxes[i] - taken->taxes[i]);
		out->tax += out->taxes[i];
	}
	return true;
}

static bool
take_gross(const struct bill_line *line, const struct bill_taken *taken, int64_t gross,
    struct bill_line *out)
{
	int64_t whole = line->net + line->tax;

	gross = within(gross, left_of(line, taken));
	if (gross == 0)
		return true;
	if (!take_taxes(line, taken, taken_gross(taken) + gross, whole, out))
		return false;
	out->net = gross - out->tax;
	return true;
}

static bool
take_net(const struct bill_line *line, const struct bill_taken *taken, int64_t net,
    struct bill_line *out)
{
	out->net = within(net, line->net - taken->net);
	return out->net == 0 ||
	       take_taxes(line, taken, taken->net + out->net, line->net, out);
}

static void
begin(const struct bill *invoice, struct bill *out)
{
	struct bill_line *lines = out->lines;

	*out = (struct bill){ .n_lines = invoice->n_lines, .lines = lines };
	for (size_t i = 0; i < invoice->n_lines; i++)
		lines[i] = (struct bill_line){ .inclusive = invoice->lines[i].inclusive,
			.tax_kind = invoice->lines[i].tax_kind };
}

/* The sums of what was taken. */
static bool
end(struct bill *out)
{
	for (size_t i = 0; i < out->n_lines; i++) {
		struct bill_line *line = &out->lines[i];
		size_t n = line->tax_kind.n_rates;

		if (line->net == 0 && line->tax == 0)
			continue;
		line->amount = line->net + (line->inclusive ? line->tax : 0);
		for (size_t j = 0; j < (n ? n : 1); j++)
			if (!bill_add_to_group(
				out, &line->tax_kind, j, line->net, line->taxes[j]))
				return false;
		out->net += line->net;
		out->tax += line->tax;
	}
	out->total = out->net + out->tax;
	return true;
}

/* Whether all lines of which something is left are taxed as one is: then it is all one
 * which of them is taken. */
static bool
has_one_tax(const struct bill *invoice, const struct bill_taken *taken, size_t i)
{
	const struct bill_line *line = &invoice->lines[i];

	for (size_t j = 0; j < invoice->n_lines; j++) {
		const struct bill_line *other = &invoice->lines[j];

		if (left_of(other, &taken[j]) != 0 &&
		    (other->inclusive != line->inclusive ||
			!bill_has_same_tax(&other->tax_kind, &line->tax_kind)))
			return false;
	}
	return true;
}

/* What of amount out does not have. */
static int64_t
rest_of(const struct bill_line *line, int64_t amount, const struct bill *out)
{
	int64_t took = line->inclusive ? out->total : out->net;

	return took < amount ? amount - took : 0;
}

static bool
take_line(const struct bill *invoice, const struct bill_taken *taken, size_t i,
    int64_t amount, struct bill *out)
{
	const struct bill_line *line = &invoice->lines[i];

	begin(invoice, out);
	return line->inclusive ? take_gross(line, &taken[i], amount, &out->lines[i])
			       : take_net(line, &taken[i], amount, &out->lines[i]);
}

bool
bill_take_line(const struct bill *invoice, const struct bill_taken *taken, size_t i,
    int64_t amount, struct bill *out)
{
	return take_line(invoice, taken, i, amount, out) && end(out);
}

bool
bill_take_amount(const struct bill *invoice, const struct bill_taken *taken, size_t i,
    int64_t amount, int64_t most, struct bill *out, int64_t *over)
{
	const struct bill_line *line = &invoice->lines[i];
	struct bill_line *took;
	bool fits;

	*over = 0;
	if (!take_line(invoice, taken, i, amount, out))
		return false;
	took = &out->lines[i];
	amount = took->net + (line->inclusive ? took->tax : 0);
	if (took->net + took->tax <= most)
		most = took->net + took->tax;
	else {
		begin(invoice, out);
		if (!take_gross(line, &taken[i], most, took))
			return false;
	}
	fits = most > 0 && most == bill_left(invoice, taken) &&
		       has_one_tax(invoice, taken, i)
		   ? bill_take_gross(invoice, taken, most, out)
		   : end(out);
	*over = rest_of(line, amount, out);
	return fits;
}

int64_t
bill_left(const struct bill *invoice, const struct bill_taken *taken)
{
	int64_t left = 0;

	for (size_t i = 0; i < invoice->n_lines; i++)
		left += left_of(&invoice->lines[i], &taken[i]);
	return left;
}

bool
bill_take_gross(const struct bill *invoice, const struct bill_taken *taken,
    int64_t gross, struct bill *out)
{
	size_t n = invoice->n_lines;
	bool all = gross == bill_left(invoice, taken), fits = true;
	int64_t *weights = calloc(2 * n + 1, sizeof *weights), *parts = weights + n;

	trl_assert(weights != NULL);
	begin(invoice, out);
	for (size_t i = 0; i < n; i++) {
		int64_t left = left_of(&invoice->lines[i], &taken[i]);

		weights[i] = left > 0 ? left : 0;
		parts[i] = left;
	}
	if (!all)
		fits = trl_split(gross, weights, n, parts);
	for (size_t i = 0; fits && i < n; i++)
		fits =
		    take_gross(&invoice->lines[i], &taken[i], parts[i], &out->lines[i]);
	free(weights);
	return fits && end(out);
}
