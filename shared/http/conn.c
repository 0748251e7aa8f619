/* conn.c - the reader: bytes come into the loop's shared buffer, a connection
 * keeps only what is not yet used. A whole head starts an actor; while it runs,
 * at most TRL_HTTP_AHEAD_BYTES are read ahead. */
#include "conn.h"

#include <stdlib.h>
#include <string.h>

static void
on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct trl_http_conn *conn = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)conn->server->bytes, sizeof conn->server->bytes);
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct trl_http_conn *conn = stream->data;
	const uint8_t *data = (const uint8_t *)buf->base;
	size_t used = 0;

	if (n == 0 || conn->closed)
		return;
	if (n < 0) {
		conn->eof = true;
		trl_http_conn_read(conn, false);
		if (n != UV_EOF || conn->state == HTTP_LINGERING ||
		    conn->state == HTTP_STREAMING) {
			trl_http_conn_close(conn);
			return;
		}
		/* A handler that is still at work after this turn is cancelled. */
		trl_http_dirty(conn);
		trl_http_conn_step(conn);
		return;
	}
	if (conn->state == HTTP_ENDING || conn->state == HTTP_LINGERING ||
	    conn->state == HTTP_STREAMING) {
		conn->seen += (size_t)n;
		if (conn->seen > TRL_HTTP_LINGER_BYTES)
			trl_http_conn_close(conn);
		return;
	}
	if (conn->state == HTTP_RUNNING && conn->body.waiting)
		used = trl_http_body_feed(conn, data, (size_t)n);
	if (used < (size_t)n)
		trl_buf_add(&conn->in, data + used, (size_t)n - used);
	if (conn->state == HTTP_RUNNING) {
		if (conn->in.len >= TRL_HTTP_AHEAD_BYTES)
			trl_http_conn_read(conn, false);
		return;
	}
	trl_http_conn_step(conn);
}

void
trl_http_conn_read(struct trl_http_conn *conn, bool on)
{
	if (conn->reading == on || conn->closed || (on && conn->eof))
		return;
	conn->reading = on;
	if (on)
		(void)uv_read_start(&conn->uv.stream, on_alloc, on_read);
	else
		(void)uv_read_stop(&conn->uv.stream);
}

static void
start_request(struct trl_http_conn *conn)
{
	const struct trl_spawn spawn = { .name = "http",
		.run = trl_http_request_run,
		.arg = conn,
		.timeout_ms = conn->server->options.handler_timeout_ms };

	trl_http_wait_none(conn);
	conn->state = HTTP_RUNNING;
	conn->used = true;
	if (trl_spawn_get(conn->server->loop, &spawn, &conn->actor) != TRL_OK) {
		conn->actor = NULL;
		trl_http_refuse(conn, NULL, 503, "The server is busy.");
	}
}

/* Throws away what is left of a body. False: more must come. */
static bool
skip(struct trl_http_conn *conn)
{
	size_t n =
	    conn->in.len < conn->body.left ? conn->in.len : (size_t)conn->body.left;

	trl_buf_shift(&conn->in, n);
	conn->body.left -= n;
	if (conn->body.left)
		return false;
	conn->state = HTTP_READING;
	return true;
}

void
trl_http_conn_step(struct trl_http_conn *conn)
{
	uint16_t status = 0;

	if (conn->closed ||
	    (conn->state != HTTP_READING && conn->state != HTTP_SKIPPING))
		return;
	/* Too much is unwritten: the flush goes on from here. */
	if (conn->writing || conn->answers >= TRL_HTTP_AHEAD) {
		if (conn->in.len >= TRL_HTTP_AHEAD_BYTES)
			trl_http_conn_read(conn, false);
		return;
	}
	if (conn->state == HTTP_READING || skip(conn))
		status = trl_http_head_scan(&conn->server->limits, conn->in.data,
		    conn->in.len, &conn->seen, &conn->head_len);
	if (status == 200) {
		start_request(conn);
		return;
	}
	if (status) {
		trl_http_refuse(conn, NULL, status,
		    status == 400 ? "A line ends otherwise than by CR LF."
				  : "The request's head is too large.");
		return;
	}
	if (conn->eof || (conn->server->draining && conn->in.len == 0)) {
		conn->close_after = true;
		conn->state = HTTP_ENDING;
		trl_http_dirty(conn);
		return;
	}
	trl_http_conn_read(conn, true);
	if (conn->in.len > 0 || conn->state == HTTP_SKIPPING) {
		if (conn->wait != HTTP_HEAD + 1)
			trl_http_wait(conn, HTTP_HEAD);
	} else {
		trl_buf_fini(&conn->in);
		if (conn->used)
			trl_http_wait(conn, HTTP_IDLE);
	}
}

void
trl_http_conn_end_request(struct trl_http_conn *conn)
{
	conn->actor = NULL;
	trl_buf_fini(&conn->body.data);
	if (conn->closed) {
		if (conn->handle_closed)
			trl_http_forget(conn);
		return;
	}
	if (conn->state != HTTP_RUNNING) /* its answer goes on, or is ending already */
		return;
	conn->seen = 0;
	if (conn->close_after) {
		conn->state = HTTP_ENDING;
		trl_buf_fini(&conn->in);
		trl_http_dirty(conn);
		return;
	}
	conn->state = conn->body.left ? HTTP_SKIPPING : HTTP_READING;
	trl_http_conn_step(conn);
}

void
trl_http_conn_start(trl_http_server *server, struct trl_http_conn *conn)
{
	conn->uv.handle.data = conn;
	conn->next = server->conns;
	if (conn->next)
		conn->next->prev = conn;
	server->conns = conn;
	trl_http_conn_read(conn, true);
	trl_http_wait(conn, HTTP_HEAD);
}

static void
on_closed(uv_handle_t *handle)
{
	struct trl_http_conn *conn = handle->data;

	conn->handle_closed = true;
	if (!conn->actor)
		trl_http_forget(conn);
}

/* Never from the connection's own actor: that one ends by close_after. */
void
trl_http_conn_gone(struct trl_http_conn *conn)
{
	if (conn->actor && !conn->answered)
		trl_cancel(conn->actor);
}

void
trl_http_conn_close(struct trl_http_conn *conn)
{
	if (conn->closed)
		return;
	conn->reading = false;
	conn->closed = true;
	trl_http_wait_none(conn);
	trl_buf_fini(&conn->out);
	trl_http_stream_wake(conn);
	uv_close(&conn->uv.handle, on_closed);
	trl_http_conn_gone(conn);
}
