/* billing.AdvanceClock - time travel, for tests: the operator's, and only where no real
 * money moves. */
#include "turn/due.h"

#include <trl/change.h>

/* In one call, which has a minute. */
enum { FAR_S = 10 * 366 * 86400 };

static enum trl_code
begin(struct billing *self, trl_ctx *ctx, int64_t *now)
{
	struct turn *turn = trl_arena_alloc(ctx->arena, sizeof *turn);
	enum trl_code rc = turn_load(self, ctx, turn);

	if (rc != TRL_OK)
		return rc;
	*now = turn->account.now;
	if (!turn->account.row->clock_at) {
		turn->account.row->clock_at = billing_time(ctx, *now);
		turn_finish(turn);
		rc = turn_commit(turn, false);
	}
	turn_end(turn);
	return rc;
}

static enum trl_code
check(struct billing *self, trl_ctx *ctx, int64_t now, int64_t to)
{
	if (!self->provider || self->provider != &provider_test)
		return trl_fail(ctx, TRL_CONFLICT,
		    "A test clock needs TRELLIS_BILLING_PROVIDER=test.");
	if (to < now)
		return trl_fail_field(
		    ctx, TRL_INVALID, "to", "The clock is past that already.");
	if (to > now + FAR_S)
		return trl_fail_field(ctx, TRL_INVALID, "to",
		    "That is more than ten years ahead; go there in steps.");
	return TRL_OK;
}

/* Errors: TRL_INVALID (to), TRL_CONFLICT (no test provider). */
enum trl_code
billing_advance_clock(struct billing *self, trl_ctx *ctx,
    const Billing__V1__AdvanceClockRequest *in, Billing__V1__Clock *out)
{
	TRL_AUTO(trl_change_end) struct trl_change queue = { 0 };
	int64_t now = 0, to = in->to ? trl_value_time_us(in->to) / 1000000 : 0;
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	uint32_t steps = 0;
	enum trl_code rc = trl_change_begin(&queue, ctx, ctx->tenant);

	if (rc == TRL_OK)
		rc = check(self, ctx, 0, 0);
	if (rc == TRL_OK)
		rc = begin(self, ctx, &now);
	if (rc == TRL_OK && in->to)
		rc = check(self, ctx, now, to);
	if (rc == TRL_OK && in->to)
		rc = due_run(self, ctx, to, &steps);
	if (rc != TRL_OK)
		return rc;
	out->now = billing_time(ctx, in->to ? to : now);
	trl_set(out, steps, steps);
	trl_batch_audit(
	    work, "billing.clock.advance", ctx->tenant, "clock", &out->base);
	return trl_batch_write(work, &out->base);
}
