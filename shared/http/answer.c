/* answer.c - an answer's body, written by its actor in pieces. A piece goes right from
 * where its owner has it to the kernel, with the head before it in the same call. When
 * the kernel is full, a little of the piece is copied and given to libuv, which tells
 * when that was taken; so nobody's memory has to outlive its call, and one that is
 * little enough is done with. Pieces that are small are gathered for the turn's flush.
 *
 * The kernel being full also stands for a turn that was long enough. */
#include <trl/http_body.h>

#include "conn.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

enum { SMALL_BYTES = 4096, GATHER_BYTES = 16384 };

static const char amid[] = "in mid-answer";

void
trl_http_time_for_next(trl_ctx *ctx, const struct trl_http_conn *conn)
{
	trl_set_deadline(
	    ctx, trl_loop_now_us(ctx->loop) +
		     (uint64_t)conn->server->options.handler_timeout_ms * 1000);
}

enum trl_code
trl_http_answer(trl_ctx *ctx, struct trl_http_request *request,
    const struct trl_http_response *response, uint64_t length)
{
	struct trl_http_conn *conn = request->conn;
	const bool unknown = length == UINT64_MAX, none = conn->head_only ||
							  response->status == 204 ||
							  response->status == 304;
	struct http_writer *writer;
	struct http_framing framing = { .length = length };

	trl_assert(conn && !conn->answered && response->status >= 200);
	framing.keep = trl_http_request_keeps(conn, request, response);
	if (none && !conn->head_only)
		framing.length = UINT64_MAX;
	if (conn->closed)
		return trl_http_left(ctx, amid);
	writer = trl_arena_zalloc(ctx->arena, sizeof *writer);
	writer->left = length;
	writer->nowhere = none;
	writer->chunked = framing.chunked = unknown && !none && !conn->keep_old;
	writer->until_end = unknown && !none && conn->keep_old;
	framing.keep = framing.keep && !writer->until_end;
	if (!trl_http_write_head(conn, response, &framing))
		return trl_fail(ctx, TRL_INTERNAL, "the answer cannot be sent");
	conn->writer = writer;
	trl_http_time_for_next(ctx, conn);
	return TRL_OK;
}

void
trl_http_writer_try(
    struct trl_http_conn *conn, const uint8_t **data, size_t *len, bool more)
{
	struct http_writer *writer = conn->writer;
	const size_t turn = TRL_HTTP_BURST - writer->burst;
	struct iovec parts[2] = { { conn->out.data, conn->out.len },
		{ (void *)(uintptr_t)*data, *len < turn ? *len : turn } };
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	size_t head = conn->out.len;
	ssize_t n;

	if (!head && !parts[1].iov_len)
		return;
	do
		n = sendmsg(trl_http_conn_fd(conn), &message,
		    MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0));
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		if (errno != EAGAIN)
			trl_http_conn_lost(conn, -errno);
		return;
	}
	if ((size_t)n < head)
		head = (size_t)n;
	trl_buf_shift(&conn->out, head);
	if (!conn->out.len)
		trl_buf_fini(&conn->out);
	n -= (ssize_t)head;
	if (!n)
		return;
	*data += n;
	*len -= (size_t)n;
	writer->burst += (size_t)n;
}

enum trl_code
trl_http_writer_wait(trl_ctx *ctx, struct trl_http_conn *conn)
{
	const struct trl_http_options *options = &conn->server->options;
	struct http_writer *writer = conn->writer;
	enum trl_code rc = TRL_OK;
	size_t before, after;
	uint64_t began;
	uint32_t ms;

	while (rc == TRL_OK && conn->writing && !conn->closed) {
		began = trl_loop_now_us(ctx->loop);
		before = trl_http_untaken(conn);
		ms = trl_http_pace_ms(&writer->pace, &conn->server->pace);
		trl_set_deadline(
		    ctx, began + ((uint64_t)ms + options->handler_timeout_ms) * 1000);
		conn->stream.ticket = trl_park_begin(ctx);
		conn->stream.waiting = true;
		rc = trl_park_for(ctx, conn->stream.ticket, "http answer", ms);
		conn->stream.waiting = false;
		if (conn->closed || (rc != TRL_OK && ctx->cancelled))
			break;
		rc = TRL_OK;
		after = trl_http_untaken(conn);
		if (!trl_http_pace_slow(&writer->pace, &conn->server->pace,
			trl_loop_now_us(ctx->loop) - began,
			before > after ? before - after : 0))
			continue;
		trl_http_conn_close(conn);
		return trl_fail(ctx, TRL_DEADLINE, "the client reads too slowly");
	}
	writer->burst = 0;
	return conn->closed ? trl_http_left(ctx, amid) : rc;
}

enum trl_code
trl_http_writer_send(trl_ctx *ctx, struct trl_http_conn *conn, const uint8_t *data,
    size_t len, bool more)
{
	enum trl_code rc = TRL_OK;
	size_t tail;

	while (rc == TRL_OK && !conn->closed) {
		if (!conn->writing)
			trl_http_writer_try(conn, &data, &len, more);
		if (conn->closed || (!len && !conn->out.len))
			break;
		if (!conn->writing) {
			tail = len < TRL_HTTP_TAIL_BYTES ? len : TRL_HTTP_TAIL_BYTES;
			if (tail) {
				trl_buf_add(&conn->out, data, tail);
				data += tail;
				len -= tail;
			}
			trl_http_write_rest(conn, 0);
			if (!len)
				break;
		}
		rc = trl_http_writer_wait(ctx, conn);
	}
	return conn->closed && rc == TRL_OK ? trl_http_left(ctx, amid) : rc;
}

enum trl_code
trl_http_writer_begin(trl_ctx *ctx, struct trl_http_request *request, uint64_t len)
{
	struct trl_http_conn *conn = request->conn;
	struct http_writer *writer = conn ? conn->writer : NULL;
	char size[32];

	trl_assert(writer && (len <= writer->left || writer->nowhere));
	if (conn->closed)
		return trl_http_left(ctx, amid);
	if (!len || writer->nowhere)
		return TRL_OK;
	if (writer->left != UINT64_MAX)
		writer->left -= len;
	if (writer->chunked) {
		(void)snprintf(size, sizeof size, "%s%llx\r\n",
		    writer->begun ? "\r\n" : "", (unsigned long long)len);
		trl_buf_adds(&conn->out, size);
	}
	writer->begun = true;
	return TRL_OK;
}

enum trl_code
trl_http_write(
    trl_ctx *ctx, struct trl_http_request *request, const void *data, size_t len)
{
	struct trl_http_conn *conn = request->conn;
	enum trl_code rc = trl_http_writer_begin(ctx, request, len);

	if (rc != TRL_OK || !len || conn->writer->nowhere)
		return rc;
	if (len <= SMALL_BYTES && conn->out.len + len <= GATHER_BYTES) {
		trl_buf_add(&conn->out, data, len);
		trl_http_dirty(conn);
	} else {
		rc = trl_http_writer_send(ctx, conn, data, len, false);
	}
	if (rc == TRL_OK)
		trl_http_time_for_next(ctx, conn);
	return rc;
}

static void
end(struct trl_http_conn *conn)
{
	conn->writer = NULL;
	conn->untaken = 0;
	if (conn->closed || (!conn->writing && !conn->out.len))
		return;
	conn->untaken = trl_http_untaken(conn);
	if (conn->writing) /* else the flush waits, where it cannot write it */
		trl_http_wait(conn, HTTP_WRITE);
}

void
trl_http_writer_break(struct trl_http_conn *conn)
{
	const struct linger at_once = { .l_onoff = 1 };

	/* The end of the connection would be the end of the body. */
	if (conn->writer->until_end && !conn->closed)
		(void)setsockopt(trl_http_conn_fd(conn), SOL_SOCKET, SO_LINGER,
		    &at_once, sizeof at_once);
	trl_http_conn_close(conn);
	conn->writer = NULL;
}

void
trl_http_finish(trl_ctx *ctx, struct trl_http_request *request)
{
	struct trl_http_conn *conn = request->conn;
	struct http_writer *writer = conn ? conn->writer : NULL;

	(void)ctx;
	trl_assert(writer);
	if (!writer->nowhere && writer->left && writer->left != UINT64_MAX) {
		trl_http_writer_break(conn);
	} else {
		if (writer->chunked && !conn->closed) {
			trl_buf_adds(
			    &conn->out, writer->begun ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
			trl_http_dirty(conn);
		}
		end(conn);
		conn->answers++;
	}
	request->conn = NULL;
	trl_http_conn_end_request(conn);
}
