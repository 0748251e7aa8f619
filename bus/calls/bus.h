/* bus.h - the end of the bus that belongs to one service. Private to bus/calls. */
#pragma once

#include "net.h"
#include "notice.h"

struct bus_target; /* a service that is called: peer.h */
struct bus_server; /* who listens: server.h */
struct bus_call;

struct trl_bus {
	trl_bus_net *net;
	struct trl_bus *next;
	char service[TRL_BUS_NAME_MAX + 1];
	char *listen, *notice_listen;
	struct bus_keyring *keyrings;
	size_t n_keyrings;
	struct bus_target *targets;
	struct bus_server *server;
	/* Calls that wait, by the low bits of their id. */
	struct bus_slot {
		uint32_t generation;
		uint32_t next_free;
		struct bus_call *call;
	} * slots;
	uint32_t n_slots, free_slot;
	size_t waiting;
	double retry_tokens; /* a tenth of the calls may be made again */
	nng_socket pub;
	struct bus_end pub_end; /* zeroed: none, or inproc */
	bool has_pub;
	struct bus_watch *watches;
	const char *(*unready)(void *self); /* NULL: always ready */
	void *unready_self;
	trl_bus_record_fn *record; /* NULL: refusals are not looked at again */
	void *record_self;
	struct trl_pg *pg; /* ctx->pg of its messages */
	unsigned holds; /* itself, and peers and listeners that nng has not let go of */
};

const struct bus_keyring *bus_keyring_of(const trl_bus *bus, struct bus_text peer);
void bus_hold(trl_bus *bus);
void bus_release(trl_bus **bus);
