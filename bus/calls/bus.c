/* bus.c - one service's end of the bus: opening, addresses, keys, ticking. */
#include "bus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "peer.h"
#include "server.h"

static char *
copy(const char *s)
{
	return s != NULL && *s != '\0' ? strdup(s) : NULL;
}

trl_bus *
trl_bus_open(trl_bus_net *net, const struct trl_bus_options *options)
{
	trl_bus *bus = calloc(1, sizeof *bus);
	trl_assert(bus != NULL && strlen(options->service) <= TRL_BUS_NAME_MAX);
	bus->net = net;
	strcpy(bus->service, options->service);
	bus->listen = copy(options->listen);
	bus->notice_listen = copy(options->notice_listen);
	bus->retry_tokens = 10;
	bus->holds = 1;
	bus_net_hold(net);
	bus->next = net->buses;
	net->buses = bus;
	return bus;
}

const struct bus_keyring *
bus_keyring_of(const trl_bus *bus, struct bus_text peer)
{
	for (size_t i = 0; i < bus->n_keyrings; i++)
		if (bus_text_eq(peer, bus->keyrings[i].peer))
			return &bus->keyrings[i];
	return NULL;
}

bool
trl_bus_key(trl_bus *bus, const char *peer, const char *text)
{
	struct bus_keyring ring = { 0 };
	if (strlen(peer) > TRL_BUS_NAME_MAX || !bus_keyring_parse(&ring, text))
		return false;
	strcpy(ring.peer, peer);
	struct bus_keyring *old =
	    (struct bus_keyring *)(uintptr_t)bus_keyring_of(bus, bus_text(peer));
	if (old == NULL) {
		bus->keyrings = realloc(
		    bus->keyrings, (bus->n_keyrings + 1) * sizeof *bus->keyrings);
		trl_assert(bus->keyrings != NULL);
		old = &bus->keyrings[bus->n_keyrings++];
	} else
		bus_keyring_fini(old);
	*old = ring;
	return true;
}

void
bus_hold(trl_bus *bus)
{
	bus->holds++;
}

void
bus_release(trl_bus **bus)
{
	trl_bus *b = *bus;
	*bus = NULL;
	if (--b->holds > 0)
		return;
	while (b->targets != NULL) {
		struct bus_target *t = b->targets;
		b->targets = t->next;
		free(t);
	}
	for (size_t i = 0; i < b->n_keyrings; i++)
		bus_keyring_fini(&b->keyrings[i]);
	free(b->keyrings);
	free(b->slots);
	free(b->listen);
	free(b->notice_listen);
	bus_net_release(b->net);
	free(b);
}

/* ---- addresses ----------------------------------------------------------------------
 */

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

void
trl_bus_tell_ready(trl_bus *bus, const char *(*unready)(void *self), void *self)
{
	bus->unready = unready;
	bus->unready_self = self;
}

void
trl_bus_tell_record(trl_bus *bus, trl_bus_record_fn *record, void *self)
{
	bus->record = record;
	bus->record_self = self;
}

size_t
trl_bus_waiting(const trl_bus *bus)
{
	return bus->waiting;
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

void
bus_tick(trl_bus *bus)
{
	for (struct bus_target *t = bus->targets; t != NULL; t = t->next) {
		for (struct bus_peer *p = t->peers; p != NULL; p = p->next)
			bus_peer_tick(p);
		bus_target_show(t);
	}
	if (bus->server != NULL)
		bus_server_tick(bus->server);
}

void
trl_bus_close(trl_bus **bus)
{
	trl_bus *b = *bus;
	*bus = NULL;
	if (b == NULL)
		return;
	trl_bus **at = &b->net->buses;
	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	for (struct bus_target *t = b->targets; t != NULL; t = t->next) {
		if (t->resolve != NULL)
			bus_resolve_close(TRL_TAKE(t->resolve));
		while (t->peers != NULL)
			bus_peer_close(t->peers);
	}
	bus_notice_close(b);
	bus_server_close(&b->server);
	bus_release(&b);
}
