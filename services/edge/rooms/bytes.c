/* bytes.c - the third way through: a method that takes a body of bytes, or gives one,
 * of any size. The call opens a stream on the bus; then pieces go from one side to the
 * other at the pace of the slower one, and never more than one is held here. Nothing
 * bounds how long that takes, so organisations share the number of transfers. */
#include <string.h>

#include "rooms/bytes.h"

enum { RETRY_MS = 2000 };

/* Public bytes count for the tenant in the path, so that a crowd at one tenant's files
 * keeps nobody from another's. A forged path is refused before any bytes are sent. */
static struct trl_id
holder_of(const struct edge_request *request)
{
	const int whose = request->route->whose_segment;
	struct trl_id tenant;

	if (whose >= 0 && trl_id_parse(request->segments[whose],
			      strlen(request->segments[whose]), &tenant))
		return tenant;
	return trl_holder_of(request->ctx);
}

static enum trl_code
transfer(struct edge_request *request, struct trl_id holder)
{
	trl_stream *stream = NULL;
	enum trl_code rc;

	rc = edge_call_prepare(request);
	if (rc != TRL_OK)
		return rc;
	request->length = UINT64_MAX;
	rc = bytes_take(request, holder, &stream);
	if (rc == TRL_OK)
		rc = edge_render(request);
	if (rc == TRL_OK && request->route->method->gives)
		rc = bytes_give(request, stream);
	if (rc == TRL_OK && !request->answered) {
		/* The answer may hold a piece, which lives until the stream ends. */
		trl_http_reply(request->ctx, request->http, &request->response);
		request->answered = true;
	}
	trl_stream_close(&stream);
	return rc;
}

enum trl_code
edge_bytes(struct edge_request *request)
{
	const struct trl_id holder = holder_of(request);
	trl_share *share = trl_share_take(&request->edge->transfers, holder, 1);
	enum trl_code rc;

	if (!share) {
		rc = trl_fail(request->ctx, TRL_BUSY, "too many transfers at once");
		trl_err_retry_after(request->ctx, RETRY_MS);
		return rc;
	}
	rc = transfer(request, holder);
	trl_share_give(&share, 1);
	return rc;
}
