/* child.h - a process of its own beside a service, for work on what others wrote that a
 * service should not do itself: it draws documents, say. It is started when it is first
 * asked, answers one question at a time, and is ended when nobody asked for a while, so
 * that at rest it costs nothing.
 *
 * It is the program trellis-NAME in the folder of this process's own, whose main() is
 * one call of trl_confined_main (trl/confined.h). It gets nothing of this process but
 * one socket, an environment with a locale only, and a file where a question has one.
 * Whatever becomes of it (it crashes, hangs, is killed), the one question fails and the
 * next one starts another.
 *
 * Before it is asked it says one byte, its version, once it has shown itself that it
 * can do its work where it is (trl/confined.h). So a program that is broken, or of
 * another release, is never held against what it is asked.
 *
 * On the wire each side then sends 4 bytes of length, little-endian, and so many bytes;
 * a question's file comes with the first of them (unix(7), SCM_RIGHTS). */
#pragma once

#include <trl/actor.h>
#include <trl/buf.h>

typedef struct trl_child trl_child;

struct trl_child_kind {
	const char *name; /* "pdf": trellis-pdf; also of its slots in the metrics */
	size_t request_max, reply_max; /* bytes */
	uint32_t timeout_ms;           /* for one answer, its start included */
	uint32_t idle_ms;              /* then it is ended */
	unsigned queue;                /* who may wait, beyond that BUSY */
	uint8_t version;               /* of the questions, as its program has it */
};

/* Start-up only. kind is static. Nothing is started. */
trl_child *trl_child_open(trl_loop *loop, const struct trl_child_kind *kind);
/* When nobody asks any more; ends it. */
void trl_child_close(trl_child **child);

/* Asks it, and parks. The answer lies in ctx's arena; the request must lie there, or
 * live as long as the call. One that was killed before it answered is started once
 * more. Errors: TRL_BUSY (queue full, with retry-after), TRL_UNAVAILABLE (it cannot be
 * started, was ended twice, or took too long), TRL_DEADLINE (it was never asked). */
enum trl_code trl_child_ask(trl_ctx *ctx, trl_child *child, const void *request,
    size_t len, const uint8_t **reply, size_t *reply_len) TRL_MUST_CHECK;

/* Asks it about a file, which it can read and this process keeps: file is open for
 * reading only, and shares its place in the file with the child. The answer, which may
 * be large, is appended to reply on the heap, and only if there is one. Errors: those
 * of trl_child_ask. */
enum trl_code trl_child_ask_file(trl_ctx *ctx, trl_child *child, const void *request,
    size_t len, int file, struct trl_buf *reply) TRL_MUST_CHECK;

/* Whether the ask that just failed did so because of what it was asked: it ended by
 * itself each time that it was tried, computed for too long, or said too much. Else it
 * was not its fault: it was killed, or had to wait for others. */
bool trl_child_failed(const trl_ctx *ctx);
/* When nobody asks: the next one who does meets another, which knows nothing of those
 * before. */
void trl_child_renew(trl_child *child);

/* Of one that can be asked; 0: there is none. For tests. */
int trl_child_pid(const trl_child *child);
