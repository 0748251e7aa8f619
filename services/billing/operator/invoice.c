/* billing.VoidInvoice and WriteOff. */
#include "operator/operator.h"

#include "turn/closing.h"

struct wanted {
	struct trl_id invoice;
	struct turn_invoice *at;
	billing_invoice *out;
};

enum trl_code
operator_find(struct turn *turn, struct trl_id invoice, struct turn_invoice **out)
{
	const billing_invoice *document;
	enum trl_code rc = turn_find_invoice(turn, invoice, out);

	turn->subject = invoice;
	turn->subject_kind = "invoice";
	return rc == TRL_OK ? turn_document(turn, *out, &document) : rc;
}

static enum trl_code
refuse(struct turn *turn, const char *why)
{
	return trl_fail(turn->ctx, TRL_CONFLICT, "%s", why);
}

static enum trl_code
decide_void(struct turn *turn, void *arg, struct life_outcome *out)
{
	struct wanted *wanted = arg;
	struct account *account = &turn->account;
	enum trl_code rc = operator_find(turn, wanted->invoice, &wanted->at);

	if (rc != TRL_OK)
		return rc;
	if (wanted->at->invoice->status == BILLING__V1__INVOICE__STATUS__paid)
		return refuse(turn, "It is paid: credit it.");
	if (wanted->at->invoice->status == BILLING__V1__INVOICE__STATUS__void)
		return refuse(turn, "It is void already.");
	rc = closing_void(turn, wanted->at);
	if (rc == TRL_OK)
		life_waived(&account->life, account->now, wanted->at->place, out);
	return rc;
}

static enum trl_code
decide_write_off(struct turn *turn, void *arg, struct life_outcome *out)
{
	struct wanted *wanted = arg;
	struct account *account = &turn->account;
	enum trl_code rc = operator_find(turn, wanted->invoice, &wanted->at);

	if (rc != TRL_OK)
		return rc;
	if (wanted->at->invoice->status != BILLING__V1__INVOICE__STATUS__open)
		return refuse(turn, "Only an open invoice can be given up.");
	if (wanted->at->place == account->life.pending.invoice)
		return refuse(turn, "A change waits for its payment: void it.");
	closing_give_up(turn, wanted->at);
	life_waived(&account->life, account->now, wanted->at->place, out);
	return TRL_OK;
}

static ProtobufCMessage *
show(struct turn *turn, void *arg)
{
	struct wanted *wanted = arg;
	billing_invoice *out = wanted->out;

	(void)turn;
	invoice_as_it_stands(wanted->at->document, wanted->at->invoice, out);
	if (wanted->at->is_gone)
		trl_set(out, status, BILLING__V1__INVOICE__STATUS__void);
	return &out->base;
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT (it is paid or void). */
enum trl_code
billing_void_invoice(struct billing *self, trl_ctx *ctx,
    const Billing__V1__VoidInvoiceRequest *in, Billing__V1__Invoice *out)
{
	static const struct turn_kind kind = { "billing.invoice.void", decide_void,
		show, .reply_stands = true };
	struct wanted wanted = { .invoice = trl_value_id(in->invoice_id), .out = out };

	return turn_run(self, ctx, &kind, &wanted);
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT (it is not open, or a change waits for it). */
enum trl_code
billing_write_off(struct billing *self, trl_ctx *ctx,
    const Billing__V1__WriteOffRequest *in, Billing__V1__Invoice *out)
{
	static const struct turn_kind kind = { "billing.invoice.write_off",
		decide_write_off, show, .reply_stands = true };
	struct wanted wanted = { .invoice = trl_value_id(in->invoice_id), .out = out };

	return turn_run(self, ctx, &kind, &wanted);
}
