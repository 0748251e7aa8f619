/* server.c - see server.h. A connection is believed once its HELLO is; what comes
 * before that is dropped without an answer (it may be what was queued for the
 * process before this one). */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/log.h>

#include "frame.pb-c.h"

/* ---- connections ------------------------------------------------------------------
 */

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
static void
close_conn(struct bus_conn *conn)
{
	struct bus_server *server = conn->server;
	struct bus_conn **at = &server->conns;
	while (*at != conn)
		at = &(*at)->next;
	*at = conn->next;
	server->last = NULL;
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

static void
expel(struct bus_server *server, struct bus_conn *conn, uint32_t pipe, const char *why)
{
	nng_pipe handle = NNG_PIPE_INITIALIZER;
	handle.id = pipe;
	bus_net_refused(
	    server->bus->net, server->bus->service, conn ? conn->caller : "", why);
	if (conn != NULL)
		close_conn(conn);
	nng_pipe_close(handle);
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
		close_conn(conn);
}

static void
post_gone(nng_pipe pipe, nng_pipe_ev kind, void *arg)
{
	struct bus_listener *listener = arg;
	struct gone *gone = malloc(sizeof *gone);
	(void)kind;
	trl_assert(gone != NULL);
	*gone = (struct gone){ listener->server, (uint32_t)nng_pipe_id(pipe) };
	trl_loop_post(listener->server->bus->net->loop, on_gone, gone);
}

static void
say_goaway(struct bus_conn *conn)
{
	static const struct bus_frame goaway = { .kind = BUS_GOAWAY };
	if (!conn->told_goaway && bus_frame_put(&conn->link.out, &goaway, NULL)) {
		conn->told_goaway = true;
		bus_link_touch(&conn->link);
	}
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

	struct bus_conn *conn = calloc(1, sizeof *conn);
	trl_assert(conn != NULL && nng_msg_header_len(msg) == sizeof conn->link.head);
	conn->server = server;
	snprintf(
	    conn->caller, sizeof conn->caller, "%.*s", (int)hello.name.n, hello.name.s);
	conn->link.net = bus->net;
	conn->link.socket = listener->socket;
	memcpy(conn->link.head, nng_msg_header(msg), sizeof conn->link.head);
	conn->link.head_len = sizeof conn->link.head;
	bus_link_reset(&conn->link, (uint32_t)nng_pipe_id(nng_msg_get_pipe(msg)));
	conn->next = server->conns;
	server->conns = conn;

	randombytes_buf(challenge, sizeof challenge);
	struct bus_frame answer = {
		.kind = BUS_HELLO,
		.name = bus_text(bus->service),
		.nonce = challenge,
		.echo = hello.nonce,
		.boot = bus->net->boot,
		.notices = bus_text(bus->notice_listen),
	};
	bus_link_greet(&conn->link, &answer, key);
	if (key != NULL)
		bus_mac_derive(&conn->link.mac, key, false, hello.nonce, challenge,
		    conn->caller, bus->service);
	conn->link.up = true;
	if (server->draining)
		say_goaway(conn);
	return NULL;
}

/* ---- what callers say ---------------------------------------------------------------
 */

static void
cancel_call(struct bus_conn *conn, uint64_t call_id)
{
	for (struct bus_serving *call = conn->calls; call != NULL; call = call->next)
		if (call->frame.call_id == call_id && call->actor != NULL) {
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
	struct bus_server *server = conn->server;
	struct bus_frame frame = { .kind = BUS_STATS, .answer = true };
	Trellis__Bus__StatsReply stats = TRELLIS__BUS__STATS_REPLY__INIT;
	stats.has_running = stats.has_calls = stats.has_faults = stats.has_shed = true;
	stats.running = server->running;
	stats.calls = server->calls;
	stats.faults = server->faults;
	stats.shed = server->shed;
	stats.has_connections = true;
	for (struct bus_conn *c = server->conns; c != NULL; c = c->next)
		stats.connections++;
	if (bus_frame_put(&conn->link.out, &frame, &stats.base))
		bus_link_touch(&conn->link);
}

static void
take_frame(
    struct bus_conn *conn, struct bus_inbound *inbound, const struct bus_frame *frame)
{
	static const struct bus_frame pong = { .kind = BUS_PING, .answer = true };
	switch (frame->kind) {
	case BUS_CALL:
		bus_dispatch(conn, inbound, frame);
		break;
	case BUS_CANCEL:
		cancel_call(conn, frame->call_id);
		break;
	case BUS_PING:
		if (bus_frame_put(&conn->link.out, &pong, NULL))
			bus_link_touch(&conn->link);
		break;
	case BUS_INFO:
		answer_info(conn);
		break;
	case BUS_STATS:
		answer_stats(conn);
		break;
	default:
		break; /* reserved, or from a later release */
	}
}

static struct bus_inbound *
keep(struct bus_server *server, nng_msg *msg)
{
	struct bus_inbound *inbound = server->free_inbounds;
	if (inbound != NULL)
		server->free_inbounds = inbound->next_free;
	else
		inbound = malloc(sizeof *inbound);
	trl_assert(inbound != NULL);
	*inbound = (struct bus_inbound){ .msg = msg, .refs = 1 };
	return inbound;
}

void
bus_inbound_drop(struct bus_server *server, struct bus_inbound *inbound)
{
	if (--inbound->refs > 0)
		return;
	nng_msg_free(inbound->msg);
	inbound->next_free = server->free_inbounds;
	server->free_inbounds = inbound;
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

	if (why != NULL || at == end)
		return nng_msg_free(msg), why;
	struct bus_inbound *inbound = keep(server, msg);
	while (why == NULL && at < end) {
		why = bus_frame_get(data, end, &at, &frame);
		if (why == NULL)
			take_frame(conn, inbound, &frame);
		else
			why = "malformed";
	}
	bus_inbound_drop(server, inbound);
	return why;
}

static void
take(void *self, nng_msg *msg)
{
	struct bus_listener *listener = self;
	struct bus_server *server = listener->server;
	uint32_t pipe = (uint32_t)nng_pipe_id(nng_msg_get_pipe(msg));
	struct bus_conn *conn = conn_of(server, pipe);
	struct bus_envelope envelope;
	const char *why = NULL;

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
		expel(server, conn_of(server, pipe), pipe, why);
}

/* ---- life ---------------------------------------------------------------------------
 */

static int
by_id(const void *a, const void *b)
{
	uint32_t x = ((const struct bus_served *)a)->method->id;
	uint32_t y = ((const struct bus_served *)b)->method->id;
	return x < y ? -1 : x > y;
}

static void
fill_served(
    struct bus_server *server, const struct trl_contract *const *contracts, void *self)
{
	size_t n = 0;
	for (size_t c = 0; contracts != NULL && contracts[c] != NULL; c++)
		n += contracts[c]->n_methods;
	server->served = calloc(n + 1, sizeof *server->served);
	trl_assert(server->served != NULL);
	for (size_t c = 0; n > 0 && contracts[c] != NULL; c++)
		for (size_t m = 0; m < contracts[c]->n_methods; m++) {
			struct bus_served *served = &server->served[server->n_served++];
			served->method = contracts[c]->methods[m];
			served->thunk = contracts[c]->thunks[m];
			served->self = self;
			served->us = trl_series_at(
			    server->bus->net->m.served_us, served->method->name);
		}
	qsort(server->served, n, sizeof *server->served, by_id);
}

static bool
listen_at(struct bus_server *server, const char *address)
{
	struct bus_listener *l = calloc(1, sizeof *l);
	trl_bus_net *net = server->bus->net;
	int rv = NNG_ENOMEM;
	trl_assert(l != NULL);
	l->server = server;
	l->address = strdup(address);
	l->inproc = bus_is_inproc(address);
	if (bus_net_socket(net, BUS_REP, &l->socket)) {
		nng_pipe_notify(l->socket, NNG_PIPE_EV_REM_POST, post_gone, l);
		rv = bus_net_listen(net, l->socket, address, &l->listener);
		if (rv == 0 && bus_door_open(&l->door, net, l->socket, take, l)) {
			bus_hold(server->bus);
			l->next = server->listeners;
			server->listeners = l;
			return true;
		}
		nng_close(l->socket);
	}
	fprintf(stderr, "%s: cannot listen at %s: %s%s\n", server->bus->service,
	    address, nng_strerror(rv),
	    rv == NNG_EADDRINUSE ? "; stop what listens there or choose another address"
	    : rv == NNG_ECRYPTO  ? "; check TRELLIS_BUS_TLS_CA and TRELLIS_BUS_TLS_CERT"
				 : "");
	free(l->address);
	free(l);
	return false;
}

enum trl_code
trl_bus_serve(trl_bus *bus, const struct trl_contract *const *contracts, void *self)
{
	struct bus_server *server = calloc(1, sizeof *server);
	trl_assert(server != NULL && bus->server == NULL);
	server->bus = bus;
	server->since_us = trl_mono_us();
	bus->server = server;
	fill_served(server, contracts, self);
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
	return rc;
}

void
trl_bus_drain(trl_bus *bus)
{
	if (bus->server == NULL)
		return;
	bus->server->draining = true;
	for (struct bus_conn *c = bus->server->conns; c != NULL; c = c->next)
		say_goaway(c);
}

bool
trl_bus_drained(const trl_bus *bus)
{
	if (bus->server == NULL)
		return true;
	if (bus->server->running > 0)
		return false;
	for (struct bus_conn *c = bus->server->conns; c != NULL; c = c->next)
		if (!bus_link_settled(&c->link))
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
	for (struct bus_conn *c = server->conns, *next; c != NULL; c = next) {
		next = c->next;
		if (!bus_link_has_room(&c->link)) {
			expel(server, c, c->link.pipe, "reads_too_slowly");
		} else if (c->link.received > c->link.told) {
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
			close_conn(server->conns);
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
	bus_net_close(door->net, l->socket, free_listener, l);
}

void
bus_server_close(struct bus_server **server)
{
	struct bus_server *s = *server;
	*server = NULL;
	if (s == NULL)
		return;
	while (s->conns != NULL)
		close_conn(s->conns);
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
