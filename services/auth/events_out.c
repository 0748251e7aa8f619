/* What the others are told: the resource as the API shows it. An event is part of the
 * batch that makes it true. */
#include <trl/event.h>

#include "auth.h"

void
auth_show_account(const auth_account *row, Auth__V1__Account *out)
{
	auth__v1__account__init(out);
	trl_set(out, id, row->account_id);
	trl_set(out, version, row->version);
	out->email = row->email;
	trl_set(out, email_verified, row->email_verified);
	out->display_name = row->display_name;
	out->locale = row->locale;
	out->created_at = row->created_at;
	out->updated_at = row->updated_at;
}

static Auth__V1__Account *
show(trl_ctx *ctx, const auth_account *row)
{
	Auth__V1__Account *account = trl_arena_alloc(ctx->arena, sizeof *account);

	auth_show_account(row, account);
	return account;
}

void
auth_tell_account(trl_ctx *ctx, trl_batch *work, const struct trl_event_type *type,
    const auth_account *row)
{
	Auth__V1__AccountEvent *told = trl_arena_alloc(ctx->arena, sizeof *told);

	auth__v1__account_event__init(told);
	told->account = show(ctx, row);
	trl_batch_event(work, type, trl_value_id(row->account_id), &told->base);
}

static Auth__V1__AccessEvent *
access_event(trl_ctx *ctx, const auth_account *row)
{
	Auth__V1__AccessEvent *told = trl_arena_alloc(ctx->arena, sizeof *told);

	auth__v1__access_event__init(told);
	told->account = show(ctx, row);
	told->address = trl_arena_strdup(ctx->arena, ctx->principal.address);
	told->user_agent = trl_arena_strdup(ctx->arena, ctx->principal.user_agent);
	return told;
}

void
auth_tell_session(
    trl_ctx *ctx, trl_batch *work, const auth_account *row, ProtobufCBinaryData session)
{
	Auth__V1__AccessEvent *told = access_event(ctx, row);

	trl_set(told, session_id, session);
	trl_batch_event(work, &auth_event_session_created,
	    trl_value_id(row->account_id), &told->base);
}

void
auth_tell_password(
    trl_ctx *ctx, trl_batch *work, const auth_account *row, bool by_letter)
{
	Auth__V1__AccessEvent *told = access_event(ctx, row);

	trl_set(told, by_letter, by_letter);
	trl_batch_event(work, &auth_event_password_changed,
	    trl_value_id(row->account_id), &told->base);
}

void
auth_tell_key(trl_ctx *ctx, trl_batch *work, const struct trl_event_type *type,
    Auth__V1__ApiKey *key)
{
	Auth__V1__ApiKeyEvent *told = trl_arena_alloc(ctx->arena, sizeof *told);

	auth__v1__api_key_event__init(told);
	told->api_key = key;
	told->has_by = ctx->principal.kind == TRL_PERSON;
	if (told->has_by)
		told->by = trl_value_bytes(ctx, ctx->principal.account);
	trl_batch_event(work, type, trl_value_id(key->id), &told->base);
}
