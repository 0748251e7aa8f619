/* refuse.c - the answer to what is no request, or is none yet, and the end of its
 * connection. */
#include "conn.h"

#include <string.h>

/* Of a head that has no end, the lines that are whole. */
static void
find_lines(struct trl_http_conn *conn)
{
	const uint8_t *data = conn->in.data, *end, *lf;
	const size_t len = conn->in.len;

	if (conn->state != HTTP_READING || conn->head_len || !data || len <= 2)
		return;
	end = memmem(data, len, "\r\n\r\n", 4); /* it is only too large */
	lf = end ? end + 1 : memrchr(data, '\n', len - 2);
	if (lf)
		conn->head_len = (size_t)(lf - data) + 3; /* with an empty one */
}

void
trl_http_refuse(struct trl_http_conn *conn, const struct trl_http_request *request,
    uint16_t status, const char *detail)
{
	static const struct trl_http_request unread = {
		.method = "", .path = "", .query = "", .host = "", .peer_address = ""
	};
	struct trl_http_refusal refusal = { .status = status,
		.detail = detail,
		.request = request ? request : &unread };
	trl_http_server *server = conn->server;
	struct trl_http_response response = { .status = status };
	struct trl_http_head head;

	if (!request)
		find_lines(conn);
	if (!request && conn->head_len) {
		(void)trl_http_request_read(conn, server->scratch, &head);
		refusal.request = &head.request;
	}
	if (server->handler.refuse)
		server->handler.refuse(
		    server->handler.self, server->scratch, &refusal, &response);
	if (!trl_http_sendable(&response))
		response.n_headers = 0;
	response.close = true;
	conn->linger = true;
	trl_http_write_response(conn, &response, false);
	trl_arena_reset(server->scratch);
	conn->answered = true;
	conn->close_after = true;
	if (!conn->actor) {
		trl_http_wait_none(conn);
		trl_http_hold(conn, 0);
		conn->seen = conn->head_len = 0;
		conn->state = HTTP_ENDING;
		trl_buf_fini(&conn->in);
		trl_buf_fini(&conn->body.data);
	}
}
