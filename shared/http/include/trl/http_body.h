/* http_body.h - bodies of any length, in pieces: a handler that awaits TRL_HTTP_PIECES
 * reads the request's as it comes; any handler may write its answer's as it has it.
 * Neither is ever whole in memory, and both move at the pace of the slower end: what
 * the handler does not read stays with the client, and a write parks until the kernel
 * has taken it.
 *
 * In place of the handler's total time there is an idle limit (piece_timeout_ms) and a
 * floor (floor_bytes in floor_ms), which count only while the client is waited for:
 * each piece moves the actor's deadline to handler_timeout_ms from then, so that a
 * handler that hears of a client that is too slow has time to say so. Once a body has
 * begun, its handler answers in any case: nobody is told of a client that has left, but
 * by these errors.
 *
 * A body is read before it is answered; what is left of it then is skipped where it is
 * short, else the connection ends behind the answer, and at most 256 KiB of what still
 * comes are thrown away.
 *
 * For actors that handle a request. */
#pragma once

#include <trl/http.h>

enum { TRL_HTTP_PIECE_BYTES = 262144 /* the longest that trl_http_read gives */ };

/* Before the first piece: the most that the body may have. */
void trl_http_expect(struct trl_http_request *request, uint64_t max_bytes);
/* The next piece: parks until some of the body has come; *len 0: it has ended, or, with
 * *data NULL, trl_http_nudge was called. The bytes stay until the next call, or the
 * answer. The first call sends 100 Continue where the client may wait for it.
 * Errors: TRL_BUSY (too many are read already: nothing was read, with retry-after),
 * TRL_QUOTA (more than was expected: by its length before anything was read),
 * TRL_MALFORMED (chunks), TRL_DEADLINE (the client is too slow: 408), TRL_UNAVAILABLE
 * (it left in mid-body). */
enum trl_code trl_http_read(trl_ctx *ctx, struct trl_http_request *request,
    const uint8_t **data, size_t *len) TRL_MUST_CHECK;

/* For what the reader waits for besides the client: its read, or the next where none is
 * parked, gives *data NULL and *len 0 and takes nothing of the body, which may be read
 * on. Once until then, however often this is called; after the answer it is nothing.
 * Never parks. Loop thread. */
void trl_http_nudge(struct trl_http_request *request);

/* Answers with a head whose body is written by what follows. length: of the body;
 * UINT64_MAX: unknown, which is sent in chunks, to HTTP/1.0 until the connection ends.
 * The response's own body counts for nothing. HEAD, 204 and 304 have no body: what is
 * written goes nowhere.
 * Errors: TRL_UNAVAILABLE (the client left), TRL_INTERNAL (a header cannot be sent, and
 * 500 was the answer). With either the request is over: return. */
enum trl_code trl_http_answer(trl_ctx *ctx, struct trl_http_request *request,
    const struct trl_http_response *response, uint64_t length) TRL_MUST_CHECK;
/* Writes what comes next. Parks until the kernel has taken it, so data is copied only
 * where it is little. More than the answer's length is an assertion.
 * Errors: TRL_UNAVAILABLE (the client left), TRL_DEADLINE (it is too slow, and the
 * connection was ended). Return then. */
enum trl_code trl_http_write(trl_ctx *ctx, struct trl_http_request *request,
    const void *data, size_t len) TRL_MUST_CHECK;
/* The same of a part of a file, which no code of ours reads: by sendfile, off the loop,
 * since a file that is not in memory blocks. fd stays the caller's.
 * Errors: the same, TRL_INTERNAL (the file is shorter, or cannot be read), TRL_BUSY. */
enum trl_code trl_http_write_file(trl_ctx *ctx, struct trl_http_request *request,
    int fd, uint64_t offset, uint64_t len) TRL_MUST_CHECK;
/* The body is complete. The connection goes on with the next request, or ends where the
 * answer said so. Less than its length was written: the connection is broken off, as it
 * is for a handler that returns without this, so that nobody takes what was sent for
 * all. */
void trl_http_finish(trl_ctx *ctx, struct trl_http_request *request);
