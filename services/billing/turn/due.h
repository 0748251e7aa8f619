/* due.h - what happens by itself: trials and periods end, changes expire, payments are
 * tried again. Each thing happens at its own time, in order, however late it is
 * noticed; so a process that was away for a day leaves the same account as one that was
 * not.
 *
 * While an organisation is being deleted nothing happens by itself: nobody pays for
 * what nobody may use. What falls due meanwhile happens once it is restored, at its own
 * time, as if it had not been away; its subscription goes on. */
#pragma once

#include "turn/turn.h"

/* Has the job look at the tenant of work at a time (seconds). */
void due_at(trl_batch *work, int64_t when);
/* Has it look at the tenant of tx at once. */
void due_look(trl_tx *tx);
/* Does what is due until then. A test clock is moved on to each thing that is done, and
 * then to until. steps is given for one: *steps counts what was done, and before the
 * clock moves all is heard that was caused so far. Errors: faults,
 * TRL_PRECONDITION (others change it all the time), TRL_INVALID (an amount does not
 * fit). */
enum trl_code due_run(
    struct billing *self, trl_ctx *ctx, int64_t until, uint32_t *steps) TRL_MUST_CHECK;

/* hear.c: all that is to be heard of ctx's tenant's payments, before its test clock
 * moves. *heard is the last news of that, nil at first. Errors: faults. */
enum trl_code hear_all(
    struct billing *self, trl_ctx *ctx, struct trl_id *heard) TRL_MUST_CHECK;

extern const struct trl_job_kind due_job;
