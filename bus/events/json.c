/* json.c - an event as CloudEvents 1.0 has it in JSON (structured mode: section 3 of
 * its JSON format), for webhooks, streams and the operator. Fields that are secret or
 * internal are never in it. */
#include <string.h>

#include <trl/events.h>
#include <trl/json.h>

static void
add_text(struct trl_buf *out, const char *name, const char *text)
{
	trl_buf_printf(out, ",\"%s\":", name);
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

/* RFC 3339 with microseconds, as everywhere. */
static void
add_time(struct trl_buf *out, int64_t at_us)
{
	char text[TRL_TIME_TEXT];

	trl_time_format(at_us, text);
	add_text(out, "time", text);
}

void
trl_event_json(struct trl_buf *out, const struct trl_event *event)
{
	const char *dot = strchr(event->type_name, '.');
	char id[TRL_ID_TEXT];

	trl_id_format(event->id, id);
	trl_buf_printf(out,
	    "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/%.*s\"", id,
	    dot ? (int)(dot - event->type_name) : 0, event->type_name);
	add_text(out, "type", event->type_name);
	add_time(out, event->at_us);
	add_id(out, "subject", event->subject);
	add_id(out, "tenantid", event->tenant);
	if (event->seq > 0)
		trl_buf_printf(out, ",\"lane\":%u,\"sequence\":\"%020llu\"",
		    event->lane, (unsigned long long)event->seq);
	if (event->type && event->payload) {
		trl_buf_adds(
		    out, ",\"datacontenttype\":\"application/json\",\"data\":");
		trl_json_encode(
		    out, event->type->message, event->payload, TRL_JSON_OMIT_SECRETS);
	}
	trl_buf_adds(out, "}");
}
