/* pull.h - what a subscription's actors do. Private to bus/events. */
#pragma once

#include "subscription.h"

enum sub_state { SUB_IDLE, SUB_MORE };

/* Fetches and applies until nothing is new, the actor's time is nearly over, or
 * something failed (then sub->until_us says how long to wait). */
enum sub_state sub_pull_all(trl_ctx *ctx, struct subscription *sub);
/* Waits at the producer for something new in the lanes that are ours to read. */
enum trl_code sub_await(trl_ctx *ctx, struct subscription *sub, uint32_t wait_ms,
    bool *news) TRL_MUST_CHECK;
/* Whether there is a lane to wait for, and else from when there is. */
bool sub_may_wait(const struct subscription *sub);
uint64_t sub_next_us(const struct subscription *sub);
/* Whether a lane's event failed and is to be tried again. */
bool sub_retries(const struct subscription *sub);
/* Has somebody wait, unless somebody does. */
void sub_watch(struct subscription *sub);
