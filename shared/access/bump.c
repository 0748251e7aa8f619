/* bump.c - a change says what it changes before it writes, and the epoch is bumped
 * once its end is known: not only where this very run wrote. A process may be killed
 * between commit and bump; whoever then asks again under the key is answered from the
 * record, and is not answered before the copies have ended. */
#include <trl/access.h>

struct change {
	trl_access *access;
	struct trl_id id;
	void (*bump)(trl_ctx *ctx, trl_access *access, struct trl_id id);
};

static void
bump(trl_ctx *ctx, void *arg)
{
	const struct change *change = arg;

	change->bump(ctx, change->access, change->id);
}

void
trl_access_changes_account(trl_ctx *ctx, trl_access *access, struct trl_id account)
{
	struct change *change = trl_arena_alloc(ctx->arena, sizeof *change);

	*change = (struct change){ access, account, trl_access_bump_account };
	trl_after_write(ctx, bump, change);
}

void
trl_access_changes_tenant(trl_ctx *ctx, trl_access *access, struct trl_id tenant)
{
	struct change *change = trl_arena_alloc(ctx->arena, sizeof *change);

	*change = (struct change){ access, tenant, trl_access_bump_tenant };
	trl_after_write(ctx, bump, change);
}
