/* stream.h - bodies beside a message: bytes of any size that a call takes along, or
 * that its reply gives back, read and written piece by piece. For methods whose
 * contract says takes or gives; in actors.
 *
 * Nothing is buffered that nobody reads: a writer parks until the reader has given
 * credit for what it has memory for. In place of the method's total time, a body has
 * 35 s from the callee's first read and from each piece on: each piece, and each wait
 * for one, moves the deadlines of the actors at both ends that far. A wait for credit
 * lasts as long as the reader takes, which has limits of its own.
 *
 * A stream belongs to one actor at each end. When it breaks (the other end gave up, a
 * connection was lost), the next read or write fails with TRL_UNAVAILABLE, one that is
 * parked at once. */
#pragma once

#include <trl/bus.h>

typedef struct trl_stream trl_stream;

enum {
	TRL_STREAM_PIECE = 262144, /* bytes of one piece, at most */
	/* A body up to this size may ride in the call, or the reply. */
	TRL_STREAM_RIDES = 131072,
};

struct trl_piece {           /* len 0 and fd -1: the body has ended */
	const uint8_t *data; /* until the next read or the stream's end */
	size_t len;
	/* 0 or more: part of a regular file in place of bytes. The reader closes it,
	 * and reads by offset, because the writer shares its position. */
	int fd;
	uint64_t offset, size;
};

/* The caller's end. */

struct trl_stream_terms {
	struct trl_call_terms call; /* a step's name, another service... */
	bool whole;           /* body is the whole body of the call; len may be 0 */
	const void *body;     /* copied */
	size_t len;           /* at most TRL_STREAM_RIDES */
	struct trl_id holder; /* whose share of memory it takes; nil: ctx's */
};

/* Makes the call, which is never retried once it was sent. terms may be NULL. A method
 * that takes no body needs no whole. Close *out by trl_stream_close before ctx ends.
 * Errors: TRL_BUSY (no memory for the reply's body, or its holder has its share), and
 * every fault. */
enum trl_code trl_stream_open(trl_ctx *ctx, trl_bus *bus,
    const struct trl_method *method, const ProtobufCMessage *in,
    const struct trl_stream_terms *terms, trl_stream **out) TRL_MUST_CHECK;
/* Parks until the callee reads (*wanted true), or has answered without reading: then
 * trl_stream_reply has its answer. So a refusal is known before a client is asked for
 * its body. Errors: every fault. */
enum trl_code trl_stream_wanted(
    trl_ctx *ctx, trl_stream *stream, bool *wanted) TRL_MUST_CHECK;
/* Parks until the reply. *out lies in ctx's arena; the body that it gives can then be
 * read. After a failed write, it tells what became of the call, which may have been
 * answered.
 * Errors: what the method lists, and every fault. */
enum trl_code trl_stream_reply(
    trl_ctx *ctx, trl_stream *stream, ProtobufCMessage **out) TRL_MUST_CHECK;
/* Closes the stream, and cancels a call that is not over. */
void trl_stream_close(trl_stream **stream);

/* The callee's end. */

/* The stream of ctx's message, or NULL: its method carries no body. It ends with the
 * handler. */
trl_stream *trl_stream_of(trl_ctx *ctx);
/* Replies before the handler returns. What the handler writes after this is the reply's
 * body; it returns TRL_OK once it has ended the body. If it returns an error, or
 * without ending the body, the body breaks off at the caller's end, too. A handler that
 * does not call this gives an empty body. In a WRITE, only after its record was made.
 * Errors: TRL_UNAVAILABLE, TRL_INTERNAL (too large for the bus). */
enum trl_code trl_stream_answer(
    trl_ctx *ctx, trl_stream *stream, const ProtobufCMessage *out) TRL_MUST_CHECK;

/* Both ends. */

/* Reads the next piece; parks until one has arrived. The caller reads after
 * trl_stream_reply.
 * Errors: TRL_UNAVAILABLE, TRL_DEADLINE, TRL_BUSY (no memory for a body; before the
 * first piece only). */
enum trl_code trl_stream_read(
    trl_ctx *ctx, trl_stream *stream, struct trl_piece *piece) TRL_MUST_CHECK;
/* Ends a callee's wait: its current read, or its next one, that finds no piece gives
 * one of no bytes at once, as if the body had ended. For another actor that knows why
 * no more is wanted. */
void trl_stream_nudge(trl_stream *stream);
/* Writes data; parks until there was credit for all of it. data may be reused then.
 * Errors: TRL_UNAVAILABLE (also: the other end reads no more), TRL_DEADLINE. */
enum trl_code trl_stream_write(
    trl_ctx *ctx, trl_stream *stream, const void *data, size_t len) TRL_MUST_CHECK;
/* The same for part of a file; fd stays the caller's. A reader on this host may be
 * given the file in place of its bytes. Errors: as trl_stream_write, TRL_INTERNAL (it
 * cannot be read, or is shorter), TRL_BUSY (too many files are being read). */
enum trl_code trl_stream_write_file(trl_ctx *ctx, trl_stream *stream, int fd,
    uint64_t offset, uint64_t len) TRL_MUST_CHECK;
/* Has changed called, on the loop, as soon as a write would fail, because the other end
 * has answered and reads no more or the stream is broken: for a writer that waits
 * elsewhere for what it writes. It is called at once if that is so already, perhaps
 * more than once, and must neither park nor close the stream. NULL, or the stream's
 * end, ends the watch. */
void trl_stream_watch(trl_stream *stream, void (*changed)(void *self), void *self);
/* Ends the body, which is complete. Errors: TRL_UNAVAILABLE. */
enum trl_code trl_stream_end(trl_ctx *ctx, trl_stream *stream) TRL_MUST_CHECK;
