/* closing.c - see closing.h. */
#include "turn/closing.h"

#include <string.h>

#include <trl/event.h>

#include "invoice/coupon.h"
#include "turn/charge.h"
#include "turn/credit.h"

const char *
closing_account_of(const billing_invoice *invoice)
{
	return invoice->status == BILLING__V1__INVOICE__STATUS__uncollectible
		   ? "bad_debt"
		   : "receivable";
}

static bool
waits(const billing_invoice *invoice)
{
	return invoice->status == BILLING__V1__INVOICE__STATUS__open ||
	       invoice->status == BILLING__V1__INVOICE__STATUS__uncollectible;
}

/* Nobody shall pay what is paid or void; what was taken for it already is found. */
static void
cancel_payment(struct turn *turn, struct turn_invoice *at)
{
	if (trl_id_is_nil(at->payment))
		return;
	if (at->payment_waits)
		payment_cancel(turn, at->payment);
	else
		payment_look_at(turn, at->payment);
}

/* A debt that is too small for a provider is the next invoice's. */
static void
carry(struct turn *turn, billing_invoice *invoice)
{
	Billing__V1__SubscriptionRow *row = turn->account.row;
	int64_t due = invoice->amount_due;

	ledger_add(turn->ctx, turn->work, invoice->currency, turn->account.now, "carry",
	    trl_value_id(invoice->id),
	    (const struct ledger_entry[]){
		{ "carried", due }, { closing_account_of(invoice), -due } },
	    2);
	trl_set(row, carried, row->carried + due);
	trl_set(invoice, carried_on, invoice->carried_on + due);
	trl_set(invoice, amount_due, 0);
}

void
closing_rest(struct turn *turn, struct turn_invoice *at, struct life_outcome *next)
{
	billing_invoice *invoice = at->invoice;

	if (!waits(invoice) || invoice->amount_due >= invoice_least(invoice->currency))
		return;
	if (invoice->amount_due > 0)
		carry(turn, invoice);
	cancel_payment(turn, at);
	trl_set(invoice, status, BILLING__V1__INVOICE__STATUS__paid);
	invoice->paid_at = billing_time(turn->ctx, turn->account.now);
	invoice->decline_code = NULL;
	at->changed = true;
	turn_tell_invoice(turn, &billing_event_invoice_paid, invoice);
	life_paid(&turn->account.life, turn->account.now, at->place, next);
}

/* What was paid of it and is here still. */
static int64_t
paid_of(const struct turn_invoice *at)
{
	return at->invoice->amount_paid - (at->returned > 0 ? at->returned : 0);
}

/* What was not taken back of it by credit notes is, now; what it was paid with is the
 * payer's again, unless it went back already. */
static enum trl_code
book_void(struct turn *turn, struct turn_invoice *at)
{
	const billing_invoice *invoice = at->invoice;
	int64_t net, tax, paid = paid_of(at);
	enum trl_code rc = credit_taken(turn, at, &net, &tax);

	if (rc != TRL_OK)
		return rc;
	ledger_add(turn->ctx, turn->work, invoice->currency, turn->account.now, "void",
	    trl_value_id(invoice->id),
	    (const struct ledger_entry[]){ { "revenue", invoice->net - net },
		{ "tax", invoice->tax - tax },
		{ closing_account_of(invoice), -invoice->amount_due },
		{ "credit", -(invoice->from_balance + paid) },
		{ "refunds", paid - invoice->amount_paid },
		{ "carried", invoice->carried } },
	    6);
	return TRL_OK;
}

static enum trl_code
give_back(struct turn *turn, struct turn_invoice *at)
{
	Billing__V1__SubscriptionRow *row = turn->account.row;
	billing_invoice *invoice = at->invoice;
	int64_t paid = paid_of(at);

	if ((invoice->from_balance || paid || invoice->carried) &&
	    account_has_other(&turn->account, invoice->currency))
		return trl_fail(turn->ctx, TRL_CONFLICT,
		    "There is a balance in %s, and this invoice is in %s.",
		    row->currency, invoice->currency);
	coupon_give_back(&turn->account, at->document);
	account_give(&turn->account, invoice->currency, invoice->from_balance + paid);
	at->in_balance += paid;
	if (invoice->carried)
		row->currency = invoice->currency;
	trl_set(row, carried, row->carried + invoice->carried);
	return TRL_OK;
}

enum trl_code
closing_void(struct turn *turn, struct turn_invoice *at)
{
	billing_invoice *invoice = at->invoice;
	enum trl_code rc;

	if (invoice->status == BILLING__V1__INVOICE__STATUS__draft)
		at->is_gone = at->changed = true;
	if (!waits(invoice))
		return TRL_OK;
	rc = book_void(turn, at);
	if (rc == TRL_OK)
		rc = give_back(turn, at);
	if (rc != TRL_OK)
		return rc;
	trl_set(invoice, status, BILLING__V1__INVOICE__STATUS__void);
	trl_set(invoice, amount_due, 0);
	invoice->voided_at = billing_time(turn->ctx, turn->account.now);
	at->changed = true;
	cancel_payment(turn, at);
	turn_tell_invoice(turn, &billing_event_invoice_voided, invoice);
	return TRL_OK;
}

void
closing_give_up(struct turn *turn, struct turn_invoice *at)
{
	billing_invoice *invoice = at->invoice;

	ledger_add(turn->ctx, turn->work, invoice->currency, turn->account.now,
	    "write_off", trl_value_id(invoice->id),
	    (const struct ledger_entry[]){ { "bad_debt", invoice->amount_due },
		{ "receivable", -invoice->amount_due } },
	    2);
	trl_set(invoice, status, BILLING__V1__INVOICE__STATUS__uncollectible);
	at->changed = true;
	turn_tell_invoice(turn, &billing_event_invoice_written_off, invoice);
}
