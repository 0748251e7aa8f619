/* body.c - a request's body: what was read with the head first, the rest straight
 * from the loop's buffer into the arena while the actor is parked. */
#include "conn.h"

#include <string.h>

static void
wake(struct trl_http_conn *conn, enum trl_code rc)
{
	conn->body.rc = rc;
	conn->body.waiting = false;
	(void)trl_wake(conn->body.ticket);
}

/* Takes chunked bytes; TRUE when the body is whole or broken. */
static bool
take_chunks(struct trl_http_conn *conn, const uint8_t *data, size_t len, size_t *used)
{
	*used = len;
	conn->body.rc =
	    trl_http_chunks_feed(&conn->body.chunks, data, len, used, &conn->body.data);
	if (conn->body.rc != TRL_OK)
		return true;
	if (conn->body.chunks.state != TRL_CHUNK_DONE)
		return false;
	conn->body.left = 0;
	return true;
}

static bool
take_bytes(struct trl_http_conn *conn, const uint8_t *data, size_t len, size_t *used)
{
	*used = len < conn->body.left ? len : (size_t)conn->body.left;
	if (*used)
		memcpy(conn->body.to, data, *used);
	conn->body.to += *used;
	conn->body.left -= *used;
	return conn->body.left == 0;
}

size_t
trl_http_body_feed(struct trl_http_conn *conn, const uint8_t *data, size_t len)
{
	size_t used = 0;

	if (conn->body.chunked ? take_chunks(conn, data, len, &used)
			       : take_bytes(conn, data, len, &used))
		wake(conn, conn->body.rc);
	return used;
}

static enum trl_code
wait_for_rest(trl_ctx *ctx, struct trl_http_conn *conn)
{
	enum trl_code rc;

	if (conn->eof || conn->closed)
		return trl_fail(
		    ctx, TRL_UNAVAILABLE, "the client left within the body");
	if (conn->body.expect) {
		trl_buf_adds(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
		trl_http_dirty(conn);
		conn->body.expect = false;
	}
	conn->body.ticket = trl_park_begin(ctx);
	conn->body.waiting = true;
	trl_http_conn_read(conn, true);
	rc = trl_park_for(
	    ctx, conn->body.ticket, "http body", conn->server->options.body_timeout_ms);
	conn->body.waiting = false;
	if (rc == TRL_OK)
		return TRL_OK;
	conn->body.rc = rc;
	if (conn->eof || conn->closed) {
		trl_err_clear(ctx);
		return trl_fail(
		    ctx, TRL_UNAVAILABLE, "the client left within the body");
	}
	return trl_fail(ctx, rc, "the body took too long to arrive");
}

static enum trl_code
too_large(trl_ctx *ctx, struct trl_http_conn *conn, size_t max)
{
	conn->body.rc = TRL_QUOTA;
	return trl_fail(ctx, TRL_QUOTA, "The body is larger than %zu bytes.", max);
}

static enum trl_code
chunked(trl_ctx *ctx, struct trl_http_conn *conn, size_t max, const uint8_t **data,
    size_t *len)
{
	size_t used = 0;
	enum trl_code rc;
	uint8_t *bytes;

	conn->body.chunks.max = max;
	if (!take_chunks(conn, conn->in.data, conn->in.len, &used)) {
		trl_buf_fini(&conn->in);
		if ((rc = wait_for_rest(ctx, conn)) != TRL_OK)
			return rc;
	} else {
		trl_buf_shift(&conn->in, used);
	}
	if (conn->body.rc == TRL_QUOTA)
		return too_large(ctx, conn, max);
	if (conn->body.rc != TRL_OK)
		return trl_fail(
		    ctx, conn->body.rc, "The body's chunks cannot be read.");
	bytes = trl_arena_try(ctx->arena, conn->body.data.len + 1);
	if (!bytes)
		return too_large(ctx, conn, max);
	*len = conn->body.data.len;
	if (*len)
		memcpy(bytes, conn->body.data.data, *len);
	bytes[*len] = '\0';
	*data = bytes;
	trl_buf_fini(&conn->body.data);
	return TRL_OK;
}

enum trl_code
trl_http_body(trl_ctx *ctx, struct trl_http_request *request, size_t max_bytes,
    const uint8_t **data, size_t *len)
{
	struct trl_http_conn *conn = request->conn;
	uint64_t whole = request->content_length;
	size_t used = 0;
	uint8_t *bytes;
	enum trl_code rc;

	if (conn->body.chunked)
		return chunked(ctx, conn, max_bytes, data, len);
	if (whole > max_bytes ||
	    !(bytes = trl_arena_try(ctx->arena, (size_t)whole + 1)))
		return too_large(ctx, conn, max_bytes);
	trl_assert(conn->body.left == whole); /* read once */
	conn->body.to = bytes;
	if (!take_bytes(conn, conn->in.data, conn->in.len, &used)) {
		trl_buf_fini(&conn->in);
		rc = wait_for_rest(ctx, conn);
		conn->body.to = NULL;
		if (rc != TRL_OK)
			return rc;
	} else {
		trl_buf_shift(&conn->in, used);
	}
	bytes[whole] = '\0';
	*data = bytes;
	*len = (size_t)whole;
	return TRL_OK;
}
