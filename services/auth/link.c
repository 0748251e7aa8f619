/* The token of an e-mail's link: "trm_" and base64url of
 *
 *   account (16) | random (32)
 *
 * The account is inside because nothing of it can be read without its id. What lets
 * somebody in is only the random part: just BLAKE2b-256 of the whole is kept, for a
 * purpose, until an hour, and it is good once. */
#include <string.h>

#include <sodium.h>

#include <trl/event.h>

#include "auth.h"

enum { RANDOM = 32, WHOLE = 16 + RANDOM };

static const char prefix[] = "trm_";

const char *
auth_purpose_name(enum auth_purpose purpose)
{
	return purpose == AUTH_VERIFY ? "verify" : "reset";
}

void
auth_letter_token_new(
    struct trl_id account, char text[AUTH_LETTER_TEXT], uint8_t hash[AUTH_LETTER_HASH])
{
	uint8_t body[WHOLE];

	_Static_assert(sizeof prefix + (WHOLE * 4 + 2) / 3 <= AUTH_LETTER_TEXT, "room");
	memcpy(body, account.bytes, 16);
	randombytes_buf(body + 16, RANDOM);
	crypto_generichash(hash, AUTH_LETTER_HASH, body, sizeof body, NULL, 0);
	memcpy(text, prefix, sizeof prefix);
	sodium_bin2base64(text + sizeof prefix - 1,
	    AUTH_LETTER_TEXT - sizeof prefix + 1, body, sizeof body,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(body, sizeof body);
}

bool
auth_letter_token_read(
    const char *text, struct trl_id *account, uint8_t hash[AUTH_LETTER_HASH])
{
	uint8_t body[WHOLE];
	size_t len;

	if (strncmp(text, prefix, sizeof prefix - 1) != 0)
		return false;
	text += sizeof prefix - 1;
	if (sodium_base642bin(body, sizeof body, text, strlen(text), NULL, &len, NULL,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    len != sizeof body)
		return false;
	memcpy(account->bytes, body, 16);
	crypto_generichash(hash, AUTH_LETTER_HASH, body, sizeof body, NULL, 0);
	sodium_memzero(body, sizeof body);
	return true;
}

enum trl_code
auth_letter_read(
    trl_ctx *ctx, const char *token, enum auth_purpose purpose, struct auth_link *out)
{
	out->purpose = purpose;
	if (!auth_letter_token_read(token, &out->account, out->hash))
		return trl_fail_field(ctx, TRL_MALFORMED, "token",
		    "This link is no longer valid. Ask for a new e-mail.");
	return TRL_OK;
}

enum trl_code
auth_letter_open(
    struct auth *self, trl_ctx *ctx, const struct auth_link *link, auth_account *row)
{
	trl_batch *work;

	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(link->account));
	auth__v1__account_row__init(row);
	trl_batch_get(work, &auth_sql_letter_check, NULL, &row->base,
	    TRL_ARG_ID("account_id", link->account),
	    TRL_ARG_BYTES("token_hash", link->hash, sizeof link->hash),
	    TRL_ARG_TEXT("purpose", auth_purpose_name(link->purpose)),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	return trl_batch_read(work);
}

void
auth_letter_use(trl_ctx *ctx, trl_batch *work, const struct auth_link *link)
{
	trl_batch_add(work, &auth_sql_letter_use, NULL,
	    TRL_ARG_ID("account_id", link->account),
	    TRL_ARG_BYTES("token_hash", link->hash, sizeof link->hash),
	    TRL_ARG_TEXT("purpose", auth_purpose_name(link->purpose)),
	    TRL_ARG_TIME("now", trl_now(ctx)));
}

void
auth_letters_void(
    trl_ctx *ctx, trl_batch *work, struct trl_id account, enum auth_purpose purpose)
{
	trl_batch_add(work, &auth_sql_letters_void, NULL,
	    TRL_ARG_ID("account_id", account),
	    TRL_ARG_TEXT("purpose", auth_purpose_name(purpose)),
	    TRL_ARG_TIME("now", trl_now(ctx)));
}

/* Tells notify of the e-mail. Its token is in the event only sealed. */
static void
tell_letter(struct auth *self, trl_ctx *ctx, trl_batch *work, const auth_account *row,
    Auth__V1__LetterEvent__Purpose purpose, const char *token, int64_t expires_at)
{
	Auth__V1__LetterEvent *told = auth_v1_letter_event_new(ctx);

	trl_set(told, purpose, purpose);
	told->account = auth_show_account(ctx, row);
	told->has_sealed_token = true;
	told->sealed_token.data = trl_seal(
	    self->sealer, ctx->arena, token, strlen(token), &told->sealed_token.len);
	told->expires_at = trl_value_time(ctx, expires_at);
	trl_batch_event(work, &auth_event_letter_requested,
	    trl_value_id(row->account_id), &told->base);
}

void
auth_letter_begin(struct auth *self, trl_ctx *ctx, trl_batch *work,
    const auth_account *row, enum auth_purpose purpose, bool wanted)
{
	struct trl_id account = trl_value_id(row->account_id);
	int64_t now = trl_now(ctx), expires_at;
	uint8_t *hash = trl_arena_alloc(ctx->arena, AUTH_LETTER_HASH);
	char token[AUTH_LETTER_TEXT];

	expires_at = now + (purpose == AUTH_VERIFY ? AUTH_VERIFY_HOURS * 60
						   : AUTH_RESET_MINUTES) *
			       INT64_C(60000000);
	auth_letter_token_new(account, token, hash);
	trl_batch_add(work, &auth_sql_letter_insert, NULL,
	    TRL_ARG_ID("account_id", account), TRL_ARG_ID("letter_id", trl_new_id(ctx)),
	    TRL_ARG_TEXT("purpose", auth_purpose_name(purpose)),
	    TRL_ARG_BYTES("token_hash", hash, AUTH_LETTER_HASH),
	    TRL_ARG_TIME("now", now), TRL_ARG_TIME("letter_expires_at", expires_at));
	tell_letter(self, ctx, work, row,
	    !wanted                  ? AUTH__V1__LETTER_EVENT__PURPOSE__none
	    : purpose == AUTH_VERIFY ? AUTH__V1__LETTER_EVENT__PURPOSE__verify
				     : AUTH__V1__LETTER_EVENT__PURPOSE__reset,
	    token, expires_at);
	sodium_memzero(token, sizeof token);
}
