/* document.c - see turn.h: an invoice of a turn with its lines. */
#include "turn/turn.h"

static enum trl_code
read_document(struct turn *turn, uint64_t place, const billing_invoice **out)
{
	Billing__V1__InvoiceRow row = BILLING__V1__INVOICE_ROW__INIT;
	billing_invoice *document;
	trl_ctx *ctx = turn->ctx;
	enum trl_code rc = trl_batch_get_one(ctx, turn->self->pg,
	    TRL_SCOPE_TENANT(ctx->tenant), &billing_sql_invoice_document, NULL,
	    &row.base, TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_INT("place", (int64_t)place));
	if (rc == TRL_OK)
		rc = invoice_read(ctx, &row.document, &document);
	if (rc == TRL_OK)
		*out = document;
	return rc;
}

enum trl_code
turn_document(struct turn *turn, struct turn_invoice *at, const billing_invoice **out)
{
	enum trl_code rc = TRL_OK;

	if (at->is_new || at->is_final_now)
		at->document = at->invoice;
	if (!at->document)
		rc = read_document(turn, at->place, &at->document);
	*out = at->document;
	return rc;
}

enum trl_code
turn_document_at(struct turn *turn, uint64_t place, const billing_invoice **out)
{
	for (size_t i = 0; i < turn->n_invoices; i++)
		if (turn->invoices[i].place == place)
			return turn_document(turn, &turn->invoices[i], out);
	return read_document(turn, place, out);
}

enum trl_code
turn_find_invoice(struct turn *turn, struct trl_id invoice, struct turn_invoice **out)
{
	Billing__V1__OpenInvoice *row = billing_v1_open_invoice_new(turn->ctx);
	trl_ctx *ctx = turn->ctx;
	enum trl_code rc;

	*out = turn_invoice_of(turn, invoice);
	if (*out)
		return TRL_OK;
	if (turn->n_invoices == TURN_INVOICES_MAX)
		return trl_fail(ctx, TRL_CONFLICT,
		    "Too many invoices of this organisation are open.");
	rc = trl_batch_get_one(ctx, turn->self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &billing_sql_invoice_one, NULL, &row->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", invoice));
	if (rc != TRL_OK)
		return rc;
	*out = &turn->invoices[turn->n_invoices++];
	**out = (struct turn_invoice){ .place = (uint64_t)row->place,
		.invoice = row->invoice,
		.returned = row->returned,
		.in_balance = row->in_balance,
		.payment =
		    row->has_payment_id ? trl_value_id(row->payment_id) : trl_id_nil };
	return TRL_OK;
}
