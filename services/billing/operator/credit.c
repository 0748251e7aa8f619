/* billing.CreditInvoice. */
#include "operator/operator.h"

#include "turn/credit.h"

struct wanted {
	struct trl_id invoice;
	int64_t amount; /* 0: all that is left */
	bool refund;
	Billing__V1__CreditNote__Reason reason;
	Billing__V1__CreditNote *note, *out;
};

static enum trl_code
decide(struct turn *turn, void *arg, struct life_outcome *out)
{
	struct wanted *wanted = arg;
	struct turn_invoice *at;
	enum trl_code rc = operator_find(turn, wanted->invoice, &at);

	return rc == TRL_OK ? credit_amount(turn, at, wanted->amount, wanted->refund,
				  &wanted->reason, out, &wanted->note)
			    : rc;
}

static ProtobufCMessage *
show(struct turn *turn, void *arg)
{
	struct wanted *wanted = arg;

	(void)turn;
	*wanted->out = *wanted->note;
	return &wanted->out->base;
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT (it is no final invoice, or more than is left).
 */
enum trl_code
billing_credit_invoice(struct billing *self, trl_ctx *ctx,
    const Billing__V1__CreditInvoiceRequest *in, Billing__V1__CreditNote *out)
{
	static const struct turn_kind kind = { "billing.invoice.credit", decide, show,
		.reply_stands = true };
	struct wanted wanted = { .invoice = trl_value_id(in->invoice_id),
		.amount = in->amount,
		.refund = in->refund,
		.reason = in->reason,
		.out = out };

	return turn_run(self, ctx, &kind, &wanted);
}
