/* tenants.ListMembers, AddMember, UpdateMember, RemoveMember - who is in an
 * organisation, and in which role. A membership knows the account's id and role;
 * address and name are auth's, and asked for.
 *
 * At least one owner stays. Each change locks the tenant's row first, so that the
 * statements behind the lock see what others committed: two owners who remove
 * each other go one after the other, and the second is refused.
 */
#include <trl/change.h>

#include "seats.h"

enum trl_code
tenants_show_member(
    struct tenants *self, trl_ctx *ctx, tenants_member **members, size_t n)
{
	return tenants_name_members(self, ctx, members, n);
}

static void
begin_member(trl_ctx *ctx, const struct tenants_person *person,
    Tenants__V1__Member__Role role, tenants_member *out)
{
	trl_set(out, account_id, trl_value_bytes(ctx, person->account));
	trl_set(out, version, 1);
	trl_set(out, role, role);
	out->email = trl_arena_strdup(ctx->arena, person->email);
	out->display_name = trl_arena_strdup(ctx->arena, person->display_name);
	out->created_at = out->updated_at = trl_value_time(ctx, trl_now(ctx));
}

/* An account whose address is not proven is refused like none at all: anybody may
 * sign up with somebody's address, and would be let in instead of them.
 *
 * Errors: TRL_DENIED (role above the caller's), TRL_INVALID (email: no such
 * verified account), TRL_EXISTS (email: a member already), TRL_QUOTA (no seat),
 * TRL_NOT_FOUND. */
enum trl_code
tenants_add_member(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__AddMemberRequest *in, Tenants__V1__Member *out)
{
	const char *email = trl_value_email(ctx, in->email);
	struct tenants_person person;
	struct tenants_seats seats;
	bool found;
	enum trl_code rc;
	trl_batch *work;

	rc = tenants_may_touch(ctx, in->role);
	if (rc == TRL_OK)
		rc = tenants_may_reach(self, ctx, email);
	if (rc == TRL_OK)
		rc = tenants_person_by_email(self, ctx, email, &person, &found);
	if (rc != TRL_OK)
		return rc;
	if (!found || !person.verified)
		return trl_fail_field(ctx, TRL_INVALID, "email",
		    "No verified account has this address; invite it instead.");
	rc = tenants_seats_read(self, ctx, ctx->tenant, &seats);
	if (rc != TRL_OK)
		return rc;
	tenants_end_copies(self, ctx, ctx->tenant, person.account);
	begin_member(ctx, &person, in->role, out);
	work = tenants_change_new(self, ctx);
	trl_batch_add(work, &tenants_sql_member_insert, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
	tenants_seats_want(work, ctx->tenant, &seats);
	tenants_tell_member(ctx, work, &tenants_event_member_added, out, NULL);
	trl_batch_audit(
	    work, "tenants.member.add", person.account, "member", &out->base);
	return tenants_seats_end(
	    self, ctx, ctx->tenant, &seats, trl_batch_write(work, &out->base));
}

static enum trl_code
read_member(struct tenants *self, trl_ctx *ctx, ProtobufCBinaryData account,
    tenants_member *out)
{
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &tenants_sql_member_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("account_id", trl_value_id(account)));
}

/* Adds, where an owner stops being one, that another stays. */
static void
keep_an_owner(
    trl_ctx *ctx, trl_batch *work, const tenants_member *before, bool stays_owner)
{
	if (before->role == TENANTS__V1__MEMBER__ROLE__owner && !stays_owner)
		trl_batch_add(work, &tenants_sql_owner_guard, &before->base,
		    TRL_ARG_ID("tenant_id", ctx->tenant));
}

static enum trl_code
store_role(struct tenants *self, trl_ctx *ctx, const tenants_member *before,
    tenants_member *out)
{
	trl_batch *work = tenants_change_new(self, ctx);

	if (out->role == before->role) /* no new version, and nobody is told */
		return trl_batch_write(work, &out->base);
	trl_set(out, version, before->version + 1);
	out->updated_at = trl_value_time(ctx, trl_now(ctx));
	keep_an_owner(ctx, work, before, out->role == TENANTS__V1__MEMBER__ROLE__owner);
	trl_batch_add(work, &tenants_sql_member_update, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_INT("former_version", before->version));
	tenants_tell_member(ctx, work, &tenants_event_member_updated, out, before);
	trl_batch_audit(work, "tenants.member.update", trl_value_id(out->account_id),
	    "member", &out->base);
	return trl_batch_write(work, &out->base);
}

/* Errors: TRL_NOT_FOUND (no such member), TRL_DENIED (a role above the caller's),
 * TRL_PRECONDITION (If-Match), TRL_CONFLICT (the last owner). */
enum trl_code
tenants_update_member(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__UpdateMemberRequest *in, Tenants__V1__Member *out)
{
	tenants_member before, named = TENANTS__V1__MEMBER__INIT;
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	enum trl_code rc;

	tenants_end_copies(self, ctx, ctx->tenant, trl_value_id(in->account_id));
	/* Before the turn is ours: nobody of the tenant waits for auth with us. */
	named.account_id = in->account_id;
	rc = tenants_name_members(self, ctx, &(tenants_member *){ &named }, 1);
	if (rc == TRL_OK)
		rc = trl_change_begin(&change, ctx, ctx->tenant);
	if (rc != TRL_OK)
		return rc;
	do {
		tenants__v1__member__init(&before);
		rc = read_member(self, ctx, in->account_id, &before);
		if (rc == TRL_OK)
			rc = tenants_may_touch(ctx, before.role);
		if (rc == TRL_OK)
			rc = tenants_may_touch(ctx, in->role);
		if (rc == TRL_OK)
			rc = trl_if_match(ctx, before.version);
		if (rc != TRL_OK)
			return rc;
		*out = before;
		out->role = in->role;
		out->email = named.email;
		out->display_name = named.display_name;
		rc = store_role(self, ctx, &before, out);
	} while (trl_change_again(&change, &rc));
	return rc;
}

/* Every member may leave; to remove another takes tenants.member.update. */
static enum trl_code
may_remove(trl_ctx *ctx, struct trl_id account)
{
	if (ctx->principal.kind == TRL_PERSON &&
	    trl_id_eq(account, ctx->principal.account))
		return TRL_OK;
	if (!trl_may(ctx, TRL_MAY_TENANTS_MEMBER_UPDATE))
		return trl_fail(ctx, TRL_DENIED,
		    "Removing another member needs tenants.member.update.");
	return TRL_OK;
}

/* Of a removal. Errors: TRL_DENIED. */
enum trl_code
tenants_judge_member(struct tenants *self, trl_ctx *ctx, const ProtobufCMessage *in,
    const tenants_member *before, tenants_member *after)
{
	struct trl_id account = trl_value_id(before->account_id);
	enum trl_code rc = may_remove(ctx, account);

	(void)in, (void)after;
	tenants_end_copies(self, ctx, ctx->tenant, account);
	return rc == TRL_OK ? tenants_may_touch(ctx, before->role) : rc;
}

/* Errors: TRL_CONFLICT (the last owner). */
void
tenants_guard_member(struct tenants *self, trl_ctx *ctx, trl_batch *work,
    const tenants_member *before, const tenants_member *after)
{
	(void)self, (void)after;
	tenants_guard(ctx, work, false);
	keep_an_owner(ctx, work, before, false);
}
