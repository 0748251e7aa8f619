/* audit.c - an entry of the audit chain as arguments of its statement, and a
 * message as the JSON text that stands in its detail. The chain itself is made by
 * the statement (sql/query/audit_add.sql): the head's row lock orders it. */
#include "work.h"

#include <inttypes.h>
#include <string.h>

#include "framework_sql.h"
#include "wire_types.h"

struct pg_audit_entry
pg_audit_new(trl_ctx *ctx, const char *action, struct trl_id subject,
    const char *subject_kind, const ProtobufCMessage *detail)
{
	const struct trl_principal *who = &ctx->principal;

	return (struct pg_audit_entry){ .id = trl_new_id(ctx),
		.actor = who->kind == TRL_KEY ? who->session : who->account,
		.subject = subject,
		.at_us = trl_now(ctx),
		.action = action,
		.subject_kind = subject_kind ? subject_kind : "",
		.address = who->address ? who->address : "",
		.detail = detail ? pg_detail_json(ctx->arena, detail) : NULL };
}

const struct trl_arg *
pg_audit_args(trl_ctx *ctx, const struct pg_audit_entry *entry)
{
	static const char *const kinds[] = { [TRL_NOBODY] = "nobody",
		[TRL_PERSON] = "person",
		[TRL_KEY] = "key",
		[TRL_SERVICE] = "service",
		[TRL_OPERATOR] = "operator" };
	struct trl_arg args[] = {
		TRL_ARG_ID("id", entry->id),
		TRL_ARG_TIME("at", entry->at_us),
		TRL_ARG_TEXT("action", entry->action),
		TRL_ARG_TEXT("actor_kind", kinds[ctx->principal.kind]),
		TRL_ARG_ID("actor_id", entry->actor),
		TRL_ARG_TEXT("subject_kind", entry->subject_kind),
		TRL_ARG_ID("subject_id", entry->subject),
		TRL_ARG_TEXT("detail", entry->detail),
		TRL_ARG_TEXT("address", entry->address),
		TRL_ARG_BYTES("trace_id", ctx->trace.trace_id, 16),
		{ .name = NULL },
	};

	if (trl_id_is_nil(entry->actor))
		args[4].type = TRL_ARG_T_NULL;
	if (trl_id_is_nil(entry->subject))
		args[6].type = TRL_ARG_T_NULL;
	return trl_arena_memdup(ctx->arena, args, sizeof args);
}

enum { DEPTH_MAX = 4 };

static void add_message(
    struct trl_buf *out, const ProtobufCMessage *message, int depth);

static void
add_string(struct trl_buf *out, const char *text, size_t len)
{
	trl_buf_adds(out, "\"");
	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];

		if (c == '"' || c == '\\')
			trl_buf_printf(out, "\\%c", c);
		else if (c < 0x20)
			trl_buf_printf(out, "\\u%04x", c);
		else
			trl_buf_add(out, &c, 1);
	}
	trl_buf_adds(out, "\"");
}

static void
add_value(struct trl_buf *out, const struct pg_value *value,
    const ProtobufCFieldDescriptor *field)
{
	char text[(int)TRL_ID_TEXT + (int)TRL_TIME_TEXT];
	struct trl_id id;

	switch (value->kind) {
	case PG_V_TEXT:
		add_string(out, value->data, value->len);
		break;
	case PG_V_BYTES:
		if (value->len == 16 && field->type == PROTOBUF_C_TYPE_BYTES) {
			memcpy(id.bytes, value->data, 16);
			trl_id_format(id, text);
			add_string(out, text, strlen(text));
		} else {
			trl_buf_printf(out, "\"%zu bytes\"", value->len);
		}
		break;
	case PG_V_INT:
		trl_buf_printf(out, "%" PRId64, value->num);
		break;
	case PG_V_BOOL:
		trl_buf_adds(out, value->num ? "true" : "false");
		break;
	case PG_V_TIME:
		trl_time_format(value->num, text);
		add_string(out, text, strlen(text));
		break;
	case PG_V_REAL:
		trl_buf_printf(out, "%.17g", value->real);
		break;
	default:
		trl_buf_adds(out, "[");
		for (size_t i = 0; i < value->len; i++) {
			struct pg_value item = { .kind = PG_V_INT };

			if (value->kind == PG_V_TEXTS) {
				item.kind = PG_V_TEXT;
				item.data = ((const char *const *)value->data)[i];
				item.len = strlen(item.data);
			} else if (value->kind == PG_V_BYTESES) {
				item.kind = PG_V_BYTES;
				item.data =
				    ((const ProtobufCBinaryData *)value->data)[i].data;
				item.len =
				    ((const ProtobufCBinaryData *)value->data)[i].len;
			} else {
				item.num = ((const int64_t *)value->data)[i];
			}
			trl_buf_adds(out, i ? "," : "");
			add_value(out, &item, field);
		}
		trl_buf_adds(out, "]");
		break;
	}
}

static void
add_message(struct trl_buf *out, const ProtobufCMessage *message, int depth)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	trl_arena *scratch = trl_arena_new(0);
	const char *comma = "";

	trl_buf_adds(out, "{");
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		const char *at = (const char *)message + field->offset;
		bool inner = field->type == PROTOBUF_C_TYPE_MESSAGE &&
			     !pg_is_timestamp(field->descriptor);
		struct pg_value value = { .kind = PG_V_NULL };

		if (inner && (field->label == PROTOBUF_C_LABEL_REPEATED || depth == 0))
			continue;
		value = pg_value_of_field(scratch, message, field);
		if (value.kind == PG_V_NULL ||
		    (field->label == PROTOBUF_C_LABEL_REPEATED && value.len == 0))
			continue;
		trl_buf_adds(out, comma);
		add_string(out, field->name, strlen(field->name));
		trl_buf_adds(out, ":");
		if (inner)
			add_message(out, *(ProtobufCMessage *const *)at, depth - 1);
		else
			add_value(out, &value, field);
		comma = ",";
	}
	trl_buf_adds(out, "}");
	trl_arena_free(&scratch);
}

const char *
pg_detail_json(trl_arena *arena, const ProtobufCMessage *message)
{
	struct trl_buf out = { 0 };
	char *text;

	add_message(&out, message, DEPTH_MAX);
	text = trl_arena_strndup(arena, (char *)out.data, out.len);
	trl_buf_fini(&out);
	return text;
}
