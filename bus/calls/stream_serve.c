/* stream_serve.c - a call with bodies, at the end of who is called: it opens with the
 * CALL and ends with the handler. The reply goes once it is known whether the body that
 * it gives rides in it. */
#include "stream.h"

#include <string.h>

struct trl_stream *
bus_stream_serve(struct bus_bulk *bulk, trl_loop *loop, const struct trl_method *method,
    const struct bus_frame *frame)
{
	struct trl_stream *s = bus_stream_new(
	    bulk, loop, method, &bulk->bus->net->served, bus_credit_holder(frame));
	s->serves = true;
	s->call_id = frame->call_id;
	s->out.goes = method->gives;
	if (frame->credit > 0 && bus_credit_came(s, frame->credit) != NULL)
		s->out.credit = 0;
	s->in.comes = method->takes && !frame->has_body;
	if (method->takes && frame->has_body && frame->body_len > 0) {
		s->in.whole = frame->body;
		s->in.whole_len = frame->body_len;
		bus_credit_ride(s, frame->body_len);
		trl_series_add(bulk->m.bytes[0], (double)frame->body_len);
	}
	return s;
}

trl_stream *
trl_stream_of(trl_ctx *ctx)
{
	return ctx->stream;
}

enum trl_code
bus_stream_reply(trl_ctx *ctx, struct trl_stream *s, bool whole)
{
	struct bus_frame reply = {
		.kind = BUS_REPLY,
		.call_id = s->call_id,
		.replayed = s->replayed,
		.payload = s->message.data,
		.payload_len = s->message.len,
		.has_body = whole,
		.body = s->kept.data,
		.body_len = s->kept.len,
	};
	if (s->over != NULL)
		return bus_stream_over(ctx, s);
	if (!bus_frame_put(&s->bulk->first->out, &reply, NULL))
		return trl_fail(
		    ctx, TRL_INTERNAL, "the reply is too large for the bus");
	bus_link_touch(s->bulk->first);
	s->replied = true;
	if (whole)
		trl_series_add(s->bulk->m.bytes[1], (double)s->kept.len);
	return TRL_OK;
}

enum trl_code
trl_stream_answer(trl_ctx *ctx, trl_stream *s, const ProtobufCMessage *out)
{
	trl_assert(s->serves && !s->answered);
	size_t len = protobuf_c_message_get_packed_size(out);
	if (len > BUS_FRAME_MAX - TRL_STREAM_RIDES)
		return trl_fail(
		    ctx, TRL_INTERNAL, "the reply is too large for the bus");
	if (s->over != NULL)
		return bus_stream_over(ctx, s);
	protobuf_c_message_pack(out, trl_buf_reserve(&s->message, len));
	s->message.len = len;
	s->answered = true;
	s->replayed = ctx->idempotency.replayed;
	return s->out.goes ? TRL_OK : bus_stream_reply(ctx, s, true);
}

enum trl_code
bus_stream_check(trl_ctx *ctx, struct trl_stream *s, enum trl_code rc)
{
	if (rc == TRL_OK && s->answered && s->out.goes && s->over != NULL)
		return bus_stream_over(ctx, s);
	if (rc == TRL_OK && s->answered && s->out.goes)
		return trl_fail(ctx, TRL_INTERNAL,
		    "%s returned before the end of its body", s->method->name);
	return rc;
}

bool
bus_stream_finish(struct trl_stream *s, enum trl_code rc)
{
	const struct bus_frame cancel = { .kind = BUS_CANCEL, .call_id = s->call_id };
	struct bus_frame end = { .kind = BUS_END,
		.call_id = s->call_id,
		.has_error = true,
		.code = rc == TRL_OK ? TRL_INTERNAL : rc,
		.length = s->out.sent };
	if (!s->replied)
		return false;
	if (s->out.goes)
		bus_stream_say(s, &end);
	if (s->in.comes && s->in.came != s->in.length)
		bus_stream_say(s, &cancel);
	return true;
}
