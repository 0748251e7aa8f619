/* bytes_give.c - a body on its way to the client, in pieces from the callee: bytes, or
 * part of a file that is open here. The service is not trusted to keep its word: no
 * more is sent than the answer's length. */
#include <string.h>
#include <unistd.h>

#include <trl/http_body.h>
#include <trl/log.h>

#include "rooms/bytes.h"

enum {
	SMALL = 4096, /* one write with the head; a copy costs nothing */
	PART_LEAST = 65536,
	PART_MOST = 4 << 20, /* no more than the kernel may buffer anyhow */
	QUICK_US = 500000,
	LONG_US = 4000000
};

struct download {
	uint64_t left; /* of the answer's length; UINT64_MAX: it has none */
	uint64_t part; /* of a file that is sent between two looks */
	struct bytes_look look;
};

static uint64_t
size_of(const struct trl_piece *piece)
{
	return piece->fd >= 0 ? piece->size : piece->len;
}

/* Sends a file in parts that are small enough to check the rights in time. */
static enum trl_code
write_file(struct edge_request *request, struct trl_piece piece, struct download *down)
{
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && piece.size > 0) {
		const uint64_t began = trl_mono_us();
		const uint64_t n = piece.size < down->part ? piece.size : down->part;
		uint64_t took;

		rc = trl_http_write_file(
		    request->ctx, request->http, piece.fd, piece.offset, n);
		request->left = rc == TRL_UNAVAILABLE;
		if (rc == TRL_OK)
			rc = bytes_look(request, &down->look);
		took = trl_mono_us() - began;
		if (took < QUICK_US && down->part < PART_MOST)
			down->part *= 2;
		else if (took > LONG_US && down->part > PART_LEAST)
			down->part /= 2;
		piece.offset += n;
		piece.size -= n;
	}
	return rc;
}

static enum trl_code
write_piece(
    struct edge_request *request, const struct trl_piece *piece, struct download *down)
{
	enum trl_code rc;

	if (size_of(piece) > down->left)
		return trl_fail(request->ctx, TRL_INTERNAL,
		    "%s sends more bytes than it announced",
		    request->route->method->name);
	if (down->left != UINT64_MAX)
		down->left -= size_of(piece);
	if (piece->fd >= 0)
		return write_file(request, *piece, down);
	rc = trl_http_write(request->ctx, request->http, piece->data, piece->len);
	request->left = rc == TRL_UNAVAILABLE;
	return rc == TRL_OK ? bytes_look(request, &down->look) : rc;
}

static enum trl_code
write_body(struct edge_request *request, trl_stream *stream, struct trl_piece piece)
{
	struct download down = {
		.left = request->length, .part = PART_LEAST, .look = bytes_looked()
	};
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && size_of(&piece) > 0) {
		rc = write_piece(request, &piece, &down);
		if (piece.fd >= 0)
			(void)close(piece.fd);
		piece.fd = -1;
		if (rc == TRL_OK)
			rc = trl_stream_read(request->ctx, stream, &piece);
	}
	if (piece.fd >= 0)
		(void)close(piece.fd);
	return rc;
}

/* Whether the answer is complete and small, so that one write sends it. */
static bool
is_whole(const struct edge_request *request, const struct trl_piece *piece)
{
	return piece->fd < 0 && piece->len == request->length && piece->len <= SMALL &&
	       !request->is_head;
}

/* Whether the HEAD was sent as a POST: for whoever only sees the POST, Content-Length
 * is that of the body that follows, and so 0. */
static bool
is_meant(const struct edge_request *request)
{
	return strcmp(request->http->method, "HEAD") == 0 && !request->is_head;
}

enum trl_code
bytes_give(struct edge_request *request, trl_stream *stream)
{
	struct trl_http_response *response = &request->response;
	struct trl_piece piece = { .fd = -1 };
	trl_ctx *ctx = request->ctx;
	enum trl_code rc;

	if (response->status == 204 || response->status == 304 || is_meant(request))
		return TRL_OK;
	if (!request->is_head) {
		rc = trl_stream_read(ctx, stream, &piece);
		if (rc != TRL_OK)
			return rc;
	}
	if (is_whole(request, &piece)) {
		response->body = piece.data;
		response->body_len = piece.len;
		return TRL_OK;
	}
	request->answered = true;
	rc = trl_http_answer(ctx, request->http, response, request->length);
	if (rc == TRL_OK && !request->is_head)
		rc = write_body(request, stream, piece);
	else if (piece.fd >= 0)
		(void)close(piece.fd);
	if (rc == TRL_OK)
		trl_http_finish(ctx, request->http);
	else if (!request->left)
		trl_log_err(ctx);
	return TRL_OK;
}
