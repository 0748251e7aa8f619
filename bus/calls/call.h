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
	bool answered; /* a reply came; else the connection was lost */
};

/* Gives the call its id and puts it among its peer's. */
void bus_call_enlist(trl_bus *bus, struct bus_call *call, struct bus_peer *peer);
void bus_call_delist(trl_bus *bus, struct bus_call *call);
/* NULL: nobody waits for it any more. */
struct bus_call *bus_call_find(trl_bus *bus, uint64_t id);
