/* bulk_dial.c - the caller's end of a bulk link: a socket and a dialler of its own,
 * which dials with the first stream and stays. It greets when the connection stands
 * and the first one has given it a token. (As peer.c: what nng says on its threads is
 * only posted to the loop.) */
#include "bulk_link.h"

#include <stdlib.h>

#include <sodium.h>

#include <trl/log.h>

#include "peer.h"

struct event {
	struct bulk_link *link;
	uint32_t pipe;
	bool added;
};

static void
greet(struct bulk_link *l)
{
	struct bus_bulk *bulk = l->bulk;
	randombytes_buf(l->nonce, sizeof l->nonce);
	struct bus_frame hello = {
		.kind = BUS_HELLO,
		.name = bus_text(bulk->bus->service),
		.nonce = l->nonce,
		.boot = bulk->bus->net->boot,
		.token = bulk->token,
	};
	bus_link_greet(&l->link, &hello, bulk->peer->key);
}

static void
on_event(void *arg)
{
	struct event event = *(struct event *)arg;
	struct bulk_link *l = event.link;
	nng_pipe pipe = { .id = event.pipe };
	free(arg);
	if (l->bulk == NULL || (!event.added && event.pipe != l->link.pipe))
		return;
	bus_bulk_down(l->bulk);
	bus_link_unqueue(&l->link);
	bus_link_reset(&l->link, event.added ? event.pipe : 0);
	l->misses = 0;
	l->full = false;
	if (!event.added)
		return;
	bus_ends_of_pipe(pipe, &l->link.ends);
	if (l->bulk->has_token)
		greet(l);
}

static void
post_event(nng_pipe pipe, nng_pipe_ev kind, void *arg)
{
	struct bulk_link *l = arg;
	struct event *event = malloc(sizeof *event);
	trl_assert(event != NULL);
	*event = (struct event){ .link = l,
		.pipe = (uint32_t)nng_pipe_id(pipe),
		.added = kind == NNG_PIPE_EV_ADD_POST };
	trl_loop_post(l->bus->net->loop, on_event, event);
}

/* What we say is believed: so pieces of the callee's go this way too. Before that they
 * would go over the connection before this one, if it does not know that one lost. */
void
bulk_dial_heard(struct bulk_link *l)
{
	if (l->bulk->by == NULL && l->link.acked > 0)
		bus_bulk_up(l->bulk, &bulk_link_carrier);
}

static const char *
take_hello(struct bulk_link *l, const struct bus_envelope *envelope, nng_msg *msg)
{
	static const struct bus_frame ping = { .kind = BUS_PING };
	struct bus_bulk *bulk = l->bulk;
	struct bus_frame hello;
	const char *why =
	    bus_link_greeted(&l->link, bulk->peer->key, l->nonce, bulk->bus->service,
		bulk->to, envelope, nng_msg_body(msg), nng_msg_len(msg), &hello);
	nng_msg_free(msg);
	l->link.mac.for_long = l->link.mac.on;
	if (why != NULL)
		return why;
	trl_assert(bus_frame_put(&l->link.out, &ping, NULL)); /* proves us */
	bus_link_touch(&l->link);
	return NULL;
}

static void
take(void *self, nng_msg *msg)
{
	struct bulk_link *l = self;
	struct bus_envelope envelope;
	nng_pipe pipe = nng_msg_get_pipe(msg);
	const char *why = "malformed";

	if (l->bulk == NULL || (uint32_t)nng_pipe_id(pipe) != l->link.pipe) {
		nng_msg_free(msg);
		return;
	}
	if (!bus_envelope_get(nng_msg_body(msg), nng_msg_len(msg), &envelope)) {
		nng_msg_free(msg);
	} else if (envelope.flags & BUS_GREETING) {
		why = take_hello(l, &envelope, msg);
	} else if (!l->link.up) {
		nng_msg_free(msg); /* of a connection before this one */
		why = NULL;
	} else {
		why = bulk_link_take(l, &envelope, msg);
	}
	if (why != NULL)
		bus_bulk_refuse(l->bulk, why);
}

static struct bulk_link *
open_link(struct bus_bulk *bulk)
{
	struct bus_sockets *sockets = &bulk->bus->net->sockets;
	const char *address = bulk->peer->address;
	struct bulk_link *l = calloc(1, sizeof *l);
	int rv = NNG_ENOMEM;
	trl_assert(l != NULL);
	l->bulk = bulk;
	l->bus = bulk->bus;
	l->link.links = &bulk->bus->net->links;
	l->link.flushed = bulk_link_flushed;
	l->link.head[0] = 0x80; /* as of any request */
	l->link.head[3] = 1;
	l->link.head_len = 4;
	if (bus_socket_open(BUS_REQ, &l->link.socket)) {
		nng_pipe_notify(l->link.socket, NNG_PIPE_EV_ADD_POST, post_event, l);
		nng_pipe_notify(l->link.socket, NNG_PIPE_EV_REM_POST, post_event, l);
		rv = bus_socket_dial(
		    sockets, l->link.socket, address, bulk->peer->tls_name, &l->dialer);
		if (rv == 0 &&
		    bus_door_open(&l->door, sockets, l->link.socket, take, l)) {
			bus_hold(l->bus);
			return l;
		}
		nng_close(l->link.socket);
	}
	trl_log(TRL_LOG_ERROR, NULL, "cannot dial a peer for bodies",
	    TRL_LOG_STR("address", address), TRL_LOG_STR("reason", nng_strerror(rv)));
	free(l);
	return NULL;
}

bool
bulk_dial(struct bus_bulk *bulk)
{
	if (bulk->link == NULL)
		bulk->link = open_link(bulk);
	else if (bulk->link->link.pipe != 0 && !bulk->link->link.up)
		greet(bulk->link);
	return bulk->link != NULL;
}

/* One that dials no more (peer.c, dial_anew) goes, and is dialled anew as if there had
 * been none. */
void
bulk_dial_tick(struct bus_bulk *bulk)
{
	struct bulk_link *l = bulk->link;

	if (bulk->peer == NULL || l == NULL || !bus_is_tls(bulk->peer->address))
		return;
	if (l->link.pipe != 0)
		l->waited = 0;
	else if (++l->waited >= BUS_PATIENCE)
		bulk_link_carrier.close(bulk);
}

void
bulk_dial_drop(struct bulk_link *l)
{
	bulk_link_end(l);
}

static void
free_link(void *arg)
{
	struct bulk_link *l = arg;
	bus_release(&l->bus);
	bus_link_fini(&l->link);
	free(l);
}

static void
close_socket(struct bus_door *door)
{
	struct bulk_link *l = door->self;
	nng_pipe_notify(l->link.socket, NNG_PIPE_EV_ADD_POST, NULL, NULL);
	nng_pipe_notify(l->link.socket, NNG_PIPE_EV_REM_POST, NULL, NULL);
	bus_socket_close(door->sockets->loop, l->link.socket, free_link, l);
}

void
bulk_dial_close(struct bulk_link *l)
{
	l->bulk = NULL;
	bus_link_unqueue(&l->link);
	bus_link_reset(&l->link, 0);
	bus_door_close(&l->door, close_socket);
}
