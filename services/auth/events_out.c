/* What the others are told: the resource as the API shows it. An event is part of the
 * batch that makes it true. */
#include <trl/event.h>
#include <trl/member.h>

#include "auth.h"

Auth__V1__Account *
auth_show_account(trl_ctx *ctx, const auth_account *row)
{
	Auth__V1__Account *account = auth_v1_account_new(ctx);

	trl_member_copy_all(&row->base, &account->base);
	trl_set(account, id, row->account_id);
	trl_set(account, version, row->version); /* nobody's has them, too */
	trl_set(account, email_verified, row->email_verified);
	return account;
}

void
auth_tell_account(trl_ctx *ctx, trl_batch *work, const struct trl_event_type *type,
    const auth_account *row)
{
	Auth__V1__AccountEvent *told = auth_v1_account_event_new(ctx);

	told->account = auth_show_account(ctx, row);
	trl_batch_event(work, type, trl_value_id(row->account_id), &told->base);
}

static Auth__V1__AccessEvent *
access_event(trl_ctx *ctx, const auth_account *row)
{
	Auth__V1__AccessEvent *told = auth_v1_access_event_new(ctx);

	told->account = auth_show_account(ctx, row);
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
	Auth__V1__ApiKeyEvent *told = auth_v1_api_key_event_new(ctx);

	told->api_key = key;
	told->has_by = ctx->principal.kind == TRL_PERSON;
	if (told->has_by)
		told->by = trl_value_bytes(ctx, ctx->principal.account);
	trl_batch_event(work, type, trl_value_id(key->id), &told->base);
}
