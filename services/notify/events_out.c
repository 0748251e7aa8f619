/* events_out.c - what is told of notify's own: it hears no events of its own, so they
 * go the same ways at once. */
#include "feed/feed.h"
#include "telling/telling.h"
#include "webhooks/webhooks.h"

enum trl_code
notify_tell_own(
    struct notify *self, trl_ctx *ctx, trl_batch *work, const struct trl_event *event)
{
	Notify__V1__Fact *fact = trl_arena_alloc(ctx->arena, sizeof *fact);
	const size_t len = protobuf_c_message_get_packed_size(event->payload);
	uint8_t *data = trl_arena_alloc(ctx->arena, len);
	struct trl_event told = *event;

	protobuf_c_message_pack(event->payload, data);
	told.id = trl_batch_event(work, event->type, event->subject, event->payload);
	told.type_name = event->type->name;
	told.at_us = trl_now(ctx);
	told.data = data;
	told.len = len;
	notify_fact_write(ctx, &told, fact);
	trl_batch_job(work, &notify_dispatch_job, NULL, &fact->base);
	notify_feed_add_event(ctx, work, &told);
	return notify_webhooks_tell_own(self, ctx, work, &told);
}
