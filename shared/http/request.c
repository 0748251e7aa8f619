/* request.c - a request's actor: reads the head into its arena, runs the handler,
 * sees to it that there is one answer. */
#include "conn.h"

#include <string.h>

const char *
trl_http_header(const struct trl_http_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_headers; i++) {
		if (!strcmp(request->headers[i].name, name))
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

static void
prepare(struct trl_http_conn *conn, const struct trl_http_head *head)
{
	const struct trl_http_request *request = &head->request;

	conn->answered = false;
	conn->head_only = !strcmp(request->method, "HEAD");
	conn->keep_old = head->old;
	conn->body.left = request->content_length;
	conn->body.chunked = request->content_length == UINT64_MAX;
	conn->body.rc = TRL_OK;
	conn->body.expect = head->expect_continue;
	memset(&conn->body.chunks, 0, sizeof conn->body.chunks);
}

void
trl_http_request_run(trl_ctx *ctx, void *arg)
{
	struct trl_http_conn *conn = arg;
	trl_http_server *server = conn->server;
	struct trl_http_head head;
	uint16_t status;

	status = trl_http_head_parse(
	    &server->limits, ctx->arena, conn->in.data, conn->head_len, &head);
	trl_buf_shift(&conn->in, conn->head_len);
	if (conn->in.len == 0)
		trl_buf_fini(&conn->in);
	prepare(conn, &head);
	head.request.peer_address = trl_arena_strdup(ctx->arena, conn->address);
	if (status != 200) {
		trl_http_refuse(conn, &head.request, status, head.detail);
	} else {
		head.request.conn = conn;
		server->handler.handle(server->handler.self, ctx, &head.request);
		if (!conn->answered)
			trl_http_refuse(
			    conn, &head.request, 500, "The request was not answered.");
	}
	trl_http_conn_end_request(conn);
}

/* The rest of the body decides whether the connection can go on. */
static bool
can_skip(const struct trl_http_conn *conn)
{
	if (conn->body.left == 0)
		return true;
	return !conn->body.chunked && !conn->body.expect && conn->body.rc == TRL_OK &&
	       conn->body.left <= TRL_HTTP_SKIP_BYTES;
}

void
trl_http_reply(trl_ctx *ctx, struct trl_http_request *request,
    const struct trl_http_response *response)
{
	struct trl_http_conn *conn = request->conn;
	bool keep;

	(void)ctx;
	trl_assert(!conn->answered);
	keep = request->keep_alive && !response->close && !conn->server->draining &&
	       can_skip(conn);
	if (!keep)
		conn->linger = conn->body.left > 0;
	trl_http_write_response(conn, response, keep);
}
