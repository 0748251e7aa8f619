/* notify.ListWebhookDeliveries - what was sent to an endpoint, and how each attempt
 * went. An answer is bounded: a page ends where its bodies would grow past that, and
 * its token goes on from there. */
#include <string.h>

#include <trl/page.h>

#include "webhooks/webhooks.h"

/* Cuts the list where the page is full or does not fit. */
static void
cut(trl_ctx *ctx, const struct trl_page *page,
    Notify__V1__ListWebhookDeliveriesReply *out)
{
	size_t n = 0;

	while (n < out->n_items && out->items[n]->fits)
		n++;
	trl_page_cut(ctx, page, n, "id", &out->base);
	for (size_t i = 0; i < out->n_items; i++)
		out->items[i]->has_fits = false;
}

static Notify__V1__WebhookDelivery *
find(Notify__V1__ListWebhookDeliveriesReply *list, struct trl_id id)
{
	for (size_t i = 0; i < list->n_items; i++)
		if (trl_id_eq(trl_value_id(list->items[i]->id), id))
			return list->items[i];
	return NULL;
}

/* Hands the attempts, which come delivery by delivery, to their deliveries. */
static void
hand_out(Notify__V1__WebhookAttempts *all, Notify__V1__ListWebhookDeliveriesReply *out)
{
	for (size_t i = 0; i < all->n_items; i++) {
		Notify__V1__WebhookAttempt *attempt = all->items[i];
		Notify__V1__WebhookDelivery *delivery =
		    find(out, trl_value_id(attempt->delivery_id));

		attempt->has_delivery_id = false;
		attempt->delivery_id = (ProtobufCBinaryData){ 0 };
		if (!delivery)
			continue;
		if (delivery->n_attempts == 0)
			delivery->attempts = &all->items[i];
		delivery->n_attempts++;
	}
}

static enum trl_code
read_attempts(
    struct notify *self, trl_ctx *ctx, Notify__V1__ListWebhookDeliveriesReply *out)
{
	Notify__V1__WebhookAttempts *all = notify_v1_webhook_attempts_new(ctx);
	struct trl_id *ids =
	    trl_arena_alloc(ctx->arena, (out->n_items + 1) * sizeof *ids);
	enum trl_code rc;

	for (size_t i = 0; i < out->n_items; i++)
		ids[i] = trl_value_id(out->items[i]->id);
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &notify_sql_webhook_attempts_list, NULL, &all->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_IDS("delivery_ids", ids, out->n_items));
	if (rc == TRL_OK)
		hand_out(all, out);
	return rc;
}

/* Errors: TRL_NOT_FOUND, TRL_INVALID (page_token). */
enum trl_code
notify_list_webhook_deliveries(struct notify *self, trl_ctx *ctx,
    const Notify__V1__ListWebhookDeliveriesRequest *in,
    Notify__V1__ListWebhookDeliveriesReply *out)
{
	const struct trl_id endpoint = trl_value_id(in->endpoint_id);
	Notify__V1__WebhookEndpoint known = NOTIFY__V1__WEBHOOK_ENDPOINT__INIT;
	struct trl_page page;
	enum trl_code rc;

	rc = trl_page_open(ctx, "notify.webhook_deliveries", endpoint, in->page_size,
	    in->page_token, &page);
	if (rc == TRL_OK)
		rc = notify_endpoint_read(self, ctx, in->endpoint_id, &known);
	if (rc != TRL_OK)
		return rc;
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &notify_sql_webhook_deliveries_list, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("endpoint_id", endpoint),
	    TRL_ARG_ID("before", trl_page_before(&page)),
	    TRL_ARG_INT("limit", page.size + 1));
	if (rc != TRL_OK || out->n_items == 0)
		return rc;
	cut(ctx, &page, out);
	return read_attempts(self, ctx, out);
}
