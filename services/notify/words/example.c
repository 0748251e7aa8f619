/* example.c - what words are filled with that are shown before anything happened: a
 * message of each kind's type that never was, and people who are known for other
 * things. */
#include <string.h>

#include <trl/member.h>

#include "words/words.h"

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

/* A message whose lists have so many items, of one making each. */
static struct notify_value *
example_of(trl_ctx *ctx, const struct trl_message *rules, size_t items)
{
	struct notify_value *map = notify_value_map(ctx->arena);

	for (unsigned i = 0; i < rules->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &rules->descriptor->fields[i];
		const struct trl_field *rule = &rules->fields[i];
		struct notify_value *into = map, *inner = NULL, *one;
		const char *name = field->name;
		size_t n = 1;

		if (rule->internal || rule->secret)
			continue;
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			into =
			    notify_value_add(ctx->arena, map, name, NOTIFY_VALUE_LIST);
			name = NULL;
			n = items;
		}
		if (rule->minor_of) {
			notify_value_add_money(ctx->arena, into, name, 5400, "EUR");
			continue;
		}
		if (rule->message && !rule->message->is_entry)
			inner = example_of(ctx, rule->message, items);
		for (; n > 0 && inner; n--) {
			one =
			    notify_value_add(ctx->arena, into, name, NOTIFY_VALUE_MAP);
			one->first = inner->first;
			one->last = inner->last;
		}
		for (; n > 0; n--)
			notify_value_add_text(
			    ctx->arena, into, name, example_text(ctx, field));
	}
	return map;
}

/* What a digest lists. */
static void
add_item(trl_ctx *ctx, struct notify_value *list)
{
	struct notify_value *map =
	    notify_value_add(ctx->arena, list, NULL, NOTIFY_VALUE_MAP);

	notify_value_add_text(
	    ctx->arena, map, "title", "Your role in Acme Ltd changed");
	notify_value_add_text(ctx->arena, map, "body", "Your role is now admin.");
	notify_value_add_text(
	    ctx->arena, map, "at", notify_time_text(ctx->arena, trl_now(ctx)));
}

struct notify_value *
notify_example(struct notify *self, trl_ctx *ctx, const char *kind_name, size_t items)
{
	const struct trl_told_kind *kind = trl_told_kind_by_name(kind_name);
	const struct trl_event_type *type = kind ? kind->on[0] : NULL;
	struct notify_value *values = notify_value_map(ctx->arena), *event, *map, *list;
	Notify__V1__Person ada = NOTIFY__V1__PERSON__INIT;

	event =
	    type ? example_of(ctx, type->message, items) : notify_value_map(ctx->arena);
	*notify_value_add(ctx->arena, values, "event", NOTIFY_VALUE_MAP) =
	    (struct notify_value){ .name = "event",
		    .kind = NOTIFY_VALUE_MAP,
		    .first = event->first,
		    .last = event->last };
	ada.email = trl_arena_strdup(ctx->arena, "ada@example.com");
	ada.display_name = trl_arena_strdup(ctx->arena, "Ada Lovelace");
	map = notify_value_add(ctx->arena, values, "by", NOTIFY_VALUE_MAP);
	notify_value_add_text(ctx->arena, map, "display_name", "Grace Hopper");
	notify_value_add_text(ctx->arena, map, "email", "grace@example.com");
	map = notify_value_add(ctx->arena, values, "tenant", NOTIFY_VALUE_MAP);
	notify_value_add_text(ctx->arena, map, "name", "Acme Ltd");
	notify_value_add_text(ctx->arena, map, "slug", "acme");
	notify_value_add_text(
	    ctx->arena, map, "id", "0193b2f0-7c00-7000-8000-000000000001");
	notify_value_add_text(
	    ctx->arena, values, "at", notify_time_text(ctx->arena, trl_now(ctx)));
	notify_value_add_text(
	    ctx->arena, values, "count", trl_arena_printf(ctx->arena, "%zu", items));
	list = notify_value_add(ctx->arena, values, "items", NOTIFY_VALUE_LIST);
	for (size_t i = 0; i < items; i++)
		add_item(ctx, list);
	if (!kind || kind->page)
		notify_value_add_text(ctx->arena, values, "link",
		    trl_arena_printf(
			ctx->arena, "%s/example", self->config->public_url));
	if (kind && !kind->mandatory)
		notify_value_add_text(ctx->arena, values, "unsubscribe",
		    trl_arena_printf(
			ctx->arena, "%s/example", self->config->public_url));
	notify_add_frame(self, ctx, &ada, "Acme Ltd", values);
	return values;
}
