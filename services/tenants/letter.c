/* The invitation's letter. The link's token stands behind the #, so that it
 * reaches no server's log on the way; the page there posts it. */
#include <trl/log.h>

#include "tenants.h"

static const char words[] =
    "You are invited to join %s as %s.\n"
    "\n"
    "Sign in with this address, or sign up with it, and follow the link:\n"
    "\n"
    "%s/invitations/accept#token=%s\n"
    "\n"
    "It works once, and until %s. If you do not know why you got this letter,\n"
    "leave it.\n";

void
tenants_invitation_mail(struct tenants *self, trl_ctx *ctx,
    const tenants_invitation *invitation, const char *tenant_name, const char *token)
{
	char until[TRL_TIME_TEXT];
	struct trl_mail_letter letter = { .to = invitation->email };

	trl_time_format(trl_value_time_us(invitation->expires_at), until);
	letter.subject = trl_arena_printf(ctx->arena, "Join %s", tenant_name);
	letter.text = trl_arena_printf(ctx->arena, words, tenant_name,
	    tenants_role_name(invitation->role), self->config->public_url, token,
	    until);
	if (trl_mail_send(ctx, self->mail, &letter) == TRL_OK)
		return;
	trl_log(TRL_LOG_WARN, ctx, "an invitation's letter was not sent",
	    TRL_LOG_ID("invitation", trl_value_id(invitation->id)),
	    TRL_LOG_STR("error", ctx->err.message));
	trl_err_clear(ctx);
}
