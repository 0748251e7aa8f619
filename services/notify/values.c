/* values.c - an event as values for templates: names as in the contract, ids of 36
 * characters, times in UTC to the minute, enums by name; what is internal or secret is
 * not there. A flag that is false is none. */
#include <string.h>

#include <google/protobuf/timestamp.pb-c.h>

#include <trl/member.h>

#include "notify.h"
#include "template.h"

enum { LIST_MAX = 50 };

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
		if (field->label != PROTOBUF_C_LABEL_REPEATED) {
			add_one(arena, rule, field, trl_member_of(field, message), into,
			    field->name);
			continue;
		}
		list = notify_value_add(arena, into, field->name, NOTIFY_VALUE_LIST);
		n = trl_member_count(field, message);
		for (size_t k = 0; k < n && k < LIST_MAX; k++)
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

/* ---- examples ------------------------------------------------------------------- */

static const char *
example_text(trl_ctx *ctx, const ProtobufCFieldDescriptor *field)
{
	static const struct {
		const char *name, *text;
	} known[] = {
		{ "email", "grace@example.com" },
		{ "display_name", "Grace Hopper" },
		{ "name", "reporting" },
		{ "address", "192.0.2.7" },
		{ "user_agent", "Firefox on Linux" },
		{ "url", "https://example.com/hook" },
		{ "slug", "acme" },
		{ "permissions", "tenants.tenant.read" },
		{ "locale", "en" },
		{ "tenant_name", "Acme Ltd" },
	};

	if (trl_field_is_time(field))
		return notify_time_text(
		    ctx->arena, trl_now(ctx) + INT64_C(86400000000));
	if (field->type == PROTOBUF_C_TYPE_ENUM)
		return ((const ProtobufCEnumDescriptor *)field->descriptor)
		    ->values[0]
		    .name;
	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return "0193b2f0-7c00-7000-8000-000000000001";
	if (field->type == PROTOBUF_C_TYPE_BOOL)
		return "true";
	if (field->type != PROTOBUF_C_TYPE_STRING)
		return "3";
	for (size_t i = 0; i < TRL_COUNT(known); i++)
		if (strcmp(field->name, known[i].name) == 0)
			return known[i].text;
	return field->name;
}

struct notify_value *
notify_value_example(trl_ctx *ctx, const struct trl_message *rules)
{
	struct notify_value *map = notify_value_map(ctx->arena);

	for (unsigned i = 0; i < rules->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &rules->descriptor->fields[i];
		const struct trl_field *rule = &rules->fields[i];
		struct notify_value *into = map, *inner;
		const char *name = field->name;

		if (rule->internal || rule->secret)
			continue;
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			into =
			    notify_value_add(ctx->arena, map, name, NOTIFY_VALUE_LIST);
			name = NULL;
		}
		if (rule->message && !rule->message->is_entry) {
			inner = notify_value_example(ctx, rule->message);
			*notify_value_add(ctx->arena, into, name, NOTIFY_VALUE_MAP) =
			    (struct notify_value){ .name = name,
				    .kind = NOTIFY_VALUE_MAP,
				    .first = inner->first,
				    .last = inner->last };
		} else {
			notify_value_add_text(
			    ctx->arena, into, name, example_text(ctx, field));
		}
	}
	return map;
}
