/* cookie.c - the session as a cookie: only where login asked for it, __Host- so
 * that no subdomain sets it, and out of scripts' reach. */
#include <string.h>

#include <auth_v1.trl.h>

#include "rules/rules.h"

static const char name[] = "__Host-session=";

static const char *
find_in(const char *at, size_t *len)
{
	while (*at) {
		at += strspn(at, " \t;");
		if (strncmp(at, name, sizeof name - 1) == 0) {
			at += sizeof name - 1;
			*len = strcspn(at, "; \t");
			return at;
		}
		at += strcspn(at, ";");
	}
	return NULL;
}

/* HTTP/2 has cookies in pieces, which a proxy may leave on lines of their own. */
const char *
edge_cookie_read(const struct edge_request *request, size_t *len)
{
	const struct trl_http_request *http = request->http;
	const char *found = NULL;

	for (size_t i = 0; i < http->n_headers && !found; i++)
		if (strcmp(http->headers[i].name, "cookie") == 0)
			found = find_in(http->headers[i].value, len);
	return found;
}

/* Whether the request's message asks for a cookie. */
static bool
asks(const struct edge_request *request)
{
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field_by_name(
		request->in->descriptor, "cookie");
	const uint8_t *base = (const uint8_t *)request->in;

	return field && field->type == PROTOBUF_C_TYPE_BOOL &&
	       *(const protobuf_c_boolean *)(base + field->quantifier_offset) &&
	       *(const protobuf_c_boolean *)(base + field->offset);
}

void
edge_cookie_write(struct edge_request *request)
{
	const struct trl_method *method = request->route->method;
	struct trl_http_response *response = &request->response;

	if (method == &auth_v1_log_out && request->credential == EDGE_COOKIE) {
		trl_http_add_header(response, "Set-Cookie",
		    "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; "
		    "Max-Age=0");
		return;
	}
	if (method->signs_in && asks(request) &&
	    request->out->descriptor == &auth__v1__signed_in__descriptor) {
		Auth__V1__SignedIn *in = (Auth__V1__SignedIn *)request->out;

		if (!in->session || !in->session->token)
			return;
		trl_http_add_header(response, "Set-Cookie",
		    trl_arena_printf(request->ctx->arena,
			"%s%s; Path=/; Secure; HttpOnly; SameSite=Lax", name,
			in->session->token));
		in->session->token = NULL; /* the cookie has it; scripts shall not */
	}
}
