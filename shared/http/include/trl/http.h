/* http.h - a strict HTTP/1.1 server (RFC 9110, 9112) on the loop. A waiting
 * connection is a small struct without a stack; when a request is complete, an actor
 * runs the handler in straight-line code: read the body, answer, return. Pipelined
 * requests are handled one after another; up to 16 are read ahead.
 *
 * A client that closes its side after a complete request is answered; one that
 * disconnects is logged at debug level, and what it asked for is done all the same.
 *
 * A request whose framing is in doubt is refused and the connection closed (400, 408,
 * 411, 413, 414, 417, 431, 501, 505); the owner's refuse function makes the answers, so
 * that they look like all others. */
#pragma once

#include <trl/actor.h>
#include <trl/buf.h>

typedef struct trl_http_server trl_http_server;

struct trl_http_header {
	const char *name;  /* lower case */
	const char *value; /* trimmed */
	size_t value_len;
};

enum { TRL_HTTP_HEADERS_MAX = 100 };

/* What a handler that reads a body in pieces awaits: see trl/http_body.h. */
#define TRL_HTTP_PIECES SIZE_MAX

/* One request. Everything lives in the actor's arena. */
struct trl_http_request {
	const char *method; /* "GET", as sent, a valid token */
	const char *path;   /* as sent, without the query; begins with '/', or is "*" */
	const char *query;  /* after '?', or "" */
	bool has_query;     /* there is a '?' */
	const char *host;
	const char *peer_address; /* IP as text */
	size_t n_headers;
	const struct trl_http_header *headers;
	bool has_body;
	uint64_t content_length; /* UINT64_MAX: chunked */
	bool keep_alive;
	uint64_t most;              /* see trl_http_expect */
	struct trl_http_conn *conn; /* NULL: it has been answered */
};

struct trl_http_response {
	uint16_t status;
	size_t n_headers;
	struct trl_http_header headers[32];
	/* Whole lines "Name: value\r\n", sent before the others as they are, or NULL.
	 * Compile-time text only: nothing checks it. */
	const char *fixed;
	size_t fixed_len;
	const void *body;
	size_t body_len;
	bool close; /* end the connection after this answer */
};

/* Why a request is refused before any handler, and what had been read of it: all of its
 * headers or none, and "" for texts that had not been read. */
struct trl_http_refusal {
	uint16_t status;
	const char *detail;
	const struct trl_http_request *request;
};

struct trl_http_handler {
	/* Answers by calling exactly one of trl_http_reply, trl_http_answer and
	 * trl_http_stream_open, once. Runs in an actor. NULL: now answers everything.
	 */
	void (*handle)(void *self, trl_ctx *ctx, struct trl_http_request *request);
	/* The most bytes of body that handle will read: it is run once the body is
	 * complete. TRL_HTTP_PIECES: handle reads it by trl_http_read, so it runs as
	 * soon as the head is there. 0: it will read none, because it refuses the head.
	 * Must not park. Not called for GET, nor if the body came with the head. NULL:
	 * no body is ever waited for. */
	size_t (*awaits)(
	    void *self, trl_arena *arena, const struct trl_http_request *request);
	/* Answers, when no actor is free, what must be answered even then. False: the
	 * request is refused. Must not park. NULL: all are refused. */
	bool (*now)(void *self, trl_arena *arena,
	    const struct trl_http_request *request, struct trl_http_response *out);
	/* Fills the response to a request that is refused before any handler; also the
	 * 500 when handle returned without an answer or with one that cannot be sent,
	 * and the 503 when no actor was free. Logs it, since nobody else does. Must not
	 * park. */
	void (*refuse)(void *self, trl_arena *arena,
	    const struct trl_http_refusal *refusal, struct trl_http_response *out);
	void *self;
};

struct trl_http_options {
	const char *listen;          /* "127.0.0.1:8080", "[::1]:8080", "unix:/path" */
	size_t max_connections;      /* 10,000; beyond that idle ones are closed */
	size_t max_per_address;      /* 1,000; beyond: 503 and close. 0: no limit */
	size_t max_waiting_bytes;    /* 64 MiB of requests that are not complete, an
				      * eighth of an address (if those are limited);
				      * beyond: 503 and close */
	size_t max_head_bytes;       /* 16 KiB, more: 431 */
	size_t max_uri_bytes;        /* 8 KiB, more: 414 */
	uint32_t head_timeout_ms;    /* 10,000 for the whole head: 408 */
	uint32_t body_timeout_ms;    /* 30,000 for the whole body: 408 */
	uint32_t idle_timeout_ms;    /* 75,000 between requests: closed */
	uint32_t handler_timeout_ms; /* the actor's deadline, 30,000 */
	/* Of bodies in pieces (trl/http_body.h). */
	size_t max_piece_bytes;    /* 16 MiB for all, an eighth of an address (if those
				    * are limited); beyond, a body is not begun */
	uint32_t piece_timeout_ms; /* 30,000 without any progress */
	uint32_t floor_ms;         /* 60,000 of waiting ... */
	uint32_t floor_bytes;      /* ... in which at least 60 KiB must move */
};

/* Listens. Errors: TRL_UNAVAILABLE, printed with what to do (port busy...). */
enum trl_code trl_http_open(trl_loop *loop, const struct trl_http_options *options,
    const struct trl_http_handler *handler, trl_http_server **out) TRL_MUST_CHECK;
/* From now on each answer closes its connection; the server still listens. */
void trl_http_leave(trl_http_server *server);
/* Stops accepting, lets answers finish, closes idle connections, ends streams. */
void trl_http_drain(trl_http_server *server);
bool trl_http_drained(const trl_http_server *server);
void trl_http_close(trl_http_server **server);
/* The number of connections. */
size_t trl_http_connections(const trl_http_server *server);
/* The port in use, for ":0". */
unsigned trl_http_port(const trl_http_server *server);

/* The value of the first header of that lower-case name, or NULL. */
const char *trl_http_header(const struct trl_http_request *request, const char *name);
void trl_http_add_header(
    struct trl_http_response *response, const char *name, const char *value);

/* The whole body, which has arrived, in the arena; once. Does not park.
 * Errors: TRL_QUOTA (more than max_bytes, or than was waited for), TRL_MALFORMED
 * (chunking), TRL_INTERNAL (it was not waited for). */
enum trl_code trl_http_body(trl_ctx *ctx, struct trl_http_request *request,
    size_t max_bytes, const uint8_t **data, size_t *len) TRL_MUST_CHECK;

/* Sends the answer (copied): Date, Content-Length, Connection are added. HEAD
 * gets no body. The connection goes on with the next request; nobody waits for what the
 * handler does after this. Does not park. */
void trl_http_reply(trl_ctx *ctx, struct trl_http_request *request,
    const struct trl_http_response *response);

/* Answers that go on. */

/* An answer that goes on after its handler has returned: only its connection's small
 * struct, without actor, stack or buffer while nothing is to be sent. HTTP/1.1 gets it
 * in chunks, 1.0 until the connection ends; what the client sends meanwhile is thrown
 * away, and the connection ends with the answer. It counts as a connection. */
typedef struct trl_http_conn trl_http_stream;

enum { TRL_HTTP_STREAM_BYTES = 65536 };

/* Answers with the head (instead of trl_http_reply), to which Date, the framing and
 * Connection: close are added. closed is called once, from the loop, when the client
 * or trl_http_drain has ended the stream, or it was too slow; the stream is gone then.
 * NULL: the answer is complete as it is (HEAD, a client that has left, a draining
 * server), and closed is not called. */
trl_http_stream *trl_http_stream_open(trl_ctx *ctx, struct trl_http_request *request,
    const struct trl_http_response *response, void (*closed)(void *self),
    void *self) TRL_MUST_CHECK;
/* Sends data (copied) at the end of this turn of the loop. False: nothing is sent any
 * more, because the client would be more than TRL_HTTP_STREAM_BYTES behind or the
 * stream was ending; closed is still called, in a later turn. */
bool trl_http_stream_write(
    trl_http_stream *stream, const void *data, size_t len) TRL_MUST_CHECK;
/* Sends what was written now, and not at the end of this turn: for writing more at once
 * than a stream may be behind. If it cannot be sent, the connection is closed, but
 * stays until the request's actor has ended. */
void trl_http_stream_push(trl_http_stream *stream);
/* How many bytes may be written now. */
size_t trl_http_stream_room(const trl_http_stream *stream);
/* Parks until the client has taken what was written. For the request's own actor only.
 * Errors: TRL_UNAVAILABLE (the client left), TRL_DEADLINE. */
enum trl_code trl_http_stream_wait(
    trl_ctx *ctx, trl_http_stream *stream) TRL_MUST_CHECK;
/* Ends the answer after what was written; closed is not called any more. */
void trl_http_stream_close(trl_http_stream **stream);
/* Breaks the connection off, so that the client does not take what was sent for all. */
void trl_http_stream_break(trl_http_stream **stream);
/* The number of streams. */
size_t trl_http_streams(const trl_http_server *server);
