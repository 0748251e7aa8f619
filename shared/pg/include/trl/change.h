/* change.h - changing what was read: a row has a version, a write names the one it was
 * made from, and a write that lost to another begins again from the reading, unless
 * If-Match says that the caller wants to know. Within a process the changes of one
 * aggregate go one after the other, so that only replicas ever lose.
 *
 *   TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
 *
 *   rc = trl_change_begin(&change, ctx, ctx->tenant);
 *   if (rc != TRL_OK)
 *       return rc;
 *   do {
 *       ... read, trl_if_match, change, write with "expect: one PRECONDITION"
 *   } while (trl_change_again(&change, &rc));
 *   return rc; */
#pragma once

#include <trl/actor.h>

struct trl_change {
	trl_ctx *ctx; /* NULL: not begun */
	struct trl_id aggregate;
	unsigned tries;
};

/* Waits for the changes of aggregate before it. Errors: TRL_DEADLINE, TRL_BUSY. */
enum trl_code trl_change_begin(
    struct trl_change *change, trl_ctx *ctx, struct trl_id aggregate) TRL_MUST_CHECK;
/* True: *rc says that another write was faster, and nobody asked to be told; again from
 * the reading. After a few times *rc is TRL_CONFLICT. */
bool trl_change_again(struct trl_change *change, enum trl_code *rc);
void trl_change_end(struct trl_change *change);

/* Refuses a stale If-Match. Errors: TRL_PRECONDITION. */
enum trl_code trl_if_match(trl_ctx *ctx, int64_t version) TRL_MUST_CHECK;
