/* stream.h - one end of the bodies of one call. Private to bus/calls.
 *
 * stream.c is what both ends do, stream_call.c and stream_serve.c what only one does,
 * stream_credit.c how much may be on its way. */
#pragma once

#include <trl/shares.h>
#include <trl/span.h>
#include <trl/stream.h>

#include "bulk.h"
#include "call.h"

struct bus_serving;

/* The other end's body. Credit is counted in what pieces cost (bus_piece_cost). */
struct stream_in {
	bool comes;           /* piece by piece */
	const uint8_t *whole; /* it rode; NULL: it did not, or was read */
	size_t whole_len;
	struct bus_piece *first, **last, *held; /* held: the one that is being read */
	uint64_t held_cost;
	uint64_t came, length; /* bytes; length UINT64_MAX: not known yet */
	bool lost; /* the bulk was, before the reply: what had been sent may be gone */
	uint64_t granted, spent, read;
	uint32_t window;   /* how much may be granted and not read; 0: nothing yet */
	uint64_t grown_at; /* of read */
	uint32_t charge;   /* its part of its holder's share */
};

/* Ours. */
struct stream_out {
	bool goes;     /* there may be one, and it has not ended */
	bool ended;    /* all was written */
	bool unwanted; /* the other end reads no more */
	uint64_t sent; /* bytes */
	uint64_t credit, spent;
};

struct trl_stream {
	struct bus_bulk *bulk;          /* NULL: the first connection has gone */
	struct trl_stream *prev, *next; /* of the bulk */
	uint64_t call_id;
	const struct trl_method *method;
	trl_bus *bus;
	trl_loop *loop;
	struct bus_budget *budget;   /* of the process */
	trl_share *share;            /* of it */
	const char *over;            /* why it is broken, or NULL */
	struct trl_ticket ticket;    /* who waits for a change of anything here */
	void (*changed)(void *self); /* who watches; NULL: nobody */
	void *watcher;
	uint64_t until_us; /* the caller's patience; else UINT64_MAX */
	bool goes_on; /* a piece has moved, or may: no more is it the call's time */
	struct stream_in in;
	struct stream_out out;
	/* The caller's. */
	struct bus_call call;
	struct bus_target *target;
	struct trl_span span;
	uint64_t since_us;
	uint8_t *reply; /* the frame as it came: read when it is asked for */
	size_t reply_len;
	/* The callee's. */
	bool serves;
	bool answered, replied; /* the handler has; the bus has */
	bool stalled; /* the caller's body stood still for as long as one may */
	bool nudged;  /* who reads shall not wait, once */
	bool replayed;
	struct trl_buf message; /* the reply's */
	struct trl_buf kept;    /* of the body, what may ride in it */
};

/* stream.c */
struct trl_stream *bus_stream_new(struct bus_bulk *bulk, trl_loop *loop,
    const struct trl_method *method, struct bus_budget *budget, struct trl_id holder);
void bus_stream_free(struct trl_stream **stream);
/* Parks until something changes. Errors: TRL_DEADLINE, TRL_UNAVAILABLE. */
enum trl_code bus_stream_wait(
    trl_ctx *ctx, struct trl_stream *stream, const char *what) TRL_MUST_CHECK;
void bus_stream_wake(struct trl_stream *stream);
void bus_stream_break(struct trl_stream *stream, const char *why);
/* Tells who watches, where our body has nobody to go to. */
void bus_stream_watched(struct trl_stream *stream);
enum trl_code bus_stream_over(trl_ctx *ctx, const struct trl_stream *stream);
/* The bulk was lost, and whatever it carried of a body. */
void bus_stream_bulk_lost(struct trl_stream *stream);
/* A piece has moved. */
void bus_stream_moved(trl_ctx *ctx, struct trl_stream *stream);
/* It goes on: who uses it has time from now on, whatever it did meanwhile. */
void bus_stream_go_on(trl_ctx *ctx, struct trl_stream *stream);
/* Before each wait: as that, if it goes on. */
void bus_stream_has_time(trl_ctx *ctx, struct trl_stream *stream);
void bus_stream_drop_held(struct trl_stream *stream);
/* A frame that is about this stream, on the first connection. */
void bus_stream_say(struct trl_stream *stream, const struct bus_frame *frame);
/* stream_read.c: what the other end said; NULL: fine, else why it is not believed. */
const char *bus_stream_came(struct trl_stream *stream, struct bus_piece *piece);
const char *bus_stream_ended(struct trl_stream *stream, const struct bus_frame *frame);

/* stream_call.c */
void bus_stream_replied(struct trl_stream *stream, const struct bus_frame *reply);

/* stream_serve.c: a call of a method with bodies came. */
struct trl_stream *bus_stream_serve(struct bus_bulk *bulk, trl_loop *loop,
    const struct trl_method *method, const struct bus_frame *frame);
/* Sends the reply; whole: all of the body is kept, and rides. */
enum trl_code bus_stream_reply(trl_ctx *ctx, struct trl_stream *stream, bool whole);
/* The handler returned rc: what that is, with regard to the body it should have given.
 */
enum trl_code bus_stream_check(
    trl_ctx *ctx, struct trl_stream *stream, enum trl_code rc);
/* Ends what the handler left open. False: the reply is still to be sent. */
bool bus_stream_finish(struct trl_stream *stream, enum trl_code rc);

/* stream_credit.c */
/* Who holds what a call that came holds. */
struct trl_id bus_credit_holder(const struct bus_frame *call);
/* Reserves memory for a body, once. False: none is left. */
bool bus_credit_open(struct trl_stream *stream);
enum trl_code bus_credit_none(trl_ctx *ctx);
/* How much more may be granted now; it counts as granted. */
uint32_t bus_credit_take(struct trl_stream *stream);
/* The reader has read more; it waits for more. */
void bus_credit_refill(struct trl_stream *stream);
void bus_credit_grow(struct trl_stream *stream);
/* After a piece or an end came: if that was all, no more is kept for it. */
void bus_credit_settle(struct trl_stream *stream);
/* Of a body that rides: whether there is memory to keep it, and that it is kept. */
bool bus_credit_has_room(
    const trl_bus_net *net, const struct bus_frame *call, size_t len);
void bus_credit_ride(struct trl_stream *stream, size_t len);
/* The other end gave n more. */
const char *bus_credit_came(struct trl_stream *stream, uint32_t n);
void bus_credit_close(struct trl_stream *stream);
