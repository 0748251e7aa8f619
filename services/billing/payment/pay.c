/* billing.PayInvoice and ListPayments. A try that fails leaves the invoice as it was,
 * and the next may follow at once; while the outcome of one is not known, no other is
 * made. */
#include <trl/page.h>

#include "payment/payment.h"
#include "turn/charge.h"

struct wanted {
	const Billing__V1__PayInvoiceRequest *in;
	billing_invoice *out;
};

static enum trl_code
read_invoice(struct turn *turn, const struct wanted *wanted)
{
	Billing__V1__GetInvoiceRequest get = BILLING__V1__GET_INVOICE_REQUEST__INIT;

	trl_set(&get, invoice_id, wanted->in->invoice_id);
	billing__v1__invoice__init(wanted->out);
	return billing_get_invoice(turn->self, turn->ctx, &get, wanted->out);
}

static ProtobufCMessage *
show(struct turn *turn, void *arg)
{
	struct wanted *wanted = arg;

	return read_invoice(turn, wanted) == TRL_OK ? &wanted->out->base : NULL;
}

/* Asks for the outcome of a payment that was begun before; then all is looked at anew.
 */
static enum trl_code
ask_again(struct turn *turn, struct trl_id payment)
{
	Billing__V1__PaymentRow row;
	enum trl_code rc = payment_charge(turn->self, turn->ctx, payment, true);

	if (rc == TRL_OK)
		rc = payment_get(turn->self, turn->ctx, payment, &row);
	if (rc == TRL_OK &&
	    row.payment->status != BILLING__V1__PAYMENT__STATUS__pending)
		return TRL_PRECONDITION;
	if (rc != TRL_OK && rc != TRL_UNAVAILABLE && rc != TRL_UNCERTAIN)
		return rc;
	trl_err_clear(turn->ctx);
	return trl_fail(turn->ctx, TRL_CONFLICT,
	    "A payment of this invoice is under way, and its outcome not known yet.");
}

static enum trl_code
choose_method(struct turn *turn, const struct wanted *wanted, struct trl_id *method)
{
	const Billing__V1__SubscriptionRow *row = turn->account.row;
	Billing__V1__MethodRow found;
	enum trl_code rc;

	if (!turn->self->provider)
		return trl_fail(turn->ctx, TRL_CONFLICT,
		    "No payment provider is configured; invoices are paid by bank "
		    "transfer.");
	if (!wanted->in->has_method_id) {
		*method =
		    row->has_method_id ? trl_value_id(row->method_id) : trl_id_nil;
		return row->has_method_id
			   ? TRL_OK
			   : trl_fail(turn->ctx, TRL_CONFLICT,
				 "There is no default way to pay: set one up, or name "
				 "the one to use.");
	}
	*method = trl_value_id(wanted->in->method_id);
	rc = method_get(turn->self, turn->ctx, *method, &found);
	if (rc == TRL_OK &&
	    found.method->status == BILLING__V1__PAYMENT_METHOD__STATUS__pending)
		return trl_fail(turn->ctx, TRL_CONFLICT,
		    "The bank's question has to be answered first.");
	return rc;
}

/* What is paid already stays so, and is shown: whoever pays twice pays once. */
static enum trl_code
judge(struct turn *turn, const billing_invoice *invoice)
{
	switch (invoice->status) {
	case BILLING__V1__INVOICE__STATUS__draft:
		return trl_fail(
		    turn->ctx, TRL_CONFLICT, "This invoice is not final yet.");
	case BILLING__V1__INVOICE__STATUS__void:
		return trl_fail(turn->ctx, TRL_CONFLICT, "This invoice is void.");
	default:
		return TRL_OK;
	}
}

static enum trl_code
decide(struct turn *turn, void *arg, struct life_outcome *out)
{
	struct wanted *wanted = arg;
	struct turn_invoice *at =
	    turn_invoice_of(turn, trl_value_id(wanted->in->invoice_id));
	struct trl_id method;
	enum trl_code rc = read_invoice(turn, wanted);

	(void)out;
	turn->subject = trl_value_id(wanted->in->invoice_id);
	turn->subject_kind = "invoice";
	if (rc == TRL_OK)
		rc = judge(turn, wanted->out);
	if (rc != TRL_OK || !at || wanted->out->amount_due == 0)
		return rc;
	if (!trl_id_is_nil(at->payment) && !at->payment_waits)
		return ask_again(turn, at->payment);
	rc = choose_method(turn, wanted, &method);
	if (rc == TRL_OK)
		payment_begin(turn, at, method);
	return rc;
}

/* Errors: TRL_NOT_FOUND (invoice, method), TRL_CONFLICT (its state; no way to pay; a
 * payment is under way). */
enum trl_code
billing_pay_invoice(struct billing *self, trl_ctx *ctx,
    const Billing__V1__PayInvoiceRequest *in, Billing__V1__Invoice *out)
{
	static const struct turn_kind kind = { "billing.invoice.pay", decide, show };
	struct wanted wanted = { .in = in, .out = out };

	return turn_run(self, ctx, &kind, &wanted);
}

/* Errors: TRL_INVALID (page_token). */
enum trl_code
billing_list_payments(struct billing *self, trl_ctx *ctx,
    const Billing__V1__ListPaymentsRequest *in, Billing__V1__ListPaymentsReply *out)
{
	struct trl_page page;
	enum trl_code rc = trl_page_open(
	    ctx, "billing.payments", ctx->tenant, in->page_size, in->page_token, &page);

	if (rc != TRL_OK)
		return rc;
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &billing_sql_payment_list, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    in->has_invoice_id ? TRL_ARG_ID("invoice_id", trl_value_id(in->invoice_id))
			       : TRL_ARG_NULL("invoice_id"),
	    TRL_ARG_ID("before", trl_page_before(&page)),
	    TRL_ARG_INT("limit", page.size + 1));
	if (rc == TRL_OK)
		trl_page_cut(ctx, &page, out->n_items, "id", &out->base);
	return rc;
}
