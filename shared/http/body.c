/* body.c - a request's body: the connection waits for it, so that a client that sends
 * slowly costs a connection and what it has sent, and no actor. What the handler would
 * not read is not waited for. */
#include "conn.h"

#include <string.h>
#include <strings.h>

static uint64_t
number(const uint8_t *at)
{
	uint64_t n = 0;

	while (*at == ' ' || *at == '\t')
		at++;
	for (; *at >= '0' && *at <= '9'; at++)
		n = n * 10 + (uint64_t)(*at - '0');
	return n;
}

/* Whether there may be more of a request than the head and what came with it. Of most
 * requests nothing else is looked at before their actor reads them; where lines
 * contradict each other it refuses them. The head ends with an empty line, so no
 * comparison leaves it. */
static bool
wants_more(const uint8_t *head, size_t len, size_t have)
{
	const uint8_t *end = head + len, *at = head;
	bool more = false;

	if (!memcmp(head, "GET ", 4))
		return false;
	while ((at = memchr(at, '\n', (size_t)(end - at))) && ++at < end) {
		if ((*at | 0x20) == 't' &&
		    !strncasecmp((const char *)at, "transfer-encoding", 17))
			return true;
		if ((*at | 0x20) == 'c' &&
		    !strncasecmp((const char *)at, "content-length:", 15))
			more |= number(at + 15) > have;
	}
	return more;
}

bool
trl_http_body_awaited(struct trl_http_conn *conn)
{
	trl_http_server *server = conn->server;
	const struct trl_http_handler *handler = &server->handler;
	struct trl_http_head head;
	size_t most = 0;

	if (!handler->awaits ||
	    !wants_more(conn->in.data, conn->head_len, conn->in.len - conn->head_len))
		return false;
	if (trl_http_request_read(conn, server->scratch, &head) == 200 &&
	    head.request.has_body)
		most = handler->awaits(handler->self, server->scratch, &head.request);
	trl_arena_reset(server->scratch);
	conn->body.in_pieces = most == TRL_HTTP_PIECES;
	if (conn->body.in_pieces)
		return false;
	conn->body.chunks.max = most;
	return conn->body.chunked ? most > 0 : conn->body.left <= most && most > 0;
}

bool
trl_http_body_gather(struct trl_http_conn *conn)
{
	uint8_t *begin = conn->in.data + conn->head_len;
	const size_t have = conn->in.len - conn->head_len;
	size_t used = have;

	if (!conn->body.chunked)
		return have >= conn->body.left;
	conn->body.rc = trl_http_chunks_feed(
	    &conn->body.chunks, begin, have, &used, &conn->body.data);
	if (conn->body.rc != TRL_OK)
		return true;
	memmove(begin, begin + used, have - used);
	conn->in.len -= used;
	return conn->body.chunks.state == TRL_CHUNK_DONE;
}

static enum trl_code
too_large(trl_ctx *ctx, size_t max)
{
	return trl_fail(ctx, TRL_QUOTA, "The body is larger than %zu bytes.", max);
}

enum trl_code
trl_http_body(trl_ctx *ctx, struct trl_http_request *request, size_t max_bytes,
    const uint8_t **data, size_t *len)
{
	struct trl_http_conn *conn = request->conn;
	struct trl_buf *from = conn->body.chunked ? &conn->body.data : &conn->in;
	size_t whole = (size_t)request->content_length;
	uint8_t *bytes;

	if (conn->body.chunked)
		whole = from->len;
	if (conn->body.rc == TRL_QUOTA || whole > max_bytes ||
	    !(bytes = trl_arena_try(ctx->arena, whole + 1)))
		return too_large(ctx, max_bytes);
	if (conn->body.rc != TRL_OK)
		return trl_fail(
		    ctx, conn->body.rc, "The body's chunks cannot be read.");
	if (conn->body.left != (conn->body.chunked ? 0 : whole) || from->len < whole)
		return trl_fail(ctx, TRL_INTERNAL, "the body was not waited for");
	if (whole)
		memcpy(bytes, from->data, whole);
	bytes[whole] = '\0';
	trl_buf_shift(from, whole);
	conn->body.left = 0;
	*data = bytes;
	*len = whole;
	return TRL_OK;
}
