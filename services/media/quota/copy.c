/* copy.c - what tenants last said of organisations' limits: see quota.h. Where it does
 * not answer, an upload of one that was asked about a while ago begins all the same.
 * Each organisation has one place in a table, which another one may take. */
#include "quota/quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 1024, AWAY_US = 1000000 };
#define PATIENCE_US UINT64_C(300000000)

struct copy {
	struct trl_id tenant;
	uint64_t at_us;
	int64_t limit;
	bool of_plan;
	char plan[64];
};

struct quota_copies {
	uint64_t away_until_us;
	struct copy places[PLACES];
};

struct quota_copies *
quota_copies_new(void)
{
	struct quota_copies *self = calloc(1, sizeof *self);

	trl_assert(self);
	return self;
}

void
quota_copies_free(struct quota_copies **at)
{
	free(TRL_TAKE(*at));
}

/* By what of an id is random. */
static struct copy *
place_of(struct quota_copies *self, struct trl_id tenant)
{
	return &self->places[(tenant.bytes[14] << 8 | tenant.bytes[15]) % PLACES];
}

void
quota_copies_put(
    struct quota_copies *self, const trl_ctx *ctx, const struct quota *quota)
{
	struct copy *copy = place_of(self, ctx->tenant);

	*copy = (struct copy){ .tenant = ctx->tenant,
		.at_us = trl_mono_us(),
		.limit = quota->limit,
		.of_plan = quota->of_plan };
	(void)snprintf(
	    copy->plan, sizeof copy->plan, "%s", quota->plan ? quota->plan : "");
	self->away_until_us = 0;
}

bool
quota_copies_get(struct quota_copies *self, trl_ctx *ctx, struct quota *out)
{
	const struct copy *copy = place_of(self, ctx->tenant);

	if (!trl_id_eq(copy->tenant, ctx->tenant) ||
	    trl_mono_us() - copy->at_us > PATIENCE_US)
		return false;
	*out = (struct quota){ .limit = copy->limit, .of_plan = copy->of_plan };
	if (*copy->plan)
		out->plan = trl_arena_strdup(ctx->arena, copy->plan);
	return true;
}

void
quota_copies_away(struct quota_copies *self)
{
	self->away_until_us = trl_mono_us() + AWAY_US;
}

bool
quota_copies_are_all(const struct quota_copies *self)
{
	return trl_mono_us() < self->away_until_us;
}
