/* child.c - see child.h. The talk itself blocks, on a thread made for it (an offload
 * with one slot); what belongs to the process (pid, end) is touched by that thread
 * while somebody asks, and by the loop's when nobody does. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <trl/child.h>
#include <trl/log.h>
#include <trl/loop_uv.h>

#include "talk.h"

enum { RETRY_AFTER_MS = 1000 };

/* The error's field where it was the question. */
static const char FAILED[] = "question";

struct trl_child {
	const struct trl_child_kind *kind;
	struct trl_offload slot;
	uv_timer_t *idle;
	unsigned users; /* who asks or waits to */
	bool renew;     /* it is ended before it is asked again */
	char program[CHILD_PATH_MAX];
	struct child_end end;
};

struct asking {
	trl_child *child;
	struct child_question question;
	struct trl_buf reply;
	uint64_t deadline_us;
	enum child_outcome outcome, first; /* first: of the one that was there */
	enum child_outcome met;            /* of a start that failed, or */
	int error;                         /* what kept it from being one */
	int status;                        /* of the one that was ended, as waitpid's */
	bool worked; /* most of its time: it was late by itself, not by others */
};

/* Any thread, with the process its own. */
static int
end_process(struct child_end *end)
{
	int status = 0;

	if (end->pid <= 0)
		return 0;
	close(end->socket);
	(void)kill(end->pid, SIGKILL);
	while (waitpid(end->pid, &status, 0) < 0 && errno == EINTR)
		;
	*end = (struct child_end){ 0 };
	return status;
}

/* On the thread. Whether there is one that can be asked. */
static bool
is_there(struct asking *asking, uint64_t until)
{
	trl_child *child = asking->child;
	struct child_end fresh = { 0 };

	if (child->end.pid > 0)
		return true;
	asking->error = child_start(child->program, &fresh);
	if (!asking->error)
		asking->met = child_meet(&fresh, child->kind->version, until);
	if (!asking->error && asking->met == CHILD_ANSWERED) {
		child->end = fresh;
		return true;
	}
	asking->outcome = CHILD_NOT_STARTED;
	asking->status = end_process(&fresh);
	return false;
}

/* On the thread. One that was idle may have been killed meanwhile, and so may the one
 * that is just asked: that is tried again, once. */
static void
ask_on_thread(void *arg)
{
	struct asking *asking = arg;
	trl_child *child = asking->child;
	const struct trl_child_kind *kind = child->kind;
	const uint64_t late = trl_mono_us() + (uint64_t)kind->timeout_ms * 1000;
	const uint64_t until = late < asking->deadline_us ? late : asking->deadline_us;

	asking->first = CHILD_ANSWERED;
	if (child->renew)
		(void)end_process(&child->end);
	child->renew = false;
	for (int i = 0; i < 2; i++) {
		uint64_t cpu_us;

		if (!is_there(asking, until))
			return;
		cpu_us = child_cpu_us(&child->end);
		trl_buf_clear(&asking->reply);
		asking->outcome = child_talk(&child->end, &asking->question,
		    &asking->reply, kind->reply_max, until);
		if (asking->outcome == CHILD_ANSWERED)
			return;
		asking->worked = (child_cpu_us(&child->end) - cpu_us) * 2 >=
				 (uint64_t)kind->timeout_ms * 1000;
		asking->status = end_process(&child->end);
		if (asking->outcome != CHILD_ENDED)
			return;
		if (i == 0)
			asking->first = CHILD_ENDED;
	}
}

static void
on_idle(uv_timer_t *timer)
{
	trl_child *child = timer->data;

	if (child->users == 0)
		(void)end_process(&child->end);
}

trl_child *
trl_child_open(trl_loop *loop, const struct trl_child_kind *kind)
{
	trl_child *child = calloc(1, sizeof *child);

	trl_assert(child);
	child->kind = kind;
	child->slot = (struct trl_offload){ .name = kind->name,
		.slots = 1,
		.queue = kind->queue,
		.retry_after_ms = RETRY_AFTER_MS,
		.waits = true };
	trl_offload_init(loop, &child->slot);
	child->idle = calloc(1, sizeof *child->idle);
	trl_assert(child->idle && uv_timer_init(trl_loop_uv(loop), child->idle) == 0);
	child->idle->data = child;
	uv_unref((uv_handle_t *)child->idle);
	child_program(kind->name, child->program);
	return child;
}

static void
on_timer_closed(uv_handle_t *timer)
{
	free(timer);
}

void
trl_child_close(trl_child **child)
{
	trl_child *self = TRL_TAKE(*child);

	if (!self)
		return;
	trl_assert(self->users == 0);
	(void)end_process(&self->end);
	trl_offload_fini(&self->slot);
	uv_close((uv_handle_t *)self->idle, on_timer_closed);
	free(self);
}

/* Of waitpid's status: what an operator wants to know. */
static const char *
how_it_ended(trl_arena *arena, int status)
{
	if (WIFSIGNALED(status))
		return trl_arena_printf(arena, "signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	return trl_arena_printf(arena, "status %d", WEXITSTATUS(status));
}

static const char *
why_not_started(trl_arena *arena, const struct asking *asking)
{
	if (asking->error)
		return strerror(asking->error);
	if (asking->met == CHILD_ENDED)
		return trl_arena_printf(arena, "it ended by %s before it was asked",
		    how_it_ended(arena, asking->status));
	return asking->met == CHILD_OTHER
		   ? "it is of another release; restart this process"
		   : "it was not ready in time";
}

/* Its end by SIGKILL is none of its own: the kernel had no memory left, say. */
static bool
ended_itself(const struct asking *asking)
{
	return !WIFSIGNALED(asking->status) || WTERMSIG(asking->status) != SIGKILL;
}

static enum trl_code
conclude(trl_ctx *ctx, const struct asking *asking)
{
	const trl_child *child = asking->child;
	const char *how = how_it_ended(ctx->arena, asking->status);
	enum trl_code rc;

	if (asking->first == CHILD_ENDED)
		trl_log(TRL_LOG_WARN, ctx, "a child process ended while it was asked",
		    TRL_LOG_STR("program", child->program), TRL_LOG_STR("by", how));
	switch (asking->outcome) {
	case CHILD_ANSWERED:
		return TRL_OK;
	case CHILD_NOT_STARTED:
		rc = trl_fail(ctx, TRL_UNAVAILABLE, "%s cannot be started: %s",
		    child->program, why_not_started(ctx->arena, asking));
		break;
	case CHILD_ENDED:
		rc = trl_fail_field(ctx, TRL_UNAVAILABLE,
		    ended_itself(asking) ? FAILED : NULL,
		    "%s ended twice without an answer, "
		    "by %s",
		    child->program, how);
		break;
	case CHILD_LATE:
		rc =
		    trl_fail_field(ctx, TRL_UNAVAILABLE, asking->worked ? FAILED : NULL,
			"%s gave no answer in time and was ended", child->program);
		break;
	default:
		rc = trl_fail_field(ctx, TRL_UNAVAILABLE, FAILED,
		    "%s gave an answer that is too large, and was ended",
		    child->program);
		break;
	}
	trl_err_retry_after(ctx, RETRY_AFTER_MS);
	return rc;
}

/* Its reply is freed by the caller, who has it only on TRL_OK. */
static enum trl_code
ask(trl_ctx *ctx, struct asking *asking)
{
	trl_child *child = asking->child;
	enum trl_code rc;

	if (asking->question.len > child->kind->request_max)
		return trl_fail(ctx, TRL_INTERNAL, "%s is asked more than it takes",
		    child->kind->name);
	asking->deadline_us = ctx->deadline_us;
	child->users++;
	uv_timer_stop(child->idle);
	rc = trl_offload(ctx, &child->slot, ask_on_thread, asking);
	if (--child->users == 0)
		trl_assert(
		    uv_timer_start(child->idle, on_idle, child->kind->idle_ms, 0) == 0);
	return rc == TRL_OK ? conclude(ctx, asking) : rc;
}

enum trl_code
trl_child_ask(trl_ctx *ctx, trl_child *child, const void *request, size_t len,
    const uint8_t **reply, size_t *reply_len)
{
	struct asking asking = { .child = child,
		.question = { .request = request, .len = len, .file = -1 } };
	enum trl_code rc = ask(ctx, &asking);

	if (rc == TRL_OK) {
		*reply =
		    trl_arena_memdup(ctx->arena, asking.reply.data, asking.reply.len);
		*reply_len = asking.reply.len;
	}
	trl_buf_fini(&asking.reply);
	return rc;
}

enum trl_code
trl_child_ask_file(trl_ctx *ctx, trl_child *child, const void *request, size_t len,
    int file, struct trl_buf *reply)
{
	struct asking asking = { .child = child,
		.question = { .request = request, .len = len, .file = file } };
	enum trl_code rc = ask(ctx, &asking);

	if (rc == TRL_OK && reply->len == 0) {
		trl_buf_fini(reply);
		*reply = asking.reply; /* not copied: it may be large */
		return rc;
	}
	if (rc == TRL_OK)
		trl_buf_add(reply, asking.reply.data, asking.reply.len);
	trl_buf_fini(&asking.reply);
	return rc;
}

bool
trl_child_failed(const trl_ctx *ctx)
{
	return ctx->err.code == TRL_UNAVAILABLE && strcmp(ctx->err.field, FAILED) == 0;
}

void
trl_child_renew(trl_child *child)
{
	trl_assert(child->users == 0);
	child->renew = true;
}

int
trl_child_pid(const trl_child *child)
{
	return child->end.pid;
}
