/* credited.h - credits on invoices: what a change credits of a period stands on the
 * invoice that charges the rest anew, in the tax that the line had when it was charged,
 * and a credit note of that line's invoice gives so much less. */
#pragma once

#include "invoice/credit_note.h"
#include "turn/turn.h"

/* The line that charged a part: of the same price, to the same end. None: n_lines. */
size_t credited_line(const billing_invoice *invoice, const struct life_part *part);
/* Finds the lines that the credits of an invoice take back, before it is made. Errors:
 * faults. */
enum trl_code credited_find(struct turn *turn, uint64_t place) TRL_MUST_CHECK;
/* The invoices that an invoice's lines name so, as an argument of its statement. */
struct trl_arg credited_ids(trl_ctx *ctx, const billing_invoice *invoice);
/* Adds what of an invoice's lines was credited by later invoices, or waits to be, to
 * what was taken of them. Errors: faults, TRL_INVALID (it does not fit). */
enum trl_code credited_elsewhere(struct turn *turn, const struct turn_invoice *at,
    const struct bill *bill, struct bill_taken *taken) TRL_MUST_CHECK;
