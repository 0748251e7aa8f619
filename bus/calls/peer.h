/* peer.h - a peer is one address of one service: a raw REQ socket and a dialer of
 * its own, so that nothing queued for one can reach another. Private to bus/calls. */
#pragma once

#include "bulk.h"
#include "bus.h"

struct bus_call;

struct bus_peer {
	struct bus_link link; /* first */
	struct bus_door door;
	trl_bus *bus;
	struct bus_target *target;
	struct bus_peer *next;
	char *address, *tls_name; /* tls_name may be NULL */
	nng_dialer dialer;
	uint8_t nonce[16];
	const struct bus_key *key; /* NULL over inproc */
	bool draining;             /* said GOAWAY */
	char unready[96];          /* what it says of its readiness; "": ready */
	struct bus_notice_source *notices;
	struct bus_bulk bulk;      /* beside it, for bodies */
	bool dropped;              /* no longer among the addresses */
	bool heard;                /* anything since the last tick */
	bool pinged;               /* a ping waits for its answer */
	unsigned misses, drains;   /* drains: ticks of draining */
	unsigned waited, patience; /* ticks without a connection: so many, at most */
	unsigned faults;           /* in a row */
	unsigned penalties;
	uint64_t shunned_until_us;
	struct bus_call *calls;
	unsigned in_flight;
};

/* A service that is called, and its addresses. */
struct bus_target {
	struct bus_target *next;
	char name[TRL_BUS_NAME_MAX + 1];
	struct bus_peer *peers;
	unsigned n_peers;
	struct bus_resolve *resolve; /* of dns addresses, a list */
	char unready[96 + TRL_BUS_NAME_MAX + 4];
	trl_series *codes[64]; /* by code */
	trl_series *up, *down, *in_flight, *us;
};

/* NULL: the address cannot be dialled (logged). */
struct bus_peer *bus_peer_open(
    trl_bus *bus, struct bus_target *target, const char *address, const char *tls_name);
/* Calls in flight fail; frees it once nng has let go. */
void bus_peer_close(struct bus_peer *peer);
/* Ends the connection; nng dials again by itself. */
void bus_peer_eject(struct bus_peer *peer, const char *why);
/* May close the peer, and open another in its place. */
void bus_peer_tick(struct bus_peer *peer);

/* target.c */
struct bus_target *bus_target_find(const trl_bus *bus, const char *service);
bool bus_peer_usable(const struct bus_peer *peer);
/* What an operator sees of its peers: at each tick, and when one comes or goes. */
void bus_target_show(const struct bus_target *target);

/* balance.c: the better of two random usable peers; not avoid, where there is another.
 */
struct bus_peer *bus_balance(
    trl_bus *bus, struct bus_target *target, const struct bus_peer *avoid);

/* client.c: what the peer hears, and its end. */
void bus_client_reply(
    trl_bus *bus, struct bus_peer *peer, const struct bus_frame *frame);
void bus_client_lost(struct bus_peer *peer);

/* resolve.c: keeps the peers of target equal to what a name resolves to. */
struct bus_resolve *bus_resolve_open(trl_bus *bus, struct bus_target *target,
    const char *scheme, const char *host, const char *port);
void bus_resolve_close(struct bus_resolve *resolve);
