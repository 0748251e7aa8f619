/* bytes.c - the third way through: a method that takes a body of bytes, or gives one,
 * of any size. The call opens a stream on the bus; then pieces go from the one side to
 * the other at the pace of the slower one, and no more of them is here than one. */
#include "rooms/bytes.h"

enum trl_code
edge_bytes(struct edge_request *request)
{
	trl_stream *stream = NULL;
	enum trl_code rc;

	rc = edge_call_prepare(request);
	if (rc != TRL_OK)
		return rc;
	request->length = UINT64_MAX;
	rc = bytes_take(request, &stream);
	if (rc == TRL_OK)
		rc = edge_render(request);
	if (rc == TRL_OK && request->route->method->gives)
		rc = bytes_give(request, stream);
	if (rc == TRL_OK && !request->answered) {
		/* The piece that the answer may hold ends with the stream. */
		trl_http_reply(request->ctx, request->http, &request->response);
		request->answered = true;
	}
	trl_stream_close(&stream);
	return rc;
}
