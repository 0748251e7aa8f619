/* wait.c - all timeouts of a server with one timer. A queue a kind of wait, in
 * the order of their ends because all of a kind last equally long; the timer is
 * armed for the earliest front and not at all when nobody waits. Waits end up to
 * SLACK_MS late, so that busy connections do not move it. */
#include "conn.h"

enum { SLACK_MS = 50, ROOM_MS = 100 /* that a connection has at the least */ };

static void
arm(trl_http_server *server, uint64_t at)
{
	uint64_t now = uv_now(trl_loop_uv(server->loop));

	if (server->timer_at_ms && server->timer_at_ms <= at + SLACK_MS)
		return;
	server->timer_at_ms = at + SLACK_MS;
	uv_timer_start(&server->timer, trl_http_on_timer,
	    at > now ? at - now + SLACK_MS : SLACK_MS, 0);
}

void
trl_http_wait_none(struct trl_http_conn *conn)
{
	trl_http_server *server = conn->server;

	if (!conn->wait)
		return;
	*(conn->wait_prev ? &conn->wait_prev->wait_next
			  : &server->waits[conn->wait - 1].first) = conn->wait_next;
	*(conn->wait_next ? &conn->wait_next->wait_prev
			  : &server->waits[conn->wait - 1].last) = conn->wait_prev;
	conn->wait = 0;
}

void
trl_http_wait(struct trl_http_conn *conn, enum http_wait wait)
{
	trl_http_server *server = conn->server;

	trl_http_wait_none(conn);
	conn->wait = (uint8_t)(wait + 1);
	conn->wait_until_ms =
	    uv_now(trl_loop_uv(server->loop)) + server->waits[wait].ms;
	conn->wait_next = NULL;
	conn->wait_prev = server->waits[wait].last;
	*(conn->wait_prev ? &conn->wait_prev->wait_next : &server->waits[wait].first) =
	    conn;
	server->waits[wait].last = conn;
	arm(server, conn->wait_until_ms);
}

/* Whether the end of an answer that was written in pieces still leaves: the kernel had
 * much of it. */
static bool
moves(struct trl_http_conn *conn)
{
	const struct trl_http_options *o = &conn->server->options;
	const size_t was = conn->untaken,
		     least = (size_t)((uint64_t)o->floor_bytes * o->body_timeout_ms /
				      o->floor_ms);

	if (!was)
		return false;
	conn->untaken = trl_http_untaken(conn);
	return conn->untaken + least <= was;
}

static void
expired(struct trl_http_conn *conn)
{
	enum http_wait wait = (enum http_wait)(conn->wait - 1);

	trl_http_wait_none(conn);
	if (wait == HTTP_WRITE && moves(conn)) {
		trl_http_wait(conn, HTTP_WRITE);
		return;
	}
	if (wait == HTTP_BODY ||
	    (wait == HTTP_HEAD && conn->state == HTTP_READING && conn->in.len > 0))
		trl_http_refuse(
		    conn, NULL, 408, "The request took too long to arrive.");
	else
		trl_http_conn_close(conn);
}

static uint64_t
waited_ms(const struct trl_http_conn *conn)
{
	return uv_now(trl_loop_uv(conn->server->loop)) +
	       conn->server->waits[conn->wait - 1].ms - conn->wait_until_ms;
}

void
trl_http_make_room(trl_http_server *server)
{
	static const enum http_wait client_is_due[] = { HTTP_HEAD, HTTP_BODY,
		HTTP_IDLE };
	struct trl_http_conn *longest = NULL, *conn;

	for (size_t i = 0; i < TRL_COUNT(client_is_due); i++) {
		conn = server->waits[client_is_due[i]].first;
		if (conn && (!longest || waited_ms(conn) > waited_ms(longest)))
			longest = conn;
	}
	if (!longest)
		return;
	if (waited_ms(longest) < ROOM_MS)
		arm(server, uv_now(trl_loop_uv(server->loop)) + ROOM_MS);
	else
		trl_http_conn_close(longest);
}

void
trl_http_on_timer(uv_timer_t *timer)
{
	trl_http_server *server = timer->data;
	uint64_t now = uv_now(trl_loop_uv(server->loop)), next = 0;
	struct trl_http_conn *conn;

	server->timer_at_ms = 0;
	for (size_t i = 0; i < HTTP_WAITS; i++) {
		while ((conn = server->waits[i].first) && conn->wait_until_ms <= now)
			expired(conn);
	}
	for (size_t i = 0; i < HTTP_WAITS; i++) {
		conn = server->waits[i].first;
		if (conn && (!next || conn->wait_until_ms < next))
			next = conn->wait_until_ms;
	}
	if (next)
		arm(server, next);
	if (server->accept_waits && server->listening)
		trl_http_make_room(server);
}
