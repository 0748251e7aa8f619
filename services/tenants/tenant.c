/* tenants.CreateTenant, GetTenant, UpdateTenant - an organisation and its name.
 *
 * A tenant's row is written from its reading: read, change the message, write
 * where the version is still the one read. The directory's row, which makes the
 * slug unique and feeds the list of one's tenants, is written in the same batch.
 */
#include <string.h>

#include "tenants.h"

enum trl_code
tenants_read(struct tenants *self, trl_ctx *ctx, tenants_tenant *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

	trl_batch_get(work, &tenants_sql_tenant_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
	return trl_batch_read(work);
}

enum trl_code
tenants_store(struct tenants *self, trl_ctx *ctx, const char *action,
    const struct trl_event_type *type, tenants_tenant *changed, int64_t former_version)
{
	trl_batch *work = tenants_change_new(self, ctx, true);

	changed->version = former_version + 1;
	changed->updated_at = trl_value_time(ctx, trl_now(ctx));
	trl_batch_add(work, &tenants_sql_tenant_update, &changed->base,
	    TRL_ARG_INT("former_version", former_version));
	trl_batch_add(work, &tenants_sql_directory_update, &changed->base);
	tenants_tell_tenant(ctx, work, type, changed);
	trl_batch_audit(work, action, ctx->tenant, "tenant", &changed->base);
	return trl_batch_write(work, &changed->base);
}

/* The founder, as the first member. */
static tenants_member *
begin_founder(trl_ctx *ctx, const tenants_tenant *tenant)
{
	tenants_member *founder = trl_arena_alloc(ctx->arena, sizeof *founder);

	tenants__v1__member__init(founder);
	founder->account_id = trl_value_bytes(ctx, ctx->principal.account);
	founder->version = 1;
	founder->role = TENANTS__V1__MEMBER__ROLE__owner;
	founder->has_account_id = founder->has_version = founder->has_role = true;
	founder->created_at = founder->updated_at = tenant->created_at;
	return founder;
}

static void
begin_tenant(
    trl_ctx *ctx, const Tenants__V1__CreateTenantRequest *in, tenants_tenant *out)
{
	out->id = trl_value_bytes(ctx, trl_new_id(ctx));
	out->has_id = true;
	out->version = 1;
	out->has_version = true;
	out->slug = in->slug;
	out->display_name = in->display_name;
	out->status = TENANTS__V1__TENANT__STATUS__active;
	out->has_status = true;
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
	tenants_changes(self, ctx, id, account);
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
			? "This account has made as many organisations as one may."
			: "Verify your address before you make another organisation.");
	}
	return rc;
}

/* The hot path: one READ batch of one statement.
 * Errors: TRL_NOT_FOUND. */
enum trl_code
tenants_get_tenant(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__GetTenantRequest *in, Tenants__V1__Tenant *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

	trl_batch_get(work, &tenants_sql_tenant_get, &in->base, &out->base);
	return trl_batch_read(work);
}

/* Errors: TRL_NOT_FOUND (also while deleting), TRL_EXISTS (slug),
 * TRL_PRECONDITION (If-Match), TRL_CONFLICT (others kept overtaking). */
enum trl_code
tenants_update_tenant(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__UpdateTenantRequest *in, Tenants__V1__Tenant *out)
{
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	enum trl_code rc;

	rc = trl_change_begin(&change, ctx, ctx->tenant);
	if (rc != TRL_OK)
		return rc;
	do {
		tenants__v1__tenant__init(out);
		rc = tenants_read(self, ctx, out);
		if (rc == TRL_OK && out->status != TENANTS__V1__TENANT__STATUS__active)
			rc = trl_fail(
			    ctx, TRL_NOT_FOUND, "There is no such organisation.");
		if (rc == TRL_OK)
			rc = trl_if_match(ctx, out->version);
		if (rc != TRL_OK)
			return rc;
		if (in->slug)
			out->slug = in->slug;
		if (in->display_name)
			out->display_name = in->display_name;
		rc = tenants_store(self, ctx, "tenants.tenant.update",
		    &tenants_event_tenant_updated, out, out->version);
	} while (trl_change_again(&change, &rc));
	return rc;
}
