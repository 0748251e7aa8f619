/* queue.c - how deliveries begin: a published event is applied, somebody asks
 * for a test (notify.TestWebhookEndpoint) or for a delivery once more
 * (notify.ReplayWebhookDelivery). A delivery and its job are written in one
 * transaction; the event's, the first time, so that each event makes one delivery for
 * each endpoint, whatever is killed in between.
 *
 * An organisation may have many endpoints that all want all of it: what an event says
 * is made and sent once, however many they are. For one that is disabled the delivery
 * is kept and no job is made: once enabled, it can be replayed.
 *
 * The webhook-id is made of the event and the endpoint, so that it is the same in every
 * attempt and replay, and a receiver knows what it has seen. */
#include <string.h>

#include "feed/feed.h"
#include "webhooks/webhooks.h"

/* What is common to the deliveries of one event. */
struct told {
	struct trl_id event;
	const char *type;
	const char *body;
};

static char *
webhook_id(trl_ctx *ctx, struct trl_id endpoint, const struct told *told)
{
	char event_text[TRL_ID_TEXT], endpoint_text[TRL_ID_TEXT];

	trl_id_format(told->event, event_text);
	trl_id_format(endpoint, endpoint_text);
	return trl_arena_printf(ctx->arena, "%s_%s", event_text, endpoint_text);
}

static Notify__V1__WebhookDelivery *
new_delivery(trl_ctx *ctx, struct trl_id endpoint, const struct told *told)
{
	Notify__V1__WebhookDelivery *delivery = notify_v1_webhook_delivery_new(ctx);

	trl_set(delivery, id, trl_value_bytes(ctx, trl_new_id(ctx)));
	trl_set(delivery, endpoint_id, trl_value_bytes(ctx, endpoint));
	trl_set(delivery, event_id, trl_value_bytes(ctx, told->event));
	delivery->event_type = trl_arena_strdup(ctx->arena, told->type);
	delivery->webhook_id = webhook_id(ctx, endpoint, told);
	delivery->request_body = trl_arena_strdup(ctx->arena, told->body);
	delivery->created_at = trl_value_time(ctx, trl_now(ctx));
	trl_set(delivery, status, NOTIFY__V1__WEBHOOK_DELIVERY__STATUS__waiting);
	return delivery;
}

static const ProtobufCMessage *
due(trl_ctx *ctx, struct trl_id delivery)
{
	Notify__V1__WebhookDue *payload = notify_v1_webhook_due_new(ctx);

	trl_set(payload, delivery_id, trl_value_bytes(ctx, delivery));
	return &payload->base;
}

/* An endpoint's deliveries are of one lane. */
static struct trl_job_terms
terms_for(struct trl_id endpoint)
{
	return (struct trl_job_terms){ .lane = endpoint };
}

static const char *
body_of(trl_ctx *ctx, const struct trl_event *event)
{
	return notify_cloud_event(
	    ctx, &(const struct notify_cloud_event){ .id = event->id,
		     .type = event->type_name,
		     .at_us = event->at_us,
		     .subject = event->subject,
		     .tenant = event->tenant,
		     .rules = event->type->message,
		     .payload = event->payload });
}

/* The endpoints that an event is told to. */
struct hearers {
	struct trl_id *deliveries, *endpoints;
	const char **webhook_ids, **statuses;
	size_t n;
};

static const char waiting[] = "waiting", kept[] = "cancelled";

static struct hearers
hearers_of(trl_ctx *ctx, const struct trl_event *event, const struct told *told,
    const Notify__V1__ListWebhookEndpointsReply *endpoints)
{
	const size_t most = endpoints->n_items;
	struct hearers out = {
		.deliveries = trl_arena_alloc(ctx->arena, most * sizeof(struct trl_id)),
		.endpoints = trl_arena_alloc(ctx->arena, most * sizeof(struct trl_id)),
		.webhook_ids = trl_arena_alloc(ctx->arena, most * sizeof(char *)),
		.statuses = trl_arena_alloc(ctx->arena, most * sizeof(char *)),
	};

	for (size_t i = 0; i < most; i++) {
		const Notify__V1__WebhookEndpoint *endpoint = endpoints->items[i];
		const struct trl_id id = trl_value_id(endpoint->id);

		if (!notify_webhook_wants(endpoint, event->type_name))
			continue;
		out.statuses[out.n] =
		    endpoint->status == NOTIFY__V1__WEBHOOK_ENDPOINT__STATUS__enabled
			? waiting
			: kept;
		out.deliveries[out.n] = trl_new_id(ctx);
		out.endpoints[out.n] = id;
		out.webhook_ids[out.n++] = webhook_id(ctx, id, told);
	}
	return out;
}

static const struct trl_arg *
deliveries(trl_ctx *ctx, const struct trl_event *event, const struct told *told,
    const struct hearers *to)
{
	const struct trl_arg args[] = {
		TRL_ARG_ID("tenant_id", event->tenant),
		TRL_ARG_ID("event_id", told->event),
		TRL_ARG_TEXT("event_type", told->type),
		TRL_ARG_TEXT("body", told->body),
		TRL_ARG_TIME("created_at", trl_now(ctx)),
		TRL_ARG_IDS("ids", to->deliveries, to->n),
		TRL_ARG_IDS("endpoint_ids", to->endpoints, to->n),
		TRL_ARG_TEXTS("webhook_ids", to->webhook_ids, to->n),
		TRL_ARG_TEXTS("statuses", to->statuses, to->n),
		{ .name = NULL },
	};

	return trl_arena_memdup(ctx->arena, args, sizeof args);
}

static void
add_deliveries(trl_ctx *ctx, trl_tx *tx, const struct trl_event *event,
    const Notify__V1__ListWebhookEndpointsReply *endpoints)
{
	struct told told = { .event = event->id, .type = event->type_name };
	const struct hearers to = hearers_of(ctx, event, &told, endpoints);

	if (to.n == 0)
		return;
	told.body = body_of(ctx, event);
	trl_tx_add_args(tx, &notify_sql_webhook_deliveries_insert, NULL,
	    deliveries(ctx, event, &told, &to));
	for (size_t i = 0; i < to.n; i++) {
		const struct trl_job_terms terms = terms_for(to.endpoints[i]);

		if (to.statuses[i] == waiting)
			trl_tx_job(tx, &notify_webhook_job, &terms,
			    due(ctx, to.deliveries[i]));
	}
}

/* The endpoint that a fact is about hears nothing of it. */
static void
leave_out(Notify__V1__ListWebhookEndpointsReply *endpoints, struct trl_id id)
{
	size_t n = 0;

	for (size_t i = 0; i < endpoints->n_items; i++)
		if (!trl_id_eq(trl_value_id(endpoints->items[i]->id), id))
			endpoints->items[n++] = endpoints->items[i];
	endpoints->n_items = n;
}

enum trl_code
notify_webhooks_tell_own(
    struct notify *self, trl_ctx *ctx, trl_batch *work, const struct trl_event *event)
{
	Notify__V1__ListWebhookEndpointsReply endpoints =
	    NOTIFY__V1__LIST_WEBHOOK_ENDPOINTS_REPLY__INIT;
	const struct told told = { .event = event->id,
		.type = event->type_name,
		.body = body_of(ctx, event) };
	struct hearers to;
	enum trl_code rc;

	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(event->tenant),
	    &notify_sql_webhook_endpoints_hearing, NULL, &endpoints.base,
	    TRL_ARG_ID("tenant_id", event->tenant));
	if (rc != TRL_OK)
		return rc;
	leave_out(&endpoints, event->subject);
	to = hearers_of(ctx, event, &told, &endpoints);
	if (to.n == 0)
		return TRL_OK;
	trl_batch_add_args(work, &notify_sql_webhook_deliveries_insert, NULL,
	    deliveries(ctx, event, &told, &to));
	for (size_t i = 0; i < to.n; i++) {
		const struct trl_job_terms terms = terms_for(to.endpoints[i]);

		if (to.statuses[i] == waiting)
			trl_batch_job(work, &notify_webhook_job, &terms,
			    due(ctx, to.deliveries[i]));
	}
	return TRL_OK;
}

/* Events of the platform's, which no organisation may see, have no endpoints. */
static enum trl_code
apply(void *state, trl_ctx *ctx, trl_tx *tx, const struct trl_event *events, size_t n)
{
	Notify__V1__ListWebhookEndpointsReply endpoints =
	    NOTIFY__V1__LIST_WEBHOOK_ENDPOINTS_REPLY__INIT;
	enum trl_code rc;

	(void)state;
	if (trl_id_is_nil(ctx->tenant))
		return TRL_OK;
	rc = trl_tx_run(tx, &notify_sql_webhook_endpoints_hearing, NULL,
	    &endpoints.base, TRL_ARG_ID("tenant_id", ctx->tenant));
	if (rc != TRL_OK || endpoints.n_items == 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (events[i].type && events[i].type->published && events[i].payload)
			add_deliveries(ctx, tx, &events[i], &endpoints);
	return TRL_OK;
}

const struct trl_subscription notify_hears_for_webhooks = {
	.name = "webhooks",
	.producer = TRL_EVERY_TELLER,
	.start = TRL_FROM_NOW,
	.apply = apply,
};

static enum trl_code
check_enabled(trl_ctx *ctx, const Notify__V1__WebhookEndpoint *endpoint)
{
	if (endpoint->status == NOTIFY__V1__WEBHOOK_ENDPOINT__STATUS__enabled)
		return TRL_OK;
	return trl_fail(
	    ctx, TRL_CONFLICT, "This endpoint is disabled; enable it first.");
}

/* Writes a delivery and its job, and answers with it. */
static enum trl_code
begin(struct notify *self, trl_ctx *ctx, const char *action,
    const Notify__V1__WebhookDelivery *delivery, struct trl_id replay_of,
    Notify__V1__WebhookDelivery *out)
{
	const struct trl_job_terms terms =
	    terms_for(trl_value_id(delivery->endpoint_id));
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

	*out = *delivery;
	if (!trl_id_is_nil(replay_of)) {
		trl_set(out, replay_of, trl_value_bytes(ctx, replay_of));
	}
	trl_batch_add(work, &notify_sql_webhook_delivery_insert, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
	trl_batch_job(
	    work, &notify_webhook_job, &terms, due(ctx, trl_value_id(out->id)));
	trl_batch_audit(
	    work, action, trl_value_id(out->endpoint_id), "webhook_endpoint", NULL);
	return trl_batch_write(work, &out->base);
}

/* The event that a test sends: made as any other, but told only to this endpoint. */
static const char *
test_body(trl_ctx *ctx, struct trl_id id, Notify__V1__WebhookEndpoint *endpoint)
{
	const struct trl_event_type *type = &notify_event_webhook_endpoint_tested;
	Notify__V1__WebhookEndpointEvent told =
	    NOTIFY__V1__WEBHOOK_ENDPOINT_EVENT__INIT;

	notify_endpoint_show(endpoint);
	told.endpoint = endpoint;
	if (ctx->principal.kind == TRL_PERSON) {
		trl_set(&told, by, trl_value_bytes(ctx, ctx->principal.account));
	}
	return notify_cloud_event(ctx, &(const struct notify_cloud_event){ .id = id,
					   .type = type->name,
					   .at_us = trl_now(ctx),
					   .subject = trl_value_id(endpoint->id),
					   .tenant = ctx->tenant,
					   .rules = type->message,
					   .payload = &told.base });
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT (disabled). */
enum trl_code
notify_test_webhook_endpoint(struct notify *self, trl_ctx *ctx,
    const Notify__V1__TestWebhookEndpointRequest *in, Notify__V1__WebhookDelivery *out)
{
	Notify__V1__WebhookEndpoint endpoint = NOTIFY__V1__WEBHOOK_ENDPOINT__INIT;
	struct told told = { .type = notify_event_webhook_endpoint_tested.name };
	enum trl_code rc;

	rc = notify_endpoint_read(self, ctx, in->endpoint_id, &endpoint);
	if (rc == TRL_OK)
		rc = check_enabled(ctx, &endpoint);
	if (rc != TRL_OK)
		return rc;
	told.event = trl_new_id(ctx);
	told.body = test_body(ctx, told.event, &endpoint);
	return begin(self, ctx, "notify.webhook_endpoint.test",
	    new_delivery(ctx, trl_value_id(endpoint.id), &told), trl_id_nil, out);
}

static enum trl_code
read_delivery(struct notify *self, trl_ctx *ctx, ProtobufCBinaryData id,
    Notify__V1__WebhookDeliveries *out)
{
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &notify_sql_webhook_delivery_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("delivery_id", trl_value_id(id)));
}

/* Errors: TRL_NOT_FOUND (also where its endpoint is gone), TRL_CONFLICT (disabled). */
enum trl_code
notify_replay_webhook_delivery(struct notify *self, trl_ctx *ctx,
    const Notify__V1__ReplayWebhookDeliveryRequest *in,
    Notify__V1__WebhookDelivery *out)
{
	Notify__V1__WebhookEndpoint endpoint = NOTIFY__V1__WEBHOOK_ENDPOINT__INIT;
	Notify__V1__WebhookDeliveries found = NOTIFY__V1__WEBHOOK_DELIVERIES__INIT;
	const Notify__V1__WebhookDelivery *former;
	struct told told;
	enum trl_code rc;

	rc = read_delivery(self, ctx, in->delivery_id, &found);
	if (rc != TRL_OK)
		return rc;
	former = found.items[0];
	rc = notify_endpoint_read(self, ctx, former->endpoint_id, &endpoint);
	if (rc == TRL_OK)
		rc = check_enabled(ctx, &endpoint);
	if (rc != TRL_OK)
		return rc;
	told = (struct told){ .event = trl_value_id(former->event_id),
		.type = former->event_type,
		.body = former->request_body };
	return begin(self, ctx, "notify.webhook_delivery.replay",
	    new_delivery(ctx, trl_value_id(endpoint.id), &told),
	    trl_value_id(former->id), out);
}
