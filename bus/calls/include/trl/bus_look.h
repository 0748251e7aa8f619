/* bus_look.h - what an operator sees of one end of the bus: for what the skeleton
 * serves to the operator. Loop thread; nothing here parks or changes anything. */
#pragma once

#include <trl/bus.h>

struct trl_bus_stats {
	uint64_t up_ms, calls, faults, shed;
	uint32_t running, connections;
	const char *unready; /* NULL: it is ready; good until the actor parks */
};

/* Of an end that serves. */
void trl_bus_stats(const trl_bus *bus, struct trl_bus_stats *out);

/* One address of a service that is called. */
struct trl_bus_peer_seen {
	const char *service, *address;
	enum trl_bus_peer_state {
		TRL_BUS_PEER_UP,
		TRL_BUS_PEER_DOWN,
		TRL_BUS_PEER_SHUNNED,  /* up, but it failed, and others are taken */
		TRL_BUS_PEER_DRAINING, /* it asked for no more calls */
	} state;
	uint32_t in_flight;
	const char *unready; /* what it says of itself; NULL: it is ready */
};

/* Calls fn for each address. */
void trl_bus_each_peer(const trl_bus *bus,
    void (*fn)(void *self, const struct trl_bus_peer_seen *peer), void *self);
/* Calls fn for each connection of a caller, with how many of its calls run. */
void trl_bus_each_caller(const trl_bus *bus,
    void (*fn)(void *self, const char *service, uint32_t running), void *self);
