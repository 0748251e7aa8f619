/* conn.c - the reader: bytes come into the loop's shared buffer, a connection
 * keeps only what is not yet used. A complete request starts an actor; while it runs,
 * at most TRL_HTTP_AHEAD_BYTES are read ahead.
 *
 * A client that has ended its side may still read, so its request is answered. Nor does
 * one that is gone stop its handler: it looks the same until something is sent, what it
 * asked for may be half done, and a call that was given up in the middle would look
 * like a failure of whoever was called. */
#include "conn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <trl/log.h>

static void
on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct trl_http_conn *conn = handle->data;

	(void)suggested;
	if (conn->reader) /* reads by itself: libuv only tells that there is something
			   */
		*buf = uv_buf_init(NULL, 0);
	else
		*buf = uv_buf_init(
		    (char *)conn->server->bytes, sizeof conn->server->bytes);
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct trl_http_conn *conn = stream->data;
	const uint8_t *data = (const uint8_t *)buf->base;

	if (n == 0 || conn->closed)
		return;
	if (conn->reader) {
		trl_http_reader_ready(conn);
		return;
	}
	if (n < 0) {
		conn->eof = true;
		trl_http_conn_read(conn, false);
		if (n != UV_EOF)
			trl_http_conn_lost(conn, (int)n);
		else if (conn->state == HTTP_LINGERING || conn->state == HTTP_STREAMING)
			trl_http_conn_close(conn);
		else
			trl_http_conn_step(conn);
		return;
	}
	if (conn->state == HTTP_ENDING || conn->state == HTTP_LINGERING ||
	    conn->state == HTTP_STREAMING) {
		conn->seen += (size_t)n;
		if (conn->seen <= TRL_HTTP_LINGER_BYTES)
			return;
		/* One that still sends may yet read the answer, and would lose it by a
		 * close; the rest stays with it. */
		if (conn->state == HTTP_STREAMING)
			trl_http_conn_close(conn);
		else
			trl_http_conn_read(conn, false);
		return;
	}
	trl_buf_add(&conn->in, data, (size_t)n);
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

int
trl_http_conn_fd(const struct trl_http_conn *conn)
{
	uv_os_fd_t fd = -1;

	(void)uv_fileno(&conn->uv.handle, &fd);
	return fd;
}

static void
start_request(struct trl_http_conn *conn)
{
	const struct trl_spawn spawn = { .name = "http",
		.run = trl_http_request_run,
		.arg = conn,
		.timeout_ms = conn->server->options.handler_timeout_ms };

	trl_http_wait_none(conn);
	trl_http_hold(conn, 0);
	conn->state = HTTP_RUNNING;
	if (conn->server->handler.handle &&
	    trl_spawn_get(conn->server->loop, &spawn, &conn->actor) == TRL_OK)
		return;
	conn->actor = NULL;
	trl_http_request_now(conn);
}

/* A head is whole. */
static void
begin_request(struct trl_http_conn *conn)
{
	conn->used = true;
	conn->body.rc = TRL_OK;
	memset(&conn->body.chunks, 0, sizeof conn->body.chunks);
	conn->body.in_pieces = conn->body.nudged = false;
	if (!trl_http_body_awaited(conn)) {
		if (conn->body.in_pieces) /* at its reader's pace */
			trl_http_conn_read(conn, false);
		start_request(conn);
		return;
	}
	conn->state = HTTP_GATHERING;
	trl_http_conn_step(conn);
}

static void
gather(struct trl_http_conn *conn)
{
	if (trl_http_body_gather(conn)) {
		start_request(conn);
		return;
	}
	if (conn->eof) {
		trl_http_refuse(conn, NULL, 400, "The request ended within its body.");
		return;
	}
	if (conn->body.expect) {
		trl_buf_adds(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
		trl_http_dirty(conn);
		conn->body.expect = false;
	}
	trl_http_conn_read(conn, true);
	if (conn->wait != HTTP_BODY + 1)
		trl_http_wait(conn, HTTP_BODY);
	trl_http_hold(conn, conn->in.cap + conn->body.data.cap);
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

/* The client has ended its side, or is asked to come again elsewhere. */
static void
end_between(struct trl_http_conn *conn)
{
	/* An empty line behind a request is none (RFC 9112, section 2.2). */
	if (conn->state == HTTP_READING && conn->in.len > 0 &&
	    !(conn->in.len == 2 && !memcmp(conn->in.data, "\r\n", 2))) {
		trl_http_refuse(conn, NULL, 400, "The request ended within its head.");
		return;
	}
	conn->close_after = true;
	conn->state = HTTP_ENDING;
	trl_http_dirty(conn);
}

void
trl_http_conn_step(struct trl_http_conn *conn)
{
	uint16_t status = 0;

	if (conn->closed ||
	    (conn->state != HTTP_READING && conn->state != HTTP_GATHERING &&
		conn->state != HTTP_SKIPPING))
		return;
	/* Too much is unwritten: the flush goes on from here. */
	if (conn->writing || conn->answers >= TRL_HTTP_AHEAD) {
		if (conn->in.len >= TRL_HTTP_AHEAD_BYTES)
			trl_http_conn_read(conn, false);
		return;
	}
	if (conn->state == HTTP_GATHERING) {
		gather(conn);
		return;
	}
	if (conn->state == HTTP_READING || skip(conn))
		status = trl_http_head_scan(&conn->server->limits, conn->in.data,
		    conn->in.len, &conn->seen, &conn->head_len);
	if (status == 200) {
		begin_request(conn);
		return;
	}
	if (status) {
		trl_http_refuse(conn, NULL, status,
		    status == 400 ? "A line ends otherwise than by CR LF."
				  : "The request's head is too large.");
		return;
	}
	if (conn->eof || (conn->server->draining && conn->in.len == 0)) {
		end_between(conn);
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
	trl_http_hold(conn, conn->in.cap);
}

void
trl_http_conn_end_request(struct trl_http_conn *conn)
{
	conn->actor = NULL;
	trl_http_reader_end(conn);
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

void
trl_http_conn_close(struct trl_http_conn *conn)
{
	if (conn->closed)
		return;
	conn->reading = false;
	conn->closed = true;
	trl_http_wait_none(conn);
	trl_http_hold(conn, 0);
	trl_buf_fini(&conn->out);
	trl_http_stream_wake(conn);
	trl_http_reader_wake(conn);
	if (conn->sending) /* which ends it */
		(void)shutdown(trl_http_conn_fd(conn), SHUT_RDWR);
	else
		uv_close(&conn->uv.handle, on_closed);
}

void
trl_http_conn_sent(struct trl_http_conn *conn)
{
	conn->sending = false;
	if (conn->closed)
		uv_close(&conn->uv.handle, on_closed);
}

void
trl_http_conn_lost(struct trl_http_conn *conn, int why)
{
	static const char *const during[] = { "waiting for a request", "reading a body",
		"handling", "skipping a body", "streaming", "answering", "ending" };

	trl_log(TRL_LOG_DEBUG, NULL, "the client broke off",
	    TRL_LOG_STR("during", during[conn->state]),
	    TRL_LOG_STR("why", uv_err_name(why)));
	trl_http_conn_close(conn);
}

enum trl_code
trl_http_left(trl_ctx *ctx, const char *amid)
{
	trl_err_clear(ctx);
	return trl_fail(ctx, TRL_UNAVAILABLE, "the client left %s", amid);
}
