/* render.c - the reply becomes an answer: JSON or the file that it holds, its ETag from
 * the version, a link to the next page, 304 where the client has it already. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <zlib.h>

#include <trl/disposition.h>
#include <trl/json.h>

#include "rooms/rooms.h"

enum { GZIP_LEAST = 1024 };

static const void *
field_at(const ProtobufCMessage *message, int index)
{
	return (const uint8_t *)message + message->descriptor->fields[index].offset;
}

static bool
has(const ProtobufCMessage *message, int index)
{
	const ProtobufCFieldDescriptor *field = &message->descriptor->fields[index];

	return field->label != PROTOBUF_C_LABEL_OPTIONAL ||
	       *(const protobuf_c_boolean *)((const uint8_t *)message +
					     field->quantifier_offset);
}

/* gzip (RFC 1952) at the fastest level; NULL where it does not pay. */
static void *
compress_body(trl_arena *arena, const void *data, size_t len, size_t *out_len)
{
	z_stream stream = { .next_in = (Bytef *)(uintptr_t)data,
		.avail_in = (uInt)len };
	uint8_t *out = trl_arena_try(arena, len);
	int rc;

	if (!out || deflateInit2(
			&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	stream.next_out = out;
	stream.avail_out = (uInt)len;
	rc = deflate(&stream, Z_FINISH);
	*out_len = stream.total_out;
	(void)deflateEnd(&stream);
	return rc == Z_STREAM_END ? out : NULL;
}

static void
add_body(
    struct trl_http_response *response, const char *type, const void *data, size_t len)
{
	trl_http_add_header(response, "Content-Type", type);
	response->body = data;
	response->body_len = len;
}

void
edge_render_body(
    struct edge_request *request, const char *type, const void *data, size_t len)
{
	struct trl_http_response *response = &request->response;

	add_body(response, type, data, len);
	if (len > GZIP_LEAST && edge_accepts_gzip(request->http)) {
		size_t packed_len;
		void *packed =
		    compress_body(request->ctx->arena, data, len, &packed_len);

		if (packed) {
			trl_http_add_header(response, "Content-Encoding", "gzip");
			response->body = packed;
			response->body_len = packed_len;
		}
	}
}

static bool
has_version(const struct edge_request *request)
{
	const int index = request->route->version;

	return index >= 0 && has(request->out, index);
}

/* True: the client has it already, and the answer is 304. A version counts the changes
 * of one thing: where the path does not name one (/me, settings), the same number is
 * another's, too, and a kept copy must not be shown to the next caller. */
static bool
add_version(struct edge_request *request)
{
	struct trl_http_response *response = &request->response;
	const char *etag;

	if (!has_version(request)) {
		trl_http_add_header(response, "Cache-Control", "no-store");
		return false;
	}
	etag = edge_tag(request->ctx->arena,
	    *(const int64_t *)field_at(request->out, request->route->version));
	trl_http_add_header(response, "ETag", etag);
	trl_http_add_header(response, "Cache-Control",
	    request->route->names ? "private, no-cache" : "no-store");
	if (!request->route->method->revalidates ||
	    !edge_if_none_match(request->http, etag))
		return false;
	response->status = 304;
	return true;
}

/* Location of what POST made, at path/id. */
static void
add_location(struct edge_request *request)
{
	const ProtobufCBinaryData *id;
	char text[TRL_ID_TEXT];
	struct trl_id bytes;

	if (!request->route->locates || !has(request->out, request->route->id))
		return;
	id = field_at(request->out, request->route->id);
	if (id->len != sizeof bytes.bytes)
		return;
	memcpy(bytes.bytes, id->data, sizeof bytes.bytes);
	trl_id_format(bytes, text);
	trl_http_add_header(&request->response, "Location",
	    trl_arena_printf(request->ctx->arena, "%s/%s", request->http->path, text));
}

/* Writes what may stand in a query (RFC 3986, 3.4) as it is, all else encoded. */
static char *
put_query(char *out, const char *text, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; len > 0; len--, text++) {
		const uint8_t byte = (uint8_t)*text;

		if (isalnum(byte) || (byte && strchr("-._~!$&'()*+,;=:@/?%", byte))) {
			*out++ = (char)byte;
			continue;
		}
		*out++ = '%';
		*out++ = digits[byte >> 4];
		*out++ = digits[byte & 15];
	}
	return out;
}

/* The query that was sent, without its page_token; each pair with an & behind it. */
static const char *
query_of_next(const struct edge_request *request)
{
	trl_arena *arena = request->ctx->arena;
	const char *at = request->http->query;
	char *text = trl_arena_alloc(arena, 3 * strlen(at) + 2), *end = text;

	while (*at) {
		const size_t len = strcspn(at, "&"), name_len = strcspn(at, "&=");
		size_t n;
		const char *name = edge_percent_decode(arena, at, name_len, true, &n);

		if (len > 0 && strcmp(name, "page_token") != 0) {
			end = put_query(end, at, len);
			*end++ = '&';
		}
		at += len + (at[len] == '&');
	}
	*end = '\0';
	return text;
}

/* RFC 8288: where the list goes on. Tokens are base64url, so nothing is encoded. */
static void
add_next(struct edge_request *request)
{
	const struct edge_route *route = request->route;
	const char *token;

	if (route->next_page_token < 0)
		return;
	token = *(char *const *)field_at(request->out, route->next_page_token);
	if (!token || !*token)
		return;
	trl_http_add_header(&request->response, "Link",
	    trl_arena_printf(request->ctx->arena, "<%s?%spage_token=%s>; rel=\"next\"",
		request->http->path, query_of_next(request), token));
}

/* The reply's field body as it is; it may have a name. What is packed already is not
 * packed again, so its tag is of these bytes. */
static void
add_file(struct edge_request *request)
{
	const struct edge_route *route = request->route;
	const ProtobufCBinaryData *file = field_at(request->out, route->body);
	const char *name = route->file_name < 0 ? NULL
						: *(char *const *)field_at(
						      request->out, route->file_name);

	if (name)
		trl_http_add_header(&request->response, "Content-Disposition",
		    trl_disposition(request->ctx->arena, name, false));
	add_body(&request->response, route->method->media_type, file->data, file->len);
}

/* True: the client has these very bytes already, and the answer is 304. */
static bool
add_tag(struct edge_request *request, const struct trl_buf *body)
{
	uint8_t hash[16];
	char hex[2 * sizeof hash + 1];
	const char *etag;

	crypto_generichash(hash, sizeof hash, body->data, body->len, NULL, 0);
	sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
	etag = trl_arena_printf(request->ctx->arena, "\"%s\"", hex);
	trl_http_add_header(&request->response, "ETag", etag);
	if (!edge_if_none_match(request->http, etag))
		return false;
	request->response.status = 304;
	return true;
}

enum trl_code
edge_render(struct edge_request *request)
{
	const struct trl_method *method = request->route->method;
	struct trl_buf *body = &request->edge->body;

	request->response = (struct trl_http_response){ .status = method->status };
	edge_headers(request);
	edge_cookie_write(request);
	if (request->ctx->idempotency.replayed)
		trl_http_add_header(&request->response, "Idempotency-Replayed", "true");
	if (request->route->tells) {
		enum trl_code rc = edge_bound_tell(request);

		if (rc != TRL_OK)
			return rc;
	}
	if (!request->route->shows) {
		edge_add_once(&request->response, "Cache-Control", "no-store");
		return TRL_OK;
	}
	if (add_version(request))
		return TRL_OK;
	add_location(request);
	add_next(request);
	if (request->route->body >= 0) {
		add_file(request);
		return TRL_OK;
	}
	trl_buf_clear(body);
	trl_json_encode(body, method->out, request->out, false);
	if (method->tagged && add_tag(request, body))
		return TRL_OK;
	/* A strong tag is of exactly these bytes (RFC 9110, 8.8.3.3), so what has one
	 * is not packed. */
	if (has_version(request) || method->tagged)
		add_body(&request->response, "application/json", body->data, body->len);
	else
		edge_render_body(request, "application/json", body->data, body->len);
	return TRL_OK;
}
