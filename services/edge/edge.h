/* edge.h - the edge's state, and the request that its rooms share. Included everywhere
 * in the folder; rules/rules.h, rooms/rooms.h and streams/streams.h declare the rest,
 * and each includes only those before it. */
#pragma once

#include <trl/access.h>
#include <trl/http.h>
#include <trl/method.h>
#include <trl/metrics.h>
#include <trl/origin.h>
#include <trl/routes.h>
#include <trl/service.h>
#include <trl/shares.h>

enum {
	EDGE_SEGMENTS_MAX = 12, /* of a path */
	EDGE_ORIGINS_MAX = 32
};

struct edge_config {
	const char *listen;
	const char *public_url;
	const char *origins;
	int64_t trusted_hops;
	int64_t max_connections;
	int64_t max_per_address;
	int64_t body_idle_s;
	int64_t max_streams;
	int64_t max_streams_per_caller;
};

struct edge;
struct edge_streams;

/* A method, and what the rooms would otherwise look up for each request. */
struct edge_route {
	const struct trl_method *method;
	char *storage; /* holds the segments' texts */
	size_t n_segments;
	const char *segments[EDGE_SEGMENTS_MAX]; /* text, or the variable's name */
	bool is_variable[EDGE_SEGMENTS_MAX];
	int tenant_segment; /* index of the tenant's variable, or -1 */
	int whose_segment;  /* of a public method: the owner's tenant, or -1 */
	bool wants_body;    /* some required field must come from the body */
	bool names;         /* the path has an id: the same resource for all callers */
	bool shows_path;    /* its variables are ids, so it holds no token */
	bool binds, tells;  /* header fields hold fields of the request, of the reply */
	bool shows;         /* the reply has fields for a body */
	char *fixed;        /* header lines of every answer, if not the usual ones */
	size_t fixed_len;
	bool locates; /* POST whose reply can be read at path/id */
	int version, id, next_page_token, items; /* index in the reply, or -1 */
	int body, file_name;                     /* with a media type; or -1 */
	int page_size;                           /* index in the request, or -1 */
	trl_series *latency;
	trl_series *results[3]; /* ok, refused, failed */
	trl_series *fine;       /* answers with the method's status of success */
};

/* A body that is made at the start. */
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
	const char *const *needs; /* the services without which it is not ready */
	const struct edge_config *config;
	trl_access *access;
	trl_http_server *server;
	struct trl_shares transfers; /* of bodies of bytes, at once */
	struct edge_streams *streams;
	struct edge_route *routes;
	size_t n_routes;
	struct edge_static openapi;
	char origin[TRL_ORIGIN_MAX]; /* our own, as people call this server */
	bool leaving;                /* SIGTERM came */
	bool tls;                    /* the public URL is https */
	size_t n_origins;            /* other origins whose pages may read */
	char origins[EDGE_ORIGINS_MAX][TRL_ORIGIN_MAX];
	/* The header fields that pages of other origins may send and read: all that
	 * contracts bind. */
	struct trl_buf sendable, readable;
	trl_metric *requests; /* by method and result */
	trl_metric *answers;  /* by service and status */
	trl_metric *latency;  /* by service */
	trl_series *none[3];  /* requests without a route: ok, refused, failed */
	struct trl_buf body;  /* of the answer being made; never kept across a park */
};

enum edge_credential { EDGE_NO_CREDENTIAL, EDGE_BEARER, EDGE_COOKIE };

/* One request. */
struct edge_request {
	struct edge *edge;
	trl_ctx *ctx;
	struct trl_http_request *http;
	uint64_t started_us;
	const char *request_id;
	uint8_t caller_span[8]; /* of the client's traceparent, or zeros */
	const char *address;    /* the client's, behind trusted hops */
	const char *origin;     /* the Origin sent, if it may read answers; or NULL */
	bool is_head;

	/* route */
	size_t n_segments;
	const char *segments[EDGE_SEGMENTS_MAX]; /* decoded */
	const struct edge_route *route; /* NULL: none, or a path of the edge's own */

	/* principal */
	enum edge_credential credential;
	uint8_t hash[TRL_ACCESS_HASH];
	const char *token;
	size_t token_len;
	struct trl_id key; /* the API key's; nil: a session */
	const struct trl_access_who *who;
	bool who_is_copy; /* from Redis; its epoch is not compared yet */
	bool keep_who;    /* there was no copy: make one */

	/* grant */
	uint64_t account_epoch, tenant_epoch;
	const struct trl_access_grant *grant;
	struct trl_access_states states;

	/* decode, call */
	ProtobufCMessage *in, *out;

	uint64_t length;     /* of the answer's body, if the reply says it */
	uint32_t permission; /* that the body needs besides the method's; or 0 */

	/* A status of HTTP for which there is no code (405, 415 ...), or 0. */
	uint16_t status;
	const char *challenge; /* WWW-Authenticate, if not the usual one */
	uint16_t put_off;      /* the status that a stream saying "later" stands for */
	bool left;             /* the client disconnected in the middle of a body */
	bool answered;         /* by a stream, which goes on, or in pieces */
	bool tells_fault;      /* the caller sees a fault's message (/readyz) */
	struct trl_http_response response;
};

/* door.c: listens, and walks each request through the rooms. Errors: TRL_INTERNAL. */
enum trl_code edge_door_open(struct edge *self) TRL_MUST_CHECK;

extern const struct trl_service edge_service;
extern const struct trl_config_table edge_config_table;
