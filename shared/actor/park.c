/* park.c - waiting. A ticket lives from trl_park_begin until its park returns; its
 * serial is unique in the loop, so whoever comes late finds another number and
 * does nothing. Three may end a wait, whoever is first: a wake, the heap's time,
 * a cancellation. */
#include "runtime.h"

struct trl_ticket
trl_park_begin(trl_ctx *ctx)
{
	struct trl_actor *self = ctx->actor;

	trl_assert(self != NULL && self == self->loop->current);
	self->serial = ++self->loop->serial;
	self->woken = false;
	return (struct trl_ticket){ self, self->serial };
}

bool
trl_wake(struct trl_ticket ticket)
{
	struct trl_actor *actor = ticket.actor;

	if (actor == NULL || !trl_ticket_lives(ticket))
		return false;
	actor->woken = true;
	if (actor->state == TRL_PARKED) {
		actor->outcome = TRL_WOKEN;
		trl_actor_ready(actor);
	}
	return true;
}

/* Ends a park from outside; the ticket dies. */
static void
end_park(struct trl_actor *actor, enum trl_outcome outcome)
{
	if (actor->state != TRL_PARKED || actor->deaf)
		return;
	actor->serial = 0;
	actor->outcome = outcome;
	trl_actor_ready(actor);
}

void
trl_expire(trl_loop *loop)
{
	uint64_t now = trl_loop_now_us(loop);

	while (loop->n_heap > 0 && loop->heap[0]->wake_at <= now) {
		struct trl_actor *actor = loop->heap[0];

		trl_heap_set(loop, actor, trl_never);
		end_park(actor, TRL_TIMED_OUT);
	}
}

void
trl_cancel(trl_actor *actor)
{
	trl_assert(actor != actor->loop->current);
	actor->ctx.cancelled = true;
	end_park(actor, TRL_CANCELLED);
}

void
trl_set_deadline(trl_ctx *ctx, uint64_t deadline_us)
{
	struct trl_actor *self = ctx->actor;

	trl_assert(self != NULL && self == self->loop->current);
	ctx->deadline_us = deadline_us;
	trl_heap_set(self->loop, self, deadline_us);
}

/* Parks until the ticket is used, until (trl_never: whatever comes) or the end. */
static enum trl_outcome
wait_until(trl_ctx *ctx, struct trl_ticket ticket, const char *what, uint64_t until)
{
	struct trl_actor *self = ctx->actor;
	trl_loop *loop = self->loop;
	enum trl_outcome outcome = TRL_WOKEN;

	trl_assert(self == loop->current && ticket.actor == self);
	trl_assert(ticket.serial != 0 && ticket.serial == self->serial);
	self->deaf = until == trl_never;
	if (!self->woken) {
		if (!self->deaf && (ctx->cancelled || until <= trl_loop_now_us(loop))) {
			self->serial = 0;
			return ctx->cancelled ? TRL_CANCELLED : TRL_TIMED_OUT;
		}
		trl_heap_set(loop, self, until);
		self->what = what;
		self->parked_us = trl_loop_now_us(loop);
		self->state = TRL_PARKED;
		trl_actor_leave(self);
		outcome = self->outcome;
		if (ctx->deadline_us > trl_loop_now_us(loop))
			trl_heap_set(loop, self, ctx->deadline_us);
	}
	self->deaf = false;
	self->serial = 0;
	return outcome;
}

static enum trl_code
fail_waiting(trl_ctx *ctx, enum trl_outcome outcome, const char *what)
{
	if (outcome == TRL_CANCELLED)
		return trl_fail(
		    ctx, TRL_DEADLINE, "the caller went away during %s", what);
	return trl_fail(ctx, TRL_DEADLINE, "out of time during %s", what);
}

enum trl_code
trl_park_possible(trl_ctx *ctx, const char *what)
{
	if (ctx->cancelled)
		return fail_waiting(ctx, TRL_CANCELLED, what);
	if (ctx->deadline_us <= trl_loop_now_us(ctx->loop))
		return fail_waiting(ctx, TRL_TIMED_OUT, what);
	return TRL_OK;
}

enum trl_code
trl_park(trl_ctx *ctx, struct trl_ticket ticket, const char *what)
{
	enum trl_outcome outcome = wait_until(ctx, ticket, what, ctx->deadline_us);

	return outcome == TRL_WOKEN ? TRL_OK : fail_waiting(ctx, outcome, what);
}

enum trl_code
trl_park_for(
    trl_ctx *ctx, struct trl_ticket ticket, const char *what, uint32_t timeout_ms)
{
	uint64_t until = trl_loop_now_us(ctx->loop) + (uint64_t)timeout_ms * 1000;
	enum trl_outcome outcome;

	if (until >= ctx->deadline_us)
		return trl_park(ctx, ticket, what);
	outcome = wait_until(ctx, ticket, what, until);
	if (outcome == TRL_WOKEN)
		return TRL_OK;
	return outcome == TRL_CANCELLED ? fail_waiting(ctx, outcome, what)
					: TRL_DEADLINE;
}

void
trl_park_surely(trl_ctx *ctx, struct trl_ticket ticket, const char *what)
{
	trl_assert(wait_until(ctx, ticket, what, trl_never) == TRL_WOKEN);
}

void
trl_yield(trl_ctx *ctx)
{
	struct trl_actor *self = ctx->actor;

	trl_assert(self != NULL && self == self->loop->current);
	if (self->loop->ready == NULL)
		return;
	trl_actor_ready(self);
	trl_actor_leave(self);
}

enum trl_code
trl_sleep(trl_ctx *ctx, uint32_t ms)
{
	uint64_t until = trl_loop_now_us(ctx->loop) + (uint64_t)ms * 1000;
	bool fits = until < ctx->deadline_us;
	enum trl_outcome outcome;

	outcome = wait_until(
	    ctx, trl_park_begin(ctx), "sleep", fits ? until : ctx->deadline_us);
	return fits && outcome == TRL_TIMED_OUT ? TRL_OK
						: fail_waiting(ctx, outcome, "sleep");
}
