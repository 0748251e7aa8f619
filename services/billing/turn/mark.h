/* mark.h - what a request leaves where its reply cannot be recorded with what it
 * decided, for somebody outside is asked between the two: a record without a reply,
 * under a key of its own, in the transaction of the decision. A retry that finds it
 * decides nothing more, whatever If-Match says or how things are by now, but goes on
 * where the first run came to its end. */
#pragma once

#include "billing.h"

/* Whether an earlier run of ctx's request has decided. Errors: TRL_INVALID (the key was
 * used for another request), faults. */
enum trl_code mark_find(struct billing *self, trl_ctx *ctx, bool *found) TRL_MUST_CHECK;
/* Writes work with the mark. *was_there: another run of the request was faster, and
 * nothing of work is written. Errors: those of trl_batch_write. */
enum trl_code mark_write(trl_ctx *ctx, trl_batch *work, bool *was_there) TRL_MUST_CHECK;
