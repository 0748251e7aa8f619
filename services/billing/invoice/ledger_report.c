/* billing.CheckLedger and ExportLedger - the operator's, over one organisation or all.
 */
#include "invoice/ledger.h"

#include <string.h>

enum {
	PAGE = 200,  /* transactions; a reply is at most 512 KiB */
	FAULTS = 100 /* that a reply names */
};

static struct trl_arg
id_or_null(const char *name, bool has, ProtobufCBinaryData id)
{
	return has ? TRL_ARG_ID(name, trl_value_id(id)) : TRL_ARG_NULL(name);
}

static char *
sentence(trl_ctx *ctx, const Billing__V1__LedgerFault *fault)
{
	const char *currency = fault->currency ? fault->currency : "no currency";
	const long long booked = fault->booked, stands = fault->stands;
	char tenant[TRL_ID_TEXT], id[TRL_ID_TEXT];

	trl_id_format(trl_value_id(fault->tenant_id), tenant);
	if (!fault->has_id)
		return trl_arena_printf(ctx->arena,
		    "account %s of organisation %s in %s is %lld in the ledger and "
		    "%lld "
		    "by the rows",
		    fault->what, tenant, currency, booked, stands);
	trl_id_format(trl_value_id(fault->id), id);
	if (strcmp(fault->what, "payment") == 0)
		return trl_arena_printf(ctx->arena,
		    "payment %s of organisation %s in %s moved %lld of account cash in "
		    "the ledger and %lld by its row",
		    id, tenant, currency, booked, stands);
	return trl_arena_printf(ctx->arena,
	    "transaction %s of organisation %s does not add up: %lld is left", id,
	    tenant, booked);
}

/* The statements see one moment; each tells as many as a reply has room for. Errors:
 * faults. */
enum trl_code
billing_check_ledger(struct billing *self, trl_ctx *ctx,
    const Billing__V1__CheckLedgerRequest *in, Billing__V1__CheckLedgerReply *out)
{
	static const struct trl_sql *const looks[] = { &billing_sql_ledger_unbalanced,
		&billing_sql_ledger_payments, &billing_sql_ledger_accounts };
	const struct trl_arg tenant =
	    id_or_null("tenant_id", in->has_tenant_id, in->tenant_id);
	trl_batch *work = trl_batch_new(ctx, self->sys, TRL_SCOPE_NOBODY);
	Billing__V1__LedgerCount count = BILLING__V1__LEDGER_COUNT__INIT;
	Billing__V1__LedgerFaults faults[TRL_COUNT(looks)];
	enum trl_code rc;

	trl_batch_get(work, &billing_sql_ledger_count, NULL, &count.base, tenant);
	for (size_t i = 0; i < TRL_COUNT(looks); i++) {
		billing__v1__ledger_faults__init(&faults[i]);
		trl_batch_get(work, looks[i], NULL, &faults[i].base, tenant);
	}
	rc = trl_batch_read(work);
	if (rc != TRL_OK)
		return rc;
	trl_set(out, transactions, count.transactions);
	trl_set(out, entries, count.entries);
	out->faults = trl_arena_alloc(ctx->arena, FAULTS * sizeof out->faults[0]);
	for (size_t i = 0; i < TRL_COUNT(looks); i++)
		for (size_t j = 0; j < faults[i].n_items && out->n_faults < FAULTS; j++)
			out->faults[out->n_faults++] =
			    sentence(ctx, faults[i].items[j]);
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
