/* Single values from parsed JSON, each by the type of its field. The wrong kind of
 * value is MALFORMED, the right kind out of range INVALID. */
#include <math.h>
#include <string.h>

#include <trl/member.h>

#include "private.h"

/* Integers beyond this are not exact in everybody's JSON (RFC 8259 section 6). */
static const int64_t exact_max = INT64_C(1) << 53;

static bool
mistyped(struct json_read *read, const char *detail)
{
	json_refuse(read, TRL_MALFORMED, detail);
	return false;
}

static bool
out_of_range(struct json_read *read)
{
	json_refuse(read, TRL_INVALID, "is out of range");
	return false;
}

bool
json_set_integer(struct json_read *read, const ProtobufCFieldDescriptor *field,
    void *member, int64_t value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		if (value < INT32_MIN || value > INT32_MAX)
			return out_of_range(read);
		*(int32_t *)member = (int32_t)value;
		return true;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		if (value < 0 || value > UINT32_MAX)
			return out_of_range(read);
		*(uint32_t *)member = (uint32_t)value;
		return true;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		if (value < 0 || value > exact_max)
			return out_of_range(read);
		*(uint64_t *)member = (uint64_t)value;
		return true;
	default:
		if (value < -exact_max || value > exact_max)
			return out_of_range(read);
		*(int64_t *)member = value;
		return true;
	}
}

static bool
set_message(
    struct json_read *read, const struct trl_field *rule, void *member, json_t *value)
{
	const ProtobufCMessageDescriptor *type;
	ProtobufCMessage *inner;

	if (!json_is_object(value))
		return mistyped(read, "should be an object");
	type = rule->message->descriptor;
	inner = json_alloc(read, type->sizeof_message);
	if (!inner)
		return false;
	protobuf_c_message_init(type, inner);
	json_read_object(read, rule->message, value, inner);
	*(ProtobufCMessage **)member = inner;
	return true;
}

static bool
set_real(struct json_read *read, const ProtobufCFieldDescriptor *field, void *member,
    json_t *value)
{
	double real;

	if (!json_is_number(value))
		return mistyped(read, "should be a number");
	real = json_number_value(value);
	if (field->type != PROTOBUF_C_TYPE_FLOAT) {
		*(double *)member = real;
		return true;
	}
	if (!isfinite((float)real))
		return out_of_range(read);
	*(float *)member = (float)real;
	return true;
}

static bool
set_integer(struct json_read *read, const ProtobufCFieldDescriptor *field, void *member,
    json_t *value)
{
	if (json_is_integer(value))
		return json_set_integer(read, field, member, json_integer_value(value));
	if (!json_is_real(value))
		return mistyped(read, "should be a whole number");
	json_refuse(read, TRL_INVALID, "should be a whole number, written as one");
	return false;
}

bool
json_set_value(struct json_read *read, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, void *member, json_t *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		if (!trl_field_is_time(field))
			return set_message(read, rule, member, value);
		/* fall through */
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_ENUM:
		if (!json_is_string(value))
			return mistyped(read, "should be a text");
		return json_set_text(read, rule, field, member,
		    json_string_value(value), json_string_length(value));
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_is_boolean(value))
			return mistyped(read, "should be true or false");
		*(protobuf_c_boolean *)member = json_is_true(value);
		return true;
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return set_real(read, field, member, value);
	default:
		return set_integer(read, field, member, value);
	}
}
