/* batch.h - events that are applied in one transaction. Private to bus/events. */
#pragma once

#include "subscription.h"

struct part {
	unsigned lane;
	size_t from, n;
	bool owned, ahead; /* ahead: another process was faster */
	uint64_t owned_seq;
};

struct batch {
	struct part parts[LANES];
	size_t n_parts, n;
	bool alone; /* one lane's, that is careful or goes singly */
};

/* Applies batch, or with a reason to give up what is new of it. A part that is not
 * owned afterwards was left to the process that has its lane. Errors: of the handler,
 * of the database; nothing is written then. */
enum trl_code sub_apply_batch(trl_ctx *ctx, struct subscription *sub,
    struct batch *batch, const char *give_up) TRL_MUST_CHECK;
