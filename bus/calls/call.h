/* call.h - an attempt that waits for its reply, and the table that finds it by the
 * id the reply carries. Private to bus/calls. */
#pragma once

#include "peer.h"

/* One attempt; lives on the caller's stack while it parks. */
struct bus_call {
	struct bus_call *prev, *next; /* of its peer */
	struct bus_peer *peer;
	trl_ctx *ctx;
	const struct trl_method *method;
	struct trl_ticket ticket;
	uint64_t id;
	ProtobufCMessage *out;
	enum trl_code code;
	bool answered;             /* a reply came; else the connection was lost */
	struct trl_stream *stream; /* whose call it is, or NULL */
};

/* Gives the call its id and puts it among its peer's. */
void bus_call_enlist(trl_bus *bus, struct bus_call *call, struct bus_peer *peer);
void bus_call_delist(trl_bus *bus, struct bus_call *call);
/* NULL: nobody waits for it any more. */
struct bus_call *bus_call_find(trl_bus *bus, uint64_t id);

/* client_reply.c: what a reply says, in the call's ctx. */
void bus_reply_read(struct bus_call *call, const struct bus_frame *frame);

/* client.c: the parts of a call that a stream's has as well. */

/* Who may get the call: a service's peers but for the one that had it last, or the
 * one at an address. */
struct bus_choice {
	struct bus_target *target;
	const struct bus_peer *last;
	const char *at; /* NULL: any */
};
/* Chooses a peer that the call can go to now; the first caller waits a moment for one
 * to come up. Errors: TRL_UNAVAILABLE, TRL_BUSY, TRL_DEADLINE. */
enum trl_code bus_call_choose(trl_ctx *ctx, trl_bus *bus, struct bus_choice *among,
    const struct trl_method *method, uint64_t until_us,
    struct bus_peer **out) TRL_MUST_CHECK;
/* Where method lives, and until when its answer is waited for.
 * Errors: TRL_UNAVAILABLE (it lives nowhere). */
enum trl_code bus_call_begin(trl_ctx *ctx, trl_bus *bus,
    const struct trl_method *method, const struct trl_call_terms *terms,
    struct bus_choice *among, uint64_t *until_us) TRL_MUST_CHECK;
/* What the frames of all attempts share. */
void bus_call_fill(trl_ctx *ctx, const struct trl_method *method,
    const struct trl_call_terms *terms, struct bus_frame *frame);
/* Tells the callee that nobody waits any more; the call is among its peer's. */
void bus_call_cancel(struct bus_call *call);
/* What it means that no answer came in time (rc: of the park), or none at all. */
enum trl_code bus_call_too_late(
    trl_ctx *ctx, const struct trl_method *method, enum trl_code rc);
enum trl_code bus_call_lost(trl_ctx *ctx, const struct trl_method *method);
void bus_call_count(trl_bus *bus, struct bus_target *target, enum trl_code code);
