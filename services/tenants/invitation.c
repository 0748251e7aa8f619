/* tenants.CreateInvitation, ResendInvitation, RevokeInvitation.
 *
 * Nothing here asks whether the address has an account, so nothing can tell. The
 * e-mail is notify's: it hears of the invitation, with the link's token sealed.
 */
#include "seats.h"

static void
set_inviter(trl_ctx *ctx, tenants_invitation *out)
{
	out->has_invited_by = false;
	if (ctx->principal.kind == TRL_PERSON)
		trl_set(out, invited_by, trl_value_bytes(ctx, ctx->principal.account));
}

static void
begin_invitation(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__CreateInvitationRequest *in, tenants_invitation *out)
{
	int64_t now = trl_now(ctx);

	trl_set(out, id, trl_value_bytes(ctx, trl_new_id(ctx)));
	trl_set(out, version, 1);
	trl_set(out, role, in->role);
	trl_set(out, status, TENANTS__V1__INVITATION__STATUS__pending);
	out->email = trl_value_email(ctx, in->email);
	set_inviter(ctx, out);
	out->created_at = out->updated_at = trl_value_time(ctx, now);
	out->expires_at =
	    trl_value_time(ctx, now + self->config->invitation_days * 86400 * 1000000);
}

/* Adds that there is room for one more that is open: TRL_QUOTA. */
static void
want_room(trl_ctx *ctx, trl_batch *work)
{
	trl_batch_add(work, &tenants_sql_invitation_room, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_TIME("now", trl_now(ctx)),
	    TRL_ARG_INT("allowed", TENANTS_INVITATIONS_MAX));
}

/* Errors: TRL_DENIED (role above the caller's, or an unproven address), TRL_RATE,
 * TRL_EXISTS (email: invited
 * already), TRL_QUOTA (too many open, or no seat), TRL_NOT_FOUND. */
enum trl_code
tenants_create_invitation(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__CreateInvitationRequest *in, Tenants__V1__Invitation *out)
{
	uint8_t hash[TENANTS_TOKEN_HASH];
	char token[TENANTS_TOKEN_TEXT];
	struct tenants_seats seats;
	enum trl_code rc;
	trl_batch *work;

	rc = tenants_may_touch(ctx, in->role);
	if (rc == TRL_OK)
		rc = tenants_may_reach(self, ctx, trl_value_email(ctx, in->email));
	if (rc == TRL_OK)
		rc = tenants_seats_read(self, ctx, ctx->tenant, &seats);
	if (rc != TRL_OK)
		return rc;
	begin_invitation(self, ctx, in, out);
	tenants_token_new(self, ctx->tenant, trl_value_id(out->id), token, hash);
	work = tenants_change_new(self, ctx);
	trl_batch_add(work, &tenants_sql_invitation_expire, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_TIME("now", trl_now(ctx)));
	want_room(ctx, work);
	trl_batch_add(work, &tenants_sql_invitation_insert, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_BYTES("token_hash", hash, sizeof hash));
	tenants_seats_want(work, ctx->tenant, &seats);
	tenants_tell_invitation(
	    self, ctx, work, &tenants_event_invitation_created, out, token);
	trl_batch_audit(work, "tenants.invitation.create", trl_value_id(out->id),
	    "invitation", &out->base);
	return tenants_seats_end(
	    self, ctx, ctx->tenant, &seats, trl_batch_write(work, &out->base));
}

/* The invitation, if it waits and its role is not above the caller's. */
static enum trl_code
read_pending(
    struct tenants *self, trl_ctx *ctx, ProtobufCBinaryData id, tenants_invitation *out)
{
	enum trl_code rc;

	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &tenants_sql_invitation_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("invitation_id", trl_value_id(id)));
	return rc == TRL_OK ? tenants_may_touch(ctx, out->role) : rc;
}

/* One whose time was over is open again, and wants room and a seat like a new one.
 * Errors: TRL_NOT_FOUND, TRL_DENIED (role above the caller's), TRL_QUOTA (too many
 * open, or no seat), TRL_CONFLICT. */
enum trl_code
tenants_resend_invitation(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__ResendInvitationRequest *in, Tenants__V1__Invitation *out)
{
	uint8_t hash[TENANTS_TOKEN_HASH];
	char token[TENANTS_TOKEN_TEXT];
	struct tenants_seats seats = { 0 };
	bool was_over;
	enum trl_code rc;
	trl_batch *work;

	rc = read_pending(self, ctx, in->invitation_id, out);
	was_over = rc == TRL_OK && trl_value_time_us(out->expires_at) <= trl_now(ctx);
	if (rc == TRL_OK)
		rc = tenants_may_reach(self, ctx, out->email);
	if (rc == TRL_OK && was_over)
		rc = tenants_seats_read(self, ctx, ctx->tenant, &seats);
	if (rc != TRL_OK)
		return rc;
	out->version++;
	set_inviter(ctx, out);
	out->updated_at = trl_value_time(ctx, trl_now(ctx));
	out->expires_at = trl_value_time(
	    ctx, trl_now(ctx) + self->config->invitation_days * 86400 * 1000000);
	tenants_token_new(self, ctx->tenant, trl_value_id(out->id), token, hash);
	work = tenants_change_new(self, ctx);
	if (was_over)
		want_room(ctx, work);
	trl_batch_add(work, &tenants_sql_invitation_renew, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_INT("former_version", out->version - 1),
	    TRL_ARG_BYTES("token_hash", hash, sizeof hash));
	tenants_seats_want(work, ctx->tenant, &seats);
	tenants_tell_invitation(
	    self, ctx, work, &tenants_event_invitation_resent, out, token);
	trl_batch_audit(work, "tenants.invitation.resend", trl_value_id(out->id),
	    "invitation", &out->base);
	return tenants_seats_end(
	    self, ctx, ctx->tenant, &seats, trl_batch_write(work, &out->base));
}

/* Errors: TRL_NOT_FOUND, TRL_DENIED (role above the caller's), TRL_CONFLICT. */
enum trl_code
tenants_revoke_invitation(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__RevokeInvitationRequest *in, Trellis__Empty *out)
{
	tenants_invitation before = TENANTS__V1__INVITATION__INIT;
	enum trl_code rc;
	trl_batch *work;

	rc = read_pending(self, ctx, in->invitation_id, &before);
	if (rc != TRL_OK)
		return rc;
	work = tenants_change_new(self, ctx);
	trl_batch_add(work, &tenants_sql_invitation_end, &in->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_TEXT("status", "revoked"),
	    TRL_ARG_INT("former_version", before.version),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	before.status = TENANTS__V1__INVITATION__STATUS__revoked;
	before.version++;
	before.updated_at = trl_value_time(ctx, trl_now(ctx));
	tenants_tell_invitation(
	    self, ctx, work, &tenants_event_invitation_revoked, &before, NULL);
	trl_batch_audit(work, "tenants.invitation.revoke", trl_value_id(before.id),
	    "invitation", &before.base);
	return trl_batch_write(work, &out->base);
}
