/* password_set.c - what becomes of an account whose password is set: every session and
 * every other link that would set one end, and so do the places it was used from. */
#include "auth.h"

void
auth_set_password(struct auth *self, trl_ctx *ctx, trl_batch *work, auth_account *row,
    const char *hash)
{
	struct trl_id id = trl_value_id(row->account_id);
	int64_t now = trl_now(ctx);

	trl_batch_add(work, &auth_sql_account_password, NULL,
	    TRL_ARG_ID("account_id", id), TRL_ARG_TEXT("password_hash", hash),
	    TRL_ARG_TEXT("former_hash", row->password_hash), TRL_ARG_TIME("now", now));
	auth_letters_void(ctx, work, id, AUTH_RESET);
	trl_batch_add(work, &auth_sql_sessions_directory_delete, NULL,
	    TRL_ARG_ID("account_id", id), TRL_ARG_ID("keep_id", trl_id_nil));
	trl_batch_add(work, &auth_sql_sessions_delete, NULL,
	    TRL_ARG_ID("account_id", id), TRL_ARG_ID("keep_id", trl_id_nil));
	trl_batch_add(
	    work, &auth_sql_places_delete, NULL, TRL_ARG_ID("account_id", id));
	auth_place_remember(self, ctx, work, id);
	row->version++;
	row->updated_at = trl_value_time(ctx, now);
}
