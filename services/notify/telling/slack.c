/* slack.c - one post to an organisation's Slack, by its incoming webhook. What is told
 * there is the same summary as in the inbox. Where Slack says that the webhook is gone
 * (404, 410), it is not tried again. */
#include <string.h>

#include <trl/http_out.h>
#include <trl/json.h>

#include "telling/telling.h"

enum { AGAIN_US = 1000000 }; /* where this process is too busy to call */

static const uint32_t delays_s[] = { 2, 10, 60, 300, 1800, 3600 };

/* Of Slack's own marks, &, < and > are what a text may not hold. */
static void
add_text(struct trl_buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			trl_buf_adds(out, "&amp;");
		else if (*text == '<')
			trl_buf_adds(out, "&lt;");
		else if (*text == '>')
			trl_buf_adds(out, "&gt;");
		else
			trl_buf_add(out, text, 1);
	}
}

static void
write_post(struct trl_buf *out, const struct notify_outgoing *outgoing)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf text = { 0 };

	trl_buf_adds(&text, "*");
	add_text(&text, outgoing->message.subject);
	trl_buf_adds(&text, "*\n");
	add_text(&text, outgoing->message.summary);
	if (outgoing->link && *outgoing->link && *outgoing->message.action) {
		trl_buf_adds(&text, "\n<");
		add_text(&text, outgoing->link);
		trl_buf_adds(&text, "|");
		add_text(&text, outgoing->message.action);
		trl_buf_adds(&text, ">");
	}
	trl_buf_adds(out, "{\"text\":");
	trl_json_string(out, (const char *)text.data, text.len);
	trl_buf_adds(out, "}");
}

static enum trl_code
post(struct notify *self, trl_ctx *ctx, const struct notify_outgoing *outgoing)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	TRL_AUTO(trl_buf_fini) struct trl_buf body = { 0 };
	struct trl_http_call call = { .method = "POST", .headers = headers };
	struct trl_http_answer answer;
	enum trl_code rc;
	size_t len;

	call.url =
	    trl_unseal(self->slack, ctx->arena, outgoing->settings.slack_sealed.data,
		outgoing->settings.slack_sealed.len, &len);
	if (!call.url)
		return trl_job_give_up(ctx, "Slack's address cannot be opened");
	write_post(&body, outgoing);
	call.body = body.data;
	call.body_len = body.len;
	rc = trl_http_out_call(ctx, self->webhook_out, &call, &answer);
	if (rc == TRL_DENIED)
		return trl_job_give_up(ctx, ctx->err.message);
	if (rc == TRL_BUSY) /* Slack was not asked */
		return trl_job_again(ctx, trl_now(ctx) + AGAIN_US);
	if (rc != TRL_OK)
		return rc;
	if (answer.status == 404 || answer.status == 410 || answer.status == 403)
		return trl_job_give_up(ctx, "Slack no longer knows the webhook");
	if (answer.status / 100 != 2 && answer.retry_after_s > 0)
		trl_job_not_before(
		    ctx, trl_now(ctx) + answer.retry_after_s * INT64_C(1000000));
	if (answer.status / 100 != 2)
		return trl_fail(
		    ctx, TRL_UNAVAILABLE, "Slack answers %u", answer.status);
	return TRL_OK;
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	struct notify *self = state;
	const Notify__V1__Telling *telling = (const void *)job->payload;
	const struct trl_told_kind *kind;
	struct notify_outgoing outgoing;
	struct notify_fact fact;
	enum trl_code rc;

	rc = notify_told_read(ctx, telling->fact, telling->kind, &fact, &kind);
	if (rc != TRL_OK)
		return rc;
	notify__v1__settings__init(&outgoing.settings);
	rc = notify_settings_read(ctx, self->sys, job->tenant, &outgoing.settings);
	if (rc != TRL_OK || !outgoing.settings.has_slack_sealed)
		return rc;
	rc = notify_message_make(self, ctx, telling, kind, &fact, NULL, &outgoing);
	return rc == TRL_OK ? post(self, ctx, &outgoing) : rc;
}

const struct trl_job_kind notify_slack_job = {
	.name = "slack",
	.message = &notify_v1_telling_rules,
	.run = run,
	.attempts = 8,
	.slots = 64,
	.per_tenant = 8,
	.per_lane = 8, /* an organisation has one Slack */
	.delays_s = delays_s,
	.n_delays = TRL_COUNT(delays_s),
};
