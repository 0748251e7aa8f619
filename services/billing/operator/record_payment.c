/* billing.RecordPayment - money that came another way, by transfer or in cash. What is
 * more than the invoice's due becomes credit. */
#include "operator/operator.h"

#include "turn/charge.h"

struct wanted {
	struct trl_id invoice;
	int64_t amount; /* 0: all that is due */
	const char *reference;
	struct turn_invoice *at;
	billing_invoice *out;
};

/* A draft of the present period becomes final; of one that is over there is nothing to
 * be paid any more. */
static enum trl_code
make_final(struct turn *turn, struct turn_invoice *at)
{
	struct life_outcome *out = trl_arena_alloc(turn->ctx->arena, sizeof *out);

	if (at->invoice->status != BILLING__V1__INVOICE__STATUS__draft)
		return TRL_OK;
	if (!life_bill_draft(&turn->account.life, at->place, out))
		return trl_fail(turn->ctx, TRL_CONFLICT,
		    "It is a draft of a time that is over: void it.");
	return turn_do(turn, out);
}

static enum trl_code
check(struct turn *turn, const billing_invoice *invoice)
{
	if (invoice->status == BILLING__V1__INVOICE__STATUS__open ||
	    invoice->status == BILLING__V1__INVOICE__STATUS__uncollectible)
		return TRL_OK;
	return trl_fail(turn->ctx, TRL_CONFLICT, "Nothing is due of this invoice.");
}

static Billing__V1__Payment *
put(struct turn *turn, const struct wanted *wanted, int64_t amount)
{
	Billing__V1__Payment *payment = billing_v1_payment_new(turn->ctx);

	trl_set(payment, id, trl_value_bytes(turn->ctx, trl_new_id(turn->ctx)));
	trl_set(payment, invoice_id, wanted->at->invoice->id);
	trl_set(payment, kind, BILLING__V1__PAYMENT__KIND__payment);
	trl_set(payment, status, BILLING__V1__PAYMENT__STATUS__succeeded);
	payment->provider = (char *)(uintptr_t) "offline";
	payment->currency = wanted->at->invoice->currency;
	trl_set(payment, amount, amount);
	payment->created_at = payment->settled_at =
	    billing_time(turn->ctx, turn->account.now);
	payment_insert(turn, payment, wanted->reference);
	payment_tell(turn, &billing_event_payment_succeeded, payment);
	return payment;
}

static enum trl_code
decide(struct turn *turn, void *arg, struct life_outcome *out)
{
	struct wanted *wanted = arg;
	const Billing__V1__Payment *payment;
	const billing_invoice *document;
	billing_invoice *invoice;
	int64_t amount;
	enum trl_code rc = operator_find(turn, wanted->invoice, &wanted->at);

	if (rc == TRL_OK)
		rc = make_final(turn, wanted->at);
	if (rc == TRL_OK)
		rc = turn_document(turn, wanted->at, &document);
	if (rc != TRL_OK)
		return rc;
	invoice = wanted->at->invoice;
	rc = check(turn, invoice);
	if (rc != TRL_OK)
		return rc;
	amount = wanted->amount ? wanted->amount : invoice->amount_due;
	payment = put(turn, wanted, amount);
	turn_take_money(turn, wanted->at, invoice->currency, amount,
	    trl_value_id(payment->id), out);
	return TRL_OK;
}

static ProtobufCMessage *
show(struct turn *turn, void *arg)
{
	struct wanted *wanted = arg;

	(void)turn;
	invoice_as_it_stands(wanted->at->document, wanted->at->invoice, wanted->out);
	return &wanted->out->base;
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT (nothing is due). */
enum trl_code
billing_record_payment(struct billing *self, trl_ctx *ctx,
    const Billing__V1__RecordPaymentRequest *in, Billing__V1__Invoice *out)
{
	static const struct turn_kind kind = { "billing.payment.record", decide, show,
		.reply_stands = true };
	struct wanted wanted = { .invoice = trl_value_id(in->invoice_id),
		.amount = in->amount,
		.reference = in->reference,
		.out = out };

	return turn_run(self, ctx, &kind, &wanted);
}
