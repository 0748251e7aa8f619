/* pieces.c - a request's body, read by its actor in pieces: from the socket right into
 * the piece that is given out, so that the kernel's copy is the only one. libuv only
 * tells when there is something (an empty buffer makes it read nothing); a socket that
 * was found dry is not asked again before that. What came with the head is given first,
 * from where it lies. */
#include <trl/http_body.h>

#include "conn.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Chunks are brought together to no more than that, because to move them is a copy. */
enum { WORTH_BYTES = 16384 };

void
trl_http_expect(struct trl_http_request *request, uint64_t max_bytes)
{
	request->most = max_bytes;
}

void
trl_http_nudge(struct trl_http_request *request)
{
	struct trl_http_conn *conn = request->conn;

	if (!conn || conn->answered)
		return;
	conn->body.nudged = true;
	trl_http_reader_wake(conn);
}

void
trl_http_reader_wake(struct trl_http_conn *conn)
{
	if (conn->reader)
		(void)trl_wake(conn->reader->ticket);
}

void
trl_http_reader_ready(struct trl_http_conn *conn)
{
	if (conn->reader->waiting)
		(void)trl_wake(conn->reader->ticket);
	else
		trl_http_conn_read(conn, false);
}

static enum trl_code
begin(trl_ctx *ctx, struct trl_http_request *request)
{
	struct trl_http_conn *conn = request->conn;
	struct http_reader *reader;

	if (conn->body.rc != TRL_OK)
		return trl_fail(ctx, conn->body.rc, "The body cannot be read.");
	if (conn->body.chunks.state == TRL_CHUNK_DONE)
		return trl_fail(ctx, TRL_INTERNAL, "the body was waited for");
	if (!conn->body.chunked && request->content_length > request->most)
		return trl_fail(ctx, TRL_QUOTA, "The body is larger than %llu bytes.",
		    (unsigned long long)request->most);
	if (!trl_http_room(conn))
		return trl_http_room_none(ctx);
	trl_http_conn_read(conn, false); /* what is given out must not move */
	reader = trl_arena_zalloc(ctx->arena, sizeof *reader);
	reader->conn = conn;
	reader->raw = conn->in.data;
	reader->len = conn->in.len;
	conn->reader = reader;
	conn->server->room.readers++;
	conn->body.chunks.max = request->most;
	if (conn->body.expect && !conn->in.len) {
		trl_buf_adds(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
		trl_http_dirty(conn);
	}
	conn->body.expect = false;
	return TRL_OK;
}

/* Gives the data of what has come; its runs are brought together in place. */
static enum trl_code
unchunk(struct trl_http_conn *conn, const uint8_t **data, size_t *len)
{
	struct http_reader *reader = conn->reader;
	uint8_t *to = NULL, *from;
	size_t used, run;
	enum trl_code rc;

	while (reader->at < reader->len && *len < WORTH_BYTES &&
	       conn->body.chunks.state != TRL_CHUNK_DONE) {
		rc = trl_http_chunks_next(&conn->body.chunks, reader->raw + reader->at,
		    reader->len - reader->at, &used, &run);
		if (rc != TRL_OK)
			return rc;
		reader->at += used;
		from = reader->raw + reader->at - run;
		if (!to)
			to = from;
		if (run && to + *len != from)
			memmove(to + *len, from, run);
		*len += run;
	}
	*data = to;
	if (conn->body.chunks.state == TRL_CHUNK_DONE)
		conn->body.left = 0;
	return TRL_OK;
}

/* Gives what has come. *len 0: nothing has. */
static enum trl_code
take(trl_ctx *ctx, struct trl_http_conn *conn, const uint8_t **data, size_t *len)
{
	struct http_reader *reader = conn->reader;
	enum trl_code rc;

	if (!conn->body.chunked) {
		*data = reader->raw + reader->at;
		*len = reader->len - reader->at;
		if (*len > conn->body.left)
			*len = (size_t)conn->body.left;
		reader->at += *len;
		conn->body.left -= *len;
		return TRL_OK;
	}
	rc = unchunk(conn, data, len);
	if (rc == TRL_QUOTA)
		return trl_fail(ctx, rc, "The body is larger than %llu bytes.",
		    (unsigned long long)conn->body.chunks.max);
	if (rc != TRL_OK)
		return trl_fail(ctx, rc, "The body's chunks cannot be read.");
	return TRL_OK;
}

/* Parks until the socket has something. */
static enum trl_code
wait_for_client(trl_ctx *ctx, struct trl_http_conn *conn)
{
	const struct trl_http_options *options = &conn->server->options;
	struct http_reader *reader = conn->reader;
	const uint64_t began = trl_loop_now_us(ctx->loop);
	const uint32_t ms = trl_http_pace_ms(&reader->pace, &conn->server->pace);
	enum trl_code rc;

	trl_http_piece_give(conn, &reader->piece);
	trl_set_deadline(
	    ctx, began + ((uint64_t)ms + options->handler_timeout_ms) * 1000);
	reader->ticket = trl_park_begin(ctx);
	reader->waiting = true;
	trl_http_conn_read(conn, true);
	rc = trl_park_for(ctx, reader->ticket, "http body", ms);
	reader->waiting = false;
	reader->dry = false;
	reader->burst = 0;
	if (conn->closed)
		return trl_http_left(ctx, "in mid-body");
	if (rc != TRL_OK && ctx->cancelled)
		return rc;
	/* One byte at least has come, or the end; or nothing has, and it was nudged. */
	if (trl_http_pace_slow(&reader->pace, &conn->server->pace,
		trl_loop_now_us(ctx->loop) - began, rc == TRL_OK && !conn->body.nudged))
		return trl_fail(ctx, TRL_DEADLINE, "the body comes too slowly");
	return TRL_OK;
}

static bool
has_piece(struct trl_http_conn *conn)
{
	struct http_reader *reader = conn->reader;

	if (reader->piece && reader->fast && reader->piece->cap < TRL_HTTP_PIECE_BYTES)
		trl_http_piece_give(conn, &reader->piece);
	if (!reader->piece)
		reader->piece = trl_http_piece_take(conn, reader->fast);
	return reader->piece != NULL;
}

/* Reads what the socket has into a piece. */
static void
receive(struct trl_http_conn *conn)
{
	struct http_reader *reader = conn->reader;
	struct http_piece *piece = reader->piece;
	const size_t want =
	    piece->cap < conn->body.left ? piece->cap : (size_t)conn->body.left;
	ssize_t n;

	do
		n = recv(trl_http_conn_fd(conn), piece->bytes, want, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	reader->raw = piece->bytes;
	reader->at = 0;
	reader->len = n > 0 ? (size_t)n : 0;
	reader->burst += reader->len;
	reader->pace.moved += reader->len;
	reader->fast = reader->len == piece->cap;
	reader->dry = reader->len < want || reader->burst >= TRL_HTTP_BURST;
	if (n == 0)
		conn->eof = true;
	else if (n < 0 && errno != EAGAIN)
		trl_http_conn_lost(conn, -errno);
}

/* Parks until more has come, or the nudge. */
static enum trl_code
fill(trl_ctx *ctx, struct trl_http_conn *conn)
{
	struct http_reader *reader = conn->reader;
	enum trl_code rc = TRL_OK;

	if (!reader->piece)
		trl_buf_fini(&conn->in);
	reader->raw = NULL;
	reader->at = reader->len = 0;
	while (rc == TRL_OK && !reader->len && !conn->body.nudged) {
		if (conn->closed || conn->eof)
			return trl_http_left(ctx, "in mid-body");
		if (reader->dry)
			rc = wait_for_client(ctx, conn);
		else if (!has_piece(conn))
			rc = trl_http_room_wait(ctx, conn);
		else
			receive(conn);
	}
	return rc;
}

enum trl_code
trl_http_read(
    trl_ctx *ctx, struct trl_http_request *request, const uint8_t **data, size_t *len)
{
	struct trl_http_conn *conn = request->conn;
	enum trl_code rc = TRL_OK;

	trl_assert(conn && !conn->answered);
	*len = 0;
	if (!conn->reader && !conn->body.nudged)
		rc = begin(ctx, request);
	while (rc == TRL_OK && !conn->body.nudged) {
		rc = take(ctx, conn, data, len);
		if (rc != TRL_OK || *len || !conn->body.left)
			break;
		rc = fill(ctx, conn);
	}
	if (!*len)
		*data = conn->body.nudged ? NULL : (const uint8_t *)"";
	conn->body.nudged = false;
	if (rc != TRL_OK)
		conn->body.rc = rc; /* no more of it is read, nor skipped */
	trl_http_time_for_next(ctx, conn);
	return rc;
}

void
trl_http_reader_end(struct trl_http_conn *conn)
{
	struct http_reader *reader = conn->reader;
	const uint8_t *data;
	size_t len = 0;

	if (!reader)
		return;
	if (conn->body.chunked && conn->body.left)
		(void)unchunk(conn, &data, &len);
	if (!reader->piece)
		trl_buf_shift(&conn->in, reader->at);
	else if (!conn->body.left && reader->at < reader->len)
		trl_buf_add(
		    &conn->in, reader->raw + reader->at, reader->len - reader->at);
	trl_http_piece_give(conn, &reader->piece);
	conn->reader = NULL;
	if (!--conn->server->room.readers)
		trl_http_room_empty(conn->server);
}
