/* credit_note.h - what stands on credit notes, and what they have taken of an invoice.
 * Pure. */
#pragma once

#include "invoice/invoice.h"
#include "price/take_back.h"

/* The sums of an invoice as it became final: its lines' amounts and taxes. */
struct bill credit_note_bill(trl_ctx *ctx, const billing_invoice *invoice);
/* Adds what a line takes back, as it is (1) or of a line that is below 0 (-1), to what
 * was taken of the line that it is of. */
void credit_note_add_line(
    const Billing__V1__Line *line, int sign, struct bill_taken *taken);
/* Adds what a credit note took to what was taken of each line. */
void credit_note_add(const Billing__V1__CreditNote *note, struct bill_taken *taken);
/* The credit note for what bill takes of the invoice, without its id, number and times.
 * reason may be NULL. */
Billing__V1__CreditNote *credit_note_make(trl_ctx *ctx, const billing_invoice *invoice,
    const struct bill *bill, const Billing__V1__CreditNote__Reason *reason);
