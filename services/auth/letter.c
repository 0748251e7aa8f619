/* The token of a letter's link: "trm_" and base64url of
 *
 *   account (16) | random (32)
 *
 * The account is inside because nothing of it can be read without its id. What lets
 * somebody in is the random part alone: only BLAKE2b-256 of the whole is kept, for a
 * purpose, until an hour, and it is good once. */
#include <string.h>

#include <sodium.h>

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

void
auth_letter_begin(trl_ctx *ctx, trl_batch *work, struct trl_id account,
    enum auth_purpose purpose, struct auth_letter *out)
{
	int64_t now = trl_now(ctx), lasts_us;
	uint8_t *hash = trl_arena_alloc(ctx->arena, AUTH_LETTER_HASH);

	lasts_us =
	    (purpose == AUTH_VERIFY ? AUTH_VERIFY_HOURS * 60 : AUTH_RESET_MINUTES) *
	    INT64_C(60000000);
	out->purpose = purpose;
	auth_letter_token_new(account, out->token, hash);
	trl_batch_add(work, &auth_sql_letter_insert, NULL,
	    TRL_ARG_ID("account_id", account), TRL_ARG_ID("letter_id", trl_new_id(ctx)),
	    TRL_ARG_TEXT("purpose", auth_purpose_name(purpose)),
	    TRL_ARG_BYTES("token_hash", hash, AUTH_LETTER_HASH),
	    TRL_ARG_TIME("now", now),
	    TRL_ARG_TIME("letter_expires_at", now + lasts_us));
}
