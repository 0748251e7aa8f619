/* cloud_event.c - what happened as a CloudEvent for those outside: as trl_event_json
 * has it, without lane and sequence, which would tell how busy others are, and without
 * data where that is too large. */
#include "feed/feed.h"

const char *
notify_cloud_event(trl_ctx *ctx, const struct notify_cloud_event *event)
{
	struct trl_event_type type = { .name = event->type, .message = event->rules };
	struct trl_event told = { .id = event->id,
		.type_name = event->type,
		.type = &type,
		.tenant = event->tenant,
		.subject = event->subject,
		.at_us = event->at_us };
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { .len = 0 };
	size_t bare;

	trl_event_json(&out, &told);
	bare = out.len;
	if (event->payload) {
		trl_buf_clear(&out);
		told.payload = event->payload;
		trl_event_json(&out, &told);
	}
	if (out.len - bare > NOTIFY_FEED_DATA_MAX) {
		trl_buf_clear(&out);
		told.payload = NULL;
		trl_event_json(&out, &told);
	}
	return trl_arena_strndup(ctx->arena, (const char *)out.data, out.len);
}
