/* Letters, each written by an actor of its own after the commit. Links begin with
 * TRELLIS_PUBLIC_URL and never with what a request calls its Host; the token stands
 * behind the #, so that it reaches no server's log on the way. */
#include <stdlib.h>
#include <string.h>

#include <trl/log.h>

#include "auth.h"

struct errand {
	struct auth *self;
	char *to, *subject, *text;
};

static void
free_errand(struct errand **errand)
{
	if (!*errand)
		return;
	(*errand)->self->letters_out--;
	free((*errand)->to);
	free((*errand)->subject);
	free((*errand)->text);
	free(TRL_TAKE(*errand));
}

static char *
copy(const char *text)
{
	char *made = strdup(text);

	trl_assert(made);
	return made;
}

static void
run_errand(trl_ctx *ctx, void *arg)
{
	TRL_AUTO(free_errand) struct errand *errand = arg;
	struct trl_mail_letter letter = {
		.to = errand->to, .subject = errand->subject, .text = errand->text
	};

	ctx->service = "auth";
	if (trl_mail_send(ctx, errand->self->mail, &letter) == TRL_OK)
		return;
	trl_log(TRL_LOG_WARN, ctx, "a letter was not written",
	    TRL_LOG_STR("subject", letter.subject),
	    TRL_LOG_STR("error", ctx->err.message));
	trl_err_clear(ctx);
}

static void
auth_post(struct auth *self, trl_ctx *ctx, const char *to, const char *subject,
    const char *text)
{
	struct errand *errand = calloc(1, sizeof *errand);
	struct trl_spawn spec = { .name = "auth letter",
		.run = run_errand,
		.arg = errand,
		.timeout_ms = 10000 };

	trl_assert(errand);
	*errand = (struct errand){ self, copy(to), copy(subject), copy(text) };
	self->letters_out++;
	if (trl_spawn(self->loop, &spec) == TRL_OK)
		return;
	trl_log(TRL_LOG_WARN, ctx, "a letter was not written: too much goes on",
	    TRL_LOG_STR("subject", subject));
	free_errand(&errand);
}

static const char verify_words[] =
    "Welcome, %s.\n"
    "\n"
    "Follow this link to prove that this address is yours:\n"
    "\n"
    "%s/auth/email/verify#token=%s\n"
    "\n"
    "It works once, and for %d hours. If you did not sign up, leave it.\n";

static const char reset_words[] =
    "Somebody, probably you, %s, asked for a new password.\n"
    "\n"
    "Follow this link to set one:\n"
    "\n"
    "%s/auth/password/reset#token=%s\n"
    "\n"
    "It works once, and for %d minutes. It signs out every device. If you did not\n"
    "ask, leave it: your password stays as it is.\n";

void
auth_post_letter(struct auth *self, trl_ctx *ctx, const auth_account *row,
    enum auth_purpose purpose, const char *token)
{
	const char *url = self->config->public_url;

	if (purpose == AUTH_VERIFY)
		auth_post(self, ctx, row->email, "Confirm your address",
		    trl_arena_printf(ctx->arena, verify_words, row->display_name, url,
			token, AUTH_VERIFY_HOURS));
	else
		auth_post(self, ctx, row->email, "A new password",
		    trl_arena_printf(ctx->arena, reset_words, row->display_name, url,
			token, AUTH_RESET_MINUTES));
}
