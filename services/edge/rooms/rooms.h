/* rooms.h - the rooms that a request walks through, each a file, in the order of the
 * walk (door.c). A room returns TRL_OK to go on; any other code ends the walk, and the
 * problem is rendered once, by problem.c, from ctx->err. */
#pragma once

#include "rules/rules.h"

/* greet.c */
/* Fills request_id, the trace and origin from http. */
void edge_greet(struct edge_request *request);
/* Counts an answer of a route, or of none. */
void edge_count(struct edge *self, const struct edge_route *route, unsigned code,
    const struct trl_trace *trace);
/* Answers a request that is refused before it walks. */
void edge_turn_away(void *self, trl_arena *arena,
    const struct trl_http_refusal *refusal, struct trl_http_response *out);

/* own.c: answers the edge's own paths (health, the document, problems, "*"). True:
 * answered. Does not park. */
bool edge_own_open(struct edge *self);
bool edge_own(struct edge_request *request, enum trl_code *rc);
/* The same without a walk, when no actor is free. */
bool edge_answer_now(void *self, trl_arena *arena, const struct trl_http_request *http,
    struct trl_http_response *out);
#define EDGE_OWN_ALLOW "GET, HEAD, OPTIONS"

/* route.c: splits and decodes the path, finds the method. */
bool edge_routes_open(struct edge *self);
enum trl_code edge_route(struct edge_request *request);
/* For a request that is not walked: only splits the path, as far as possible. */
void edge_route_split(struct edge_request *request);
/* The methods of the request's path for Allow, in the arena; "" if there are none. */
const char *edge_route_allow(struct edge_request *request);
/* The first route of its path, whatever the verb; NULL: there is none. */
const struct edge_route *edge_route_near(const struct edge_request *request);
/* Whether a route of its path has the verb. */
bool edge_route_has(const struct edge_request *request, enum trl_verb verb);
/* Adds what the methods of the request's path offer in answers to OPTIONS, and which
 * types its PATCH accepts. */
void edge_route_offers(struct edge_request *request);
/* Whether a path is List-Unsubscribe's: its GET redirects to a page. */
#define EDGE_UNSUBSCRIBE "/api/v1/unsubscribe/"
bool edge_is_unsubscribe(const char *path);

/* principal.c */
/* How to sign in. If a token was sent, an error of RFC 6750, 3.1 follows. */
#define EDGE_CHALLENGE "Bearer realm=\"trellis\""
/* Whether the credential that the method needs was sent and is well-formed. */
bool edge_has_credential(struct edge_request *request);
/* Who is calling, counted against their address. */
enum trl_code edge_principal(struct edge_request *request);
/* Asks auth who the credential is; fills request->who. */
enum trl_code edge_principal_resolve(struct edge_request *request);
/* After the answer, or before a stream begins: keeps a copy, if there was none, once.
 * May park. */
void edge_principal_keep(struct edge_request *request);

/* grant.c: finds the tenant and what the caller may do in it; counts the other limits.
 */
enum trl_code edge_grant(struct edge_request *request);
/* For a stream or a transfer: asks auth again who the credential (hash, key) is, and
 * what it may do in the tenant. who: as before. Errors: TRL_UNAUTHENTICATED,
 * TRL_NOT_FOUND (not in that tenant any more), faults. */
enum trl_code edge_grant_renew(struct edge_request *request, struct trl_id tenant);

/* permission.c */
enum trl_code edge_permission(struct edge_request *request);

/* decode.c */
/* Checks that the method accepts a body as the head announces it, except its size. */
enum trl_code edge_body_form(struct edge_request *request);
/* Whether a body has a Content-Encoding. */
bool edge_body_is_coded(const struct edge_request *request);
/* Decodes path, query and body into request->in, valid by the contract. */
enum trl_code edge_decode(struct edge_request *request);
/* 415, which names the type that was sent and the accepted one. */
enum trl_code edge_refuse_type(struct edge_request *request, const char *taken);
/* The types of bytes that a method accepts, as its contract lists them. */
const char *edge_types_taken(trl_arena *arena, const struct trl_body *takes);
/* Adds to a 415 what is accepted (RFC 9110, 15.5.16; RFC 5789, 2.2; for bytes, Linked
 * Data Platform 1.0, 7.1). */
void edge_say_taken(struct edge_request *request);

/* bound.c: fields that header fields hold. */
/* Whether a message has a field that this header field holds. */
bool edge_binds(const struct trl_message *rules, const char *header);
/* Checks that the protocol's version is the supported one: 412 else. */
enum trl_code edge_bound_version(struct edge_request *request);
/* Fills the request's fields from the headers. Errors: TRL_MALFORMED. */
enum trl_code edge_bound_take(struct edge_request *request);
/* Adds the reply's fields to the response, including its status; Content-Length becomes
 * request->length. Errors: TRL_INTERNAL (they make no valid answer). */
enum trl_code edge_bound_tell(struct edge_request *request);

/* call.c: idempotency, preconditions, the call. */
enum trl_code edge_call(struct edge_request *request);

/* Prepares what goes along with a call, except versions. */
enum trl_code edge_call_prepare(struct edge_request *request);

/* bytes_form.c: checks that a method that takes bytes accepts those that the head
 * announces. */
enum trl_code edge_bytes_form(struct edge_request *request);
/* bytes.c: for methods that take or give bytes, makes the call with its bodies, and
 * answers if it succeeds. */
enum trl_code edge_bytes(struct edge_request *request);

/* render.c: renders request->out as the response. */
enum trl_code edge_render(struct edge_request *request);
/* Sets the body, compressed where wanted; type is static text. */
void edge_render_body(
    struct edge_request *request, const char *type, const void *data, size_t len);

/* advice.c */
/* What to tell a client that it can do after a fault; NULL: nothing. */
const char *edge_advice(const struct edge_request *request, enum trl_code rc);
/* Seconds that it is asked to wait; 0: not said, also when trying again is wrong. */
unsigned edge_retry_after_s(const struct edge_request *request, enum trl_code rc);

/* problem.c: the response for ctx->err. */
void edge_problem(struct edge_request *request, enum trl_code rc);
/* ofrep.c: the status and body of a failure of a method that speaks OFREP, in place of
 * a problem. */
bool edge_speaks_ofrep(const struct edge_request *request);
uint16_t edge_ofrep_status(const struct edge_request *request, uint16_t status);
void edge_ofrep_failure(struct trl_buf *out, const struct edge_request *request,
    uint16_t status, const char *detail);
/* The page at /problems/{name}, or NULL. */
const char *edge_problem_page(trl_arena *arena, const char *name);
