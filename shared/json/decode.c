/* JSON into messages: jansson parses (strict UTF-8, no doubled names, nothing
 * trailing), this holds the tree against the contract. Everything wrong is gathered
 * with its pointer, so that a client sees all of it at once. */
#include <stdio.h>
#include <string.h>

#include <trl/member.h>

#include "private.h"

void
json_refuse(struct json_read *read, enum trl_code code, const char *detail)
{
	if (read->code != TRL_MALFORMED)
		read->code = code;
	trl_err_violation(read->ctx, read->at.text, "%s", detail);
}

enum trl_code
json_finish(struct json_read *read)
{
	const struct trl_violation *first = read->ctx->err.violations;
	size_t count = read->ctx->err.n_violations;

	if (read->code == TRL_OK)
		return TRL_OK;
	read->ctx->err.code = TRL_OK; /* said anew, of all that was refused so far */
	if (count != 1 || first->pointer[0] == '\0')
		return trl_fail(
		    read->ctx, read->code, "%zu fields are not acceptable.", count);
	return trl_fail_field(read->ctx, read->code, first->pointer + 1, "%s %s.",
	    first->pointer + 1, first->detail);
}

void *
json_alloc(struct json_read *read, size_t size)
{
	void *p = trl_arena_try(read->ctx->arena, size);

	if (!p)
		json_refuse(read, TRL_INVALID, "holds too much");
	return p;
}

/* Makes room for count items and says how many there are. */
static char *
make_list(struct json_read *read, const ProtobufCFieldDescriptor *field,
    ProtobufCMessage *message, size_t count)
{
	size_t size = trl_member_size(field);
	char *items = json_alloc(read, count * size + 1);

	if (!items)
		return NULL;
	memset(items, 0, count * size);
	*(char **)trl_member_at(field, message) = items;
	*(size_t *)(void *)((char *)message + field->quantifier_offset) = count;
	return items;
}

static bool
too_many(struct json_read *read, const struct trl_field *rule, size_t count)
{
	char detail[60];

	if (rule->max_len == 0 || count <= rule->max_len)
		return false;
	snprintf(detail, sizeof detail, "should have at most %u items", rule->max_len);
	json_refuse(read, TRL_INVALID, detail);
	return true;
}

static void
read_map(struct json_read *read, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, json_t *object, ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = rule->message->descriptor;
	const struct trl_field *rules = rule->message->fields;
	size_t count = json_object_size(object);
	ProtobufCMessage **entries;
	const char *key;
	json_t *value;

	if (too_many(read, rule, count))
		return;
	entries = (ProtobufCMessage **)(void *)make_list(read, field, message, count);
	if (!entries)
		return;
	json_object_foreach(object, key, value)
	{
		size_t before = trl_pointer_enter(&read->at, key);
		ProtobufCMessage *entry = json_alloc(read, type->sizeof_message);

		if (!entry)
			return;
		protobuf_c_message_init(type, entry);
		*entries++ = entry;
		if (json_set_text(read, &rules[0], &type->fields[0],
			trl_member_at(&type->fields[0], entry), key, strlen(key)))
			trl_member_mark(&type->fields[0], entry);
		if (json_set_value(read, &rules[1], &type->fields[1],
			trl_member_at(&type->fields[1], entry), value))
			trl_member_mark(&type->fields[1], entry);
		trl_pointer_leave(&read->at, before);
	}
}

static void
read_list(struct json_read *read, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, json_t *value, ProtobufCMessage *message)
{
	size_t count = json_array_size(value);
	char *items;

	if (rule->message && rule->message->is_entry) {
		if (json_is_object(value))
			read_map(read, rule, field, value, message);
		else
			json_refuse(read, TRL_MALFORMED, "should be an object");
		return;
	}
	if (!json_is_array(value)) {
		json_refuse(read, TRL_MALFORMED, "should be a list");
		return;
	}
	if (too_many(read, rule, count))
		return;
	items = make_list(read, field, message, count);
	for (size_t i = 0; items && i < count; i++) {
		size_t before = trl_pointer_enter_index(&read->at, i);

		json_set_value(read, rule, field, items + i * trl_member_size(field),
		    json_array_get(value, i));
		trl_pointer_leave(&read->at, before);
	}
}

/* Names a field in the message's list of those that are cleared. */
static void
note_cleared(struct json_read *read, const struct trl_message *rules, unsigned index,
    ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *clear =
	    &rules->descriptor->fields[rules->clear_field];
	size_t count = trl_member_count(clear, message);
	const char **names = *(const char ***)trl_member_at(clear, message);

	if (count == 0) {
		names = json_alloc(read, rules->descriptor->n_fields * sizeof *names);
		if (!names)
			return;
		*(const char ***)trl_member_at(clear, message) = names;
	}
	names[count++] = rules->descriptor->fields[index].name;
	*(size_t *)(void *)((char *)message + clear->quantifier_offset) = count;
}

/* null: a PATCH clears the field (so does an empty list, which a message does not tell
 * from none), elsewhere it is nothing to write. */
static void
read_null(struct json_read *read, const struct trl_message *rules, unsigned index,
    ProtobufCMessage *message)
{
	if (rules->clear_field < 0 || !rules->fields[index].nullable)
		json_refuse(read, TRL_INVALID, "cannot be null");
	else
		note_cleared(read, rules, index, message);
}

static bool
oneof_taken(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
	       *(const uint32_t *)(const void *)((const char *)message +
						 field->quantifier_offset) != 0;
}

static void
read_member(struct json_read *read, const struct trl_message *rules,
    const ProtobufCFieldDescriptor *field, json_t *value, ProtobufCMessage *message)
{
	unsigned index = (unsigned)(field - rules->descriptor->fields);
	const struct trl_field *rule = &rules->fields[index];

	if (rule->output_only)
		json_refuse(read, TRL_MALFORMED, "is set by the service");
	else if (trl_member_present(field, message))
		json_refuse(read, TRL_MALFORMED, "is given by the path already");
	else if (oneof_taken(field, message))
		json_refuse(read, TRL_MALFORMED, "excludes another field that is set");
	else if (json_is_null(value))
		read_null(read, rules, index, message);
	else if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		read_list(read, rule, field, value, message);
		if (rules->clear_field >= 0 && rule->nullable && json_is_array(value) &&
		    json_array_size(value) == 0)
			note_cleared(read, rules, index, message);
	} else if (json_set_value(
		       read, rule, field, trl_member_at(field, message), value))
		trl_member_mark(field, message);
}

void
json_read_object(struct json_read *read, const struct trl_message *rules,
    json_t *object, ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = rules->descriptor;
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		const ProtobufCFieldDescriptor *field =
		    protobuf_c_message_descriptor_get_field_by_name(type, name);
		size_t before = trl_pointer_enter(&read->at, name);

		if (!field || rules->fields[field - type->fields].internal) {
			if (!rules->is_lenient)
				json_refuse(read, TRL_MALFORMED,
				    "is not a field of this request");
		} else
			read_member(read, rules, field, value, message);
		trl_pointer_leave(&read->at, before);
	}
}

/* What jansson says, as one of ours. */
static enum trl_code
unreadable(trl_ctx *ctx, const json_error_t *error)
{
	if (json_error_code(error) == json_error_numeric_overflow)
		return trl_fail(ctx, TRL_INVALID,
		    "A number before byte %d is out of range.", error->position);
	if (json_error_code(error) == json_error_duplicate_key)
		return trl_fail(ctx, TRL_MALFORMED,
		    "A field before byte %d is given twice.", error->position);
	if (json_error_code(error) == json_error_null_byte_in_key)
		return trl_fail(ctx, TRL_MALFORMED,
		    "A field before byte %d has U+0000 in its name: it is not a field "
		    "of this request.",
		    error->position);
	return trl_fail(
	    ctx, TRL_MALFORMED, "The body is not JSON, at byte %d.", error->position);
}

enum trl_code
trl_json_decode(trl_ctx *ctx, const struct trl_message *rules, const char *text,
    size_t len, ProtobufCMessage *message)
{
	struct json_read read = { .ctx = ctx };
	json_error_t error;
	enum trl_code code;
	const char *wrong = json_scan(text, len, &code);
	json_t *parsed;
	bool object;

	if (wrong)
		return trl_fail(ctx, code, "%s", wrong);
	parsed = json_loadb(text, len,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (!parsed)
		return unreadable(ctx, &error);
	object = json_is_object(parsed);
	if (object)
		json_read_object(&read, rules, parsed, message);
	json_decref(parsed);
	if (!object)
		return trl_fail(ctx, TRL_MALFORMED, "The body is not a JSON object.");
	return json_finish(&read);
}

/* One more item of a list that grows by doubling. */
static void
append_text(struct json_read *read, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, ProtobufCMessage *message, const char *text,
    size_t len)
{
	size_t size = trl_member_size(field), count = trl_member_count(field, message);
	char *items = *(char **)trl_member_at(field, message);

	if (too_many(read, rule, count + 1))
		return;
	if ((count & (count - 1)) == 0) {
		char *more = json_alloc(read, (count ? count * 2 : 1) * size);

		if (!more)
			return;
		if (count)
			memcpy(more, items, count * size);
		items = more;
		*(char **)trl_member_at(field, message) = items;
	}
	if (json_set_text(read, rule, field, items + count * size, text, len))
		*(size_t *)(void *)((char *)message + field->quantifier_offset) =
		    count + 1;
}

static void
set_one(struct json_read *read, const struct trl_message *rules,
    ProtobufCMessage *message, size_t at, const char *text, size_t len)
{
	const ProtobufCFieldDescriptor *field = &rules->descriptor->fields[at];
	const struct trl_field *rule = &rules->fields[at];

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		append_text(read, rule, field, message, text, len);
	else if (trl_member_present(field, message) || oneof_taken(field, message))
		json_refuse(read, TRL_MALFORMED, "is given twice");
	else if (json_set_text(
		     read, rule, field, trl_member_at(field, message), text, len))
		trl_member_mark(field, message);
}

enum trl_code
trl_json_set_text(trl_ctx *ctx, const struct trl_message *rules,
    ProtobufCMessage *message, const char *name, const char *text, size_t len)
{
	const ProtobufCMessageDescriptor *type = rules->descriptor;
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field_by_name(type, name);
	const struct trl_field *rule =
	    field ? &rules->fields[field - type->fields] : NULL;
	struct json_read read = { .ctx = ctx, .code = ctx->err.code };

	trl_pointer_enter(&read.at, name);
	if (!field || rule->internal || rule->output_only)
		json_refuse(&read, TRL_MALFORMED, "is not a parameter of this request");
	else
		set_one(
		    &read, rules, message, (size_t)(field - type->fields), text, len);
	return json_finish(&read);
}

enum trl_code
trl_json_set_header(trl_ctx *ctx, const struct trl_message *rules,
    ProtobufCMessage *message, size_t field, const char *text, size_t len)
{
	struct json_read read = { .ctx = ctx, .code = ctx->err.code };

	trl_pointer_enter(&read.at, rules->fields[field].header);
	set_one(&read, rules, message, field, text, len);
	return json_finish(&read);
}
