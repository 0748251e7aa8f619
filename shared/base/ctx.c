/* ctx.c - what handlers ask of their message. */
#include <trl/ctx.h>

int64_t
trl_now(const trl_ctx *ctx)
{
	return ctx->now_us ? ctx->now_us : trl_wall_us();
}

struct trl_id
trl_new_id(const trl_ctx *ctx)
{
	(void)ctx;
	return trl_id_new();
}

uint32_t
trl_time_left_ms(const trl_ctx *ctx)
{
	uint64_t now = trl_mono_us();
	uint64_t left;

	if (now >= ctx->deadline_us)
		return 0;
	left = (ctx->deadline_us - now) / 1000;
	return left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
}

bool
trl_may(const trl_ctx *ctx, uint32_t permission)
{
	const uint32_t *ids = ctx->principal.permissions;
	size_t low = 0, high = ctx->principal.n_permissions;

	if (ctx->principal.kind == TRL_OPERATOR)
		return true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ids[middle] == permission)
			return true;
		if (ids[middle] < permission)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

struct trl_after_write {
	void (*fn)(trl_ctx *ctx, void *arg);
	void *arg;
	struct trl_after_write *next;
};

void
trl_after_write(trl_ctx *ctx, void (*fn)(trl_ctx *ctx, void *arg), void *arg)
{
	struct trl_after_write **end = &ctx->after_write;
	struct trl_after_write *after = trl_arena_alloc(ctx->arena, sizeof *after);

	while (*end)
		end = &(*end)->next;
	*after = (struct trl_after_write){ .fn = fn, .arg = arg };
	*end = after;
}

void
trl_write_ended(trl_ctx *ctx, enum trl_code rc)
{
	struct trl_after_write *after = ctx->after_write;
	const struct trl_err err = ctx->err;

	ctx->after_write = NULL;
	if (rc != TRL_OK && rc != TRL_UNCERTAIN)
		return;
	for (; after; after = after->next) {
		trl_err_clear(ctx);
		after->fn(ctx, after->arg);
	}
	ctx->err = err;
}
