/* billing.AnswerDispute - what speaks for us goes to the payer's bank; what comes of it
 * is heard, and may be before we have answered. */
#include "payment/payment.h"
#include "turn/charge.h"
#include "turn/mark.h"

static bool
is_open(const Billing__V1__PaymentRow *row)
{
	return row->payment->status == BILLING__V1__PAYMENT__STATUS__pending;
}

static enum trl_code
judge(struct billing *self, trl_ctx *ctx, const Billing__V1__PaymentRow *row)
{
	if (row->payment->kind != BILLING__V1__PAYMENT__KIND__dispute &&
	    row->payment->kind != BILLING__V1__PAYMENT__KIND__inquiry)
		return trl_fail(ctx, TRL_CONFLICT, "This is no dispute.");
	if (!is_open(row))
		return trl_fail(ctx, TRL_CONFLICT, "This dispute is closed.");
	if (!self->provider)
		return trl_fail(
		    ctx, TRL_CONFLICT, "No payment provider is configured.");
	return TRL_OK;
}

static enum trl_code
decide(struct billing *self, trl_ctx *ctx, const Billing__V1__PaymentRow *row)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	bool was_there = false;
	enum trl_code rc = mark_find(self, ctx, &was_there);

	if (rc == TRL_OK && !was_there)
		rc = judge(self, ctx, row);
	if (rc != TRL_OK || was_there)
		return rc;
	trl_batch_audit(work, "billing.dispute.answer", trl_value_id(row->payment->id),
	    "payment", NULL);
	return mark_write(ctx, work, &was_there);
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT (it is closed, or no dispute). */
enum trl_code
billing_answer_dispute(struct billing *self, trl_ctx *ctx,
    const Billing__V1__AnswerDisputeRequest *in, Billing__V1__Payment *out)
{
	trl_batch *record = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	Billing__V1__PaymentRow row;
	enum trl_code rc = payment_get(self, ctx, trl_value_id(in->payment_id), &row);

	if (rc == TRL_OK)
		rc = decide(self, ctx, &row);
	if (rc == TRL_OK && self->provider && is_open(&row))
		rc = self->provider->contest(self, ctx, row.reference, in->evidence);
	if (rc != TRL_OK)
		return rc;
	*out = *row.payment;
	return trl_batch_write(record, &out->base);
}
