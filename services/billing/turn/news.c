/* news.c - what a provider says by itself: what became of a payment or refund, and
 * disputes. News may come twice, in any order, and before our own commit: what is known
 * already changes nothing, and what cannot be applied yet is heard again later. */
#include <string.h>

#include <trl/change.h>

#include "turn/charge.h"
#include "turn/returned.h"

typedef Billing__V1__ProviderNews provider_news;

static enum trl_code
settle(struct billing *self, trl_ctx *ctx, const provider_news *news)
{
	struct provider_answer answer = { .outcome = PROVIDER_DONE };

	if (news->status != BILLING__V1__PAYMENT__STATUS__succeeded)
		answer.outcome = PROVIDER_REFUSED;
	snprintf(answer.code, sizeof answer.code, "%s", news->code ? news->code : "");
	snprintf(answer.reference, sizeof answer.reference, "%s",
	    news->reference ? news->reference : "");
	return payment_settle(self, ctx, trl_value_id(news->payment_id), &answer);
}

/* A dispute takes what is left of the payment out of our hands. */
static void
open_dispute(struct turn *turn, struct turn_invoice *at,
    const Billing__V1__Payment *payment, const provider_news *news)
{
	bool is_dispute = news->what == BILLING__V1__PROVIDER_NEWS__WHAT__disputed;
	int64_t amount = payment->amount - payment->refunded;
	Billing__V1__Payment *row = billing_v1_payment_new(turn->ctx);
	struct trl_id id = trl_new_id(turn->ctx);

	trl_set(row, id, trl_value_bytes(turn->ctx, id));
	trl_set(row, invoice_id, payment->invoice_id);
	trl_set(row, payment_id, payment->id);
	trl_set(row, kind,
	    is_dispute ? BILLING__V1__PAYMENT__KIND__dispute
		       : BILLING__V1__PAYMENT__KIND__inquiry);
	trl_set(row, status, BILLING__V1__PAYMENT__STATUS__pending);
	row->provider = payment->provider;
	row->currency = payment->currency;
	trl_set(row, amount, amount);
	row->decline_code = news->code;
	row->created_at = billing_time(turn->ctx, turn->account.now);
	payment_insert(turn, row, news->reference);
	payment_tell(turn, &billing_event_payment_disputed, row);
	if (!is_dispute)
		return;
	payment_return(turn, trl_value_id(payment->id), amount);
	ledger_add(turn->ctx, turn->work, row->currency, turn->account.now, "dispute",
	    id,
	    (const struct ledger_entry[]){
		{ "disputed", amount }, { "cash", -amount } },
	    2);
	returned_goes(turn, at, id, amount);
}

/* Won: the money is back, and could go back to the payer. Lost: it is written off. */
static void
close_dispute(struct turn *turn, struct turn_invoice *at,
    const Billing__V1__PaymentRow *row, bool won)
{
	Billing__V1__Payment *dispute = row->payment;
	int64_t amount = dispute->amount;

	payment_put(turn, dispute,
	    won ? BILLING__V1__PAYMENT__STATUS__won
		: BILLING__V1__PAYMENT__STATUS__lost,
	    "", dispute->decline_code ? dispute->decline_code : "", "");
	payment_tell(turn, &billing_event_payment_dispute_closed, dispute);
	if (dispute->kind != BILLING__V1__PAYMENT__KIND__dispute)
		return;
	if (won)
		payment_return(turn, trl_value_id(dispute->payment_id), -amount);
	ledger_add(turn->ctx, turn->work, dispute->currency, turn->account.now,
	    won ? "dispute_won" : "dispute_lost", trl_value_id(dispute->id),
	    (const struct ledger_entry[]){
		{ won ? "cash" : "bad_debt", amount }, { "disputed", -amount } },
	    2);
	if (won)
		returned_comes_back(turn, at, dispute, row->off_refunds);
}

static enum trl_code
apply(struct turn *turn, const provider_news *news)
{
	Billing__V1__PaymentRow row, known = BILLING__V1__PAYMENT_ROW__INIT;
	bool opens = news->what == BILLING__V1__PROVIDER_NEWS__WHAT__disputed ||
		     news->what == BILLING__V1__PROVIDER_NEWS__WHAT__inquired;
	struct turn_invoice *at;
	trl_ctx *ctx = turn->ctx;
	enum trl_code rc =
	    payment_get(turn->self, ctx, trl_value_id(news->payment_id), &row);

	if (rc == TRL_OK)
		rc = trl_batch_get_one(ctx, turn->self->pg,
		    TRL_SCOPE_TENANT(ctx->tenant), &billing_sql_payment_by_reference,
		    NULL, &known.base, TRL_ARG_ID("tenant_id", ctx->tenant),
		    TRL_ARG_TEXT("provider", row.payment->provider),
		    TRL_ARG_TEXT("reference", news->reference));
	if (rc != TRL_OK)
		return rc;
	if (!opens && !known.payment)
		return trl_fail(ctx, TRL_UNAVAILABLE,
		    "the end of a dispute was heard before its beginning");
	if (opens ? known.payment != NULL
		  : known.payment->status != BILLING__V1__PAYMENT__STATUS__pending)
		return TRL_OK;
	if (opens && row.payment->status != BILLING__V1__PAYMENT__STATUS__succeeded)
		return trl_fail(ctx, TRL_UNAVAILABLE,
		    "a payment is disputed that is not known to have succeeded");
	rc = turn_find_invoice(turn, trl_value_id(row.payment->invoice_id), &at);
	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	if (opens)
		open_dispute(turn, at, row.payment, news);
	else
		close_dispute(turn, at, &known,
		    news->what == BILLING__V1__PROVIDER_NEWS__WHAT__won);
	turn_finish(turn);
	return turn_commit(turn, false);
}

static enum trl_code
dispute(struct billing *self, trl_ctx *ctx, const provider_news *news)
{
	struct turn *turn = trl_arena_alloc(ctx->arena, sizeof *turn);
	const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
	enum trl_code rc = TRL_PRECONDITION;

	/* TRL_CONFLICT: another process hears the same, and was faster. */
	for (int i = 0;
	     (rc == TRL_PRECONDITION || rc == TRL_CONFLICT) && i < TURN_TRIES; i++) {
		trl_err_clear(ctx);
		trl_arena_rewind(ctx->arena, mark);
		rc = turn_load(self, ctx, turn);
		if (rc != TRL_OK)
			return rc;
		rc = apply(turn, news);
		turn_end(turn);
	}
	return rc;
}

enum trl_code
news_apply(struct billing *self, trl_ctx *ctx, const provider_news *news)
{
	return news->what == BILLING__V1__PROVIDER_NEWS__WHAT__settled
		   ? settle(self, ctx, news)
		   : dispute(self, ctx, news);
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	const provider_news *news = (const provider_news *)job->payload;

	TRL_AUTO(trl_change_end) struct trl_change queue = { 0 };
	enum trl_code rc = trl_change_begin(&queue, ctx, ctx->tenant);

	return rc == TRL_OK ? news_apply(state, ctx, news) : rc;
}

const struct trl_job_kind provider_news_job = {
	.name = "provider_news",
	.message = &billing_v1_provider_news_rules,
	.run = run,
};
