/* frame.c - see frame.h. Writing reserves an upper bound once and then stores
 * bytes; frame_read.c reads frames.
 *
 * Source of the encoding: protobuf.dev/programming-guides/encoding. */
#include "frame.h"

#include <string.h>

#include <trl/utf8.h>

#include "octets.h"

enum { FIXED_BOUND = 1024 };

struct bus_text
bus_text(const char *s)
{
	if (s == NULL || *s == '\0')
		return (struct bus_text){ NULL, 0 };
	return (struct bus_text){ s, strlen(s) };
}

bool
bus_text_eq(struct bus_text a, const char *b)
{
	return a.s != NULL && strlen(b) == a.n && memcmp(a.s, b, a.n) == 0;
}

static uint8_t *
put_varint(uint8_t *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

static uint8_t *
put_num(uint8_t *p, unsigned field, uint64_t v)
{
	*p++ = (uint8_t)(field << 3 | VARINT);
	return put_varint(p, v);
}

static uint8_t *
put_fixed(uint8_t *p, unsigned field, uint64_t v, unsigned n)
{
	*p++ = (uint8_t)(field << 3 | (n == 8 ? FIXED64 : FIXED32));
	for (unsigned i = 0; i < n; i++)
		*p++ = (uint8_t)(v >> (8 * i));
	return p;
}

static uint8_t *
put_bytes(uint8_t *p, unsigned field, const void *data, size_t n)
{
	*p++ = (uint8_t)(field << 3 | BYTES);
	p = put_varint(p, n);
	if (n > 0)
		memcpy(p, data, n);
	return p + n;
}

/* A reader gives up the whole connection at a text that is not plain, so none is
 * written: what came from outside, or was cut by a buffer, is cleaned here. */
static uint8_t *
put_text(uint8_t *p, unsigned field, struct bus_text text)
{
	if (text.s == NULL)
		return p;
	p = put_bytes(p, field, text.s, text.n);
	trl_utf8_clean((char *)p - text.n, text.n, "\t");
	return p;
}

/* A message inside: written behind room for a length of five bytes, then moved
 * to where the length truly ends. */
static uint8_t *
close_inner(uint8_t *start, uint8_t *end, unsigned field)
{
	uint8_t *body = start + 6;
	size_t n = (size_t)(end - body);
	*start = (uint8_t)(field << 3 | BYTES);
	uint8_t *to = put_varint(start + 1, n);
	memmove(to, body, n);
	return to + n;
}

static uint8_t *
put_principal(uint8_t *start, const struct bus_frame *f)
{
	const struct trl_principal *who = &f->principal;
	uint8_t *p = start + 6;
	p = put_num(p, 1, (uint64_t)who->kind);
	if (!trl_id_is_nil(who->account))
		p = put_bytes(p, 2, who->account.bytes, 16);
	if (!trl_id_is_nil(who->session))
		p = put_bytes(p, 3, who->session.bytes, 16);
	if (who->verified)
		p = put_num(p, 4, 1);
	if (who->n_permissions > 0) {
		*p++ = (uint8_t)(5 << 3 | BYTES);
		p = put_varint(p, who->n_permissions * 4);
		for (size_t i = 0; i < who->n_permissions; i++)
			put_le32(p + 4 * i, who->permissions[i]);
		p += 4 * who->n_permissions;
	}
	if (who->role != 0)
		p = put_num(p, 6, who->role);
	p = put_text(p, 7, f->address);
	p = put_text(p, 8, f->user_agent);
	return close_inner(start, p, 7);
}

static uint8_t *
put_idempotency(uint8_t *start, const struct bus_frame *f)
{
	uint8_t *p = put_text(start + 6, 1, f->key);
	if (f->from_client)
		p = put_num(p, 2, 1);
	if (f->is_retry)
		p = put_num(p, 3, 1);
	p = put_bytes(p, 4, f->scope, sizeof f->scope);
	p = put_bytes(p, 5, f->request, sizeof f->request);
	return close_inner(start, p, 9);
}

static uint8_t *
put_error(uint8_t *start, const struct bus_frame *f)
{
	uint8_t *p = put_num(start + 6, 1, (uint64_t)f->code);
	p = put_text(p, 2, f->message);
	p = put_text(p, 3, f->field);
	if (f->retry_after_ms != 0)
		p = put_num(p, 4, f->retry_after_ms);
	for (size_t i = 0; i < f->n_violations; i++) {
		uint8_t *inner = p;
		p = put_text(inner + 6, 1, bus_text(f->violations[i].pointer));
		p = put_text(p, 2, bus_text(f->violations[i].detail));
		p = close_inner(inner, p, 5);
	}
	if (f->feature.s != NULL) {
		p = put_text(p, 6, f->feature);
		p = put_text(p, 7, f->plan);
		p = put_num(p, 9, (uint64_t)f->used);
		if (f->has_reserved)
			p = put_num(p, 10, (uint64_t)f->reserved);
	}
	if (f->feature.s != NULL || f->limit != 0) /* of RANGE it stands by itself */
		p = put_num(p, 8, (uint64_t)f->limit);
	return close_inner(start, p, 10);
}

static uint8_t *
put_hello(uint8_t *start, const struct bus_frame *f)
{
	uint8_t *p = put_text(start + 6, 1, f->name);
	if (f->nonce != NULL)
		p = put_bytes(p, 2, f->nonce, 16);
	if (f->echo != NULL)
		p = put_bytes(p, 3, f->echo, 16);
	p = put_fixed(p, 4, f->boot, 8);
	p = put_text(p, 5, f->notices);
	if (f->token != NULL)
		p = put_bytes(p, 6, f->token, BUS_TOKEN);
	p = put_text(p, 7, f->bulk);
	return close_inner(start, p, 13);
}

/* A field from 16 on, whose tag takes two bytes. */
static uint8_t *
put_far(uint8_t *p, unsigned field, uint64_t v)
{
	return put_varint(put_varint(p, field << 3 | VARINT), v);
}

static uint8_t *
put_header(uint8_t *p, const struct bus_frame *f)
{
	p = put_num(p, 1, (uint64_t)f->kind);
	if (f->call_id != 0)
		p = put_fixed(p, 2, f->call_id, 8);
	if (f->method != 0)
		p = put_fixed(p, 3, f->method, 4);
	if (f->time_left_ms != 0)
		p = put_num(p, 4, f->time_left_ms);
	if (f->attempt != 0)
		p = put_num(p, 5, f->attempt);
	if (f->has_trace) {
		p = put_bytes(p, 6, f->trace.trace_id, 16);
		p[-17] = 25;
		memcpy(p, f->trace.span_id, 8);
		p[8] = f->trace.flags;
		p += 9;
	}
	if (f->has_principal)
		p = put_principal(p, f);
	if (f->has_tenant)
		p = put_bytes(p, 8, f->tenant.bytes, 16);
	if (f->key.s != NULL)
		p = put_idempotency(p, f);
	if (f->has_error)
		p = put_error(p, f);
	if (f->has_if_version)
		p = put_num(p, 11, (uint64_t)f->if_version);
	if (f->now_us != 0)
		p = put_num(p, 12, (uint64_t)f->now_us);
	if (f->name.s != NULL)
		p = put_hello(p, f);
	if (f->answer)
		p = put_num(p, 14, 1);
	if (f->replayed)
		p = put_num(p, 15, 1);
	if (f->credit != 0)
		p = put_far(p, 16, f->credit);
	if (f->has_body)
		p = put_far(p, 17, f->body_len);
	if (f->kind == BUS_END)
		p = put_far(p, 18, f->length);
	return p;
}

static size_t
header_bound(const struct bus_frame *f)
{
	size_t n = FIXED_BOUND + f->address.n + f->user_agent.n + f->key.n +
		   f->message.n + f->field.n + f->feature.n + f->plan.n + f->name.n +
		   f->notices.n + f->bulk.n + 4 * f->principal.n_permissions;
	for (size_t i = 0; i < f->n_violations; i++) {
		const struct trl_violation *v = &f->violations[i];
		n += 32 + (v->pointer ? strlen(v->pointer) : 0) +
		     (v->detail ? strlen(v->detail) : 0);
	}
	return n;
}

bool
bus_frame_put(
    struct trl_buf *out, const struct bus_frame *frame, const ProtobufCMessage *payload)
{
	size_t payload_len =
	    payload ? protobuf_c_message_get_packed_size(payload) : frame->payload_len;
	size_t body_len = frame->has_body ? frame->body_len : 0;
	size_t bound = header_bound(frame);
	if (payload_len > BUS_FRAME_MAX || body_len > BUS_FRAME_MAX ||
	    bound > BUS_FRAME_MAX)
		return false;

	uint8_t *start = trl_buf_reserve(out, 8 + bound + payload_len + body_len);
	uint8_t *end = put_header(start + 8, frame);
	size_t header_len = (size_t)(end - (start + 8));
	trl_assert(header_len <= bound);
	if (8 + header_len + payload_len + body_len > BUS_FRAME_MAX)
		return false;
	put_be(start, header_len, 4);
	put_be(start + 4, payload_len + body_len, 4);
	if (payload != NULL)
		protobuf_c_message_pack(payload, end);
	else if (payload_len > 0)
		memcpy(end, frame->payload, payload_len);
	if (body_len > 0)
		memcpy(end + payload_len, frame->body, body_len);
	out->len += 8 + header_len + payload_len + body_len;
	return true;
}

size_t
bus_frame_len(const uint8_t *data)
{
	return 8 + (size_t)get_be(data, 4) + (size_t)get_be(data + 4, 4);
}

void
bus_envelope_put(uint8_t *out, const struct bus_envelope *envelope)
{
	memset(out, 0, BUS_ENVELOPE);
	out[0] = BUS_VERSION;
	out[1] = envelope->flags;
	put_be(out + 2, envelope->kid, 2);
	put_be(out + 8, envelope->counter, 8);
	put_be(out + 16, envelope->ack, 8);
}

bool
bus_envelope_get(const uint8_t *data, size_t len, struct bus_envelope *out)
{
	if (len < BUS_ENVELOPE || len > BUS_MESSAGE_MAX || data[0] != BUS_VERSION ||
	    data[1] > (BUS_TAGGED | BUS_GREETING | BUS_ACK_ONLY) ||
	    get_be(data + 4, 4) != 0)
		return false;
	out->flags = data[1];
	out->kid = (uint16_t)get_be(data + 2, 2);
	out->counter = get_be(data + 8, 8);
	out->ack = get_be(data + 16, 8);
	return !(out->flags & BUS_TAGGED) || len >= BUS_ENVELOPE + BUS_TAG;
}
