/* Mails to people outside: whoever causes one. An invitation, its resending and adding
 * a member write to an address that the caller names, so that without bounds this would
 * be a relay for strangers: the address behind the caller must be proven, and what is
 * counted is the account's, whichever tenant or API key it goes through, and the
 * recipient's, whoever writes. What such a mail looks like is notify's. */
#include "tenants.h"

/* The account behind the caller; whether its address is proven. A key tells only whose
 * it is; one that was made by a key tells nobody. */
static enum trl_code
read_sender(struct tenants *self, trl_ctx *ctx, bool *proven)
{
	struct tenants_person person = { 0 };
	bool found = false;
	enum trl_code rc = TRL_OK;

	*proven = ctx->principal.verified;
	if (ctx->principal.kind != TRL_KEY)
		return TRL_OK;
	if (!trl_id_is_nil(ctx->principal.account))
		rc = tenants_person_by_id(
		    self, ctx, ctx->principal.account, &person, &found);
	*proven = found && person.verified;
	return rc;
}

enum trl_code
tenants_may_reach(struct tenants *self, trl_ctx *ctx, const char *email)
{
	char account[TRL_ID_TEXT];
	bool proven;
	enum trl_code rc;

	if (ctx->principal.kind == TRL_OPERATOR)
		return TRL_OK;
	rc = read_sender(self, ctx, &proven);
	if (rc == TRL_OK && !proven)
		rc = trl_fail(ctx, TRL_DENIED,
		    ctx->principal.kind == TRL_KEY
			? "An API key can have e-mails sent to others only if the "
			  "person who created it has a verified address."
			: "Verify your own address before you write to others.");
	if (rc != TRL_OK)
		return rc;
	trl_id_format(ctx->principal.account, account);
	rc = trl_access_limit_name(ctx, self->access, "invite", account);
	return rc == TRL_OK
		   ? trl_access_limit_recipient(ctx, self->access, "invite", email)
		   : rc;
}
