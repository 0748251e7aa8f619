/* tenants.DeleteTenant, RestoreTenant - the end of an organisation, and its grace.
 *
 * Deleting marks the row and its end (TRELLIS_TENANT_GRACE_DAYS later). From then
 * on GetGrant answers as if the tenant did not exist, but for owners, whose grant
 * shrinks to reading, restoring and asking again. Past delete_at owners too get
 * NOT_FOUND. An hour later `trellis-tenants maintain` deletes the rows.
 */
#include "tenants.h"

/* Errors: TRL_NOT_FOUND, TRL_PRECONDITION (If-Match), TRL_CONFLICT (deleting already).
 */
enum trl_code
tenants_delete_tenant(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__DeleteTenantRequest *in, Tenants__V1__Tenant *out)
{
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	enum trl_code rc;

	(void)in; /* tenant_id, which is ctx's */
	tenants_changes(self, ctx, ctx->tenant, trl_id_nil);
	rc = trl_change_begin(&change, ctx, ctx->tenant);
	if (rc != TRL_OK)
		return rc;
	do {
		tenants__v1__tenant__init(out);
		rc = tenants_read(self, ctx, out);
		if (rc == TRL_OK)
			rc = trl_if_match(ctx, out->version);
		if (rc == TRL_OK && out->status != TENANTS__V1__TENANT__STATUS__active)
			rc = trl_fail(ctx, TRL_CONFLICT,
			    "This organisation is being deleted already.");
		if (rc != TRL_OK)
			return rc;
		out->status = TENANTS__V1__TENANT__STATUS__deleting;
		out->delete_at = trl_value_time(
		    ctx, trl_now(ctx) + self->config->grace_days * 86400 * 1000000);
		rc = tenants_store(self, ctx, "tenants.tenant.delete",
		    &tenants_event_tenant_deleted, out, out->version);
	} while (trl_change_again(&change, &rc));
	return rc;
}

/* Errors: TRL_NOT_FOUND (also past delete_at), TRL_PRECONDITION (If-Match),
 * TRL_CONFLICT (is not being deleted). */
enum trl_code
tenants_restore_tenant(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__RestoreTenantRequest *in, Tenants__V1__Tenant *out)
{
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	enum trl_code rc;

	(void)in;
	tenants_changes(self, ctx, ctx->tenant, trl_id_nil);
	rc = trl_change_begin(&change, ctx, ctx->tenant);
	if (rc != TRL_OK)
		return rc;
	do {
		tenants__v1__tenant__init(out);
		rc = tenants_read(self, ctx, out);
		if (rc == TRL_OK)
			rc = trl_if_match(ctx, out->version);
		if (rc == TRL_OK && out->status == TENANTS__V1__TENANT__STATUS__active)
			rc = trl_fail(ctx, TRL_CONFLICT,
			    "This organisation is not being deleted.");
		if (rc == TRL_OK && trl_value_time_us(out->delete_at) <= trl_now(ctx))
			rc = trl_fail(
			    ctx, TRL_NOT_FOUND, "There is no such organisation.");
		if (rc != TRL_OK)
			return rc;
		out->status = TENANTS__V1__TENANT__STATUS__active;
		out->delete_at = NULL;
		rc = tenants_store(self, ctx, "tenants.tenant.restore",
		    &tenants_event_tenant_restored, out, out->version);
	} while (trl_change_again(&change, &rc));
	return rc;
}
