/* Members of protobuf-c's structs by descriptor; see the layout rules in
 * protobuf-c.h (quantifier_offset holds has_x, the count or the oneof's case). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <google/protobuf/timestamp.pb-c.h>

#include <trl/member.h>

static void *
quantifier(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	return (char *)(uintptr_t)message + field->quantifier_offset;
}

bool
trl_member_present(
    const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return trl_member_count(field, message) > 0;
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(uint32_t *)quantifier(field, message) == field->id;
	if (field->type == PROTOBUF_C_TYPE_STRING ||
	    field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(void *const *)trl_member_of(field, message) != NULL;
	return field->label != PROTOBUF_C_LABEL_OPTIONAL ||
	       *(protobuf_c_boolean *)quantifier(field, message);
}

const ProtobufCFieldDescriptor *
trl_member_find(const ProtobufCMessage **message, const char *path)
{
	char name[64];

	for (;;) {
		const size_t len = strcspn(path, ".");
		const ProtobufCFieldDescriptor *field;

		if (len >= sizeof name)
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		field = protobuf_c_message_descriptor_get_field_by_name(
		    (*message)->descriptor, name);
		if (!field || !trl_member_present(field, *message))
			return NULL;
		path += len + (path[len] == '.');
		if (!*path)
			return field;
		*message =
		    *(const ProtobufCMessage *const *)trl_member_of(field, *message);
	}
}

void
trl_member_mark(const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		*(uint32_t *)quantifier(field, message) = field->id;
	else if (field->type != PROTOBUF_C_TYPE_STRING &&
		 field->type != PROTOBUF_C_TYPE_MESSAGE &&
		 field->label == PROTOBUF_C_LABEL_OPTIONAL)
		*(protobuf_c_boolean *)quantifier(field, message) = 1;
}

size_t
trl_member_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_ENUM:
		return 4;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		break;
	}
	return 8;
}

void
trl_member_clear(const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		*(size_t *)quantifier(field, message) = 0;
		return;
	}
	memset(trl_member_at(field, message), 0, trl_member_size(field));
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		*(uint32_t *)quantifier(field, message) = 0;
	else if (field->type != PROTOBUF_C_TYPE_STRING &&
		 field->type != PROTOBUF_C_TYPE_MESSAGE &&
		 field->label == PROTOBUF_C_LABEL_OPTIONAL)
		*(protobuf_c_boolean *)quantifier(field, message) = 0;
}

void
trl_member_copy(const ProtobufCFieldDescriptor *from, const ProtobufCMessage *source,
    const ProtobufCFieldDescriptor *to, ProtobufCMessage *message)
{
	trl_member_clear(to, message);
	if (!trl_member_present(from, source))
		return;
	if (from->label == PROTOBUF_C_LABEL_REPEATED) {
		*(size_t *)quantifier(to, message) = trl_member_count(from, source);
		memcpy(trl_member_at(to, message), trl_member_of(from, source),
		    sizeof(void *));
		return;
	}
	memcpy(trl_member_at(to, message), trl_member_of(from, source),
	    trl_member_size(from));
	trl_member_mark(to, message);
}

void
trl_member_copy_all(const ProtobufCMessage *source, ProtobufCMessage *message)
{
	for (unsigned i = 0; i < source->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *from = &source->descriptor->fields[i];
		const ProtobufCFieldDescriptor *to =
		    protobuf_c_message_descriptor_get_field_by_name(
			message->descriptor, from->name);

		if (to && to->type == from->type && to->label == from->label &&
		    to->descriptor == from->descriptor &&
		    trl_member_present(from, source))
			trl_member_copy(from, source, to, message);
	}
}

const void *
trl_member_item(
    const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message, size_t i)
{
	return *(const char *const *)trl_member_of(field, message) +
	       i * trl_member_size(field);
}

bool
trl_member_number(
    const ProtobufCFieldDescriptor *field, const void *member, struct trl_number *out)
{
	out->huge = false;
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		out->value = *(const int32_t *)member;
		return true;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		out->value = *(const uint32_t *)member;
		return true;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		out->value = *(const int64_t *)member;
		return true;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		out->huge = *(const uint64_t *)member > INT64_MAX;
		out->value = *(const int64_t *)member;
		return true;
	default:
		return false;
	}
}

bool
trl_field_is_time(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_MESSAGE &&
	       field->descriptor == &google__protobuf__timestamp__descriptor;
}

const char *
trl_entry_key_text(const ProtobufCMessage *entry, char buffer[24])
{
	const ProtobufCFieldDescriptor *key = &entry->descriptor->fields[0];
	const void *member = trl_member_of(key, entry);
	struct trl_number number;

	if (key->type == PROTOBUF_C_TYPE_STRING)
		return *(char *const *)member ? *(char *const *)member : "";
	if (key->type == PROTOBUF_C_TYPE_BOOL)
		return *(const protobuf_c_boolean *)member ? "true" : "false";
	if (trl_member_number(key, member, &number) && number.huge)
		snprintf(buffer, 24, "%" PRIu64, *(const uint64_t *)member);
	else
		snprintf(buffer, 24, "%" PRId64, number.value);
	return buffer;
}
