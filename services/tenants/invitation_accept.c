/* tenants.AcceptInvitation - from an e-mail's token to a membership.
 *
 * The token names the tenant, so its scope is known before anything is read. All
 * refusals are one answer in the same words: whoever holds a stray token learns
 * nothing from it.
 */
#include <string.h>

#include "seats.h"

struct offer {
	struct trl_id tenant, invitation;
	uint8_t hash[TENANTS_TOKEN_HASH];
	tenants_invitation found;
	tenants_tenant organisation;
	tenants_member already;
	struct tenants_seats seats;
};

static enum trl_code
refuse(trl_ctx *ctx)
{
	trl_err_clear(ctx);
	return trl_fail_field(ctx, TRL_INVALID, "token",
	    "This invitation is no longer valid, or is for another address than the "
	    "one this account has verified.");
}

/* Reads what the token is about. A missing row leaves its message empty. */
static enum trl_code
read_offer(struct tenants *self, trl_ctx *ctx, struct offer *offer)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(offer->tenant));
	struct tenants_entitled entitled;
	Tenants__V1__EntitledRow row;
	enum trl_code rc;

	tenants__v1__invitation__init(&offer->found);
	tenants__v1__tenant__init(&offer->organisation);
	tenants__v1__member__init(&offer->already);
	trl_batch_get(work, &tenants_sql_invitation_find, NULL, &offer->found.base,
	    TRL_ARG_ID("tenant_id", offer->tenant),
	    TRL_ARG_ID("invitation_id", offer->invitation),
	    TRL_ARG_BYTES("token_hash", offer->hash, sizeof offer->hash));
	trl_batch_get(work, &tenants_sql_tenant_get, NULL, &offer->organisation.base,
	    TRL_ARG_ID("tenant_id", offer->tenant));
	trl_batch_get(work, &tenants_sql_member_find, NULL, &offer->already.base,
	    TRL_ARG_ID("tenant_id", offer->tenant),
	    TRL_ARG_ID("account_id", ctx->principal.account));
	tenants_entitled_get(work, offer->tenant, &row);
	rc = trl_batch_read(work);
	if (rc == TRL_OK)
		rc = trl_fold(ctx, tenants_entitled_read(ctx, &row, &entitled));
	if (rc == TRL_OK)
		tenants_seats_of(&entitled, &offer->seats);
	return rc;
}

static bool
is_good(const trl_ctx *ctx, const struct offer *offer)
{
	return offer->found.has_id &&
	       offer->found.status == TENANTS__V1__INVITATION__STATUS__pending &&
	       trl_value_time_us(offer->found.expires_at) > trl_now(ctx) &&
	       offer->organisation.status == TENANTS__V1__TENANT__STATUS__active;
}

static void
fill_reply(trl_ctx *ctx, const struct offer *offer, Tenants__V1__MyTenant *out)
{
	trl_set(out, id, offer->organisation.id);
	out->slug = offer->organisation.slug;
	out->display_name = offer->organisation.display_name;
	trl_set(out, status, offer->organisation.status);
	trl_set(out, role,
	    offer->already.has_role ? offer->already.role : offer->found.role);
	out->joined_at = offer->already.has_role ? offer->already.created_at
						 : trl_value_time(ctx, trl_now(ctx));
}

static tenants_member *
begin_member(
    trl_ctx *ctx, const struct offer *offer, const struct tenants_person *person)
{
	tenants_member *member = tenants_v1_member_new(ctx);

	trl_set(member, account_id, trl_value_bytes(ctx, ctx->principal.account));
	trl_set(member, version, 1);
	trl_set(member, role, offer->found.role);
	member->email = trl_arena_strdup(ctx->arena, person->email);
	member->display_name = trl_arena_strdup(ctx->arena, person->display_name);
	member->created_at = member->updated_at = trl_value_time(ctx, trl_now(ctx));
	return member;
}

static enum trl_code
store(struct tenants *self, trl_ctx *ctx, struct offer *offer,
    const struct tenants_person *person, Tenants__V1__MyTenant *out)
{
	trl_batch *work = trl_batch_new(
	    ctx, self->pg, TRL_SCOPE_BOTH(offer->tenant, ctx->principal.account));

	tenants_lock(work, offer->tenant, false);
	trl_batch_add(work, &tenants_sql_invitation_end, NULL,
	    TRL_ARG_ID("tenant_id", offer->tenant),
	    TRL_ARG_ID("invitation_id", offer->invitation),
	    TRL_ARG_TEXT("status", "accepted"),
	    TRL_ARG_INT("former_version", offer->found.version),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	if (!offer->already.has_role) {
		tenants_member *member = begin_member(ctx, offer, person);

		trl_batch_add(work, &tenants_sql_member_join, &member->base,
		    TRL_ARG_ID("tenant_id", offer->tenant));
		tenants_seats_want(work, offer->tenant, &offer->seats);
		tenants_tell_member(
		    ctx, work, &tenants_event_member_added, member, NULL);
	}
	offer->found.status = TENANTS__V1__INVITATION__STATUS__accepted;
	offer->found.version++;
	offer->found.updated_at = trl_value_time(ctx, trl_now(ctx));
	tenants_tell_invitation(
	    self, ctx, work, &tenants_event_invitation_accepted, &offer->found, NULL);
	trl_batch_audit(work, "tenants.invitation.accept", offer->invitation,
	    "invitation", &offer->found.base);
	return tenants_seats_end(
	    self, ctx, offer->tenant, &offer->seats, trl_batch_write(work, &out->base));
}

/* Errors: TRL_INVALID (token; for every reason alike), TRL_QUOTA (the plan has fewer
 * seats than when the invitation was sent). */
enum trl_code
tenants_accept_invitation(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__AcceptInvitationRequest *in, Tenants__V1__MyTenant *out)
{
	struct tenants_person person;
	struct offer offer;
	bool found;
	enum trl_code rc;

	if (!tenants_token_read(
		self, in->token, &offer.tenant, &offer.invitation, offer.hash))
		return refuse(ctx);
	tenants_end_copies(self, ctx, offer.tenant, ctx->principal.account);
	rc = read_offer(self, ctx, &offer);
	if (rc == TRL_NOT_FOUND || (rc == TRL_OK && !is_good(ctx, &offer)))
		return refuse(ctx);
	if (rc == TRL_OK)
		rc = tenants_person_by_id(
		    self, ctx, ctx->principal.account, &person, &found);
	if (rc != TRL_OK)
		return rc;
	if (!found || !person.verified || strcmp(person.email, offer.found.email) != 0)
		return refuse(ctx);
	fill_reply(ctx, &offer, out);
	rc = store(self, ctx, &offer, &person, out);
	if (rc == TRL_NOT_FOUND)
		return refuse(ctx);
	return rc;
}
