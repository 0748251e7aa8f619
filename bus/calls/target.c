/* target.c - a service that is called: which of its peers can be taken. */
#include <string.h>

#include "peer.h"

struct bus_target *
bus_target_find(const trl_bus *bus, const char *service)
{
	struct bus_target *target = bus->targets;
	while (target != NULL && strcmp(target->name, service) != 0)
		target = target->next;
	return target;
}

bool
bus_peer_usable(const struct bus_peer *peer)
{
	return peer->link.up && !peer->draining && !peer->dropped;
}

void
bus_target_show(const struct bus_target *target)
{
	unsigned up = 0, in_flight = 0;
	for (struct bus_peer *p = target->peers; p != NULL; p = p->next) {
		up += bus_peer_usable(p);
		in_flight += p->in_flight;
	}
	trl_series_set(target->up, up);
	trl_series_set(target->down, target->n_peers - up);
	trl_series_set(target->in_flight, in_flight);
}
