/* The organisations and their members as they are, for a service that begins to listen
 * to tenants' events. Which there are stands in the directory; each is read under its
 * own scope, and one with many members goes on in the next piece. */
#include <trl/events.h>

#include "tenants.h"

enum { MEMBERS_A_PIECE = 200 };

static void
show_tenant(trl_ctx *ctx, tenants_tenant *tenant, trl_snapshot *out)
{
	Tenants__V1__TenantEvent *told = tenants_v1_tenant_event_new(ctx);
	struct trl_id id = trl_value_id(tenant->id);

	told->tenant = tenant;
	trl_snapshot_add(out, &tenants_event_tenant_created, id, id,
	    trl_value_time_us(tenant->updated_at), &told->base);
}

static void
show_member(
    trl_ctx *ctx, struct trl_id tenant, tenants_member *member, trl_snapshot *out)
{
	Tenants__V1__MemberEvent *told = tenants_v1_member_event_new(ctx);

	told->member = member;
	trl_snapshot_add(out, &tenants_event_member_added, tenant,
	    trl_value_id(member->account_id), trl_value_time_us(member->updated_at),
	    &told->base);
}

/* Shows a tenant (where after is nil) and a piece of its members. *shown grows; *last
 * is the piece's last member where there are more, else nil. */
static enum trl_code
show_one(struct tenants *self, trl_ctx *ctx, struct trl_id id, struct trl_id after,
    trl_snapshot *out, size_t *shown, struct trl_id *last)
{
	tenants_tenant *tenant = tenants_v1_tenant_new(ctx);
	Tenants__V1__ListMembersReply *members = tenants_v1_list_members_reply_new(ctx);
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(id));
	enum trl_code rc;

	*last = trl_id_nil;
	trl_batch_get(work, &tenants_sql_tenant_get, NULL, &tenant->base,
	    TRL_ARG_ID("tenant_id", id));
	trl_batch_get(work, &tenants_sql_member_list, NULL, &members->base,
	    TRL_ARG_ID("tenant_id", id), TRL_ARG_ID("after", after),
	    TRL_ARG_INT("limit", MEMBERS_A_PIECE));
	rc = trl_batch_read(work);
	if (rc == TRL_NOT_FOUND) { /* it went between */
		trl_err_clear(ctx);
		return TRL_OK;
	}
	if (rc != TRL_OK)
		return rc;
	if (trl_id_is_nil(after))
		show_tenant(ctx, tenant, out);
	for (size_t i = 0; i < members->n_items; i++)
		show_member(ctx, id, members->items[i], out);
	*shown += members->n_items + 1;
	if (members->n_items == MEMBERS_A_PIECE)
		*last = trl_value_id(members->items[MEMBERS_A_PIECE - 1]->account_id);
	return TRL_OK;
}

enum trl_code
tenants_snapshot(void *state, trl_ctx *ctx, struct trl_snapshot_key after, size_t limit,
    trl_snapshot *out, struct trl_snapshot_key *next)
{
	struct tenants *self = state;
	Tenants__V1__ListMyTenantsReply page = TENANTS__V1__LIST_MY_TENANTS_REPLY__INIT;
	struct trl_id last;
	size_t shown = 0;
	enum trl_code rc = TRL_OK;

	if (!trl_id_is_nil(after.part)) {
		rc = show_one(
		    self, ctx, after.aggregate, after.part, out, &shown, &last);
		*next = (struct trl_snapshot_key){ after.aggregate, last };
		return rc;
	}
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_NOBODY,
	    &tenants_sql_directory_page, NULL, &page.base,
	    TRL_ARG_ID("after", after.aggregate), TRL_ARG_INT("limit", (int64_t)limit));
	for (size_t i = 0; rc == TRL_OK && i < page.n_items; i++) {
		struct trl_id id = trl_value_id(page.items[i]->id);

		rc = show_one(self, ctx, id, trl_id_nil, out, &shown, &last);
		*next = (struct trl_snapshot_key){ id, last };
		if (shown >= limit || !trl_id_is_nil(last))
			return rc;
	}
	if (page.n_items < limit)
		*next = (struct trl_snapshot_key){ trl_id_nil, trl_id_nil };
	return rc;
}
