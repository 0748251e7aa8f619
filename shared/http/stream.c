/* stream.c - answers that go on after their handler: the connection changes its state
 * and is nobody's but its owner's, who writes into it from the loop. What was written
 * in a turn leaves with the turn's flush like any answer, as chunks where the client
 * knows them; its buffer goes with it, so that an idle stream has none. A client that
 * does not take what is sent is closed when too much waits for it, or when a write
 * lasts as long as a body may (wait.c). */
#include "conn.h"

#include <stdio.h>

/* What the client has not taken yet. */
static size_t
behind(const struct trl_http_conn *conn)
{
	return conn->out.len + uv_stream_get_write_queue_size(&conn->uv.stream);
}

trl_http_stream *
trl_http_stream_open(trl_ctx *ctx, struct trl_http_request *request,
    const struct trl_http_response *response, void (*closed)(void *self), void *self)
{
	struct trl_http_conn *conn = request->conn;
	const bool over =
	    conn->head_only || conn->closed || conn->eof || conn->server->draining;
	struct http_framing framing = { .length = UINT64_MAX };
	struct trl_http_response head = *response;

	(void)ctx;
	trl_assert(!conn->answered && closed);
	trl_http_reader_end(conn);
	conn->linger = conn->body.left > 0 || conn->in.len > 0;
	if (over) {
		head.body_len = 0;
		head.close = true;
		trl_http_reply(ctx, request, &head);
		return NULL;
	}
	framing.chunked = !conn->keep_old;
	if (!trl_http_write_head(conn, &head, &framing))
		return NULL;
	conn->stream.chunked = framing.chunked;
	conn->state = HTTP_STREAMING;
	conn->seen = 0;
	conn->stream.closed = closed;
	conn->stream.self = self;
	conn->server->n_streams++;
	trl_buf_fini(&conn->in);
	trl_http_conn_read(conn, true); /* to see it leave */
	return conn;
}

size_t
trl_http_stream_room(const trl_http_stream *conn)
{
	const size_t taken = behind(conn);

	return taken < TRL_HTTP_STREAM_BYTES ? TRL_HTTP_STREAM_BYTES - taken : 0;
}

bool
trl_http_stream_write(trl_http_stream *conn, const void *data, size_t len)
{
	char size[24];
	int n;

	if (conn->closed || conn->state != HTTP_STREAMING || conn->stream.slow)
		return false;
	if (len > trl_http_stream_room(conn)) {
		conn->stream.slow = true;
		trl_http_dirty(conn);
		return false;
	}
	if (!len)
		return true;
	if (conn->stream.chunked) {
		n = snprintf(size, sizeof size, "%zx\r\n", len);
		trl_buf_reserve(&conn->out, len + (size_t)n + 2);
		trl_buf_add(&conn->out, size, (size_t)n);
	}
	trl_buf_add(&conn->out, data, len);
	if (conn->stream.chunked)
		trl_buf_adds(&conn->out, "\r\n");
	trl_http_dirty(conn);
	return true;
}

void
trl_http_stream_push(trl_http_stream *conn)
{
	if (!conn->closed && conn->state == HTTP_STREAMING)
		trl_http_flush_one(conn);
}

enum trl_code
trl_http_stream_wait(trl_ctx *ctx, trl_http_stream *conn)
{
	enum trl_code rc = TRL_OK;

	trl_assert(!conn->stream.waiting);
	while (!conn->closed && behind(conn) > 0 && rc == TRL_OK) {
		conn->stream.ticket = trl_park_begin(ctx);
		conn->stream.waiting = true;
		rc = trl_park(ctx, conn->stream.ticket, "http stream");
		conn->stream.waiting = false;
	}
	if (!conn->closed)
		return rc;
	return trl_http_left(ctx, "the stream");
}

void
trl_http_stream_wake(struct trl_http_conn *conn)
{
	if (conn->stream.waiting)
		(void)trl_wake(conn->stream.ticket);
}

void
trl_http_stream_end(struct trl_http_conn *conn)
{
	if (conn->state != HTTP_STREAMING || conn->closed)
		return;
	if (conn->stream.chunked)
		trl_buf_adds(&conn->out, "0\r\n\r\n");
	conn->state = HTTP_ENDING;
	trl_http_dirty(conn);
}

void
trl_http_stream_close(trl_http_stream **stream)
{
	struct trl_http_conn *conn = TRL_TAKE(*stream);

	if (!conn)
		return;
	if (conn->stream.closed)
		conn->server->n_streams--;
	conn->stream.closed = NULL;
	trl_http_stream_end(conn);
}

void
trl_http_stream_break(trl_http_stream **stream)
{
	struct trl_http_conn *conn = TRL_TAKE(*stream);

	if (!conn)
		return;
	if (conn->stream.closed)
		conn->server->n_streams--;
	conn->stream.closed = NULL;
	trl_http_conn_close(conn);
}

void
trl_http_stream_forget(struct trl_http_conn *conn)
{
	if (!conn->stream.closed)
		return;
	conn->server->n_streams--;
	conn->stream.closed(conn->stream.self);
}

size_t
trl_http_streams(const trl_http_server *server)
{
	return server->n_streams;
}
