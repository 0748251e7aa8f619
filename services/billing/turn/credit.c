/* credit.c - see credit.h. */
#include "turn/credit.h"

#include <string.h>

/* The sums of one line that is taken back, as its invoice had it. */
static bool
sum_of(const struct turn *turn, const struct life_part *part, int64_t amount,
    struct bill *bill)
{
	const billing_plan *plan =
	    catalogue_plan(turn->account.catalogue, part->offer->plan);

	bill->lines[0] = (struct bill_line){ .amount = amount,
		.inclusive = part->offer->tax_inclusive };
	bill->n_lines = 1;
	tax_for(turn->account.catalogue, turn->account.profile,
	    plan ? plan->tax_class : NULL, &bill->lines[0].tax_kind);
	return bill_sum(bill);
}

enum trl_code
credit_part(struct turn *turn, struct turn_invoice *at, const struct life_part *part,
    int64_t amount)
{
	Billing__V1__SubscriptionRow *row = turn->account.row;
	billing_invoice *invoice = at->invoice;
	struct bill_line line;
	struct bill bill = { .lines = &line };
	int64_t off;

	if (!sum_of(turn, part, amount, &bill) ||
	    bill.total > invoice->total - invoice->amount_credited)
		return trl_fail(turn->ctx, TRL_INVALID,
		    "More would be credited than is left of the invoice.");
	off = bill.total < invoice->amount_due ? bill.total : invoice->amount_due;
	trl_set(invoice, amount_due, invoice->amount_due - off);
	trl_set(invoice, amount_credited, invoice->amount_credited + bill.total);
	trl_set(row, balance, row->balance + bill.total - off);
	at->changed = true;
	ledger_add(turn->ctx, turn->work, invoice->currency, turn->account.now,
	    "credit_note", trl_value_id(invoice->id),
	    (const struct ledger_entry[]){ { "revenue", bill.net }, { "tax", bill.tax },
		{ "receivable", -off }, { "credit", -(bill.total - off) } },
	    4);
	return TRL_OK;
}
