/* socket.h - the few doors to nng: sockets with our limits, dialled and listening with
 * our certificates, what arrives at them and what leaves. Private to bus/calls.
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

/* Debian 12 has nng 1.5.2, Debian 13 has 1.10. From 1.8 on the number of threads can be
 * set (threads.c), and a pipe that is closed goes (guests.h). */
#if NNG_MAJOR_VERSION > 1 || NNG_MINOR_VERSION >= 8
#define BUS_NNG_1_8
enum { BUS_PIPES_GO = true };
#else
enum { BUS_PIPES_GO = false };
#endif

/* What all sockets of a process share. */
struct bus_sockets {
	trl_loop *loop;
	char *tls_ca, *tls_cert;
	trl_secret *tls_key; /* ends with NUL */
	nng_aio *send_aio, *recv_aio;
	trl_series *messages_out, *messages_in;
};

/* options may be NULL. */
void bus_sockets_init(struct bus_sockets *sockets, trl_loop *loop,
    const struct trl_bus_net_options *options);
void bus_sockets_fini(struct bus_sockets *sockets);

bool bus_is_inproc(const char *address);
bool bus_is_tls(const char *address);

/* For so many ticks a dialler under TLS may have no connection before another takes its
 * place (peer.c): longer than nng gives a handshake, which is ten seconds. */
enum { BUS_PATIENCE = 18 };

/* Opens a raw socket with our limits set. */
enum bus_socket_kind { BUS_REQ, BUS_REP };
bool bus_socket_open(enum bus_socket_kind kind, nng_socket *out);
/* Dial and listen, with certificates where the address asks; nng's error or 0. */
int bus_socket_dial(struct bus_sockets *sockets, nng_socket socket, const char *address,
    const char *tls_name, nng_dialer *out);
int bus_socket_listen(struct bus_sockets *sockets, nng_socket socket,
    const char *address, nng_listener *out);
/* Closes the socket on a thread of its own, because in this version of nng that may
 * hang; then has fn(arg) run on the loop. */
void bus_socket_close(
    trl_loop *loop, nng_socket socket, void (*fn)(void *arg), void *arg);
/* Never waits; false: the queue is full and msg stays the caller's. */
bool bus_socket_send(struct bus_sockets *sockets, nng_socket socket, nng_msg *msg);

/* A socket whose messages come to take, on the loop. */
struct bus_door {
	uv_poll_t poll;
	nng_socket socket;
	struct bus_sockets *sockets;
	void (*take)(void *self, nng_msg *msg); /* owns msg */
	void (*done)(struct bus_door *door);
	void *self;
	bool open;
};

bool bus_door_open(struct bus_door *door, struct bus_sockets *sockets,
    nng_socket socket, void (*take)(void *self, nng_msg *msg), void *self);
/* done(door) runs once the loop has let go of the door. */
void bus_door_close(struct bus_door *door, void (*done)(struct bus_door *door));
