/* fact.c - what happened, as it is told: the event that a job brings along, and its
 * payload as values. */
#include <trl/event.h>

#include "words/words.h"

void
notify_fact_write(trl_ctx *ctx, const struct trl_event *event, Notify__V1__Fact *out)
{
	notify__v1__fact__init(out);
	trl_set(out, event_id, trl_value_bytes(ctx, event->id));
	out->type = trl_arena_strdup(ctx->arena, event->type_name);
	trl_set(out, tenant_id, trl_value_bytes(ctx, event->tenant));
	trl_set(out, subject_id, trl_value_bytes(ctx, event->subject));
	out->at = trl_value_time(ctx, event->at_us);
	out->has_data = true;
	out->data.len = event->len;
	out->data.data = trl_arena_memdup(ctx->arena, event->data, event->len);
}

enum trl_code
notify_fact_read(trl_ctx *ctx, const Notify__V1__Fact *fact, struct notify_fact *out)
{
	const struct trl_event_type *type = trl_event_type_by_name(fact->type);
	ProtobufCMessage *payload;

	*out = (struct notify_fact){ .type = type };
	if (!type)
		return TRL_OK;
	payload = protobuf_c_message_unpack(type->message->descriptor,
	    trl_arena_protobuf(ctx->arena), fact->data.len, fact->data.data);
	if (!payload)
		return trl_fail(
		    ctx, TRL_INTERNAL, "a stored %s cannot be read", type->name);
	out->payload = payload;
	out->values = notify_value_of(ctx->arena, type->message, payload);
	out->tenant = trl_value_id(fact->tenant_id);
	out->event_id = trl_value_id(fact->event_id);
	return TRL_OK;
}

enum trl_code
notify_told_read(trl_ctx *ctx, const Notify__V1__Fact *fact, const char *kind_name,
    struct notify_fact *out, const struct trl_told_kind **kind)
{
	enum trl_code rc = notify_fact_read(ctx, fact, out);

	if (rc != TRL_OK)
		return rc;
	*kind = trl_told_kind_by_name(kind_name);
	return *kind && out->type ? TRL_OK
				  : trl_fail(ctx, TRL_UNAVAILABLE,
					"%s is of another release", kind_name);
}
