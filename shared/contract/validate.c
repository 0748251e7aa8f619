/* Holds a message against its rules: presence, lengths, ranges, formats, nested
 * messages, and what a PATCH clears. Everything wrong is gathered (up to the
 * error's bound), each with its JSON pointer (RFC 6901). */
#include <stdio.h>
#include <string.h>

#include <google/protobuf/timestamp.pb-c.h>

#include <trl/member.h>
#include <trl/pointer.h>
#include <trl/utf8.h>
#include <trl/validate.h>

struct check {
	trl_ctx *ctx;
	size_t wrong;
	struct trl_pointer at;
};

static void
refuse(struct check *check, const char *detail)
{
	check->wrong++;
	trl_err_violation(check->ctx, check->at.text, "%s", detail);
}

static void
check_length(
    struct check *check, size_t len, uint32_t least, uint32_t most, const char *unit)
{
	char detail[80];

	if (len >= least && (most == 0 || len <= most))
		return;
	if (len < least)
		snprintf(
		    detail, sizeof detail, "should have at least %u %s", least, unit);
	else
		snprintf(
		    detail, sizeof detail, "should have at most %u %s", most, unit);
	refuse(check, detail);
}

static void
check_text(struct check *check, const struct trl_field *rule, const char *text,
    uint32_t least, uint32_t most)
{
	size_t len = strlen(text);
	size_t wrong = check->wrong;
	const char *wanted;
	char detail[160];

	check_length(check, trl_utf8_count(text, len), least, most, "characters");
	if (check->wrong != wrong)
		return;
	wanted = trl_format_check(rule->format, text, len);
	if (!wanted)
		return;
	snprintf(detail, sizeof detail, "should be %s", wanted);
	refuse(check, detail);
}

static void
check_bytes(struct check *check, const struct trl_field *rule, size_t len,
    uint32_t least, uint32_t most)
{
	if (rule->format != TRL_FORMAT_ID)
		check_length(check, len, least, most, "bytes");
	else if (len != sizeof(struct trl_id))
		refuse(check, "should be an id of 36 characters");
}

static void
check_number(struct check *check, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, const void *member)
{
	struct trl_number number;
	char detail[80];

	if ((!rule->has_min && !rule->has_max) ||
	    !trl_member_number(field, member, &number))
		return;
	if (rule->has_min && !number.huge && number.value < rule->min)
		snprintf(detail, sizeof detail, "should be at least %lld",
		    (long long)rule->min);
	else if (rule->has_max && (number.huge || number.value > rule->max))
		snprintf(detail, sizeof detail, "should be at most %lld",
		    (long long)rule->max);
	else
		return;
	refuse(check, detail);
}

static void
check_time(struct check *check, const Google__Protobuf__Timestamp *time)
{
	/* 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z */
	if (time->seconds < INT64_C(-62135596800) ||
	    time->seconds > INT64_C(253402300799) || time->nanos < 0 ||
	    time->nanos > 999999999)
		refuse(check, "should be a time between the years 1 and 9999");
}

static void check_message(struct check *check, const struct trl_message *rules,
    const ProtobufCMessage *message);

/* One value: a field's own, or an item of its list. */
static void
check_value(struct check *check, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, const void *member)
{
	bool item = field->label == PROTOBUF_C_LABEL_REPEATED;
	uint32_t least = item ? 0 : rule->min_len;
	uint32_t most = item ? rule->item_max_len : rule->max_len;
	const char *text;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		text = *(const char *const *)member;
		check_text(check, rule, text ? text : "", least, most);
		return;
	case PROTOBUF_C_TYPE_BYTES:
		check_bytes(check, rule, ((const ProtobufCBinaryData *)member)->len,
		    least, most);
		return;
	case PROTOBUF_C_TYPE_ENUM:
		if (!protobuf_c_enum_descriptor_get_value(
			field->descriptor, *(const int *)member))
			refuse(check, "should be a value that is known");
		return;
	case PROTOBUF_C_TYPE_MESSAGE:
		if (trl_field_is_time(field))
			check_time(check, *(void *const *)member);
		else
			check_message(check, rule->message, *(void *const *)member);
		return;
	default:
		check_number(check, rule, field, member);
	}
}

static void
check_list(struct check *check, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	size_t count = trl_member_count(field, message);
	bool map = rule->message && rule->message->is_entry;
	char key[24];

	check_length(check, count, rule->min_len, rule->max_len, "items");
	if (rule->max_len && count > rule->max_len)
		return;
	for (size_t i = 0; i < count; i++) {
		const void *item = trl_member_item(field, message, i);
		size_t before;

		if (map)
			before = trl_pointer_enter(
			    &check->at, trl_entry_key_text(*(void *const *)item, key));
		else
			before = trl_pointer_enter_index(&check->at, i);
		check_value(check, rule, field, item);
		trl_pointer_leave(&check->at, before);
	}
}

/* Each name in "clear" is a nullable field that is not set as well. */
static void
check_clear(struct check *check, const struct trl_message *rules,
    const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = rules->descriptor;
	const ProtobufCFieldDescriptor *clear = &type->fields[rules->clear_field];
	size_t count = trl_member_count(clear, message);

	for (size_t i = 0; i < count; i++) {
		const char *name =
		    *(const char *const *)trl_member_item(clear, message, i);
		const ProtobufCFieldDescriptor *field =
		    protobuf_c_message_descriptor_get_field_by_name(type, name);
		size_t before = trl_pointer_enter(&check->at, name);

		if (!field || !rules->fields[field - type->fields].nullable)
			refuse(check, "cannot be cleared");
		else if (trl_member_present(field, message))
			refuse(check, "is both set and cleared");
		trl_pointer_leave(&check->at, before);
	}
}

static void
check_message(struct check *check, const struct trl_message *rules,
    const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = rules->descriptor;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		const struct trl_field *rule = &rules->fields[i];
		bool present = trl_member_present(field, message);
		size_t before;

		if (!present && !rule->required)
			continue;
		before = trl_pointer_enter(&check->at, field->name);
		if (!present)
			refuse(check, "is required");
		else if (rule->output_only)
			refuse(check, "is set by the service");
		else if (field->label == PROTOBUF_C_LABEL_REPEATED)
			check_list(check, rule, field, message);
		else
			check_value(check, rule, field, trl_member_of(field, message));
		trl_pointer_leave(&check->at, before);
	}
	if (rules->clear_field >= 0)
		check_clear(check, rules, message);
}

enum trl_code
trl_validate(
    trl_ctx *ctx, const struct trl_message *rules, const ProtobufCMessage *message)
{
	struct check check = { .ctx = ctx };

	check_message(&check, rules, message);
	if (check.wrong == 0)
		return TRL_OK;
	if (check.wrong > 1 || ctx->err.n_violations == 0)
		return trl_fail(
		    ctx, TRL_INVALID, "%zu values are not acceptable.", check.wrong);
	return trl_fail_field(ctx, TRL_INVALID,
	    ctx->err.violations[0].pointer[0] ? ctx->err.violations[0].pointer + 1 : "",
	    "%s %s.", ctx->err.violations[0].pointer + 1,
	    ctx->err.violations[0].detail);
}
