/* post.c - one mail to one address, and the record of what became of it.
 *
 * A server that refuses the recipient or the text for good (5xx) ends it; where it says
 * that the address does not exist, none of ours goes there for a month. All else is
 * tried again: it is about us or the hour. */
#include <string.h>

#include <trl/http_out.h>
#include <trl/log.h>

#include "mail/mail.h"

enum {
	HELD_DAYS = 30,
	RECORD_PAUSE_MAX_MS = 6400,
	WRITTEN_ON_LOOP = 16 * 1024 /* bytes of a mail's two bodies */
};

static enum trl_code
is_held(struct notify *self, trl_ctx *ctx, const char *email, bool *held)
{
	Notify__V1__Held row = NOTIFY__V1__HELD__INIT;
	enum trl_code rc;

	rc = trl_batch_get_one(ctx, self->sys, TRL_SCOPE_NOBODY,
	    &notify_sql_suppression_get, NULL, &row.base, TRL_ARG_TEXT("email", email),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	*held = rc == TRL_OK && row.held > 0;
	return rc;
}

static enum trl_code
write_record(struct notify *self, trl_ctx *ctx, const struct notify_posting *posting,
    const char *status, const char *detail, bool hold)
{
	trl_batch *work =
	    trl_batch_new(ctx, self->sys, TRL_SCOPE_TENANT(posting->tenant));

	trl_batch_add(work, &notify_sql_delivery_update, NULL,
	    TRL_ARG_ID("tenant_id", posting->tenant),
	    TRL_ARG_ID("delivery_id", posting->id), TRL_ARG_TEXT("status", status),
	    TRL_ARG_INT("attempts", posting->attempt), TRL_ARG_TEXT("detail", detail),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	if (hold)
		trl_batch_add(work, &notify_sql_suppression_put, NULL,
		    TRL_ARG_TEXT("email", posting->to), TRL_ARG_TEXT("reason", detail),
		    TRL_ARG_TIME("now", trl_now(ctx)),
		    TRL_ARG_TIME(
			"until", trl_now(ctx) + HELD_DAYS * INT64_C(86400000000)));
	return trl_batch_write_unrecorded(work);
}

/* What became of it, written as soon as PostgreSQL is there. A row that cannot be
 * written for so long is no reason to send it twice. */
static void
record(struct notify *self, trl_ctx *ctx, const struct notify_posting *posting,
    const char *status, const char *detail, bool hold)
{
	trl_series_add(trl_series_at(self->mails, status), 1);
	for (uint32_t pause_ms = 100; pause_ms <= RECORD_PAUSE_MAX_MS; pause_ms *= 2) {
		if (write_record(self, ctx, posting, status, detail, hold) == TRL_OK)
			return;
		trl_err_clear(ctx);
		if (trl_sleep(ctx, pause_ms) != TRL_OK)
			break;
	}
	trl_log(TRL_LOG_WARN, ctx, "a mail's record was not written",
	    TRL_LOG_ID("delivery", posting->id), TRL_LOG_STR("status", status));
	trl_err_clear(ctx);
}

/* Said of the recipient only, and by its status: whoever may write a mail's text could
 * else have anybody's address held, and a relay that is set up wrongly, which says the
 * same words of all, everybody's. 5.1.0 does not say whose address is wrong. */
static bool
says_there_is_no_such_address(const struct trl_smtp_answer *answer)
{
	if (answer->stage != TRL_SMTP_RCPT ||
	    (answer->code != 550 && answer->code != 551 && answer->code != 553))
		return false;
	return !strncmp(answer->status, "5.1.", 4) &&
	       strcmp(answer->status, "5.1.0") != 0 &&
	       !strcasestr(answer->text, "relay");
}

/* Whether a refusal is of this mail, and not of how we speak (500, 502, 504). */
static bool
is_of_this_mail(unsigned code)
{
	return code >= 550 && code <= 554;
}

static enum trl_code
send_by_smtp(struct notify *self, trl_ctx *ctx, const struct notify_posting *posting,
    const struct trl_buf *mail, bool *refused)
{
	struct trl_smtp_mail smtp = {
		.url = self->config->smtp_url,
		.helo = self->helo,
		.user = self->config->smtp_user,
		.password = self->smtp_password ? self->smtp_password->text : NULL,
		.from = self->from_address,
		.to = posting->to,
		.message = mail->data,
		.message_len = mail->len,
	};
	struct trl_smtp_answer answer = { 0 };
	enum trl_code rc = trl_smtp_send(ctx, self->out, &smtp, &answer);

	if (rc != TRL_DENIED || !is_of_this_mail(answer.code)) {
		if (rc == TRL_DENIED) {
			trl_err_clear(ctx);
			rc = trl_fail(ctx, TRL_UNAVAILABLE,
			    "the mail server refuses us: %s", answer.text);
		}
		return rc;
	}
	trl_err_clear(ctx);
	record(self, ctx, posting, "refused", answer.text,
	    says_there_is_no_such_address(&answer));
	*refused = true;
	return TRL_OK;
}

struct writing {
	const struct notify_mail *mail;
	struct trl_buf *out;
};

static void
write_on_thread(void *arg)
{
	const struct writing *writing = arg;

	notify_mime_write(writing->mail, writing->out);
}

/* A large one on a thread: encoding takes some 30 ns a byte. */
static enum trl_code
write_mail(struct notify *self, trl_ctx *ctx, const struct notify_posting *posting,
    const struct notify_outgoing *outgoing, struct trl_buf *out)
{
	const struct notify_mail mail = {
		.from_name = outgoing->sender,
		.from = self->from_address,
		.to = posting->to,
		.reply_to = outgoing->settings.reply_to,
		.subject = outgoing->message.subject,
		.text = outgoing->message.text,
		.html = outgoing->message.html,
		.id = posting->id,
		.at_us = posting->at_us,
		.unsubscribe =
		    posting->unsubscribe
			? trl_arena_printf(ctx->arena, "%s/api/v1/unsubscribe/%s",
			      self->config->public_url, posting->unsubscribe)
			: NULL,
		.eight_bit = self->mailbox != NULL,
	};

	struct writing writing = { &mail, out };

	if (strlen(mail.text) + strlen(mail.html) > WRITTEN_ON_LOOP)
		return trl_offload(ctx, &self->words, write_on_thread, &writing);
	notify_mime_write(&mail, out);
	return TRL_OK;
}

enum trl_code
notify_post(struct notify *self, trl_ctx *ctx, const struct notify_posting *posting,
    const struct notify_outgoing *outgoing)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf mail = { 0 };
	const char *wrong = notify_address_wrong(posting->to);
	bool held = false, refused = false;
	enum trl_code rc = TRL_OK;

	if (wrong) {
		record(self, ctx, posting, "refused", wrong, false);
		return TRL_OK;
	}
	rc = is_held(self, ctx, posting->to, &held);
	if (rc != TRL_OK)
		return rc;
	if (held) {
		record(self, ctx, posting, "suppressed", "", false);
		return TRL_OK;
	}
	if (!self->out && !self->mailbox) {
		record(self, ctx, posting, "failed",
		    "there is neither a mail server nor a mailbox", false);
		return TRL_OK;
	}
	rc = write_mail(self, ctx, posting, outgoing, &mail);
	if (rc != TRL_OK)
		return rc;
	if (self->out)
		rc = send_by_smtp(self, ctx, posting, &mail, &refused);
	else
		rc = notify_mailbox_put(ctx, self->mailbox, posting->id, &mail);
	if (rc == TRL_OK && !refused)
		record(self, ctx, posting, "sent", "", false);
	else if (rc != TRL_OK)
		trl_series_add(trl_series_at(self->mails, "put_off"), 1);
	return rc;
}

void
notify_post_leave_out(struct notify *self, trl_ctx *ctx,
    const struct notify_posting *posting, const char *why)
{
	record(self, ctx, posting, "suppressed", why, false);
}
