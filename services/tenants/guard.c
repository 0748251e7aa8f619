/* What every change in a tenant asks before it is written. Dispatch has checked the
 * permission; here is what depends on ranks, and on what others did since the caller's
 * grant was made. */
#include "tenants.h"

int
tenants_rank(const trl_ctx *ctx)
{
	switch (ctx->principal.kind) {
	case TRL_PERSON:
		return ctx->principal.role;
	case TRL_KEY:
		return TRL_ADMIN;
	case TRL_OPERATOR:
		return TRL_OWNER;
	default:
		return TRL_ROLE_NONE;
	}
}

enum trl_code
tenants_may_touch(trl_ctx *ctx, Tenants__V1__Member__Role role)
{
	if ((int)role > tenants_rank(ctx))
		return trl_fail(ctx, TRL_DENIED, "The role %s is above your own.",
		    tenants_v1_member_role_name(role));
	return TRL_OK;
}

void
tenants_lock(trl_batch *work, struct trl_id tenant, bool deleting)
{
	trl_batch_add(work, &tenants_sql_tenant_lock, NULL,
	    TRL_ARG_ID("tenant_id", tenant), TRL_ARG_BOOL("deleting", deleting));
}

void
tenants_guard(trl_ctx *ctx, trl_batch *work, bool deleting)
{
	tenants_lock(work, ctx->tenant, deleting);
	if (ctx->principal.kind == TRL_PERSON)
		trl_batch_add(work, &tenants_sql_caller_guard, NULL,
		    TRL_ARG_ID("tenant_id", ctx->tenant),
		    TRL_ARG_ID("caller_id", ctx->principal.account),
		    TRL_ARG_TEXT("caller_role",
			tenants_v1_member_role_name(
			    (Tenants__V1__Member__Role)ctx->principal.role)));
}

trl_batch *
tenants_change_new(struct tenants *self, trl_ctx *ctx)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

	tenants_guard(ctx, work, false);
	return work;
}
