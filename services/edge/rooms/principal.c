/* principal.c - who is calling. One round trip to Redis counts the client's address
 * and fetches the copy of the credential; auth is asked only where there is none.
 *
 * A copy is believed once its epoch was compared (grant.c, with the second trip).
 * One is made only from facts read after that epoch: so on a miss auth is asked
 * again after the answer has gone out (a stream's: before it begins), once in 5 s a
 * session. */
#include <string.h>
#include <strings.h>

#include <auth_v1.trl.h>

#include "rooms/rooms.h"

static enum trl_code
unknown(struct edge_request *request)
{
	if (request->credential == EDGE_BEARER)
		request->challenge = EDGE_CHALLENGE ", error=\"invalid_token\"";
	trl_err_clear(request->ctx);
	return trl_fail(request->ctx, TRL_UNAUTHENTICATED,
	    "The session or API key is unknown, has expired or was revoked.");
}

/* Finds session token or key in Authorization, else in the cookie.
 * Errors: TRL_UNAUTHENTICATED (a scheme that is not Bearer). */
static enum trl_code
find_credential(struct edge_request *request)
{
	const char *text = trl_http_header(request->http, "authorization");

	if (text) {
		if (strncasecmp(text, "Bearer ", 7) != 0)
			return trl_fail(request->ctx, TRL_UNAUTHENTICATED,
			    "Authorization must be Bearer, with a session token or "
			    "an API key.");
		text += 7;
		text += strspn(text, " ");
		request->credential = EDGE_BEARER;
		request->token_len = strlen(text);
	} else {
		text = edge_cookie_read(request, &request->token_len);
		if (!text)
			return TRL_OK;
		request->credential = EDGE_COOKIE;
	}
	request->token = text;
	return TRL_OK;
}

/* Whether the credential has a form that can be one at all. */
static bool
is_well_formed(struct edge_request *request)
{
	if (trl_access_is_session(request->token, request->token_len))
		return true;
	return request->credential == EDGE_BEARER &&
	       trl_access_key_parse(request->token, request->token_len, &request->key);
}

bool
edge_has_credential(struct edge_request *request)
{
	if (request->route->method->auth == TRL_AUTH_PUBLIC)
		return true;
	return find_credential(request) == TRL_OK && request->token &&
	       is_well_formed(request);
}

/* A page of another origin can make a browser send the cookie; it can neither set
 * Origin nor know the token. Safe methods change nothing. */
static enum trl_code
check_csrf(struct edge_request *request)
{
	const char *origin = trl_http_header(request->http, "origin");
	const char *sent = trl_http_header(request->http, "x-csrf-token");
	char token[TRL_ACCESS_CSRF_TEXT];
	size_t i, differs = 0;

	if (request->credential != EDGE_COOKIE ||
	    trl_verb_reads(request->route->method->verb))
		return TRL_OK;
	if (!origin || !edge_origin_allowed(request->edge, request->http, origin))
		return trl_fail(request->ctx, TRL_DENIED,
		    "With the session cookie, Origin must be this server or an allowed "
		    "one.");
	trl_access_csrf(request->hash, token);
	if (!sent || strlen(sent) != sizeof token - 1)
		return trl_fail(request->ctx, TRL_DENIED,
		    "With the session cookie, X-CSRF-Token must be the token that GET "
		    "/api/v1/me returns.");
	for (i = 0; i < sizeof token - 1; i++)
		differs |= (size_t)(sent[i] ^ token[i]);
	if (differs)
		return trl_fail(request->ctx, TRL_DENIED,
		    "X-CSRF-Token is not the token that GET /api/v1/me returns.");
	return TRL_OK;
}

static struct trl_id
id_of(ProtobufCBinaryData bytes)
{
	struct trl_id id = trl_id_nil;

	if (bytes.len == sizeof id.bytes)
		memcpy(id.bytes, bytes.data, sizeof id.bytes);
	return id;
}

static int64_t
time_of(const Google__Protobuf__Timestamp *time)
{
	return time ? time->seconds * 1000000 + time->nanos / 1000 : 0;
}

static enum trl_code
resolve_session(struct edge_request *request, struct trl_access_who *who)
{
	Auth__V1__ResolveSessionRequest in = AUTH__V1__RESOLVE_SESSION_REQUEST__INIT;
	Auth__V1__ResolvedSession *out;
	enum trl_code rc;

	trl_set(&in, token_hash,
	    (ProtobufCBinaryData){ sizeof request->hash, request->hash });
	rc = auth_call_resolve_session_with(request->ctx, request->edge->host->bus, &in,
	    &(const struct trl_call_terms){ .as_service = true }, &out);
	if (rc != TRL_OK)
		return rc;
	*who = (struct trl_access_who){ .kind = TRL_PERSON,
		.account = id_of(out->account_id),
		.session = id_of(out->session_id),
		.verified = out->verified,
		.expires_at_us = time_of(out->expires_at) };
	return TRL_OK;
}

static enum trl_code
resolve_key(struct edge_request *request, struct trl_access_who *who)
{
	struct trl_id id = request->key;
	Auth__V1__ResolveKeyRequest in = AUTH__V1__RESOLVE_KEY_REQUEST__INIT;
	Auth__V1__ResolvedKey *out;
	enum trl_code rc;

	trl_set(&in, key_id, (ProtobufCBinaryData){ sizeof id.bytes, id.bytes });
	trl_set(&in, key_hash,
	    (ProtobufCBinaryData){ sizeof request->hash, request->hash });
	rc = auth_call_resolve_key_with(request->ctx, request->edge->host->bus, &in,
	    &(const struct trl_call_terms){ .as_service = true }, &out);
	if (rc != TRL_OK)
		return rc;
	*who = (struct trl_access_who){ .kind = TRL_KEY,
		.account = id_of(out->account_id),
		.session = id_of(out->key_id),
		.tenant = id_of(out->tenant_id),
		.verified = true,
		.expires_at_us = time_of(out->expires_at),
		.permissions = out->permissions,
		.n_permissions = out->n_permissions };
	return TRL_OK;
}

enum trl_code
edge_principal_resolve(struct edge_request *request)
{
	struct trl_access_who *who = trl_arena_zalloc(request->ctx->arena, sizeof *who);
	enum trl_code rc;

	if (!trl_id_is_nil(request->key))
		rc = resolve_key(request, who);
	else
		rc = resolve_session(request, who);
	if (rc == TRL_NOT_FOUND)
		return unknown(request);
	if (rc != TRL_OK)
		return trl_fold(request->ctx, rc);
	request->who = who;
	request->who_is_copy = false;
	return TRL_OK;
}

/* Where a method that everybody may call sees a session: whose it is, as auth says, for
 * no epoch is compared here. One that is none any more is as none. The page that shows
 * it gains nothing of the session but what the request has by itself, so X-CSRF-Token
 * is not asked for. */
static enum trl_code
see_session(struct edge_request *request)
{
	struct trl_principal *principal = &request->ctx->principal;
	enum trl_code rc = find_credential(request);

	if (rc == TRL_OK && (!request->token || !trl_access_is_session(request->token,
						    request->token_len)))
		return TRL_OK;
	if (rc == TRL_OK) {
		trl_access_hash(request->token, request->token_len, request->hash);
		rc = edge_principal_resolve(request);
	}
	if (rc == TRL_UNAUTHENTICATED) {
		trl_err_clear(request->ctx);
		request->challenge = NULL;
		return TRL_OK;
	}
	if (rc != TRL_OK)
		return rc;
	principal->kind = TRL_PERSON;
	principal->account = request->who->account;
	principal->session = request->who->session;
	principal->verified = request->who->verified;
	return TRL_OK;
}

enum trl_code
edge_principal(struct edge_request *request)
{
	const struct trl_method *method = request->route->method;
	const bool open = method->auth == TRL_AUTH_PUBLIC;
	trl_ctx *ctx = request->ctx;
	bool formed = false;
	enum trl_code rc = TRL_OK, found = TRL_OK;

	if (!open)
		found = find_credential(request);
	if (request->token && is_well_formed(request)) {
		formed = true;
		trl_access_hash(request->token, request->token_len, request->hash);
	}
	rc = trl_access_greet(ctx, request->edge->access, request->address,
	    open ? method->rate : NULL, formed ? request->hash : NULL, &request->who,
	    &request->states);
	if (rc == TRL_OK && method->sees_session)
		return see_session(request);
	if (rc != TRL_OK || open)
		return rc;
	if (found != TRL_OK)
		return found;
	if (!request->token)
		return trl_fail(ctx, TRL_UNAUTHENTICATED, "Sign in first.");
	if (!formed)
		return unknown(request);
	request->who_is_copy = request->who != NULL;
	request->keep_who = !request->who;
	if (!request->who) {
		rc = edge_principal_resolve(request);
		if (rc != TRL_OK)
			return rc;
	}
	return check_csrf(request);
}

void
edge_principal_keep(struct edge_request *request)
{
	const bool is_key = request->who && request->who->kind == TRL_KEY;
	struct trl_access_who who;

	if (!request->keep_who || !request->who)
		return;
	request->keep_who = false;
	if (edge_principal_resolve(request) != TRL_OK) {
		trl_err_clear(request->ctx); /* then there is no copy */
		return;
	}
	who = *request->who;
	who.epoch = is_key ? request->tenant_epoch : request->account_epoch;
	trl_access_keep_who(request->ctx, request->edge->access, request->hash, &who);
}
