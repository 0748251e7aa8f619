/* mark.c - see mark.h. */
#include "turn/mark.h"

#include <trl/replay.h>

/* A client's key has no spaces. Returns the request's own. */
static const char *
begin(trl_ctx *ctx)
{
	const char *own = ctx->idempotency.key;

	if (own)
		ctx->idempotency.key = trl_arena_printf(ctx->arena, "%s decided", own);
	return own;
}

/* Whether there was a mark already. What stands under it is not the request's reply. */
static bool
end(trl_ctx *ctx, const char *own)
{
	bool was_there = ctx->idempotency.replayed;

	ctx->idempotency.key = own;
	ctx->idempotency.recorded = ctx->idempotency.replayed = false;
	return was_there;
}

/* The first attempt of a key that the edge made costs no look, as in dispatch. */
enum trl_code
mark_find(struct billing *self, trl_ctx *ctx, bool *found)
{
	const char *own;
	enum trl_code rc;

	*found = false;
	if (!ctx->idempotency.from_client && !ctx->idempotency.is_retry)
		return TRL_OK;
	own = begin(ctx);
	rc = trl_replay(ctx, self->pg, NULL, found);
	(void)end(ctx, own);
	return rc;
}

enum trl_code
mark_write(trl_ctx *ctx, trl_batch *work, bool *was_there)
{
	const char *own = begin(ctx);
	enum trl_code rc = trl_batch_write(work, NULL);

	*was_there = end(ctx, own);
	return rc;
}
