/* take_back.h - the sums of a credit note: what is taken back of an invoice's lines, in
 * the lines' own tax treatment, so that all that is taken back of an invoice in however
 * many credit notes is exactly minus the invoice. Pure. */
#pragma once

#include "price/bill.h"

/* What credit notes before have taken of a line. */
struct bill_taken {
	int64_t net, taxes[BILL_RATES_MAX];
};

/* Both fill out, whose lines are as many as the invoice's, in its order; one of which
 * nothing is taken has zeros. What they take never is more than what is left of a line.
 * False: it does not fit. */

/* Takes amount of one line, as the line's price has it. */
bool bill_take_line(const struct bill *invoice, const struct bill_taken *taken,
    size_t line, int64_t amount, struct bill *out);
/* Takes amount of one line, as the line's price has it after discount; but with tax no
 * more than most: over is what is not taken therefore, as the price has it. Where it is
 * all that is left of the invoice and its lines have one tax, that is taken. */
bool bill_take_amount(const struct bill *invoice, const struct bill_taken *taken,
    size_t line, int64_t amount, int64_t most, struct bill *out, int64_t *over);
/* Takes an amount with tax off all lines that charge, by what is left of them; or,
 * where it is all that is left of the invoice, that. */
bool bill_take_gross(const struct bill *invoice, const struct bill_taken *taken,
    int64_t gross, struct bill *out);
/* What is left of the invoice, with tax. */
int64_t bill_left(const struct bill *invoice, const struct bill_taken *taken);
