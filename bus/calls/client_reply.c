/* client_reply.c - what a caller hears of its calls: replies, and that no more will
 * come. */
#include "call.h"
#include "stream.h"

#include <trl/wire.h>

enum { FAULTS_MAX = 5, SHUN_US = 1000000 };

static void
note_fault(struct bus_peer *peer, enum trl_code code)
{
	if (code != TRL_UNAVAILABLE && code != TRL_BUSY) {
		peer->faults = peer->penalties = 0;
		return;
	}
	if (++peer->faults < FAULTS_MAX)
		return;
	peer->faults = 0;
	if (peer->penalties < 30)
		peer->penalties++;
	peer->shunned_until_us =
	    trl_loop_now_us(peer->bus->net->loop) + (uint64_t)peer->penalties * SHUN_US;
}

void
bus_reply_read(struct bus_call *call, const struct bus_frame *frame)
{
	trl_ctx *ctx = call->ctx;
	call->code = frame->has_error ? frame->code : TRL_OK;
	if (!trl_code_is_known(call->code) ||
	    (frame->has_error && frame->code == TRL_OK)) {
		call->code = trl_fail(
		    ctx, TRL_INTERNAL, "unknown code %d in a reply", (int)frame->code);
	} else if (frame->has_error) {
		bus_error_read(ctx, frame);
	} else {
		call->code = trl_wire_decode(ctx, call->method->out->descriptor,
		    frame->payload, frame->payload_len, &call->out);
		if (call->code != TRL_OK) {
			trl_err_clear(ctx);
			call->code = trl_fail(ctx, TRL_INTERNAL, "broken reply of %s",
			    call->method->name);
		}
		if (frame->replayed)
			ctx->idempotency.replayed = true;
	}
}

void
bus_client_reply(trl_bus *bus, struct bus_peer *peer, const struct bus_frame *frame)
{
	struct bus_call *call = bus_call_find(bus, frame->call_id);
	if (call == NULL || call->peer != peer)
		return; /* late: its caller has gone */
	bus_call_delist(bus, call);
	call->answered = true;
	if (call->stream != NULL)
		bus_stream_replied(call->stream, frame);
	else
		bus_reply_read(call, frame);
	note_fault(peer, frame->has_error ? frame->code : TRL_OK);
	trl_wake(call->ticket);
}

void
bus_client_lost(struct bus_peer *peer)
{
	while (peer->calls != NULL) {
		struct bus_call *call = peer->calls;
		bus_call_delist(peer->bus, call);
		call->answered = false;
		note_fault(peer, TRL_UNAVAILABLE);
		trl_wake(call->ticket);
	}
	bus_bulk_first_lost(&peer->bulk);
}
