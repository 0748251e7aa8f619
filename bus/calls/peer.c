/* peer.c - see peer.h. nng calls back on its own threads when a connection comes
 * or goes; those callbacks only post to the loop, where all else happens. What
 * was gathered before HELLO was answered never existed for the other end: it is
 * dropped, and calls fail as lost. */
#include "peer.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/log.h>

enum {
	MISSES = 3,
	PATIENCE_MAX = 4 * BUS_PATIENCE,
	DRAIN_LOOK = 8, /* ticks; a drain waits for what is not acknowledged */
};

struct event {
	struct bus_peer *peer;
	uint32_t pipe;
	bool added;
};

static void
greet(struct bus_peer *peer)
{
	trl_bus *bus = peer->bus;
	randombytes_buf(peer->nonce, sizeof peer->nonce);
	struct bus_frame hello = {
		.kind = BUS_HELLO,
		.name = bus_text(bus->service),
		.nonce = peer->nonce,
		.boot = bus->net->boot,
	};
	bus_link_greet(&peer->link, &hello, peer->key);
}

static void
on_event(void *arg)
{
	struct event event = *(struct event *)arg;
	struct bus_peer *peer = event.peer;
	free(arg);
	if (event.added) {
		const struct bus_keyring *ring =
		    bus_keyring_of(peer->bus, bus_text(peer->target->name));
		bus_client_lost(peer);
		bus_link_reset(&peer->link, event.pipe);
		nng_pipe pipe = { .id = event.pipe };
		bus_ends_of_pipe(pipe, &peer->link.ends);
		peer->draining = peer->pinged = false;
		peer->misses = peer->drains = 0;
		peer->key =
		    ring && !bus_is_inproc(peer->address) ? &ring->keys[0] : NULL;
		if (peer->key != NULL || bus_is_inproc(peer->address))
			greet(peer);
		else
			bus_net_refused(peer->bus->net, peer->bus->service,
			    peer->target->name, "no_key");
	} else if (event.pipe == peer->link.pipe) {
		bus_link_reset(&peer->link, 0);
		bus_client_lost(peer);
	}
	bus_target_show(peer->target);
}

static void
post_event(nng_pipe pipe, nng_pipe_ev kind, void *arg)
{
	struct bus_peer *peer = arg;
	struct event *event = malloc(sizeof *event);
	trl_assert(event != NULL);
	*event = (struct event){ .peer = peer,
		.pipe = (uint32_t)nng_pipe_id(pipe),
		.added = kind == NNG_PIPE_EV_ADD_POST };
	trl_loop_post(peer->bus->net->loop, on_event, event);
}

static const char *
take_hello(struct bus_peer *peer, const struct bus_envelope *envelope,
    const uint8_t *data, size_t len)
{
	trl_bus *bus = peer->bus;
	struct bus_frame hello;
	const char *why = bus_link_greeted(&peer->link, peer->key, peer->nonce,
	    bus->service, peer->target->name, envelope, data, len, &hello);

	if (why != NULL)
		return why;
	trl_series_add(peer->bus->net->m.connects, 1);
	peer->patience = BUS_PATIENCE;
	peer->heard = true;
	peer->unready[0] = '\0';
	bus_target_show(peer->target);
	struct bus_notice_source *before = TRL_TAKE(peer->notices);
	if (hello.notices.s != NULL)
		peer->notices =
		    bus_notice_learn(bus->net, peer->address, hello.notices);
	bus_notice_unlearn(bus->net, &before); /* behind it: the usual one stays */
	bus_bulk_first_up(&peer->bulk, &hello);
	trl_log(TRL_LOG_DEBUG, NULL, "peer is up",
	    TRL_LOG_STR("peer", peer->target->name),
	    TRL_LOG_STR("address", peer->address));
	return NULL;
}

static const char *
take_frame(struct bus_peer *peer, const struct bus_frame *frame)
{
	switch (frame->kind) {
	case BUS_REPLY:
		bus_client_reply(peer->bus, peer, frame);
		break;
	case BUS_GOAWAY:
		peer->draining = true;
		bus_target_show(peer->target);
		peer->link.ack_now = true;
		bus_link_touch(&peer->link);
		break;
	case BUS_PING:
		if (peer->link.received == 1) { /* it waits for what proves us */
			peer->link.ack_now = true;
			bus_link_touch(&peer->link);
		}
		peer->pinged = false;
		snprintf(peer->unready, sizeof peer->unready, "%.*s",
		    frame->has_error ? (int)frame->message.n : 0,
		    frame->message.s ? frame->message.s : "");
		break;
	case BUS_CREDIT:
	case BUS_END:
	case BUS_CANCEL:
		return bus_bulk_said(&peer->bulk, frame);
	default:
		break; /* a later release may say more */
	}
	return NULL;
}

static const char *
take_message(struct bus_peer *peer, const uint8_t *data, size_t len)
{
	struct bus_envelope envelope;
	struct bus_frame frame;
	size_t at = BUS_ENVELOPE, end;
	const char *why;

	if (!bus_envelope_get(data, len, &envelope))
		return "malformed";
	if (envelope.flags & BUS_GREETING)
		return take_hello(peer, &envelope, data, len);
	if (!peer->link.up)
		return NULL; /* of a connection before this one */
	if ((why = bus_link_take(&peer->link, &envelope, data, len, &end)) != NULL)
		return why;
	peer->heard = true;
	while (at < end) {
		if (bus_frame_get(data, end, &at, &frame) != NULL)
			return "malformed";
		if ((why = take_frame(peer, &frame)) != NULL)
			return why;
	}
	return NULL;
}

static void
take(void *self, nng_msg *msg)
{
	struct bus_peer *peer = self;
	nng_pipe pipe = nng_msg_get_pipe(msg);
	/* Of a connection that has gone, or that the loop has not heard of yet: the
	 * callee speaks only after our HELLO, so nothing is lost. */
	if ((uint32_t)nng_pipe_id(pipe) == peer->link.pipe) {
		const char *why =
		    take_message(peer, nng_msg_body(msg), nng_msg_len(msg));
		if (why != NULL) {
			bus_net_refused(peer->bus->net, peer->bus->service,
			    peer->target->name, why);
			bus_peer_eject(peer, why);
		}
	}
	nng_msg_free(msg);
}

struct bus_peer *
bus_peer_open(
    trl_bus *bus, struct bus_target *target, const char *address, const char *tls_name)
{
	struct bus_peer *peer = calloc(1, sizeof *peer);
	trl_assert(peer != NULL);
	peer->bus = bus;
	peer->target = target;
	peer->address = strdup(address);
	peer->tls_name = tls_name != NULL ? strdup(tls_name) : NULL;
	peer->patience = BUS_PATIENCE;
	peer->link.links = &bus->net->links;
	peer->link.head[0] = 0x80; /* a request's id: its high bit ends nng's header */
	peer->link.head[3] = 1;
	peer->link.head_len = 4;
	bus_bulk_init(&peer->bulk, bus, &peer->link, peer, NULL);
	int rv = NNG_ENOMEM;
	if (bus_socket_open(BUS_REQ, &peer->link.socket)) {
		nng_pipe_notify(
		    peer->link.socket, NNG_PIPE_EV_ADD_POST, post_event, peer);
		nng_pipe_notify(
		    peer->link.socket, NNG_PIPE_EV_REM_POST, post_event, peer);
		rv = bus_socket_dial(&bus->net->sockets, peer->link.socket, address,
		    tls_name, &peer->dialer);
		if (rv == 0 && bus_door_open(&peer->door, &bus->net->sockets,
				   peer->link.socket, take, peer)) {
			peer->next = target->peers;
			target->peers = peer;
			target->n_peers++;
			bus_hold(bus);
			return peer;
		}
		nng_close(peer->link.socket);
	}
	trl_log(TRL_LOG_ERROR, NULL, "cannot dial a peer",
	    TRL_LOG_STR("address", address), TRL_LOG_STR("reason", nng_strerror(rv)));
	free(peer->address);
	free(peer->tls_name);
	free(peer);
	return NULL;
}

static void
free_peer(void *arg)
{
	struct bus_peer *peer = arg;
	bus_release(&peer->bus);
	bus_mac_fini(&peer->link.mac);
	trl_buf_fini(&peer->link.out);
	free(peer->address);
	free(peer->tls_name);
	free(peer);
}

static void
close_socket(struct bus_door *door)
{
	struct bus_peer *peer = door->self;
	nng_pipe_notify(peer->link.socket, NNG_PIPE_EV_ADD_POST, NULL, NULL);
	nng_pipe_notify(peer->link.socket, NNG_PIPE_EV_REM_POST, NULL, NULL);
	/* Freed behind whatever nng posted before. */
	bus_socket_close(door->sockets->loop, peer->link.socket, free_peer, peer);
}

void
bus_peer_close(struct bus_peer *peer)
{
	struct bus_peer **at = &peer->target->peers;
	while (*at != peer)
		at = &(*at)->next;
	*at = peer->next;
	peer->target->n_peers--;
	peer->link.up = false;
	bus_notice_unlearn(peer->bus->net, &peer->notices);
	bus_client_lost(peer);
	bus_bulk_close(&peer->bulk);
	bus_link_unqueue(&peer->link);
	peer->link.pipe = 0;
	bus_door_close(&peer->door, close_socket);
}

void
bus_peer_eject(struct bus_peer *peer, const char *why)
{
	nng_pipe pipe = NNG_PIPE_INITIALIZER;
	pipe.id = peer->link.pipe;
	trl_series_add(peer->bus->net->m.ejections, 1);
	trl_log(TRL_LOG_WARN, NULL, "peer ejected",
	    TRL_LOG_STR("peer", peer->target->name),
	    TRL_LOG_STR("address", peer->address), TRL_LOG_STR("reason", why));
	bus_link_reset(&peer->link, 0);
	peer->pinged = false;
	if (peer->draining)
		peer->waited = peer->patience; /* it has gone: dialled anew at once */
	bus_client_lost(peer);
	bus_guests_end(peer->bus->net->guests, &peer->link.ends, pipe);
}

/* nng 1.5.2 dials no more, and says nothing, where a TLS connection ends between the
 * two halves of its own greeting (the error is the one of a dialer that was closed), or
 * where one that was closed does not go (guests.h): so another socket does. */
static void
dial_anew(struct bus_peer *peer)
{
	struct bus_peer *next =
	    bus_peer_open(peer->bus, peer->target, peer->address, peer->tls_name);

	if (next == NULL) {
		peer->waited = 0;
		return;
	}
	next->patience = peer->patience * 2;
	if (next->patience > PATIENCE_MAX)
		next->patience = PATIENCE_MAX;
	next->dropped = peer->dropped;
	bus_peer_close(peer);
}

void
bus_peer_tick(struct bus_peer *peer)
{
	if (peer->link.pipe == 0) {
		if (++peer->waited >= peer->patience && bus_is_tls(peer->address))
			dial_anew(peer);
		return;
	}
	peer->waited = 0;
	bus_bulk_tick(&peer->bulk);
	if (peer->heard) {
		peer->heard = peer->pinged = false;
		peer->misses = 0;
	} else if (peer->pinged && ++peer->misses >= MISSES) {
		bus_peer_eject(peer, "no answer");
		return;
	}
	/* One that drains may have gone without nng's saying so (guests.h). */
	bool look = peer->draining && ++peer->drains % DRAIN_LOOK == 0;
	bool waits = peer->calls != NULL || peer->bulk.n_streams > 0 || look ||
		     !bus_link_settled(&peer->link);
	if (!peer->link.up) {
		peer->pinged = true; /* HELLO is a ping, too */
	} else if (waits || peer->pinged) {
		static const struct bus_frame ping = { .kind = BUS_PING };
		if (!peer->pinged && !bus_frame_put(&peer->link.out, &ping, NULL))
			return;
		peer->pinged = true;
		bus_link_touch(&peer->link);
	}
	if (peer->link.received > peer->link.acknowledged) {
		peer->link.ack_now = true;
		bus_link_touch(&peer->link);
	}
}
