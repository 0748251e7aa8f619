/* bulk_hear.c - the callee's end of a bulk link: a connection to the same listener,
 * whose HELLO shows the token of a first one of the same caller. It carries from the
 * first message on that is believed, which who replays a HELLO cannot say: until then
 * the one before it goes on. */
#include "bulk_link.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

static struct bulk_link *
find(const struct bus_server *server, uint32_t pipe)
{
	struct bulk_link *l = server->bulks;
	while (l != NULL && l->link.pipe != pipe)
		l = l->next;
	return l;
}

static struct bulk_link *
add(struct bus_listener *listener, nng_msg *msg, struct bus_bulk *bulk)
{
	struct bus_server *server = listener->server;
	struct bulk_link *l = calloc(1, sizeof *l);
	trl_assert(l != NULL && nng_msg_header_len(msg) == sizeof l->link.head);
	l->server = server;
	l->bulk = bulk;
	l->link.links = &server->bus->net->links;
	l->link.flushed = bulk_link_flushed;
	l->link.socket = listener->socket;
	memcpy(l->link.head, nng_msg_header(msg), sizeof l->link.head);
	l->link.head_len = sizeof l->link.head;
	bus_link_reset(&l->link, (uint32_t)nng_pipe_id(nng_msg_get_pipe(msg)));
	bus_ends_of_pipe(nng_msg_get_pipe(msg), &l->link.ends);
	l->next = server->bulks;
	return server->bulks = l;
}

const char *
bulk_hear_hello(struct bus_listener *listener, nng_msg *msg,
    const struct bus_frame *hello, const struct bus_key *key)
{
	struct bus_server *server = listener->server;
	struct bus_bulk *bulk =
	    bus_bulk_of_token(server->bus, hello->name, hello->token);
	uint8_t challenge[16];

	if (bulk == NULL)
		return "unknown_token";
	struct bulk_link *l = add(listener, msg, bulk);
	randombytes_buf(challenge, sizeof challenge);
	struct bus_frame answer = {
		.kind = BUS_HELLO,
		.name = bus_text(server->bus->service),
		.nonce = challenge,
		.echo = hello->nonce,
		.boot = server->bus->net->boot,
	};
	bus_link_greet(&l->link, &answer, key);
	if (key != NULL)
		bus_mac_derive(&l->link.mac, key, false, hello->nonce, challenge,
		    bulk->to, server->bus->service);
	l->link.mac.for_long = key != NULL;
	l->link.up = true;
	return NULL;
}

void
bulk_hear_believed(struct bulk_link *l)
{
	if (l->proven)
		return;
	l->proven = true;
	bus_bulk_down(l->bulk); /* had it one, it has lost that and dialled again */
	l->bulk->link = l;
	bus_bulk_up(l->bulk, &bulk_link_carrier);
}

bool
bulk_hear(struct bus_server *server, uint32_t pipe, nng_msg *msg)
{
	struct bulk_link *l = find(server, pipe);
	struct bus_envelope envelope;
	const char *why = "malformed";

	if (l == NULL)
		return false;
	if (!bus_envelope_get(nng_msg_body(msg), nng_msg_len(msg), &envelope) ||
	    (envelope.flags & BUS_GREETING))
		nng_msg_free(msg);
	else
		why = bulk_link_take(l, &envelope, msg);
	if (why != NULL && l->proven) {
		bus_bulk_refuse(l->bulk, why);
	} else if (why != NULL) { /* who this is nobody knows */
		bus_net_refused(
		    server->bus->net, server->bus->service, l->bulk->to, why);
		bulk_hear_drop(l);
	}
	return true;
}

/* Forgets it; the bulk knows of none then. */
static void
forget(struct bulk_link *l)
{
	struct bulk_link **at = &l->server->bulks;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	bus_link_fini(&l->link);
	free(l);
}

void
bulk_hear_gone(struct bus_server *server, uint32_t pipe)
{
	struct bulk_link *l = find(server, pipe);
	if (l == NULL)
		return;
	l->link.pipe = 0;
	if (l->proven)
		bus_bulk_down(l->bulk); /* which forgets it */
	else
		forget(l);
}

bool
bulk_hear_awaits(const struct bus_bulk *bulk)
{
	const struct bulk_link *l = bulk->conn->server->bulks;
	while (l != NULL && (l->bulk != bulk || l->proven))
		l = l->next;
	return l != NULL;
}

void
bulk_hear_forget(const struct bus_bulk *bulk)
{
	for (struct bulk_link *l = bulk->conn->server->bulks, *next; l != NULL;
	     l = next) {
		next = l->next;
		if (l->bulk == bulk)
			bulk_hear_drop(l);
	}
}

void
bulk_hear_drop(struct bulk_link *l)
{
	bulk_link_end(l);
	forget(l);
}

bool
bulk_hear_knows(const struct bus_server *server, const struct bus_ends *ends)
{
	for (const struct bulk_link *l = server->bulks; l != NULL; l = l->next)
		if (l->proven && bus_ends_equal(&l->link.ends, ends))
			return true;
	return false;
}
