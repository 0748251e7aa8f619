/* event.c - an event as PostHog takes it (its capture API: event, distinct_id, uuid,
 * timestamp, properties). The uuid is the event's id and the time the event's own, so
 * that one which is posted twice counts once. Of what the event holds only those fields
 * go that its contract declares, which are ids, enums, numbers, times, truths and words
 * that the installation chose: no name, address or other text that somebody typed. */
#include <inttypes.h>
#include <string.h>

#include <google/protobuf/timestamp.pb-c.h>

#include <trl/json.h>
#include <trl/member.h>

#include "analytics/analytics.h"

bool
notify_analytics_wants(const struct trl_event *event)
{
	return event->seq != 0 && event->type && event->type->product &&
	       event->payload && !trl_id_is_nil(event->tenant);
}

static void
put_id(struct trl_buf *out, struct trl_id id)
{
	char text[TRL_ID_TEXT];

	trl_id_format(id, text);
	trl_buf_adds(out, text);
}

static void
put_value(
    struct trl_buf *out, const ProtobufCFieldDescriptor *field, const void *member)
{
	const ProtobufCEnumValue *value;
	struct trl_number number;
	char time[TRL_TIME_TEXT];

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING: /* that is marked as chosen */
		trl_json_string(
		    out, *(char *const *)member, strlen(*(char *const *)member));
		return;
	case PROTOBUF_C_TYPE_BYTES:
		trl_buf_adds(out, "\"");
		put_id(out, trl_value_id(*(const ProtobufCBinaryData *)member));
		trl_buf_adds(out, "\"");
		return;
	case PROTOBUF_C_TYPE_BOOL:
		trl_buf_adds(
		    out, *(const protobuf_c_boolean *)member ? "true" : "false");
		return;
	case PROTOBUF_C_TYPE_ENUM:
		value = protobuf_c_enum_descriptor_get_value(
		    field->descriptor, *(const int *)member);
		trl_buf_printf(out, "\"%s\"", value ? value->name : "");
		return;
	case PROTOBUF_C_TYPE_MESSAGE:
		trl_time_format(
		    trl_value_time_us(*(Google__Protobuf__Timestamp *const *)member),
		    time);
		trl_buf_printf(out, "\"%s\"", time);
		return;
	default:
		if (trl_member_number(field, member, &number) && !number.huge)
			trl_buf_printf(out, "%" PRId64, number.value);
		else
			trl_buf_adds(out, "null");
	}
}

/* "member.role" becomes "member_role". */
static void
put_property(struct trl_buf *out, const ProtobufCMessage *message, const char *path)
{
	const ProtobufCFieldDescriptor *field = trl_member_find(&message, path);

	if (!field)
		return;
	trl_buf_adds(out, ",\"");
	for (; *path; path++)
		trl_buf_add(out, *path == '.' ? "_" : path, 1);
	trl_buf_adds(out, "\":");
	put_value(out, field, trl_member_of(field, message));
}

/* Who did it; where that was no person, the organisation, of which no profile is made.
 */
static void
put_who(struct trl_buf *out, const struct trl_event *event, bool *person)
{
	const ProtobufCMessage *message = event->payload;
	const ProtobufCFieldDescriptor *by = trl_member_find(&message, "by");

	*person = by && by->type == PROTOBUF_C_TYPE_BYTES;
	trl_buf_adds(out, *person ? "" : "organization_");
	put_id(out, *person ? trl_value_id(*(const ProtobufCBinaryData *)trl_member_of(
				  by, message))
			    : event->tenant);
}

const char *
notify_analytics_event(trl_ctx *ctx, const struct trl_event *event)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { 0 };
	char time[TRL_TIME_TEXT];
	bool person;

	trl_buf_adds(&out, "{\"event\":");
	trl_json_string(&out, event->type_name, strlen(event->type_name));
	trl_buf_adds(&out, ",\"uuid\":\"");
	put_id(&out, event->id);
	trl_buf_adds(&out, "\",\"distinct_id\":\"");
	put_who(&out, event, &person);
	trl_time_format(event->at_us, time);
	trl_buf_printf(&out,
	    "\",\"timestamp\":\"%s\",\"properties\":{\"$groups\":{\"organization\":\"",
	    time);
	put_id(&out, event->tenant);
	/* The address it would look up is ours. */
	trl_buf_adds(&out, "\"},\"$lib\":\"trellis\",\"$geoip_disable\":true");
	if (!person)
		trl_buf_adds(&out, ",\"$process_person_profile\":false");
	for (const char *const *path = event->type->product; *path; path++)
		put_property(&out, event->payload, *path);
	trl_buf_adds(&out, "}}");
	return trl_arena_strndup(ctx->arena, (const char *)out.data, out.len);
}
