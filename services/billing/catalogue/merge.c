/* catalogue_merge.c - what becomes of the catalogue in force when another is applied,
 * in sentences. A price is a promise to whoever has it: it is never changed, and where
 * it is no longer named it is kept, retired; so is its plan, hidden. */
#include "catalogue/merge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <trl/wire.h>

void
merge_say(struct merge *merge, const char *fmt, ...)
{
	struct catalogue_changes *changes = merge->changes;
	char text[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (changes->n < CATALOGUE_CHANGES_MAX)
		changes->sentences[changes->n++] =
		    trl_arena_strdup(merge->ctx->arena, text);
}

bool
merge_is_same(trl_ctx *ctx, const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	const uint8_t *as, *bs;
	size_t a_len, b_len;

	if (!a || !b)
		return a == b;
	trl_wire_encode(ctx->arena, a, &as, &a_len);
	trl_wire_encode(ctx->arena, b, &bs, &b_len);
	return a_len == b_len && memcmp(as, bs, a_len) == 0;
}

/* The list with one more at its end. */
static void *
longer(trl_ctx *ctx, void *list, size_t n, void *item)
{
	void **more = trl_arena_alloc(ctx->arena, (n + 1) * sizeof *more);

	if (n > 0)
		memcpy(more, list, n * sizeof *more);
	more[n] = item;
	return more;
}

static billing_price *
retired(trl_ctx *ctx, const billing_price *price)
{
	billing_price *copy = trl_arena_memdup(ctx->arena, price, sizeof *price);

	trl_set(copy, retired, true);
	return copy;
}

/* But for whether it is sold, a price is what it was. */
static bool
is_same_price(trl_ctx *ctx, const billing_price *a, const billing_price *b)
{
	return merge_is_same(ctx, &retired(ctx, a)->base, &retired(ctx, b)->base);
}

static void
merge_price(struct merge *merge, size_t at_plan, size_t at_price)
{
	const billing_plan *plan = merge->next->plans[at_plan], *former_plan;
	const billing_price *price = plan->prices[at_price];
	const billing_price *former =
	    catalogue_price(merge->now, price->key, &former_plan);
	char at[80];

	snprintf(
	    at, sizeof at, "/%s/plans/%zu/prices/%zu", merge->under, at_plan, at_price);
	if (!former) {
		merge_say(merge, "Plan %s gets the price %s.", plan->key, price->key);
	} else if (strcmp(former_plan->key, plan->key) != 0 ||
		   !is_same_price(merge->ctx, former, price)) {
		trl_err_violation(merge->ctx, at,
		    "The price %s is in force as it is and never changes; add "
		    "another one, and leave this out.",
		    price->key);
		merge->fine = false;
	} else if (price->retired && !former->retired) {
		merge_say(merge, "The price %s is no longer sold.", price->key);
	} else if (!price->retired && former->retired) {
		merge_say(merge, "The price %s is sold again.", price->key);
	}
}

/* Prices of former that next's plan of that name does not have. */
static void
keep_prices(struct merge *merge, const billing_plan *former, billing_plan *plan)
{
	const billing_plan *other;

	for (size_t i = 0; i < former->n_prices; i++) {
		const billing_price *price = former->prices[i];

		if (catalogue_price(merge->next, price->key, &other))
			continue;
		if (!price->retired)
			merge_say(merge, "The price %s is no longer sold.", price->key);
		plan->prices = longer(merge->ctx, plan->prices, plan->n_prices,
		    retired(merge->ctx, price));
		plan->n_prices++;
	}
}

/* A plan that next does not have, without what is no feature any more. */
static void
keep_plan(struct merge *merge, const billing_plan *former)
{
	billing_catalogue *next = merge->next;
	billing_plan *plan =
	    trl_arena_memdup(merge->ctx->arena, former, sizeof *former);

	if (!former->hidden)
		merge_say(merge, "Plan %s is no longer offered.", former->key);
	trl_set(plan, hidden, true);
	plan->prices = NULL;
	plan->n_prices = plan->n_features = 0;
	plan->features = NULL;
	for (size_t i = 0; i < former->n_features; i++)
		if (catalogue_feature(next, former->features[i]->feature))
			plan->features = longer(merge->ctx, plan->features,
			    plan->n_features++, former->features[i]);
	keep_prices(merge, former, plan);
	next->plans = longer(merge->ctx, next->plans, next->n_plans, plan);
	next->n_plans++;
}

static billing_plan *
plan_in(billing_catalogue *catalogue, const char *key)
{
	for (size_t i = 0; i < catalogue->n_plans; i++)
		if (strcmp(catalogue->plans[i]->key, key) == 0)
			return catalogue->plans[i];
	return NULL;
}

/* A plan but for its prices and the values of its features. */
static bool
is_same_plan(trl_ctx *ctx, const billing_plan *a, const billing_plan *b)
{
	billing_plan first = *a, second = *b;

	first.n_prices = second.n_prices = 0;
	first.n_features = second.n_features = 0;
	return merge_is_same(ctx, &first.base, &second.base);
}

static void
merge_plans(struct merge *merge)
{
	size_t n = merge->next->n_plans;

	for (size_t i = 0; i < n; i++) {
		billing_plan *plan = merge->next->plans[i];
		const billing_plan *former = catalogue_plan(merge->now, plan->key);

		if (!former)
			merge_say(merge, "Plan %s is new.", plan->key);
		else if (!is_same_plan(merge->ctx, former, plan))
			merge_say(merge, "Plan %s changes, for whoever has it, too.",
			    plan->key);
		if (former)
			merge_compare_features(merge, former, plan);
		for (size_t j = 0; j < plan->n_prices; j++)
			merge_price(merge, i, j);
		if (former)
			keep_prices(merge, former, plan);
	}
	for (size_t i = 0; i < merge->now->n_plans; i++)
		if (!plan_in(merge->next, merge->now->plans[i]->key))
			keep_plan(merge, merge->now->plans[i]);
}

static void
merge_features(struct merge *merge)
{
	for (size_t i = 0; i < merge->next->n_features; i++) {
		const billing_feature *feature = merge->next->features[i];
		const billing_feature *former =
		    catalogue_feature(merge->now, feature->key);

		if (!former)
			merge_say(merge, "Feature %s is new.", feature->key);
		else if (!merge_is_same(merge->ctx, &former->base, &feature->base))
			merge_say(merge, "Feature %s changes.", feature->key);
	}
	for (size_t i = 0; i < merge->now->n_features; i++)
		if (!catalogue_feature(merge->next, merge->now->features[i]->key))
			merge_say(merge, "Feature %s goes, from every plan.",
			    merge->now->features[i]->key);
}

static void
merge_rest(struct merge *merge)
{
	const billing_catalogue *now = merge->now, *next = merge->next;
	trl_ctx *ctx = merge->ctx;

	merge_compare_tax(merge);
	merge_compare_coupons(merge);
	if (!now->fallback_plan || strcmp(now->fallback_plan, next->fallback_plan) != 0)
		merge_say(merge, "Whoever has no plan has %s.", next->fallback_plan);
	if (!merge_is_same(
		ctx, (ProtobufCMessage *)now->trial, (ProtobufCMessage *)next->trial))
		merge_say(merge, "%s",
		    next->trial ? "The trial of new organisations changes."
				: "New organisations have no trial any more.");
	if (!merge_is_same(
		ctx, (ProtobufCMessage *)now->seller, (ProtobufCMessage *)next->seller))
		merge_say(merge, "The seller changes, on invoices from now on.");
	if (!merge_is_same(ctx, (ProtobufCMessage *)now->dunning,
		(ProtobufCMessage *)next->dunning))
		merge_say(merge, "Unpaid invoices are tried on other days.");
}

/* What is kept counts, too: a document past the contract's limits could not be read
 * again. */
static void TRL_PRINTF(5, 6) judge(
    struct merge *merge, size_t n, size_t most, const char *at, const char *what, ...)
{
	char name[200];
	va_list args;

	if (n <= most)
		return;
	va_start(args, what);
	vsnprintf(name, sizeof name, what, args);
	va_end(args);
	trl_err_violation(merge->ctx, at,
	    "With what is kept for whoever may have it, %s %zu; at most %zu fit.", name,
	    n, most);
	merge->fine = false;
}

static void
judge_size(struct merge *merge)
{
	const billing_catalogue *next = merge->next;
	char at[80];

	snprintf(at, sizeof at, "/%s/plans", merge->under);
	judge(merge, next->n_plans, CATALOGUE_PLANS_MAX, at, "the plans are");
	for (size_t i = 0; i < next->n_plans; i++)
		judge(merge, next->plans[i]->n_prices, CATALOGUE_PRICES_MAX, at,
		    "the prices of %s are", next->plans[i]->key);
	snprintf(at, sizeof at, "/%s", merge->under);
	judge(merge, protobuf_c_message_get_packed_size(&next->base),
	    CATALOGUE_BYTES_MAX, at, "the catalogue's bytes are");
}

bool
catalogue_merge(trl_ctx *ctx, const billing_catalogue *now, billing_catalogue *next,
    const char *under, struct catalogue_changes *changes)
{
	struct merge merge = { ctx, now, next, under, changes, true };

	changes->n = 0;
	changes->sentences = trl_arena_alloc(
	    ctx->arena, CATALOGUE_CHANGES_MAX * sizeof changes->sentences[0]);
	merge_features(&merge);
	merge_plans(&merge);
	merge_rest(&merge);
	if (changes->n == 0 && !merge_is_same(ctx, &now->base, &next->base))
		merge_say(&merge, "It is written otherwise, and means the same.");
	judge_size(&merge);
	return merge.fine;
}
