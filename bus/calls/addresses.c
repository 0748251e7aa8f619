/* addresses.c - where the services that are called live, and whether they are there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

static const char *
split(const char *address, char host[256], char port[8])
{
	const char *from = strstr(address, "://") + 3;
	const char *colon = strrchr(from, ':');
	size_t n = colon ? (size_t)(colon - from) : 0;
	if (n == 0 || n > 255 || strlen(colon + 1) > 5 || colon[1] == '\0' ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return "an address is scheme://host:port";
	snprintf(host, 256, "%.*s", (int)n, from);
	snprintf(port, 8, "%s", colon + 1);
	return NULL;
}

static const char *
add_address(trl_bus *bus, struct bus_target *target, const char *address)
{
	char host[256], port[8];
	const char *why;

	if (bus_is_inproc(address))
		return bus_peer_open(bus, target, address, NULL) ? NULL
								 : "cannot be dialled";
	if (strncmp(address, "tcp://", 6) != 0 &&
	    strncmp(address, "tls+tcp://", 10) != 0 &&
	    strncmp(address, "dns+tcp://", 10) != 0 &&
	    strncmp(address, "dns+tls+tcp://", 14) != 0)
		return "the scheme is tcp, tls+tcp, dns+tcp, dns+tls+tcp or inproc";
	if ((why = split(address, host, port)) != NULL)
		return why;
	if (strncmp(address, "dns+", 4) == 0) {
		if (target->resolve != NULL || target->peers != NULL)
			return "a dns address has no others beside it";
		target->resolve = bus_resolve_open(bus, target,
		    strncmp(address, "dns+tls", 7) == 0 ? "tls+tcp" : "tcp", host,
		    port);
		return NULL;
	}
	return bus_peer_open(bus, target, address, host) ? NULL : "cannot be dialled";
}

bool
trl_bus_peer(trl_bus *bus, const char *service, const char *addresses, const char **why)
{
	struct bus_target *target = bus_target_find(bus, service);
	*why = NULL;
	if (target == NULL) {
		target = calloc(1, sizeof *target);
		trl_assert(target != NULL && strlen(service) <= TRL_BUS_NAME_MAX);
		strcpy(target->name, service);
		target->up =
		    trl_series_at(bus->net->m.peers, bus->service, service, "up");
		target->down =
		    trl_series_at(bus->net->m.peers, bus->service, service, "down");
		target->in_flight =
		    trl_series_at(bus->net->m.in_flight, bus->service, service);
		target->us = trl_series_at(bus->net->m.call_us, service);
		for (int code = TRL_OK; code <= TRL_INTERNAL; code++)
			if (code <= TRL_QUOTA || code >= TRL_BUSY)
				target->codes[code] = trl_series_at(
				    bus->net->m.calls, service, trl_code_name(code));
		target->next = bus->targets;
		bus->targets = target;
	}
	char *list = strdup(addresses), *save = NULL;
	for (char *a = strtok_r(list, ", ", &save); a != NULL && *why == NULL;
	     a = strtok_r(NULL, ", ", &save))
		*why = add_address(bus, target, a);
	free(list);
	return *why == NULL;
}

size_t
trl_bus_addresses(const trl_bus *bus, const char *service, const char **out, size_t max)
{
	struct bus_target *target = bus_target_find(bus, service);
	size_t n = 0;
	for (struct bus_peer *p = target ? target->peers : NULL; p != NULL && n < max;
	     p = p->next)
		if (!p->dropped)
			out[n++] = p->address;
	return n;
}

unsigned
trl_bus_peers_up(const trl_bus *bus, const char *service)
{
	struct bus_target *target = bus_target_find(bus, service);
	unsigned n = 0;
	for (struct bus_peer *p = target ? target->peers : NULL; p != NULL; p = p->next)
		n += bus_peer_usable(p);
	return n;
}

bool
trl_bus_reachable(const trl_bus *bus, const char *service)
{
	return trl_bus_peers_up(bus, service) > 0;
}

const char *
trl_bus_unready(trl_bus *bus, const char *service)
{
	struct bus_target *target = bus_target_find(bus, service);
	const char *why = "is not reachable", *colon = "";
	if (target == NULL)
		return "a service it calls has no address";
	for (struct bus_peer *p = target->peers; p != NULL; p = p->next) {
		if (!bus_peer_usable(p))
			continue;
		if (p->unready[0] == '\0')
			return NULL;
		why = p->unready;
		colon = ":";
	}
	snprintf(target->unready, sizeof target->unready, "%s%s %s", target->name,
	    colon, why);
	return target->unready;
}
