/* room.c - the memory of bodies that are read in pieces. A reader has a piece only
 * while it holds bytes, so clients that send slowly, however many, use none of it; the
 * pieces that are given back are kept for the next as long as anybody reads. */
#include "conn.h"

#include <stdlib.h>

enum { KEPT_BYTES = 1 << 20, RETRY_MS = 1000 };

static bool
fits(const struct trl_http_conn *conn, size_t bytes, size_t of)
{
	const struct trl_http_server *server = conn->server;
	const struct http_address *address = conn->address_count;

	return server->room.used + bytes <= of &&
	       (!address || address->pieces + bytes <= of / TRL_HTTP_SHARES);
}

bool
trl_http_room(const struct trl_http_conn *conn)
{
	return !conn->server->room.first &&
	       fits(conn, TRL_HTTP_PIECE_SMALL, conn->server->options.max_piece_bytes);
}

static struct http_piece *
take(struct trl_http_conn *conn, struct http_piece **kept, size_t bytes)
{
	trl_http_server *server = conn->server;
	struct http_piece *piece = *kept;

	if (piece) {
		*kept = piece->next;
		server->room.kept -= bytes;
	} else {
		piece = malloc(sizeof *piece + bytes);
		trl_assert(piece);
		piece->cap = bytes;
	}
	server->room.used += bytes;
	if (conn->address_count)
		conn->address_count->pieces += bytes;
	return piece;
}

struct http_piece *
trl_http_piece_take(struct trl_http_conn *conn, bool large)
{
	trl_http_server *server = conn->server;
	const size_t most = server->options.max_piece_bytes;

	if (large && fits(conn, TRL_HTTP_PIECE_BYTES, most / 2))
		return take(conn, &server->room.large, TRL_HTTP_PIECE_BYTES);
	if (fits(conn, TRL_HTTP_PIECE_SMALL, most))
		return take(conn, &server->room.small, TRL_HTTP_PIECE_SMALL);
	return NULL;
}

void
trl_http_piece_give(struct trl_http_conn *conn, struct http_piece **piece_at)
{
	struct http_piece *piece = TRL_TAKE(*piece_at), **kept;
	trl_http_server *server = conn->server;

	if (!piece)
		return;
	server->room.used -= piece->cap;
	if (conn->address_count)
		conn->address_count->pieces -= piece->cap;
	if (server->room.kept + piece->cap > KEPT_BYTES) {
		free(piece);
	} else {
		kept = piece->cap == TRL_HTTP_PIECE_SMALL ? &server->room.small
							  : &server->room.large;
		piece->next = *kept;
		*kept = piece;
		server->room.kept += piece->cap;
	}
	for (struct http_reader *r = server->room.first; r; r = r->room_next) {
		if (fits(
			r->conn, TRL_HTTP_PIECE_SMALL, server->options.max_piece_bytes))
			(void)trl_wake(r->ticket);
	}
}

enum trl_code
trl_http_room_none(trl_ctx *ctx)
{
	enum trl_code rc;

	trl_err_clear(ctx);
	rc = trl_fail(ctx, TRL_BUSY, "too many bodies are read");
	trl_err_retry_after(ctx, RETRY_MS);
	return rc;
}

enum trl_code
trl_http_room_wait(trl_ctx *ctx, struct trl_http_conn *conn)
{
	struct http_reader **at = &conn->server->room.first, *self = conn->reader;
	enum trl_code rc;

	while (*at)
		at = &(*at)->room_next;
	*at = self;
	self->room_next = NULL;
	self->ticket = trl_park_begin(ctx);
	rc = trl_park(ctx, self->ticket, "room for a body");
	for (at = &conn->server->room.first; *at != self;)
		at = &(*at)->room_next;
	*at = self->room_next;
	return rc == TRL_OK || ctx->cancelled ? rc : trl_http_room_none(ctx);
}

static void
free_all(struct http_piece *piece)
{
	struct http_piece *next;

	for (; piece; piece = next) {
		next = piece->next;
		free(piece);
	}
}

void
trl_http_room_empty(trl_http_server *server)
{
	free_all(TRL_TAKE(server->room.small));
	free_all(TRL_TAKE(server->room.large));
	server->room.kept = 0;
}
