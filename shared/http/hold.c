/* hold.c - how much is kept of requests that are not complete. An address has a share
 * of it, and beyond that is refused; should many addresses together fill it all, the
 * request that has been under way for the longest makes room: one that is sent as fast
 * as it can be is complete before its turn comes. */
#include "conn.h"

static struct trl_http_conn *
oldest(const trl_http_server *server)
{
	struct trl_http_conn *body = server->waits[HTTP_BODY].first;

	return body ? body : server->waits[HTTP_HEAD].first;
}

void
trl_http_hold(struct trl_http_conn *conn, size_t bytes)
{
	const size_t was = conn->held, most = conn->server->options.max_waiting_bytes;
	struct http_address *address = conn->address_count;
	trl_http_server *server = conn->server;
	struct trl_http_conn *first;

	conn->held = bytes;
	server->held = server->held - was + bytes;
	if (address)
		address->held = address->held - was + bytes;
	if (bytes <= was)
		return;
	if (address && address->held > most / TRL_HTTP_SHARES)
		trl_http_refuse(
		    conn, NULL, 503, "This address has too much that is unfinished.");
	while (server->held > most && (first = oldest(server)))
		trl_http_refuse(
		    first, NULL, 503, "There is too much that is unfinished.");
}
