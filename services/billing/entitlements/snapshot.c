/* snapshot.c - plans and entitlements as they are, for a service that begins to listen
 * to billing: the plans, the fallback first, then the organisations that billing knows.
 * Which these are stands in the directory of their series; each is read under its own
 * scope. */
#include "entitlements/entitlements.h"

#include <trl/events.h>

static const billing_plan *
plan_at(const billing_catalogue *catalogue, size_t at)
{
	const billing_plan *first = catalogue_plan(catalogue, catalogue->fallback_plan);

	if (at == 0)
		return first;
	for (size_t i = 0, n = 0; i < catalogue->n_plans; i++)
		if (catalogue->plans[i] != first && ++n == at)
			return catalogue->plans[i];
	return NULL;
}

/* From plan number at on; *at is the next one's. */
static enum trl_code
show_plans(
    struct billing *self, trl_ctx *ctx, size_t limit, trl_snapshot *out, size_t *at)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_NOBODY);
	const billing_catalogue *catalogue;
	Billing__V1__CatalogueRow row;
	enum trl_code rc;

	catalogue_get(work, &row);
	rc = trl_batch_read(work);
	if (rc == TRL_OK)
		rc = catalogue_read(ctx, &row, &catalogue);
	for (size_t n = 0; rc == TRL_OK && n < limit && *at < catalogue->n_plans;
	     n++, ++*at)
		trl_snapshot_add(out, &billing_event_plan_changed, trl_id_nil,
		    plans_subject, trl_now(ctx),
		    &plans_event(ctx, catalogue, plan_at(catalogue, *at), row.version)
			 ->base);
	if (rc == TRL_OK && *at == catalogue->n_plans)
		*at = SIZE_MAX;
	return rc;
}

/* What an account is read with lies in scratch: only the event stays until the page is
 * sent. */
static enum trl_code
show_tenant(struct billing *self, trl_ctx *ctx, struct trl_id tenant, trl_snapshot *out,
    trl_arena *scratch)
{
	struct account *account = trl_arena_alloc(scratch, sizeof *account);
	trl_arena *own = ctx->arena;
	enum trl_code rc;

	ctx->arena = scratch;
	ctx->tenant = tenant;
	rc = account_load(self, ctx, account);
	ctx->tenant = trl_id_nil;
	ctx->arena = own;
	if (rc != TRL_OK)
		return rc;
	if (account->row->has_version)
		trl_snapshot_add(out, &billing_event_entitlements_changed, tenant,
		    tenant, trl_now(ctx), &entitled_event(ctx, account)->base);
	account_fini(account);
	return TRL_OK;
}

static enum trl_code
show_tenants(struct billing *self, trl_ctx *ctx, struct trl_id after, size_t limit,
    trl_snapshot *out, struct trl_id *last)
{
	Billing__V1__TenantIds page = BILLING__V1__TENANT_IDS__INIT;
	enum trl_code rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_NOBODY,
	    &billing_sql_series_page, NULL, &page.base, TRL_ARG_ID("after", after),
	    TRL_ARG_INT("limit", (int64_t)limit));

	TRL_AUTO(trl_arena_free) trl_arena *scratch = trl_arena_new(0);

	for (size_t i = 0; rc == TRL_OK && i < page.n_items; i++) {
		trl_arena_reset(scratch);
		rc = show_tenant(
		    self, ctx, trl_value_id(page.items[i]->tenant_id), out, scratch);
	}
	if (rc == TRL_OK && page.n_items == limit)
		*last = trl_value_id(page.items[limit - 1]->tenant_id);
	return rc;
}

/* A key of the plans has no aggregate, and in the last bytes of its part how many were
 * shown; past them, the first that any id is greater than. */
enum trl_code
billing_snapshot(void *state, trl_ctx *ctx, struct trl_snapshot_key after, size_t limit,
    trl_snapshot *out, struct trl_snapshot_key *next)
{
	static const struct trl_id first = { .bytes = { [15] = 1 } };
	size_t at = (size_t)after.part.bytes[14] << 8 | after.part.bytes[15];
	enum trl_code rc;

	if (!trl_id_is_nil(after.aggregate))
		return show_tenants(
		    state, ctx, after.aggregate, limit, out, &next->aggregate);
	rc = show_plans(state, ctx, limit, out, &at);
	if (at == SIZE_MAX) {
		next->aggregate = first;
		return rc;
	}
	next->part.bytes[14] = (uint8_t)(at >> 8);
	next->part.bytes[15] = (uint8_t)at;
	return rc;
}
