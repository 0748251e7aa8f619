/* bulk_link.h - pieces over a second connection of the same transport, with tags where
 * the first one has them. Private to bus/calls.
 *
 * bulk_link.c is what both ends do; bulk_dial.c is the caller's end, bulk_hear.c the
 * callee's. */
#pragma once

#include "bulk.h"
#include "server.h"

struct bulk_link {
	struct bus_link link;  /* first */
	struct bus_bulk *bulk; /* NULL: of a peer that was closed */
	bool full;             /* somebody waits for room */
	bool heard;            /* since the last tick */
	unsigned misses;
	unsigned waited; /* ticks without a connection */
	/* The caller's. */
	trl_bus *bus;
	struct bus_door door;
	nng_dialer dialer;
	uint8_t nonce[16];
	/* The callee's. */
	struct bulk_link *next; /* of the server */
	struct bus_server *server;
	bool proven; /* and so its bulk's; until then only l->bulk tells whose */
};

extern const struct bus_carrier bulk_link_carrier;

/* bulk_link.c: a message that is no greeting. The message is taken over. */
const char *bulk_link_take(
    struct bulk_link *l, const struct bus_envelope *envelope, nng_msg *msg);
void bulk_link_flushed(struct bus_link *link);
/* Ends the connection, if there is one. */
void bulk_link_end(struct bulk_link *l);

/* bulk_dial.c */
bool bulk_dial(struct bus_bulk *bulk);
/* The callee has said something that is believed. */
void bulk_dial_heard(struct bulk_link *l);
void bulk_dial_tick(struct bus_bulk *bulk);
void bulk_dial_drop(struct bulk_link *l);
void bulk_dial_close(struct bulk_link *l);

/* bulk_hear.c: a HELLO with a token, from a caller that is believed. */
const char *bulk_hear_hello(struct bus_listener *listener, nng_msg *msg,
    const struct bus_frame *hello, const struct bus_key *key);
/* False: the pipe is no bulk connection, and the message still the caller's. */
bool bulk_hear(struct bus_server *server, uint32_t pipe, nng_msg *msg);
/* It has said something that is believed. */
void bulk_hear_believed(struct bulk_link *l);
void bulk_hear_gone(struct bus_server *server, uint32_t pipe);
/* Whether the caller has dialled again and not proven itself yet: then it knows that
 * the one before is dead, and to be told would end the new one. */
bool bulk_hear_awaits(const struct bus_bulk *bulk);
/* The first connection has gone: so do those that have not proven themselves. */
void bulk_hear_forget(const struct bus_bulk *bulk);
void bulk_hear_drop(struct bulk_link *l);
bool bulk_hear_knows(const struct bus_server *server, const struct bus_ends *ends);
