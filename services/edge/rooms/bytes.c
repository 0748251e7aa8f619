/* bytes.c - the third way through: a method that takes a body of bytes, or gives one,
 * of any size. The call opens a stream on the bus; then pieces go from the one side to
 * the other at the pace of the slower one, and no more of them is here than one.
 *
 * Whoever is called judges before the client is asked for its body. What is small and
 * has come already rides in the call. A request that lasts acts under the rights that
 * hold as it goes on: they are looked at every five seconds. */
#include <unistd.h>

#include <trl/http_body.h>
#include <trl/log.h>
#include <trl/stream.h>

#include "rooms/rooms.h"

enum { LOOK_US = 5000000, SMALL = 4096 };

/* What became of the client's body, as the client is told. */
static enum trl_code
body_failed(struct edge_request *request, enum trl_code rc)
{
	request->response.close = true;
	switch (rc) {
	case TRL_QUOTA:
		return edge_refuse(request, 413, "The body is larger than was said.");
	case TRL_MALFORMED:
		return edge_refuse(request, 400, "The body's framing is broken.");
	case TRL_DEADLINE:
		return edge_refuse(
		    request, 408, "The body came too slowly, or stopped coming.");
	default:
		return rc;
	}
}

/* Looks at the caller's rights anew, where they were last looked at a while ago. */
static enum trl_code
look_again(struct edge_request *request, uint64_t *looked_us)
{
	const enum trl_auth auth = request->route->method->auth;
	const uint64_t now = trl_mono_us();
	enum trl_code rc = TRL_OK;

	if (auth == TRL_AUTH_PUBLIC || now - *looked_us < LOOK_US)
		return TRL_OK;
	*looked_us = now;
	if (auth == TRL_AUTH_TENANT)
		rc = edge_grant_renew(request, request->ctx->tenant);
	else
		rc = edge_principal_resolve(request);
	return rc == TRL_OK ? edge_permission(request) : rc;
}

struct upload {
	const uint8_t *data; /* a piece that was read and is not yet sent */
	size_t len;
	uint64_t looked_us;
};

/* Reads on and sends, until the body has ended. Whoever is called may have answered
 * before: then its reply tells what. */
static enum trl_code
send_body(struct edge_request *request, trl_stream *stream, struct upload *upload)
{
	trl_ctx *ctx = request->ctx;
	bool wanted;
	enum trl_code rc;

	rc = trl_stream_wanted(ctx, stream, &wanted);
	if (rc != TRL_OK || !wanted)
		return rc;
	for (;;) {
		if (!upload->len) {
			rc = trl_http_read(
			    ctx, request->http, &upload->data, &upload->len);
			if (rc != TRL_OK)
				return body_failed(request, rc);
		}
		if (!upload->len)
			break;
		rc = trl_stream_write(ctx, stream, upload->data, upload->len);
		upload->len = 0;
		if (rc == TRL_OK)
			rc = look_again(request, &upload->looked_us);
		else if (rc == TRL_UNAVAILABLE)
			break;
		if (rc != TRL_OK)
			return rc;
	}
	if (rc == TRL_OK)
		rc = trl_stream_end(ctx, stream);
	if (rc == TRL_UNAVAILABLE) {
		trl_err_clear(ctx);
		rc = TRL_OK;
	}
	return rc;
}

/* Reads what has come of a body so small that it may ride, which is all of it unless
 * the client is slow. */
static enum trl_code
read_small(
    struct edge_request *request, struct trl_stream_terms *terms, struct upload *upload)
{
	const struct trl_http_request *http = request->http;
	enum trl_code rc;

	if (!http->has_body || http->content_length == 0) {
		terms->whole = true;
		return TRL_OK;
	}
	if (http->content_length > TRL_STREAM_RIDES || trl_http_header(http, "expect"))
		return TRL_OK;
	rc = trl_http_read(request->ctx, request->http, &upload->data, &upload->len);
	if (rc != TRL_OK)
		return body_failed(request, rc);
	if (upload->len == http->content_length) {
		terms->whole = true;
		terms->body = upload->data;
		terms->len = upload->len;
	}
	return TRL_OK;
}

static enum trl_code
take_body(struct edge_request *request, trl_stream **stream)
{
	const struct trl_method *method = request->route->method;
	struct upload upload = { .looked_us = trl_mono_us() };
	struct trl_stream_terms terms = { 0 };
	trl_ctx *ctx = request->ctx;
	enum trl_code rc = TRL_OK;

	if (method->takes) {
		trl_http_expect(request->http, method->takes->max_bytes);
		rc = read_small(request, &terms, &upload);
	}
	if (rc == TRL_OK)
		rc = trl_stream_open(
		    ctx, request->edge->host->bus, method, request->in, &terms, stream);
	if (rc == TRL_OK && method->takes && !terms.whole)
		rc = send_body(request, *stream, &upload);
	if (rc != TRL_OK)
		return rc;
	trl_set_deadline(ctx, trl_mono_us() + (uint64_t)method->timeout_ms * 1000);
	return trl_stream_reply(ctx, *stream, &request->out);
}

static enum trl_code
write_piece(struct edge_request *request, const struct trl_piece *piece)
{
	enum trl_code rc;

	if (piece->fd < 0)
		return trl_http_write(
		    request->ctx, request->http, piece->data, piece->len);
	rc = trl_http_write_file(
	    request->ctx, request->http, piece->fd, piece->offset, piece->size);
	(void)close(piece->fd);
	return rc;
}

/* The answer has begun; what fails now can only break it off. */
static enum trl_code
write_body(struct edge_request *request, trl_stream *stream, struct trl_piece piece)
{
	uint64_t looked_us = trl_mono_us();
	trl_ctx *ctx = request->ctx;
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && (piece.len || piece.fd >= 0)) {
		rc = write_piece(request, &piece);
		if (rc == TRL_OK)
			rc = look_again(request, &looked_us);
		if (rc == TRL_OK)
			rc = trl_stream_read(ctx, stream, &piece);
	}
	return rc;
}

static bool
has_no_body(const struct edge_request *request)
{
	const uint16_t status = request->response.status;

	return status == 204 || status == 304;
}

/* Whether all of the answer is there and so little that a copy costs nothing: then it
 * is one write. */
static bool
is_whole(const struct edge_request *request, const struct trl_piece *piece)
{
	return piece->fd < 0 && piece->len == request->length && piece->len <= SMALL &&
	       !request->is_head;
}

static enum trl_code
give_body(struct edge_request *request, trl_stream *stream)
{
	struct trl_http_response *response = &request->response;
	trl_ctx *ctx = request->ctx;
	struct trl_piece piece = { .fd = -1 };
	enum trl_code rc;

	if (has_no_body(request))
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
	else
		trl_log_err(ctx);
	return TRL_OK;
}

enum trl_code
edge_bytes(struct edge_request *request)
{
	trl_stream *stream = NULL;
	enum trl_code rc;

	rc = edge_call_prepare(request);
	if (rc != TRL_OK)
		return rc;
	request->length = UINT64_MAX;
	rc = take_body(request, &stream);
	if (rc == TRL_OK)
		rc = edge_render(request);
	if (rc == TRL_OK && request->route->method->gives)
		rc = give_body(request, stream);
	if (rc == TRL_OK && !request->answered) {
		/* The piece that the answer may hold ends with the stream. */
		trl_http_reply(request->ctx, request->http, &request->response);
		request->answered = true;
	}
	trl_stream_close(&stream);
	return rc;
}
