/* credit.c - see credit.h. */
#include "turn/credit.h"

#include <string.h>

#include <trl/event.h>
#include <trl/wire.h>

#include "turn/charge.h"
#include "turn/credited.h"
#include "turn/number.h"
#include "turn/closing.h"
#include "turn/returned.h"

/* What is being taken. */
struct taking {
	const billing_invoice *document;
	struct bill bill;         /* of the invoice */
	struct bill_taken *taken; /* of each of its lines, before this */
	int64_t left;             /* of it, with tax */
	struct bill takes;
	Billing__V1__ListPaymentsReply payments; /* of which something may go back */
};

static enum trl_code
read_taken(struct turn *turn, struct turn_invoice *at, size_t n_lines)
{
	Billing__V1__Documents notes = BILLING__V1__DOCUMENTS__INIT;
	trl_ctx *ctx = turn->ctx;
	enum trl_code rc = TRL_OK;

	at->taken = trl_arena_zalloc(ctx->arena, (n_lines + 1) * sizeof *at->taken);
	if (at->invoice->amount_credited == 0)
		return TRL_OK;
	rc = trl_batch_get_one(ctx, turn->self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &billing_sql_credit_note_of, NULL, &notes.base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("invoice_id", trl_value_id(at->invoice->id)));
	for (size_t i = 0; rc == TRL_OK && i < notes.n_items; i++) {
		Billing__V1__CreditNote *note;

		rc = credit_note_read(ctx, &notes.items[i]->document, &note);
		if (rc == TRL_OK)
			credit_note_add(note, at->taken);
	}
	return trl_fold(ctx, rc);
}

static enum trl_code
begin(struct turn *turn, struct turn_invoice *at, struct taking *out)
{
	enum trl_code rc = turn_document(turn, at, &out->document);

	billing__v1__list_payments_reply__init(&out->payments);
	if (rc != TRL_OK)
		return rc;
	out->bill = credit_note_bill(turn->ctx, out->document);
	out->takes =
	    (struct bill){ .lines = trl_arena_zalloc(turn->ctx->arena,
			       (out->bill.n_lines + 1) * sizeof *out->takes.lines) };
	if (!at->taken)
		rc = read_taken(turn, at, out->bill.n_lines);
	out->taken = at->taken;
	out->left = at->invoice->total - at->invoice->amount_credited;
	return rc;
}

static void
put(struct turn *turn, Billing__V1__CreditNote *note)
{
	Billing__V1__CreditNoteEvent *told =
	    billing_v1_credit_note_event_new(turn->ctx);
	const uint8_t *data;
	size_t len;

	trl_wire_encode(turn->ctx->arena, &note->base, &data, &len);
	trl_batch_add(turn->work, &billing_sql_credit_note_insert, &note->base,
	    TRL_ARG_ID("tenant_id", turn->account.tenant),
	    TRL_ARG_BYTES("document", data, len));
	told->credit_note = trl_arena_memdup(turn->ctx->arena, note, sizeof *note);
	told->credit_note->n_lines = 0;
	trl_batch_event(turn->work, &billing_event_credit_note_created,
	    trl_value_id(note->id), &told->base);
}

/* Where it goes: off what is due, then to who has it already, then to the balance. */
static void
book(struct turn *turn, struct turn_invoice *at, const Billing__V1__CreditNote *note)
{
	billing_invoice *invoice = at->invoice;

	trl_set(invoice, amount_due, invoice->amount_due - note->off_due);
	trl_set(invoice, amount_credited, invoice->amount_credited + note->total);
	account_give(&turn->account, invoice->currency, note->to_balance);
	at->in_balance += note->to_balance;
	at->changed = true;
	ledger_add(turn->ctx, turn->work, invoice->currency, turn->account.now,
	    "credit_note", trl_value_id(note->id),
	    (const struct ledger_entry[]){ { "revenue", note->net },
		{ "tax", note->tax }, { closing_account_of(invoice), -note->off_due },
		{ "credit", -note->to_balance }, { "refunds", -note->refunded } },
	    5);
}

/* As much of amount as can go back to the payer does. */
static int64_t
give_back(struct turn *turn, const Billing__V1__ListPaymentsReply *of, int64_t amount)
{
	int64_t given = 0;

	for (size_t i = 0; i < of->n_items && given < amount; i++) {
		const Billing__V1__Payment *payment = of->items[i];
		int64_t part = payment->amount - payment->refunded;
		Billing__V1__Payment refund;

		if (part > amount - given)
			part = amount - given;
		(void)payment_refund(turn, payment, part, &refund);
		given += part;
	}
	return given;
}

/* Makes the credit note of what is taken. */
static enum trl_code
give(struct turn *turn, struct turn_invoice *at, struct taking *taking,
    const Billing__V1__CreditNote__Reason *reason, struct life_outcome *next,
    Billing__V1__CreditNote **out)
{
	trl_ctx *ctx = turn->ctx;
	billing_invoice *invoice = at->invoice;
	Billing__V1__CreditNote *note =
	    credit_note_make(ctx, taking->document, &taking->takes, reason);
	int64_t off =
	    note->total < invoice->amount_due ? note->total : invoice->amount_due;
	int64_t gone = returned_covers(at, note->total - off), issued_at;
	enum trl_code rc =
	    number_take(turn, SERIES_CREDIT_NOTE, &note->number, &issued_at);

	if (rc != TRL_OK)
		return rc;
	trl_set(note, id, trl_value_bytes(ctx, trl_new_id(ctx)));
	note->invoice_number = invoice->number;
	note->issued_at = billing_time(ctx, issued_at);
	trl_set(note, off_due, off);
	trl_set(note, refunded,
	    gone + give_back(turn, &taking->payments, note->total - off - gone));
	trl_set(note, to_balance, note->total - off - note->refunded);
	if (note->to_balance > 0 && !account_takes(&turn->account, invoice->currency))
		return trl_fail(turn->ctx, TRL_CONFLICT,
		    "This invoice is in %s, and the organisation pays in another "
		    "currency by now: give it back with refund.",
		    invoice->currency);
	credit_note_add(note, at->taken);
	put(turn, note);
	book(turn, at, note);
	*out = note;
	closing_rest(turn, at, next);
	return TRL_OK;
}

static enum trl_code
too_large(struct turn *turn)
{
	return trl_fail(turn->ctx, TRL_INVALID, "The amount is too large.");
}

enum trl_code
credit_part(struct turn *turn, struct turn_invoice *at, const struct life_part *part,
    int64_t amount, struct life_outcome *next)
{
	struct taking taking;
	Billing__V1__CreditNote *note;
	enum trl_code rc = begin(turn, at, &taking);
	int64_t over;
	size_t line;

	if (rc != TRL_OK)
		return rc;
	line = credited_line(taking.document, part);
	if (line == taking.bill.n_lines)
		return trl_fail(turn->ctx, TRL_INTERNAL,
		    "no line of invoice %s charged what is credited",
		    at->invoice->number);
	if (!bill_take_amount(&taking.bill, taking.taken, line, amount, taking.left,
		&taking.takes, &over))
		return too_large(turn);
	if (taking.takes.total > 0)
		rc = give(turn, at, &taking, NULL, next, &note);
	if (rc == TRL_OK && over > 0)
		life_credit_over(
		    &turn->account.life, turn->account.now, part, over, next);
	return rc;
}

/* The life credits later only what is left. */
static void
lower_parts(struct turn *turn, uint64_t place, const struct taking *taking)
{
	struct life *life = &turn->account.life;

	for (size_t i = 0; i < life->n_parts; i++) {
		struct life_part *part = &life->parts[i];
		size_t line;

		if (part->invoice != place || part->amount <= 0)
			continue;
		line = credited_line(taking->document, part);
		if (line < taking->takes.n_lines)
			part->amount -= taking->takes.lines[line].amount < part->amount
					    ? taking->takes.lines[line].amount
					    : part->amount;
	}
}

static enum trl_code
refuse(struct turn *turn, const char *why)
{
	return trl_fail(turn->ctx, TRL_CONFLICT, "%s", why);
}

/* Of what later invoices have credited of its lines there is nothing left. */
static enum trl_code
count_elsewhere(struct turn *turn, struct turn_invoice *at, struct taking *taking)
{
	const struct bill *bill = &taking->bill;
	enum trl_code rc;

	taking->taken = trl_arena_memdup(
	    turn->ctx->arena, at->taken, (bill->n_lines + 1) * sizeof *at->taken);
	rc = credited_elsewhere(turn, at, bill, taking->taken);
	taking->left = bill_left(bill, taking->taken);
	return rc;
}

enum trl_code
credit_amount(struct turn *turn, struct turn_invoice *at, int64_t gross, bool refund,
    const Billing__V1__CreditNote__Reason *reason, struct life_outcome *next,
    Billing__V1__CreditNote **out)
{
	struct taking taking;
	enum trl_code rc;

	if (at->invoice->status == BILLING__V1__INVOICE__STATUS__draft ||
	    at->invoice->status == BILLING__V1__INVOICE__STATUS__void)
		return refuse(turn, "Only a final invoice that holds can be credited.");
	rc = begin(turn, at, &taking);
	if (rc == TRL_OK)
		rc = count_elsewhere(turn, at, &taking);
	if (rc != TRL_OK)
		return rc;
	if (gross > taking.left || taking.left <= 0)
		return refuse(
		    turn, "More would be credited than is left of the invoice.");
	if (!bill_take_gross(
		&taking.bill, taking.taken, gross ? gross : taking.left, &taking.takes))
		return too_large(turn);
	if (refund)
		rc = trl_batch_get_one(turn->ctx, turn->self->pg,
		    TRL_SCOPE_TENANT(turn->ctx->tenant),
		    &billing_sql_payment_refundable, NULL, &taking.payments.base,
		    TRL_ARG_ID("tenant_id", turn->account.tenant),
		    TRL_ARG_ID("invoice_id", trl_value_id(at->invoice->id)));
	if (rc != TRL_OK)
		return rc;
	lower_parts(turn, at->place, &taking);
	return give(turn, at, &taking, reason, next, out);
}

enum trl_code
credit_taken(struct turn *turn, struct turn_invoice *at, int64_t *net, int64_t *tax)
{
	struct taking taking;
	enum trl_code rc = begin(turn, at, &taking);

	*net = *tax = 0;
	for (size_t i = 0; rc == TRL_OK && i < taking.bill.n_lines; i++) {
		*net += taking.taken[i].net;
		for (size_t j = 0; j < BILL_RATES_MAX; j++)
			*tax += taking.taken[i].taxes[j];
	}
	return rc;
}
