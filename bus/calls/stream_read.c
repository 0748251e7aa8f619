/* stream_read.c - the other end's body: pieces as they come, and as they are read. */
#include "stream.h"

#include <stdlib.h>

#define NEVER (UINT64_MAX - 1) /* the length of a body that was broken off */

const char *
bus_stream_came(struct trl_stream *s, struct bus_piece *piece)
{
	struct stream_in *in = &s->in;
	bool is_file = piece->what.fd >= 0;
	uint64_t len = is_file ? piece->what.size : piece->what.len;

	uint64_t cost = bus_piece_cost(piece->what.len, is_file);
	bool may_come = in->comes || (!s->serves && !s->call.answered);

	if (len == 0 || len > NEVER - in->came || piece->what.len > TRL_STREAM_PIECE)
		return "bad_chunk";
	if (in->spent + cost > in->granted)
		return "over_credit";
	if (!may_come || in->came + len > in->length)
		return "chunk_after_end";
	in->lost = false; /* who had sent before the loss would send no more */
	in->spent += cost;
	in->came += len;
	piece->next = NULL;
	*in->last = piece;
	in->last = &piece->next;
	trl_series_add(s->bulk->m.bytes[0], (double)len);
	bus_credit_settle(s);
	bus_stream_wake(s);
	return NULL;
}

const char *
bus_stream_ended(struct trl_stream *s, const struct bus_frame *frame)
{
	if (s->in.length != UINT64_MAX)
		return "second_end";
	if (frame->length < s->in.came || frame->length >= NEVER)
		return "bad_end";
	s->in.length = frame->has_error ? NEVER : frame->length;
	if (frame->has_error)
		bus_stream_break(s, "the other end broke its body off");
	else if (s->in.lost && s->in.came < s->in.length)
		bus_stream_break(s, "the bulk connection was lost before the reply");
	bus_credit_settle(s);
	bus_stream_wake(s);
	return NULL;
}

static enum trl_code
await_piece(trl_ctx *ctx, struct trl_stream *s)
{
	bool is_first = s->in.window == 0;
	if (!bus_credit_open(s))
		return bus_credit_none(ctx);
	bus_credit_grow(s);
	if (is_first) /* the writer may only now begin */
		bus_stream_go_on(ctx, s);
	enum trl_code rc = bus_stream_wait(ctx, s, "a body");
	s->stalled = rc == TRL_DEADLINE && s->serves;
	return rc;
}

/* The piece that the reader had until now: only then there is room for another. */
static void
let_go(struct trl_stream *s)
{
	if (s->in.held == NULL)
		return;
	bus_stream_drop_held(s);
	s->in.read += s->in.held_cost;
	bus_credit_refill(s);
}

enum trl_code
trl_stream_read(trl_ctx *ctx, trl_stream *s, struct trl_piece *piece)
{
	struct stream_in *in = &s->in;
	enum trl_code rc;

	trl_assert(s->serves || s->call.answered);
	let_go(s);
	*piece = (struct trl_piece){ .fd = -1 };
	if (in->whole != NULL) {
		piece->data = TRL_TAKE(in->whole);
		piece->len = in->whole_len;
		return TRL_OK;
	}
	bus_stream_has_time(ctx, s);
	while (in->comes && in->first == NULL) {
		if (in->came == in->length)
			in->comes = false;
		else if (s->over != NULL)
			return bus_stream_over(ctx, s);
		else if (s->nudged)
			break;
		else if ((rc = await_piece(ctx, s)) != TRL_OK)
			return rc;
	}
	if (in->first == NULL) { /* the end, or nudged */
		s->nudged = false;
		return TRL_OK;
	}
	in->held = in->first;
	in->first = in->held->next;
	if (in->first == NULL)
		in->last = &in->first;
	*piece = in->held->what;
	in->held->what.fd = -1; /* the reader's now */
	in->held_cost = bus_piece_cost(piece->len, piece->fd >= 0);
	bus_stream_moved(ctx, s);
	return TRL_OK;
}

void
trl_stream_nudge(trl_stream *s)
{
	s->nudged = true;
	bus_stream_wake(s);
}
