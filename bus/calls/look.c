/* look.c - what an operator sees of one end of the bus: see <trl/bus_look.h>. */
#include <trl/bus_look.h>

#include "peer.h"
#include "server.h"

void
trl_bus_stats(const trl_bus *bus, struct trl_bus_stats *out)
{
	const struct bus_server *server = bus->server;
	*out = (struct trl_bus_stats){
		.up_ms = (trl_mono_us() - server->since_us) / 1000,
		.calls = server->calls,
		.faults = server->faults,
		.shed = server->shed,
		.running = (uint32_t)server->running,
		.unready =
		    bus->unready != NULL ? bus->unready(bus->unready_self) : NULL,
	};
	for (const struct bus_conn *c = server->conns; c != NULL; c = c->next)
		out->connections++;
}

static enum trl_bus_peer_state
state_of(const struct bus_peer *peer, uint64_t now)
{
	if (!bus_peer_usable(peer))
		return peer->link.up && peer->draining ? TRL_BUS_PEER_DRAINING
						       : TRL_BUS_PEER_DOWN;
	return peer->shunned_until_us > now ? TRL_BUS_PEER_SHUNNED : TRL_BUS_PEER_UP;
}

void
trl_bus_each_peer(const trl_bus *bus,
    void (*fn)(void *self, const struct trl_bus_peer_seen *peer), void *self)
{
	const uint64_t now = trl_mono_us();
	for (const struct bus_target *t = bus->targets; t != NULL; t = t->next)
		for (const struct bus_peer *p = t->peers; p != NULL; p = p->next)
			fn(self,
			    &(struct trl_bus_peer_seen){
				.service = t->name,
				.address = p->address,
				.state = state_of(p, now),
				.in_flight = p->in_flight,
				.unready = p->unready[0] != '\0' ? p->unready : NULL,
			    });
}

void
trl_bus_each_caller(const trl_bus *bus,
    void (*fn)(void *self, const char *service, uint32_t running), void *self)
{
	for (const struct bus_conn *c = bus->server->conns; c != NULL; c = c->next) {
		uint32_t running = 0;
		for (const struct bus_serving *call = c->calls; call != NULL;
		     call = call->next)
			running++;
		fn(self, c->caller, running);
	}
}
