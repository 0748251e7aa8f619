/* Single values from text: path variables, query parameters, keys of maps, and the
 * JSON strings behind ids, bytes, times and enums. Text for a number is plain
 * decimal; nothing is trimmed or guessed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <google/protobuf/timestamp.pb-c.h>

#include <trl/clock.h>
#include <trl/id.h>
#include <trl/member.h>
#include <trl/utf8.h>

#include "base64.h"
#include "private.h"

static bool
wrong(struct json_read *read, const char *detail)
{
	json_refuse(read, TRL_INVALID, detail);
	return false;
}

static bool
set_string(struct json_read *read, char **member, const char *text, size_t len)
{
	char *copy;

	if (memchr(text, '\0', len)) /* JSON has it (RFC 8259, 7), PostgreSQL not */
		return wrong(read, "should not have the character U+0000");
	if (!trl_utf8_valid(text, len)) {
		json_refuse(read, TRL_MALFORMED, "should be UTF-8");
		return false;
	}
	copy = json_alloc(read, len + 1);
	if (!copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	*member = copy;
	return true;
}

static bool
set_bytes(struct json_read *read, const struct trl_field *rule,
    ProtobufCBinaryData *member, const char *text, size_t len)
{
	struct trl_id id;
	uint8_t *bytes;

	if (rule->format == TRL_FORMAT_ID) {
		if (!trl_id_parse(text, len, &id))
			return wrong(read, "should be an id of 36 characters");
		bytes = json_alloc(read, sizeof id.bytes);
		if (!bytes)
			return false;
		memcpy(bytes, id.bytes, sizeof id.bytes);
		*member = (ProtobufCBinaryData){ sizeof id.bytes, bytes };
		return true;
	}
	bytes = json_alloc(read, len / 4 * 3 + 1);
	if (!bytes)
		return false;
	if (!json_base64_decode(text, len, bytes, &member->len))
		return wrong(read, "should be base64 with its padding");
	member->data = bytes;
	return true;
}

static bool
set_time(
    struct json_read *read, ProtobufCMessage **member, const char *text, size_t len)
{
	Google__Protobuf__Timestamp *time;
	int64_t us;

	if (!trl_time_parse(text, len, &us))
		return wrong(
		    read, "should be an RFC 3339 time like 2026-01-31T12:00:00Z");
	time = json_alloc(read, sizeof *time);
	if (!time)
		return false;
	google__protobuf__timestamp__init(time);
	time->seconds = us / 1000000 - (us % 1000000 < 0);
	time->nanos = (int32_t)(us - time->seconds * 1000000) * 1000;
	*member = &time->base;
	return true;
}

/* "should be week, month or year" */
static bool
wrong_name(struct json_read *read, const ProtobufCEnumDescriptor *type)
{
	char text[400] = "should be ";
	size_t len = strlen(text);

	for (unsigned i = 0; i < type->n_values && len < sizeof text; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s",
		    i == 0                    ? ""
		    : i + 1 == type->n_values ? " or "
					      : ", ",
		    type->values[i].name);
	return wrong(read, text);
}

static bool
set_enum(struct json_read *read, const ProtobufCFieldDescriptor *field, int *member,
    const char *text, size_t len)
{
	const ProtobufCEnumDescriptor *type = field->descriptor;

	for (unsigned i = 0; i < type->n_values; i++) {
		const char *name = type->values[i].name;

		if (strlen(name) == len && memcmp(name, text, len) == 0) {
			*member = type->values[i].value;
			return true;
		}
	}
	return wrong_name(read, type);
}

/* -?(0|[1-9][0-9]*) within 64 bits. */
static bool
set_integer(struct json_read *read, const ProtobufCFieldDescriptor *field, void *member,
    const char *text, size_t len)
{
	char copy[24];
	size_t sign = len > 0 && text[0] == '-';
	size_t digits = 0;

	while (sign + digits < len && text[sign + digits] >= '0' &&
	       text[sign + digits] <= '9')
		digits++;
	if (digits == 0 || sign + digits != len || (digits > 1 && text[sign] == '0'))
		return wrong(read, "should be a whole number");
	if (digits > 18)
		return wrong(read, "is out of range");
	memcpy(copy, text, len);
	copy[len] = '\0';
	return json_set_integer(read, field, member, strtoll(copy, NULL, 10));
}

static bool
set_real(struct json_read *read, const ProtobufCFieldDescriptor *field, void *member,
    const char *text, size_t len)
{
	json_error_t error;
	json_t *parsed = json_loadb(text, len, JSON_DECODE_ANY, &error);
	bool fine = json_is_number(parsed);

	if (fine && field->type == PROTOBUF_C_TYPE_FLOAT)
		*(float *)member = (float)json_number_value(parsed);
	else if (fine)
		*(double *)member = json_number_value(parsed);
	json_decref(parsed);
	return fine || wrong(read, "should be a number");
}

static bool
set_bool(
    struct json_read *read, protobuf_c_boolean *member, const char *text, size_t len)
{
	bool yes = len == 4 && memcmp(text, "true", 4) == 0;

	if (!yes && !(len == 5 && memcmp(text, "false", 5) == 0))
		return wrong(read, "should be true or false");
	*member = yes;
	return true;
}

bool
json_set_text(struct json_read *read, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, void *member, const char *text, size_t len)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return set_string(read, member, text, len);
	case PROTOBUF_C_TYPE_BYTES:
		return set_bytes(read, rule, member, text, len);
	case PROTOBUF_C_TYPE_MESSAGE:
		if (trl_field_is_time(field))
			return set_time(read, member, text, len);
		json_refuse(read, TRL_MALFORMED, "should be an object");
		return false;
	case PROTOBUF_C_TYPE_ENUM:
		return set_enum(read, field, member, text, len);
	case PROTOBUF_C_TYPE_BOOL:
		return set_bool(read, member, text, len);
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return set_real(read, field, member, text, len);
	default:
		return set_integer(read, field, member, text, len);
	}
}
