/* ledger.h - the double entry behind every movement of money. A transaction's entries
 * add up to nothing, which PostgreSQL checks of each row. Debit is above 0. */
#pragma once

#include "billing.h"

struct ledger_entry {
	const char *account; /* receivable, revenue, tax, cash, credit, carried, ... */
	int64_t amount;
};

enum { LEDGER_ENTRIES_MAX = 12 };

/* Adds a transaction of ctx's tenant to work; entries of 0 are left out, and where none
 * remains, nothing is added. cause is "invoice", "payment", "credit_note". */
void ledger_add(trl_ctx *ctx, trl_batch *work, const char *currency, int64_t at_s,
    const char *cause, struct trl_id cause_id, const struct ledger_entry *entries,
    size_t n);
