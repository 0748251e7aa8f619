/* listen.c - the life of a server: what it serves, where it listens, draining, its
 * end. What callers say is heard in server.c. */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/complain.h>

#include "bulk_unix.h"

enum { SILENT = 5 };

static int
by_id(const void *a, const void *b)
{
	uint32_t x = ((const struct bus_served *)a)->method->id;
	uint32_t y = ((const struct bus_served *)b)->method->id;
	return x < y ? -1 : x > y;
}

/* Adds what contracts serve, in the order in which a call looks for it. */
static void
add_served(
    struct bus_server *server, const struct trl_contract *const *contracts, void *self)
{
	size_t n = server->n_served;
	for (size_t c = 0; contracts != NULL && contracts[c] != NULL; c++)
		n += contracts[c]->n_methods;
	server->served = realloc(server->served, (n + 1) * sizeof *server->served);
	trl_assert(server->served != NULL);
	for (size_t c = 0; contracts != NULL && contracts[c] != NULL; c++)
		for (size_t m = 0; m < contracts[c]->n_methods; m++) {
			struct bus_served *served = &server->served[server->n_served++];
			*served = (struct bus_served){
				.method = contracts[c]->methods[m],
				.thunk = contracts[c]->thunks[m],
				.self = self,
			};
			bus_metrics_serve(
			    &server->bus->net->m, server, served->method, served);
		}
	qsort(server->served, n, sizeof *server->served, by_id);
}

static struct bus_server *
server_of(trl_bus *bus)
{
	if (bus->server == NULL) {
		bus->server = calloc(1, sizeof *bus->server);
		trl_assert(bus->server != NULL);
		bus->server->bus = bus;
		bus->server->since_us = trl_mono_us();
	}
	return bus->server;
}

static bool
listen_at(struct bus_server *server, const char *address)
{
	struct bus_listener *l = calloc(1, sizeof *l);
	struct bus_sockets *sockets = &server->bus->net->sockets;
	int rv = NNG_ENOMEM;
	trl_assert(l != NULL);
	l->server = server;
	l->address = strdup(address);
	l->inproc = bus_is_inproc(address);
	if (bus_socket_open(BUS_REP, &l->socket)) {
		nng_pipe_notify(l->socket, NNG_PIPE_EV_REM_POST, bus_listener_gone, l);
		rv = bus_socket_listen(sockets, l->socket, address, &l->listener);
		if (!l->inproc && rv == 0 && !bus_end_of_listener(l->listener, &l->end))
			rv = NNG_ENOTSUP;
		if (rv == 0 &&
		    bus_door_open(&l->door, sockets, l->socket, bus_listener_take, l)) {
			bus_hold(server->bus);
			l->next = server->listeners;
			server->listeners = l;
			return true;
		}
		nng_close(l->socket);
	}
	trl_complain("%s: cannot listen at %s: %s%s", server->bus->service, address,
	    nng_strerror(rv),
	    rv == NNG_EADDRINUSE ? "; stop what listens there or choose another address"
	    : rv == NNG_ECRYPTO  ? "; check TRELLIS_BUS_TLS_CA and TRELLIS_BUS_TLS_CERT"
				 : "");
	free(l->address);
	free(l);
	return false;
}

void
trl_bus_serve_also(
    trl_bus *bus, const struct trl_contract *const *contracts, void *self)
{
	struct bus_server *server = server_of(bus);
	trl_assert(server->listeners == NULL);
	add_served(server, contracts, self);
}

enum trl_code
trl_bus_serve(trl_bus *bus, const struct trl_contract *const *contracts, void *self)
{
	struct bus_server *server = server_of(bus);
	trl_assert(server->listeners == NULL);
	add_served(server, contracts, self);
	if (bus->notice_listen != NULL &&
	    bus_notice_listen(bus, bus->notice_listen) != TRL_OK)
		return TRL_UNAVAILABLE;
	if (bus->listen == NULL)
		return TRL_OK;
	char *list = strdup(bus->listen), *save = NULL;
	enum trl_code rc = TRL_OK;
	for (char *a = strtok_r(list, ", ", &save); a != NULL && rc == TRL_OK;
	     a = strtok_r(NULL, ", ", &save))
		if (!listen_at(server, a))
			rc = TRL_UNAVAILABLE;
	free(list);
	if (rc == TRL_OK)
		bulk_unix_listen(server);
	return rc;
}

void
trl_bus_drain(trl_bus *bus)
{
	if (bus->server == NULL)
		return;
	bus->server->draining = true;
	for (struct bus_conn *c = bus->server->conns; c != NULL; c = c->next)
		bus_conn_say_goaway(c);
}

/* Every reply was taken, but by those who have not said so for some ticks: they are
 * gone, and nng may not know (over TLS it hears of an end only when it next reads). */
bool
trl_bus_drained(const trl_bus *bus)
{
	if (bus->server == NULL)
		return true;
	if (bus->server->running > 0)
		return false;
	for (struct bus_conn *c = bus->server->conns; c != NULL; c = c->next)
		if (!bus_link_settled(&c->link) && c->silent < SILENT)
			return false;
	return true;
}

size_t
trl_bus_running(const trl_bus *bus)
{
	return bus->server ? bus->server->running : 0;
}

void
bus_server_tick(struct bus_server *server)
{
	bulk_unix_listen_again(server->unix_door);
	for (struct bus_conn *c = server->conns, *next; c != NULL; c = next) {
		next = c->next;
		if (!bus_link_has_room(&c->link)) {
			bus_conn_expel(server, c, c->link.pipe, "reads_too_slowly");
			continue;
		}
		if (bus_link_settled(&c->link) || c->link.acked != c->acked)
			c->silent = 0;
		else
			c->silent++;
		c->acked = c->link.acked;
		bus_conn_say_ready(c);
		bus_bulk_tick(&c->bulk);
		if (c->link.received > c->link.acknowledged) {
			c->link.ack_now = true;
			bus_link_touch(&c->link);
		}
	}
}

static void
free_listener(void *arg)
{
	struct bus_listener *l = arg;
	struct bus_server *server = l->server;
	struct bus_listener **at = &server->listeners;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	trl_bus *bus = server->bus;
	free(l->address);
	free(l);
	if (server->listeners == NULL) {
		while (server->conns != NULL)
			bus_conn_close(server->conns);
		for (struct bus_serving *s; (s = server->free_servings) != NULL;
		     free(s))
			server->free_servings = s->next;
		for (struct bus_inbound *i; (i = server->free_inbounds) != NULL;
		     free(i))
			server->free_inbounds = i->next_free;
		free(server->served);
		free(server);
	}
	bus_release(&bus);
}

static void
close_listener(struct bus_door *door)
{
	struct bus_listener *l = door->self;
	nng_pipe_notify(l->socket, NNG_PIPE_EV_REM_POST, NULL, NULL);
	bus_socket_close(door->sockets->loop, l->socket, free_listener, l);
}

void
bus_server_close(struct bus_server **server)
{
	struct bus_server *s = *server;
	*server = NULL;
	if (s == NULL)
		return;
	bulk_unix_unlisten(&s->unix_door);
	while (s->conns != NULL)
		bus_conn_close(s->conns);
	if (s->listeners == NULL) {
		free(s->served);
		free(s);
		return;
	}
	for (struct bus_listener *l = s->listeners, *next; l != NULL; l = next) {
		next = l->next;
		bus_door_close(&l->door, close_listener);
	}
}
