/* server.c - see server.h. A connection is believed once its HELLO is; what comes
 * before that is dropped without an answer (it may be what was queued for the
 * process before this one). */
#include "server.h"

#include "bulk_link.h"
#include "bulk_unix.h"
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/bus_look.h>

#include "frame.pb-c.h"

static struct bus_conn *
conn_of(struct bus_server *server, uint32_t pipe)
{
	if (server->last != NULL && server->last->link.pipe == pipe)
		return server->last;
	for (struct bus_conn *conn = server->conns; conn != NULL; conn = conn->next)
		if (conn->link.pipe == pipe)
			return server->last = conn;
	return NULL;
}

/* The caller has gone: its reads are given up, its writes end as they will, and
 * their records answer whoever asks again. */
void
bus_conn_close(struct bus_conn *conn)
{
	struct bus_server *server = conn->server;
	struct bus_conn **at = &server->conns;
	while (*at != conn)
		at = &(*at)->next;
	*at = conn->next;
	server->last = NULL;
	bus_bulk_first_lost(&conn->bulk);
	for (struct bus_serving *call = conn->calls, *next; call != NULL; call = next) {
		next = call->next;
		call->conn = NULL;
		call->prev = call->next = NULL;
		if (!call->is_write && call->actor != NULL)
			trl_cancel(call->actor);
	}
	bus_link_fini(&conn->link);
	free(conn);
}

void
bus_conn_expel(
    struct bus_server *server, struct bus_conn *conn, uint32_t pipe, const char *why)
{
	nng_pipe handle = NNG_PIPE_INITIALIZER;
	struct bus_ends ends;
	handle.id = pipe;
	bus_net_refused(
	    server->bus->net, server->bus->service, conn ? conn->caller : "", why);
	bool is_stranger =
	    (conn == NULL || !conn->proven) && !bus_pipe_is_inproc(handle);
	if (conn != NULL)
		bus_conn_close(conn);
	if (is_stranger) {
		bus_stranger_refuse(server, pipe);
		return;
	}
	bus_ends_of_pipe(handle, &ends);
	bus_guests_end(server->bus->net->guests, &ends, handle);
}

struct gone {
	struct bus_server *server;
	uint32_t pipe;
};

static void
on_gone(void *arg)
{
	struct gone gone = *(struct gone *)arg;
	free(arg);
	struct bus_conn *conn = conn_of(gone.server, gone.pipe);
	if (conn != NULL)
		bus_conn_close(conn);
	bulk_hear_gone(gone.server, gone.pipe);
	bus_stranger_forget(gone.server, gone.pipe);
}

void
bus_listener_gone(nng_pipe pipe, nng_pipe_ev kind, void *arg)
{
	struct bus_listener *listener = arg;
	struct gone *gone = malloc(sizeof *gone);
	(void)kind;
	trl_assert(gone != NULL);
	*gone = (struct gone){ listener->server, (uint32_t)nng_pipe_id(pipe) };
	trl_loop_post(listener->server->bus->net->loop, on_gone, gone);
}

void
bus_conn_say_goaway(struct bus_conn *conn)
{
	static const struct bus_frame goaway = { .kind = BUS_GOAWAY };
	if (!conn->said_goaway && bus_frame_put(&conn->link.out, &goaway, NULL)) {
		conn->said_goaway = true;
		bus_link_touch(&conn->link);
	}
}

/* An answer to a PING, asked or not: with why this service is not ready, if so. */
static void
answer_ping(struct bus_conn *conn)
{
	const trl_bus *bus = conn->server->bus;
	struct bus_frame pong = { .kind = BUS_PING, .answer = true };
	const char *why = bus->unready ? bus->unready(bus->unready_self) : NULL;
	snprintf(conn->said_unready, sizeof conn->said_unready, "%s", why ? why : "");
	if (why != NULL) {
		pong.has_error = true;
		pong.code = TRL_UNAVAILABLE;
		pong.message = bus_text(conn->said_unready);
	}
	if (bus_frame_put(&conn->link.out, &pong, NULL))
		bus_link_touch(&conn->link);
}

static struct bus_conn *
add_conn(struct bus_listener *listener, nng_msg *msg, struct bus_text caller)
{
	struct bus_server *server = listener->server;
	struct bus_conn *conn = calloc(1, sizeof *conn);
	trl_assert(conn != NULL && nng_msg_header_len(msg) == sizeof conn->link.head);
	conn->server = server;
	snprintf(conn->caller, sizeof conn->caller, "%.*s", (int)caller.n, caller.s);
	conn->link.links = &server->bus->net->links;
	conn->link.socket = listener->socket;
	memcpy(conn->link.head, nng_msg_header(msg), sizeof conn->link.head);
	conn->link.head_len = sizeof conn->link.head;
	bus_link_reset(&conn->link, (uint32_t)nng_pipe_id(nng_msg_get_pipe(msg)));
	bus_ends_of_pipe(nng_msg_get_pipe(msg), &conn->link.ends);
	bus_bulk_init(&conn->bulk, server->bus, &conn->link, NULL, conn);
	conn->next = server->conns;
	return server->conns = conn;
}

/* Believes a HELLO and answers it, or says why not. */
static const char *
take_hello(struct bus_listener *listener, nng_msg *msg,
    const struct bus_envelope *envelope, size_t len)
{
	struct bus_server *server = listener->server;
	trl_bus *bus = server->bus;
	const uint8_t *data = nng_msg_body(msg);
	const struct bus_key *key = NULL;
	struct bus_frame hello;
	uint8_t challenge[16];
	size_t at = BUS_ENVELOPE;

	if (envelope->flags & BUS_TAGGED)
		len -= BUS_TAG;
	if (bus_frame_get(data, len, &at, &hello) != NULL || at != len ||
	    hello.kind != BUS_HELLO || hello.name.s == NULL || hello.nonce == NULL)
		return "bad_hello";
	if (!listener->inproc) {
		const struct bus_keyring *ring = bus_keyring_of(bus, hello.name);
		key = ring ? bus_keyring_find(ring, envelope->kid) : NULL;
		if (ring == NULL)
			return "unknown_caller";
		if (key == NULL || !(envelope->flags & BUS_TAGGED))
			return "unknown_kid";
		if (!bus_mac_check(key->bytes, data, len + BUS_TAG))
			return "bad_mac";
	}
	/* nng keeps what came after its pipe has gone; on_gone has been here then, and
	 * nobody would end this connection. */
	if (nng_listener_id(nng_pipe_listener(nng_msg_get_pipe(msg))) < 0)
		return NULL;
	if (hello.token != NULL)
		return bulk_hear_hello(listener, msg, &hello, key);

	struct bus_conn *conn = add_conn(listener, msg, hello.name);
	randombytes_buf(challenge, sizeof challenge);
	struct bus_frame answer = {
		.kind = BUS_HELLO,
		.name = bus_text(bus->service),
		.nonce = challenge,
		.echo = hello.nonce,
		.boot = bus->net->boot,
		.notices = bus_text(bus->notice_listen),
		.token = conn->bulk.token,
		.bulk = bus_text(bulk_unix_path(server->unix_door)),
	};
	bus_link_greet(&conn->link, &answer, key);
	if (key != NULL)
		bus_mac_derive(&conn->link.mac, key, false, hello.nonce, challenge,
		    conn->caller, bus->service);
	conn->link.up = true;
	answer_ping(
	    conn); /* so that it has something to acknowledge, which proves it */
	if (server->draining)
		bus_conn_say_goaway(conn);
	return NULL;
}

static void
cancel_call(struct bus_conn *conn, uint64_t call_id)
{
	for (struct bus_serving *call = conn->calls; call != NULL; call = call->next)
		if (call->frame.call_id == call_id && call->actor != NULL) {
			if (call->stream != NULL)
				bus_stream_break(call->stream, "the caller has gone");
			if (call->stream == NULL || !call->is_write)
				trl_cancel(call->actor);
			return;
		}
}

static void
answer_info(struct bus_conn *conn)
{
	struct bus_server *server = conn->server;
	struct bus_frame frame = { .kind = BUS_INFO, .answer = true };
	Trellis__Bus__InfoReply info = TRELLIS__BUS__INFO_REPLY__INIT;
	char **names = calloc(server->n_served + 1, sizeof *names);
	trl_assert(names != NULL);
	for (size_t i = 0; i < server->n_served; i++)
		names[i] = (char *)server->served[i].method->name;
	info.service = server->bus->service;
	info.version = (char *)TRELLIS_VERSION;
	info.has_up_ms = true;
	info.up_ms = (trl_mono_us() - server->since_us) / 1000;
	info.n_methods = server->n_served;
	info.methods = names;
	if (bus_frame_put(&conn->link.out, &frame, &info.base))
		bus_link_touch(&conn->link);
	free(names);
}

static void
answer_stats(struct bus_conn *conn)
{
	struct trl_bus_stats now;
	struct bus_frame frame = { .kind = BUS_STATS, .answer = true };
	Trellis__Bus__StatsReply stats = TRELLIS__BUS__STATS_REPLY__INIT;
	trl_bus_stats(conn->server->bus, &now);
	stats.has_running = stats.has_calls = stats.has_faults = stats.has_shed = true;
	stats.running = now.running;
	stats.calls = now.calls;
	stats.faults = now.faults;
	stats.shed = now.shed;
	stats.has_connections = true;
	stats.connections = now.connections;
	if (bus_frame_put(&conn->link.out, &frame, &stats.base))
		bus_link_touch(&conn->link);
}

void
bus_conn_say_ready(struct bus_conn *conn)
{
	const trl_bus *bus = conn->server->bus;
	const char *why = bus->unready ? bus->unready(bus->unready_self) : NULL;
	if (strncmp(
		conn->said_unready, why ? why : "", sizeof conn->said_unready - 1) != 0)
		answer_ping(conn);
}

static const char *
take_frame(
    struct bus_conn *conn, struct bus_inbound *inbound, const struct bus_frame *frame)
{
	switch (frame->kind) {
	case BUS_CALL:
		bus_dispatch(conn, inbound, frame);
		break;
	case BUS_CANCEL:
		cancel_call(conn, frame->call_id);
		break;
	case BUS_PING:
		answer_ping(conn);
		break;
	case BUS_INFO:
		answer_info(conn);
		break;
	case BUS_STATS:
		answer_stats(conn);
		break;
	case BUS_CREDIT:
	case BUS_END:
		return bus_bulk_said(&conn->bulk, frame);
	default:
		break; /* from a later release */
	}
	return NULL;
}

static const char *
take_frames(struct bus_conn *conn, nng_msg *msg, const struct bus_envelope *envelope)
{
	struct bus_server *server = conn->server;
	const uint8_t *data = nng_msg_body(msg);
	size_t at = BUS_ENVELOPE, end;
	struct bus_frame frame;
	const char *why =
	    bus_link_take(&conn->link, envelope, data, nng_msg_len(msg), &end);

	conn->proven = conn->proven || why == NULL;
	if (why != NULL || at == end)
		return nng_msg_free(msg), why;
	struct bus_inbound *inbound = bus_inbound_keep(server, msg);
	while (why == NULL && at < end) {
		why = bus_frame_get(data, end, &at, &frame);
		why = why == NULL ? take_frame(conn, inbound, &frame) : "malformed";
	}
	bus_inbound_drop(server, inbound);
	return why;
}

void
bus_listener_take(void *self, nng_msg *msg)
{
	struct bus_listener *listener = self;
	struct bus_server *server = listener->server;
	uint32_t pipe = (uint32_t)nng_pipe_id(nng_msg_get_pipe(msg));
	struct bus_conn *conn = conn_of(server, pipe);
	struct bus_envelope envelope;
	const char *why = NULL;

	if (conn == NULL && bulk_hear(server, pipe, msg))
		return;
	if (conn == NULL && !bus_stranger_heard(server, nng_msg_get_pipe(msg))) {
		nng_msg_free(msg);
		return;
	}
	if (nng_msg_header_len(msg) != sizeof conn->link.head ||
	    !bus_envelope_get(nng_msg_body(msg), nng_msg_len(msg), &envelope)) {
		why = "malformed";
		nng_msg_free(msg);
	} else if (envelope.flags & BUS_GREETING) {
		why = conn ? "second_hello"
			   : take_hello(listener, msg, &envelope, nng_msg_len(msg));
		nng_msg_free(msg);
	} else if (conn == NULL) {
		nng_msg_free(msg);
	} else {
		why = take_frames(conn, msg, &envelope);
	}
	if (why != NULL)
		bus_conn_expel(server, conn_of(server, pipe), pipe, why);
}
