/* stream.c - the life of a stream at either end.
 *
 * One actor uses a stream. Whatever happens to it (a piece, credit, the reply, a loss)
 * changes its fields and wakes the actor, which looks at all of them again. */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

struct trl_stream *
bus_stream_new(struct bus_bulk *bulk, trl_loop *loop, const struct trl_method *method,
    struct bus_budget *budget, struct trl_id holder)
{
	struct trl_stream *s = calloc(1, sizeof *s);
	trl_assert(s != NULL);
	s->bus = bulk->bus;
	s->loop = loop;
	s->budget = budget;
	s->share = trl_share_join(&budget->shares, holder);
	s->method = method;
	s->until_us = UINT64_MAX;
	s->in.last = &s->in.first;
	s->in.length = UINT64_MAX;
	bus_bulk_add(bulk, s);
	return s;
}

void
bus_stream_drop_held(struct trl_stream *s)
{
	struct bus_piece *held = TRL_TAKE(s->in.held);
	if (held != NULL)
		held->drop(held);
}

void
bus_stream_free(struct trl_stream **stream)
{
	struct trl_stream *s = TRL_TAKE(*stream);
	bus_credit_close(s);
	trl_share_leave(&s->share);
	bus_bulk_remove(s);
	bus_stream_drop_held(s);
	for (struct bus_piece *p; (p = s->in.first) != NULL; p->drop(p))
		s->in.first = p->next;
	trl_buf_fini(&s->message);
	trl_buf_fini(&s->kept);
	free(s->reply);
	free(s);
}

enum trl_code
bus_stream_over(trl_ctx *ctx, const struct trl_stream *s)
{
	trl_err_clear(ctx);
	return trl_fail(ctx, TRL_UNAVAILABLE, "%s: %s", s->method->name, s->over);
}

enum trl_code
bus_stream_wait(trl_ctx *ctx, struct trl_stream *s, const char *what)
{
	uint64_t now = trl_loop_now_us(ctx->loop);
	uint64_t left = s->until_us > now ? s->until_us - now : 0;
	s->ticket = s->call.ticket = trl_park_begin(ctx);
	enum trl_code rc =
	    s->until_us >= ctx->deadline_us
		? trl_park(ctx, s->ticket, what)
		: trl_park_for(ctx, s->ticket, what, (uint32_t)(left / 1000 + 1));
	if (rc != TRL_OK && s->over != NULL)
		return bus_stream_over(ctx, s);
	if (rc != TRL_OK && ctx->err.code == TRL_OK)
		return trl_fail(ctx, rc, "out of time during %s", what);
	return rc;
}

void
bus_stream_wake(struct trl_stream *s)
{
	trl_wake(s->ticket);
}

void
bus_stream_break(struct trl_stream *s, const char *why)
{
	if (s->over == NULL)
		s->over = why;
	bus_stream_wake(s);
	bus_stream_watched(s);
}

void
bus_stream_watched(struct trl_stream *s)
{
	if (s->changed != NULL && (s->over != NULL || s->out.unwanted))
		s->changed(s->watcher);
}

void
trl_stream_watch(trl_stream *s, void (*changed)(void *self), void *self)
{
	s->changed = changed;
	s->watcher = self;
	bus_stream_watched(s);
}

void
bus_stream_bulk_lost(struct trl_stream *s)
{
	bool may_come = !s->serves && !s->call.answered && s->in.granted > 0;
	if ((s->in.comes && s->in.granted > 0 && s->in.came != s->in.length) ||
	    (s->out.sent > 0 && !s->out.ended))
		bus_stream_break(s, "the bulk connection was lost");
	s->in.lost = s->in.lost || may_come;
}

void
bus_stream_say(struct trl_stream *s, const struct bus_frame *frame)
{
	if (s->bulk == NULL)
		return;
	trl_assert(bus_frame_put(&s->bulk->first->out, frame, NULL));
	bus_link_touch(s->bulk->first);
}

void
bus_stream_has_time(trl_ctx *ctx, struct trl_stream *s)
{
	uint64_t until = trl_loop_now_us(ctx->loop) + s->bus->net->idle_us;
	if (!s->goes_on)
		return;
	if (ctx->deadline_us < until)
		trl_set_deadline(ctx, until);
	if (s->until_us < until)
		s->until_us = until;
}

void
bus_stream_go_on(trl_ctx *ctx, struct trl_stream *s)
{
	s->goes_on = true;
	bus_stream_has_time(ctx, s);
}

void
bus_stream_moved(trl_ctx *ctx, struct trl_stream *s)
{
	bus_stream_go_on(ctx, s);
	trl_yield(ctx);
}
