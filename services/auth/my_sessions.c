/* auth.ListMySessions, RevokeMySession, RevokeMySessions - a person's devices. A
 * session that is revoked is gone from PostgreSQL; the account's epoch ends its
 * copies before the answer. */
#include <trl/page.h>

#include "auth.h"

/* Errors: TRL_INVALID (page_token). */
enum trl_code
auth_list_my_sessions(struct auth *self, trl_ctx *ctx,
    const Auth__V1__ListMySessionsRequest *in, Auth__V1__ListMySessionsReply *out)
{
	struct trl_id id = ctx->principal.account;
	int64_t now = trl_now(ctx);
	struct trl_page page;
	enum trl_code rc;

	rc = trl_page_open(
	    ctx, "auth.sessions", id, in->page_size, in->page_token, &page);
	if (rc != TRL_OK)
		return rc;
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_ACCOUNT(id),
	    &auth_sql_sessions_list, NULL, &out->base, TRL_ARG_ID("account_id", id),
	    TRL_ARG_ID("current_id", ctx->principal.session),
	    TRL_ARG_ID("after", page.after), TRL_ARG_TIME("now", now),
	    TRL_ARG_TIME("idle_since", auth_idle_since(self, now)),
	    TRL_ARG_INT("limit", page.size + 1));
	if (rc == TRL_OK)
		trl_page_cut(ctx, &page, page.size, "id", &out->base);
	return rc;
}

static enum trl_code
finish(struct auth *self, trl_ctx *ctx, trl_batch *work, Trellis__Empty *out)
{
	struct trl_id id = ctx->principal.account;

	trl_access_changes_account(ctx, self->access, id);
	trl_batch_audit(work, "auth.session.revoke", id, "account", NULL);
	return trl_batch_write(work, &out->base);
}

/* Errors: TRL_NOT_FOUND. */
enum trl_code
auth_revoke_my_session(struct auth *self, trl_ctx *ctx,
    const Auth__V1__RevokeMySessionRequest *in, Trellis__Empty *out)
{
	struct trl_id id = ctx->principal.account;
	trl_batch *work = auth_change_new(self, ctx, TRL_SCOPE_ACCOUNT(id));

	trl_batch_add(
	    work, &auth_sql_session_delete, &in->base, TRL_ARG_ID("account_id", id));
	trl_batch_add(work, &auth_sql_session_directory_delete, &in->base,
	    TRL_ARG_ID("account_id", id));
	return finish(self, ctx, work, out);
}

enum trl_code
auth_revoke_my_sessions(struct auth *self, trl_ctx *ctx,
    const Auth__V1__RevokeMySessionsRequest *in, Trellis__Empty *out)
{
	struct trl_id id = ctx->principal.account;
	struct trl_id keep = in->keep_current ? ctx->principal.session : trl_id_nil;
	trl_batch *work = auth_change_new(self, ctx, TRL_SCOPE_ACCOUNT(id));

	trl_batch_add(work, &auth_sql_sessions_directory_delete, NULL,
	    TRL_ARG_ID("account_id", id), TRL_ARG_ID("keep_id", keep));
	trl_batch_add(work, &auth_sql_sessions_delete, NULL,
	    TRL_ARG_ID("account_id", id), TRL_ARG_ID("keep_id", keep));
	return finish(self, ctx, work, out);
}
