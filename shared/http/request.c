/* request.c - a request's actor: reads the head into its arena, runs the handler,
 * sees to it that there is one answer. With the answer the connection goes on, whatever
 * the handler has yet to do. */
#include "conn.h"

#include <string.h>

const char *
trl_http_header(const struct trl_http_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_headers; i++) {
		const char *have = request->headers[i].name;

		if (have[0] == name[0] && !strcmp(have, name))
			return request->headers[i].value;
	}
	return NULL;
}

void
trl_http_add_header(
    struct trl_http_response *response, const char *name, const char *value)
{
	trl_assert(response->n_headers < TRL_COUNT(response->headers));
	response->headers[response->n_headers++] =
	    (struct trl_http_header){ name, value, strlen(value) };
}

uint16_t
trl_http_request_read(
    struct trl_http_conn *conn, trl_arena *arena, struct trl_http_head *head)
{
	const uint16_t status = trl_http_head_parse(
	    &conn->server->limits, arena, conn->in.data, conn->head_len, head);

	head->request.peer_address = trl_arena_strdup(arena, conn->address);
	head->request.most = UINT64_MAX;
	head->request.conn = conn;
	conn->answered = false;
	conn->head_only = !strcmp(head->request.method, "HEAD");
	conn->keep_old = head->old;
	conn->body.chunked = head->request.content_length == UINT64_MAX;
	conn->body.left = head->request.content_length;
	conn->body.expect = head->expect_continue;
	return status;
}

/* Reads the head and takes it from the connection, whose body may have been gathered.
 */
static uint16_t
take_head(struct trl_http_conn *conn, trl_arena *arena, struct trl_http_head *head)
{
	const uint16_t status = trl_http_request_read(conn, arena, head);

	if (conn->body.chunks.state == TRL_CHUNK_DONE)
		conn->body.left = 0;
	trl_buf_shift(&conn->in, conn->head_len);
	conn->head_len = 0;
	if (conn->in.len == 0)
		trl_buf_fini(&conn->in);
	return status;
}

void
trl_http_request_run(trl_ctx *ctx, void *arg)
{
	struct trl_http_conn *conn = arg;
	trl_http_server *server = conn->server;
	struct trl_http_head head;
	const uint16_t status = take_head(conn, ctx->arena, &head);

	if (status != 200) {
		trl_http_refuse(conn, &head.request, status, head.detail);
	} else {
		server->handler.handle(server->handler.self, ctx, &head.request);
		if (!head.request.conn) /* answered: it is another request's now */
			return;
		if (conn->writer)
			trl_http_writer_break(conn);
		else if (!conn->answered)
			trl_http_refuse(
			    conn, &head.request, 500, "The request was not answered.");
	}
	trl_http_conn_end_request(conn);
}

/* The rest of the body decides whether the connection can go on. */
static bool
can_skip(const struct trl_http_conn *conn)
{
	if (conn->body.left <= conn->in.len)
		return true;
	return !conn->body.chunked && !conn->body.expect && conn->body.rc == TRL_OK &&
	       conn->body.left <= TRL_HTTP_SKIP_BYTES;
}

bool
trl_http_request_keeps(struct trl_http_conn *conn,
    const struct trl_http_request *request, const struct trl_http_response *response)
{
	bool keep;

	trl_http_reader_end(conn);
	keep = request->keep_alive && !response->close && !conn->server->leaving &&
	       can_skip(conn);
	if (!keep)
		conn->linger = conn->body.left > 0;
	return keep;
}

static void
reply(struct trl_http_request *request, const struct trl_http_response *response)
{
	struct trl_http_conn *conn = request->conn;

	trl_assert(conn && !conn->answered);
	trl_http_write_response(
	    conn, response, trl_http_request_keeps(conn, request, response));
	request->conn = NULL;
	trl_http_conn_end_request(conn);
}

void
trl_http_reply(trl_ctx *ctx, struct trl_http_request *request,
    const struct trl_http_response *response)
{
	(void)ctx;
	reply(request, response);
}

void
trl_http_request_now(struct trl_http_conn *conn)
{
	const struct trl_http_handler *handler = &conn->server->handler;
	struct trl_http_response response = { .status = 503 };
	trl_arena *arena = conn->server->scratch;
	struct trl_http_head head;
	const uint16_t status = take_head(conn, arena, &head);

	if (status != 200)
		trl_http_refuse(conn, &head.request, status, head.detail);
	else if (handler->now &&
		 handler->now(handler->self, arena, &head.request, &response))
		reply(&head.request, &response);
	else
		trl_http_refuse(conn, &head.request, 503, "The server is busy.");
	trl_arena_reset(arena);
}
