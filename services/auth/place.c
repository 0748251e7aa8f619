/* place.c - where an account was signed in to before. Anybody can try passwords for an
 * address that they know, and so use up what may be tried for it. So its owner is not
 * among those: whoever comes from an address (of IPv6 a /64) from which the account was
 * signed in to, or with a session of it, is counted apart from all others. A link that
 * came by mail makes a place known as well, so the owner gets in from anywhere.
 *
 * Of an address a hash is kept, under a key that is not in PostgreSQL and together with
 * the account: nobody can tell from the table who shares an address with whom. */
#include <string.h>

#include <sodium.h>

#include "auth.h"

trl_secret *
auth_place_key(const uint8_t *seal_key)
{
	static const char purpose[] = "auth place";
	uint8_t key[AUTH_PLACE_KEY];
	trl_secret *secret;

	crypto_generichash(key, sizeof key, (const uint8_t *)purpose,
	    sizeof purpose - 1, seal_key, TRL_SEAL_KEY);
	secret = trl_secret_new(key, sizeof key);
	sodium_memzero(key, sizeof key);
	return secret;
}

void
auth_place(const struct auth *self, const trl_ctx *ctx, struct trl_id account,
    uint8_t out[AUTH_PLACE])
{
	uint8_t text[sizeof account.bytes + 16];
	size_t len;

	memcpy(text, account.bytes, sizeof account.bytes);
	len = trl_access_address(ctx->principal.address ? ctx->principal.address : "",
	    text + sizeof account.bytes);
	crypto_generichash(out, AUTH_PLACE, text, sizeof account.bytes + len,
	    trl_secret_bytes(self->place_key), trl_secret_len(self->place_key));
}

void
auth_place_remember(
    struct auth *self, trl_ctx *ctx, trl_batch *work, struct trl_id account)
{
	uint8_t *place = trl_arena_alloc(ctx->arena, AUTH_PLACE);

	auth_place(self, ctx, account, place);
	trl_batch_add(work, &auth_sql_place_remember, NULL,
	    TRL_ARG_ID("account_id", account),
	    TRL_ARG_BYTES("place", place, AUTH_PLACE),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	trl_batch_add(work, &auth_sql_place_prune, NULL,
	    TRL_ARG_ID("account_id", account), TRL_ARG_INT("keep", AUTH_PLACES_MAX));
}

enum trl_code
auth_place_limit(struct auth *self, trl_ctx *ctx, const char *rate, const char *email,
    const auth_account *row)
{
	struct trl_id account = trl_value_id(row->account_id);
	char hex[2 * AUTH_PLACE + 1];
	uint8_t place[AUTH_PLACE];

	if (ctx->principal.kind == TRL_PERSON &&
	    trl_id_eq(ctx->principal.account, account))
		memcpy(place, ctx->principal.session.bytes, sizeof place);
	else if (row->known_place)
		auth_place(self, ctx, account, place);
	else
		return trl_access_limit_name(ctx, self->access, rate, email);
	sodium_bin2hex(hex, sizeof hex, place, sizeof place);
	return trl_access_limit_known(
	    ctx, self->access, rate, trl_arena_printf(ctx->arena, "%s %s", email, hex));
}
