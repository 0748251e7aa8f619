/* billing.ListPlans - what is offered, for everybody. */
#include "catalogue/catalogue.h"

#include <stdlib.h>
#include <string.h>

static int
by_rank(const void *a, const void *b)
{
	const billing_plan *first = *(billing_plan *const *)a;
	const billing_plan *second = *(billing_plan *const *)b;

	return (first->rank > second->rank) - (first->rank < second->rank);
}

/* A plan with the prices that are sold, in one currency or in all. */
static billing_plan *
shown(trl_ctx *ctx, const billing_plan *plan, const char *currency)
{
	billing_plan *copy = trl_arena_memdup(ctx->arena, plan, sizeof *plan);

	copy->n_prices = 0;
	copy->prices =
	    trl_arena_alloc(ctx->arena, (plan->n_prices + 1) * sizeof copy->prices[0]);
	for (size_t i = 0; i < plan->n_prices; i++)
		if (!plan->prices[i]->retired &&
		    (!currency || strcmp(plan->prices[i]->currency, currency) == 0))
			copy->prices[copy->n_prices++] = plan->prices[i];
	return copy;
}

/* Errors: none but faults. */
enum trl_code
billing_list_plans(struct billing *self, trl_ctx *ctx,
    const Billing__V1__ListPlansRequest *in, Billing__V1__ListPlansReply *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, (struct trl_scope){ 0 });
	Billing__V1__CatalogueRow row;
	const billing_catalogue *catalogue;
	enum trl_code rc;

	catalogue_get(work, &row);
	rc = trl_batch_read(work);
	if (rc == TRL_OK)
		rc = catalogue_read(ctx, &row, &catalogue);
	if (rc != TRL_OK)
		return rc;
	out->items = trl_arena_alloc(
	    ctx->arena, (catalogue->n_plans + 1) * sizeof out->items[0]);
	for (size_t i = 0; i < catalogue->n_plans; i++)
		if (!catalogue->plans[i]->hidden)
			out->items[out->n_items++] =
			    shown(ctx, catalogue->plans[i], in->currency);
	if (out->n_items > 0)
		qsort(out->items, out->n_items, sizeof out->items[0], by_rank);
	return TRL_OK;
}
