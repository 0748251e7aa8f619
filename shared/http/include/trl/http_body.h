/* http_body.h - bodies of any length, in pieces: a handler that awaits TRL_HTTP_PIECES
 * reads the request's body as it arrives; any handler may write its answer's body as it
 * gets it. Neither is ever whole in memory, and both move at the pace of the slower
 * end: what the handler does not read stays with the client, and a write parks until
 * the kernel has taken it.
 *
 * In place of the handler's total time there is an idle limit (piece_timeout_ms) and a
 * floor (floor_bytes in floor_ms), which count only while waiting for the client: each
 * piece moves the actor's deadline to handler_timeout_ms from then, so that the handler
 * of a client that is too slow has time to say so. Once a body has begun, its handler
 * must answer in any case: only these errors tell it that the client has left.
 *
 * A body is read before it is answered. If the rest of it is short it is then skipped;
 * else the connection ends after the answer, and at most 256 KiB of what still comes
 * are thrown away.
 *
 * For actors that handle a request. */
#pragma once

#include <trl/http.h>

enum { TRL_HTTP_PIECE_BYTES = 262144 /* the longest that trl_http_read gives */ };

/* Sets the most bytes that the body may have; before the first piece. */
void trl_http_expect(struct trl_http_request *request, uint64_t max_bytes);
/* Reads the next piece; parks until some of the body has arrived. *len 0: the body has
 * ended or, with *data NULL, trl_http_nudge was called. The bytes stay until the next
 * call, or the answer. The first call sends 100 Continue if the client may wait for it.
 * Errors: TRL_BUSY (too many bodies are being read: nothing was read; with
 * retry-after), TRL_QUOTA (more bytes than expected; by its length before anything was
 * read), TRL_MALFORMED (chunks), TRL_DEADLINE (the client is too slow: 408),
 * TRL_UNAVAILABLE (it left in mid-body). */
enum trl_code trl_http_read(trl_ctx *ctx, struct trl_http_request *request,
    const uint8_t **data, size_t *len) TRL_MUST_CHECK;

/* Wakes the reader for something besides the client: its read, or the next one if none
 * is parked, gives *data NULL and *len 0 and takes nothing of the body, which may be
 * read further. Several calls before that count as one; after the answer it does
 * nothing. Never parks. Loop thread. */
void trl_http_nudge(struct trl_http_request *request);

/* Sends the head of an answer whose body the following calls write. length: the body's;
 * UINT64_MAX: unknown, then it is sent in chunks, to HTTP/1.0 until the connection
 * ends. The response's own body is ignored. HEAD, 204 and 304 have no body: what is
 * written is dropped. Errors: TRL_UNAVAILABLE (the client left), TRL_INTERNAL (a header
 * cannot be sent, and 500 was the answer). With either the request is over: return. */
enum trl_code trl_http_answer(trl_ctx *ctx, struct trl_http_request *request,
    const struct trl_http_response *response, uint64_t length) TRL_MUST_CHECK;
/* Writes the next piece. Parks until the kernel has taken it, so data is copied only if
 * it is short. Writing more than the answer's length is an assertion.
 * Errors: TRL_UNAVAILABLE (the client left), TRL_DEADLINE (it is too slow, and the
 * connection was ended). Return then. */
enum trl_code trl_http_write(trl_ctx *ctx, struct trl_http_request *request,
    const void *data, size_t len) TRL_MUST_CHECK;
/* The same for a part of a file, by sendfile, off the loop, since a file that is not in
 * memory blocks. fd stays the caller's.
 * Errors: the same, TRL_INTERNAL (the file is shorter, or cannot be read), TRL_BUSY. */
enum trl_code trl_http_write_file(trl_ctx *ctx, struct trl_http_request *request,
    int fd, uint64_t offset, uint64_t len) TRL_MUST_CHECK;
/* Ends the body. The connection goes on with the next request, or ends if the answer
 * said so. If less than its length was written, or a handler returns without this, the
 * connection is broken off, so that the client does not take what was sent for all. */
void trl_http_finish(trl_ctx *ctx, struct trl_http_request *request);
