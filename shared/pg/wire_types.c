/* wire_types.c - see wire_types.h. Values out: from arguments and fields;
 * their bytes: encode.c. Columns in: decode.c. */
#include "wire_types.h"

#include <string.h>

#include "bind.h"
#include "oids.h"

bool
pg_is_timestamp(const ProtobufCMessageDescriptor *type)
{
	return strcmp(type->name, "google.protobuf.Timestamp") == 0;
}

int64_t
pg_timestamp_us(const ProtobufCMessage *timestamp)
{
	const ProtobufCMessageDescriptor *type = timestamp->descriptor;
	const ProtobufCFieldDescriptor *seconds =
	    protobuf_c_message_descriptor_get_field(type, 1);
	const ProtobufCFieldDescriptor *nanos =
	    protobuf_c_message_descriptor_get_field(type, 2);
	const char *at = (const char *)timestamp;

	return *(const int64_t *)(at + seconds->offset) * 1000000 +
	       *(const int32_t *)(at + nanos->offset) / 1000;
}

const char *
pg_type_name(Oid type)
{
	static const struct {
		Oid oid;
		const char *name;
	} names[] = {
		{ OID_BOOL, "boolean" },
		{ OID_BYTEA, "bytea" },
		{ OID_INT8, "bigint" },
		{ OID_INT2, "smallint" },
		{ OID_INT4, "integer" },
		{ OID_TEXT, "text" },
		{ OID_JSON, "json" },
		{ OID_FLOAT4, "real" },
		{ OID_FLOAT8, "double" },
		{ OID_VARCHAR, "varchar" },
		{ OID_TIMESTAMPTZ, "timestamptz" },
		{ OID_UUID, "uuid" },
		{ OID_JSONB, "jsonb" },
		{ OID_UUIDS, "uuid[]" },
		{ OID_TEXTS, "text[]" },
		{ OID_INT4S, "integer[]" },
		{ OID_INT8S, "bigint[]" },
		{ OID_BYTEAS, "bytea[]" },
		{ OID_NUMERIC, "numeric: cast it" },
	};

	for (size_t i = 0; i < TRL_COUNT(names); i++)
		if (names[i].oid == type)
			return names[i].name;
	return "a type that is not bound: cast it";
}

struct pg_value
pg_value_of_arg(const struct trl_arg *arg)
{
	struct pg_value value = { .data = arg->data, .len = arg->len, .num = arg->num };

	switch (arg->type) {
	case TRL_ARG_T_NULL:
		value.kind = PG_V_NULL;
		break;
	case TRL_ARG_T_ID:
		value.kind = PG_V_ID;
		value.data = arg->id.bytes;
		break;
	case TRL_ARG_T_TEXT:
		value.kind = arg->data ? PG_V_TEXT : PG_V_NULL;
		value.len = arg->data ? strlen(arg->data) : 0;
		break;
	case TRL_ARG_T_BYTES:
		value.kind = arg->data || arg->len == 0 ? PG_V_BYTES : PG_V_NULL;
		break;
	case TRL_ARG_T_INT:
		value.kind = PG_V_INT;
		break;
	case TRL_ARG_T_BOOL:
		value.kind = PG_V_BOOL;
		break;
	case TRL_ARG_T_TIME:
		value.kind = PG_V_TIME;
		break;
	case TRL_ARG_T_IDS:
		value.kind = PG_V_IDS;
		break;
	case TRL_ARG_T_TEXTS:
		value.kind = PG_V_TEXTS;
		break;
	case TRL_ARG_T_INTS:
		value.kind = PG_V_INTS;
		break;
	case TRL_ARG_T_BYTESES:
		value.kind = PG_V_BYTESES;
		break;
	}
	return value;
}

static bool
is_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const char *at = (const char *)message;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)(at + field->quantifier_offset) == field->id;
	if (field->type == PROTOBUF_C_TYPE_STRING ||
	    field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(void *const *)(at + field->offset) != NULL;
	if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
		return *(const protobuf_c_boolean *)(at + field->quantifier_offset) !=
		       0;
	return true;
}

static int64_t
integer_at(const char *at, ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return *(const int64_t *)at;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return *(const uint32_t *)at;
	default:
		return *(const int32_t *)at;
	}
}

static const char *
enum_name(const ProtobufCFieldDescriptor *field, int number)
{
	const ProtobufCEnumValue *value =
	    protobuf_c_enum_descriptor_get_value(field->descriptor, number);

	return value ? value->name : NULL;
}

static struct pg_value
value_of_list(trl_arena *arena, const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field)
{
	const char *at = (const char *)message;
	size_t n = *(const size_t *)(at + field->quantifier_offset);
	const char *items = *(const char *const *)(at + field->offset);
	struct pg_value value = { .kind = PG_V_INTS, .len = n };
	int64_t *numbers;
	const char **texts;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		value.kind = PG_V_TEXTS;
		value.data = items;
		return value;
	case PROTOBUF_C_TYPE_BYTES:
		value.kind = PG_V_BYTESES;
		value.data = items;
		return value;
	case PROTOBUF_C_TYPE_ENUM:
		texts = trl_arena_alloc(arena, n * sizeof *texts);
		for (size_t i = 0; i < n; i++) {
			texts[i] = enum_name(field, ((const int *)items)[i]);
			if (!texts[i])
				return (struct pg_value){
					.kind = PG_V_REAL
				}; /* fits nothing */
		}
		value.kind = PG_V_TEXTS;
		value.data = texts;
		return value;
	case PROTOBUF_C_TYPE_MESSAGE:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_BOOL:
		return (struct pg_value){ .kind = PG_V_REAL };
	default:
		numbers = trl_arena_alloc(arena, n * sizeof *numbers);
		for (size_t i = 0; i < n; i++) {
			bool wide = field->type == PROTOBUF_C_TYPE_INT64 ||
				    field->type == PROTOBUF_C_TYPE_SINT64 ||
				    field->type == PROTOBUF_C_TYPE_SFIXED64 ||
				    field->type == PROTOBUF_C_TYPE_UINT64 ||
				    field->type == PROTOBUF_C_TYPE_FIXED64;

			numbers[i] =
			    integer_at(items + i * (wide ? 8 : 4), field->type);
		}
		value.data = numbers;
		return value;
	}
}

/* (Over 60 lines: a case a type.) */
struct pg_value
pg_value_of_field(trl_arena *arena, const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field)
{
	const char *at = (const char *)message + field->offset;
	struct pg_value value = { .kind = PG_V_NULL };
	const ProtobufCBinaryData *bytes;
	ProtobufCMessage *inner;
	uint8_t *packed;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return value_of_list(arena, message, field);
	if (!is_present(message, field))
		return value;
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		value.kind = PG_V_TEXT;
		value.data = *(const char *const *)at;
		value.len = strlen(value.data);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		bytes = (const ProtobufCBinaryData *)at;
		value.kind = PG_V_BYTES;
		value.data = bytes->data;
		value.len = bytes->len;
		break;
	case PROTOBUF_C_TYPE_BOOL:
		value.kind = PG_V_BOOL;
		value.num = *(const protobuf_c_boolean *)at;
		break;
	case PROTOBUF_C_TYPE_ENUM:
		value.is_enum = true;
		value.kind = PG_V_TEXT;
		value.alt = *(const int *)at;
		value.data = enum_name(field, *(const int *)at);
		if (!value.data)
			value.kind = PG_V_REAL; /* no such value: fits nothing */
		else
			value.len = strlen(value.data);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		value.kind = PG_V_REAL;
		value.real = (double)*(const float *)at;
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		value.kind = PG_V_REAL;
		value.real = *(const double *)at;
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		inner = *(ProtobufCMessage *const *)at;
		if (pg_is_timestamp(inner->descriptor)) {
			value.kind = PG_V_TIME;
			value.num = pg_timestamp_us(inner);
			break;
		}
		value.kind = PG_V_BYTES;
		packed =
		    trl_arena_alloc(arena, protobuf_c_message_get_packed_size(inner));
		value.len = protobuf_c_message_pack(inner, packed);
		value.data = packed;
		break;
	default:
		value.kind = PG_V_INT;
		value.num = integer_at(at, field->type);
		break;
	}
	return value;
}
