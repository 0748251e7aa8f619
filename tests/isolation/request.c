/* Requests out of rules: see request.h. A new method needs nothing here unless it
 * asks for a kind of value that no method before it did. */
#include "request.h"

#include <string.h>

#include <trl/wire.h>

struct filling {
	trl_arena *arena;
	const struct request_id *ids;
	const char *text;
};

static char *
text_for(trl_arena *arena, const struct trl_field *rule, const char *text)
{
	static unsigned made;

	switch (rule->format) {
	case TRL_FORMAT_SLUG:
		return trl_arena_printf(arena, "%s-%u", text, ++made);
	case TRL_FORMAT_EMAIL:
		return trl_arena_printf(arena, "%s-%u@example.test", text, ++made);
	case TRL_FORMAT_URL:
		return trl_arena_printf(arena, "https://%s.example.com/", text);
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
		break;
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
		for (; ids && ids->field; ids++)
			if (strcmp(ids->field, name) == 0)
				id = ids->id;
		return (
		    ProtobufCBinaryData){ 16, trl_arena_memdup(arena, id.bytes, 16) };
	}
	data.data = trl_arena_zalloc(arena, data.len);
	return data;
}

static void
fill_scalar(const struct filling *f, const ProtobufCFieldDescriptor *field,
    const struct trl_field *rule, void *at)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		*(char **)at = text_for(f->arena, rule, f->text);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		*(ProtobufCBinaryData *)at =
		    bytes_for(f->arena, rule, field->name, f->ids);
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
fill_list(const struct filling *f, const ProtobufCFieldDescriptor *field,
    const struct trl_field *rule, char *message)
{
	void *items = trl_arena_zalloc(f->arena, sizeof(ProtobufCBinaryData));

	fill_scalar(f, field, rule, items);
	*(void **)(message + field->offset) = items;
	*(size_t *)(message + field->quantifier_offset) = 1;
}

ProtobufCMessage *
request_new(trl_arena *arena, const struct trl_method *method,
    const struct request_id *ids, const char *text)
{
	const struct filling f = { arena, ids, text };
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
				fill_list(&f, field, rule, message);
			continue;
		}
		fill_scalar(&f, field, rule, message + field->offset);
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
