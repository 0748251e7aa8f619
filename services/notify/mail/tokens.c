/* tokens.c - tokens that travel in links. Those of other services come sealed inside an
 * event and are opened only for the mail; the one that ends a kind of mail is ours:
 * account and kind, sealed, so that it is good for nothing else and tells nobody
 * anything. It does not expire: a mail is read when it is read. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "mail/mail.h"

static const char prefix[] = "tru_";

enum { KIND_MAX = 60 };

void
notify_tokens_open(struct notify *self, const uint8_t *seal_key)
{
	self->sealers = calloc(trl_told_kinds_count + 1, sizeof(trl_sealer *));
	trl_assert(self->sealers);
	for (size_t i = 0; i < trl_told_kinds_count; i++)
		if (trl_told_kinds[i].seal)
			self->sealers[i] =
			    trl_sealer_new(seal_key, trl_told_kinds[i].seal);
	self->unsubscribe = trl_sealer_new(seal_key, "notify unsubscribe");
}

void
notify_tokens_close(struct notify *self)
{
	for (size_t i = 0; self->sealers && i < trl_told_kinds_count; i++)
		trl_sealer_free(&self->sealers[i]);
	free(self->sealers);
	trl_sealer_free(&self->unsubscribe);
}

const char *
notify_token_open(struct notify *self, trl_ctx *ctx, const struct trl_told_kind *kind,
    const struct notify_fact *fact)
{
	const ProtobufCFieldDescriptor *field;
	const ProtobufCBinaryData *sealed;
	size_t len;

	if (!kind->seal)
		return NULL;
	field = protobuf_c_message_descriptor_get_field_by_name(
	    fact->type->message->descriptor, "sealed_token");
	if (!field || field->type != PROTOBUF_C_TYPE_BYTES)
		return NULL;
	sealed = (const void *)((const char *)fact->payload + field->offset);
	return trl_unseal(self->sealers[kind - trl_told_kinds], ctx->arena,
	    sealed->data, sealed->len, &len);
}

const char *
notify_unsubscribe_token(
    struct notify *self, trl_ctx *ctx, struct trl_id account, const char *kind)
{
	uint8_t plain[16 + KIND_MAX];
	const size_t len = strnlen(kind, KIND_MAX);
	size_t sealed_len, text_len;
	uint8_t *sealed;
	char *text;

	memcpy(plain, account.bytes, 16);
	memcpy(plain + 16, kind, len);
	sealed = trl_seal(self->unsubscribe, ctx->arena, plain, 16 + len, &sealed_len);
	text_len = sodium_base64_encoded_len(
	    sealed_len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	text = trl_arena_alloc(ctx->arena, text_len);
	sodium_bin2base64(text, text_len, sealed, sealed_len,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return trl_arena_printf(ctx->arena, "%s%s", prefix, text);
}

/* The token stands behind the #, so that it reaches no server's log on the way; the
 * page there posts it. */
const char *
notify_unsubscribe_page(struct notify *self, trl_ctx *ctx, const char *token)
{
	return token ? trl_arena_printf(ctx->arena, "%s/unsubscribe#%s",
			   self->config->public_url, token)
		     : NULL;
}

static bool
read_token(struct notify *self, trl_ctx *ctx, const char *token, struct trl_id *account,
    const char **kind)
{
	uint8_t sealed[256], *plain;
	size_t len;

	if (strncmp(token, prefix, sizeof prefix - 1) != 0)
		return false;
	token += sizeof prefix - 1;
	if (sodium_base642bin(sealed, sizeof sealed, token, strlen(token), NULL, &len,
		NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return false;
	plain = trl_unseal(self->unsubscribe, ctx->arena, sealed, len, &len);
	if (!plain || len <= 16)
		return false;
	memcpy(account->bytes, plain, 16);
	*kind = (const char *)plain + 16;
	return true;
}

/* RFC 8058: a mail program posts here for its reader, without asking them to sign in.
 *
 * Errors: TRL_MALFORMED (no token of ours), TRL_CONFLICT. */
enum trl_code
notify_unsubscribe(struct notify *self, trl_ctx *ctx,
    const Notify__V1__UnsubscribeRequest *in, Trellis__Empty *out)
{
	struct trl_id account;
	const char *kind;
	trl_batch *work;

	if (!read_token(self, ctx, in->token, &account, &kind))
		return trl_fail(ctx, TRL_MALFORMED, "This link is not one of ours.");
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(account));
	trl_batch_add(work, &notify_sql_preference_touch, NULL,
	    TRL_ARG_ID("account_id", account), TRL_ARG_TIME("now", trl_now(ctx)));
	trl_batch_add(work, &notify_sql_choice_off, NULL,
	    TRL_ARG_ID("account_id", account), TRL_ARG_TEXT("kind", kind));
	return trl_batch_write(work, &out->base);
}
