/* auth.VerifyEmail, ResendVerification, ForgotPassword - the e-mails and the first
 * of the two things their tokens do (the other is in password_change.c).
 *
 * A link proves that its reader has the address, and nothing of who signed up with it:
 * somebody may have, and wait in the account for its owner to confirm. So the token is
 * enough beside a session of the account; without one the reader chooses a password,
 * and whoever was in the account before is out of it.
 *
 * Asking for an e-mail costs the same for an address that has no account: one limit,
 * two reads, one write in which the letter's row finds no account and is not made.
 * The event from which notify makes the e-mail is told in both cases. */
#include "auth.h"

void
auth_prove_address(trl_ctx *ctx, trl_batch *work, auth_account *row)
{
	struct trl_id id = trl_value_id(row->account_id);
	int64_t now = trl_now(ctx);

	if (row->email_verified)
		return;
	trl_batch_add(work, &auth_sql_account_verify, NULL,
	    TRL_ARG_ID("account_id", id), TRL_ARG_INT("former_version", row->version),
	    TRL_ARG_TIME("now", now));
	trl_batch_add(work, &auth_sql_account_directory_verify, NULL,
	    TRL_ARG_ID("account_id", id));
	auth_letters_void(ctx, work, id, AUTH_VERIFY);
	row->email_verified = true;
	row->version++;
	row->updated_at = trl_value_time(ctx, now);
	auth_tell_account(ctx, work, &auth_event_account_verified, row);
	trl_batch_audit(work, "auth.account.verify", id, "account", NULL);
}

/* The hash of the password that came with the link; empty where none has to.
 * Errors: TRL_INVALID (password), TRL_BUSY, TRL_DEADLINE. */
static enum trl_code
hash_chosen(struct auth *self, trl_ctx *ctx, const auth_account *row,
    const char *password, char made[AUTH_PASSWORD_TEXT])
{
	const char *refused;

	made[0] = '\0';
	if (!password) {
		if (ctx->principal.kind == TRL_PERSON &&
		    trl_id_eq(ctx->principal.account, trl_value_id(row->account_id)))
			return TRL_OK;
		return trl_fail_field(ctx, TRL_INVALID, "password",
		    "Open this link where you are signed in to the new account, or "
		    "choose a password here, which ends all of that account's "
		    "sessions.");
	}
	refused = auth_password_refused(password, row->email, row->display_name);
	if (refused)
		return trl_fail_field(ctx, TRL_INVALID, "password", "%s", refused);
	return auth_password_hash(ctx, &self->passwords, password, made);
}

/* Errors: TRL_MALFORMED (token), TRL_INVALID (password), TRL_CONFLICT. */
enum trl_code
auth_verify_email(struct auth *self, trl_ctx *ctx,
    const Auth__V1__VerifyEmailRequest *in, Trellis__Empty *out)
{
	char made[AUTH_PASSWORD_TEXT];
	struct auth_link link;
	auth_account row;
	enum trl_code rc;
	trl_batch *work;

	rc = auth_letter_read(ctx, in->token, AUTH_VERIFY, &link);
	if (rc != TRL_OK)
		return rc;
	trl_access_changes_account(ctx, self->access, link.account);
	rc = auth_letter_open(self, ctx, &link, &row);
	if (rc != TRL_OK)
		return rc;
	rc = hash_chosen(self, ctx, &row, in->password, made);
	if (rc == TRL_OK && made[0])
		rc = auth_revoke_everywhere(self, ctx, link.account);
	if (rc != TRL_OK)
		return rc;
	work = made[0] ? trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(link.account))
		       : auth_change_new(self, ctx, TRL_SCOPE_ACCOUNT(link.account));
	auth_letter_use(ctx, work, &link);
	if (made[0]) {
		auth_set_password(self, ctx, work, &row, made);
		auth_tell_password(ctx, work, &row, true);
		trl_batch_audit(
		    work, "auth.password.reset", link.account, "account", NULL);
	}
	auth_prove_address(ctx, work, &row);
	return trl_batch_write(work, &out->base);
}

static enum trl_code
ask_for_letter(struct auth *self, trl_ctx *ctx, const char *given,
    enum auth_purpose purpose, Trellis__Empty *out)
{
	char *email = trl_value_email(ctx, given);
	auth_account row;
	struct trl_id id;
	enum trl_code rc;
	trl_batch *work;
	bool found, wanted;

	rc = auth_account_by_email(self, ctx, email, &row, &found);
	if (rc != TRL_OK)
		return rc;
	rc = auth_place_limit(self, ctx, "reset", email, &row);
	if (rc != TRL_OK)
		return rc;
	id = trl_value_id(row.account_id);
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(id));
	trl_batch_add(work, &auth_sql_letter_prune, NULL, TRL_ARG_ID("account_id", id),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	wanted = found && !(purpose == AUTH_VERIFY && row.email_verified);
	auth_letter_begin(self, ctx, work, &row, purpose, wanted);
	return trl_batch_write(work, &out->base);
}

/* Errors: TRL_RATE (the address given). */
enum trl_code
auth_resend_verification(struct auth *self, trl_ctx *ctx,
    const Auth__V1__ResendVerificationRequest *in, Trellis__Empty *out)
{
	return ask_for_letter(self, ctx, in->email, AUTH_VERIFY, out);
}

/* Errors: TRL_RATE (the address given). */
enum trl_code
auth_forgot_password(struct auth *self, trl_ctx *ctx,
    const Auth__V1__ForgotPasswordRequest *in, Trellis__Empty *out)
{
	return ask_for_letter(self, ctx, in->email, AUTH_RESET, out);
}
