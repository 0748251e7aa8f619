/* auth.SignUp - makes an account and signs in.
 *
 * The one method that tells whether an address is taken: the password is hashed
 * either way and the address's own constraint says it, so a taken address costs
 * what a free one costs, and the limit of the class "signup" is strict. */
#include "auth.h"

static void
begin_account(trl_ctx *ctx, const Auth__V1__SignUpRequest *in, char *email,
    char *password_hash, auth_account *row)
{
	auth__v1__account_row__init(row);
	trl_set(row, account_id, trl_value_bytes(ctx, trl_new_id(ctx)));
	trl_set(row, version, 1);
	row->email = email;
	trl_set(row, email_verified, false);
	row->display_name = in->display_name;
	row->locale = in->locale;
	row->password_hash = password_hash;
	row->created_at = row->updated_at = trl_value_time(ctx, trl_now(ctx));
}

/* Errors: TRL_EXISTS (email), TRL_INVALID (password). */
enum trl_code
auth_sign_up(struct auth *self, trl_ctx *ctx, const Auth__V1__SignUpRequest *in,
    Auth__V1__SignedIn *out)
{
	char *email = trl_value_email(ctx, in->email), hash[AUTH_PASSWORD_TEXT];
	const char *refused =
	    auth_password_refused(in->password, email, in->display_name);
	auth_account row;
	struct trl_id id;
	enum trl_code rc;
	trl_batch *work;

	if (refused)
		return trl_fail_field(ctx, TRL_INVALID, "password", "%s", refused);
	rc = auth_password_hash(ctx, &self->passwords, in->password, hash);
	if (rc != TRL_OK)
		return rc;
	begin_account(ctx, in, email, hash, &row);
	id = trl_value_id(row.account_id);
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(id));
	trl_batch_add(work, &auth_sql_account_directory_insert, &row.base);
	trl_batch_add(work, &auth_sql_account_insert, &row.base);
	auth_session_begin(self, ctx, work, &row, out);
	auth_tell_account(ctx, work, &auth_event_account_created, &row);
	auth_letter_begin(self, ctx, work, &row, AUTH_VERIFY, true);
	trl_batch_audit(work, "auth.account.create", id, "account", NULL);
	return trl_batch_write(work, &out->base);
}
