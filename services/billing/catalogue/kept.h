/* kept.h - the catalogue in force as this process has read it: a version never changes,
 * so it is read and decoded once, and not by each turn. Which one is in force is read
 * with every account, so every replica obeys a new one from its commit on. One that was
 * replaced stays for an hour at least, for whoever works with it: what is older goes
 * when another one is read. */
#pragma once

#include "catalogue/catalogue.h"

/* The catalogue of a version, 0: an empty one. It is nobody's to change. May park.
 * Errors: TRL_INTERNAL, faults. */
enum trl_code catalogue_of(struct billing *self, trl_ctx *ctx, int64_t version,
    const billing_catalogue **out) TRL_MUST_CHECK;
/* At the end: nothing is kept any more. */
void catalogue_forget(struct billing *self);
