/* bulk.c - see bulk.h: which carrier carries, and whose stream a piece or a word is
 * about. */
#include "bulk.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "bulk_link.h"
#include "bulk_unix.h"
#include "peer.h"
#include "server.h"
#include "stream.h"

/* A caller tries them in this order. */
static const struct bus_carrier *const carriers[] = { &bulk_unix_carrier,
	&bulk_link_carrier };

void
bus_bulk_init(struct bus_bulk *bulk, trl_bus *bus, struct bus_link *first,
    struct bus_peer *peer, struct bus_conn *conn)
{
	*bulk =
	    (struct bus_bulk){ .bus = bus, .first = first, .peer = peer, .conn = conn };
	bulk->to = peer != NULL ? peer->target->name : conn->caller;
	if (conn != NULL)
		randombytes_buf(bulk->token, sizeof bulk->token);
	bulk->has_token = conn != NULL;
}

static void
dial(struct bus_bulk *bulk, size_t from)
{
	size_t i = from;
	while (i < TRL_COUNT(carriers) && !carriers[i]->dial(bulk))
		i++;
	/* One that would dial by itself must not come between. */
	for (size_t j = 0; i < TRL_COUNT(carriers) && j < TRL_COUNT(carriers); j++)
		if (j != i)
			carriers[j]->close(bulk);
}

void
bus_bulk_next(struct bus_bulk *bulk, const struct bus_carrier *after)
{
	size_t i = 0;
	while (carriers[i] != after)
		i++;
	if (bulk->has_token)
		dial(bulk, i + 1);
}

void
bus_bulk_first_up(struct bus_bulk *bulk, const struct bus_frame *hello)
{
	bulk->has_token = hello->token != NULL; /* an earlier release gives none */
	if (hello->token == NULL)
		return;
	memcpy(bulk->token, hello->token, sizeof bulk->token);
	snprintf(bulk->path, sizeof bulk->path, "%.*s", (int)hello->bulk.n,
	    hello->bulk.s != NULL ? hello->bulk.s : "");
	if (bulk->wanted)
		dial(bulk, 0);
}

void
bus_bulk_first_lost(struct bus_bulk *bulk)
{
	for (struct trl_stream *s = bulk->streams, *next; s != NULL; s = next) {
		next = s->next;
		bus_bulk_remove(s);
		bus_stream_break(s, "the connection was lost");
	}
	bulk->late = 0;
	bulk->has_token = bulk->conn != NULL;
	bulk->by = NULL;
	for (size_t i = 0; i < TRL_COUNT(carriers); i++)
		carriers[i]->drop(bulk);
	if (bulk->conn != NULL)
		bulk_hear_forget(bulk);
}

void
bus_bulk_close(struct bus_bulk *bulk)
{
	bus_bulk_first_lost(bulk);
	for (size_t i = 0; i < TRL_COUNT(carriers); i++)
		carriers[i]->close(bulk);
}

void
bus_bulk_tick(struct bus_bulk *bulk)
{
	if (bulk->by != NULL && bulk->by->tick != NULL)
		bulk->by->tick(bulk);
	bulk_dial_tick(bulk);
	bool dialled = bulk->by != NULL || bulk->link != NULL || bulk->by_unix != NULL;
	if (dialled || !bulk->wanted || !bulk->has_token)
		bulk->idle = 0;
	else if (++bulk->idle > 1)
		dial(bulk, 0);
}

static struct trl_stream *
find(const struct bus_bulk *bulk, uint64_t call_id)
{
	struct trl_stream *s = bulk->streams;
	while (s != NULL && s->call_id != call_id)
		s = s->next;
	return s;
}

const char *
bus_bulk_said(struct bus_bulk *bulk, const struct bus_frame *frame)
{
	struct trl_stream *s = find(bulk, frame->call_id);
	if (frame->kind == BUS_CANCEL && frame->call_id == 0 && bulk->peer != NULL)
		bus_bulk_dead(bulk);
	if (s == NULL)
		return NULL; /* late: it has gone */
	switch (frame->kind) {
	case BUS_CREDIT:
		return bus_credit_came(s, frame->credit);
	case BUS_END:
		return bus_stream_ended(s, frame);
	default:
		s->out.unwanted = true;
		bus_stream_wake(s);
		return NULL;
	}
}

void
bus_bulk_add(struct bus_bulk *bulk, struct trl_stream *s)
{
	if (bulk->m.waits == NULL)
		bus_metrics_bulk(bulk);
	s->bulk = bulk;
	s->next = bulk->streams;
	if (s->next != NULL)
		s->next->prev = s;
	bulk->streams = s;
	bulk->n_streams++;
	trl_series_add(bulk->m.streams[bulk->peer != NULL], 1);
	if (bulk->peer != NULL && !bulk->wanted) {
		bulk->wanted = true;
		if (bulk->has_token)
			dial(bulk, 0);
	}
}

void
bus_bulk_remove(struct trl_stream *s)
{
	struct bus_bulk *bulk = TRL_TAKE(s->bulk);
	if (bulk == NULL)
		return;
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		bulk->streams = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	s->prev = s->next = NULL;
	bulk->n_streams--;
}

void
bus_bulk_room(struct bus_bulk *bulk)
{
	for (struct trl_stream *s = bulk->streams; s != NULL; s = s->next)
		bus_stream_wake(s);
}

void
bus_bulk_up(struct bus_bulk *bulk, const struct bus_carrier *by)
{
	bulk->by = by;
	for (struct trl_stream *s = bulk->streams; s != NULL; s = s->next)
		if (s->in.window != 0)
			bus_credit_refill(s);
	bus_bulk_room(bulk);
}

void
bus_bulk_down(struct bus_bulk *bulk)
{
	const struct bus_carrier *by = TRL_TAKE(bulk->by);
	if (by == NULL)
		return;
	by->drop(bulk);
	for (struct trl_stream *s = bulk->streams; s != NULL; s = s->next)
		bus_stream_bulk_lost(s);
}

void
bus_bulk_dead(struct bus_bulk *bulk)
{
	static const struct bus_frame dead = { .kind = BUS_CANCEL };
	bus_bulk_down(bulk);
	if (bulk->peer != NULL)
		dial(bulk, 0);
	else if (!bulk_hear_awaits(bulk) &&
		 bus_frame_put(&bulk->first->out, &dead, NULL))
		bus_link_touch(bulk->first);
}

const char *
bus_bulk_came(struct bus_bulk *bulk, uint64_t call_id, struct bus_piece *piece)
{
	struct trl_stream *s = find(bulk, call_id);
	uint64_t cost = bus_piece_cost(piece->what.len, piece->what.fd >= 0);
	const char *why = s != NULL           ? bus_stream_came(s, piece)
			  : cost > bulk->late ? "chunk_of_nobody"
					      : NULL;
	if (s == NULL && why == NULL)
		bulk->late -= cost;
	if (s == NULL || why != NULL)
		piece->drop(piece);
	return why;
}

void
bus_bulk_refuse(struct bus_bulk *bulk, const char *why)
{
	if (bulk->conn != NULL) {
		bus_conn_expel(bulk->conn->server, bulk->conn, bulk->first->pipe, why);
		return;
	}
	bus_net_refused(bulk->bus->net, bulk->bus->service, bulk->to, why);
	bus_peer_eject(bulk->peer, why);
}

struct bus_bulk *
bus_bulk_of_token(trl_bus *bus, struct bus_text caller, const uint8_t token[BUS_TOKEN])
{
	for (struct bus_conn *c = bus->server->conns; c != NULL; c = c->next)
		if (bus_text_eq(caller, c->caller) &&
		    sodium_memcmp(c->bulk.token, token, BUS_TOKEN) == 0)
			return &c->bulk;
	return NULL;
}
