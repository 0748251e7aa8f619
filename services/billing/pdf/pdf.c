/* pdf.c - see pdf.h. */
#include "pdf/pdf.h"

#include <trl/validate.h>
#include <trl/wire.h>

#include "pdf/logo.h"
#include "pdf/render.h"

static void
refuse(Billing__V1__PdfReply *reply, const char *why)
{
	reply->has_pdf = 0;
	reply->error = (char *)(uintptr_t)why;
}

static void
draw(trl_arena *arena, const Billing__V1__PdfRequest *asked, struct trl_buf *pdf,
    Billing__V1__PdfReply *reply)
{
	struct document *document = trl_arena_alloc(arena, sizeof *document);
	const char *wrong = document_of(arena, asked, document);
	cairo_surface_t *logo = NULL;

	/* Without its logo it is still an invoice. */
	reply->without_logo =
	    (char *)(uintptr_t)logo_read(asked->logo.data, asked->logo.len, &logo);
	if (!wrong)
		wrong = render(document, logo, pdf, &reply->missing);
	if (logo)
		cairo_surface_destroy(logo);
	if (!wrong && pdf->len > PDF_MAX)
		wrong = "the PDF has more than 480 KiB";
	if (wrong) {
		refuse(reply, wrong);
		return;
	}
	reply->has_missing = reply->missing > 0;
	reply->has_pdf = 1;
	reply->pdf = (ProtobufCBinaryData){ .data = pdf->data, .len = pdf->len };
}

void
pdf_answer(const uint8_t *data, size_t len, struct trl_buf *reply)
{
	trl_ctx ctx = { .arena = trl_arena_new(0) };
	Billing__V1__PdfReply said = BILLING__V1__PDF_REPLY__INIT;
	struct trl_buf pdf = { 0 };
	ProtobufCMessage *asked;
	const uint8_t *packed;
	size_t packed_len;

	if (trl_wire_decode(&ctx, &billing__v1__pdf_request__descriptor, data, len,
		&asked) != TRL_OK ||
	    trl_validate(&ctx, &billing_v1_pdf_request_rules, asked) != TRL_OK)
		refuse(&said, ctx.err.message);
	else
		draw(ctx.arena, (const Billing__V1__PdfRequest *)asked, &pdf, &said);
	trl_wire_encode(ctx.arena, &said.base, &packed, &packed_len);
	trl_buf_add(reply, packed, packed_len);
	trl_buf_fini(&pdf);
	trl_arena_free(&ctx.arena);
}
