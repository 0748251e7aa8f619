/* seats.h - members and open invitations, as many as the plan has seats. They are
 * counted under the tenant's lock, so that the last seat is taken once. A plan with
 * fewer takes nobody's away; it refuses the next. */
#pragma once

#include "entitled.h"

struct tenants_seats {
	bool limited;
	int64_t limit;
	const char *plan;
};

/* Of what was read. */
void tenants_seats_of(
    const struct tenants_entitled *entitled, struct tenants_seats *out);
/* Reads it. Errors: faults. */
enum trl_code tenants_seats_read(struct tenants *self, trl_ctx *ctx,
    struct trl_id tenant, struct tenants_seats *out) TRL_MUST_CHECK;
/* Adds, behind the statement that takes a seat, that there was one: TRL_QUOTA. */
void tenants_seats_want(
    trl_batch *work, struct trl_id tenant, const struct tenants_seats *seats);
/* The end rc of such a batch; where it was for want of a seat, the error says so. */
enum trl_code tenants_seats_end(struct tenants *self, trl_ctx *ctx,
    struct trl_id tenant, const struct tenants_seats *seats,
    enum trl_code rc) TRL_MUST_CHECK;
