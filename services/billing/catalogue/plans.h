/* plans.h - what is in each plan, as the others are told (account/entitled.h). */
#pragma once

#include "catalogue/catalogue.h"

/* Adds an event for each plan of next that has other features, or another
 * place, than in now. The first is the fallback plan's, so that there always is one.
 * Errors: TRL_INVALID (a plan's features are too much for an event). */
enum trl_code plans_tell(trl_ctx *ctx, trl_batch *work, const billing_catalogue *now,
    const billing_catalogue *next, int64_t version) TRL_MUST_CHECK;
/* The event of one plan, as it is in a catalogue. */
const Billing__V1__PlanEvent *plans_event(trl_ctx *ctx,
    const billing_catalogue *catalogue, const billing_plan *plan, int64_t version);
/* All plans are one aggregate: they are heard in their order. */
extern const struct trl_id plans_subject;
