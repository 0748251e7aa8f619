/* turn.c - see turn.h. Each request gets a round: the one after the last of its own
 * organisation, or the next one if none of it waits. The lowest round is next, and
 * among equals the one that came first (start-time fair queuing, with equal costs). */
#include "variant/turn.h"

#include <stdlib.h>
#include <string.h>

#include "picture/picture.h"

enum { TIMEOUT_MS = 30000, IDLE_MS = 60000 };

static const struct trl_child_kind picture_child = { .name = "picture",
	.request_max = sizeof(struct picture_request),
	.reply_max = PICTURE_REPLY_MAX,
	.timeout_ms = TIMEOUT_MS,
	.idle_ms = IDLE_MS,
	.queue = 1,
	.version = PICTURE_VERSION };

struct waiter {
	struct waiter *next;
	struct trl_id tenant;
	uint64_t round;
	struct trl_ticket ticket;
	trl_child *got; /* not NULL: it is its turn */
};

struct renderer {
	trl_child *child;
	struct trl_id tenant; /* whose picture it had last */
	bool busy;
	uint64_t since_us;
};

struct turns {
	struct waiter *first; /* as they came */
	uint64_t round;       /* of the last whose turn it was */
	size_t n, n_free;
	struct renderer *each;
	uint64_t took_us[TURN_SEEN]; /* a ring */
	size_t n_took;
};

turns *
turns_open(trl_loop *loop, unsigned renderers)
{
	turns *all = calloc(1, sizeof *all);

	trl_assert(all && renderers > 0);
	all->each = calloc(renderers, sizeof *all->each);
	trl_assert(all->each);
	for (all->n = 0; all->n < renderers; all->n++)
		all->each[all->n].child = trl_child_open(loop, &picture_child);
	all->n_free = all->n;
	return all;
}

void
turns_close(turns **all)
{
	turns *self = TRL_TAKE(*all);

	if (!self)
		return;
	trl_assert(self->n_free == self->n && !self->first);
	for (size_t i = 0; i < self->n; i++)
		trl_child_close(&self->each[i].child);
	free(self->each);
	free(self);
}

/* A free renderer, preferably the one that had this tenant's last picture. Another
 * tenant's is restarted, so that nothing of their picture stays in it. */
static trl_child *
pick(turns *all, struct trl_id tenant)
{
	struct renderer *best = NULL;

	for (struct renderer *at = all->each; at < all->each + all->n; at++)
		if (!at->busy && (!best || trl_id_eq(at->tenant, tenant)))
			best = at;
	trl_assert(best);
	if (!trl_id_eq(best->tenant, tenant))
		trl_child_renew(best->child);
	best->tenant = tenant;
	best->busy = true;
	best->since_us = trl_mono_us();
	all->n_free--;
	return best->child;
}

/* Adds it at the end. False: too many wait. */
static bool
add(turns *all, struct waiter *waiter)
{
	struct waiter **at = &all->first;
	size_t waiting = 0, own = 0;

	waiter->round = all->round + 1;
	for (; *at; at = &(*at)->next) {
		waiting++;
		if (!trl_id_eq((*at)->tenant, waiter->tenant))
			continue;
		own++;
		if ((*at)->round >= waiter->round)
			waiter->round = (*at)->round + 1;
	}
	if (waiting >= TURN_WAITING_MAX || own >= TURN_OF_TENANT_MAX)
		return false;
	*at = waiter;
	return true;
}

static void
drop(turns *all, const struct waiter *waiter)
{
	for (struct waiter **at = &all->first; *at; at = &(*at)->next)
		if (*at == waiter) {
			*at = waiter->next;
			return;
		}
}

static struct waiter *
next_of(const turns *all)
{
	struct waiter *best = all->first;

	for (struct waiter *at = all->first; at; at = at->next)
		if (at->round < best->round)
			best = at;
	return best;
}

/* Gives turns while a renderer is free. A waiter that has given up is passed over; it
 * drops itself. */
static void
go_on(turns *all)
{
	struct waiter *next;

	while (all->n_free > 0 && (next = next_of(all)) != NULL) {
		drop(all, next);
		if (!trl_wake(next->ticket))
			continue;
		all->round = next->round;
		next->got = pick(all, next->tenant);
	}
}

enum trl_code
turns_take(trl_ctx *ctx, turns *all, trl_child **out)
{
	struct waiter waiter = { .tenant = ctx->tenant };
	enum trl_code rc;

	if (all->n_free > 0 && !all->first) {
		*out = pick(all, ctx->tenant);
		return TRL_OK;
	}
	if (!add(all, &waiter)) {
		rc = trl_fail(ctx, TRL_BUSY,
		    "Too many pictures are waiting to be rendered; try again.");
		trl_err_retry_after(ctx, TURN_RETRY_AFTER_MS);
		return rc;
	}
	waiter.ticket = trl_park_begin(ctx);
	rc = trl_park(ctx, waiter.ticket, "a picture's turn");
	if (rc == TRL_OK) {
		*out = waiter.got;
		return TRL_OK;
	}
	drop(all, &waiter);
	if (waiter.got)
		turns_leave(all, waiter.got);
	return rc;
}

void
turns_leave(turns *all, trl_child *child)
{
	struct renderer *at = all->each;

	while (at->child != child)
		at++;
	at->busy = false;
	all->took_us[all->n_took++ % TURN_SEEN] = trl_mono_us() - at->since_us;
	all->n_free++;
	go_on(all);
}

static int
by_size(const void *a, const void *b)
{
	const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return (one > other) - (one < other);
}

uint64_t
turns_apart_us(const turns *all)
{
	const size_t n = all->n_took < TURN_SEEN ? all->n_took : TURN_SEEN;
	uint64_t sorted[TURN_SEEN];

	if (n < TURN_SEEN_LEAST)
		return 0;
	memcpy(sorted, all->took_us, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_size);
	return sorted[n / 2] / all->n;
}
