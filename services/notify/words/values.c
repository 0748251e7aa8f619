/* values.c - an event as values for templates: names as in the contract, ids of 36
 * characters, times in UTC to the minute, enums by name; what is internal or secret is
 * not there. A flag that is false is none. */
#include <string.h>

#include <google/protobuf/timestamp.pb-c.h>

#include <trl/member.h>

#include "words/words.h"

const char *
notify_time_text(trl_arena *arena, int64_t wall_us)
{
	char text[TRL_TIME_TEXT];

	trl_time_format(wall_us, text);
	return trl_arena_printf(arena, "%.10s %.5s UTC", text, text + 11);
}

static const char *
number_text(trl_arena *arena, const ProtobufCFieldDescriptor *field, const void *member)
{
	struct trl_number number;

	if (!trl_member_number(field, member, &number) || number.huge)
		return NULL;
	return trl_arena_printf(arena, "%lld", (long long)number.value);
}

static const char *
bytes_text(trl_arena *arena, const ProtobufCBinaryData *bytes)
{
	char *text;

	if (bytes->len != sizeof(struct trl_id))
		return NULL;
	text = trl_arena_alloc(arena, TRL_ID_TEXT);
	trl_id_format(trl_value_id(*bytes), text);
	return text;
}

static const char *
scalar_text(trl_arena *arena, const ProtobufCFieldDescriptor *field, const void *member)
{
	const ProtobufCEnumValue *value;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return *(char *const *)member;
	case PROTOBUF_C_TYPE_BYTES:
		return bytes_text(arena, member);
	case PROTOBUF_C_TYPE_BOOL:
		return *(const protobuf_c_boolean *)member ? "true" : "";
	case PROTOBUF_C_TYPE_ENUM:
		value = protobuf_c_enum_descriptor_get_value(
		    field->descriptor, *(const int *)member);
		return value ? value->name : NULL;
	case PROTOBUF_C_TYPE_MESSAGE:
		if (!trl_field_is_time(field))
			return NULL;
		return notify_time_text(arena,
		    trl_value_time_us(*(Google__Protobuf__Timestamp *const *)member));
	default:
		return number_text(arena, field, member);
	}
}

static void add_fields(trl_arena *arena, const struct trl_message *rules,
    const ProtobufCMessage *message, struct notify_value *into);

static void
add_one(trl_arena *arena, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, const void *member,
    struct notify_value *into, const char *name)
{
	if (rule->message && !rule->message->is_entry)
		add_fields(arena, rule->message,
		    *(const ProtobufCMessage *const *)member,
		    notify_value_add(arena, into, name, NOTIFY_VALUE_MAP));
	else
		notify_value_add_text(
		    arena, into, name, scalar_text(arena, field, member));
}

/* The amount with the currency that its message names. */
static void
add_amount(trl_arena *arena, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message,
    struct notify_value *into)
{
	const ProtobufCFieldDescriptor *currency =
	    protobuf_c_message_descriptor_get_field_by_name(
		message->descriptor, rule->minor_of);

	if (currency && trl_member_present(currency, message))
		notify_value_add_money(arena, into, field->name,
		    *(const int64_t *)trl_member_of(field, message),
		    *(char *const *)trl_member_of(currency, message));
}

/* Contracts hold no cycles (lint), so this ends. */
static void
add_fields(trl_arena *arena, const struct trl_message *rules,
    const ProtobufCMessage *message, struct notify_value *into)
{
	for (unsigned i = 0; i < rules->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &rules->descriptor->fields[i];
		const struct trl_field *rule = &rules->fields[i];
		struct notify_value *list;
		size_t n;

		if (rule->internal || rule->secret ||
		    !trl_member_present(field, message))
			continue;
		if (rule->minor_of) {
			add_amount(arena, rule, field, message, into);
			continue;
		}
		if (field->label != PROTOBUF_C_LABEL_REPEATED) {
			add_one(arena, rule, field, trl_member_of(field, message), into,
			    field->name);
			continue;
		}
		list = notify_value_add(arena, into, field->name, NOTIFY_VALUE_LIST);
		n = trl_member_count(field, message);
		for (size_t k = 0; k < n && k < NOTIFY_LIST_MAX; k++)
			add_one(arena, rule, field, trl_member_item(field, message, k),
			    list, NULL);
	}
}

struct notify_value *
notify_value_of(
    trl_arena *arena, const struct trl_message *rules, const ProtobufCMessage *message)
{
	struct notify_value *map = notify_value_map(arena);

	add_fields(arena, rules, message, map);
	return map;
}

void
notify_add_frame(struct notify *self, trl_ctx *ctx, const Notify__V1__Person *person,
    const char *sender, struct notify_value *values)
{
	struct notify_value *map;
	size_t initial = 1;

	map = notify_value_add(ctx->arena, values, "product", NOTIFY_VALUE_MAP);
	notify_value_add_text(ctx->arena, map, "name", self->product);
	notify_value_add_text(ctx->arena, map, "url", self->config->public_url);
	map = notify_value_add(ctx->arena, values, "account", NOTIFY_VALUE_MAP);
	notify_value_add_text(ctx->arena, map, "email", person->email);
	notify_value_add_text(ctx->arena, map, "display_name", person->display_name);
	map = notify_value_add(ctx->arena, values, "sender", NOTIFY_VALUE_MAP);
	notify_value_add_text(ctx->arena, map, "name", sender);
	while (((unsigned char)sender[initial] & 0xc0) == 0x80)
		initial++;
	notify_value_add_text(ctx->arena, map, "initial",
	    *sender ? trl_arena_strndup(ctx->arena, sender, initial) : "");
}
