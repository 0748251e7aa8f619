/* auth.LogIn, LogOut - a new session for address and password, and its end.
 *
 * An unknown address costs what a wrong password costs: two reads in PostgreSQL, one
 * limit counted in Redis, one hash. */
#include "auth.h"

static enum trl_code
refuse(trl_ctx *ctx)
{
	return trl_fail(
	    ctx, TRL_UNAUTHENTICATED, "The address or the password is wrong.");
}

/* The new session; with it the hash under the costs that are set now, where the
 * kept one is stale. */
static enum trl_code
begin_session(struct auth *self, trl_ctx *ctx, auth_account *row, const char *rehashed,
    Auth__V1__SignedIn *out)
{
	struct trl_id id = trl_value_id(row->account_id);
	int64_t now = trl_now(ctx);
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(id));
	Auth__V1__SessionRow ended = AUTH__V1__SESSION_ROW__INIT;
	enum trl_code rc;

	if (rehashed)
		trl_batch_add(work, &auth_sql_account_rehash, NULL,
		    TRL_ARG_ID("account_id", id),
		    TRL_ARG_TEXT("password_hash", rehashed),
		    TRL_ARG_TEXT("former_hash", row->password_hash));
	else
		trl_batch_add(work, &auth_sql_account_password_guard, NULL,
		    TRL_ARG_ID("account_id", id),
		    TRL_ARG_TEXT("former_hash", row->password_hash));
	trl_batch_add(work, &auth_sql_session_prune, NULL, TRL_ARG_ID("account_id", id),
	    TRL_ARG_TIME("now", now),
	    TRL_ARG_TIME("idle_since", auth_idle_since(self, now)));
	trl_batch_get(work, &auth_sql_session_cap, NULL, &ended.base,
	    TRL_ARG_ID("account_id", id), TRL_ARG_INT("keep", AUTH_SESSIONS_MAX - 1));
	auth_session_begin(self, ctx, work, row, out);
	auth_tell_session(ctx, work, row, out->session->id);
	rc = trl_batch_write(work, &out->base);
	/* Where this run did not write, nobody says whether a session ended by it. */
	if (ended.has_session_id || rc != TRL_OK || ctx->idempotency.replayed)
		trl_access_changes_account(ctx, self->access, id);
	return rc;
}

/* Errors: TRL_UNAUTHENTICATED, TRL_RATE (the address given). */
enum trl_code
auth_log_in(struct auth *self, trl_ctx *ctx, const Auth__V1__LogInRequest *in,
    Auth__V1__SignedIn *out)
{
	char *email = trl_value_email(ctx, in->email), rehashed[AUTH_PASSWORD_TEXT];
	bool found, right, stale;
	auth_account row;
	enum trl_code rc;

	rc = auth_account_by_email(self, ctx, email, &row, &found);
	if (rc != TRL_OK)
		return rc;
	rc = auth_place_limit(self, ctx, "login", email, &row);
	if (rc != TRL_OK)
		return rc;
	rc = auth_password_check(ctx, &self->passwords,
	    found ? row.password_hash : NULL, in->password, &right, &stale);
	if (rc != TRL_OK)
		return rc;
	if (!right)
		return refuse(ctx);
	if (stale) {
		rc = auth_password_hash(ctx, &self->passwords, in->password, rehashed);
		if (rc != TRL_OK)
			return rc;
	}
	return begin_session(self, ctx, &row, stale ? rehashed : NULL, out);
}

enum trl_code
auth_log_out(struct auth *self, trl_ctx *ctx, const Auth__V1__LogOutRequest *in,
    Trellis__Empty *out)
{
	struct trl_id id = ctx->principal.account;
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(id));

	(void)in;
	trl_access_changes_account(ctx, self->access, id);
	trl_batch_add(work, &auth_sql_session_directory_delete, NULL,
	    TRL_ARG_ID("account_id", id),
	    TRL_ARG_ID("session_id", ctx->principal.session));
	trl_batch_add(work, &auth_sql_session_end, NULL, TRL_ARG_ID("account_id", id),
	    TRL_ARG_ID("session_id", ctx->principal.session));
	return trl_batch_write(work, &out->base);
}
