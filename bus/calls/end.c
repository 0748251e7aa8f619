/* end.c - one service's end of the bus: its keys, what the service says of itself, and
 * its life until nobody holds it. */
#include <stdlib.h>
#include <string.h>

#include "peer.h"

static char *
copy(const char *s)
{
	return s != NULL && *s != '\0' ? strdup(s) : NULL;
}

static double
tokens_left(void *self)
{
	return ((const trl_bus *)self)->retry_tokens;
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
	trl_series_ask(trl_series_at(net->m.tokens, bus->service), tokens_left, bus);
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

bool
trl_bus_key_fine(const char *text)
{
	struct bus_keyring ring = { 0 };
	bool fine = bus_keyring_parse(&ring, text);

	bus_keyring_fini(&ring);
	return fine;
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

void
trl_bus_tell_pg(trl_bus *bus, struct trl_pg *pg)
{
	bus->pg = pg;
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
	trl_metric_callback_drop(b);
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
