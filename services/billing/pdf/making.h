/* making.h - a document in the making: what its two files share. Private. */
#pragma once

#include <trl/calendar.h>

#include "invoice/texts.h"
#include "pdf/document.h"
#include "pdf/locale.h"

struct making {
	trl_arena *arena;
	struct document *out;
	struct locale locale;
	const struct trl_currency *currency;
	trl_zone *zone; /* NULL: UTC */
};

static inline bool
is_there(const char *value)
{
	return value && *value;
}

/* document.c */
const char *making_text(const struct making *making, enum text which);
const char *making_filled(
    const struct making *making, enum text which, const char *value);
const char *making_amount(const struct making *making, int64_t minor);
/* A paragraph below the sums, once. */
void making_note(struct making *making, const char *note);

/* sums.c: the rows below the lines. */
void making_invoice_sums(struct making *making, const Billing__V1__Invoice *invoice);
void making_credit_sums(struct making *making, const Billing__V1__CreditNote *note);
