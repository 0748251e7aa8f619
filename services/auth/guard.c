/* guard.c - the batch of a change that somebody asks for. Between the moment that a
 * request is let in and its commit the password may be changed, the session ended, the
 * key revoked; so every such batch begins with a look at the session or key itself.
 *
 * In an organisation, where nothing else makes the change wait for what ends sessions,
 * that row is held until the commit: what ends it comes after. A change of the account
 * does not hold it, for whatever ends sessions holds the account and would wait for
 * this, which waits for the account; its own guard is the account's row. */
#include "auth.h"

trl_batch *
auth_change_new(struct auth *self, trl_ctx *ctx, struct trl_scope scope)
{
	const struct trl_principal *who = &ctx->principal;
	trl_batch *work;

	if (who->kind == TRL_PERSON)
		scope.account = who->account;
	work = trl_batch_new(ctx, self->pg, scope);
	if (who->kind == TRL_PERSON && trl_id_is_nil(scope.tenant))
		auth_session_guard(ctx, work);
	else if (who->kind == TRL_PERSON)
		trl_batch_add(work, &auth_sql_session_alive, NULL,
		    TRL_ARG_ID("asking_account", who->account),
		    TRL_ARG_ID("asking_session", who->session),
		    TRL_ARG_TIME("now", trl_now(ctx)));
	else if (who->kind == TRL_KEY)
		trl_batch_add(work, &auth_sql_key_alive, NULL,
		    TRL_ARG_ID("tenant_id", ctx->tenant),
		    TRL_ARG_ID("asking_key", who->session),
		    TRL_ARG_TIME("now", trl_now(ctx)));
	return work;
}
