/* entitled.c - see entitled.h. */
#include "account/entitled.h"

#include <string.h>

#include <trl/event.h>

static bool
holds(enum life_status status)
{
	return status == LIFE_TRIALING || status == LIFE_ACTIVE ||
	       status == LIFE_PAST_DUE;
}

void
entitled_read(const struct account *account, struct entitled *out)
{
	const struct life *life = &account->life;

	*out = (struct entitled){ 0 };
	if (!holds(life->status))
		return;
	strcpy(out->plan, life->offer->plan);
	/* A trial costs nothing, whoever tries. */
	if (life->offer->price.model != PRICE_FIXED && life->status != LIFE_TRIALING)
		out->seats = life->seats;
}

bool
entitled_is_same(const struct entitled *a, const struct entitled *b)
{
	return strcmp(a->plan, b->plan) == 0 && a->seats == b->seats;
}

Billing__V1__EntitlementsEvent *
entitled_event(trl_ctx *ctx, const struct account *account)
{
	Billing__V1__EntitlementsEvent *told = billing_v1_entitlements_event_new(ctx);
	struct entitled entitled;

	entitled_read(account, &entitled);
	trl_set(told, version, account->row->version);
	if (entitled.plan[0])
		told->plan = trl_arena_strdup(ctx->arena, entitled.plan);
	if (entitled.seats) {
		trl_set(told, seats, entitled.seats);
	}
	told->overrides = account->overrides->items;
	told->n_overrides = account->overrides->n_items;
	return told;
}

void
entitled_tell(trl_ctx *ctx, trl_batch *work, const struct account *account)
{
	trl_batch_event(work, &billing_event_entitlements_changed, account->tenant,
	    &entitled_event(ctx, account)->base);
}
