/* put.c - an account on its way into its row, and as it is shown. */
#include <sodium.h>

#include <trl/wire.h>

#include "account/account.h"

static char *
key_of(const struct offer *offer)
{
	return offer ? (char *)(uintptr_t)offer->key : NULL;
}

static void
write_parts(trl_ctx *ctx, const struct life *life, Billing__V1__LifeState *out)
{
	out->parts =
	    trl_arena_alloc(ctx->arena, (life->n_parts + 1) * sizeof out->parts[0]);
	for (size_t i = 0; i < life->n_parts; i++) {
		const struct life_part *from = &life->parts[i];
		Billing__V1__LifePart *part = billing_v1_life_part_new(ctx);

		part->price = key_of(from->offer);
		trl_set(part, seats, from->seats);
		trl_set(part, from, from->from);
		trl_set(part, to, from->to);
		trl_set(part, amount, from->amount);
		trl_set(part, invoice, from->invoice);
		trl_set(part, proration, from->proration);
		if (from->of)
			trl_set(part, of, from->of);
		out->parts[out->n_parts++] = part;
	}
}

static void
write_invoices(trl_ctx *ctx, const struct life *life, Billing__V1__LifeState *out)
{
	out->invoices = trl_arena_alloc(
	    ctx->arena, (life->n_invoices + 1) * sizeof out->invoices[0]);
	for (size_t i = 0; i < life->n_invoices; i++) {
		const struct life_invoice *from = &life->invoices[i];
		Billing__V1__LifeInvoice *invoice = billing_v1_life_invoice_new(ctx);

		trl_set(invoice, id, from->id);
		trl_set(invoice, purpose, from->purpose);
		trl_set(invoice, state, from->state);
		trl_set(invoice, tries, from->tries);
		trl_set(invoice, made, from->made);
		trl_set(invoice, failed_first, from->failed_first);
		trl_set(invoice, next_try, from->next_try);
		trl_set(invoice, hard, from->hard);
		out->invoices[out->n_invoices++] = invoice;
	}
}

static const Billing__V1__LifeState *
write_life(trl_ctx *ctx, const struct account *account)
{
	const struct life *life = &account->life;
	Billing__V1__LifeState *out = billing_v1_life_state_new(ctx);

	trl_set(out, status, life->status);
	out->price = key_of(life->offer);
	trl_set(out, seats, life->seats);
	trl_set(out, anchor, life->anchor);
	trl_set(out, k, life->k);
	trl_set(out, period_start, life->period_start);
	trl_set(out, period_end, life->period_end);
	trl_set(out, trial_end, life->trial_end);
	trl_set(out, canceled_at, life->canceled_at);
	trl_set(out, ended_at, life->ended_at);
	trl_set(out, trial_end_told, life->trial_end_told);
	trl_set(out, cancel_at_period_end, life->cancel_at_period_end);
	trl_set(out, last_invoice, life->last_invoice);
	out->cover = account->cover;
	if (life->pending.offer) {
		out->pending = billing_v1_life_change_new(ctx);
		out->pending->price = key_of(life->pending.offer);
		trl_set(out->pending, seats, life->pending.seats);
		trl_set(out->pending, at, life->pending.at);
		trl_set(out->pending, invoice, life->pending.invoice);
	}
	write_parts(ctx, life, out);
	write_invoices(ctx, life, out);
	return out;
}

static const char *
status_name(const struct life *life)
{
	return life->status == LIFE_NONE
		   ? NULL
		   : billing_v1_subscription_status_name(
			 (Billing__V1__Subscription__Status)life->status);
}

static struct trl_arg
text_or_null(const char *name, const char *text)
{
	return text ? TRL_ARG_TEXT(name, text) : TRL_ARG_NULL(name);
}

/* Six characters of 32, without those that are mistaken for others. */
static char *
new_prefix(trl_ctx *ctx)
{
	static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char prefix[7] = "";

	for (size_t i = 0; i < 6; i++)
		prefix[i] = letters[randombytes_uniform(32)];
	return trl_arena_strdup(ctx->arena, prefix);
}

void
account_begin_row(trl_ctx *ctx, struct account *account)
{
	Billing__V1__SubscriptionRow *row = account->row;

	if (row->prefix)
		return;
	row->prefix = new_prefix(ctx);
	trl_set(row, next_invoice, 1);
	trl_set(row, next_credit_note, 1);
}

void
account_put(trl_ctx *ctx, trl_batch *work, struct account *account)
{
	Billing__V1__SubscriptionRow *row = account->row;
	int64_t next = account_next(account), now = account->now * 1000000;
	const struct life *life = &account->life;
	const struct offer *offer = life->offer;
	bool is_new = !row->has_version;
	size_t len;

	trl_set(row, version, row->version + 1);
	trl_wire_encode(ctx->arena, &write_life(ctx, account)->base,
	    (const uint8_t **)&row->state.data, &len);
	row->has_state = 1;
	row->state.len = len;
	if (is_new)
		account_begin_row(ctx, account);
	trl_batch_add(work,
	    is_new ? &billing_sql_subscription_insert
		   : &billing_sql_subscription_update,
	    &row->base, TRL_ARG_ID("tenant_id", account->tenant),
	    text_or_null("status", status_name(&account->life)),
	    text_or_null("plan", offer ? offer->plan : NULL),
	    text_or_null("price", offer ? offer->key : NULL),
	    offer ? TRL_ARG_INT("seats", life->seats) : TRL_ARG_NULL("seats"),
	    life->period_end ? TRL_ARG_TIME("period_end", life->period_end * 1000000)
			     : TRL_ARG_NULL("period_end"),
	    next == INT64_MAX ? TRL_ARG_NULL("due_at")
			      : TRL_ARG_TIME("due_at", next * 1000000),
	    TRL_ARG_TIME("now", now));
}

static void
show_pending(trl_ctx *ctx, const struct life *life, billing_subscription *out)
{
	const struct life_change *change = &life->pending;
	Billing__V1__PendingChange *shown;

	if (!change->offer || life->status == LIFE_INCOMPLETE)
		return;
	shown = billing_v1_pending_change_new(ctx);
	trl_set(shown, when,
	    change->invoice ? BILLING__V1__PENDING_CHANGE__WHEN__payment
			    : BILLING__V1__PENDING_CHANGE__WHEN__period_end);
	shown->plan = (char *)(uintptr_t)change->offer->plan;
	shown->price = key_of(change->offer);
	trl_set(shown, seats, change->seats);
	shown->at = billing_time(ctx, change->at);
	out->pending_change = shown;
}

void
account_show_invoice(trl_ctx *ctx, const struct account *account, uint64_t place,
    const billing_invoice *invoice, const char *action_url, billing_subscription *out)
{
	trl_set(out, latest_invoice_id, invoice->id);
	out->next_action = NULL;
	if (action_url) {
		out->next_action = billing_v1_next_action_new(ctx);
		trl_set(
		    out->next_action, kind, BILLING__V1__NEXT_ACTION__KIND__redirect);
		out->next_action->url = trl_arena_strdup(ctx->arena, action_url);
	}
	if (out->pending_change && place == account->life.pending.invoice)
		trl_set(out->pending_change, invoice_id, invoice->id);
}

Billing__V1__Price__Interval
account_interval(const struct account *account)
{
	static const Billing__V1__Price__Interval intervals[] = {
		[TRL_WEEK] = BILLING__V1__PRICE__INTERVAL__week,
		[TRL_MONTH] = BILLING__V1__PRICE__INTERVAL__month,
		[TRL_YEAR] = BILLING__V1__PRICE__INTERVAL__year,
	};
	const struct offer *offer = account->life.offer;

	return offer ? intervals[offer->interval] : BILLING__V1__PRICE__INTERVAL__month;
}

void
account_show(trl_ctx *ctx, const struct account *account, billing_subscription *out)
{
	const struct life *life = &account->life;
	const Billing__V1__SubscriptionRow *row = account->row;

	trl_set(out, version, row->version);
	out->created_at = row->created_at;
	out->updated_at = row->updated_at;
	if (life->status == LIFE_NONE) {
		out->plan = account->catalogue->fallback_plan;
		return;
	}
	trl_set(out, status, (Billing__V1__Subscription__Status)life->status);
	out->plan = (char *)(uintptr_t)life->offer->plan;
	out->price = key_of(life->offer);
	out->currency = (char *)(uintptr_t)life->offer->currency;
	trl_set(out, interval, account_interval(account));
	trl_set(out, interval_count, life->offer->count);
	trl_set(out, seats, life->seats);
	out->coupon = row->coupon;
	out->anchor = billing_time(ctx, life->anchor);
	out->current_period_start = billing_time(ctx, life->period_start);
	out->current_period_end = billing_time(ctx, life->period_end);
	out->trial_end = billing_time(ctx, life->trial_end);
	trl_set(out, cancel_at_period_end, life->cancel_at_period_end);
	out->canceled_at = billing_time(ctx, life->canceled_at);
	out->ended_at = billing_time(ctx, life->ended_at);
	show_pending(ctx, life, out);
	for (size_t i = account->open->n_items; i > 0; i--) {
		const Billing__V1__OpenInvoice *open = account->open->items[i - 1];

		account_show_invoice(ctx, account, (uint64_t)open->place, open->invoice,
		    open->action_url, out);
	}
}
