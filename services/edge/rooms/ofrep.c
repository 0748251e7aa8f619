/* ofrep.c - how a method fails that speaks OpenFeature's protocol (OFREP 0.3): with
 * errorCode and errorDetails, and the flag's key where it is about one. */
#include <string.h>

#include <trl/json.h>

#include "rooms/rooms.h"

bool
edge_speaks_ofrep(const struct edge_request *request)
{
	return request->route && request->route->method->protocol == TRL_OFREP;
}

/* It knows no 422; and a 404 is a flag's that is not there, not a tenant's, which is
 * looked for before the request is read. */
uint16_t
edge_ofrep_status(const struct edge_request *request, uint16_t status)
{
	if (status == 422)
		return 400;
	return status == 404 && !request->in ? 403 : status;
}

static const char *
code_of(const struct edge_request *request, uint16_t status)
{
	switch (status) {
	case 400:
		return request->ctx->err.code == TRL_INVALID ? "INVALID_CONTEXT"
							     : "PARSE_ERROR";
	case 404:
		return "FLAG_NOT_FOUND";
	default:
		return status < 500 ? "GENERAL" : NULL;
	}
}

static const char *
key_of(const struct edge_request *request)
{
	const struct edge_route *route = request->route;

	for (size_t i = 0; i < route->n_segments; i++)
		if (route->is_variable[i])
			return request->segments[i];
	return NULL;
}

static void
add(struct trl_buf *out, const char *name, const char *text)
{
	if (!text)
		return;
	trl_buf_printf(out, "%s\"%s\":", out->len > 1 ? "," : "", name);
	trl_json_string(out, text, strlen(text));
}

void
edge_ofrep_failure(struct trl_buf *out, const struct edge_request *request,
    uint16_t status, const char *detail)
{
	trl_buf_adds(out, "{");
	add(out, "key", key_of(request));
	add(out, "errorCode", code_of(request, status));
	add(out, "errorDetails", detail);
	trl_buf_adds(out, "}");
}
