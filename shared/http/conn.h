/* conn.h - a connection and its server, for the files of shared/http. */
#pragma once

#include <uv.h>

#include <trl/loop_uv.h>

#include "head.h"

enum {
	TRL_HTTP_READ_BYTES = 65536, /* the loop's shared read buffer */
	TRL_HTTP_AHEAD_BYTES =
	    32768,           /* read ahead while a handler runs; then reading stops */
	TRL_HTTP_AHEAD = 16, /* pipelined answers before they must be written */
	TRL_HTTP_SKIP_BYTES = 65536, /* of a body nobody read, to keep the connection */
	TRL_HTTP_SHARES = 8,         /* of what may wait, an address has one */
	TRL_HTTP_LINGER_BYTES = 262144,
	TRL_HTTP_LINGER_MS = 2000,
	TRL_HTTP_ADDRESSES = 1024,
};

/* What a connection waits for; each wait lasts equally long for all, so a queue
 * is in the order of its ends and one timer looks at the fronts only. */
enum http_wait { HTTP_HEAD, HTTP_BODY, HTTP_IDLE, HTTP_WRITE, HTTP_LINGER, HTTP_WAITS };

enum http_state {
	HTTP_READING,   /* between requests or within a head */
	HTTP_GATHERING, /* the head is there, and its body is on the way */
	HTTP_RUNNING,   /* an actor has the request */
	HTTP_SKIPPING,  /* the rest of a body nobody read */
	HTTP_STREAMING, /* the answer goes on, with or without its actor */
	HTTP_ENDING,    /* the last answer is being written */
	HTTP_LINGERING  /* written; what still comes is thrown away */
};

struct http_address {
	struct http_address *next;
	uint8_t key[16];
	size_t count;
	size_t held; /* bytes, by all its connections */
};

struct trl_http_conn {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	trl_http_server *server;
	struct trl_http_conn *prev, *next; /* all of the server */
	struct trl_http_conn *wait_prev, *wait_next;
	struct trl_http_conn *dirty_next;
	uint64_t wait_until_ms;
	struct http_address *address_count;
	trl_actor *actor; /* NULL: none is at work for it */
	struct trl_buf in, out;
	size_t seen;
	size_t head_len; /* of the head that in begins with; 0: it begins with none */
	size_t held; /* bytes of a request that is not complete, as they are counted */
	struct {
		uint64_t left; /* not yet taken from in; chunked: UINT64_MAX */
		struct trl_http_chunks chunks;
		struct trl_buf data; /* decoded chunks */
		enum trl_code rc;    /* of the chunks */
		bool chunked;
		bool expect; /* the client may wait for 100 Continue */
	} body;
	struct {
		void (*closed)(void *self); /* NULL: nobody is to be told */
		void *self;
		struct trl_ticket ticket; /* of who waits until all is written */
		bool waiting, chunked, slow;
	} stream;
	uint8_t state, wait; /* enum http_state; enum http_wait + 1, 0: none */
	uint8_t answers;     /* since the last write */
	bool dirty, writing, reading, eof, closed, handle_closed;
	bool answered, close_after, linger, head_only, keep_old, used;
	char address[46];
};

struct trl_http_server {
	trl_loop *loop;
	struct trl_http_options options;
	struct trl_http_limits limits;
	struct trl_http_handler handler;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} listener;
	bool is_unix, listening, accept_waits, leaving, draining, closing;
	uv_timer_t timer;
	uint64_t timer_at_ms; /* 0: not armed */
	size_t n_conns, n_streams, refs;
	size_t held; /* bytes of requests that are not complete */
	struct trl_http_conn *conns;
	struct {
		struct trl_http_conn *first, *last;
		uint32_t ms;
	} waits[HTTP_WAITS];
	struct trl_http_conn *dirty;
	struct http_address *addresses[TRL_HTTP_ADDRESSES];
	trl_arena *scratch;
	int64_t date_s;
	char date[40];
	uint8_t bytes[TRL_HTTP_READ_BYTES];
};

/* conn.c */
void trl_http_conn_start(trl_http_server *server, struct trl_http_conn *conn);
void trl_http_conn_close(struct trl_http_conn *conn);
/* The same, because the client broke off; why is libuv's. */
void trl_http_conn_lost(struct trl_http_conn *conn, int why);
/* Goes on with what was read: the next request, if one is whole. */
void trl_http_conn_step(struct trl_http_conn *conn);
void trl_http_conn_read(struct trl_http_conn *conn, bool on);
/* After the answer: keep the connection or end it. */
void trl_http_conn_end_request(struct trl_http_conn *conn);

/* request.c */
/* Reads the head that in begins with and keeps of it how its body is framed. Returns
 * 200 or the status to refuse with. */
uint16_t trl_http_request_read(
    struct trl_http_conn *conn, trl_arena *arena, struct trl_http_head *head);
/* The actor of a request. */
void trl_http_request_run(trl_ctx *ctx, void *arg);
/* Answers it without an actor: by the handler's now, else 503. */
void trl_http_request_now(struct trl_http_conn *conn);

/* body.c */
/* Whether the request, whose head is there, has to wait for its body. */
bool trl_http_body_awaited(struct trl_http_conn *conn);
/* Takes what has come of an awaited body. True: the request is complete, or its chunks
 * are none (body.rc). */
bool trl_http_body_gather(struct trl_http_conn *conn);

/* hold.c */
/* Counts bytes that the connection keeps of a request that is not complete. Where it is
 * too much, this connection or others are refused. */
void trl_http_hold(struct trl_http_conn *conn, size_t bytes);

/* wait.c */
void trl_http_wait(struct trl_http_conn *conn, enum http_wait wait);
void trl_http_wait_none(struct trl_http_conn *conn);
void trl_http_on_timer(uv_timer_t *timer);
/* At the limit of connections, for one that came: whichever has let us wait for the
 * longest is closed. None where all are at work. */
void trl_http_make_room(trl_http_server *server);

/* writer.c */
void trl_http_dirty(struct trl_http_conn *conn);
void trl_http_flush(void *self);
void trl_http_flush_one(struct trl_http_conn *conn);
void trl_http_write_response(struct trl_http_conn *conn,
    const struct trl_http_response *response, bool keep_alive);

/* The same for an answer that goes on: chunked, or until the connection ends. False:
 * it cannot be sent, and 500 is what was. */
bool trl_http_write_stream_head(
    struct trl_http_conn *conn, const struct trl_http_response *response, bool chunked);
bool trl_http_sendable(const struct trl_http_response *response);

/* stream.c */
/* The last chunk, and the end of the connection. */
void trl_http_stream_end(struct trl_http_conn *conn);
/* All that was written has gone, or will never go. */
void trl_http_stream_wake(struct trl_http_conn *conn);
/* The connection is no more. */
void trl_http_stream_forget(struct trl_http_conn *conn);

/* refuse.c */
/* request: as far as it was read; NULL: it is looked for in what came. */
void trl_http_refuse(struct trl_http_conn *conn, const struct trl_http_request *request,
    uint16_t status, const char *detail);

/* server.c */
void trl_http_forget(struct trl_http_conn *conn);
void trl_http_unref(trl_http_server *server);
