/* tenants.ListMembers, AddMember - who is in an organisation. A membership knows
 * the account's id and role; address and name are auth's, and asked for. */
#include <trl/page.h>

#include "tenants.h"

/* Errors: TRL_INVALID (page_token). */
enum trl_code
tenants_list_members(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__ListMembersRequest *in, Tenants__V1__ListMembersReply *out)
{
	struct trl_page page;
	enum trl_code rc;
	trl_batch *work;

	rc = trl_page_open(
	    ctx, "tenants.members", ctx->tenant, in->page_size, in->page_token, &page);
	if (rc != TRL_OK)
		return rc;
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	trl_batch_get(work, &tenants_sql_members_list, &in->base, &out->base,
	    TRL_ARG_ID("after", page.after), TRL_ARG_INT("limit", page.size + 1));
	rc = trl_batch_read(work);
	if (rc != TRL_OK)
		return rc;
	if (out->n_items > page.size) {
		out->n_items = page.size;
		out->next_page_token = trl_page_token_id(ctx, "tenants.members",
		    ctx->tenant, trl_value_id(out->items[page.size - 1]->account_id));
	}
	return tenants_name_members(self, ctx, out->items, out->n_items);
}

static void
begin_member(trl_ctx *ctx, const struct tenants_person *person,
    Tenants__V1__Member__Role role, tenants_member *out)
{
	out->account_id = trl_value_bytes(ctx, person->account);
	out->has_account_id = true;
	out->version = 1;
	out->has_version = true;
	out->role = role;
	out->has_role = true;
	out->email = trl_arena_strdup(ctx->arena, person->email);
	out->display_name = trl_arena_strdup(ctx->arena, person->display_name);
	out->created_at = out->updated_at = trl_value_time(ctx, trl_now(ctx));
}

/* An account whose address is not proven is refused like none at all: anybody may
 * sign up with somebody's address, and would be let in for him.
 *
 * Errors: TRL_DENIED (role above the caller's), TRL_INVALID (email: no such
 * verified account), TRL_EXISTS (email: a member already), TRL_NOT_FOUND. */
enum trl_code
tenants_add_member(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__AddMemberRequest *in, Tenants__V1__Member *out)
{
	const char *email = trl_value_email(ctx, in->email);
	struct tenants_person person;
	bool found, replayed;
	enum trl_code rc;
	trl_batch *work;

	rc = trl_replay(ctx, self->pg, &out->base, &replayed);
	if (rc != TRL_OK || replayed)
		return rc;
	rc = tenants_may_touch(ctx, in->role);
	if (rc == TRL_OK)
		rc = tenants_may_reach(self, ctx, email);
	if (rc == TRL_OK)
		rc = tenants_person_by_email(self, ctx, email, &person, &found);
	if (rc != TRL_OK)
		return rc;
	if (!found || !person.verified) {
		trl_err_violation(ctx, "/email",
		    "No verified account has this address; invite it instead.");
		return trl_fail_field(ctx, TRL_INVALID, "email",
		    "No verified account has this address; invite it instead.");
	}
	tenants_changes(self, ctx, ctx->tenant, person.account);
	begin_member(ctx, &person, in->role, out);
	work = tenants_change_new(self, ctx, false);
	trl_batch_add(work, &tenants_sql_member_insert, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
	tenants_tell_member(ctx, work, &tenants_event_member_added, out, NULL);
	trl_batch_audit(
	    work, "tenants.member.add", person.account, "member", &out->base);
	return trl_batch_write(work, &out->base);
}
