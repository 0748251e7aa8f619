/* A new session, as sign-up, login and a change of the password give it. The token
 * is 256 random bits; PostgreSQL and Redis know only its hash. */
#include <string.h>

#include <sodium.h>

#include <trl/utf8.h>

#include "auth.h"

enum { USER_AGENT_MAX = 200 };

int64_t
auth_idle_since(const struct auth *self, int64_t now_us)
{
	return now_us - self->config->session_idle_minutes * 60 * 1000000;
}

/* At most so many bytes, whole characters. */
static const char *
cut_text(trl_ctx *ctx, const char *text, size_t max)
{
	size_t len;

	if (!text)
		return "";
	len = strlen(text);
	return trl_arena_strndup(ctx->arena, text, trl_utf8_cut(text, len, max));
}

static void
show_session(trl_ctx *ctx, struct trl_id id, const char *token, int64_t expires_at,
    auth_signed_in *out)
{
	Auth__V1__Session *session = auth_v1_session_new(ctx);

	trl_set(session, id, trl_value_bytes(ctx, id));
	session->token = trl_arena_strdup(ctx->arena, token);
	session->expires_at = trl_value_time(ctx, expires_at);
	out->session = session;
}

void
auth_session_guard(trl_ctx *ctx, trl_batch *work)
{
	trl_batch_add(work, &auth_sql_session_guard, NULL,
	    TRL_ARG_ID("account_id", ctx->principal.account),
	    TRL_ARG_ID("session_id", ctx->principal.session));
}

void
auth_session_begin(struct auth *self, trl_ctx *ctx, trl_batch *work,
    const auth_account *row, auth_signed_in *out)
{
	int64_t now = trl_now(ctx);
	int64_t expires_at = now + self->config->session_hours * 3600 * 1000000;
	struct trl_id account = trl_value_id(row->account_id), id = trl_new_id(ctx);
	char token[TRL_ACCESS_SESSION_TEXT];
	uint8_t *hash = trl_arena_alloc(ctx->arena, TRL_ACCESS_HASH);

	trl_access_session_token(token);
	trl_access_hash(token, strlen(token), hash);
	trl_batch_add(work, &auth_sql_session_insert, NULL,
	    TRL_ARG_ID("account_id", account), TRL_ARG_ID("session_id", id),
	    TRL_ARG_BYTES("token_hash", hash, TRL_ACCESS_HASH),
	    TRL_ARG_TEXT("address", cut_text(ctx, ctx->principal.address, 64)),
	    TRL_ARG_TEXT(
		"user_agent", cut_text(ctx, ctx->principal.user_agent, USER_AGENT_MAX)),
	    TRL_ARG_TIME("now", now), TRL_ARG_TIME("session_expires_at", expires_at));
	trl_batch_add(work, &auth_sql_session_directory_insert, NULL,
	    TRL_ARG_ID("account_id", account), TRL_ARG_ID("session_id", id),
	    TRL_ARG_BYTES("token_hash", hash, TRL_ACCESS_HASH));
	auth_place_remember(self, ctx, work, account);
	out->account = auth_show_account(ctx, row);
	show_session(ctx, id, token, expires_at, out);
	sodium_memzero(token, sizeof token);
}
