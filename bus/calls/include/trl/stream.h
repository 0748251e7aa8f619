/* stream.h - bodies beside a message: bytes of any size that a call takes along, or
 * that its reply gives back, read and written piece by piece. For methods whose
 * contract says takes or gives; in actors.
 *
 * Nothing is held that nobody reads: a writer parks until the reader has given credit
 * for what it has memory for. From the callee's first read on, and from each piece on,
 * a body has 35 s in place of the method's total: so far the deadlines of the actors at
 * both ends are moved on with each piece, and with each wait for one. Who waits for
 * credit waits for as long as its reader takes, which has limits of its own.
 *
 * A stream belongs to one actor at each end. What breaks it (the other end gave up, a
 * connection was lost) is told by the next read or write, and at once to who waits in
 * one: TRL_UNAVAILABLE. */
#pragma once

#include <trl/bus.h>

typedef struct trl_stream trl_stream;

enum {
	TRL_STREAM_PIECE = 262144, /* the most of one piece */
	TRL_STREAM_RIDES =
	    131072, /* a body up to this size costs no more than a call */
};

struct trl_piece {           /* len 0 and fd -1: the body has ended */
	const uint8_t *data; /* until the next read or the stream's end */
	size_t len;
	/* 0 or more: a regular file's part in place of bytes; the reader closes it, and
	 * reads by offset, for its position is the writer's too. */
	int fd;
	uint64_t offset, size;
};

/* Who calls. */

struct trl_stream_terms {
	struct trl_call_terms call; /* a step's name, another service... */
	bool whole;       /* body is all that the call takes along, and len may be 0 */
	const void *body; /* copied */
	size_t len;       /* at most TRL_STREAM_RIDES */
	struct trl_id holder; /* whose share of memory it takes; nil: ctx's */
};

/* Makes the call, which is never made again once it was sent. terms may be NULL. A
 * method that takes no body needs no whole. *out is closed by trl_stream_close, before
 * ctx ends.
 * Errors: TRL_BUSY (no memory for what would be given back, or
 * its holder has as much as it may), and every fault. */
enum trl_code trl_stream_open(trl_ctx *ctx, trl_bus *bus,
    const struct trl_method *method, const ProtobufCMessage *in,
    const struct trl_stream_terms *terms, trl_stream **out) TRL_MUST_CHECK;
/* Parks until the callee reads (*wanted true), or has answered without:
 * trl_stream_reply tells what. So a refusal is known before a client was asked for its
 * body. Errors: every fault. */
enum trl_code trl_stream_wanted(
    trl_ctx *ctx, trl_stream *stream, bool *wanted) TRL_MUST_CHECK;
/* Parks until the reply. *out lies in ctx's arena; the body that it gives is then read.
 * A write that failed asks here what became of the call: it may have been answered.
 * Errors: what the method lists, and every fault. */
enum trl_code trl_stream_reply(
    trl_ctx *ctx, trl_stream *stream, ProtobufCMessage **out) TRL_MUST_CHECK;
/* Gives up what is not over. */
void trl_stream_close(trl_stream **stream);

/* Who is called. */

/* NULL: the method carries no body. It ends with the handler. */
trl_stream *trl_stream_of(trl_ctx *ctx);
/* Replies before the handler returns; what it writes from now on is the body that its
 * method gives, and it returns TRL_OK once that was ended. An error that it returns, or
 * a body without an end, breaks the body off at the caller's end too. A handler that
 * does not call it gives an empty body. Of a WRITE: its record has been made.
 * Errors: TRL_UNAVAILABLE, TRL_INTERNAL (too large for the bus). */
enum trl_code trl_stream_answer(
    trl_ctx *ctx, trl_stream *stream, const ProtobufCMessage *out) TRL_MUST_CHECK;

/* Both. */

/* The next piece; parks until one has come. The caller reads after trl_stream_reply.
 * Errors: TRL_UNAVAILABLE, TRL_DEADLINE, TRL_BUSY (no memory for a body; before the
 * first piece only). */
enum trl_code trl_stream_read(
    trl_ctx *ctx, trl_stream *stream, struct trl_piece *piece) TRL_MUST_CHECK;
/* Who serves, and reads, waits no longer: a read that finds no piece gives one of no
 * bytes at once, as if the body had ended, this time or the next. For another actor
 * that knows why nothing more is wanted. */
void trl_stream_nudge(trl_stream *stream);
/* Parks until there was credit for all of it; data is free again then.
 * Errors: TRL_UNAVAILABLE (also: the other end reads no more), TRL_DEADLINE. */
enum trl_code trl_stream_write(
    trl_ctx *ctx, trl_stream *stream, const void *data, size_t len) TRL_MUST_CHECK;
/* The same of a file's part; fd stays the caller's. Whose end is on this host may be
 * given the file in place of its bytes.
 * Errors: as trl_stream_write, TRL_INTERNAL (it cannot be read, or is shorter),
 * TRL_BUSY (too many files are being read). */
enum trl_code trl_stream_write_file(trl_ctx *ctx, trl_stream *stream, int fd,
    uint64_t offset, uint64_t len) TRL_MUST_CHECK;
/* Who writes what comes from elsewhere waits there, and not here: has changed called,
 * on the loop, as soon as a write would fail, since the other end has answered and
 * reads no more, or the stream is broken; at once where it is so already; perhaps more
 * than once. It must neither park nor close the stream, whose end ends it, as does
 * NULL. */
void trl_stream_watch(trl_stream *stream, void (*changed)(void *self), void *self);
/* The body is complete.
 * Errors: TRL_UNAVAILABLE. */
enum trl_code trl_stream_end(trl_ctx *ctx, trl_stream *stream) TRL_MUST_CHECK;
