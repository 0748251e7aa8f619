/* rules.h - HTTP's own rules, of one header or part of a request each. They know the
 * request and nothing of rooms or streams. */
#pragma once

#include "edge.h"

/* accept.c: the type of a method's answers, and whether the client takes it; and gzip.
 */
const char *edge_answer_type(const struct trl_method *method);
bool edge_accepts_answer(const struct trl_http_request *http, const char *type);
/* Whether an event stream is asked for by name, as EventSource does. */
bool edge_names_stream(const struct trl_http_request *http);
bool edge_accepts_gzip(const struct trl_http_request *http);

/* address.c: the client's address, behind as many proxies as are trusted. */
const char *edge_address(const struct edge_request *request);

/* cookie.c: the session token in the Cookie header, or NULL. */
const char *edge_cookie_read(const struct edge_request *request, size_t *len);
/* Sets or removes the cookie, as method and reply say. */
void edge_cookie_write(struct edge_request *request);

/* headers.c: what every answer carries. */
void edge_headers(struct edge_request *request);
#define EDGE_PATCH_TYPES "application/merge-patch+json, application/json"
/* Answers OPTIONS, where the path has the methods of allow: a preflight, too, if it is
 * one of an origin that may read. */
void edge_preflight(struct edge_request *request, const char *allow);

/* Learns what a route's contract says of header fields: names that pages of other
 * origins may send and read, and lines that are always the same. */
void edge_headers_learn(struct edge *self, struct edge_route *route);
/* Adds a header field, where the answer has none of that name yet. */
void edge_add_once(
    struct trl_http_response *response, const char *name, const char *value);
/* Adds those of a list that are not there yet. */
void edge_offer(struct edge_request *request, const char *const *offers);

/* origin.c: our own origin and the allow-list. */
/* Whether they can be read from the settings; says what is wrong. */
bool edge_check_config(const void *config);
/* Reads them. The settings were checked. */
void edge_origins_read(struct edge *self);
/* Whether an Origin is our own or an allowed one. */
bool edge_origin_allowed(
    const struct edge *self, const struct trl_http_request *http, const char *origin);

/* refuse.c: ends a room with a status of HTTP's own. Returns TRL_MALFORMED. */
enum trl_code edge_refuse(
    struct edge_request *request, uint16_t status, const char *detail);

/* tag.c: entity tags. */
enum { EDGE_TAGS_MAX = 8 }; /* of versions in If-Match */
enum edge_condition { EDGE_UNCONDITIONAL, EDGE_ONE_OF_VERSIONS, EDGE_TOO_MANY_TAGS };
const char *edge_tag(trl_arena *arena, int64_t version);
/* Whether If-None-Match lists it (weakly compared, RFC 9110 13.1.2). */
bool edge_if_none_match(const struct trl_http_request *http, const char *etag);
/* What If-Match asks for (strongly compared, 13.1.1): the versions that it lists. */
enum edge_condition edge_if_match(
    const struct trl_http_request *http, int64_t versions[EDGE_TAGS_MAX], size_t *n);

/* text.c: percent-decoding. NULL: not valid. plus: '+' is a space. */
const char *edge_percent_decode(
    trl_arena *arena, const char *text, size_t len, bool plus, size_t *out_len);
/* The value of a query's parameter, decoded, in the arena. NULL: it is not there. */
const char *edge_query(const struct edge_request *request, const char *name);
