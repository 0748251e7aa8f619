/* tenants.DeleteTenant, RestoreTenant - the end of an organisation, and its grace.
 *
 * Deleting marks the row and its end (TRELLIS_TENANT_GRACE_DAYS later). From then
 * on GetGrant answers as if the tenant did not exist, but for owners, whose grant
 * shrinks to reading, restoring and asking again. Past delete_at owners too get
 * NOT_FOUND, and soon after the tenant is erased (tenant_end.c).
 */
#include "tenants.h"

/* Errors: TRL_CONFLICT (deleting already). */
enum trl_code
tenants_delete_tenant(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__DeleteTenantRequest *in, const tenants_tenant *before,
    tenants_tenant *after)
{
	(void)in; /* tenant_id, which is ctx's */
	tenants_end_copies(self, ctx, ctx->tenant, trl_id_nil);
	if (before->status != TENANTS__V1__TENANT__STATUS__active)
		return trl_fail(
		    ctx, TRL_CONFLICT, "This organisation is already being deleted.");
	trl_set(after, status, TENANTS__V1__TENANT__STATUS__deleting);
	after->delete_at = trl_value_time(
	    ctx, trl_now(ctx) + self->config->grace_days * 86400 * 1000000);
	return TRL_OK;
}

/* Errors: TRL_NOT_FOUND (past delete_at), TRL_CONFLICT (is not being deleted). */
enum trl_code
tenants_restore_tenant(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__RestoreTenantRequest *in, const tenants_tenant *before,
    tenants_tenant *after)
{
	(void)in;
	tenants_end_copies(self, ctx, ctx->tenant, trl_id_nil);
	if (before->status == TENANTS__V1__TENANT__STATUS__active)
		return trl_fail(
		    ctx, TRL_CONFLICT, "This organisation is not being deleted.");
	if (trl_value_time_us(before->delete_at) <= trl_now(ctx))
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such organisation.");
	trl_set(after, status, TENANTS__V1__TENANT__STATUS__active);
	after->delete_at = NULL;
	return TRL_OK;
}
