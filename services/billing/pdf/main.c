/* trellis-pdf - draws invoices and credit notes for billing: a PdfRequest comes, a
 * PdfReply goes (proto/trellis/billing/v1/billing.proto). It is a program of its own so
 * that cairo, pango and whatever fonts, names and logos do to them stay out of the
 * services. Billing starts it with the first document that is asked for (trl/child.h);
 * it can read fonts and do little else, and is ended a minute after the last one.
 *
 * What it makes follows from the request and the fonts that are installed, and from
 * nothing else: no clock, no locale, no setting. So the same document is the same bytes
 * whenever it is made. */
#include <string.h>

#include <trl/confined.h>

#include "pdf/pdf.h"
#include "pdf/render.h"

/* Finding and opening the fonts is most of what the first document would cost. */
static void
draw_nothing(void)
{
	struct document nothing = { .title = "0",
		.name = "0",
		.language = "en",
		.issued = "1970-01-01T00:00:00Z",
		.seller.label = "0",
		.buyer.label = "0",
		.forward_label = "0",
		.columns = { "0", "0", "0", "0", "0" } };
	struct trl_buf out = { 0 };
	unsigned missing;

	trl_assert(render(&nothing, NULL, &out, &missing) == NULL);
	trl_buf_fini(&out);
}

int
main(void)
{
	static const char *const reads[] = { "/etc/fonts", "/usr/share/fonts",
		"/usr/local/share/fonts", "/usr/share/fontconfig",
		"/var/cache/fontconfig", "/usr/share/zoneinfo", NULL };
	static const struct trl_confined spec = {
		.request_max = PDF_REQUEST_MAX,
		.reply_max = PDF_REPLY_MAX,
		.memory_max = (size_t)1 << 30,
		.cpu_s = 5,
		.reads = reads,
		.warm = draw_nothing,
		.prove = draw_nothing,
		.answer = pdf_answer,
	};

	return trl_confined_main(&spec);
}
