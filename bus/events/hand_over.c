/* hand_over.c - events go to their handler, those of one tenant at a time: under its
 * scope, as row security wants it. Order holds within a tenant, and so within each
 * aggregate. */
#include <string.h>

#include "subscription.h"

static enum trl_code
hand_group(trl_ctx *ctx, struct subscription *sub, trl_tx *tx,
    const struct trl_event *events, size_t n)
{
	enum trl_code rc;

	for (size_t i = 0; i < n; i++)
		if (events[i].type && !events[i].payload)
			return trl_fail(ctx, TRL_INTERNAL,
			    "the payload of %s cannot be read", events[i].type_name);
	ctx->tenant = events[0].tenant;
	ctx->trace = events[0].trace;
	trl_tx_scope(tx, TRL_SCOPE_TENANT(events[0].tenant));
	rc = sub->spec->apply(sub->events->self, ctx, tx, events, n);
	if (rc != TRL_OK && ctx->err.code == TRL_OK)
		trl_fail(ctx, rc, "failed without an error");
	ctx->tenant = trl_id_nil;
	return rc;
}

enum trl_code
sub_hand_over(trl_ctx *ctx, struct subscription *sub, trl_tx *tx,
    struct trl_event *events, size_t n)
{
	struct trl_event *group = trl_arena_alloc(ctx->arena, n * sizeof *group);
	bool *done = trl_arena_zalloc(ctx->arena, n * sizeof *done);
	enum trl_code rc = TRL_OK;

	for (size_t i = 0; rc == TRL_OK && i < n; i++) {
		size_t k = 0;

		if (done[i])
			continue;
		for (size_t j = i; j < n; j++) {
			if (done[j] || !trl_id_eq(events[j].tenant, events[i].tenant))
				continue;
			done[j] = true;
			group[k++] = events[j];
		}
		rc = hand_group(ctx, sub, tx, group, k);
		group += k;
	}
	return rc;
}
