/* acts.c - see turn.h: from what a life asks for to statements. */
#include "turn/turn.h"

#include "invoice/coupon.h"
#include "turn/credit.h"
#include "turn/credited.h"
#include "turn/charge.h"
#include "turn/number.h"
#include "turn/closing.h"
#include "turn/returned.h"

#include <string.h>

#include <trl/event.h>
#include <trl/wire.h>

/* Invoices. */

static struct turn_invoice *
invoice_at(struct turn *turn, uint64_t place)
{
	for (size_t i = 0; i < turn->n_invoices; i++)
		if (turn->invoices[i].place == place)
			return &turn->invoices[i];
	return NULL;
}

static void
take_open(struct turn *turn)
{
	const Billing__V1__OpenInvoices *open = turn->account.open;

	for (size_t i = 0; i < open->n_items && i < TURN_INVOICES_MAX; i++)
		turn->invoices[turn->n_invoices++] = (struct turn_invoice){
			.place = (uint64_t)open->items[i]->place,
			.invoice = open->items[i]->invoice,
			.payment = open->items[i]->has_payment_id
				       ? trl_value_id(open->items[i]->payment_id)
				       : trl_id_nil,
			.payment_waits = open->items[i]->payment_status &&
					 strcmp(open->items[i]->payment_status,
					     "requires_action") == 0,
			.returned = open->items[i]->returned,
			.in_balance = open->items[i]->in_balance,
		};
}

void
turn_begin(struct billing *self, trl_ctx *ctx, struct turn *out)
{
	out->self = self;
	out->ctx = ctx;
	out->work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	out->next = account_next(&out->account);
	entitled_read(&out->account, &out->before);
	out->entitles = false;
	out->n_invoices = out->n_charges = 0;
	out->asks = false;
	out->fresh = NULL;
	out->by_job = out->is_stale = false;
	out->subject_kind = NULL;
	out->subject_shown = NULL;
	memset(out->told, 0, sizeof out->told);
	out->n_tells = 0;
	out->asked = false;
	out->series_queue = (struct trl_change){ 0 };
	memset(out->series_taken, 0, sizeof out->series_taken);
	out->is_preview = false;
	take_open(out);
}

static void
add_open(trl_ctx *ctx, Billing__V1__OpenInvoices *open, const struct turn_invoice *at)
{
	Billing__V1__OpenInvoice *item = billing_v1_open_invoice_new(ctx);

	trl_set(item, place, (int64_t)at->place);
	item->invoice = at->invoice;
	trl_set(item, returned, at->returned);
	trl_set(item, in_balance, at->in_balance);
	if (!trl_id_is_nil(at->payment)) {
		trl_set(item, payment_id, trl_value_bytes(ctx, at->payment));
		item->payment_status =
		    at->payment_waits ? "requires_action" : "pending";
	}
	open->items[open->n_items++] = item;
}

void
turn_begin_next(struct turn *turn)
{
	Billing__V1__OpenInvoices *open = billing_v1_open_invoices_new(turn->ctx);
	struct account *account = &turn->account;
	bool by_job = turn->by_job;

	open->items = trl_arena_alloc(
	    turn->ctx->arena, (turn->n_invoices + 1) * sizeof *open->items);
	for (size_t i = turn->n_invoices; i-- > 0;) /* the newest first */
		if (turn->invoices[i].is_new)
			add_open(turn->ctx, open, &turn->invoices[i]);
	for (size_t i = 0; i < turn->n_invoices; i++)
		if (!turn->invoices[i].is_new && !turn->invoices[i].is_gone)
			add_open(turn->ctx, open, &turn->invoices[i]);
	account->open = open;
	account->row->updated_at = billing_time(turn->ctx, account->now);
	if (!account->row->clock_at)
		account->now = trl_now(turn->ctx) / 1000000;
	turn_begin(turn->self, turn->ctx, turn);
	turn->by_job = by_job;
}

enum trl_code
turn_load(struct billing *self, trl_ctx *ctx, struct turn *out)
{
	enum trl_code rc = account_load(self, ctx, &out->account);

	if (rc == TRL_OK)
		turn_begin(self, ctx, out);
	return rc;
}

void
turn_end(struct turn *turn)
{
	trl_change_end(&turn->series_queue);
	account_fini(&turn->account);
}

void
turn_show(struct turn *turn, billing_subscription *out)
{
	account_show(turn->ctx, &turn->account, out);
	for (size_t i = 0; i < turn->n_invoices; i++)
		if (turn->invoices[i].is_new)
			account_show_invoice(turn->ctx, &turn->account,
			    turn->invoices[i].place, turn->invoices[i].invoice, NULL,
			    out);
}

struct turn_invoice *
turn_invoice_of(struct turn *turn, struct trl_id invoice)
{
	for (size_t i = 0; i < turn->n_invoices; i++)
		if (trl_id_eq(trl_value_id(turn->invoices[i].invoice->id), invoice))
			return &turn->invoices[i];
	return NULL;
}

/* What the books say of a final invoice. */
static void
book_invoice(struct turn *turn, const billing_invoice *invoice)
{
	int64_t carried = invoice->carried_on - invoice->carried;

	ledger_add(turn->ctx, turn->work, invoice->currency, turn->account.now,
	    "invoice", trl_value_id(invoice->id),
	    (const struct ledger_entry[]){ { "receivable", invoice->total },
		{ "revenue", -invoice->net }, { "tax", -invoice->tax },
		{ "credit", invoice->from_balance },
		{ "receivable", -invoice->from_balance }, { "carried", carried },
		{ "receivable", -carried } },
	    7);
}

/* Its number, its times, and what it takes from the balance and carries on. */
static enum trl_code
finalise(struct turn *turn, billing_invoice *invoice)
{
	Billing__V1__SubscriptionRow *row = turn->account.row;
	const Billing__V1__Seller *seller = turn->account.catalogue->seller;
	unsigned days = seller ? seller->due_days : 0;
	int64_t issued_at;
	enum trl_code rc =
	    number_take(turn, SERIES_INVOICE, &invoice->number, &issued_at);

	if (rc != TRL_OK)
		return rc;
	row->currency = invoice->currency;
	account_give(&turn->account, invoice->currency, -invoice->from_balance);
	trl_set(row, carried, invoice->carried_on);
	coupon_use(turn->ctx, &turn->account, invoice);
	invoice->issued_at = billing_time(turn->ctx, issued_at);
	invoice->due_at = billing_time(turn->ctx, issued_at + days * INT64_C(86400));
	trl_set(invoice, status, BILLING__V1__INVOICE__STATUS__open);
	book_invoice(turn, invoice);
	turn_tell_invoice(turn, &billing_event_invoice_finalized, invoice);
	return TRL_OK;
}

void
turn_take_money(struct turn *turn, struct turn_invoice *at, const char *currency,
    int64_t amount, struct trl_id payment, struct life_outcome *next)
{
	billing_invoice *invoice = at->invoice;
	bool was_lost = invoice->status == BILLING__V1__INVOICE__STATUS__uncollectible;
	bool waits = was_lost || invoice->status == BILLING__V1__INVOICE__STATUS__open;
	int64_t due = waits ? invoice->amount_due : 0;
	int64_t used = amount < due ? amount : due, surplus = amount - used;
	int64_t credit = returned_surplus(turn, at, payment, currency, surplus);

	ledger_add(turn->ctx, turn->work, currency, turn->account.now, "payment",
	    payment,
	    (const struct ledger_entry[]){ { "cash", amount },
		{ was_lost ? "bad_debt" : "receivable", -used }, { "credit", -credit },
		{ "refunds", credit - surplus } },
	    4);
	if (used == 0)
		return;
	trl_set(invoice, amount_due, due - used);
	trl_set(invoice, amount_paid, invoice->amount_paid + used);
	at->changed = true;
	closing_rest(turn, at, next);
}

/* What a discount took off was not debited, and will not be credited. */
static void
take_discounts_off(struct life *life, uint64_t place, const billing_invoice *invoice)
{
	size_t line = 0;

	for (size_t i = 0; i < life->n_parts; i++)
		if (life->parts[i].invoice == place)
			life->parts[i].amount -= invoice->lines[line++]->discount;
}

/* The entry of a new invoice, or of the draft that it was before. */
static struct turn_invoice *
entry_for(struct turn *turn, uint64_t place, billing_invoice *invoice)
{
	struct turn_invoice *at = invoice_at(turn, place);

	if (at) {
		invoice->id = at->invoice->id;
		invoice->has_id = 1;
		trl_set(invoice, version, at->invoice->version);
		invoice->created_at = at->invoice->created_at;
		at->is_final_now = true;
	} else {
		if (turn->n_invoices == TURN_INVOICES_MAX)
			return NULL;
		at = &turn->invoices[turn->n_invoices++];
		*at = (struct turn_invoice){ .place = place, .is_new = true };
		trl_set(invoice, id, trl_value_bytes(turn->ctx, trl_new_id(turn->ctx)));
		trl_set(invoice, version, 1);
		invoice->created_at = billing_time(turn->ctx, turn->account.now);
	}
	trl_set(invoice, attempts, 0);
	invoice->updated_at = billing_time(turn->ctx, turn->account.now);
	at->invoice = invoice;
	at->changed = true;
	return at;
}

/* What an invoice of credits adds to the balance was paid of that which it credits. */
static enum trl_code
note_balance(struct turn *turn, const billing_invoice *invoice)
{
	struct turn_invoice *at;
	enum trl_code rc;

	for (size_t i = 0; invoice->from_balance < 0 && i < invoice->n_lines; i++) {
		const Billing__V1__Line *line = invoice->lines[i];

		if (!line->has_of_invoice_id)
			continue;
		rc = turn_find_invoice(turn, trl_value_id(line->of_invoice_id), &at);
		if (rc != TRL_OK)
			return rc;
		at->in_balance -= invoice->from_balance;
		at->changed = true;
		break;
	}
	return TRL_OK;
}

/* ACT_INVOICE and ACT_DRAFT. Nothing to bill is no invoice, and as good as paid. A
 * draft that becomes final is made anew, of what the account is like by then. */
static enum trl_code
make(struct turn *turn, uint64_t place, bool draft, struct life_outcome *next)
{
	struct account *account = &turn->account;
	billing_invoice *invoice;
	struct turn_invoice *at;
	enum trl_code rc = credited_find(turn, place);

	if (rc == TRL_OK)
		rc = invoice_make(turn->ctx, account, place, &invoice);
	if (rc != TRL_OK)
		return rc;
	if (!invoice) {
		life_paid(&account->life, account->now, place, next);
		return TRL_OK;
	}
	at = entry_for(turn, place, invoice);
	if (!at)
		return trl_fail(turn->ctx, TRL_CONFLICT,
		    "Too many invoices of this organisation are open.");
	if (draft)
		return TRL_OK;
	take_discounts_off(&account->life, place, invoice);
	rc = finalise(turn, invoice);
	if (rc == TRL_OK)
		rc = note_balance(turn, invoice);
	if (rc == TRL_OK)
		closing_rest(turn, at, next);
	return rc;
}

/* The outcome of a payment is not known: to charge once more could be twice. */
static bool
is_under_way(const struct turn_invoice *at)
{
	return !trl_id_is_nil(at->payment) && !at->payment_waits;
}

/* ACT_COLLECT: a payment that is charged after the commit. While the outcome of another
 * payment of it is not known, the invoice waits. */
static void
collect(struct turn *turn, uint64_t place, struct life_outcome *next)
{
	struct account *account = &turn->account;
	struct turn_invoice *at = invoice_at(turn, place);
	billing_invoice *invoice = at ? at->invoice : NULL;

	if (!invoice || invoice->status != BILLING__V1__INVOICE__STATUS__open ||
	    invoice->amount_due == 0 || is_under_way(at))
		return;
	if (!account->row->has_method_id || !turn->self->provider)
		life_has_no_way(
		    &account->life, &account->rules, account->now, place, next);
	else if (turn->n_charges == TURN_CHARGES_MAX)
		life_try_at_once(&account->life, account->now, place);
	else
		payment_begin(turn, at, trl_value_id(account->row->method_id));
}

static enum trl_code
declare_void(struct turn *turn, uint64_t place)
{
	struct turn_invoice *at = invoice_at(turn, place);

	return at ? closing_void(turn, at) : TRL_OK;
}

/* Takes back what is left of a part: off a draft, off what is due, or, of what was
 * paid, into the balance. */
static enum trl_code
lower(struct turn *turn, const struct life_act *act, struct life_outcome *next)
{
	struct turn_invoice *at = invoice_at(turn, act->invoice);

	if (!at)
		return trl_fail(turn->ctx, TRL_INTERNAL,
		    "invoice %llu of this organisation is not there to be credited",
		    (unsigned long long)act->invoice);
	return credit_part(turn, at, &act->part, act->amount, next);
}

static enum trl_code
do_act(struct turn *turn, const struct life_act *act, struct life_outcome *next)
{
	switch (act->what) {
	case ACT_INVOICE:
		return make(turn, act->invoice, false, next);
	case ACT_DRAFT:
		return make(turn, act->invoice, true, next);
	case ACT_COLLECT:
		collect(turn, act->invoice, next);
		return TRL_OK;
	case ACT_LOWER:
		return lower(turn, act, next);
	case ACT_VOID:
		return declare_void(turn, act->invoice);
	default:
		turn->told[act->what - ACT_STARTED] = true;
		return TRL_OK;
	}
}

enum trl_code
turn_do(struct turn *turn, const struct life_outcome *out)
{
	for (size_t i = 0; i < out->n; i++) {
		struct life_outcome *next =
		    trl_arena_alloc(turn->ctx->arena, sizeof *next);
		enum trl_code rc;

		next->n = 0;
		rc = do_act(turn, &out->acts[i], next);
		if (rc == TRL_OK && next->n > 0)
			rc = turn_do(turn, next);
		if (rc != TRL_OK)
			return rc;
	}
	return TRL_OK;
}
