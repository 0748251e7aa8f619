/* auth.GetMe, UpdateMe, FindAccount, ListAccounts - accounts as their owners and as
 * other services see them. */
#include <string.h>

#include <trl/member.h>
#include <trl/wire.h>

#include "auth.h"

enum trl_code
auth_account_by_email(
    struct auth *self, trl_ctx *ctx, const char *email, auth_account *row, bool *found)
{
	auth_account at = AUTH__V1__ACCOUNT_ROW__INIT;
	uint8_t place[AUTH_PLACE];
	struct trl_id id;
	enum trl_code rc;
	trl_batch *work;

	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_NOBODY,
	    &auth_sql_account_directory_find, NULL, &at.base,
	    TRL_ARG_TEXT("email", email));
	if (rc != TRL_OK)
		return rc;
	id = at.has_account_id ? trl_value_id(at.account_id) : trl_new_id(ctx);
	auth__v1__account_row__init(row);
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(id));
	auth_place(self, ctx, id, place);
	trl_batch_get(work, &auth_sql_account_at_door, NULL, &row->base,
	    TRL_ARG_ID("account_id", id), TRL_ARG_BYTES("place", place, sizeof place));
	rc = trl_batch_read(work);
	if (rc != TRL_OK)
		return rc;
	*found = row->has_account_id;
	if (!*found) {
		trl_set(row, account_id, trl_value_bytes(ctx, id));
	}
	return TRL_OK;
}

enum trl_code
auth_account_by_id(struct auth *self, trl_ctx *ctx, struct trl_id id, auth_account *row)
{
	enum trl_code rc;

	auth__v1__account_row__init(row);
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_ACCOUNT(id),
	    &auth_sql_account_get, NULL, &row->base, TRL_ARG_ID("account_id", id));
	if (rc == TRL_OK && !row->has_account_id)
		rc = trl_fail(ctx, TRL_NOT_FOUND, "There is no such account.");
	return rc;
}

/* The account behind the session, with its CSRF token made from the token's hash.
 * Errors: TRL_NOT_FOUND. */
enum trl_code
auth_get_me(struct auth *self, trl_ctx *ctx, const Auth__V1__GetMeRequest *in,
    Auth__V1__Me *out)
{
	struct trl_id id = ctx->principal.account;
	auth_account row = AUTH__V1__ACCOUNT_ROW__INIT;
	char csrf[TRL_ACCESS_CSRF_TEXT];
	enum trl_code rc;

	(void)in;
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_ACCOUNT(id),
	    &auth_sql_account_me, NULL, &row.base, TRL_ARG_ID("account_id", id),
	    TRL_ARG_ID("session_id", ctx->principal.session));
	if (rc != TRL_OK)
		return rc;
	trl_set(out, id, row.account_id);
	trl_member_copy_all(&row.base, &out->base);
	if (row.has_token_hash && row.token_hash.len == TRL_ACCESS_HASH) {
		trl_access_csrf(row.token_hash.data, csrf);
		out->csrf_token = trl_arena_strdup(ctx->arena, csrf);
	}
	return TRL_OK;
}

static void
change_account(const Auth__V1__UpdateMeRequest *in, auth_account *row)
{
	if (in->display_name)
		row->display_name = in->display_name;
	if (in->locale)
		row->locale = in->locale;
	for (size_t i = 0; i < in->n_clear; i++)
		if (strcmp(in->clear[i], "locale") == 0)
			row->locale = NULL;
}

/* Where it says what is there already, there is no new version, and nobody is told. */
static enum trl_code
store_account(struct auth *self, trl_ctx *ctx, const auth_account *before,
    auth_account *row, Auth__V1__Account *out)
{
	struct trl_id id = ctx->principal.account;
	trl_batch *work = auth_change_new(self, ctx, TRL_SCOPE_ACCOUNT(id));

	if (trl_wire_same(ctx->arena, &before->base, &row->base)) {
		*out = *auth_show_account(ctx, row);
		return trl_batch_write(work, &out->base);
	}
	row->version++;
	row->updated_at = trl_value_time(ctx, trl_now(ctx));
	*out = *auth_show_account(ctx, row);
	trl_batch_add(work, &auth_sql_account_update, &row->base,
	    TRL_ARG_INT("former_version", before->version));
	trl_batch_add(work, &auth_sql_account_directory_rename, &row->base);
	auth_tell_account(ctx, work, &auth_event_account_updated, row);
	trl_batch_audit(work, "auth.account.update", id, "account", NULL);
	return trl_batch_write(work, &out->base);
}

/* Errors: TRL_NOT_FOUND, TRL_PRECONDITION (If-Match), TRL_CONFLICT (others kept
 * overtaking), TRL_UNAUTHENTICATED (the session ended meanwhile). */
enum trl_code
auth_update_me(struct auth *self, trl_ctx *ctx, const Auth__V1__UpdateMeRequest *in,
    Auth__V1__Account *out)
{
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	auth_account before, row;
	enum trl_code rc;

	rc = trl_change_begin(&change, ctx, ctx->principal.account);
	if (rc != TRL_OK)
		return rc;
	do {
		rc = auth_account_by_id(self, ctx, ctx->principal.account, &row);
		if (rc == TRL_OK)
			rc = trl_if_match(ctx, row.version);
		if (rc != TRL_OK)
			return rc;
		before = row;
		change_account(in, &row);
		rc = store_account(self, ctx, &before, &row, out);
	} while (trl_change_again(&change, &rc));
	return rc;
}

/* Errors: TRL_NOT_FOUND; TRL_INVALID (neither or both given). */
enum trl_code
auth_find_account(struct auth *self, trl_ctx *ctx,
    const Auth__V1__FindAccountRequest *in, Auth__V1__AccountFacts *out)
{
	trl_batch *work;

	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_NOBODY);
	if (in->has_account_id)
		trl_batch_get(
		    work, &auth_sql_account_directory_get, &in->base, &out->base);
	else
		trl_batch_get(work, &auth_sql_account_directory_by_email, NULL,
		    &out->base,
		    TRL_ARG_TEXT(
			"email", trl_value_email(ctx, in->email ? in->email : "")));
	return trl_batch_read(work);
}

enum trl_code
auth_list_accounts(struct auth *self, trl_ctx *ctx,
    const Auth__V1__ListAccountsRequest *in, Auth__V1__ListAccountsReply *out)
{
	struct trl_id *ids =
	    trl_arena_alloc(ctx->arena, in->n_account_ids * sizeof *ids);

	for (size_t i = 0; i < in->n_account_ids; i++)
		ids[i] = trl_value_id(in->account_ids[i]);
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_NOBODY,
	    &auth_sql_account_directory_list, NULL, &out->base,
	    TRL_ARG_IDS("account_ids", ids, in->n_account_ids));
}
