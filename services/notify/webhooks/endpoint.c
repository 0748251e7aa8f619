/* notify.CreateWebhookEndpoint, ListWebhookEndpoints, GetWebhookEndpoint,
 * UpdateWebhookEndpoint, DeleteWebhookEndpoint, RotateWebhookSecret - where an
 * organisation wants events posted.
 *
 * A URL is looked at when it is given, as far as that goes without resolving names;
 * what its name resolves to is looked at on each delivery. A secret is shown by the
 * answer that makes it and lies sealed from then on. */
#include <string.h>

#include <trl/change.h>
#include <trl/page.h>

#include "webhooks/webhooks.h"

static const char list_name[] = "notify.webhook_endpoints";

enum trl_code
notify_endpoint_read(struct notify *self, trl_ctx *ctx, ProtobufCBinaryData id,
    Notify__V1__WebhookEndpoint *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

	trl_batch_get(work, &notify_sql_webhook_endpoint_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("endpoint_id", trl_value_id(id)));
	return trl_batch_read(work);
}

void
notify_endpoint_show(Notify__V1__WebhookEndpoint *endpoint)
{
	endpoint->has_secret_sealed = endpoint->has_former_secret_sealed = false;
	endpoint->secret_sealed = (ProtobufCBinaryData){ 0 };
	endpoint->former_secret_sealed = (ProtobufCBinaryData){ 0 };
}

void
notify_endpoint_secret(
    struct notify *self, trl_ctx *ctx, Notify__V1__WebhookEndpoint *endpoint)
{
	size_t len;

	endpoint->secret = trl_arena_alloc(ctx->arena, NOTIFY_WEBHOOK_SECRET_TEXT);
	notify_webhook_secret(endpoint->secret);
	endpoint->secret_sealed.data = trl_seal(self->webhook_sealer, ctx->arena,
	    endpoint->secret, strlen(endpoint->secret), &len);
	endpoint->secret_sealed.len = len;
	endpoint->has_secret_sealed = true;
}

/* What stands in the audit chain: no secret, sealed or not. */
static const ProtobufCMessage *
audited(trl_ctx *ctx, const Notify__V1__WebhookEndpoint *endpoint)
{
	Notify__V1__WebhookEndpoint *copy =
	    trl_arena_memdup(ctx->arena, endpoint, sizeof *endpoint);

	notify_endpoint_show(copy);
	copy->secret = NULL;
	return &copy->base;
}

enum trl_code
notify_endpoint_store(struct notify *self, trl_ctx *ctx, const char *action,
    Notify__V1__WebhookEndpoint *changed)
{
	const int64_t former = changed->version;
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	Notify__V1__WebhookEndpoint *row;

	changed->version = former + 1;
	changed->updated_at = trl_value_time(ctx, trl_now(ctx));
	row = trl_arena_memdup(ctx->arena, changed, sizeof *changed);
	trl_batch_add(work, &notify_sql_webhook_endpoint_update, &row->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_INT("former_version", former));
	trl_batch_audit(work, action, trl_value_id(changed->id), "webhook_endpoint",
	    audited(ctx, changed));
	notify_endpoint_show(changed);
	return trl_batch_write(work, &changed->base);
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
static void
set_event_types(Notify__V1__WebhookEndpoint *endpoint, char **event_types, size_t n)
{
	static char *everything[] = { "*" };

	endpoint->event_types = n > 0 ? event_types : everything;
	endpoint->n_event_types = n > 0 ? n : 1;
}

static void
begin_endpoint(struct notify *self, trl_ctx *ctx,
    const Notify__V1__CreateWebhookEndpointRequest *in,
    Notify__V1__WebhookEndpoint *out)
{
	out->id = trl_value_bytes(ctx, trl_new_id(ctx));
	out->version = 1;
	out->has_id = out->has_version = out->has_status = true;
	out->url = in->url;
	set_event_types(out, in->event_types, in->n_event_types);
	out->description = in->description;
	out->status = NOTIFY__V1__WEBHOOK_ENDPOINT__STATUS__enabled;
	out->created_at = out->updated_at = trl_value_time(ctx, trl_now(ctx));
	notify_endpoint_secret(self, ctx, out);
}

/* Errors: TRL_INVALID (url, event_types), TRL_QUOTA, TRL_CONFLICT. */
enum trl_code
notify_create_webhook_endpoint(struct notify *self, trl_ctx *ctx,
    const Notify__V1__CreateWebhookEndpointRequest *in,
    Notify__V1__WebhookEndpoint *out)
{
	enum trl_code rc = check_url(self, ctx, in->url);
	Notify__V1__WebhookEndpoint *row;
	trl_batch *work;

	if (rc == TRL_OK)
		rc = notify_webhook_check_filters(
		    ctx, in->event_types, in->n_event_types);
	if (rc != TRL_OK)
		return rc;
	begin_endpoint(self, ctx, in, out);
	row = trl_arena_memdup(ctx->arena, out, sizeof *out);
	notify_endpoint_show(out);
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	trl_batch_add(work, &notify_sql_webhook_endpoint_room, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
	trl_batch_add(work, &notify_sql_webhook_endpoint_insert, &row->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
	trl_batch_audit(work, "notify.webhook_endpoint.create", trl_value_id(out->id),
	    "webhook_endpoint", audited(ctx, out));
	return trl_batch_write(work, &out->base);
}

/* Errors: TRL_INVALID (page_token). */
enum trl_code
notify_list_webhook_endpoints(struct notify *self, trl_ctx *ctx,
    const Notify__V1__ListWebhookEndpointsRequest *in,
    Notify__V1__ListWebhookEndpointsReply *out)
{
	struct trl_page page;
	enum trl_code rc;
	trl_batch *work;

	rc = trl_page_open(
	    ctx, list_name, ctx->tenant, in->page_size, in->page_token, &page);
	if (rc != TRL_OK)
		return rc;
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	trl_batch_get(work, &notify_sql_webhook_endpoints_list, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("after", page.after),
	    TRL_ARG_INT("limit", page.size + 1));
	rc = trl_batch_read(work);
	if (rc == TRL_OK && out->n_items > page.size) {
		out->n_items = page.size;
		out->next_page_token = trl_page_token_id(ctx, list_name, ctx->tenant,
		    trl_value_id(out->items[page.size - 1]->id));
	}
	return rc;
}

/* Errors: TRL_NOT_FOUND. */
enum trl_code
notify_get_webhook_endpoint(struct notify *self, trl_ctx *ctx,
    const Notify__V1__GetWebhookEndpointRequest *in, Notify__V1__WebhookEndpoint *out)
{
	enum trl_code rc = notify_endpoint_read(self, ctx, in->endpoint_id, out);

	if (rc == TRL_OK)
		notify_endpoint_show(out);
	return rc;
}

static bool
clears(const Notify__V1__UpdateWebhookEndpointRequest *in, const char *field)
{
	for (size_t i = 0; i < in->n_clear; i++)
		if (!strcmp(in->clear[i], field))
			return true;
	return false;
}

static void
set_status(trl_ctx *ctx, Notify__V1__WebhookEndpoint *endpoint,
    Notify__V1__WebhookEndpoint__Status status)
{
	if (endpoint->status == status)
		return;
	endpoint->status = status;
	endpoint->failing_since = NULL;
	endpoint->rests_until = NULL;
	if (status == NOTIFY__V1__WEBHOOK_ENDPOINT__STATUS__enabled) {
		endpoint->disabled_at = NULL;
		endpoint->disabled_reason = NULL;
		return;
	}
	endpoint->disabled_at = trl_value_time(ctx, trl_now(ctx));
	endpoint->disabled_reason = trl_arena_strdup(ctx->arena, "by hand");
}

static void
take_changes(trl_ctx *ctx, const Notify__V1__UpdateWebhookEndpointRequest *in,
    Notify__V1__WebhookEndpoint *endpoint)
{
	if (in->url && strcmp(in->url, endpoint->url) != 0) {
		endpoint->url = in->url;
		endpoint->failing_since = NULL;
		endpoint->rests_until = NULL;
	}
	if (in->n_event_types > 0 || clears(in, "event_types"))
		set_event_types(endpoint, in->event_types, in->n_event_types);
	if (in->description)
		endpoint->description = in->description;
	if (clears(in, "description"))
		endpoint->description = NULL;
	if (in->has_status)
		set_status(ctx, endpoint, in->status);
}

/* Errors: TRL_NOT_FOUND, TRL_INVALID (url, event_types), TRL_PRECONDITION (If-Match),
 * TRL_CONFLICT. */
enum trl_code
notify_update_webhook_endpoint(struct notify *self, trl_ctx *ctx,
    const Notify__V1__UpdateWebhookEndpointRequest *in,
    Notify__V1__WebhookEndpoint *out)
{
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	bool replayed;
	enum trl_code rc = trl_replay(ctx, self->pg, &out->base, &replayed);

	if (rc != TRL_OK || replayed)
		return rc;
	if (in->url)
		rc = check_url(self, ctx, in->url);
	if (rc == TRL_OK)
		rc = notify_webhook_check_filters(
		    ctx, in->event_types, in->n_event_types);
	if (rc == TRL_OK)
		rc = trl_change_begin(&change, ctx, trl_value_id(in->endpoint_id));
	if (rc != TRL_OK)
		return rc;
	do {
		notify__v1__webhook_endpoint__init(out);
		rc = notify_endpoint_read(self, ctx, in->endpoint_id, out);
		if (rc == TRL_OK)
			rc = trl_if_match(ctx, out->version);
		if (rc != TRL_OK)
			return rc;
		take_changes(ctx, in, out);
		rc = notify_endpoint_store(
		    self, ctx, "notify.webhook_endpoint.update", out);
	} while (trl_change_again(&change, &rc));
	return rc;
}

/* Errors: TRL_NOT_FOUND, TRL_PRECONDITION (If-Match), TRL_CONFLICT. */
enum trl_code
notify_delete_webhook_endpoint(struct notify *self, trl_ctx *ctx,
    const Notify__V1__DeleteWebhookEndpointRequest *in, Trellis__Empty *out)
{
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	bool replayed;
	enum trl_code rc = trl_replay(ctx, self->pg, &out->base, &replayed);

	if (rc != TRL_OK || replayed)
		return rc;
	rc = trl_change_begin(&change, ctx, trl_value_id(in->endpoint_id));
	if (rc != TRL_OK)
		return rc;
	do {
		Notify__V1__WebhookEndpoint before = NOTIFY__V1__WEBHOOK_ENDPOINT__INIT;
		trl_batch *work;

		rc = notify_endpoint_read(self, ctx, in->endpoint_id, &before);
		if (rc == TRL_OK)
			rc = trl_if_match(ctx, before.version);
		if (rc != TRL_OK)
			return rc;
		work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
		trl_batch_add(work, &notify_sql_webhook_endpoint_delete, &in->base,
		    TRL_ARG_ID("tenant_id", ctx->tenant),
		    TRL_ARG_INT("former_version", before.version));
		trl_batch_audit(work, "notify.webhook_endpoint.delete",
		    trl_value_id(in->endpoint_id), "webhook_endpoint", NULL);
		rc = trl_batch_write(work, &out->base);
	} while (trl_change_again(&change, &rc));
	return rc;
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT. */
enum trl_code
notify_rotate_webhook_secret(struct notify *self, trl_ctx *ctx,
    const Notify__V1__RotateWebhookSecretRequest *in, Notify__V1__WebhookEndpoint *out)
{
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	bool replayed;
	enum trl_code rc = trl_replay(ctx, self->pg, &out->base, &replayed);

	if (rc != TRL_OK || replayed)
		return rc;
	rc = trl_change_begin(&change, ctx, trl_value_id(in->endpoint_id));
	if (rc != TRL_OK)
		return rc;
	do {
		notify__v1__webhook_endpoint__init(out);
		rc = notify_endpoint_read(self, ctx, in->endpoint_id, out);
		if (rc != TRL_OK)
			return rc;
		out->former_secret_sealed = out->secret_sealed;
		out->has_former_secret_sealed = true;
		out->former_secret_until = trl_value_time(ctx,
		    trl_now(ctx) + NOTIFY_WEBHOOK_OVERLAP_HOURS * INT64_C(3600000000));
		notify_endpoint_secret(self, ctx, out);
		rc = notify_endpoint_store(
		    self, ctx, "notify.webhook_endpoint.rotate", out);
	} while (trl_change_again(&change, &rc));
	return rc;
}
