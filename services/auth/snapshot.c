/* The accounts as they are, for a service that begins to listen to auth's events.
 * Which there are stands in the directory; each is read under its own scope. */
#include <trl/events.h>

#include "auth.h"

static enum trl_code
show_account(struct auth *self, trl_ctx *ctx, const Auth__V1__AccountFacts *at,
    trl_snapshot *out)
{
	Auth__V1__AccountEvent *told = auth_v1_account_event_new(ctx);
	struct trl_id id = trl_value_id(at->account_id);
	auth_account *row = trl_arena_alloc(ctx->arena, sizeof *row);
	enum trl_code rc = auth_account_by_id(self, ctx, id, row);

	if (rc == TRL_NOT_FOUND) { /* it went between */
		trl_err_clear(ctx);
		return TRL_OK;
	}
	if (rc != TRL_OK)
		return rc;
	told->account = auth_show_account(ctx, row);
	trl_snapshot_add(out, &auth_event_account_created, trl_id_nil, id,
	    trl_value_time_us(row->updated_at), &told->base);
	return TRL_OK;
}

enum trl_code
auth_snapshot(void *state, trl_ctx *ctx, struct trl_snapshot_key after, size_t limit,
    trl_snapshot *out, struct trl_snapshot_key *next)
{
	struct auth *self = state;
	Auth__V1__ListAccountsReply page = AUTH__V1__LIST_ACCOUNTS_REPLY__INIT;
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_NOBODY);
	enum trl_code rc;

	trl_batch_get(work, &auth_sql_account_directory_page, NULL, &page.base,
	    TRL_ARG_ID("after", after.aggregate), TRL_ARG_INT("limit", (int64_t)limit));
	rc = trl_batch_read(work);
	for (size_t i = 0; rc == TRL_OK && i < page.n_items; i++)
		rc = show_account(self, ctx, page.items[i], out);
	if (rc == TRL_OK && page.n_items == limit)
		next->aggregate = trl_value_id(page.items[limit - 1]->account_id);
	return rc;
}
