/* invoice.h - invoices: what they are over, computed without a statement, so that a
 * preview is the invoice that would follow; and their way into rows and the ledger. */
#pragma once

#include <trl/child.h>

#include "account/account.h"
#include "invoice/tax.h"

/* The line that a credit takes back, whose tax is the credit's, too. */
struct credited {
	struct trl_id invoice;
	size_t line; /* from 0 on */
	struct bill_tax tax;
};

/* The invoice of the parts that name place (life.h), a draft: lines, coupon, taxes, and
 * what it takes from the balance. *out is NULL where there is nothing to bill.
 * Errors: TRL_INVALID (an amount does not fit), TRL_CONFLICT (two currencies). */
enum trl_code invoice_make(trl_ctx *ctx, const struct account *account, uint64_t place,
    billing_invoice **out) TRL_MUST_CHECK;
/* What was kept as bytes. Errors: faults. */
enum trl_code invoice_read(trl_ctx *ctx, const ProtobufCBinaryData *document,
    billing_invoice **out) TRL_MUST_CHECK;
enum trl_code credit_note_read(trl_ctx *ctx, const ProtobufCBinaryData *document,
    Billing__V1__CreditNote **out) TRL_MUST_CHECK;
/* An invoice of its document, which never changes, as its row says that it stands now.
 */
void invoice_as_it_stands(
    const billing_invoice *document, const billing_invoice *now, billing_invoice *out);
/* The least that a provider collects: half a unit of the currency. */
int64_t invoice_least(const char *currency);

/* pdf.c: trellis-pdf, which draws them. */
extern const struct trl_child_kind invoice_pdf_child;
