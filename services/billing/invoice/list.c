/* billing.ListInvoices, GetInvoice and ListCreditNotes. What never changes lies in an
 * invoice's document, what does in its row. */
#include "invoice/invoice.h"

#include <trl/page.h>
#include <trl/wire.h>

static enum trl_code
read_message(trl_ctx *ctx, const ProtobufCMessageDescriptor *type,
    const ProtobufCBinaryData *document, ProtobufCMessage **out)
{
	return trl_fold(
	    ctx, trl_wire_decode(ctx, type, document->data, document->len, out));
}

enum trl_code
invoice_read(trl_ctx *ctx, const ProtobufCBinaryData *document, billing_invoice **out)
{
	ProtobufCMessage *message;
	enum trl_code rc =
	    read_message(ctx, &billing__v1__invoice__descriptor, document, &message);

	if (rc == TRL_OK)
		*out = (billing_invoice *)message;
	return rc;
}

enum trl_code
credit_note_read(
    trl_ctx *ctx, const ProtobufCBinaryData *document, Billing__V1__CreditNote **out)
{
	ProtobufCMessage *message;
	enum trl_code rc = read_message(
	    ctx, &billing__v1__credit_note__descriptor, document, &message);

	if (rc == TRL_OK)
		*out = (Billing__V1__CreditNote *)message;
	return rc;
}

void
invoice_as_it_stands(
    const billing_invoice *document, const billing_invoice *now, billing_invoice *out)
{
	*out = *document;
	trl_set(out, version, now->version);
	trl_set(out, status, now->status);
	out->number = now->number;
	trl_set(out, carried_on, now->carried_on);
	trl_set(out, amount_paid, now->amount_paid);
	trl_set(out, amount_credited, now->amount_credited);
	trl_set(out, amount_due, now->amount_due);
	trl_set(out, attempts, now->attempts);
	out->next_attempt_at = now->next_attempt_at;
	out->decline_code = now->decline_code;
	out->paid_at = now->paid_at;
	out->voided_at = now->voided_at;
	out->updated_at = now->updated_at;
}

/* An invoice of its document, as it stands now by its row. */
static enum trl_code
read_document(trl_ctx *ctx, const Billing__V1__InvoiceRow *row, billing_invoice *out)
{
	billing_invoice *document;
	enum trl_code rc = invoice_read(ctx, &row->document, &document);

	if (rc != TRL_OK)
		return rc;
	invoice_as_it_stands(document, row->invoice, out);
	if (row->action_url) {
		out->next_action = billing_v1_next_action_new(ctx);
		trl_set(
		    out->next_action, kind, BILLING__V1__NEXT_ACTION__KIND__redirect);
		out->next_action->url = row->action_url;
	}
	return TRL_OK;
}

/* Errors: TRL_NOT_FOUND. */
enum trl_code
billing_get_invoice(struct billing *self, trl_ctx *ctx,
    const Billing__V1__GetInvoiceRequest *in, Billing__V1__Invoice *out)
{
	Billing__V1__InvoiceRow row = BILLING__V1__INVOICE_ROW__INIT;
	enum trl_code rc = trl_batch_get_one(ctx, self->pg,
	    TRL_SCOPE_TENANT(ctx->tenant), &billing_sql_invoice_get, NULL, &row.base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("id", trl_value_id(in->invoice_id)));

	return rc == TRL_OK ? read_document(ctx, &row, out) : rc;
}

/* Errors: TRL_INVALID (page_token). */
enum trl_code
billing_list_invoices(struct billing *self, trl_ctx *ctx,
    const Billing__V1__ListInvoicesRequest *in, Billing__V1__ListInvoicesReply *out)
{
	struct trl_page page;
	enum trl_code rc = trl_page_open(
	    ctx, "billing.invoices", ctx->tenant, in->page_size, in->page_token, &page);

	if (rc != TRL_OK)
		return rc;
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &billing_sql_invoice_list, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    in->has_status
		? TRL_ARG_TEXT("status", billing_v1_invoice_status_name(in->status))
		: TRL_ARG_NULL("status"),
	    TRL_ARG_ID("before", trl_page_before(&page)),
	    TRL_ARG_INT("limit", page.size + 1));
	if (rc == TRL_OK)
		trl_page_cut(ctx, &page, out->n_items, "id", &out->base);
	return rc;
}

static enum trl_code
read_notes(trl_ctx *ctx, const Billing__V1__Documents *rows,
    Billing__V1__ListCreditNotesReply *out)
{
	out->items =
	    trl_arena_alloc(ctx->arena, (rows->n_items + 1) * sizeof out->items[0]);
	for (; out->n_items < rows->n_items; out->n_items++) {
		enum trl_code rc = credit_note_read(ctx,
		    &rows->items[out->n_items]->document, &out->items[out->n_items]);

		if (rc != TRL_OK)
			return rc;
	}
	return TRL_OK;
}

/* Errors: TRL_INVALID (page_token). */
enum trl_code
billing_list_credit_notes(struct billing *self, trl_ctx *ctx,
    const Billing__V1__ListCreditNotesRequest *in,
    Billing__V1__ListCreditNotesReply *out)
{
	Billing__V1__Documents rows = BILLING__V1__DOCUMENTS__INIT;
	struct trl_page page;
	enum trl_code rc = trl_page_open(ctx, "billing.credit_notes", ctx->tenant,
	    in->page_size, in->page_token, &page);

	if (rc != TRL_OK)
		return rc;
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &billing_sql_credit_note_list, NULL, &rows.base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    in->has_invoice_id ? TRL_ARG_ID("invoice_id", trl_value_id(in->invoice_id))
			       : TRL_ARG_NULL("invoice_id"),
	    TRL_ARG_ID("before", trl_page_before(&page)),
	    TRL_ARG_INT("limit", page.size + 1));
	if (rc == TRL_OK)
		rc = read_notes(ctx, &rows, out);
	if (rc == TRL_OK)
		trl_page_cut(ctx, &page, out->n_items, "id", &out->base);
	return rc;
}
