/* Messages as JSON, written straight into the buffer: no tree, no allocation but
 * the buffer's growth. Every reply of the edge goes this way. Names come with their
 * quotes and colon from the rules; texts are copied in runs between escapes. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <google/protobuf/timestamp.pb-c.h>

#include <trl/clock.h>
#include <trl/id.h>
#include <trl/json.h>
#include <trl/member.h>

#include "base64.h"

#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

static inline void
add(struct trl_buf *out, const char *text, size_t len)
{
	memcpy(trl_buf_reserve(out, len), text, len);
	out->len += len;
}

static inline void
add_char(struct trl_buf *out, char c)
{
	if (out->len == out->cap)
		trl_buf_reserve(out, 1);
	out->data[out->len++] = (uint8_t)c;
}

/* Whether one of eight bytes is a control, a quote or a backslash. The classic
 * "has a byte less than / equal to" of Bit Twiddling Hacks; may err only towards
 * true. */
static inline bool
wants_escape8(const char *p)
{
	uint64_t w, quote, slash;

	memcpy(&w, p, sizeof w);
	quote = w ^ (ONES * '"');
	slash = w ^ (ONES * '\\');
	return (((w - ONES * 0x20) & ~w) | ((quote - ONES) & ~quote) |
		   ((slash - ONES) & ~slash)) &
	       HIGHS;
}

static inline bool
wants_escape(char c)
{
	return (uint8_t)c < 0x20 || c == '"' || c == '\\';
}

/* Bytes from p on that need no escape. */
static size_t
plain_run(const char *p, size_t len)
{
	size_t n = 0;

	while (len - n >= 8 && !wants_escape8(p + n))
		n += 8;
	while (n < len && !wants_escape(p[n]))
		n++;
	return n;
}

static void
add_escape(struct trl_buf *out, char c)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = { '\\', 'u', '0', '0', 0, 0 };
	const char *known = strchr("\"\"\\\\\bb\ff\nn\rr\tt", c);

	if (c != '\0' && known) {
		text[1] = c == '"' || c == '\\' ? c : known[1];
		add(out, text, 2);
		return;
	}
	text[4] = hex[(uint8_t)c >> 4];
	text[5] = hex[c & 15];
	add(out, text, 6);
}

void
trl_json_string(struct trl_buf *out, const char *text, size_t len)
{
	add_char(out, '"');
	for (;;) {
		size_t run = plain_run(text, len);

		add(out, text, run);
		if (run == len)
			break;
		add_escape(out, text[run]);
		text += run + 1;
		len -= run + 1;
	}
	add_char(out, '"');
}

static void
add_unsigned(struct trl_buf *out, uint64_t value, bool negative)
{
	char text[24];
	char *p = text + sizeof text;

	do
		*--p = (char)('0' + value % 10);
	while (value /= 10);
	if (negative)
		*--p = '-';
	add(out, p, (size_t)(text + sizeof text - p));
}

static void
add_signed(struct trl_buf *out, int64_t value)
{
	add_unsigned(out, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0);
}

/* The shortest of 15 to 17 digits that reads back the same; JSON has no NaN. */
static void
add_real(struct trl_buf *out, double value)
{
	char text[40];
	double again = 0;
	int n = 0;

	if (!isfinite(value)) {
		add(out, "null", 4);
		return;
	}
	for (int digits = 15; digits <= 17 && (n == 0 || again != value); digits++) {
		n = snprintf(text, sizeof text, "%.*g", digits, value);
		sscanf(text, "%lf", &again);
	}
	add(out, text, (size_t)n);
}

static void
add_bytes(
    struct trl_buf *out, const struct trl_field *rule, const ProtobufCBinaryData *bytes)
{
	size_t len = (bytes->len + 2) / 3 * 4;

	if (rule->format == TRL_FORMAT_ID && bytes->len == sizeof(struct trl_id)) {
		struct trl_id id;
		char text[TRL_ID_TEXT + 2];

		memcpy(id.bytes, bytes->data, sizeof id.bytes);
		trl_id_format(id, text + 1);
		text[0] = text[TRL_ID_TEXT] = '"';
		add(out, text, TRL_ID_TEXT + 1);
		return;
	}
	add_char(out, '"');
	json_base64_encode(bytes->data, bytes->len, (char *)trl_buf_reserve(out, len));
	out->len += len;
	add_char(out, '"');
}

static void
add_time(struct trl_buf *out, const Google__Protobuf__Timestamp *time)
{
	char text[TRL_TIME_TEXT + 2];
	int64_t us;

	if (__builtin_mul_overflow(time->seconds, 1000000, &us) ||
	    __builtin_add_overflow(us, time->nanos / 1000, &us))
		us = 0;
	text[0] = '"';
	trl_time_format(us, text + 1);
	add(out, text, strlen(text));
	add_char(out, '"');
}

static void
add_enum(struct trl_buf *out, const ProtobufCFieldDescriptor *field, int value)
{
	const ProtobufCEnumValue *known =
	    protobuf_c_enum_descriptor_get_value(field->descriptor, value);

	if (known)
		trl_json_string(out, known->name, strlen(known->name));
	else
		add(out, "\"unknown\"", 9);
}

static void add_value(struct trl_buf *out, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, const void *member,
    enum trl_json_secrets secrets);

/* An entry of a map: its key as text, its value. */
static void
add_entry(struct trl_buf *out, const struct trl_message *rules,
    const ProtobufCMessage *entry, enum trl_json_secrets secrets)
{
	const ProtobufCFieldDescriptor *value = &rules->descriptor->fields[1];
	const void *member = trl_member_of(value, entry);
	char buffer[24];
	const char *key = trl_entry_key_text(entry, buffer);

	trl_json_string(out, key, strlen(key));
	add_char(out, ':');
	add_value(out, &rules->fields[1], value, member, secrets);
}

static void
add_list(struct trl_buf *out, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message,
    enum trl_json_secrets secrets)
{
	size_t count = trl_member_count(field, message);
	bool map = rule->message && rule->message->is_entry;

	add_char(out, map ? '{' : '[');
	for (size_t i = 0; i < count; i++) {
		const void *item = trl_member_item(field, message, i);

		if (i > 0)
			add_char(out, ',');
		if (map)
			add_entry(out, rule->message, *(void *const *)item, secrets);
		else
			add_value(out, rule, field, item, secrets);
	}
	add_char(out, map ? '}' : ']');
}

static void
add_value(struct trl_buf *out, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, const void *member,
    enum trl_json_secrets secrets)
{
	struct trl_number number;
	const char *text;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		text = *(const char *const *)member;
		trl_json_string(out, text ? text : "", text ? strlen(text) : 0);
		return;
	case PROTOBUF_C_TYPE_BYTES:
		add_bytes(out, rule, member);
		return;
	case PROTOBUF_C_TYPE_MESSAGE:
		if (!*(void *const *)member)
			add(out, "{}", 2);
		else if (trl_field_is_time(field))
			add_time(out, *(void *const *)member);
		else
			trl_json_encode(
			    out, rule->message, *(void *const *)member, secrets);
		return;
	case PROTOBUF_C_TYPE_ENUM:
		add_enum(out, field, *(const int *)member);
		return;
	case PROTOBUF_C_TYPE_BOOL:
		if (*(const protobuf_c_boolean *)member)
			add(out, "true", 4);
		else
			add(out, "false", 5);
		return;
	case PROTOBUF_C_TYPE_FLOAT:
		add_real(out, (double)*(const float *)member);
		return;
	case PROTOBUF_C_TYPE_DOUBLE:
		add_real(out, *(const double *)member);
		return;
	default:
		if (trl_member_number(field, member, &number) && !number.huge)
			add_signed(out, number.value);
		else
			add_unsigned(out, *(const uint64_t *)member, false);
	}
}

void
trl_json_encode(struct trl_buf *out, const struct trl_message *rules,
    const ProtobufCMessage *message, enum trl_json_secrets secrets)
{
	const ProtobufCMessageDescriptor *type = rules->descriptor;
	bool first = true;

	add_char(out, '{');
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		const struct trl_field *rule = &rules->fields[i];
		bool list = field->label == PROTOBUF_C_LABEL_REPEATED;

		if (rule->internal || (!list && !trl_member_present(field, message)) ||
		    (rule->secret && secrets == TRL_JSON_OMIT_SECRETS))
			continue;
		if (!first)
			add_char(out, ',');
		first = false;
		add(out, rule->key, rule->key_len);
		if (secrets == TRL_JSON_HIDE_SECRETS && rule->secret)
			add(out, "\"(secret)\"", 10);
		else if (list)
			add_list(out, rule, field, message, secrets);
		else
			add_value(
			    out, rule, field, trl_member_of(field, message), secrets);
	}
	add_char(out, '}');
}
