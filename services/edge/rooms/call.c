/* call.c - what goes along with the call (the key under which a write runs once,
 * the version it is about, its time), and the call. */
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include <trl/bus.h>
#include <trl/member.h>
#include <trl/wire.h>

#include "rooms/rooms.h"

#define FORM_TYPE "multipart/form-data"
enum {
	KEY_MAX = 255,  /* characters of an Idempotency-Key */
	NO_VERSION = -1 /* that no resource has */
};

/* The client's key: bare, or quoted as a structured field's string.
 * Errors: TRL_MALFORMED. NULL: none was sent. */
static enum trl_code
read_key(struct edge_request *request, const char **key)
{
	const char *text = trl_http_header(request->http, "idempotency-key");
	size_t len, i;

	*key = NULL;
	if (!text)
		return TRL_OK;
	len = strlen(text);
	if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
		text++;
		len -= 2;
	}
	if (len == 0 || len > KEY_MAX)
		return trl_fail(request->ctx, TRL_MALFORMED,
		    "Idempotency-Key must have 1 to %d characters.", KEY_MAX);
	for (i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '"' ||
		    text[i] == '\\')
			return trl_fail(request->ctx, TRL_MALFORMED,
			    "Idempotency-Key must have visible ASCII characters "
			    "only, and no quotes.");
	*key = trl_arena_strndup(request->ctx->arena, text, len);
	return TRL_OK;
}

static void
hash_scope(struct edge_request *request, const void *one, size_t one_len,
    const void *other, size_t other_len)
{
	struct trl_idempotency *idempotency = &request->ctx->idempotency;
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, sizeof idempotency->scope);
	crypto_generichash_update(&state, one, one_len);
	crypto_generichash_update(&state, other, other_len);
	crypto_generichash_final(&state, idempotency->scope, sizeof idempotency->scope);
}

/* Whose key it is: the API key's, the account's (in a tenant: the account's there,
 * since the same request to another tenant is another one), else the client's address;
 * the latter even if a public method saw a session, which the request may have ended.
 * What is in the request plays no part, or the same key with another body would be new.
 */
static void
fill_scope(struct edge_request *request)
{
	struct trl_idempotency *idempotency = &request->ctx->idempotency;
	const struct trl_principal *who = &request->ctx->principal;
	const struct trl_id tenant = request->ctx->tenant;

	if (request->route->method->auth == TRL_AUTH_PUBLIC)
		hash_scope(
		    request, request->address, strlen(request->address) + 1, NULL, 0);
	else if (who->kind == TRL_KEY)
		memcpy(
		    idempotency->scope, who->session.bytes, sizeof who->session.bytes);
	else if (who->kind == TRL_PERSON && trl_id_is_nil(tenant))
		memcpy(
		    idempotency->scope, who->account.bytes, sizeof who->account.bytes);
	else
		hash_scope(request, &who->account, sizeof who->account, &tenant,
		    sizeof tenant);
}

/* A form that is sent again has another boundary, and so perhaps another length, but is
 * the same request. */
static bool
is_form(const struct edge_request *request)
{
	const char *type = trl_http_header(request->http, "content-type");

	return request->route->method->takes && type &&
	       strncasecmp(type, FORM_TYPE, strlen(FORM_TYPE)) == 0;
}

/* Bytes are not read yet: hashes what the head says about them. */
static void
hash_bytes(struct edge_request *request, crypto_generichash_state *state)
{
	static const char *const said[] = { "content-length", "content-type",
		"content-digest" };

	for (size_t i = 0; i < TRL_COUNT(said); i++) {
		const char *value = is_form(request)
					? FORM_TYPE
					: trl_http_header(request->http, said[i]);

		if (!value)
			value = "";
		crypto_generichash_update(
		    state, (const uint8_t *)value, strlen(value) + 1);
	}
}

/* Whether a body comes in chunks without a digest: another body under the key could not
 * be told from this one. (A PATCH of bytes says where they belong.) */
static bool
is_unsaid(const struct edge_request *request)
{
	const struct trl_http_request *http = request->http;

	return request->route->method->takes && http->has_body &&
	       http->content_length == UINT64_MAX &&
	       strcmp(http->method, "POST") == 0 && !is_form(request) &&
	       !trl_http_header(http, "content-digest");
}

/* The message to hash: of a form, without what its boundary changes. */
static const ProtobufCMessage *
hashed_message(const struct edge_request *request)
{
	static const char *const said[] = { "Content-Length", "Content-Type",
		"Content-Digest" };
	const struct trl_message *rules = request->route->method->in;
	ProtobufCMessage *copy;

	if (!is_form(request))
		return request->in;
	copy = trl_arena_memdup(
	    request->ctx->arena, request->in, rules->descriptor->sizeof_message);
	for (unsigned i = 0; i < rules->descriptor->n_fields; i++)
		for (size_t j = 0; j < TRL_COUNT(said); j++)
			if (rules->fields[i].header &&
			    strcasecmp(rules->fields[i].header, said[j]) == 0)
				trl_member_clear(&rules->descriptor->fields[i], copy);
	return copy;
}

/* Hashes method, path and message. The message's encoding is canonical, so the same
 * JSON with other spaces or order is the same request. */
static void
fill_request_hash(struct edge_request *request)
{
	struct trl_idempotency *idempotency = &request->ctx->idempotency;
	const char *method = request->route->method->name;
	const char *path = request->http->path;
	crypto_generichash_state state;
	const uint8_t *body;
	size_t len;

	trl_wire_encode(request->ctx->arena, hashed_message(request), &body, &len);
	crypto_generichash_init(&state, NULL, 0, sizeof idempotency->request);
	crypto_generichash_update(&state, (const uint8_t *)method, strlen(method) + 1);
	crypto_generichash_update(&state, (const uint8_t *)path, strlen(path) + 1);
	crypto_generichash_update(&state, body, len);
	if (request->route->method->takes)
		hash_bytes(request, &state);
	crypto_generichash_final(
	    &state, idempotency->request, sizeof idempotency->request);
}

static enum trl_code
fill_idempotency(struct edge_request *request)
{
	struct trl_idempotency *idempotency = &request->ctx->idempotency;
	enum trl_code rc = read_key(request, &idempotency->key);

	if (rc != TRL_OK)
		return rc;
	if (request->route->method->effect != TRL_WRITE) {
		idempotency->key = NULL;
		return TRL_OK;
	}
	idempotency->from_client = idempotency->key != NULL;
	if (idempotency->from_client && is_unsaid(request))
		return trl_fail(request->ctx, TRL_MALFORMED,
		    "With an Idempotency-Key bytes need Content-Length or "
		    "Content-Digest: nothing else tells one body from another.");
	if (!idempotency->key) {
		char *text = trl_arena_alloc(request->ctx->arena, TRL_ID_TEXT);

		trl_id_format(trl_id_random(), text);
		idempotency->key = text;
	}
	fill_scope(request);
	fill_request_hash(request);
	return TRL_OK;
}

/* Errors: TRL_MALFORMED. n 0: no version is asked for. Even if none of the tags can be
 * ours, the resource's owner is asked, because first it says whether the resource
 * exists and may be changed. */
static enum trl_code
find_versions(struct edge_request *request, int64_t versions[EDGE_TAGS_MAX], size_t *n)
{
	enum edge_condition condition;

	*n = 0;
	if (edge_binds(request->route->method->in, "If-Match"))
		return TRL_OK; /* the method judges by itself */
	condition = edge_if_match(request->http, versions, n);
	/* Not ignored: whoever sends it does not want to change what exists. */
	if (!trl_verb_reads(request->route->method->verb) &&
	    !request->route->method->tagged &&
	    !edge_binds(request->route->method->in, "If-None-Match") &&
	    trl_http_header(request->http, "if-none-match"))
		return trl_fail(
		    request->ctx, TRL_MALFORMED, "This method takes no If-None-Match.");
	if (condition == EDGE_UNCONDITIONAL)
		return TRL_OK;
	if (!request->route->method->if_match)
		return trl_fail(
		    request->ctx, TRL_MALFORMED, "This method takes no If-Match.");
	if (condition == EDGE_TOO_MANY_TAGS)
		return trl_fail(request->ctx, TRL_MALFORMED,
		    "If-Match may list at most %d tags.", EDGE_TAGS_MAX);
	if (*n == 0)
		versions[(*n)++] = NO_VERSION;
	return TRL_OK;
}

/* The resource's owner compares one version, and changes nothing if it differs; so if
 * several are listed, they are tried in turn. */
static enum trl_code
call_for_one_of(struct edge_request *request, const int64_t *versions, size_t n)
{
	trl_ctx *ctx = request->ctx;
	enum trl_code rc;
	size_t i = 0;

	do {
		trl_err_clear(ctx);
		ctx->has_if_version = n > 0;
		ctx->if_version = n > 0 ? versions[i] : 0;
		rc = trl_bus_call(ctx, request->edge->host->bus, request->route->method,
		    request->in, &request->out);
	} while (rc == TRL_PRECONDITION && ++i < n);
	return rc;
}

/* Prepares what goes along with a call. versions: the n of If-Match. */
static enum trl_code
prepare(struct edge_request *request, int64_t versions[EDGE_TAGS_MAX], size_t *n)
{
	enum trl_code rc = fill_idempotency(request);

	if (rc == TRL_OK)
		rc = find_versions(request, versions, n);
	trl_set_deadline(request->ctx,
	    trl_mono_us() + (uint64_t)request->route->method->timeout_ms * 1000);
	return rc;
}

enum trl_code
edge_call_prepare(struct edge_request *request)
{
	int64_t versions[EDGE_TAGS_MAX];
	size_t n;

	return prepare(request, versions, &n);
}

enum trl_code
edge_call(struct edge_request *request)
{
	int64_t versions[EDGE_TAGS_MAX];
	enum trl_code rc;
	size_t n;

	rc = prepare(request, versions, &n);
	if (rc != TRL_OK)
		return rc;
	rc = call_for_one_of(request, versions, n);
	if (rc == TRL_RATE)
		trl_access_name_refused(request->edge->access,
		    request->route->method->rate, request->ctx->err.message,
		    request->ctx->err.retry_after_ms, &request->states);
	return rc;
}
