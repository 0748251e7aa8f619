/* mail.c - one mail to one address. The job makes the mail anew each time it runs, so
 * the token of a link is in no row in clear, and a name that changed is the new one.
 * Killed between the server's answer and the record it is sent again, with the same
 * Message-ID.
 *
 * A server that refuses the recipient or the text for good (5xx) ends it; where it says
 * that the address does not exist, none of ours goes there for a month. All else is
 * tried again: it is about us or the hour. What waited, until quiet hours ended or a
 * server came back, is sent only where it is wanted still. */
#include <string.h>

#include <trl/http_out.h>
#include <trl/log.h>

#include "mail/mailbox.h"
#include "mail/mime.h"
#include "notify.h"

enum {
	HELD_DAYS = 30,
	RECORD_PAUSE_MAX_MS = 6400,
	WRITTEN_ON_LOOP = 16 * 1024 /* bytes of a mail's two bodies */
};

static const uint32_t delays_s[] = { 5, 30, 120, 600, 1800, 3600, 7200, 14400 };

static enum trl_code
is_held(struct notify *self, trl_ctx *ctx, const char *email, bool *held)
{
	Notify__V1__Held row = NOTIFY__V1__HELD__INIT;
	trl_batch *work = trl_batch_new(ctx, self->sys, (struct trl_scope){ 0 });
	enum trl_code rc;

	trl_batch_get(work, &notify_sql_suppression_get, NULL, &row.base,
	    TRL_ARG_TEXT("email", email), TRL_ARG_TIME("now", trl_now(ctx)));
	rc = trl_batch_read(work);
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

/* Said of the recipient alone, and by its status: whoever may write a mail's text could
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
	struct trl_smtp_letter letter = {
		.url = self->config->smtp_url,
		.helo = self->helo,
		.user = self->config->smtp_user,
		.password = self->smtp_password,
		.from = self->from_address,
		.to = posting->to,
		.message = mail->data,
		.message_len = mail->len,
	};
	struct trl_smtp_answer answer = { 0 };
	enum trl_code rc = trl_smtp_send(ctx, self->out, &letter, &answer);

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
    const struct notify_letter *letter, struct trl_buf *out)
{
	const struct notify_mail mail = {
		.from_name = letter->sender,
		.from = self->from_address,
		.to = posting->to,
		.reply_to = letter->settings.reply_to,
		.subject = letter->message.subject,
		.text = letter->message.text,
		.html = letter->message.html,
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
    const struct notify_letter *letter)
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
	rc = write_mail(self, ctx, posting, letter, &mail);
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

/* ---- the job --------------------------------------------------------------------- */

static struct notify_posting
posting_of(const struct trl_job *job, const Notify__V1__Telling *telling)
{
	return (struct notify_posting){ .tenant = job->tenant,
		.id = trl_value_id(telling->delivery_id),
		.kind = telling->kind,
		.at_us = job->made_at_us,
		.attempt = job->attempt };
}

static bool
may_be_turned_off(const Notify__V1__Telling *telling, const struct trl_told_kind *kind)
{
	return !kind->mandatory && telling->has_account_id;
}

/* The usual mail runs at the time it was made. */
static bool
has_waited(const struct trl_job *job)
{
	return job->run_at_us > job->made_at_us;
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	struct notify *self = state;
	const Notify__V1__Telling *telling = (const void *)job->payload;
	struct notify_posting posting = posting_of(job, telling);
	const struct trl_told_kind *kind;
	struct notify_letter letter;
	struct notify_fact fact;
	bool wanted = true;
	enum trl_code rc;

	rc = notify_told_read(ctx, telling->fact, telling->kind, &fact, &kind);
	if (rc != TRL_OK)
		return rc;
	if (may_be_turned_off(telling, kind))
		posting.unsubscribe = notify_unsubscribe_token(
		    self, ctx, trl_value_id(telling->account_id), kind->name);
	rc = notify_message_make(self, ctx, telling, kind, &fact,
	    notify_unsubscribe_page(self, ctx, posting.unsubscribe), &letter);
	if (rc == TRL_OK && may_be_turned_off(telling, kind) && has_waited(job))
		rc = notify_wants_still(self, ctx, telling, kind, &letter, &wanted);
	if (rc != TRL_OK)
		return rc;
	posting.to = letter.person.email;
	if (!wanted) {
		record(
		    self, ctx, &posting, "suppressed", "turned off meanwhile", false);
		return TRL_OK;
	}
	return notify_post(self, ctx, &posting, &letter);
}

static enum trl_code
dead(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	const Notify__V1__Telling *telling = (const void *)job->payload;
	struct notify_posting posting = posting_of(job, telling);
	trl_batch *work = trl_batch_new(
	    ctx, ((struct notify *)state)->sys, TRL_SCOPE_TENANT(posting.tenant));

	trl_batch_add(work, &notify_sql_delivery_fail, NULL,
	    TRL_ARG_ID("tenant_id", posting.tenant),
	    TRL_ARG_ID("delivery_id", posting.id), TRL_ARG_TIME("now", trl_now(ctx)));
	return trl_batch_write_unrecorded(work);
}

const struct trl_job_kind notify_mail_job = {
	.name = "mail",
	.message = &notify_v1_telling_rules,
	.run = run,
	.dead = dead,
	.attempts = 12,
	.slots = 24, /* with the digests', no more than conversations (http_out.h) */
	.per_tenant = 12,
	.per_lane = 6,
	.timeout_ms = 60000,
	.delays_s = delays_s,
	.n_delays = TRL_COUNT(delays_s),
};
