/* decode.c - columns in PostgreSQL's binary format into message fields. Everything
 * is copied into the arena: the result is freed before the handler goes on. */
#include "wire_types.h"

#include <endian.h>
#include <limits.h>
#include <string.h>

#include "bind.h"
#include "oids.h"

void
pg_mark_present(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	char *at = (char *)message;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		*(uint32_t *)(at + field->quantifier_offset) = field->id;
	else if (field->label == PROTOBUF_C_LABEL_OPTIONAL &&
		 field->type != PROTOBUF_C_TYPE_STRING &&
		 field->type != PROTOBUF_C_TYPE_MESSAGE)
		*(protobuf_c_boolean *)(at + field->quantifier_offset) = 1;
}

void
pg_mark_absent(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	char *at = (char *)message;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		*(size_t *)(at + field->quantifier_offset) = 0;
		return;
	}
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return;
	if (field->type == PROTOBUF_C_TYPE_STRING ||
	    field->type == PROTOBUF_C_TYPE_MESSAGE)
		*(void **)(at + field->offset) = NULL;
	else if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
		*(protobuf_c_boolean *)(at + field->quantifier_offset) = 0;
}

static uint32_t
get32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return be32toh(v);
}

static uint64_t
get64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return be64toh(v);
}

static bool
integer_of(Oid type, const char *data, size_t len, int64_t *out)
{
	switch (type) {
	case OID_INT8:
		*out = (int64_t)get64(data);
		return len == 8;
	case OID_TIMESTAMPTZ:
		*out = (int64_t)get64(data) + PG_EPOCH_US;
		return len == 8;
	case OID_INT4:
		*out = (int32_t)get32(data);
		return len == 4;
	case OID_OID:
		*out = get32(data);
		return len == 4;
	case OID_INT2:
		*out = (int16_t)((uint8_t)data[0] << 8 | (uint8_t)data[1]);
		return len == 2;
	case OID_BOOL:
		*out = data[0];
		return len == 1;
	default:
		return false;
	}
}

static bool
is_text(Oid type)
{
	return type == OID_TEXT || type == OID_VARCHAR || type == OID_BPCHAR ||
	       type == OID_NAME || type == OID_JSON;
}

/* Writes an integer into a field of any integer type, within its range. */
static bool
set_integer(char *at, ProtobufCType type, int64_t v)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		*(int64_t *)at = v;
		return true;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		*(uint64_t *)at = (uint64_t)v;
		return v >= 0;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		*(uint32_t *)at = (uint32_t)v;
		return v >= 0 && v <= UINT32_MAX;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		*(int32_t *)at = (int32_t)v;
		return v >= INT32_MIN && v <= INT32_MAX;
	default:
		return false;
	}
}

static bool
decode_string(trl_arena *arena, Oid type, const char *data, size_t len, char **out)
{
	struct trl_id id;

	if (is_text(type)) {
		*out = trl_arena_strndup(arena, data, len);
		return true;
	}
	if (type == OID_JSONB && len > 0) {
		*out = trl_arena_strndup(arena, data + 1, len - 1);
		return true;
	}
	if (type == OID_UUID && len == 16) {
		memcpy(id.bytes, data, 16);
		*out = trl_arena_alloc(arena, TRL_ID_TEXT);
		trl_id_format(id, *out);
		return true;
	}
	return false;
}

static bool
decode_enum(Oid type, const char *data, size_t len,
    const ProtobufCFieldDescriptor *field, int *out)
{
	const ProtobufCEnumDescriptor *values = field->descriptor;
	const ProtobufCEnumValue *value;
	char name[64];
	int64_t num;

	if (is_text(type)) {
		if (len >= sizeof name)
			return false;
		memcpy(name, data, len);
		name[len] = '\0';
		value = protobuf_c_enum_descriptor_get_value_by_name(values, name);
	} else {
		if (!integer_of(type, data, len, &num) || num < INT_MIN ||
		    num > INT_MAX)
			return false;
		value = protobuf_c_enum_descriptor_get_value(values, (int)num);
	}
	if (value)
		*out = value->value;
	return value != NULL;
}

static bool
decode_message(trl_arena *arena, Oid type, const char *data, size_t len,
    const ProtobufCFieldDescriptor *field, ProtobufCMessage **out)
{
	const ProtobufCMessageDescriptor *inner = field->descriptor;
	int64_t us, seconds;

	if (type == OID_BYTEA) {
		*out = protobuf_c_message_unpack(
		    inner, trl_arena_protobuf(arena), len, (const uint8_t *)data);
		return *out != NULL;
	}
	if (!pg_is_timestamp(inner) || type != OID_TIMESTAMPTZ ||
	    !integer_of(type, data, len, &us))
		return false;
	*out = trl_arena_alloc(arena, inner->sizeof_message);
	protobuf_c_message_init(inner, *out);
	seconds = us / 1000000 - (us % 1000000 < 0);
	for (unsigned i = 0; i < inner->n_fields; i++) {
		char *at = (char *)*out + inner->fields[i].offset;

		if (inner->fields[i].id == 1)
			*(int64_t *)at = seconds;
		else
			*(int32_t *)at = (int32_t)((us - seconds * 1000000) * 1000);
		pg_mark_present(*out, &inner->fields[i]);
	}
	return true;
}

static bool
decode_scalar(trl_arena *arena, Oid type, const char *data, size_t len,
    const ProtobufCFieldDescriptor *field, char *at)
{
	ProtobufCBinaryData *bytes;
	int64_t num;
	union {
		double d;
		uint64_t u;
	} wide;
	union {
		float f;
		uint32_t u;
	} narrow;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return decode_string(arena, type, data, len, (char **)at);
	case PROTOBUF_C_TYPE_BYTES:
		if (type != OID_BYTEA && type != OID_UUID)
			return false;
		bytes = (ProtobufCBinaryData *)at;
		bytes->data = trl_arena_memdup(arena, data, len);
		bytes->len = len;
		return true;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)at = data[0] != 0;
		return type == OID_BOOL;
	case PROTOBUF_C_TYPE_ENUM:
		return decode_enum(type, data, len, field, (int *)at);
	case PROTOBUF_C_TYPE_MESSAGE:
		return decode_message(
		    arena, type, data, len, field, (ProtobufCMessage **)at);
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		if (type == OID_FLOAT8) {
			wide.u = get64(data);
		} else if (type == OID_FLOAT4) {
			narrow.u = get32(data);
			wide.d = (double)narrow.f;
		} else {
			return false;
		}
		if (field->type == PROTOBUF_C_TYPE_DOUBLE)
			*(double *)at = wide.d;
		else
			*(float *)at = (float)wide.d;
		return true;
	default:
		return integer_of(type, data, len, &num) &&
		       set_integer(at, field->type, num);
	}
}

static size_t
size_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return 8;
	default:
		return 4;
	}
}

/* An array of one dimension without nulls, element by element. */
static bool
decode_array(trl_arena *arena, const char *data, size_t len, ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field)
{
	size_t n, size = size_of(field->type), at = 20;
	char *items;

	if (len < 12 || get32(data) > 1 || field->type == PROTOBUF_C_TYPE_MESSAGE)
		return false;
	n = get32(data) == 0 || len < 20 ? 0 : get32(data + 12);
	if (n > len / 4)
		return false;
	items = trl_arena_zalloc(arena, n * size);
	for (size_t i = 0; i < n; i++) {
		size_t part = at + 4 <= len ? get32(data + at) : SIZE_MAX;

		if (part > len - at - 4) /* also a null, which is -1 */
			return false;
		if (!decode_scalar(arena, get32(data + 8), data + at + 4, part, field,
			items + i * size))
			return false;
		at += 4 + part;
	}
	*(size_t *)((char *)message + field->quantifier_offset) = n;
	*(char **)((char *)message + field->offset) = items;
	return true;
}

bool
pg_decode(trl_arena *arena, Oid type, const char *data, size_t len,
    ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		if (type != OID_UUIDS && type != OID_TEXTS && type != OID_INT4S &&
		    type != OID_INT8S && type != OID_BYTEAS)
			return false;
		return decode_array(arena, data, len, message, field);
	}
	if (!decode_scalar(
		arena, type, data, len, field, (char *)message + field->offset))
		return false;
	pg_mark_present(message, field);
	return true;
}
