/* billing.GetInvoicePdf and GetCreditNotePdf. The document is drawn by trellis-pdf
 * (pdf/main.c), a process of its own that is started by the first one who asks and
 * ended a minute after the last.
 *
 * What is drawn is the invoice as it was made, by the seller's logo of then: what the
 * organisation or the seller changes, or pays, leaves it the same bytes. Only a void
 * one says so. */
#include "invoice/invoice.h"

#include <string.h>

#include <sodium.h>

#include <trl/log.h>
#include <trl/wire.h>

enum { REQUEST_MAX = 1 << 20, REPLY_MAX = 1 << 20 }; /* as pdf/pdf.h has them */

const struct trl_child_kind invoice_pdf_child = { .name = "pdf",
	.request_max = REQUEST_MAX,
	.reply_max = REPLY_MAX,
	.timeout_ms = 5000,
	.idle_ms = 60000,
	.queue = 32 };

/* Of the bytes, so that an ETag is right whatever drew them; above 0. */
static int64_t
version_of(const ProtobufCBinaryData *pdf)
{
	uint8_t hash[crypto_generichash_BYTES_MIN];
	uint64_t version;

	crypto_generichash(hash, sizeof hash, pdf->data, pdf->len, NULL, 0);
	memcpy(&version, hash, sizeof version);
	return (int64_t)(version >> 11) + 1; /* JSON has 53 bits */
}

/* Errors: TRL_UNAVAILABLE, TRL_BUSY (child.h), TRL_INTERNAL. */
static enum trl_code
ask(struct billing *self, trl_ctx *ctx, const Billing__V1__PdfRequest *request,
    const char *number, Billing__V1__Pdf *out)
{
	const Billing__V1__PdfReply *reply;
	ProtobufCMessage *message;
	const uint8_t *asked, *said;
	size_t asked_len, said_len;
	enum trl_code rc;

	trl_wire_encode(ctx->arena, &request->base, &asked, &asked_len);
	rc = trl_child_ask(ctx, self->pdf, asked, asked_len, &said, &said_len);
	if (rc != TRL_OK)
		return rc;
	rc = trl_wire_decode(
	    ctx, &billing__v1__pdf_reply__descriptor, said, said_len, &message);
	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	reply = (const Billing__V1__PdfReply *)message;
	if (!reply->has_pdf)
		return trl_fail(ctx, TRL_INTERNAL, "%s cannot be drawn: %s", number,
		    reply->error ? reply->error : "no reason was given");
	if (reply->without_logo)
		trl_log(TRL_LOG_WARN, ctx,
		    "a document is without the seller's logo, which cannot be used",
		    TRL_LOG_STR("document", number),
		    TRL_LOG_STR("logo", reply->without_logo));
	if (reply->missing)
		trl_log(TRL_LOG_WARN, ctx,
		    "a document has characters that no installed font has, and shows "
		    "boxes in their place: install fonts of their script (Debian's "
		    "fonts-noto-core, fonts-noto-cjk, fonts-noto-extra)",
		    TRL_LOG_STR("document", number),
		    TRL_LOG_INT("characters", reply->missing));
	trl_set(out, version, version_of(&reply->pdf));
	out->file_name = trl_arena_printf(ctx->arena, "%s.pdf", number);
	trl_set(out, body, reply->pdf);
	return TRL_OK;
}

/* The logo of the catalogue that the invoice was made by. */
static enum trl_code
add_logo(struct billing *self, trl_ctx *ctx, int64_t version,
    Billing__V1__PdfRequest *request)
{
	Billing__V1__CatalogueRow row = BILLING__V1__CATALOGUE_ROW__INIT;
	const billing_catalogue *catalogue;
	enum trl_code rc = trl_batch_get_one(ctx, self->pg,
	    TRL_SCOPE_TENANT(ctx->tenant), &billing_sql_catalogue_of, NULL, &row.base,
	    TRL_ARG_INT("version", version));

	if (rc == TRL_OK)
		rc = catalogue_read(ctx, &row, &catalogue);
	if (rc != TRL_OK || !catalogue->seller)
		return rc;
	if (catalogue->seller->has_logo)
		trl_set(request, logo, catalogue->seller->logo);
	return TRL_OK;
}

/* An invoice, or a credit note of it: its words and numbers are its own, logo and zone
 * the invoice's. Errors: those of ask. */
static enum trl_code
draw(struct billing *self, trl_ctx *ctx, Billing__V1__PdfRequest *request,
    const billing_invoice *invoice, Billing__V1__Pdf *out)
{
	const Billing__V1__CreditNote *note = request->credit_note;
	enum trl_code rc = add_logo(self, ctx, invoice->catalogue_version, request);

	request->locale = note ? note->locale : invoice->locale;
	request->footer = note ? note->footer : invoice->footer;
	request->time_zone = invoice->time_zone;
	return rc == TRL_OK
		   ? ask(self, ctx, request, note ? note->number : invoice->number, out)
		   : rc;
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT (a draft), TRL_BUSY, TRL_UNAVAILABLE. */
enum trl_code
billing_get_invoice_pdf(struct billing *self, trl_ctx *ctx,
    const Billing__V1__GetInvoicePdfRequest *in, Billing__V1__Pdf *out)
{
	Billing__V1__InvoiceRow row = BILLING__V1__INVOICE_ROW__INIT;
	Billing__V1__PdfRequest request = BILLING__V1__PDF_REQUEST__INIT;
	enum trl_code rc = trl_batch_get_one(ctx, self->pg,
	    TRL_SCOPE_TENANT(ctx->tenant), &billing_sql_invoice_get, NULL, &row.base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("id", trl_value_id(in->invoice_id)));

	if (rc != TRL_OK)
		return rc;
	if (row.invoice->status == BILLING__V1__INVOICE__STATUS__draft)
		return trl_fail(ctx, TRL_CONFLICT,
		    "A draft is no document yet; it becomes one when it is final.");
	rc = invoice_read(ctx, &row.document, &request.invoice);
	if (rc != TRL_OK)
		return rc;
	trl_set(request.invoice, status,
	    row.invoice->status == BILLING__V1__INVOICE__STATUS__void
		? BILLING__V1__INVOICE__STATUS__void
		: BILLING__V1__INVOICE__STATUS__open);
	return draw(self, ctx, &request, request.invoice, out);
}

/* By the logo and in the zone of its invoice. Errors: TRL_NOT_FOUND, TRL_BUSY,
 * TRL_UNAVAILABLE. */
enum trl_code
billing_get_credit_note_pdf(struct billing *self, trl_ctx *ctx,
    const Billing__V1__GetCreditNotePdfRequest *in, Billing__V1__Pdf *out)
{
	Billing__V1__CreditNoteRow row = BILLING__V1__CREDIT_NOTE_ROW__INIT;
	Billing__V1__PdfRequest request = BILLING__V1__PDF_REQUEST__INIT;
	billing_invoice *invoice;
	enum trl_code rc = trl_batch_get_one(ctx, self->pg,
	    TRL_SCOPE_TENANT(ctx->tenant), &billing_sql_credit_note_get, NULL,
	    &row.base, TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("id", trl_value_id(in->credit_note_id)));

	if (rc != TRL_OK)
		return rc;
	rc = credit_note_read(ctx, &row.document, &request.credit_note);
	if (rc == TRL_OK)
		rc = invoice_read(ctx, &row.invoice, &invoice);
	return rc == TRL_OK ? draw(self, ctx, &request, invoice, out) : rc;
}
