/* The walk over protobuf from outside, before protobuf-c may see it: one pass,
 * nothing allocated, at most DEPTH_MAX frames of stack. It counts what decoding
 * would allocate and refuses what decoding would not survive; so protobuf-c, which
 * has no limits, only ever meets messages that are known to be small and shallow
 * (reliability 3(j)).
 *
 * Format: https://protobuf.dev/programming-guides/encoding/ */
#include <trl/utf8.h>
#include <trl/wire.h>

enum { DEPTH_MAX = 16, FIELDS_MAX = 32768, BYTES_MAX = 8 << 20 };
/* What protobuf-c keeps for each field it meets while it scans. */
enum { SCANNED_BYTES = 48 };
enum { VARINT = 0, BITS64 = 1, LENGTH = 2, BITS32 = 5 };

struct walk {
	size_t fields;
	size_t bytes; /* that decoding would allocate */
};

struct run {
	const uint8_t *at, *end;
};

static const char truncated[] = "The message is cut off.";
static const char mistyped[] = "A field has another type on the wire.";
static const char too_large[] = "The message has too many elements.";

/* False where it is cut off or longer than ten bytes. */
static bool
take_varint(struct run *run, uint64_t *out)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 70 && run->at < run->end; shift += 7) {
		uint8_t byte = *run->at++;

		value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
		if (byte < 0x80) {
			*out = value;
			return true;
		}
	}
	return false;
}

static bool
take_fixed(struct run *run, size_t n)
{
	if ((size_t)(run->end - run->at) < n)
		return false;
	run->at += n;
	return true;
}

static bool
take_length(struct run *run, struct run *inner)
{
	uint64_t len;

	if (!take_varint(run, &len) || len > (uint64_t)(run->end - run->at))
		return false;
	inner->at = run->at;
	inner->end = run->at += len;
	return true;
}

static unsigned
wire_type_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return BITS32;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return BITS64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return LENGTH;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
	default:
		return VARINT;
	}
}

static const char *
spend(struct walk *walk, size_t bytes)
{
	walk->bytes += bytes;
	return walk->bytes > BYTES_MAX ? too_large : NULL;
}

/* A number of the field's type; type is its wire type. */
static const char *
number(const ProtobufCFieldDescriptor *field, unsigned type, struct run *run)
{
	uint64_t value;

	if (type != VARINT)
		return take_fixed(run, type == BITS64 ? 8 : 4) ? NULL : truncated;
	if (!take_varint(run, &value))
		return truncated;
	if (field && field->type == PROTOBUF_C_TYPE_ENUM &&
	    !protobuf_c_enum_descriptor_get_value(field->descriptor, (int)value))
		return "an enum has a value that is not known";
	return NULL;
}

static const char *
packed(struct walk *walk, const ProtobufCFieldDescriptor *field, struct run run)
{
	const char *wrong;
	unsigned type = wire_type_of(field->type);

	while (run.at < run.end) {
		wrong = number(field, type, &run);
		if (!wrong)
			wrong = spend(walk, 8);
		if (wrong)
			return wrong;
	}
	return NULL;
}

static const char *walk_message(struct walk *walk,
    const ProtobufCMessageDescriptor *type, struct run run, unsigned depth);

static const char *
delimited(struct walk *walk, const ProtobufCFieldDescriptor *field, struct run inner,
    unsigned depth)
{
	size_t len = (size_t)(inner.end - inner.at);
	const char *wrong = spend(walk, len + 1 + sizeof(void *));

	if (wrong || !field)
		return wrong;
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return trl_utf8_valid((const char *)inner.at, len)
			   ? NULL
			   : "A text is not UTF-8, or has a NUL.";
	case PROTOBUF_C_TYPE_BYTES:
		return NULL;
	case PROTOBUF_C_TYPE_MESSAGE:
		return walk_message(walk, field->descriptor, inner, depth + 1);
	default:
		return field->label == PROTOBUF_C_LABEL_REPEATED
			   ? packed(walk, field, inner)
			   : mistyped;
	}
}

static const char *
walk_field(struct walk *walk, const ProtobufCMessageDescriptor *type, struct run *run,
    unsigned depth)
{
	const ProtobufCFieldDescriptor *field;
	struct run inner;
	uint64_t tag;
	unsigned wire;

	if (!take_varint(run, &tag))
		return truncated;
	wire = tag & 7;
	if (tag >> 3 == 0 || tag >> 32 != 0)
		return "a field has a number that cannot be";
	if (++walk->fields > FIELDS_MAX)
		return too_large;
	field = protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
	if (wire == LENGTH)
		return take_length(run, &inner) ? delimited(walk, field, inner, depth)
						: truncated;
	if (wire != VARINT && wire != BITS64 && wire != BITS32)
		return "a field has a type that is not used";
	if (field && wire_type_of(field->type) != wire)
		return mistyped;
	return number(field, wire, run);
}

static const char *
walk_message(struct walk *walk, const ProtobufCMessageDescriptor *type, struct run run,
    unsigned depth)
{
	const char *wrong = NULL;

	if (depth > DEPTH_MAX)
		return "the message is nested too deeply";
	wrong = spend(walk, type->sizeof_message);
	while (!wrong && run.at < run.end) {
		wrong = spend(walk, SCANNED_BYTES);
		if (!wrong)
			wrong = walk_field(walk, type, &run, depth);
	}
	return wrong;
}

const char *
trl_wire_check(const ProtobufCMessageDescriptor *type, const void *data, size_t len)
{
	struct walk walk = { 0, 0 };
	struct run run = { data, NULL };

	if (len == 0)
		return NULL;
	run.end = run.at + len;
	return walk_message(&walk, type, run, 1);
}

enum trl_code
trl_wire_decode(trl_ctx *ctx, const ProtobufCMessageDescriptor *type, const void *data,
    size_t len, ProtobufCMessage **out)
{
	const char *wrong = trl_wire_check(type, data, len);
	ProtobufCMessage *message;

	if (wrong)
		return trl_fail(ctx, TRL_MALFORMED, "%s", wrong);
	message = protobuf_c_message_unpack(type, trl_arena_protobuf(ctx->arena), len,
	    len ? data : (const uint8_t *)"");
	if (!message)
		return trl_fail(ctx, TRL_MALFORMED, "The message cannot be decoded.");
	*out = message;
	return TRL_OK;
}

ProtobufCMessage *
trl_message_new(trl_arena *arena, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message = trl_arena_alloc(arena, type->sizeof_message);

	protobuf_c_message_init(type, message);
	return message;
}

void
trl_wire_encode(trl_arena *arena, const ProtobufCMessage *message, const uint8_t **data,
    size_t *len)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = trl_arena_alloc(arena, size);

	*len = protobuf_c_message_pack(message, bytes);
	*data = bytes;
}

bool
trl_wire_same(trl_arena *arena, const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	const uint8_t *one, *other;
	size_t one_len, other_len;

	trl_wire_encode(arena, a, &one, &one_len);
	trl_wire_encode(arena, b, &other, &other_len);
	return one_len == other_len && memcmp(one, other, one_len) == 0;
}
