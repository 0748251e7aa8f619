/* bulk.h - what carries the pieces of bodies between two ends: a connection beside the
 * first one, so that no piece stands before a call. Private to bus/calls.
 *
 * The seam between streams and carriers. A carrier moves pieces in order and says when
 * it is up, down, or has room again; it knows of a body nothing but its call's id.
 * Credit, ends and cancels are said on the first connection, so that they are the same
 * whatever carries the pieces.
 *
 * A bulk belongs to one first connection at each end (bus_peer, bus_conn) and is used
 * for nothing else. The callee's HELLO on the first one hands out a token; whoever
 * shows it, as a caller that is believed by the carrier's own means, carries for that
 * connection. The caller dials with its first stream and stays. */
#pragma once

#include <trl/stream.h>

#include "link.h"

struct bus_bulk;
struct bus_peer;
struct bus_conn;
struct bulk_link;
struct bulk_unix;

enum {
	BUS_PIECE_LEAST = 256, /* what a piece costs of the credit at least */
	BUS_FILE_COST = 16384, /* a file's part: nothing is held but a descriptor */
};

/* A piece that came. Its carrier embeds it. */
struct bus_piece {
	struct bus_piece *next;
	struct trl_piece what;
	/* Frees it, and closes the descriptor, if there still is one. */
	void (*drop)(struct bus_piece *piece);
};

/* What it costs of the credit, at both ends alike. */
static inline uint64_t
bus_piece_cost(size_t len, bool is_file)
{
	if (is_file)
		return BUS_FILE_COST;
	return len < BUS_PIECE_LEAST ? BUS_PIECE_LEAST : len;
}

struct bus_carrier {
	const char *name;
	/* The caller's: connects and then says bus_bulk_up, or has it be. Called when
	 * the first connection is up and its token known, each time. False: not to
	 * this peer, and the next carrier is tried. */
	bool (*dial)(struct bus_bulk *bulk);
	/* Copies some of len bytes as one piece, at most TRL_STREAM_PIECE; returns how
	 * many. 0: it is full, and bus_bulk_room comes once it is not. */
	size_t (*send)(
	    struct bus_bulk *bulk, uint64_t call_id, const void *data, size_t len);
	/* Hands over a file's part as one piece; fd stays the caller's. False: full.
	 * NULL: this carrier cannot. */
	bool (*send_file)(struct bus_bulk *bulk, uint64_t call_id, int fd,
	    uint64_t offset, uint64_t len);
	/* Ends the connection, if there still is one. The caller's is dialled anew by
	 * dial. */
	void (*drop)(struct bus_bulk *bulk);
	/* The caller's: as drop, and for good, or until it is dialled again. */
	void (*close)(struct bus_bulk *bulk);
	/* Each tick while it is up, or NULL: says bus_bulk_dead of what is dead. */
	void (*tick)(struct bus_bulk *bulk);
};

struct bus_bulk {
	trl_bus *bus;
	struct bus_link *first;
	struct bus_peer *peer; /* whose it is: the caller's, */
	struct bus_conn *conn; /* or the callee's */
	const char *to;        /* the service at the other end */
	uint8_t token[BUS_TOKEN];
	bool has_token;               /* of the first connection as it stands now */
	bool wanted;                  /* the caller has had a stream */
	unsigned idle;                /* ticks since it was lost and nothing dialled */
	const struct bus_carrier *by; /* which is up; NULL: none */
	struct bulk_link *link;       /* bulk_link.c's */
	struct bulk_unix *by_unix;    /* bulk_unix.c's */
	char path[BUS_PATH_MAX + 1];  /* where the callee's unix socket is, or "" */
	struct trl_stream *streams;   /* of the calls of the first connection */
	unsigned n_streams;
	uint64_t late; /* may still come for streams that have gone: their credit */
	struct bus_bulk_series {
		trl_series *streams[2], *bytes[2], *waits; /* in, out */
	} m;
};

/* Each once, at start. */
void bus_bulk_init(struct bus_bulk *bulk, trl_bus *bus, struct bus_link *first,
    struct bus_peer *peer, struct bus_conn *conn);
/* The first connection has a token now, as the callee's HELLO says; it has gone
 * (streams break, and the bulk goes); it will not come again. */
void bus_bulk_first_up(struct bus_bulk *bulk, const struct bus_frame *hello);
void bus_bulk_first_lost(struct bus_bulk *bulk);
void bus_bulk_close(struct bus_bulk *bulk);
void bus_bulk_tick(struct bus_bulk *bulk);
/* What the first connection said of a body: CREDIT, END, and CANCEL of a callee.
 * NULL: fine, else why the other end is not believed any more. */
const char *bus_bulk_said(
    struct bus_bulk *bulk, const struct bus_frame *frame) TRL_MUST_CHECK;

/* For streams. */
void bus_bulk_add(struct bus_bulk *bulk, struct trl_stream *stream);
void bus_bulk_remove(struct trl_stream *stream);

/* For carriers. */
void bus_bulk_up(struct bus_bulk *bulk, const struct bus_carrier *by);
/* It was lost; its carrier is told to drop what there still is of it. */
void bus_bulk_down(struct bus_bulk *bulk);
/* As that, of one that is silent: the other end is told, and the caller dials anew. */
void bus_bulk_dead(struct bus_bulk *bulk);
/* The caller's: what was dialled is not to be had after all, and the next is tried.
 * (Of what was up and is lost the first connection may be going too: if it is not, a
 * tick dials anew.) */
void bus_bulk_next(struct bus_bulk *bulk, const struct bus_carrier *after);
void bus_bulk_room(struct bus_bulk *bulk);
/* Takes the piece over. NULL: fine, else why the other end is not believed any more:
 * the carrier then says bus_bulk_refuse, which ends both connections. */
const char *bus_bulk_came(
    struct bus_bulk *bulk, uint64_t call_id, struct bus_piece *piece) TRL_MUST_CHECK;
void bus_bulk_refuse(struct bus_bulk *bulk, const char *why);
/* The callee's: whose token a caller shows, NULL: nobody's. */
struct bus_bulk *bus_bulk_of_token(
    trl_bus *bus, struct bus_text caller, const uint8_t token[BUS_TOKEN]);
