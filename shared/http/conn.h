/* conn.h - a connection and its server, for the files of shared/http. */
#pragma once

#include <uv.h>

#include <trl/loop_uv.h>

#include <trl/http_body.h>

#include "head.h"
#include "pace.h"

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
	TRL_HTTP_PIECE_SMALL = 65536, /* of a body in pieces; TRL_HTTP_PIECE_BYTES of
				       * one that comes faster */
	TRL_HTTP_FILES = 4,           /* threads that send from files */
	TRL_HTTP_FILES_WAIT = 4096,
	TRL_HTTP_BURST = 1 << 20,   /* moved at most before others have a turn */
	TRL_HTTP_TAIL_BYTES = 4096, /* given to libuv, to hear when there is room */
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
	size_t held;   /* bytes, by all its connections */
	size_t pieces; /* the same, of bodies that are read in pieces */
};

struct http_piece {
	struct http_piece *next;
	size_t cap;
	uint8_t bytes[];
};

/* A body that is read in pieces; in its actor's arena. Of what has come, raw[at..len)
 * was not given yet. */
struct http_reader {
	struct trl_http_conn *conn;
	uint8_t *raw;
	size_t at, len;
	struct http_piece *piece; /* raw is its bytes; NULL: raw is conn->in */
	struct trl_ticket ticket;
	struct http_reader *room_next; /* who waits for room, too */
	struct http_pace pace;
	size_t burst;
	bool waiting; /* for the socket, by ticket */
	bool dry;     /* the socket had no more */
	bool fast;    /* it filled a piece */
};

/* An answer's body that is written; in its actor's arena. */
struct http_writer {
	uint64_t left; /* of its length; UINT64_MAX: unknown */
	struct http_pace pace;
	size_t burst;
	bool chunked, begun;
	bool nowhere; /* what is written */
	bool until_end;
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
	size_t untaken; /* since the end of an answer in pieces was written, when last
			 * looked; 0: it has gone, or there was none */
	struct {
		uint64_t left; /* not yet taken from in; chunked: UINT64_MAX */
		struct trl_http_chunks chunks;
		struct trl_buf data; /* decoded chunks */
		enum trl_code rc;    /* of the chunks */
		bool chunked;
		bool expect; /* the client may wait for 100 Continue */
		bool in_pieces;
		bool nudged; /* as the next read will tell */
	} body;
	struct {
		void (*closed)(void *self); /* NULL: nobody is to be told */
		void *self;
		struct trl_ticket ticket; /* of who waits until all is written */
		bool waiting, chunked, slow;
	} stream;
	struct http_reader *reader; /* NULL: no body is read in pieces */
	struct http_writer *writer; /* NULL: no answer's body is written */
	uint8_t state, wait;        /* enum http_state; enum http_wait + 1, 0: none */
	uint8_t answers;            /* since the last write */
	bool dirty, writing, reading, eof, closed, handle_closed;
	bool sending; /* a thread has the descriptor, which stays open meanwhile */
	bool answered, close_after, linger, head_only, keep_old, used;
	char address[46];
};

struct trl_http_server {
	trl_loop *loop;
	struct trl_http_options options;
	struct trl_http_limits limits;
	struct http_pace_limits pace;
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
	struct {
		size_t used, kept; /* bytes: given out; for the next */
		size_t readers;
		struct http_piece *small, *large; /* kept */
		struct http_reader *first;        /* waits for room */
	} room;
	struct trl_offload files;
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
/* What its actor is told then: TRL_UNAVAILABLE. amid: "in mid-body". */
enum trl_code trl_http_left(trl_ctx *ctx, const char *amid);
/* Goes on with what was read: the next request, if one is whole. */
void trl_http_conn_step(struct trl_http_conn *conn);
void trl_http_conn_read(struct trl_http_conn *conn, bool on);
int trl_http_conn_fd(const struct trl_http_conn *conn);
/* After the answer: keep the connection or end it. */
void trl_http_conn_end_request(struct trl_http_conn *conn);

/* The thread that had its descriptor is done. */
void trl_http_conn_sent(struct trl_http_conn *conn);

/* request.c */
/* Reads the head that in begins with and keeps of it how its body is framed. Returns
 * 200 or the status to refuse with. */
uint16_t trl_http_request_read(
    struct trl_http_conn *conn, trl_arena *arena, struct trl_http_head *head);
/* The actor of a request. */
void trl_http_request_run(trl_ctx *ctx, void *arg);
/* How the connection goes on behind the answer that is made now. */
bool trl_http_request_keeps(struct trl_http_conn *conn,
    const struct trl_http_request *request, const struct trl_http_response *response);
/* Answers it without an actor: by the handler's now, else 503. */
void trl_http_request_now(struct trl_http_conn *conn);

/* body.c */
/* Whether the request, whose head is there, has to wait for its body. */
bool trl_http_body_awaited(struct trl_http_conn *conn);
/* Takes what has come of an awaited body. True: the request is complete, or its chunks
 * are none (body.rc). */
bool trl_http_body_gather(struct trl_http_conn *conn);

/* pieces.c */
/* The socket has something for the body that is read. */
void trl_http_reader_ready(struct trl_http_conn *conn);
void trl_http_reader_wake(struct trl_http_conn *conn);
/* Nobody reads the body any more; what was read too far goes back. */
void trl_http_reader_end(struct trl_http_conn *conn);

/* room.c */
/* Whether there is room for a body to begin. */
bool trl_http_room(const struct trl_http_conn *conn);
/* Says so where there is none. */
enum trl_code trl_http_room_none(trl_ctx *ctx);
/* NULL: there is none. large: a large one where there is plenty. */
struct http_piece *trl_http_piece_take(struct trl_http_conn *conn, bool large);
void trl_http_piece_give(struct trl_http_conn *conn, struct http_piece **piece);
/* Parks until there may be room. */
enum trl_code trl_http_room_wait(trl_ctx *ctx, struct trl_http_conn *conn);
void trl_http_room_empty(trl_http_server *server);

/* answer.c */
/* Breaks off an answer that was not finished. */
void trl_http_writer_break(struct trl_http_conn *conn);
/* Sends out and data as far as the kernel takes them now; takes what it took from both.
 * Not while conn->writing. */
void trl_http_writer_try(
    struct trl_http_conn *conn, const uint8_t **data, size_t *len, bool more);
/* Sends what is in out and then data, more: and something will follow at once. Parks
 * until the kernel has it. */
enum trl_code trl_http_writer_send(trl_ctx *ctx, struct trl_http_conn *conn,
    const uint8_t *data, size_t len, bool more);
/* Parks until what libuv has was taken. */
enum trl_code trl_http_writer_wait(trl_ctx *ctx, struct trl_http_conn *conn);
/* The handler has its time anew, for the next piece. */
void trl_http_time_for_next(trl_ctx *ctx, const struct trl_http_conn *conn);
/* What every write begins with. */
enum trl_code trl_http_writer_begin(
    trl_ctx *ctx, struct trl_http_request *request, uint64_t len);

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

/* The same for an answer whose body follows: of that length, or of none that is told.
 * False: it cannot be sent, and 500 is what was. */
struct http_framing {
	uint64_t length; /* UINT64_MAX: none is told */
	bool chunked, keep;
};
bool trl_http_write_head(struct trl_http_conn *conn,
    const struct trl_http_response *response, const struct http_framing *framing);
bool trl_http_sendable(const struct trl_http_response *response);
/* Has libuv write what is in out, which tells when the kernel has taken it. */
void trl_http_write_rest(struct trl_http_conn *conn, size_t done);
/* Bytes that the client has not taken, with those that are still here. */
size_t trl_http_untaken(const struct trl_http_conn *conn);

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
