/* cloud_event.c - what happened as a CloudEvent (1.0.2, structured mode, JSON): ids as
 * UUIDs, the tenant as the extension attribute tenantid, and the payload as the API
 * shows it, without what is secret or internal. */
#include <stdlib.h>
#include <string.h>

#include <trl/clock.h>
#include <trl/json.h>

#include "feed.h"

static void
add_text(struct trl_buf *out, const char *name, const char *text)
{
	trl_buf_adds(out, ",\"");
	trl_buf_adds(out, name);
	trl_buf_adds(out, "\":");
	trl_json_string(out, text, strlen(text));
}

static void
add_id(struct trl_buf *out, const char *name, struct trl_id id)
{
	char text[TRL_ID_TEXT];

	if (trl_id_is_nil(id))
		return;
	trl_id_format(id, text);
	add_text(out, name, text);
}

/* Secrets do not leave the mesh; a payload that is too large is left out whole. */
static void
add_data(struct trl_buf *out, const struct notify_cloud_event *event)
{
	const size_t before = out->len;

	if (!event->payload)
		return;
	trl_buf_adds(out, ",\"datacontenttype\":\"application/json\",\"data\":");
	trl_json_encode(out, event->rules, event->payload, true);
	if (out->len - before > NOTIFY_FEED_DATA_MAX)
		out->len = before;
}

const char *
notify_cloud_event(trl_ctx *ctx, const struct notify_cloud_event *event)
{
	char time[TRL_TIME_TEXT];
	struct trl_buf out = { 0 };
	const char *text;

	trl_buf_adds(&out, "{\"specversion\":\"1.0\"");
	add_id(&out, "id", event->id);
	add_text(
	    &out, "source", trl_arena_printf(ctx->arena, "/%s", event->source_service));
	add_text(&out, "type", event->type);
	trl_time_format(event->at_us, time);
	add_text(&out, "time", time);
	add_id(&out, "subject", event->subject);
	add_id(&out, "tenantid", event->tenant);
	add_data(&out, event);
	trl_buf_adds(&out, "}");
	text = trl_arena_strndup(ctx->arena, (const char *)out.data, out.len);
	trl_buf_fini(&out);
	return text;
}
