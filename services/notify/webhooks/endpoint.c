/* What notify adds to a webhook endpoint (proto/trellis/notify/v1/notify.proto), which
 * is where an organisation wants events posted.
 *
 * A URL is looked at when it is given, as far as that goes without resolving names;
 * what its name resolves to is looked at on each delivery. A secret is shown by the
 * answer that makes it and lies sealed from then on. */
#include <string.h>

#include "webhooks.h"

enum trl_code
notify_endpoint_read(struct notify *self, trl_ctx *ctx, ProtobufCBinaryData id,
    Notify__V1__WebhookEndpoint *out)
{
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &notify_sql_webhook_endpoint_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", trl_value_id(id)));
}

void
notify_endpoint_show(Notify__V1__WebhookEndpoint *endpoint)
{
	trl_strip(&notify_v1_webhook_endpoint_rules, &endpoint->base);
}

static void
make_secret(struct notify *self, trl_ctx *ctx, Notify__V1__WebhookEndpoint *endpoint)
{
	ProtobufCBinaryData sealed;

	endpoint->secret = trl_arena_alloc(ctx->arena, NOTIFY_WEBHOOK_SECRET_TEXT);
	notify_webhook_secret(endpoint->secret);
	sealed.data = trl_seal(self->webhook_sealer, ctx->arena, endpoint->secret,
	    strlen(endpoint->secret), &sealed.len);
	trl_set(endpoint, secret_sealed, sealed);
}

static enum trl_code
check_url(struct notify *self, trl_ctx *ctx, const char *url)
{
	const char *wrong = trl_http_out_refused(self->webhook_out, url);

	if (!wrong)
		return TRL_OK;
	trl_err_violation(ctx, "/url", "It cannot be called: %s.", wrong);
	return trl_fail_field(
	    ctx, TRL_INVALID, "url", "The URL cannot be called: %s.", wrong);
}

/* None, or an empty list, stands for all. */
static enum trl_code
take_event_types(trl_ctx *ctx, Notify__V1__WebhookEndpoint *endpoint)
{
	static char *everything[] = { "*" };

	if (endpoint->n_event_types > 0)
		return notify_webhook_check_filters(
		    ctx, endpoint->event_types, endpoint->n_event_types);
	endpoint->event_types = everything;
	endpoint->n_event_types = 1;
	return TRL_OK;
}

/* What failed before counts no more. */
static void
begin_anew(Notify__V1__WebhookEndpoint *endpoint)
{
	endpoint->failing_since = NULL;
	endpoint->rests_until = NULL;
}

static void
take_status(trl_ctx *ctx, Notify__V1__WebhookEndpoint *endpoint)
{
	bool disabled =
	    endpoint->status == NOTIFY__V1__WEBHOOK_ENDPOINT__STATUS__disabled;

	begin_anew(endpoint);
	endpoint->disabled_at = disabled ? trl_value_time(ctx, trl_now(ctx)) : NULL;
	endpoint->disabled_reason =
	    disabled ? trl_arena_strdup(ctx->arena, "by hand") : NULL;
}

/* Errors: TRL_INVALID (url, event_types). */
enum trl_code
notify_judge_webhook_endpoint(struct notify *self, trl_ctx *ctx,
    const ProtobufCMessage *in, const Notify__V1__WebhookEndpoint *before,
    Notify__V1__WebhookEndpoint *after)
{
	enum trl_code rc = TRL_OK;

	(void)in;
	if (!after)
		return TRL_OK;
	if (!before || strcmp(before->url, after->url) != 0) {
		rc = check_url(self, ctx, after->url);
		begin_anew(after);
	}
	if (rc == TRL_OK && (!before || before->event_types != after->event_types ||
				after->n_event_types == 0))
		rc = take_event_types(ctx, after);
	if (rc != TRL_OK)
		return rc;
	if (!before)
		make_secret(self, ctx, after);
	else if (before->status != after->status)
		take_status(ctx, after);
	return TRL_OK;
}

enum trl_code
notify_rotate_webhook_secret(struct notify *self, trl_ctx *ctx,
    const Notify__V1__RotateWebhookSecretRequest *in,
    const Notify__V1__WebhookEndpoint *before, Notify__V1__WebhookEndpoint *after)
{
	(void)in;
	trl_set(after, former_secret_sealed, before->secret_sealed);
	after->former_secret_until = trl_value_time(
	    ctx, trl_now(ctx) + NOTIFY_WEBHOOK_OVERLAP_HOURS * INT64_C(3600000000));
	make_secret(self, ctx, after);
	return TRL_OK;
}
