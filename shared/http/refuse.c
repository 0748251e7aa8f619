/* refuse.c - the answer to what is no request, and the end of its connection. */
#include "conn.h"

void
trl_http_refuse(struct trl_http_conn *conn, uint16_t status, const char *detail)
{
	trl_http_server *server = conn->server;
	struct trl_http_response response = { .status = status };

	if (server->handler.refuse)
		server->handler.refuse(
		    server->handler.self, server->scratch, status, detail, &response);
	if (!trl_http_sendable(&response))
		response.n_headers = 0;
	response.close = true;
	conn->linger = true;
	trl_http_write_response(conn, &response, false);
	trl_arena_reset(server->scratch);
	conn->answered = true;
	conn->close_after = true;
	if (!conn->actor) {
		conn->seen = 0;
		conn->state = HTTP_ENDING;
		trl_buf_fini(&conn->in);
	}
}
