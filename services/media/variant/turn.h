/* turn.h - the processes that render pictures (trellis-picture), and whose turn it is.
 * Organisations take turns: one with a hundred pictures waiting delays another's by one
 * picture; and no two organisations' pictures meet in one process. For actors. */
#pragma once

#include <trl/child.h>

enum {
	TURN_WAITING_MAX = 64,   /* actors in all */
	TURN_OF_TENANT_MAX = 24, /* of one organisation */
	TURN_RETRY_AFTER_MS = 2000,
	TURN_SEEN = 9, /* the last turns, whose median is taken */
	TURN_SEEN_LEAST = 3
};

typedef struct turns turns;

/* Start-up: for this many processes, none of which is started yet. */
turns *turns_open(trl_loop *loop, unsigned renderers);
/* When nobody has one or waits for one. */
void turns_close(turns **all);

/* Waits until a process is free and it is the turn of ctx's tenant.
 * Errors: TRL_BUSY (too many wait; with retry-after), TRL_DEADLINE. */
enum trl_code turns_take(trl_ctx *ctx, turns *all, trl_child **out) TRL_MUST_CHECK;
void turns_leave(turns *all, trl_child *child);
/* How far apart turns begin while many wait, by the last ones; 0: too few were seen. A
 * picture that takes unusually long counts no more than another. */
uint64_t turns_apart_us(const turns *all);
