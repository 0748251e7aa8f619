/* client.c - a call: choose a peer, send, park, and decide what a bad end means.
 *
 * Only the first caller makes a call again (one whose ctx has no caller: the
 * edge, later jobs), because a retry at every layer multiplies. A WRITE goes
 * under its key, so that a second run is answered by the first one's record; a
 * reply that was lost, or is not there in time, and that no later attempt makes up
 * for is UNCERTAIN, never "failed". */
#include "call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/span.h>
#include <trl/validate.h>

enum {
	ATTEMPTS = 3,
	BACKOFF_MS = 25,
	AWAIT_PEER_MS = 500, /* a service that restarts is back sooner than this */
	TOKENS_MAX = 10,
	FLOOR_MS = 1,
};

void
bus_call_cancel(struct bus_call *call)
{
	struct bus_frame frame = { .kind = BUS_CANCEL, .call_id = call->id };
	if (bus_frame_put(&call->peer->link.out, &frame, NULL))
		bus_link_touch(&call->peer->link);
}

/* The key of a call made inside a call is the parent's and the step's name. */
void
bus_call_fill(trl_ctx *ctx, const struct trl_method *method,
    const struct trl_call_terms *terms, struct bus_frame *f)
{
	const struct trl_idempotency *idem = &ctx->idempotency;
	f->kind = BUS_CALL;
	f->method = method->id;
	f->has_trace = true;
	f->trace = ctx->trace;
	f->has_principal = true;
	if (terms->as_service) {
		f->principal.kind = TRL_SERVICE;
	} else {
		f->principal = ctx->principal;
		f->address = bus_text(ctx->principal.address);
		f->user_agent = bus_text(ctx->principal.user_agent);
	}
	f->has_tenant = !trl_id_is_nil(ctx->tenant);
	f->tenant = ctx->tenant;
	f->has_if_version = ctx->has_if_version && method->if_match;
	f->if_version = ctx->if_version;
	f->now_us = ctx->now_us;
	if (method->effect != TRL_WRITE)
		return;
	memcpy(f->scope, idem->scope, sizeof f->scope);
	memcpy(f->request, idem->request, sizeof f->request);
	f->from_client = idem->from_client;
	if (idem->key == NULL) {
		struct trl_id id = trl_new_id(ctx);
		char *text = trl_arena_alloc(ctx->arena, TRL_ID_TEXT);
		trl_id_format(id, text);
		f->key = bus_text(text);
	} else if (terms->step != NULL || ctx->caller != NULL) {
		f->key = bus_text(trl_arena_printf(ctx->arena, "%s/%s", idem->key,
		    terms->step ? terms->step : method->name));
	} else {
		f->key = bus_text(idem->key);
	}
}

/* No answer in time. What was asked may be done all the same: by a peer that hangs
 * and comes back, or by one that is slow. */
enum trl_code
bus_call_too_late(trl_ctx *ctx, const struct trl_method *method, enum trl_code rc)
{
	if (rc == TRL_OK)
		rc = TRL_DEADLINE;
	if (method->effect == TRL_WRITE) {
		rc = TRL_UNCERTAIN;
		trl_err_clear(ctx);
	}
	if (ctx->err.code == TRL_OK)
		trl_fail(ctx, rc, "%s did not answer in time", method->name);
	return rc;
}

enum trl_code
bus_call_lost(trl_ctx *ctx, const struct trl_method *method)
{
	return trl_fail(ctx,
	    method->effect == TRL_WRITE ? TRL_UNCERTAIN : TRL_UNAVAILABLE,
	    "the reply of %s was lost", method->name);
}

/* Parks until the reply. TRL_OK: *answered tells whether there was one. */
static enum trl_code
attempt(trl_ctx *ctx, trl_bus *bus, const struct trl_method *method,
    struct bus_peer *peer, struct bus_frame *frame, const ProtobufCMessage *in,
    uint32_t left_ms, struct bus_call *call)
{
	*call = (struct bus_call){ .ctx = ctx, .method = method };
	bus_call_enlist(bus, call, peer);
	frame->call_id = call->id;
	frame->time_left_ms = left_ms;
	if (!bus_frame_put(&peer->link.out, frame, in)) {
		bus_call_delist(bus, call);
		return trl_fail(
		    ctx, TRL_INTERNAL, "call of %s is too large", method->name);
	}
	bus_link_touch(&peer->link);
	call->ticket = trl_park_begin(ctx);
	enum trl_code rc = trl_park_for(ctx, call->ticket, peer->target->name, left_ms);
	if (call->peer != NULL) { /* nobody answered in time */
		bus_call_cancel(call);
		bus_call_delist(bus, call);
		return bus_call_too_late(ctx, method, rc);
	}
	/* It came in the very turn of the deadline, whose error stands only where the
	 * reply has none of its own. */
	if (rc != TRL_OK && (!call->answered || call->code == TRL_OK))
		trl_err_clear(ctx);
	return TRL_OK;
}

static struct bus_peer *
choose(trl_bus *bus, const struct bus_choice *among)
{
	struct bus_peer *peer = among->target->peers;
	if (among->at == NULL)
		return bus_balance(bus, among->target, among->last);
	while (peer != NULL && strcmp(peer->address, among->at) != 0)
		peer = peer->next;
	return peer != NULL && bus_peer_usable(peer) ? peer : NULL;
}

/* A peer to send to; the first caller waits a moment for one to come up. */
static struct bus_peer *
await_peer(
    trl_ctx *ctx, trl_bus *bus, const struct bus_choice *among, uint64_t until_us)
{
	struct bus_peer *peer = choose(bus, among);
	while (peer == NULL && ctx->caller == NULL &&
	       trl_loop_now_us(bus->net->loop) < until_us) {
		if (trl_sleep(ctx, 10) != TRL_OK)
			return NULL;
		peer = choose(bus, among);
	}
	return peer;
}

static bool
may_repeat(trl_bus *bus, const trl_ctx *ctx, enum trl_code code, unsigned attempts)
{
	if (ctx->caller != NULL || attempts >= ATTEMPTS || ctx->cancelled)
		return false;
	if (code != TRL_UNAVAILABLE && code != TRL_BUSY && code != TRL_UNCERTAIN)
		return false;
	if (bus->retry_tokens < 1)
		return false;
	bus->retry_tokens -= 1;
	trl_series_add(bus->net->m.retries_out, 1);
	return true;
}

/* Waits before the next attempt; false: it does not fit before the deadline. */
static bool
back_off(trl_ctx *ctx, unsigned attempts, uint64_t until_us)
{
	uint32_t ms = BACKOFF_MS << (attempts - 1);
	ms = ms - ms / 5 + randombytes_uniform(2 * ms / 5 + 1);
	if (ctx->err.retry_after_ms > ms)
		ms = ctx->err.retry_after_ms;
	if (trl_mono_us() + ms * 1000ull >= until_us)
		return false;
	struct trl_err err = ctx->err;
	trl_err_clear(ctx);
	if (trl_sleep(ctx, ms) == TRL_OK)
		return true;
	ctx->err = err;
	return false;
}

void
bus_call_count(trl_bus *bus, struct bus_target *target, enum trl_code code)
{
	trl_series **at = &target->codes[code & 63];
	if (*at == NULL) /* what few methods may meet, or is of a later release */
		*at = trl_series_at(bus->net->m.calls, target->name,
		    trl_code_is_known(code) ? trl_code_name(code) : "other");
	trl_series_add(*at, 1);
}

enum trl_code
bus_call_choose(trl_ctx *ctx, trl_bus *bus, struct bus_choice *among,
    const struct trl_method *method, uint64_t until_us, struct bus_peer **out)
{
	const struct bus_target *target = among->target;
	uint64_t patience = trl_mono_us() + AWAIT_PEER_MS * 1000;
	struct bus_peer *peer =
	    await_peer(ctx, bus, among, patience < until_us ? patience : until_us);

	if (peer == NULL) {
		trl_err_clear(ctx);
		return trl_fail(
		    ctx, TRL_UNAVAILABLE, "no peer of %s is up", target->name);
	}
	if (trl_mono_us() + FLOOR_MS * 1000 >= until_us)
		return trl_fail(ctx, TRL_DEADLINE, "no time left for %s", method->name);
	if (!bus_link_has_room(&peer->link))
		return trl_fail(ctx, TRL_BUSY, "%s reads too slowly", target->name);
	among->last = *out = peer;
	return TRL_OK;
}

/* One attempt and its meaning. */
static enum trl_code
once(trl_ctx *ctx, trl_bus *bus, struct bus_choice *among,
    const struct trl_method *method, struct bus_frame *frame,
    const ProtobufCMessage *in, uint64_t until_us, ProtobufCMessage **out)
{
	struct bus_call call;
	struct bus_peer *peer;
	enum trl_code rc = bus_call_choose(ctx, bus, among, method, until_us, &peer);
	uint64_t now = trl_mono_us();

	if (rc != TRL_OK)
		return rc;
	rc = attempt(ctx, bus, method, peer, frame, in,
	    (uint32_t)((until_us - now + 999) / 1000), &call);
	trl_series_observe_us(among->target->us, trl_mono_us() - now);
	if (rc != TRL_OK)
		return rc;
	if (call.answered) {
		if (call.code == TRL_OK)
			*out = call.out;
		return call.code;
	}
	return bus_call_lost(ctx, method);
}

/* What a last attempt's fault means after an earlier one of unknown outcome: that
 * outcome is unknown still. A condition is an answer, given past the record. */
static enum trl_code
still_uncertain(trl_ctx *ctx, const struct trl_method *method, enum trl_code rc)
{
	if (!trl_is_fault(rc) || rc == TRL_UNCERTAIN)
		return rc;
	trl_err_clear(ctx);
	return trl_fail(ctx, TRL_UNCERTAIN, "%s: an outcome was lost, and then %s",
	    method->name, trl_code_name(rc));
}

enum trl_code
bus_call_begin(trl_ctx *ctx, trl_bus *bus, const struct trl_method *method,
    const struct trl_call_terms *terms, struct bus_choice *among, uint64_t *until_us)
{
	const char *to = terms->to != NULL ? terms->to : method->service;
	uint32_t ms = terms->timeout_ms ? terms->timeout_ms : method->timeout_ms;

	trl_assert(ctx->actor != NULL && !trl_key_held(ctx));
	*among =
	    (struct bus_choice){ .target = bus_target_find(bus, to), .at = terms->at };
	if (among->target == NULL)
		return trl_fail(
		    ctx, TRL_UNAVAILABLE, "%s has no address for %s", bus->service, to);
	*until_us = trl_mono_us() + (uint64_t)(ms ? ms : 5000) * 1000;
	if (*until_us > ctx->deadline_us)
		*until_us = ctx->deadline_us;
	return TRL_OK;
}

static enum trl_code
call_with(trl_ctx *ctx, trl_bus *bus, const struct trl_method *method,
    const ProtobufCMessage *in, const struct trl_call_terms *terms,
    ProtobufCMessage **out)
{
	struct bus_frame frame = { 0 };
	struct bus_choice among;
	uint64_t until_us;
	bool uncertain = false;
	enum trl_code rc = bus_call_begin(ctx, bus, method, terms, &among, &until_us);

	if (rc != TRL_OK)
		return rc;
	if (method->takes || method->gives)
		return trl_fail(ctx, TRL_INTERNAL,
		    "%s carries bodies: it is called by trl_stream_open", method->name);
	bus_call_fill(ctx, method, terms, &frame);
	if (bus->retry_tokens < TOKENS_MAX)
		bus->retry_tokens += 0.1;
	for (unsigned attempts = 1;; attempts++) {
		frame.attempt = attempts - 1;
		frame.is_retry = ctx->idempotency.is_retry || attempts > 1;
		rc = once(ctx, bus, &among, method, &frame, in, until_us, out);
		if (rc == TRL_OK || !may_repeat(bus, ctx, rc, attempts) ||
		    !back_off(ctx, attempts, until_us))
			break;
		uncertain = uncertain || rc == TRL_UNCERTAIN;
	}
	if (uncertain)
		rc = still_uncertain(ctx, method, rc);
	bus_call_count(bus, among.target, rc);
	return rc;
}

enum trl_code
trl_bus_call_with(trl_ctx *ctx, trl_bus *bus, const struct trl_method *method,
    const ProtobufCMessage *in, const struct trl_call_terms *terms,
    ProtobufCMessage **out)
{
	static const struct trl_call_terms usual = { 0 };
	struct trl_span span;
	enum trl_code rc;

	if (terms == NULL)
		terms = &usual;
	trl_span_begin(ctx, &span, TRL_SPAN_CALL, method->name);
	trl_span_of(&span, method->service);
	rc = call_with(ctx, bus, method, in, terms, out);
	trl_span_end(ctx, &span, rc);
	return rc;
}

enum trl_code
trl_bus_call(trl_ctx *ctx, trl_bus *bus, const struct trl_method *method,
    const ProtobufCMessage *in, ProtobufCMessage **out)
{
	return trl_bus_call_with(ctx, bus, method, in, NULL, out);
}
