/* billing.CheckLedger and ExportLedger - the operator's, over one organisation or all.
 */
#include "invoice/ledger.h"

enum { PAGE = 200 }; /* transactions; a reply is at most 512 KiB */

static struct trl_arg
id_or_null(const char *name, bool has, ProtobufCBinaryData id)
{
	return has ? TRL_ARG_ID(name, trl_value_id(id)) : TRL_ARG_NULL(name);
}

static char *
sentence(trl_ctx *ctx, const Billing__V1__LedgerFault *fault)
{
	char tenant[TRL_ID_TEXT], id[TRL_ID_TEXT];

	trl_id_format(trl_value_id(fault->tenant_id), tenant);
	if (fault->has_id) {
		trl_id_format(trl_value_id(fault->id), id);
		return trl_arena_printf(ctx->arena,
		    "transaction %s of organisation %s does not add up: %lld is left",
		    id, tenant, (long long)fault->booked);
	}
	return trl_arena_printf(ctx->arena,
	    "account %s of organisation %s in %s is %lld in the ledger and %lld by the "
	    "rows",
	    fault->what, tenant, fault->currency ? fault->currency : "no currency",
	    (long long)fault->booked, (long long)fault->stands);
}

/* Both statements see one moment. Errors: faults. */
enum trl_code
billing_check_ledger(struct billing *self, trl_ctx *ctx,
    const Billing__V1__CheckLedgerRequest *in, Billing__V1__CheckLedgerReply *out)
{
	const struct trl_arg tenant =
	    id_or_null("tenant_id", in->has_tenant_id, in->tenant_id);
	trl_batch *work = trl_batch_new(ctx, self->sys, TRL_SCOPE_NOBODY);
	Billing__V1__LedgerCount count = BILLING__V1__LEDGER_COUNT__INIT;
	Billing__V1__LedgerFaults faults = BILLING__V1__LEDGER_FAULTS__INIT;
	enum trl_code rc;

	trl_batch_get(work, &billing_sql_ledger_count, NULL, &count.base, tenant);
	trl_batch_get(work, &billing_sql_ledger_faults, NULL, &faults.base, tenant);
	rc = trl_batch_read(work);
	if (rc != TRL_OK)
		return rc;
	trl_set(out, transactions, count.transactions);
	trl_set(out, entries, count.entries);
	out->faults =
	    trl_arena_alloc(ctx->arena, (faults.n_items + 1) * sizeof out->faults[0]);
	for (size_t i = 0; i < faults.n_items && i < 100; i++)
		out->faults[out->n_faults++] = sentence(ctx, faults.items[i]);
	return TRL_OK;
}

/* Errors: faults. */
enum trl_code
billing_export_ledger(struct billing *self, trl_ctx *ctx,
    const Billing__V1__ExportLedgerRequest *in, Billing__V1__ExportLedgerReply *out)
{
	struct trl_id tenant =
	    in->has_after_tenant_id ? trl_value_id(in->after_tenant_id) : trl_id_nil;
	struct trl_id id = in->has_after_id ? trl_value_id(in->after_id) : trl_id_nil;

	return trl_batch_get_one(ctx, self->sys, TRL_SCOPE_NOBODY,
	    &billing_sql_ledger_page, NULL, &out->base,
	    id_or_null("tenant_id", in->has_tenant_id, in->tenant_id),
	    TRL_ARG_ID("after_tenant_id", tenant), TRL_ARG_ID("after_id", id),
	    TRL_ARG_INT("limit", PAGE));
}
