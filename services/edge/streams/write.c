/* write.c - writing into one stream, and its end. A write is a system call at the end
 * of the loop's turn, so whoever writes to many pauses now and then. */
#include "streams/stream.h"

void
stream_end(struct edge_stream *stream)
{
	trl_http_stream_close(&stream->http);
	stream_remove(stream);
}

bool
stream_write(struct edge_stream *stream, const void *data, size_t len)
{
	struct edge_streams *all = stream->all;
	bool slow;

	if (!stream->http)
		return false;
	if (stream->live && len > trl_http_stream_room(stream->http))
		trl_http_stream_push(stream->http);
	slow = len > trl_http_stream_room(stream->http);
	if (trl_http_stream_write(stream->http, data, len))
		return true;
	trl_series_add(all->slow, slow);
	all->n_live -= stream->live; /* on_closed comes in a later turn */
	stream->live = false;
	return false;
}

enum { BETWEEN_PAUSES = 100, PAUSE_MS = 10000 };

struct pause {
	struct trl_ticket ticket;
	bool over;
};

static void
end_pause(void *arg)
{
	struct pause *pause = arg;

	pause->over = true;
	(void)trl_wake(pause->ticket);
}

void
stream_pause(trl_ctx *ctx, size_t i)
{
	struct pause pause = { .over = false };

	if (i % BETWEEN_PAUSES != BETWEEN_PAUSES - 1)
		return;
	pause.ticket = trl_park_begin(ctx);
	trl_loop_post(ctx->loop, end_pause, &pause);
	for (;;) { /* end_pause has this stack */
		trl_set_deadline(ctx, trl_mono_us() + PAUSE_MS * 1000ull);
		if (trl_park(ctx, pause.ticket, "turn") != TRL_OK)
			trl_err_clear(ctx);
		if (pause.over)
			return;
		pause.ticket = trl_park_begin(ctx);
	}
}
