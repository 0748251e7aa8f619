/* bulk_link.c - see bulk_link.h. A piece is a frame, copied once behind its header; of
 * those that came, each points into its message, which is freed with the last. */
#include "bulk_link.h"

#include <stdlib.h>

enum {
	UNSENT_MAX = 1 << 20, /* gathered; beyond that a writer waits */
	MISSES = 3,
};

static size_t
send_piece(struct bus_bulk *bulk, uint64_t call_id, const void *data, size_t len)
{
	struct bulk_link *l = bulk->link;
	struct bus_frame chunk = {
		.kind = BUS_CHUNK,
		.call_id = call_id,
		.payload = data,
		.payload_len = len < TRL_STREAM_PIECE ? len : TRL_STREAM_PIECE,
	};
	if (l->link.out.len - l->link.out_at >= UNSENT_MAX) {
		l->full = true;
		return 0;
	}
	trl_assert(bus_frame_put(&l->link.out, &chunk, NULL));
	bus_link_touch(&l->link);
	return chunk.payload_len;
}

void
bulk_link_flushed(struct bus_link *link)
{
	struct bulk_link *l = (struct bulk_link *)link;
	if (!l->full || l->bulk == NULL ||
	    link->out.len - link->out_at > UNSENT_MAX / 2)
		return;
	l->full = false;
	bus_bulk_room(l->bulk);
}

/* A message, and how many pieces point into it. */
struct message {
	nng_msg *msg;
	unsigned refs;
};

struct piece {
	struct bus_piece base; /* first */
	struct message *message;
};

static void
unref(struct message *message)
{
	if (--message->refs > 0)
		return;
	nng_msg_free(message->msg);
	free(message);
}

static void
drop_piece(struct bus_piece *base)
{
	struct piece *piece = (struct piece *)base;
	unref(piece->message);
	free(piece);
}

static const char *
take_chunk(struct bulk_link *l, struct message *message, const struct bus_frame *frame)
{
	struct piece *piece = calloc(1, sizeof *piece);
	trl_assert(piece != NULL);
	piece->base.drop = drop_piece;
	piece->base.what = (struct trl_piece){
		.data = frame->payload, .len = frame->payload_len, .fd = -1
	};
	piece->message = message;
	message->refs++;
	return bus_bulk_came(l->bulk, frame->call_id, &piece->base);
}

static const char *
take_frame(struct bulk_link *l, struct message *message, const struct bus_frame *frame)
{
	switch (frame->kind) {
	case BUS_CHUNK:
		return take_chunk(l, message, frame);
	case BUS_PING: /* of a caller, which waits to be believed */
		l->link.ack_now = true;
		bus_link_touch(&l->link);
		return NULL;
	default:
		return NULL; /* of a later release */
	}
}

const char *
bulk_link_take(struct bulk_link *l, const struct bus_envelope *envelope, nng_msg *msg)
{
	const uint8_t *data = nng_msg_body(msg);
	size_t at = BUS_ENVELOPE, end;
	struct bus_frame frame;
	const char *why =
	    bus_link_take(&l->link, envelope, data, nng_msg_len(msg), &end);

	if (why == NULL && l->server != NULL)
		bulk_hear_believed(l);
	else if (why == NULL)
		bulk_dial_heard(l);
	if (why != NULL || at == end) {
		nng_msg_free(msg);
		l->heard = l->heard || why == NULL;
		return why;
	}
	struct message *message = malloc(sizeof *message);
	trl_assert(message != NULL);
	*message = (struct message){ .msg = msg, .refs = 1 };
	l->heard = true;
	while (why == NULL && at < end) {
		why = bus_frame_get(data, end, &at, &frame);
		why = why == NULL ? take_frame(l, message, &frame) : "malformed";
	}
	unref(message);
	return why;
}

static bool
is_dead(struct bulk_link *l)
{
	if (l->heard || l->link.sent == l->link.acked)
		l->misses = 0;
	else if (++l->misses >= MISSES)
		return true;
	l->heard = false;
	return false;
}

void
bulk_link_end(struct bulk_link *l)
{
	struct bus_link *link = &l->link;
	nng_pipe pipe = { .id = link->pipe };
	if (link->pipe == 0)
		return;
	bus_link_unqueue(link);
	bus_link_reset(link, 0);
	l->full = false;
	struct bus_guests *guests =
	    l->server != NULL ? l->server->bus->net->guests : l->bus->net->guests;
	bus_guests_end(guests, &link->ends, pipe);
}

static void
drop(struct bus_bulk *bulk)
{
	if (bulk->link == NULL)
		return;
	if (bulk->peer != NULL)
		bulk_dial_drop(bulk->link);
	else
		bulk_hear_drop(TRL_TAKE(bulk->link));
}

static void
tick(struct bus_bulk *bulk)
{
	struct bus_link *link = &bulk->link->link;
	if (is_dead(bulk->link)) {
		bus_bulk_dead(bulk);
	} else if (link->received > link->acknowledged) {
		link->ack_now = true;
		bus_link_touch(link);
	}
}

static void
close_link(struct bus_bulk *bulk)
{
	if (bulk->link != NULL)
		bulk_dial_close(TRL_TAKE(bulk->link));
}

const struct bus_carrier bulk_link_carrier = {
	.name = "link",
	.dial = bulk_dial,
	.send = send_piece,
	.drop = drop,
	.close = close_link,
	.tick = tick,
};
