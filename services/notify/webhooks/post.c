/* post.c - one request to an endpoint, signed, and what came of it in words.
 * What an answer says is another's text: of it the beginning is kept, made harmless. */
#include <stdio.h>
#include <string.h>

#include <trl/clock.h>
#include <trl/utf8.h>

#include "webhooks/webhooks.h"

/* A signature by a sealed secret, behind what out holds; wiped from the arena. */
static bool
add_signature(trl_ctx *ctx, const struct notify_webhook_attempt *attempt,
    ProtobufCBinaryData sealed, char *out)
{
	const Notify__V1__WebhookDelivery *delivery = attempt->delivery;
	const struct notify_webhook_signed what = { .id = delivery->webhook_id,
		.at_s = attempt->began_us / 1000000,
		.body = delivery->request_body,
		.len = strlen(delivery->request_body) };
	size_t len;
	char *secret = trl_unseal(
	    attempt->self->webhook_sealer, ctx->arena, sealed.data, sealed.len, &len);
	bool fine;

	if (!secret)
		return false;
	if (*out != '\0')
		strcat(out, " ");
	fine = notify_webhook_sign(secret, &what, out + strlen(out));
	explicit_bzero(secret, len);
	return fine;
}

/* Both secrets sign while one takes over from the other, the new one first. */
static const char *
sign(trl_ctx *ctx, const struct notify_webhook_attempt *attempt)
{
	static const char name[] = "webhook-signature: ";
	const Notify__V1__WebhookEndpoint *endpoint = &attempt->endpoint;
	char text[2 * NOTIFY_WEBHOOK_SIGNATURE_TEXT] = "";

	if (!add_signature(ctx, attempt, endpoint->secret_sealed, text))
		return NULL;
	if (endpoint->has_former_secret_sealed &&
	    trl_value_time_us(endpoint->former_secret_until) > attempt->began_us &&
	    !add_signature(ctx, attempt, endpoint->former_secret_sealed, text))
		return NULL;
	return trl_arena_printf(ctx->arena, "%s%s", name, text);
}

static enum trl_code
post(trl_ctx *ctx, struct notify_webhook_attempt *attempt)
{
	const Notify__V1__WebhookDelivery *delivery = attempt->delivery;
	const char *headers[] = {
		"content-type: application/cloudevents+json; charset=utf-8",
		"user-agent: Trellis-Webhooks/1",
		trl_arena_printf(ctx->arena, "webhook-id: %s", delivery->webhook_id),
		trl_arena_printf(ctx->arena, "webhook-timestamp: %lld",
		    (long long)(attempt->began_us / 1000000)),
		sign(ctx, attempt),
		NULL,
	};

	if (!headers[4])
		return trl_fail(ctx, TRL_INTERNAL,
		    "the endpoint's secret cannot be opened by this seal key");
	return trl_http_out_call(ctx, attempt->self->webhook_out,
	    &(const struct trl_http_call){ .method = "POST",
		.url = attempt->endpoint.url,
		.headers = headers,
		.body = delivery->request_body,
		.body_len = strlen(delivery->request_body),
		.timeout_ms = NOTIFY_WEBHOOK_TIMEOUT_MS,
		.max_reply = NOTIFY_WEBHOOK_ANSWER_BYTES },
	    &attempt->answer);
}

/* Notes what came, in words for the log of deliveries. */
static void
judge(trl_ctx *ctx, struct notify_webhook_attempt *attempt, enum trl_code rc)
{
	const unsigned status = attempt->answer.status;

	if (rc != TRL_OK) {
		attempt->answer = (struct trl_http_answer){ 0 };
		/* It may hold what a certificate says, cut off anywhere. */
		snprintf(attempt->error, sizeof attempt->error, "%s", ctx->err.message);
		trl_utf8_clean(attempt->error, strlen(attempt->error), "\t");
		trl_err_clear(ctx);
	} else if (status >= 300 && status < 400) {
		snprintf(attempt->error, sizeof attempt->error,
		    "the endpoint answered %u; redirects are not followed", status);
	} else if (status < 200 || status > 299) {
		snprintf(attempt->error, sizeof attempt->error,
		    "the endpoint answered %u", status);
	}
}

static void
count(const struct notify_webhook_attempt *attempt)
{
	const struct notify *self = attempt->self;

	trl_series_add(attempt->error[0] == '\0' ? self->webhooks.succeeded
		       : attempt->answer.status  ? self->webhooks.failed
						 : self->webhooks.unreachable,
	    1);
}

/* The beginning of an answer as text that can be kept: what is no UTF-8, or steers a
 * terminal, becomes a question mark. */
static const char *
shown(trl_ctx *ctx, const struct trl_http_answer *answer)
{
	const size_t most = answer->body_len < NOTIFY_WEBHOOK_SHOWN_BYTES
				? answer->body_len
				: NOTIFY_WEBHOOK_SHOWN_BYTES;
	char *text = trl_arena_alloc(ctx->arena, most + 1);

	memcpy(text, answer->body, most);
	trl_utf8_clean(text, most, "\t\n\r");
	text[most] = '\0';
	return text;
}

enum trl_code
notify_webhook_post(trl_ctx *ctx, struct notify_webhook_attempt *attempt)
{
	const uint64_t began_us = trl_mono_us();
	const enum trl_code rc = post(ctx, attempt);

	if (rc == TRL_BUSY || rc == TRL_INTERNAL || ctx->cancelled)
		return rc;
	attempt->took_ms = (uint32_t)((trl_mono_us() - began_us) / 1000);
	judge(ctx, attempt, rc);
	count(attempt);
	if (attempt->answer.status)
		attempt->shown = shown(ctx, &attempt->answer);
	return TRL_OK;
}
