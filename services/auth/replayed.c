/* A change that is answered with its stored reply: whoever it may have been about has
 * copies forgotten again, for the run that stored it may have been killed before it did
 * so. Which account that is, only the request tells where it came without a session. */
#include "auth.h"

void
auth_replayed(void *state, trl_ctx *ctx, const ProtobufCMessage *in,
    const ProtobufCMessage *reply)
{
	struct auth *self = state;
	struct trl_id account = ctx->principal.account;
	uint8_t hash[AUTH_LETTER_HASH];

	if (ctx->method == &auth_v1_log_in)
		account = trl_value_id(((const auth_signed_in *)reply)->account->id);
	else if (ctx->method == &auth_v1_verify_email)
		(void)auth_letter_token_read(
		    ((const Auth__V1__VerifyEmailRequest *)in)->token, &account, hash);
	else if (ctx->method == &auth_v1_reset_password)
		(void)auth_letter_token_read(
		    ((const Auth__V1__ResetPasswordRequest *)in)->token, &account,
		    hash);
	if (!trl_id_is_nil(account))
		trl_access_changes_account(ctx, self->access, account);
	if (!trl_id_is_nil(ctx->tenant))
		trl_access_changes_tenant(ctx, self->access, ctx->tenant);
}
