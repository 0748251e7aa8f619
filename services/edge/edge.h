/* edge.h - the edge's state, and what its rooms share of one request. A request is
 * an actor that walks through the rooms in this order; each is a file. A room
 * returns TRL_OK to go on; any other code ends the walk, and the problem is
 * rendered once, by problem.c, from ctx->err. */
#pragma once

#include <trl/access.h>
#include <trl/http.h>
#include <trl/method.h>
#include <trl/metrics.h>
#include <trl/origin.h>
#include <trl/routes.h>
#include <trl/service.h>

enum {
	EDGE_SEGMENTS_MAX = 12, /* of a path */
	EDGE_ORIGINS_MAX = 32,
	EDGE_TAGS_MAX = 8, /* of versions in If-Match */
	EDGE_KEY_MAX = 255 /* characters of an Idempotency-Key */
};

struct edge_config {
	const char *listen;
	const char *public_url;
	const char *origins;
	int64_t trusted_hops;
	int64_t max_connections;
	int64_t max_per_address;
	int64_t max_streams;
	int64_t max_streams_per_caller;
};

struct edge;
struct edge_streams;

/* A method with what the rooms would otherwise look up again and again. */
struct edge_route {
	const struct trl_method *method;
	char *storage; /* what the segments' texts lie in */
	size_t n_segments;
	const char *segments[EDGE_SEGMENTS_MAX]; /* text, or the variable's name */
	bool is_variable[EDGE_SEGMENTS_MAX];
	int tenant_segment; /* index of the tenant's variable, or -1 */
	bool wants_body;    /* some field must come from it */
	bool names;         /* the path has an id: it is one thing, whoever asks */
	bool locates;       /* POST whose reply can be read at path/id */
	int version, id, next_page_token, items; /* index in the reply, or -1 */
	int page_size;                           /* index in the request, or -1 */
	trl_series *latency;
	trl_series *fine; /* requests answered with the method's own status */
};

/* A body that is ready since the start. */
struct edge_static {
	const uint8_t *data;
	size_t len;
	uint8_t *gzip;
	size_t gzip_len;
	char etag[40], gzip_etag[40];
};

struct edge {
	const struct trl_host *host;
	struct trl_host host_copy;
	const struct edge_config *config;
	trl_access *access;
	trl_http_server *server;
	struct edge_streams *streams;
	struct edge_route *routes;
	size_t n_routes;
	struct edge_static openapi;
	char origin[TRL_ORIGIN_MAX]; /* our own, as people call this server */
	bool tls;                    /* they reach us by https */
	size_t n_origins;            /* others whose pages may read */
	char origins[EDGE_ORIGINS_MAX][TRL_ORIGIN_MAX];
	trl_metric *requests; /* by method and code */
	trl_metric *latency;  /* by method */
	struct trl_buf body;  /* of the answer in the making; never across a park */
};

/* How to sign in. An error of RFC 6750, 3.1 follows where a token was sent. */
#define EDGE_CHALLENGE "Bearer realm=\"trellis\""

enum edge_credential { EDGE_NO_CREDENTIAL, EDGE_BEARER, EDGE_COOKIE };

/* One request. */
struct edge_request {
	struct edge *edge;
	trl_ctx *ctx;
	struct trl_http_request *http;
	uint64_t started_us;
	const char *request_id;
	const char *address; /* the client's, behind trusted hops */
	const char *origin;  /* the Origin sent, if it may read answers; or NULL */
	bool is_head;

	/* route */
	size_t n_segments;
	const char *segments[EDGE_SEGMENTS_MAX]; /* decoded */
	const struct edge_route *route; /* NULL: none, or one of the edge's own */

	/* principal */
	enum edge_credential credential;
	uint8_t hash[TRL_ACCESS_HASH];
	const char *token;
	size_t token_len;
	struct trl_id key; /* the API key's; nil: a session */
	const struct trl_access_who *who;
	bool who_is_copy; /* from Redis, epoch not yet compared */
	bool keep_who;    /* no copy was there: one is to be made */

	/* grant */
	uint64_t account_epoch, tenant_epoch;
	const struct trl_access_grant *grant;
	struct trl_access_states states;

	/* decode, call */
	ProtobufCMessage *in, *out;

	/* A status of HTTP's own that no code stands for (405, 415 ...), or 0. */
	uint16_t status;
	const char
	    *challenge;   /* WWW-Authenticate, where there is more to say than how */
	uint16_t put_off; /* the status that a stream which says "later" stands for */
	bool answered;    /* by a stream, which goes on */
	bool tells_fault; /* the message of a fault is for who asks (/readyz) */
	struct trl_http_response response;
};

/* ---- rooms, in order ---------------------------------------------------------- */

/* door.c */
enum trl_code edge_door_open(struct edge *self);
void edge_walk(void *self, trl_ctx *ctx, struct trl_http_request *http);
/* How much of a body a request's walk would read, by its head. */
size_t edge_awaits(void *self, trl_arena *arena, const struct trl_http_request *http);
/* greet.c */
/* Fills request_id, the trace and origin from http. */
void edge_greet(struct edge_request *request);
/* Counts an answer of a method, or of "none". */
void edge_count(struct edge *self, const char *method, unsigned code);
/* Answers what is refused before it walks. */
void edge_turn_away(void *self, trl_arena *arena,
    const struct trl_http_refusal *refusal, struct trl_http_response *out);

/* address.c: the client's address, behind as many proxies as are trusted. */
const char *edge_address(const struct edge_request *request);
/* route.c: splits and decodes the path, finds the method; answers OPTIONS. */
bool edge_routes_open(struct edge *self);
enum trl_code edge_route(struct edge_request *request);
/* The methods of the request's path for Allow, in the arena; "" where none. */
const char *edge_route_allow(struct edge_request *request);
/* own.c: what the edge answers by itself (health, the document, problems, "*"). True:
 * answered. Does not park. */
#define EDGE_OWN_ALLOW "GET, HEAD, OPTIONS"
/* Whether a path is that of List-Unsubscribe: a GET of it leads to a page. */
#define EDGE_UNSUBSCRIBE "/api/v1/unsubscribe/"
bool edge_is_unsubscribe(const char *path);
bool edge_own(struct edge_request *request, enum trl_code *rc);
bool edge_own_open(struct edge *self);
/* The same without a walk, when no actor is free. */
bool edge_answer_now(void *self, trl_arena *arena, const struct trl_http_request *http,
    struct trl_http_response *out);

/* principal.c */
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
/* Path, query and body become request->in, valid by the contract. */
enum trl_code edge_decode(struct edge_request *request);
/* With a 415: what would have been taken (RFC 9110, 15.5.16; RFC 5789, 2.2). */
#define EDGE_PATCH_TYPES "application/merge-patch+json, application/json"
void edge_say_taken(struct edge_request *request);
/* The value of a query's parameter, decoded, in the arena. NULL: it is not there. */
const char *edge_query(const struct edge_request *request, const char *name);
/* text.c: percent-decoding. NULL: not valid. plus: '+' is a space. */
const char *edge_percent_decode(
    trl_arena *arena, const char *text, size_t len, bool plus, size_t *out_len);
/* accept.c: whether the client takes our type: JSON, or of a stream text/event-stream;
 * and gzip. */
bool edge_accepts_answer(const struct trl_http_request *http, bool stream);
/* Whether an event stream is asked for by name, as EventSource does. */
bool edge_names_stream(const struct trl_http_request *http);
bool edge_accepts_gzip(const struct trl_http_request *http);
/* tag.c: entity tags. */
const char *edge_tag(trl_arena *arena, int64_t version);
/* Whether If-None-Match lists it (weakly compared, RFC 9110 13.1.2). */
bool edge_if_none_match(const struct trl_http_request *http, const char *etag);
enum edge_condition { EDGE_UNCONDITIONAL, EDGE_ONE_OF_VERSIONS, EDGE_TOO_MANY_TAGS };
/* What If-Match asks for (strongly compared, 13.1.1): the versions that it lists. */
enum edge_condition edge_if_match(
    const struct trl_http_request *http, int64_t versions[EDGE_TAGS_MAX], size_t *n);
/* call.c: idempotency, preconditions, the call. */
enum trl_code edge_call(struct edge_request *request);
/* render.c: request->out becomes the response. */
enum trl_code edge_render(struct edge_request *request);
/* Sets the body, compressed where wanted; type is static text. */
void edge_render_body(
    struct edge_request *request, const char *type, const void *data, size_t len);
/* headers.c: what every answer carries. */
void edge_headers(struct edge_request *request);
/* Answers OPTIONS, where the path has the methods of allow: a preflight, too, if it is
 * one of an origin that may read. */
void edge_preflight(struct edge_request *request, const char *allow);
/* origin.c: our own origin and the allow-list. */
/* Whether they can be read from the settings; says what is wrong. */
bool edge_check_config(const void *config);
/* Reads them. The settings were checked. */
void edge_origins_read(struct edge *self);
/* Whether an Origin is our own or an allowed one. */
bool edge_origin_allowed(
    const struct edge *self, const struct trl_http_request *http, const char *origin);
/* cookie.c */
/* The session token in the Cookie header, or NULL. */
const char *edge_cookie_read(const struct edge_request *request, size_t *len);
/* Sets or removes the cookie, as method and reply say. */
void edge_cookie_write(struct edge_request *request);

/* stream*.c: a method whose answer goes on (GET /api/v1/events/stream). */
struct edge_streams *edge_streams_new(struct edge *self);
void edge_streams_free(struct edge_streams **streams);
/* Nothing opens any more; http's drain ends those that are open. */
void edge_streams_drain(struct edge_streams *streams);
bool edge_streams_drained(struct edge_streams *streams);
/* Before the call. Errors: TRL_RATE (of this caller), TRL_BUSY (of all),
 * TRL_UNAVAILABLE (draining). */
enum trl_code edge_stream_admit(struct edge_request *request);
/* After decoding: Last-Event-ID becomes a field of the request. */
void edge_stream_last_id(struct edge_request *request);
/* After the call: answers, sends what was missed, keeps the stream. Errors: TRL_BUSY.
 */
enum trl_code edge_stream_open(struct edge_request *request);

/* problem.c */
/* Ends a room with a status of HTTP's own. */
enum trl_code edge_refuse(
    struct edge_request *request, uint16_t status, const char *detail);
/* The response for ctx->err. */
void edge_problem(struct edge_request *request, enum trl_code rc);
/* The page of /problems/{name}, or NULL. */
const char *edge_problem_page(trl_arena *arena, const char *name);

extern const struct trl_service edge_service;
extern const struct trl_config_table edge_config_table;
