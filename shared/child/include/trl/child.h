/* child.h - a separate process beside a service, for work on untrusted input that a
 * service should not do itself, such as drawing documents. It is started when it is
 * first asked, answers one question at a time, and ends after a while without
 * questions, so that at rest it costs nothing.
 *
 * It is the program trellis-NAME in the folder of this process's executable, and its
 * main() is one call of trl_confined_main (trl/confined.h). It gets nothing of this
 * process but one socket, an environment with only a locale, and a question's file, if
 * there is one. Whatever happens to it (it crashes, hangs, is killed), only that
 * question fails, and the next one starts another process.
 *
 * Before it is asked it sends one byte, its version, once it has proved that it can do
 * its work here (trl/confined.h). So a program that is broken, or of another release,
 * is never blamed on a question.
 *
 * On the wire each message is 4 bytes of length, little-endian, and that many bytes; a
 * question's file comes with the first of them (unix(7), SCM_RIGHTS). */
#pragma once

#include <trl/actor.h>
#include <trl/buf.h>

typedef struct trl_child trl_child;

struct trl_child_kind {
	const char *name; /* "pdf": trellis-pdf; also of its slots in the metrics */
	size_t request_max, reply_max; /* bytes */
	uint32_t timeout_ms;           /* for one answer, including the start */
	uint32_t idle_ms;              /* after this without a question it ends */
	unsigned queue;                /* how many may wait; beyond that BUSY */
	uint8_t version;               /* of the questions, as its program has it */
};

/* Start-up only. kind is static. Nothing is started. */
trl_child *trl_child_open(trl_loop *loop, const struct trl_child_kind *kind);
/* Ends it, when nobody asks any more. */
void trl_child_close(trl_child **child);

/* Asks it, and parks. The answer lies in ctx's arena; the request must live as long as
 * the call. If it is killed before it answers, it is started once more. Errors:
 * TRL_BUSY (queue full, with retry-after), TRL_UNAVAILABLE (it cannot be started, died
 * twice, or took too long), TRL_DEADLINE (it was never asked). */
enum trl_code trl_child_ask(trl_ctx *ctx, trl_child *child, const void *request,
    size_t len, const uint8_t **reply, size_t *reply_len) TRL_MUST_CHECK;

/* Asks it about a file: file is open read-only, stays this process's, and shares its
 * position with the child. The answer, which may be large, is appended to reply on the
 * heap, and only if there is one. Errors: those
 * of trl_child_ask. */
enum trl_code trl_child_ask_file(trl_ctx *ctx, trl_child *child, const void *request,
    size_t len, int file, struct trl_buf *reply) TRL_MUST_CHECK;

/* Whether the question that just failed is to blame: each process that tried it ended
 * by itself, computed for too long, or answered too much. Otherwise it was killed, or
 * had to wait for others. */
bool trl_child_failed(const trl_ctx *ctx);
/* Restarts it, when nobody asks: the next question meets a new process, which knows
 * nothing of earlier ones. */
void trl_child_renew(trl_child *child);

/* The process that can be asked; 0: none runs. For tests. */
int trl_child_pid(const trl_child *child);
