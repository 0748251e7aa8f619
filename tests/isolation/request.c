/* Requests out of rules: see request.h. A new method needs nothing here unless it
 * asks for a kind of value that no method before it did. */
#include "request.h"

#include <string.h>

#include <trl/wire.h>

static char *
text_for(trl_arena *arena, const struct trl_field *rule)
{
	static unsigned made;
	const char *text;

	switch (rule->format) {
	case TRL_FORMAT_SLUG:
		return trl_arena_printf(arena, "attack-%u", ++made);
	case TRL_FORMAT_EMAIL:
		return trl_arena_printf(arena, "attack-%u@example.test", ++made);
	case TRL_FORMAT_URL:
		text = "https://example.test/";
		break;
	case TRL_FORMAT_LOCALE:
		text = "en";
		break;
	case TRL_FORMAT_TIME_ZONE:
		text = "Europe/Berlin";
		break;
	case TRL_FORMAT_PERMISSION:
		text = "tenants.tenant.read";
		break;
	default:
		text = "attack";
	}
	return trl_arena_strdup(arena, text);
}

static ProtobufCBinaryData
bytes_for(trl_arena *arena, const struct trl_field *rule, const char *name,
    const struct request_id *ids)
{
	struct trl_id id = trl_id_random();
	ProtobufCBinaryData data = { .len = rule->min_len ? rule->min_len : 1 };

	if (rule->format == TRL_FORMAT_ID) {
		for (; ids->field; ids++)
			if (strcmp(ids->field, name) == 0)
				id = ids->id;
		return (
		    ProtobufCBinaryData){ 16, trl_arena_memdup(arena, id.bytes, 16) };
	}
	data.data = trl_arena_zalloc(arena, data.len);
	return data;
}

static void
fill_scalar(trl_arena *arena, const ProtobufCFieldDescriptor *field,
    const struct trl_field *rule, const struct request_id *ids, void *at)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		*(char **)at = text_for(arena, rule);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		*(ProtobufCBinaryData *)at = bytes_for(arena, rule, field->name, ids);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		*(int *)at = ((const ProtobufCEnumDescriptor *)field->descriptor)
				 ->values[0]
				 .value;
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
		*(int64_t *)at = rule->has_min ? rule->min : 1;
		break;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)at = true;
		break;
	default:
		*(uint32_t *)at = rule->has_max ? (uint32_t)rule->max : 1;
	}
}

static void
fill_list(trl_arena *arena, const ProtobufCFieldDescriptor *field,
    const struct trl_field *rule, const struct request_id *ids, char *message)
{
	void *items = trl_arena_zalloc(arena, sizeof(ProtobufCBinaryData));

	fill_scalar(arena, field, rule, ids, items);
	*(void **)(message + field->offset) = items;
	*(size_t *)(message + field->quantifier_offset) = 1;
}

ProtobufCMessage *
request_new(
    trl_arena *arena, const struct trl_method *method, const struct request_id *ids)
{
	const ProtobufCMessageDescriptor *type = method->in->descriptor;
	char *message = (char *)trl_message_new(arena, type);

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		const struct trl_field *rule = &method->in->fields[i];

		if (rule->internal || rule->message ||
		    field->type == PROTOBUF_C_TYPE_MESSAGE ||
		    strcmp(field->name, "page_token") == 0)
			continue;
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			if (rule->required)
				fill_list(arena, field, rule, ids, message);
			continue;
		}
		fill_scalar(arena, field, rule, ids, message + field->offset);
		if (field->quantifier_offset)
			*(protobuf_c_boolean *)(message + field->quantifier_offset) =
			    true;
	}
	return (ProtobufCMessage *)message;
}

bool
request_has_object(const struct trl_method *method)
{
	const ProtobufCMessageDescriptor *type = method->in->descriptor;

	for (unsigned i = 0; i < type->n_fields; i++)
		if (method->in->fields[i].format == TRL_FORMAT_ID &&
		    (int)i != method->tenant_field)
			return true;
	return false;
}
