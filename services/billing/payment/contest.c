/* billing.AnswerDispute - what speaks for us goes to the payer's bank; what comes of it
 * is heard. */
#include "payment/payment.h"
#include "turn/charge.h"

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT (it is closed, or no dispute). */
enum trl_code
billing_answer_dispute(struct billing *self, trl_ctx *ctx,
    const Billing__V1__AnswerDisputeRequest *in, Billing__V1__Payment *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	struct trl_id id = trl_value_id(in->payment_id);
	Billing__V1__PaymentRow row;
	enum trl_code rc = payment_get(self, ctx, id, &row);

	if (rc != TRL_OK)
		return rc;
	if (row.payment->kind != BILLING__V1__PAYMENT__KIND__dispute &&
	    row.payment->kind != BILLING__V1__PAYMENT__KIND__inquiry)
		return trl_fail(ctx, TRL_CONFLICT, "This is no dispute.");
	if (row.payment->status != BILLING__V1__PAYMENT__STATUS__pending)
		return trl_fail(ctx, TRL_CONFLICT, "This dispute is closed.");
	if (!self->provider)
		return trl_fail(
		    ctx, TRL_CONFLICT, "No payment provider is configured.");
	rc = self->provider->contest(self, ctx, row.reference, in->evidence);
	if (rc != TRL_OK)
		return rc;
	*out = *row.payment;
	trl_batch_audit(work, "billing.dispute.answer", id, "payment", NULL);
	return trl_batch_write(work, &out->base);
}
