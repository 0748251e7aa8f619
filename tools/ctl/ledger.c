/* ledger.c - trellis ledger check, and ledger export: the ledger as a journal of
 * hledger (its manual, "Journal"): a transaction a paragraph, amounts with their
 * currency, an organisation a sub-account. */
#include "ctl.h"

#include <stdio.h>
#include <string.h>

#include <trl/json.h>
#include <trl/money.h>

#include <billing_v1.trl.h>

enum ctl_exit
ctl_ledger_check(struct ctl *ctl, trl_ctx *ctx)
{
	const struct ctl_service *billing = ctl_service_named(ctl, "billing");
	Billing__V1__CheckLedgerRequest *in = billing_v1_check_ledger_request_new(ctx);
	const Billing__V1__CheckLedgerReply *reply;
	ProtobufCMessage *out = NULL;

	if (!ctl_take_id("--tenant", ctl->args.tenant, &ctx->tenant))
		return CTL_MISUSED;
	if (!ctl_call_one(ctl, ctx, billing, &billing_v1_check_ledger, &in->base, &out))
		return CTL_FAILED;
	reply = (const Billing__V1__CheckLedgerReply *)out;
	if ((ctl->args.given & CTL_JSON) != 0) {
		trl_json_encode(&ctl->out, billing_v1_check_ledger.out, out, false);
		trl_buf_adds(&ctl->out, "\n");
		return reply->n_faults == 0 ? CTL_FINE : CTL_FAILED;
	}
	for (size_t i = 0; i < reply->n_faults; i++)
		fprintf(stderr, "trellis: %s\n", reply->faults[i]);
	trl_buf_printf(&ctl->out, "%lld transactions, %lld entries: %s.\n",
	    (long long)reply->transactions, (long long)reply->entries,
	    reply->n_faults == 0 ? "the ledger balances"
				 : "the ledger does NOT balance");
	return reply->n_faults == 0 ? CTL_FINE : CTL_FAILED;
}

/* What an account of ours is in a chart of accounts. */
static const char *
place_of(const char *account)
{
	static const char *const places[][2] = {
		{ "receivable", "assets:receivable" },
		{ "cash", "assets:cash" },
		{ "carried", "assets:carried" },
		{ "disputed", "assets:disputed" },
		{ "credit", "liabilities:credit" },
		{ "tax", "liabilities:tax" },
		{ "revenue", "income:revenue" },
		{ "bad_debt", "expenses:bad debt" },
		{ "refunds", "expenses:refunds" },
	};

	for (size_t i = 0; i < TRL_COUNT(places); i++)
		if (strcmp(places[i][0], account) == 0)
			return places[i][1];
	return account;
}

static void
put_entry(struct trl_buf *out, const Billing__V1__LedgerEntry *entry)
{
	const struct trl_currency *currency = trl_currency_of(entry->currency);
	char tenant[TRL_ID_TEXT], amount[32] = "";

	trl_id_format(trl_value_id(entry->tenant_id), tenant);
	if (currency)
		trl_money_write(entry->amount, currency, amount, sizeof amount);
	trl_buf_printf(out, "    %s:%s  %s %s\n", place_of(entry->account), tenant,
	    amount, entry->currency);
}

/* For programs: an entry a line. */
static void
put_json(struct trl_buf *out, const Billing__V1__LedgerEntry *entry)
{
	trl_json_encode(out, &billing_v1_ledger_entry_rules, &entry->base, false);
	trl_buf_adds(out, "\n");
}

static void
put_page(struct ctl *ctl, const Billing__V1__ExportLedgerReply *page)
{
	struct trl_id former = trl_id_nil;
	struct trl_buf *out = &ctl->out;

	for (size_t i = 0; i < page->n_items; i++) {
		const Billing__V1__LedgerEntry *entry = page->items[i];
		struct trl_id id = trl_value_id(entry->transaction_id);
		char at[32], text[TRL_ID_TEXT], cause[TRL_ID_TEXT];

		if ((ctl->args.given & CTL_JSON) != 0) {
			put_json(out, entry);
			continue;
		}
		if (!trl_id_eq(id, former)) {
			trl_id_format(id, text);
			trl_id_format(trl_value_id(entry->cause_id), cause);
			trl_buf_printf(out, "\n%.10s %s  ; id:%s, cause:%s\n",
			    ctl_time_text(at, entry->at), entry->cause, text, cause);
		}
		former = id;
		put_entry(out, entry);
	}
}

/* Page by page onto the output: a ledger may be larger than memory. */
enum ctl_exit
ctl_ledger_export(struct ctl *ctl, trl_ctx *ctx)
{
	const struct ctl_service *billing = ctl_service_named(ctl, "billing");
	Billing__V1__ExportLedgerRequest *in =
	    billing_v1_export_ledger_request_new(ctx);
	struct trl_id tenant, id;

	if (!ctl_take_id("--tenant", ctl->args.tenant, &ctx->tenant))
		return CTL_MISUSED;
	if ((ctl->args.given & CTL_JSON) == 0)
		trl_buf_adds(
		    &ctl->out, "; The ledger of this installation, for hledger.\n");
	for (;;) {
		struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
		const Billing__V1__ExportLedgerReply *page;
		const Billing__V1__LedgerEntry *last;
		ProtobufCMessage *out = NULL;

		if (!ctl_call_one(
			ctl, ctx, billing, &billing_v1_export_ledger, &in->base, &out))
			return CTL_FAILED;
		page = (const Billing__V1__ExportLedgerReply *)out;
		if (page->n_items == 0)
			return CTL_FINE;
		put_page(ctl, page);
		if (fwrite(ctl->out.data, 1, ctl->out.len, stdout) != ctl->out.len)
			return CTL_FAILED; /* whoever read it has gone */
		ctl->out.len = 0;
		last = page->items[page->n_items - 1];
		tenant = trl_value_id(last->tenant_id);
		id = trl_value_id(last->transaction_id);
		trl_arena_rewind(ctx->arena, mark);
		in = billing_v1_export_ledger_request_new(ctx);
		trl_set(in, after_tenant_id, trl_value_bytes(ctx, tenant));
		trl_set(in, after_id, trl_value_bytes(ctx, id));
	}
}
