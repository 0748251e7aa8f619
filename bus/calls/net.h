/* net.h - what the ends of the bus in one process share, and the few doors to
 * nng. Private to bus/calls.
 *
 * nng has threads of its own; ours is one. A message that has arrived raises a
 * descriptor which the loop polls, and is then taken without waiting: measured,
 * that costs a hop between threads less than a callback that posts to the loop. */
#pragma once

#include <nng/nng.h>
#include <uv.h>

#include <trl/actor.h>
#include <trl/bus_open.h>
#include <trl/metrics.h>
#include <trl/secret.h>

#include "guests.h"
#include "link.h"

/* A socket whose messages come to take, on the loop. */
struct bus_door {
	uv_poll_t poll;
	nng_socket socket;
	trl_bus_net *net;
	void (*take)(void *self, nng_msg *msg); /* owns msg */
	void (*done)(struct bus_door *door);
	void *self;
	bool open;
};

struct bus_metrics {
	trl_metric *calls, *served, *served_us, *refused, *peers, *in_flight;
	trl_series *ejections, *shed, *messages_out, *messages_in, *retries_out;
};

void bus_metrics_init(struct bus_metrics *m);

struct trl_bus_net {
	trl_loop *loop;
	char *tls_ca, *tls_cert;
	trl_secret *tls_key; /* ends with NUL */
	uint64_t boot;
	nng_aio *send_aio, *recv_aio;
	struct bus_link *queue;
	struct bus_link *again; /* nng was full: next tick */
	uv_timer_t tick, soon;
	struct bus_guests *guests;
	trl_bus *buses; /* list by next */
	nng_socket sub; /* hears notices; never closed, never timed out */
	nng_aio *sub_aio;
	bool has_sub, drop_notices;
	struct bus_notice_source *sources;
	uint64_t refused_since;
	unsigned refused_logged;
	struct bus_metrics m;
	unsigned holds; /* itself and its buses */
};

void bus_net_hold(trl_bus_net *net);
void bus_net_release(trl_bus_net *net);
/* Has guests looked at before the next tick. */
void bus_net_look_soon(trl_bus_net *net, uint32_t ms);

bool bus_is_inproc(const char *address);

/* Opens sockets of one kind with our limits set. */
enum bus_socket_kind { BUS_REQ, BUS_REP };
bool bus_net_socket(trl_bus_net *net, enum bus_socket_kind kind, nng_socket *out);
/* Dial and listen, with certificates where the address asks; nng's error or 0. */
int bus_net_dial(trl_bus_net *net, nng_socket socket, const char *address,
    const char *tls_name, nng_dialer *out);
int bus_net_listen(
    trl_bus_net *net, nng_socket socket, const char *address, nng_listener *out);

bool bus_door_open(struct bus_door *door, trl_bus_net *net, nng_socket socket,
    void (*take)(void *self, nng_msg *msg), void *self);
/* done(self) runs once the loop has let go of the door. */
void bus_door_close(struct bus_door *door, void (*done)(struct bus_door *door));

/* Closes the socket on a thread of its own, because in this version of nng that may
 * hang; then has fn(arg) run on the loop. */
void bus_net_close(
    trl_bus_net *net, nng_socket socket, void (*fn)(void *arg), void *arg);

/* Never waits; false: the queue is full and msg stays the caller's. */
bool bus_net_send(trl_bus_net *net, nng_socket socket, nng_msg *msg);

void bus_net_queue(trl_bus_net *net, struct bus_link *link);
void bus_net_retry(trl_bus_net *net, struct bus_link *link);
void bus_net_unqueue(trl_bus_net *net, struct bus_link *link);

/* Counts and logs a message that is not believed (log at most ten a second). */
void bus_net_refused(
    trl_bus_net *net, const char *service, const char *peer, const char *why);
