/* What billing asks trellis-pdf for, from outside: whatever it is, it is refused with a
 * reason, or becomes texts of a document that are all there. */
#include <stdint.h>
#include <string.h>

#include <trl/validate.h>
#include <trl/wire.h>

#include "catalogue/logo.h"
#include "pdf/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(const struct document *document)
{
	size_t len =
	    strlen(document->title) + strlen(document->name) + strlen(document->issued);

	for (size_t i = 0; i < document->n_lines; i++)
		len += strlen(document->lines[i].forward) +
		       strlen(document->lines[i].cells[COLUMN_AMOUNT]);
	for (size_t i = 0; i < document->n_sums; i++)
		len +=
		    strlen(document->sums[i].label) + strlen(document->sums[i].value);
	for (size_t i = 0; i < document->n_facts; i++)
		len +=
		    strlen(document->facts[i].label) + strlen(document->facts[i].value);
	for (size_t i = 0; i < document->n_notes; i++)
		len += strlen(document->notes[i]);
	trl_assert(len > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	trl_ctx ctx = { .arena = trl_arena_new(0) };
	struct document document;
	ProtobufCMessage *message = NULL;

	if (trl_wire_decode(&ctx, &billing__v1__pdf_request__descriptor, data, len,
		&message) == TRL_OK &&
	    trl_validate(&ctx, &billing_v1_pdf_request_rules, message) == TRL_OK) {
		const Billing__V1__PdfRequest *asked =
		    (const Billing__V1__PdfRequest *)message;

		if (!document_of(ctx.arena, asked, &document))
			check(&document);
		(void)logo_check(asked->logo.data, asked->logo.len);
	}
	trl_arena_free(&ctx.arena);
	return 0;
}
