/* tenants.GetGrant, ListRoles - what a role may do. Both read the permission
 * catalogue that the contracts make: a role holds every permission whose least
 * role is not above it. */
#include <stdlib.h>
#include <string.h>

#include "entitled.h"

static const char *const deleting_permissions[] = {
	"tenants.tenant.read",
	"tenants.tenant.delete", /* to be told that it is under way; and for retries */
	"tenants.tenant.restore",
	/* What was billed is an owner's to keep. */
	"billing.invoice.list",
	"billing.invoice.read",
	"billing.creditnote.list",
	"billing.creditnote.read",
	"billing.payment.list",
};

static bool
holds(Tenants__V1__Member__Role role, Tenants__V1__Tenant__Status status,
    const struct trl_permission *permission)
{
	if ((int)permission->role > (int)role)
		return false;
	if (status == TENANTS__V1__TENANT__STATUS__active)
		return true;
	for (size_t i = 0; i < TRL_COUNT(deleting_permissions); i++)
		if (strcmp(permission->name, deleting_permissions[i]) == 0)
			return true;
	return false;
}

static int
by_number(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* With the features that contracts ask for, which are asked for like permissions: a key
 * has these alone, for its permissions are auth's. */
static void
fill_permissions(trl_ctx *ctx, const struct tenants_entitled *entitled, bool is_key,
    Tenants__V1__Grant *out)
{
	size_t n = 0;

	out->permissions = trl_arena_alloc(
	    ctx->arena, (trl_permissions_count + trl_features_count + 1) *
			    sizeof out->permissions[0]);
	for (size_t i = 0; !is_key && i < trl_permissions_count; i++)
		if (holds(out->role, out->status, &trl_permissions[i]))
			out->permissions[n++] = trl_permissions[i].id;
	for (size_t i = 0; i < trl_features_count; i++)
		if (tenants_entitled_has(entitled, trl_features[i].name))
			out->permissions[n++] = trl_features[i].id;
	qsort(out->permissions, n, sizeof out->permissions[0], by_number);
	out->n_permissions = n;
}

static enum trl_code
only_tenant(
    struct tenants *self, trl_ctx *ctx, struct trl_id account, Tenants__V1__Grant *out)
{
	Tenants__V1__ListMyTenantsReply found =
	    TENANTS__V1__LIST_MY_TENANTS_REPLY__INIT;
	enum trl_code rc;

	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_ACCOUNT(account),
	    &tenants_sql_grants_of_account, NULL, &found.base,
	    TRL_ARG_ID("account_id", account), TRL_ARG_TIME("now", trl_now(ctx)));
	if (rc != TRL_OK)
		return rc;
	if (found.n_items == 0)
		return trl_fail(
		    ctx, TRL_NOT_FOUND, "The account belongs to no organisation.");
	if (found.n_items > 1)
		return trl_fail(ctx, TRL_CONFLICT,
		    "The account belongs to several organisations; name one.");
	trl_set(out, tenant_id, found.items[0]->id);
	trl_set(out, role, found.items[0]->role);
	trl_set(out, status, found.items[0]->status);
	return TRL_OK;
}

/* A number without a limit, or that no plan has: the installation's own limit holds. */
static void
fill_plan(const struct tenants_entitled *entitled, Tenants__V1__Grant *out)
{
	const Billing__V1__Entitlement *reads, *writes;

	if (!entitled->known)
		return;
	out->plan = (char *)(uintptr_t)entitled->plan;
	reads = tenants_entitled_to(entitled, "api-reads-per-minute");
	writes = tenants_entitled_to(entitled, "api-writes-per-minute");
	if (reads && reads->has_number) {
		trl_set(out, api_reads_per_minute, reads->number);
	}
	if (writes && writes->has_number) {
		trl_set(out, api_writes_per_minute, writes->number);
	}
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT (several memberships and none named),
 * TRL_INVALID (neither account nor key, or a key without its tenant). */
enum trl_code
tenants_get_grant(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__GetGrantRequest *in, Tenants__V1__Grant *out)
{
	struct trl_id account = trl_value_id(in->account_id);
	struct trl_id tenant = trl_value_id(in->tenant_id);
	Tenants__V1__EntitledRow row;
	struct tenants_entitled entitled = { 0 };
	enum trl_code rc;
	trl_batch *work;

	if (in->has_account_id == in->has_key_id ||
	    (in->has_key_id && !in->has_tenant_id))
		return trl_fail(
		    ctx, TRL_INVALID, "Give account_id, or key_id with its tenant_id.");
	if (!in->has_tenant_id) {
		rc = only_tenant(self, ctx, account, out);
	} else {
		work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(tenant));
		if (in->has_key_id)
			trl_batch_get(
			    work, &tenants_sql_grant_of_key, &in->base, &out->base);
		else
			trl_batch_get(work, &tenants_sql_grant_in_tenant, &in->base,
			    &out->base, TRL_ARG_TIME("now", trl_now(ctx)));
		tenants_entitled_get(work, tenant, &row);
		rc = trl_batch_read(work);
		if (rc == TRL_OK)
			rc = tenants_entitled_read(ctx, &row, &entitled);
		if (rc == TRL_OK)
			fill_plan(&entitled, out);
	}
	if (rc == TRL_OK)
		fill_permissions(ctx, &entitled, in->has_key_id, out);
	return rc;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static Tenants__V1__Role *
role_new(trl_ctx *ctx, Tenants__V1__Member__Role name, const char *description)
{
	Tenants__V1__Role *role = tenants_v1_role_new(ctx);

	trl_set(role, name, name);
	role->description = trl_arena_strdup(ctx->arena, description);
	role->permissions = trl_arena_alloc(
	    ctx->arena, trl_permissions_count * sizeof role->permissions[0]);
	for (size_t i = 0; i < trl_permissions_count; i++)
		if (holds(
			name, TENANTS__V1__TENANT__STATUS__active, &trl_permissions[i]))
			role->permissions[role->n_permissions++] =
			    trl_arena_strdup(ctx->arena, trl_permissions[i].name);
	qsort(role->permissions, role->n_permissions, sizeof role->permissions[0],
	    by_text);
	return role;
}

enum trl_code
tenants_list_roles(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__ListRolesRequest *in, Tenants__V1__ListRolesReply *out)
{
	static const struct {
		Tenants__V1__Member__Role name;
		const char *description;
	} roles[] = {
		{ TENANTS__V1__MEMBER__ROLE__viewer, "Looks, and changes nothing." },
		{ TENANTS__V1__MEMBER__ROLE__member,
		    "Works with what the organisation has." },
		{ TENANTS__V1__MEMBER__ROLE__admin,
		    "Administers people, keys and settings; owners are out of reach." },
		{ TENANTS__V1__MEMBER__ROLE__owner,
		    "May do everything, and end the organisation. There is always "
		    "one." },
	};

	(void)self;
	(void)in;
	out->items =
	    trl_arena_alloc(ctx->arena, TRL_COUNT(roles) * sizeof out->items[0]);
	for (size_t i = 0; i < TRL_COUNT(roles); i++)
		out->items[out->n_items++] =
		    role_new(ctx, roles[i].name, roles[i].description);
	return TRL_OK;
}
