/* stream_call.c - a call with bodies, at its caller's end. It goes like any other
 * (client.c), but is made once only: what was written of a body cannot be had again. */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

/* For the body that is given back. */
static enum trl_code
reserve(trl_ctx *ctx, struct trl_stream *s, struct bus_frame *frame)
{
	if (!s->method->gives)
		return TRL_OK;
	if (!bus_credit_open(s))
		return bus_credit_none(ctx);
	frame->credit = bus_credit_take(s);
	return TRL_OK;
}

static enum trl_code
send_call(trl_ctx *ctx, struct trl_stream *s, struct bus_frame *frame,
    const ProtobufCMessage *in, struct bus_peer *peer)
{
	uint64_t now = trl_mono_us();
	enum trl_code rc = reserve(ctx, s, frame);

	if (rc != TRL_OK)
		return rc;
	bus_call_enlist(s->bus, &s->call, peer);
	s->call_id = frame->call_id = s->call.id;
	s->since_us = now;
	frame->time_left_ms =
	    s->until_us > now ? (uint32_t)((s->until_us - now + 999) / 1000) : 1;
	if (!bus_frame_put(&peer->link.out, frame, in))
		return trl_fail(
		    ctx, TRL_INTERNAL, "call of %s is too large", s->method->name);
	bus_link_touch(&peer->link);
	return TRL_OK;
}

enum trl_code
trl_stream_open(trl_ctx *ctx, trl_bus *bus, const struct trl_method *method,
    const ProtobufCMessage *in, const struct trl_stream_terms *terms, trl_stream **out)
{
	static const struct trl_stream_terms usual = { 0 };
	const struct trl_stream_terms *t = terms != NULL ? terms : &usual;
	struct bus_frame frame = { 0 };
	struct bus_choice among;
	struct bus_peer *peer;
	uint64_t until_us;

	trl_assert((method->takes || method->gives) && t->len <= TRL_STREAM_RIDES);
	enum trl_code rc =
	    bus_call_begin(ctx, bus, method, &t->call, &among, &until_us);
	if (rc == TRL_OK)
		rc = bus_call_choose(ctx, bus, &among, method, until_us, &peer);
	if (rc != TRL_OK)
		return rc;
	struct trl_stream *s =
	    bus_stream_new(&peer->bulk, ctx->loop, method, &bus->net->asked_for,
		trl_id_is_nil(t->holder) ? trl_holder_of(ctx) : t->holder);
	s->until_us = until_us;
	s->target = among.target;
	s->call = (struct bus_call){ .ctx = ctx, .method = method, .stream = s };
	s->out.goes = method->takes && !t->whole;
	trl_span_begin(ctx, &s->span, TRL_SPAN_CALL, method->name);
	trl_span_of(&s->span, method->service);
	bus_call_fill(ctx, method, &t->call, &frame);
	frame.is_retry = ctx->idempotency.is_retry;
	frame.has_body = !s->out.goes;
	frame.body = t->body;
	frame.body_len = method->takes && t->whole ? t->len : 0;
	rc = send_call(ctx, s, &frame, in, peer);
	if (rc != TRL_OK)
		trl_stream_close(&s);
	else
		*out = s;
	return rc;
}

/* The frame is read when somebody asks: the actor may be busy with something else, of
 * which ctx has the error and the arena the memory. */
void
bus_stream_replied(struct trl_stream *s, const struct bus_frame *frame)
{
	struct bus_frame reply;
	size_t at = 0;

	s->reply = malloc(frame->raw_len);
	trl_assert(s->reply != NULL);
	memcpy(s->reply, frame->raw, frame->raw_len);
	s->reply_len = frame->raw_len;
	trl_assert(bus_frame_get(s->reply, s->reply_len, &at, &reply) == NULL);
	trl_series_observe_us(s->target->us, trl_mono_us() - s->since_us);
	bus_call_count(s->bus, s->target, frame->has_error ? frame->code : TRL_OK);
	s->in.comes = s->method->gives && !frame->has_error && !frame->has_body;
	if (s->in.comes) {
		s->goes_on = true;
		return;
	}
	s->out.unwanted = true;
	bus_credit_close(s);
	if (s->method->gives && frame->has_body && frame->body_len > 0) {
		s->in.whole = reply.body;
		s->in.whole_len = reply.body_len;
		bus_credit_ride(s, reply.body_len);
		trl_series_add(s->bulk->m.bytes[0], (double)reply.body_len);
	}
	bus_stream_watched(s);
}

static void
give_up(struct trl_stream *s)
{
	if (s->call.peer == NULL)
		return;
	bus_call_cancel(&s->call);
	bus_call_delist(s->bus, &s->call);
}

/* Parks until something changes, while there is no reply. */
static enum trl_code
await_reply(trl_ctx *ctx, struct trl_stream *s)
{
	enum trl_code rc;
	if (s->call.peer == NULL || s->over != NULL) {
		give_up(s);
		rc = bus_call_lost(ctx, s->method);
	} else {
		rc = bus_stream_wait(ctx, s, "a reply");
		if (rc == TRL_OK || s->over != NULL || s->call.answered)
			return trl_err_clear(ctx), TRL_OK;
		give_up(s);
		rc = bus_call_too_late(ctx, s->method, rc);
	}
	bus_call_count(s->bus, s->target, rc);
	return rc;
}

enum trl_code
trl_stream_wanted(trl_ctx *ctx, trl_stream *s, bool *wanted)
{
	enum trl_code rc;
	while (!s->call.answered && s->out.credit == 0)
		if ((rc = await_reply(ctx, s)) != TRL_OK)
			return rc;
	*wanted = s->out.goes && !s->out.unwanted && s->out.credit > 0;
	if (*wanted)
		bus_stream_go_on(ctx, s);
	return TRL_OK;
}

enum trl_code
trl_stream_reply(trl_ctx *ctx, trl_stream *s, ProtobufCMessage **out)
{
	struct bus_frame frame;
	size_t at = 0;
	enum trl_code rc;

	bus_stream_has_time(ctx, s);
	while (!s->call.answered)
		if ((rc = await_reply(ctx, s)) != TRL_OK)
			return rc;
	trl_err_clear(ctx);
	trl_assert(bus_frame_get(s->reply, s->reply_len, &at, &frame) == NULL);
	bus_reply_read(&s->call, &frame);
	if (s->call.code == TRL_OK)
		*out = s->call.out;
	return s->call.code;
}

void
trl_stream_close(trl_stream **stream)
{
	struct trl_stream *s = TRL_TAKE(*stream);
	struct bus_frame cancel = { .kind = BUS_CANCEL };
	if (s == NULL)
		return;
	cancel.call_id = s->call_id;
	trl_ctx *ctx = s->call.ctx;
	bool reads = s->in.comes && (s->in.first != NULL || s->in.came != s->in.length);
	bool writes = s->out.goes && !s->out.unwanted;
	if (s->call.peer != NULL)
		give_up(s);
	else if (s->call.answered && (reads || writes) && s->over == NULL)
		bus_stream_say(s, &cancel);
	trl_span_end(ctx, &s->span, s->call.answered ? s->call.code : TRL_UNAVAILABLE);
	bus_stream_free(&s);
}
