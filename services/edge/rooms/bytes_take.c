/* bytes_take.c - the client's body on its way to the callee. A small body that has
 * already arrived rides in the call; otherwise the callee judges the message first, and
 * only then is the client asked for the body. */
#include <trl/http_body.h>

#include "rooms/bytes.h"

struct upload {
	const uint8_t *data; /* a piece that was read but not sent yet */
	size_t len;
	uint64_t sent;
	struct bytes_look look;
};

/* What to tell the client when its body could not be read. */
static enum trl_code
body_failed(struct edge_request *request, enum trl_code rc)
{
	switch (rc) {
	case TRL_QUOTA:
		return edge_refuse(request, 413, "The body is larger than announced.");
	case TRL_MALFORMED:
		return edge_refuse(request, 400, "The body's framing is broken.");
	case TRL_DEADLINE:
		return edge_refuse(
		    request, 408, "The body came too slowly, or stopped coming.");
	case TRL_UNAVAILABLE: /* it may still read */
		request->left = true;
		return edge_refuse(request, 400, "The request ended within its body.");
	default:
		return rc;
	}
}

static void
nudge(void *http)
{
	trl_http_nudge(http);
}

/* Reads and sends until the body has ended. The callee may answer before that, also
 * while the client sends nothing: then its reply says why. */
static enum trl_code
send_body(struct edge_request *request, trl_stream *stream, struct upload *upload)
{
	trl_ctx *ctx = request->ctx;
	enum trl_code rc = TRL_OK;

	trl_stream_watch(stream, nudge, request->http);
	while (rc == TRL_OK) {
		if (!upload->len) {
			rc = trl_http_read(
			    ctx, request->http, &upload->data, &upload->len);
			if (rc != TRL_OK)
				return body_failed(request, rc);
			if (!upload->data) /* nudged */
				return TRL_OK;
		}
		if (!upload->len) {
			rc = bytes_look_last(request, &upload->look);
			if (rc != TRL_OK)
				return rc;
			rc = trl_stream_end(ctx, stream);
			break;
		}
		upload->sent += upload->len;
		rc = upload->sent == request->http->content_length
			 ? bytes_look_last(request, &upload->look)
			 : bytes_look(request, &upload->look);
		if (rc != TRL_OK)
			return rc;
		rc = trl_stream_write(ctx, stream, upload->data, upload->len);
		upload->len = 0;
	}
	if (rc == TRL_UNAVAILABLE) {
		trl_err_clear(ctx);
		rc = TRL_OK;
	}
	return rc;
}

/* Reads what has arrived of a body small enough to ride: all of it, unless the client
 * is slow. */
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
	if (upload->len != http->content_length)
		return TRL_OK;
	terms->whole = true;
	terms->body = upload->data;
	terms->len = upload->len;
	return bytes_look_last(request, &upload->look);
}

enum trl_code
bytes_take(struct edge_request *request, struct trl_id holder, trl_stream **stream)
{
	const struct trl_method *method = request->route->method;
	struct trl_stream_terms terms = { .holder = holder };
	struct upload upload = { .look = bytes_looked() };
	trl_ctx *ctx = request->ctx;
	enum trl_code rc = TRL_OK;
	bool wanted = false;

	if (method->takes) {
		trl_http_expect(request->http, method->takes->max_bytes);
		rc = read_small(request, &terms, &upload);
	}
	if (rc == TRL_OK)
		rc = trl_stream_open(
		    ctx, request->edge->host->bus, method, request->in, &terms, stream);
	if (rc == TRL_OK && method->takes && !terms.whole)
		rc = trl_stream_wanted(ctx, *stream, &wanted);
	if (rc == TRL_OK && wanted) {
		rc = send_body(request, *stream, &upload);
		trl_set_deadline(
		    ctx, trl_mono_us() + (uint64_t)method->timeout_ms * 1000);
	}
	return rc == TRL_OK ? trl_stream_reply(ctx, *stream, &request->out) : rc;
}
