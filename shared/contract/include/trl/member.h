/* member.h - reaching into a message by its descriptor: where a field's value
 * lies, whether it is there, how many a list holds. For what handles any message
 * (validation, JSON, binding rows); a handler uses the struct's own members. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

/* A whole number of any width; huge: above INT64_MAX, value is not set. */
struct trl_number {
	int64_t value;
	bool huge;
};

/* Where the value of a field that is no list lies. */
static inline const void *
trl_member_of(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	return (const char *)message + field->offset;
}
/* The same to write to. */
static inline void *
trl_member_at(const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	return (char *)message + field->offset;
}
/* Whether a field is set; of a list, whether it has items. */
bool trl_member_present(
    const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message);
/* The field at a path such as "member.role", and in *message the one that holds it;
 * NULL: it is not set. No list is on the way. */
const ProtobufCFieldDescriptor *trl_member_find(
    const ProtobufCMessage **message, const char *path);
/* Marks a field that is no list as set (after writing its value). */
void trl_member_mark(const ProtobufCFieldDescriptor *field, ProtobufCMessage *message);
/* Takes a value away: the field is absent, a list empty. */
void trl_member_clear(const ProtobufCFieldDescriptor *field, ProtobufCMessage *message);
/* Gives a field of one message the value of another's field of the same type, absence
 * included. What it points to is shared. */
void trl_member_copy(const ProtobufCFieldDescriptor *from,
    const ProtobufCMessage *source, const ProtobufCFieldDescriptor *to,
    ProtobufCMessage *message);
/* Gives a message what another has of its fields, by name and type; what that has not
 * stays. What it points to is shared. For a handler as well: a row as it is shown. */
void trl_member_copy_all(const ProtobufCMessage *source, ProtobufCMessage *message);
/* Items of a list, and where the i-th lies. */
static inline size_t
trl_member_count(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	return *(const size_t *)(const void *)((const char *)message +
					       field->quantifier_offset);
}
const void *trl_member_item(
    const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message, size_t i);
/* Bytes of one value of the field's type. */
size_t trl_member_size(const ProtobufCFieldDescriptor *field);
/* False where the field is no whole number. */
bool trl_member_number(
    const ProtobufCFieldDescriptor *field, const void *member, struct trl_number *out);
bool trl_field_is_time(const ProtobufCFieldDescriptor *field);
/* The key of a map's entry as text; buffer serves where it is a number. */
const char *trl_entry_key_text(const ProtobufCMessage *entry, char buffer[24]);
