/* own.c - what the edge answers by itself: whether it lives, whether it is ready,
 * the OpenAPI document, the pages that problem types lead to, where a mail's
 * List-Unsubscribe leads a reader who opens it, and what may be asked of it at all
 * (OPTIONS of "*"). Nothing here parks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <zlib.h>

#include "rooms/rooms.h"

bool
edge_own_open(struct edge *self)
{
	struct edge_static *document = &self->openapi;
	uLong bound = compressBound((uLong)trl_openapi_json_len) + 64;
	z_stream stream = { 0 };
	uint8_t hash[16];
	char text[33];

	document->data = trl_openapi_json;
	document->len = trl_openapi_json_len;
	crypto_generichash(hash, sizeof hash, document->data, document->len, NULL, 0);
	sodium_bin2hex(text, sizeof text, hash, sizeof hash);
	(void)snprintf(document->etag, sizeof document->etag, "\"%s\"", text);
	(void)snprintf(
	    document->gzip_etag, sizeof document->gzip_etag, "\"%s-gz\"", text);
	document->gzip = malloc(bound);
	trl_assert(document->gzip);
	if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return false;
	stream.next_in = (Bytef *)(uintptr_t)document->data;
	stream.avail_in = (uInt)document->len;
	stream.next_out = document->gzip;
	stream.avail_out = (uInt)bound;
	trl_assert(deflate(&stream, Z_FINISH) == Z_STREAM_END);
	document->gzip_len = stream.total_out;
	return deflateEnd(&stream) == Z_OK;
}

static void
answer(struct edge_request *request, const char *type, const char *text)
{
	request->response = (struct trl_http_response){ .status = 200 };
	edge_headers(request);
	trl_http_add_header(&request->response, "Cache-Control", "no-store");
	edge_render_body(request, type, text, strlen(text));
}

static void
answer_document(struct edge_request *request)
{
	const struct edge_static *document = &request->edge->openapi;
	struct trl_http_response *response = &request->response;
	const bool gzip = edge_accepts_gzip(request->http);
	const char *etag = gzip ? document->gzip_etag : document->etag;

	*response = (struct trl_http_response){ .status = 200 };
	edge_headers(request);
	trl_http_add_header(response, "ETag", etag);
	trl_http_add_header(response, "Cache-Control", "public, no-cache");
	if (edge_if_none_match(request->http, etag)) {
		response->status = 304;
		return;
	}
	trl_http_add_header(response, "Content-Type", "application/json");
	if (gzip)
		trl_http_add_header(response, "Content-Encoding", "gzip");
	response->body = gzip ? document->gzip : document->data;
	response->body_len = gzip ? document->gzip_len : document->len;
}

static enum trl_code
answer_ready(struct edge_request *request)
{
	const struct trl_host *host = request->edge->host;
	const char *const *needs = request->edge->needs;
	const char *why = request->edge->leaving ? "it is stopping"
			  : host->ops            ? trl_ops_unready(host->ops)
						 : NULL;

	for (size_t i = 0; !why && needs[i]; i++)
		why = trl_bus_unready(host->bus, needs[i]);
	if (why) {
		request->tells_fault = true;
		(void)trl_fail(request->ctx, TRL_UNAVAILABLE, "Not ready: %s.", why);
		trl_err_retry_after(request->ctx, 1000);
		return TRL_UNAVAILABLE;
	}
	answer(request, "application/json", "{\"status\":\"ready\"}");
	return TRL_OK;
}

/* page: of the problem, where the path is none of the others. */
static enum trl_code
answer_get(struct edge_request *request, size_t path, const char *page)
{
	switch (path) {
	case 0:
		answer(request, "application/json", "{\"status\":\"alive\"}");
		return TRL_OK;
	case 1:
		return answer_ready(request);
	case 2:
		answer_document(request);
		return TRL_OK;
	default:
		answer(request, "text/plain; charset=utf-8", page);
		return TRL_OK;
	}
}

/* One click posts to the address in List-Unsubscribe (RFC 8058), and a reader who opens
 * it sees the product's page: nothing is turned off by looking. The token stands behind
 * the #, as in the mail's own link. */
static bool
leads_to_page(struct edge_request *request)
{
	const char *path = request->http->path,
		   *token = path + strlen(EDGE_UNSUBSCRIBE);

	if (!edge_is_unsubscribe(path) ||
	    !(request->is_head || strcmp(request->http->method, "GET") == 0))
		return false;
	request->response = (struct trl_http_response){ .status = 303 };
	edge_headers(request);
	trl_http_add_header(&request->response, "Location",
	    trl_arena_printf(request->ctx->arena, "%s/unsubscribe#%s",
		request->edge->config->public_url, token));
	trl_http_add_header(&request->response, "Cache-Control", "no-store");
	return true;
}

bool
edge_own(struct edge_request *request, enum trl_code *rc)
{
	static const char *const paths[] = { "/livez", "/readyz",
		"/api/v1/openapi.json" };
	static const char problems[] = "/problems/";
	const struct trl_http_request *http = request->http;
	const char *page = NULL;
	size_t i;

	if (strcmp(http->path, "*") == 0) {
		edge_preflight(request, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
		*rc = TRL_OK;
		return true;
	}
	if (leads_to_page(request)) {
		*rc = TRL_OK;
		return true;
	}
	for (i = 0; i < TRL_COUNT(paths) && strcmp(paths[i], http->path) != 0; i++)
		;
	if (i == TRL_COUNT(paths)) {
		if (strncmp(http->path, problems, sizeof problems - 1) != 0)
			return false;
		page = edge_problem_page(
		    request->ctx->arena, http->path + sizeof problems - 1);
	}
	*rc = TRL_OK;
	if (i == TRL_COUNT(paths) && !page)
		*rc = trl_fail(
		    request->ctx, TRL_NOT_FOUND, "There is no problem of this name.");
	else if (strcmp(http->method, "OPTIONS") == 0)
		edge_preflight(request, EDGE_OWN_ALLOW);
	else if (request->is_head || strcmp(http->method, "GET") == 0)
		*rc = answer_get(request, i, page);
	else
		*rc = edge_refuse(
		    request, 405, "This resource does not support this method.");
	return true;
}

bool
edge_answer_now(void *self, trl_arena *arena, const struct trl_http_request *told,
    struct trl_http_response *out)
{
	struct trl_http_request http = *told;
	trl_ctx ctx = { .arena = arena, .service = "edge" };
	struct edge_request request = { .edge = self,
		.ctx = &ctx,
		.http = &http,
		.is_head = strcmp(http.method, "HEAD") == 0 };
	enum trl_code rc;

	edge_greet(&request);
	if (!edge_own(&request, &rc))
		return false;
	if (rc != TRL_OK)
		edge_problem(&request, rc);
	*out = request.response;
	edge_count(self, NULL, out->status, &ctx.trace);
	return true;
}
