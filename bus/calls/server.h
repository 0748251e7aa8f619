/* server.h - who calls us: listening sockets, connections, calls being handled.
 * Private to bus/calls. */
#pragma once

#include "bulk.h"
#include "bus.h"

struct bulk_unix_door;

/* A connection that a caller dialled; made when its HELLO was believed. */
struct bus_conn {
	struct bus_link link; /* first */
	struct bus_server *server;
	struct bus_conn *next;
	char caller[TRL_BUS_NAME_MAX + 1];
	struct bus_bulk bulk; /* beside it, for bodies */
	struct bus_serving *calls;
	unsigned running;
	bool said_goaway;
	bool proven; /* has said something under the connection's own keys, which who
			replays a HELLO cannot */
	char said_unready[96]; /* "": that it is ready */
	uint64_t acked;        /* at the last tick */
	unsigned silent; /* ticks since it last acknowledged, where it owes that */
};

/* A method as it is served here. */
struct bus_served {
	const struct trl_method *method;
	trl_thunk *thunk;
	void *self;
	trl_series *us;
	trl_series *results[3]; /* ok, refused, failed */
};

/* A received message, shared by the calls inside it until each has been decoded. */
struct bus_inbound {
	nng_msg *msg;
	unsigned refs;
	struct bus_inbound *next_free;
};

/* A call being handled. */
struct bus_serving {
	struct bus_server *server;
	struct bus_conn *conn; /* NULL: the caller has gone */
	struct bus_serving *prev, *next;
	struct bus_inbound *inbound;
	struct bus_served *served;
	struct bus_frame frame;
	trl_actor *actor;
	struct trl_stream *stream; /* its bodies, or NULL */
	uint64_t since_us;
	bool is_write;
};

struct bus_listener {
	struct bus_listener *next;
	struct bus_server *server;
	struct bus_door door;
	nng_socket socket;
	nng_listener listener;
	char *address;
	struct bus_end end; /* zeroed: inproc */
	bool inproc;
};

/* A connection that has not greeted, or was refused. */
struct bus_stranger {
	uint32_t pipe;
	unsigned said;
	bool refused; /* nothing it says is heard any more */
};

struct bus_server {
	trl_bus *bus;
	struct bus_listener *listeners;
	struct bus_conn *conns;
	struct bus_conn *last;   /* whom we heard last */
	struct bulk_link *bulks; /* bulk_hear.c's */
	struct bulk_unix_door *unix_door;
	struct bus_stranger strangers[1024];
	size_t next_stranger;
	struct bus_served *served; /* rising by method id */
	size_t n_served;
	struct bus_serving *free_servings;
	struct bus_inbound *free_inbounds;
	size_t running;
	trl_series *codes[64]; /* of answers */
	uint64_t calls, faults, shed;
	uint64_t since_us;
	bool draining;
};

/* inbound.c: msg with one reference; it is freed with the last. */
struct bus_inbound *bus_inbound_keep(struct bus_server *server, nng_msg *msg);
void bus_inbound_drop(struct bus_server *server, struct bus_inbound *inbound);

/* dispatch.c: a CALL frame came: an actor is started for it, or it is refused. */
void bus_dispatch(
    struct bus_conn *conn, struct bus_inbound *inbound, const struct bus_frame *frame);
/* Writes a reply that no actor makes. */
void bus_refuse(struct bus_conn *conn, uint64_t call_id, enum trl_code code,
    uint32_t retry_after_ms, const char *message);

/* permit.c: caller x method; principal x method (ctx is filled; Errors:
 * TRL_UNAUTHENTICATED, TRL_DENIED, and of the operator TRL_MALFORMED). */
bool bus_may_call(const struct trl_method *method, const char *caller);
enum trl_code bus_check_principal(
    trl_ctx *ctx, const struct trl_method *method) TRL_MUST_CHECK;
/* Whether the request names the tenant it came for, where it names one: the
 * permission was checked in ctx's tenant and holds in no other. A method of the
 * operator's acts in the tenant that its request names. */
bool bus_settle_tenant(
    trl_ctx *ctx, const struct trl_method *method, const ProtobufCMessage *in);

/* server.c: the caller has gone. Its reads are given up, its writes end as they will,
 * and their records answer whoever asks again. */
void bus_conn_close(struct bus_conn *conn);
/* Ends a connection that is not believed, a stranger's not at once; conn may be NULL.
 */
void bus_conn_expel(
    struct bus_server *server, struct bus_conn *conn, uint32_t pipe, const char *why);
/* Says whether this service is ready, where that has changed. */
void bus_conn_say_ready(struct bus_conn *conn);
void bus_conn_say_goaway(struct bus_conn *conn);
/* A message came to the listener. */
void bus_listener_take(void *listener, nng_msg *msg);
/* On a thread of nng's: a connection of the listener's has gone. */
void bus_listener_gone(nng_pipe pipe, nng_pipe_ev kind, void *listener);

/* strangers.c: a message came from a connection without a conn; false: from one that
 * was refused, so that it counts for nothing. */
bool bus_stranger_heard(struct bus_server *server, nng_pipe pipe);
void bus_stranger_refuse(struct bus_server *server, uint32_t pipe);
void bus_stranger_forget(struct bus_server *server, uint32_t pipe);

void bus_server_tick(struct bus_server *server);
void bus_server_close(struct bus_server **server);
