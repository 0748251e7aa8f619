/* inside.h - what the files of invoices and credit notes share. Private to them. */
#pragma once

#include "invoice/invoice.h"

char *invoice_decimal(trl_ctx *ctx, trl_int128 value, unsigned places);
/* lines.c: a part's line, without its tax and words. */
Billing__V1__Line *invoice_line_of(trl_ctx *ctx, const struct life_part *part);
/* The amounts of the lines, one a part that names place, with what tax they carry: now,
 * or of a credit then; puts the words on the lines. */
struct bill invoice_bill_of(trl_ctx *ctx, const struct account *account, uint64_t place,
    const billing_invoice *invoice);
void invoice_show_line(
    trl_ctx *ctx, const struct bill_line *sum, Billing__V1__Line *line);
Billing__V1__TaxTotal **invoice_show_groups(
    trl_ctx *ctx, const billing_profile *buyer, const struct bill *bill);
