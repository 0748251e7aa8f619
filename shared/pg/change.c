/* See change.h. The key's place in the process is the aggregate's id only; what an
 * audit chain waits for has another (batch.c), taken inside this one. */
#include <trl/change.h>

enum { TRIES = 4 };

enum trl_code
trl_change_begin(struct trl_change *change, trl_ctx *ctx, struct trl_id aggregate)
{
	enum trl_code rc = trl_key_enter(ctx, aggregate.bytes, sizeof aggregate.bytes);

	if (rc == TRL_OK)
		*change = (struct trl_change){ .ctx = ctx, .aggregate = aggregate };
	return rc;
}

bool
trl_change_again(struct trl_change *change, enum trl_code *rc)
{
	if (*rc != TRL_PRECONDITION || change->ctx->has_if_version)
		return false;
	trl_err_clear(change->ctx);
	if (++change->tries < TRIES)
		return true;
	*rc =
	    trl_fail(change->ctx, TRL_CONFLICT, "Others keep changing it; try again.");
	trl_err_retry_after(change->ctx, 1000);
	return false;
}

void
trl_change_end(struct trl_change *change)
{
	if (change->ctx)
		trl_key_leave(change->ctx, change->aggregate.bytes,
		    sizeof change->aggregate.bytes);
	change->ctx = NULL;
}

enum trl_code
trl_if_match(trl_ctx *ctx, int64_t version)
{
	if (ctx->has_if_version && ctx->if_version != version)
		return trl_fail(ctx, TRL_PRECONDITION,
		    "If-Match does not name its version, which is %lld now.",
		    (long long)version);
	return TRL_OK;
}
