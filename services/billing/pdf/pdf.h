/* pdf.h - what trellis-pdf does (main.c): from the bytes of a PdfRequest to those of a
 * PdfReply. */
#pragma once

#include <trl/buf.h>

enum {
	PDF_REQUEST_MAX = 1 << 20,
	PDF_REPLY_MAX = 1 << 20,
	PDF_MAX = 480 << 10 /* what a message of the bus has room for */
};

/* Appends the reply. Whatever data is, there is one. */
void pdf_answer(const uint8_t *data, size_t len, struct trl_buf *reply);
