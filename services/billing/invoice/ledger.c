/* ledger.c - see ledger.h. */
#include "invoice/ledger.h"

void
ledger_add(trl_ctx *ctx, trl_batch *work, const char *currency, int64_t at_s,
    const char *cause, struct trl_id cause_id, const struct ledger_entry *entries,
    size_t n)
{
	const char **accounts =
	    trl_arena_alloc(ctx->arena, LEDGER_ENTRIES_MAX * sizeof *accounts);
	int64_t *amounts =
	    trl_arena_alloc(ctx->arena, LEDGER_ENTRIES_MAX * sizeof *amounts);
	size_t count = 0;

	trl_assert(n <= LEDGER_ENTRIES_MAX);
	for (size_t i = 0; i < n; i++) {
		if (entries[i].amount == 0)
			continue;
		accounts[count] = entries[i].account;
		amounts[count++] = entries[i].amount;
	}
	if (count == 0)
		return;
	trl_batch_add(work, &billing_sql_ledger_transaction_insert, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", trl_new_id(ctx)),
	    TRL_ARG_TIME("at", at_s * 1000000), TRL_ARG_TEXT("currency", currency),
	    TRL_ARG_TEXT("cause", cause), TRL_ARG_ID("cause_id", cause_id),
	    TRL_ARG_TEXTS("accounts", accounts, count),
	    TRL_ARG_INTS("amounts", amounts, count));
}
