/* frame_read.c - reading what frame.c writes, from a stranger: a header is walked
 * once, bounded by its length; nothing is allocated and nothing recurses (a header
 * is two levels deep). (Over 400 lines: each kind of field has a few of its own.)
 *
 * Source of the encoding: protobuf.dev/programming-guides/encoding. */
#include "frame.h"

#include <string.h>

#include <trl/stream.h>
#include <trl/utf8.h>

#include "octets.h"

enum { FIELDS_MAX = 64 };

struct field {
	unsigned number;
	enum wire wire;
	uint64_t num;
	const uint8_t *data; /* of BYTES */
	size_t len;
};

static const uint8_t *
get_varint(const uint8_t *p, const uint8_t *end, uint64_t *out)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (p == end)
			return NULL;
		v |= (uint64_t)(*p & 0x7f) << shift;
		if ((*p++ & 0x80) == 0) {
			*out = v;
			return p;
		}
	}
	return NULL;
}

/* The next field, or NULL when it is broken. */
static const uint8_t *
get_field(const uint8_t *p, const uint8_t *end, struct field *out)
{
	uint64_t tag;
	p = get_varint(p, end, &tag);
	if (p == NULL || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		return NULL;
	out->number = (unsigned)(tag >> 3);
	out->wire = (enum wire)(tag & 7);
	out->num = 0;
	switch (tag & 7) {
	case VARINT:
		return get_varint(p, end, &out->num);
	case FIXED64:
	case FIXED32: {
		unsigned n = (tag & 7) == FIXED64 ? 8 : 4;
		if ((size_t)(end - p) < n)
			return NULL;
		out->num = get_le(p, n);
		return p + n;
	}
	case BYTES: {
		uint64_t n;
		p = get_varint(p, end, &n);
		if (p == NULL || n > (uint64_t)(end - p))
			return NULL;
		out->data = p;
		out->len = (size_t)n;
		return p + n;
	}
	default:
		return NULL; /* groups and what never existed */
	}
}

static bool
take_text(const struct field *f, size_t max, struct bus_text *out)
{
	const char *text = (const char *)f->data;

	if (f->wire != BYTES || f->len > max ||
	    trl_utf8_plain(text, f->len, "\t") != f->len)
		return false;
	out->s = text;
	out->n = f->len;
	return true;
}

static bool
take_bytes(const struct field *f, void *out, size_t n)
{
	if (f->wire != BYTES || f->len != n)
		return false;
	memcpy(out, f->data, n);
	return true;
}

static bool
take_num(const struct field *f, uint64_t max, uint64_t *out)
{
	*out = f->num;
	return f->wire == VARINT && f->num <= max;
}

static bool
principal_field(struct bus_frame *out, const struct field *f)
{
	struct trl_principal *who = &out->principal;
	uint64_t v = 0;
	switch (f->number) {
	case 1:
		if (!take_num(f, TRL_OPERATOR, &v))
			return false;
		who->kind = (enum trl_principal_kind)v;
		return true;
	case 2:
		return take_bytes(f, who->account.bytes, 16);
	case 3:
		return take_bytes(f, who->session.bytes, 16);
	case 4:
		who->verified = f->num != 0;
		return f->wire == VARINT;
	case 5:
		if (f->wire != BYTES || f->len % 4 != 0 ||
		    f->len > 4 * BUS_PERMISSIONS_MAX)
			return false;
		out->raw_permissions = f->data;
		who->n_permissions = f->len / 4;
		return true;
	case 6:
		if (!take_num(f, 255, &v))
			return false;
		who->role = (uint8_t)v;
		return true;
	case 7:
		return take_text(f, 64, &out->address);
	case 8:
		return take_text(f, 1024, &out->user_agent);
	default:
		return true;
	}
}

static bool
idempotency_field(struct bus_frame *out, const struct field *f)
{
	switch (f->number) {
	case 1:
		return take_text(f, 1024, &out->key);
	case 2:
		out->from_client = f->num != 0;
		return f->wire == VARINT;
	case 3:
		out->is_retry = f->num != 0;
		return f->wire == VARINT;
	case 4:
		return take_bytes(f, out->scope, 16);
	case 5:
		return take_bytes(f, out->request, 32);
	default:
		return true;
	}
}

static bool
error_field(struct bus_frame *out, const struct field *f)
{
	uint64_t v = 0;
	switch (f->number) {
	case 1:
		if (!take_num(f, 1000, &v))
			return false;
		out->code = (enum trl_code)v;
		return true;
	case 2:
		return take_text(f, 1024, &out->message);
	case 3:
		return take_text(f, 256, &out->field);
	case 4:
		if (!take_num(f, UINT32_MAX, &v))
			return false;
		out->retry_after_ms = (uint32_t)v;
		return true;
	case 5:
		return f->wire == BYTES;
	case 6:
		return take_text(f, 63, &out->feature);
	case 7:
		return take_text(f, 63, &out->plan);
	case 8:
	case 9:
		if (!take_num(f, UINT64_MAX, &v))
			return false;
		*(f->number == 8 ? &out->limit : &out->used) = (int64_t)v;
		return true;
	case 10:
		if (!take_num(f, UINT64_MAX, &v))
			return false;
		out->reserved = (int64_t)v;
		out->has_reserved = true;
		return true;
	default:
		return true;
	}
}

static bool
hello_field(struct bus_frame *out, const struct field *f)
{
	switch (f->number) {
	case 1:
		return take_text(f, 40, &out->name);
	case 2:
		out->nonce = f->data;
		return f->wire == BYTES && f->len == 16;
	case 3:
		out->echo = f->data;
		return f->wire == BYTES && f->len == 16;
	case 4:
		out->boot = f->num;
		return f->wire == FIXED64;
	case 5:
		return take_text(f, 256, &out->notices);
	case 6:
		out->token = f->data;
		return f->wire == BYTES && f->len == BUS_TOKEN;
	case 7:
		return take_text(f, BUS_PATH_MAX, &out->bulk);
	default:
		return true;
	}
}

static bool
walk(struct bus_frame *out, const uint8_t *p, size_t len,
    bool (*each)(struct bus_frame *out, const struct field *f))
{
	struct field f = { 0 };
	const uint8_t *end = p + len;
	for (unsigned n = 0; p < end; n++) {
		p = get_field(p, end, &f);
		if (p == NULL || n >= FIELDS_MAX || !each(out, &f))
			return false;
	}
	return true;
}

static bool
number_field(struct bus_frame *out, const struct field *f)
{
	if (f->wire != VARINT)
		return false;
	uint64_t v = f->num;
	switch (f->number) {
	case 1:
		if (v < BUS_HELLO || v > BUS_STATS)
			return false;
		out->kind = (enum bus_kind)v;
		return true;
	case 4:
		out->time_left_ms = (uint32_t)v;
		return v <= UINT32_MAX;
	case 5:
		out->attempt = (uint32_t)v;
		return v <= UINT32_MAX;
	case 11:
		out->has_if_version = true;
		out->if_version = (int64_t)v;
		return true;
	case 12:
		out->now_us = (int64_t)v;
		return true;
	case 14:
		out->answer = v != 0;
		return true;
	case 15:
		out->replayed = v != 0;
		return true;
	case 16:
		out->credit = (uint32_t)v;
		return v <= UINT32_MAX;
	case 17:
		out->has_body = true;
		out->body_len = (size_t)v;
		return v <= TRL_STREAM_RIDES;
	default:
		out->length = v;
		return true;
	}
}

static bool
message_field(struct bus_frame *out, const struct field *f)
{
	if (f->wire != BYTES)
		return false;
	switch (f->number) {
	case 7:
		out->has_principal = true;
		return walk(out, f->data, f->len, principal_field);
	case 9:
		return walk(out, f->data, f->len, idempotency_field);
	case 10:
		out->has_error = true;
		out->raw_error = f->data;
		out->raw_error_len = f->len;
		return walk(out, f->data, f->len, error_field);
	default:
		return walk(out, f->data, f->len, hello_field);
	}
}

static bool
header_field(struct bus_frame *out, const struct field *f)
{
	switch (f->number) {
	case 2:
		out->call_id = f->num;
		return f->wire == FIXED64;
	case 3:
		out->method = (uint32_t)f->num;
		return f->wire == FIXED32;
	case 6:
		if (f->wire != BYTES || f->len != 25)
			return false;
		out->has_trace = true;
		memcpy(out->trace.trace_id, f->data, 16);
		memcpy(out->trace.span_id, f->data + 16, 8);
		out->trace.flags = f->data[24];
		return true;
	case 8:
		out->has_tenant = true;
		return take_bytes(f, out->tenant.bytes, 16);
	case 7:
	case 9:
	case 10:
	case 13:
		return message_field(out, f);
	case 1:
	case 4:
	case 5:
	case 11:
	case 12:
	case 14:
	case 15:
	case 16:
	case 17:
	case 18:
		return number_field(out, f);
	default:
		return true; /* from a later release */
	}
}

const char *
bus_frame_get(const uint8_t *data, size_t len, size_t *at, struct bus_frame *out)
{
	memset(out, 0, sizeof *out);
	if (len - *at < 8)
		return "truncated frame";
	uint64_t header_len = get_be(data + *at, 4);
	uint64_t payload_len = get_be(data + *at + 4, 4);
	if (header_len + payload_len > len - *at - 8)
		return "frame longer than its message";
	const uint8_t *header = data + *at + 8;
	if (!walk(out, header, (size_t)header_len, header_field))
		return "broken frame header";
	if (out->kind == 0)
		return "frame without a kind";
	if (out->body_len > payload_len)
		return "frame longer than its message";
	out->payload = header + header_len;
	out->payload_len = (size_t)payload_len - out->body_len;
	out->body = out->payload + out->payload_len;
	out->raw = header - 8;
	out->raw_len = (size_t)(8 + header_len + payload_len);
	*at += out->raw_len;
	return NULL;
}

const uint32_t *
bus_permissions(trl_arena *arena, const struct bus_frame *frame)
{
	size_t n = frame->principal.n_permissions;
	if (n == 0)
		return NULL;
	uint32_t *out = trl_arena_alloc(arena, n * sizeof *out);
	for (size_t i = 0; i < n; i++)
		out[i] = get_le32(frame->raw_permissions + 4 * i);
	return out;
}

bool
bus_next_violation(const struct bus_frame *frame, size_t *at, struct bus_text *pointer,
    struct bus_text *detail)
{
	struct field f = { 0 }, inner = { 0 };
	const uint8_t *p = frame->raw_error + *at;
	const uint8_t *end = frame->raw_error + frame->raw_error_len;
	*pointer = *detail = (struct bus_text){ NULL, 0 };
	while (p < end) {
		p = get_field(p, end, &f);
		if (p == NULL)
			return false;
		if (f.number != 5 || f.wire != BYTES)
			continue;
		*at = (size_t)(p - frame->raw_error);
		const uint8_t *q = f.data, *stop = f.data + f.len;
		while (q < stop) {
			q = get_field(q, stop, &inner);
			if (q == NULL)
				return false;
			if (inner.number > 2)
				continue;
			if (!take_text(
				&inner, 1024, inner.number == 1 ? pointer : detail))
				return false;
		}
		return true;
	}
	return false;
}
