/* billing.RefundPayment - the operator gives a payment back. What is asked for is
 * counted at once, so that never more goes back than was paid, whoever asks meanwhile.
 */
#include "payment/payment.h"
#include "turn/charge.h"
#include "turn/returned.h"

struct wanted {
	const Billing__V1__RefundPaymentRequest *in;
	struct trl_id refund;
	Billing__V1__Payment *out;
};

static enum trl_code
judge(struct turn *turn, const Billing__V1__Payment *payment, int64_t amount)
{
	int64_t rest = payment->amount - payment->refunded;
	char text[32];

	if (payment->kind != BILLING__V1__PAYMENT__KIND__payment ||
	    payment->status != BILLING__V1__PAYMENT__STATUS__succeeded)
		return trl_fail(turn->ctx, TRL_CONFLICT,
		    "Only a payment that succeeded can go back.");
	if (amount > 0 && amount <= rest)
		return TRL_OK;
	trl_money_write(rest, trl_currency_of(payment->currency), text, sizeof text);
	return trl_fail(turn->ctx, TRL_CONFLICT,
	    "Of this payment %s %s can still go back.", text, payment->currency);
}

static enum trl_code
decide(struct turn *turn, void *arg, struct life_outcome *out)
{
	struct wanted *wanted = arg;
	Billing__V1__PaymentRow row;
	struct turn_invoice *at;
	int64_t amount;
	enum trl_code rc = payment_get(
	    turn->self, turn->ctx, trl_value_id(wanted->in->payment_id), &row);

	(void)out;
	if (rc != TRL_OK)
		return rc;
	amount = wanted->in->has_amount ? wanted->in->amount
					: row.payment->amount - row.payment->refunded;
	rc = judge(turn, row.payment, amount);
	if (rc == TRL_OK)
		rc =
		    turn_find_invoice(turn, trl_value_id(row.payment->invoice_id), &at);
	if (rc != TRL_OK)
		return rc;
	wanted->refund = payment_refund(turn, row.payment, amount, wanted->out);
	returned_goes(turn, at, wanted->refund, amount);
	turn->subject = wanted->refund;
	turn->subject_kind = "payment";
	return TRL_OK;
}

static ProtobufCMessage *
show(struct turn *turn, void *arg)
{
	(void)turn;
	return &((struct wanted *)arg)->out->base;
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT (more than is left; no payment that succeeded).
 */
enum trl_code
billing_refund_payment(struct billing *self, trl_ctx *ctx,
    const Billing__V1__RefundPaymentRequest *in, Billing__V1__Payment *out)
{
	/* A retry must not give back twice, so what is recorded is that it was asked
	 * for; the first answer says what is known already. */
	static const struct turn_kind kind = { "billing.payment.refund", decide, show,
		.reply_stands = true };
	struct wanted wanted = { .in = in, .out = out };
	Billing__V1__PaymentRow now;
	enum trl_code rc = turn_run(self, ctx, &kind, &wanted);

	if (rc != TRL_OK || ctx->idempotency.replayed)
		return rc;
	rc = payment_get(self, ctx, wanted.refund, &now);
	if (rc == TRL_OK)
		*out = *now.payment;
	return trl_fold(ctx, rc);
}
