/* epoch.c - many epochs at once, for who watches over more than one request: plain
 * GETs, which travel together; each has a tag of its own. */
#include "state.h"

enum { TOGETHER = 64 };

static void
fetch(trl_ctx *ctx, trl_access *access, char owner, const struct trl_id *ids, size_t n,
    uint64_t *epochs)
{
	struct trl_redis_command *commands =
	    trl_arena_zalloc(ctx->arena, n * sizeof *commands);
	struct trl_redis_reply *replies =
	    trl_arena_zalloc(ctx->arena, n * sizeof *replies);
	struct access_key *keys = trl_arena_alloc(ctx->arena, n * sizeof *keys);

	for (size_t i = 0; i < n; i++) {
		access_key_epoch(&keys[i], owner, ids[i]);
		commands[i].verb = "GET";
		commands[i].n_args = 1;
		commands[i].args[0] = TRL_REDIS_BYTES(keys[i].text, keys[i].len);
		epochs[i] = 0;
	}
	if (!access->redis ||
	    trl_redis_run(ctx, access->redis, commands, n, replies) != TRL_OK) {
		trl_series_add(access->lost, 1);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (replies[i].type == TRL_REDIS_DATA)
			epochs[i] = access_epoch_of(
			    TRL_REDIS_BYTES(replies[i].data, replies[i].len));
}

static void
fetch_all(trl_ctx *ctx, trl_access *access, char owner, const struct trl_id *ids,
    size_t n, uint64_t *epochs)
{
	for (size_t i = 0; i < n; i += TOGETHER)
		fetch(ctx, access, owner, ids + i, n - i < TOGETHER ? n - i : TOGETHER,
		    epochs + i);
}

void
trl_access_account_epochs(trl_ctx *ctx, trl_access *access,
    const struct trl_id *accounts, size_t n, uint64_t *epochs)
{
	fetch_all(ctx, access, 'a', accounts, n, epochs);
}

void
trl_access_tenant_epochs(trl_ctx *ctx, trl_access *access, const struct trl_id *tenants,
    size_t n, uint64_t *epochs)
{
	fetch_all(ctx, access, 't', tenants, n, epochs);
}
