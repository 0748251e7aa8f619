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
/* Answers what is refused before it walks. */
void edge_turn_away(void *self, trl_arena *arena,
    const struct trl_http_refusal *refusal, struct trl_http_response *out);

/* own.c: what the edge answers by itself (health, the document, problems, "*"). True:
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
/* Of a request that nobody walks with: only splits the path, as far as it can be. */
void edge_route_split(struct edge_request *request);
/* The methods of the request's path for Allow, in the arena; "" where none. */
const char *edge_route_allow(struct edge_request *request);
/* The first of its path, whatever its verb; NULL: there is none. */
const struct edge_route *edge_route_near(const struct edge_request *request);
/* Whether one of them has the verb. */
bool edge_route_has(const struct edge_request *request, enum trl_verb verb);
/* What the methods of the request's path offer in answers to OPTIONS, and which types a
 * PATCH of it takes. */
void edge_route_offers(struct edge_request *request);
/* Whether a path is that of List-Unsubscribe: a GET of it leads to a page. */
#define EDGE_UNSUBSCRIBE "/api/v1/unsubscribe/"
bool edge_is_unsubscribe(const char *path);

/* principal.c */
/* How to sign in. An error of RFC 6750, 3.1 follows where a token was sent. */
#define EDGE_CHALLENGE "Bearer realm=\"trellis\""
/* Whether a credential that the method needs is there and has the form of one. */
bool edge_has_credential(struct edge_request *request);
/* Who is calling, counted against their address. */
enum trl_code edge_principal(struct edge_request *request);
/* Asks auth who the credential is; fills request->who. */
enum trl_code edge_principal_resolve(struct edge_request *request);
/* After the answer, or before a stream's: keeps a copy, if one is due, once. May park.
 */
void edge_principal_keep(struct edge_request *request);

/* grant.c: which tenant, what may be done in it, and the other limits. */
enum trl_code edge_grant(struct edge_request *request);
/* For a stream, whose request is over: asks auth anew who the credential is (hash, key)
 * and what it may do in the tenant. who: as it was. Errors: TRL_UNAUTHENTICATED,
 * TRL_NOT_FOUND (of that tenant), faults. */
enum trl_code edge_grant_renew(struct edge_request *request, struct trl_id tenant);

/* permission.c */
enum trl_code edge_permission(struct edge_request *request);

/* decode.c */
/* Whether the method takes a body such as the head announces; its size apart. */
enum trl_code edge_body_form(struct edge_request *request);
/* Whether a body has a Content-Encoding. */
bool edge_body_is_coded(const struct edge_request *request);
/* Path, query and body become request->in, valid by the contract. */
enum trl_code edge_decode(struct edge_request *request);
/* 415, which names the type that came, and what would have been taken. */
enum trl_code edge_refuse_type(struct edge_request *request, const char *taken);
/* The types of bytes that a method takes, which its contract lists. */
const char *edge_types_taken(trl_arena *arena, const struct trl_body *takes);
/* With a 415: what would have been taken (RFC 9110, 15.5.16; RFC 5789, 2.2; of bytes
 * Linked Data Platform 1.0, 7.1). */
void edge_say_taken(struct edge_request *request);

/* bound.c: fields that header fields hold. */
/* Whether a message has a field that this one holds. */
bool edge_binds(const struct trl_message *rules, const char *header);
/* Checks that the protocol's version is the supported one: 412 else. */
enum trl_code edge_bound_version(struct edge_request *request);
/* Takes the request's. Errors: TRL_MALFORMED. */
enum trl_code edge_bound_take(struct edge_request *request);
/* Adds the reply's to the response, whose status may be among them; Content-Length
 * becomes request->length. Errors: TRL_INTERNAL (they make no answer). */
enum trl_code edge_bound_tell(struct edge_request *request);

/* call.c: idempotency, preconditions, the call. */
enum trl_code edge_call(struct edge_request *request);

/* What goes along with a call, its versions apart. */
enum trl_code edge_call_prepare(struct edge_request *request);

/* bytes_form.c: whether a method that takes bytes takes such as the head announces. */
enum trl_code edge_bytes_form(struct edge_request *request);
/* bytes.c: of a method that takes or gives bytes. */
/* The call, with its bodies, and the answer where it succeeds. */
enum trl_code edge_bytes(struct edge_request *request);

/* render.c: request->out becomes the response. */
enum trl_code edge_render(struct edge_request *request);
/* Sets the body, compressed where wanted; type is static text. */
void edge_render_body(
    struct edge_request *request, const char *type, const void *data, size_t len);

/* advice.c */
/* What a client can do now that it is told of a fault; NULL: nothing. */
const char *edge_advice(const struct edge_request *request, enum trl_code rc);
/* Seconds that it is asked to wait; 0: unsaid, also where to try again is not right. */
unsigned edge_retry_after_s(const struct edge_request *request, enum trl_code rc);

/* problem.c: the response for ctx->err. */
void edge_problem(struct edge_request *request, enum trl_code rc);
/* ofrep.c: of a method that speaks OFREP: the status and body of a failure, in place of
 * a problem's. */
bool edge_speaks_ofrep(const struct edge_request *request);
uint16_t edge_ofrep_status(const struct edge_request *request, uint16_t status);
void edge_ofrep_failure(struct trl_buf *out, const struct edge_request *request,
    uint16_t status, const char *detail);
/* The page of /problems/{name}, or NULL. */
const char *edge_problem_page(trl_arena *arena, const char *name);
