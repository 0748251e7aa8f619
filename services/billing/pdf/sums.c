/* sums.c - the rows below a document's lines, as the document has them. */
#include <string.h>

#include "pdf/making.h"

static void
add_sum(struct making *making, const char *label, int64_t minor,
    enum document_weight weight)
{
	struct document *out = making->out;
	const char *value =
	    weight == SUM_PLAIN
		? making_amount(making, minor)
		: locale_money(&making->locale, making->arena, minor, making->currency);

	trl_assert(out->n_sums < DOCUMENT_SUMS_MAX);
	out->sums[out->n_sums++] = (struct document_sum){ label, value, weight };
}

/* The least amount has no negative. */
static int64_t
minus(int64_t minor)
{
	return minor == INT64_MIN ? INT64_MAX : -minor;
}

/* "VAT 20 %", by the rate's own name where it has one; what is not subject to tax has
 * no rate. */
static const char *
name_of(const struct making *making, enum text label, const Billing__V1__TaxTotal *tax)
{
	const char *rate;

	if (!is_there(tax->rate))
		return making_text(making, TEXT_TAX);
	rate = locale_decimal(&making->locale, making->arena, tax->rate);
	if (label != TEXT_TAX_RATE || !is_there(tax->name))
		return making_filled(making, label, rate);
	return trl_arena_printf(making->arena, "%s %s%s%%", tax->name, rate,
	    making->locale.percent_near ? "" : "\xc2\xa0");
}

/* A row a category and rate, and of what it is where there are several. */
static void
add_taxes(struct making *making, enum text label, Billing__V1__TaxTotal *const *taxes,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const Billing__V1__TaxTotal *tax = taxes[i];
		const char *name = name_of(making, label, tax);

		if (n > 1)
			name = trl_arena_printf(making->arena, "%s \xc2\xb7 %s %s",
			    name, making_text(making, TEXT_NET),
			    making_amount(making, tax->net));
		add_sum(making, name, tax->tax, SUM_PLAIN);
		if (is_there(tax->reason))
			making_note(making, tax->reason);
	}
}

static bool
is_inclusive(Billing__V1__Line *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!lines[i]->tax_inclusive)
			return false;
	return n > 0;
}

/* What it asked for when it was made, whatever was paid of it by then. */
static int64_t
asked_by(const Billing__V1__Invoice *invoice)
{
	int64_t sum;

	if (__builtin_add_overflow(invoice->amount_due, invoice->amount_paid, &sum) ||
	    __builtin_add_overflow(sum, invoice->amount_credited, &sum))
		return invoice->amount_due;
	return sum;
}

/* What remains to be paid, and why that is not the total. */
static void
add_due(struct making *making, const Billing__V1__Invoice *invoice)
{
	const int64_t asked = asked_by(invoice);

	if (invoice->from_balance > 0)
		add_sum(making, making_text(making, TEXT_FROM_BALANCE),
		    minus(invoice->from_balance), SUM_PLAIN);
	if (invoice->from_balance < 0)
		add_sum(making, making_text(making, TEXT_TO_BALANCE),
		    minus(invoice->from_balance), SUM_PLAIN);
	if (invoice->carried)
		add_sum(making, making_text(making, TEXT_CARRIED), invoice->carried,
		    SUM_PLAIN);
	if (invoice->carried_on)
		add_sum(making, making_text(making, TEXT_CARRIED_ON),
		    minus(invoice->carried_on), SUM_PLAIN);
	add_sum(making, making_text(making, TEXT_AMOUNT_DUE), asked, SUM_STRONG);
	if (asked > 0 && is_there(invoice->terms))
		making_note(making, invoice->terms);
}

void
making_invoice_sums(struct making *making, const Billing__V1__Invoice *invoice)
{
	const bool inclusive = is_inclusive(invoice->lines, invoice->n_lines);

	add_sum(
	    making, making_text(making, TEXT_SUBTOTAL), invoice->subtotal, SUM_PLAIN);
	if (invoice->discount)
		add_sum(making,
		    is_there(invoice->coupon)
			? making_filled(making, TEXT_DISCOUNT_CODE, invoice->coupon)
			: making_text(making, TEXT_DISCOUNT),
		    minus(invoice->discount), SUM_PLAIN);
	if (!inclusive) {
		if (invoice->discount)
			add_sum(making, making_text(making, TEXT_NET), invoice->net,
			    SUM_PLAIN);
		add_taxes(making, TEXT_TAX_RATE, invoice->taxes, invoice->n_taxes);
	}
	add_sum(making, making_text(making, TEXT_TOTAL), invoice->total, SUM_BOLD);
	if (inclusive)
		add_taxes(making, TEXT_TAX_INCLUDED, invoice->taxes, invoice->n_taxes);
	add_due(making, invoice);
}

void
making_credit_sums(struct making *making, const Billing__V1__CreditNote *from)
{
	add_sum(making, making_text(making, TEXT_NET), from->net, SUM_PLAIN);
	add_taxes(making, TEXT_TAX_RATE, from->taxes, from->n_taxes);
	add_sum(making, making_text(making, TEXT_TOTAL), from->total, SUM_STRONG);
	if (from->off_due)
		add_sum(making, making_text(making, TEXT_OFF_DUE), from->off_due,
		    SUM_PLAIN);
	if (from->to_balance)
		add_sum(making, making_text(making, TEXT_TO_BALANCE), from->to_balance,
		    SUM_PLAIN);
	if (from->refunded)
		add_sum(making, making_text(making, TEXT_REFUNDED), from->refunded,
		    SUM_PLAIN);
}
