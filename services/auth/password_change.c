/* auth.ResetPassword, ChangePassword - a new password, by an e-mail's token or
 * against the present one. Both end every session and every other reset link; the
 * change gives a new session, the reset does not sign in and proves the address. */
#include "auth.h"

/* Errors: TRL_MALFORMED (token), TRL_INVALID (password), TRL_CONFLICT. */
enum trl_code
auth_reset_password(struct auth *self, trl_ctx *ctx,
    const Auth__V1__ResetPasswordRequest *in, Trellis__Empty *out)
{
	char made[AUTH_PASSWORD_TEXT];
	struct auth_link link;
	const char *refused;
	auth_account row;
	enum trl_code rc;
	trl_batch *work;

	rc = auth_letter_read(ctx, in->token, AUTH_RESET, &link);
	if (rc != TRL_OK)
		return rc;
	trl_access_changes_account(ctx, self->access, link.account);
	rc = auth_letter_open(self, ctx, &link, &row);
	if (rc != TRL_OK)
		return rc;
	refused = auth_password_refused(in->password, row.email, row.display_name);
	if (refused)
		return trl_fail_field(ctx, TRL_INVALID, "password", "%s", refused);
	rc = auth_password_hash(ctx, &self->passwords, in->password, made);
	if (rc == TRL_OK && !row.email_verified) /* whoever signed up is out of it */
		rc = auth_revoke_everywhere(self, ctx, link.account);
	if (rc != TRL_OK)
		return rc;
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(link.account));
	auth_letter_use(ctx, work, &link);
	auth_set_password(self, ctx, work, &row, made);
	auth_prove_address(ctx, work, &row); /* the link went to it */
	auth_tell_password(ctx, work, &row, true);
	trl_batch_audit(work, "auth.password.reset", link.account, "account", NULL);
	return trl_batch_write(work, &out->base);
}

/* That the present password is known; counted against the session's login limit.
 * Errors: TRL_DENIED, TRL_RATE. */
static enum trl_code
check_present(
    struct auth *self, trl_ctx *ctx, const auth_account *row, const char *password)
{
	bool right, stale;
	enum trl_code rc;

	rc = auth_place_limit(self, ctx, "login", row->email, row);
	if (rc != TRL_OK)
		return rc;
	rc = auth_password_check(
	    ctx, &self->passwords, row->password_hash, password, &right, &stale);
	if (rc == TRL_OK && !right)
		rc = trl_fail_field(ctx, TRL_DENIED, "current_password",
		    "This is not your current password.");
	return rc;
}

/* Errors: TRL_DENIED (current_password), TRL_INVALID (password), TRL_RATE,
 * TRL_CONFLICT, TRL_UNAUTHENTICATED (the session ended meanwhile). */
enum trl_code
auth_change_password(struct auth *self, trl_ctx *ctx,
    const Auth__V1__ChangePasswordRequest *in, Auth__V1__SignedIn *out)
{
	struct trl_id id = ctx->principal.account;
	char made[AUTH_PASSWORD_TEXT];
	const char *refused;
	auth_account row;
	enum trl_code rc;
	trl_batch *work;

	trl_access_changes_account(ctx, self->access, id);
	rc = auth_account_by_id(self, ctx, id, &row);
	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	refused = auth_password_refused(in->password, row.email, row.display_name);
	if (refused)
		return trl_fail_field(ctx, TRL_INVALID, "password", "%s", refused);
	rc = check_present(self, ctx, &row, in->current_password);
	if (rc != TRL_OK)
		return rc;
	rc = auth_password_hash(ctx, &self->passwords, in->password, made);
	if (rc != TRL_OK)
		return rc;
	work = auth_change_new(self, ctx, TRL_SCOPE_ACCOUNT(id));
	auth_set_password(self, ctx, work, &row, made);
	auth_session_begin(self, ctx, work, &row, out);
	auth_tell_password(ctx, work, &row, false);
	trl_batch_audit(work, "auth.password.change", id, "account", NULL);
	return trl_batch_write(work, &out->base);
}
