/* open.c - GET /api/v1/events/stream: the head, what was missed, and then the stream
 * lies in the table and costs its connection and a struct; feed.c writes into
 * it.
 *
 * No gap and no double: what is missed is read in pages until a number that is not
 * below what is being delivered to the others (claimed). From there on, in the same
 * turn, the stream is one of them; what they get that it has already is skipped by its
 * cursor.
 *
 * Nothing parks after that: the rounds write into a stream whose opening is over. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <notify_v1.trl.h>

#include <trl/log.h>

#include "streams/stream.h"

enum { REPLAY_MS = 30000, RETRY_MS = 2000, RETRY_SPREAD_MS = 3000 };

struct replay {
	struct edge_stream *stream;
	struct stream_ask tenant, alone; /* what is of the tenant, and of none */
	size_t sent;
};

static enum trl_code
over(trl_ctx *ctx)
{
	return trl_fail(ctx, TRL_UNAVAILABLE, "the client left the stream");
}

/* Sends an entry when the client took enough of those before. */
static enum trl_code
send_slowly(trl_ctx *ctx, struct replay *replay, struct stream_entry *entry)
{
	struct edge_stream *stream = replay->stream;
	enum trl_code rc;

	if (trl_http_stream_room(stream->http) < TRL_HTTP_STREAM_BYTES * 3 / 4) {
		rc = trl_http_stream_wait(ctx, stream->http);
		if (rc != TRL_OK)
			return rc;
	}
	replay->sent++;
	return stream_send(ctx, stream, entry) ? TRL_OK : over(ctx);
}

/* One page of both, in order, as far as both are complete: *through. */
static enum trl_code
replay_page(trl_ctx *ctx, struct replay *replay, int64_t *through)
{
	const struct edge *edge = replay->stream->all->edge;
	struct stream_entry *a, *b = NULL;
	size_t n_a, n_b = 0, i = 0, j = 0;
	int64_t until = replay->tenant.until;
	enum trl_code rc;

	rc = stream_read(ctx, edge, &replay->tenant, &a, &n_a, through);
	if (rc == TRL_OK && replay->alone.n_accounts)
		rc = stream_read(ctx, edge, &replay->alone, &b, &n_b, &until);
	if (rc != TRL_OK)
		return rc;
	if (until < *through)
		*through = until;
	while (rc == TRL_OK && (i < n_a || j < n_b)) {
		struct stream_entry *next =
		    j == n_b || (i < n_a && a[i].entry->number < b[j].entry->number)
			? &a[i++]
			: &b[j++];

		if (next->entry->number > *through)
			break;
		rc = send_slowly(ctx, replay, next);
	}
	return rc;
}

static enum trl_code
send_reset(trl_ctx *ctx, struct edge_stream *stream)
{
	static const char reset[] = "event: reset\ndata: {}\n\n";

	return stream_write(stream, reset, sizeof reset - 1) ? TRL_OK : over(ctx);
}

/* Brings the stream from its cursor to head; holds one page at a time. */
static enum trl_code
replay_until(trl_ctx *ctx, struct replay *replay, int64_t head)
{
	struct edge_stream *stream = replay->stream;
	int64_t through = 0;
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && stream->cursor < head) {
		const struct trl_arena_mark page = trl_arena_mark(ctx->arena);

		if (replay->sent >= STREAM_REPLAY_MAX) {
			stream->cursor = head;
			return send_reset(ctx, stream);
		}
		replay->tenant.after = replay->alone.after = stream->cursor;
		replay->tenant.until = replay->alone.until = head;
		rc = replay_page(ctx, replay, &through);
		if (rc != TRL_OK)
			break;
		stream->cursor = through;
		trl_arena_rewind(ctx->arena, page);
	}
	return rc;
}

static enum trl_code
catch_up(trl_ctx *ctx, struct edge_stream *stream, int64_t head)
{
	const bool is_key = !trl_id_is_nil(stream->key);
	struct replay replay = { .stream = stream,
		.tenant = { .tenant = stream->in[BY_TENANT].set->id,
		    .accounts = &stream->account,
		    .n_accounts = !is_key },
		.alone = { .accounts = &stream->account, .n_accounts = !is_key } };
	struct edge_streams *all = stream->all;
	enum trl_code rc = replay_until(ctx, &replay, head);

	while (rc == TRL_OK && (all->n_live || all->in_round) &&
	       stream->cursor < all->claimed) {
		rc = stream_head(ctx, all->edge, &head);
		if (rc == TRL_OK)
			rc = replay_until(ctx, &replay, head);
	}
	if (rc != TRL_OK)
		return rc;
	if (!all->n_live && !all->in_round)
		all->through = all->claimed = stream->cursor;
	stream->live = true;
	all->n_live++;
	return TRL_OK;
}

static struct trl_id
caller_of(const struct edge_request *request)
{
	return request->who->kind == TRL_KEY ? request->who->session
					     : request->who->account;
}

enum trl_code
edge_stream_admit(struct edge_request *request)
{
	struct edge_streams *all = request->edge->streams;
	const struct edge_config *config = request->edge->config;
	struct stream_set *mine;
	trl_ctx *ctx = request->ctx;
	enum trl_code rc = TRL_OK;

	mine = stream_set_find(all, BY_CALLER, caller_of(request));
	if (all->draining)
		rc = trl_fail(ctx, TRL_UNAVAILABLE, "the edge is stopping");
	else if (mine && mine->n >= (size_t)config->max_streams_per_caller)
		rc = trl_fail(ctx, TRL_RATE,
		    "One caller may have at most %lld streams at once.",
		    (long long)config->max_streams_per_caller);
	else if (all->n >= (size_t)config->max_streams)
		rc = trl_fail(ctx, TRL_BUSY, "too many streams");
	if (rc == TRL_OK)
		return TRL_OK;
	trl_series_add(all->refused, 1);
	trl_err_retry_after(ctx, 5000);
	return rc;
}

/* The header goes before the query, which EventSource repeats as it was at first. One
 * that is no id of ours cannot be found: the stream begins with a reset. */
void
edge_stream_last_id(struct edge_request *request)
{
	Notify__V1__StreamEventsRequest *in =
	    (Notify__V1__StreamEventsRequest *)request->in;
	const char *text = trl_http_header(request->http, "last-event-id");
	struct trl_id *id;

	if (!text || !*text)
		return;
	id = trl_arena_zalloc(request->ctx->arena, sizeof *id);
	(void)trl_id_parse(text, strlen(text), id);
	trl_set(
	    in, last_event_id, (ProtobufCBinaryData){ sizeof id->bytes, id->bytes });
}

/* From the server: client or drain ended it, or it was too slow. */
static void
on_closed(void *arg)
{
	struct edge_stream *stream = arg;

	stream->http = NULL;
	stream_remove(stream);
}

static trl_http_stream *
send_head(struct edge_request *request, struct edge_stream *stream)
{
	struct trl_http_response *response = &request->response;

	response->status = 200;
	edge_headers(request);
	trl_http_add_header(response, "Content-Type", "text/event-stream");
	trl_http_add_header(response, "Cache-Control", "no-store");
	trl_http_add_header(response, "X-Accel-Buffering", "no");
	request->answered = true;
	return trl_http_stream_open(
	    request->ctx, request->http, response, on_closed, stream);
}

static enum trl_code
begin(struct edge_request *request, struct edge_stream *stream)
{
	const Notify__V1__StreamEventsRequest *in =
	    (const Notify__V1__StreamEventsRequest *)request->in;
	const Notify__V1__StreamPlace *place =
	    (const Notify__V1__StreamPlace *)request->out;
	trl_ctx *ctx = request->ctx;
	enum trl_code rc = TRL_OK;
	/* Spread, so that not all come back at once after a restart. */
	const char *retry = trl_arena_printf(ctx->arena, "retry: %u\n\n",
	    RETRY_MS + randombytes_uniform(RETRY_SPREAD_MS));

	if (!stream_write(stream, retry, strlen(retry)))
		return over(ctx);
	stream->cursor = place->head;
	if (in->has_last_event_id && place->has_number)
		stream->cursor = place->number;
	else if (in->has_last_event_id)
		rc = send_reset(ctx, stream);
	trl_set_deadline(ctx, trl_mono_us() + REPLAY_MS * 1000ull);
	return rc == TRL_OK ? catch_up(ctx, stream, place->head) : rc;
}

enum trl_code
edge_stream_open(struct edge_request *request)
{
	struct edge_streams *all = request->edge->streams;
	struct edge_stream *stream;
	enum trl_code rc;

	rc = edge_stream_admit(request); /* others may have come during the call */
	if (rc == TRL_OK)
		rc = stream_run(request->ctx, all);
	if (rc != TRL_OK)
		return rc;
	stream = calloc(1, sizeof *stream);
	trl_assert(stream);
	stream_learn(stream, request);
	stream_add(all, stream, request->ctx->tenant, caller_of(request));
	stream->http = send_head(request, stream);
	if (!stream->http) { /* HEAD, or nobody is there any more */
		stream_remove(stream);
		return TRL_OK;
	}
	if (begin(request, stream) != TRL_OK) {
		/* The client sees the end and comes again with its last id. */
		if (trl_http_stream_write(stream->http, "", 0))
			trl_log_err(request->ctx);
		trl_err_clear(request->ctx);
		stream_end(stream);
	}
	return TRL_OK;
}
