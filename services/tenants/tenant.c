/* tenants.CreateTenant, and what goes with any change of an organisation: the row of
 * the directory, which makes the slug unique and feeds the list of one's tenants, is
 * written in the same batch as the tenant's, and so is the job that ends it. */
#include "tenants.h"

/* Errors: TRL_NOT_FOUND (an update while deleting). */
enum trl_code
tenants_judge_tenant(struct tenants *self, trl_ctx *ctx, const ProtobufCMessage *in,
    const tenants_tenant *before, tenants_tenant *after)
{
	(void)self, (void)in, (void)after;
	if (before->status != TENANTS__V1__TENANT__STATUS__active)
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such organisation.");
	return TRL_OK;
}

void
tenants_guard_tenant(struct tenants *self, trl_ctx *ctx, trl_batch *work,
    const tenants_tenant *before, const tenants_tenant *after)
{
	(void)self, (void)before, (void)after;
	tenants_guard(ctx, work, true);
}

void
tenants_join_tenant(struct tenants *self, trl_ctx *ctx, trl_batch *work,
    const tenants_tenant *before, const tenants_tenant *after)
{
	const bool ends = after->status == TENANTS__V1__TENANT__STATUS__deleting;

	(void)self;
	(void)ctx;
	trl_batch_add(work, &tenants_sql_directory_update, &after->base);
	if (after->status == before->status)
		return;
	if (ends)
		tenants_end_at(work, trl_value_time_us(after->delete_at));
	else
		tenants_end_not(work);
}

/* The founder, as the first member. */
static tenants_member *
begin_founder(trl_ctx *ctx, const tenants_tenant *tenant)
{
	tenants_member *founder = tenants_v1_member_new(ctx);

	trl_set(founder, account_id, trl_value_bytes(ctx, ctx->principal.account));
	trl_set(founder, version, 1);
	trl_set(founder, role, TENANTS__V1__MEMBER__ROLE__owner);
	founder->created_at = founder->updated_at = tenant->created_at;
	return founder;
}

static void
begin_tenant(
    trl_ctx *ctx, const Tenants__V1__CreateTenantRequest *in, tenants_tenant *out)
{
	trl_set(out, id, trl_value_bytes(ctx, trl_new_id(ctx)));
	trl_set(out, version, 1);
	trl_set(out, status, TENANTS__V1__TENANT__STATUS__active);
	out->slug = in->slug;
	out->display_name = in->display_name;
	out->created_at = out->updated_at = trl_value_time(ctx, trl_now(ctx));
}

/* Errors: TRL_EXISTS (slug), TRL_QUOTA (tenants one account may make). */
enum trl_code
tenants_create_tenant(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__CreateTenantRequest *in, Tenants__V1__Tenant *out)
{
	struct trl_id account = ctx->principal.account, id;
	bool verified = ctx->principal.verified;
	tenants_member *founder;
	enum trl_code rc;
	trl_batch *work;

	begin_tenant(ctx, in, out);
	founder = begin_founder(ctx, out);
	id = trl_value_id(out->id);
	tenants_end_copies(self, ctx, id, account);
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_BOTH(id, account));
	trl_batch_add(work, &tenants_sql_founder_count, NULL,
	    TRL_ARG_ID("account_id", account),
	    TRL_ARG_INT(
		"allowed", verified ? TENANTS_MADE_MAX : TENANTS_MADE_UNVERIFIED_MAX));
	trl_batch_add(work, &tenants_sql_directory_insert, &out->base);
	trl_batch_add(work, &tenants_sql_tenant_insert, &out->base);
	trl_batch_add(work, &tenants_sql_member_insert, &founder->base,
	    TRL_ARG_ID("tenant_id", id));
	tenants_tell_tenant(ctx, work, &tenants_event_tenant_created, out);
	tenants_tell_member(ctx, work, &tenants_event_member_added, founder, NULL);
	trl_batch_audit(work, "tenants.tenant.create", id, "tenant", &out->base);
	rc = trl_batch_write(work, &out->base);
	if (rc == TRL_QUOTA) {
		trl_err_clear(ctx);
		return trl_fail(ctx, rc,
		    verified
			? "This account has created as many organisations as it may."
			: "Verify your address before you create another "
			  "organisation.");
	}
	return rc;
}
