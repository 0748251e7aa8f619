/* compare.c - how two catalogues differ, part by part, in sentences; merge.c says the
 * rest. */
#include "catalogue/merge.h"

#include <string.h>

/* A feature's value for people; value may be NULL. */
static const char *
text_of(trl_ctx *ctx, const billing_feature *feature, const billing_plan *plan)
{
	const Billing__V1__FeatureValue *value = catalogue_value(plan, feature->key);

	switch (feature->type) {
	case BILLING__V1__FEATURE__TYPE__boolean:
		return value && value->boolean ? "on" : "off";
	case BILLING__V1__FEATURE__TYPE__number:
		return value && value->has_number ? trl_arena_printf(ctx->arena, "%lld",
							(long long)value->number)
						  : "without limit";
	default:
		return trl_arena_printf(
		    ctx->arena, "\"%s\"", value && value->text ? value->text : "");
	}
}

void
merge_compare_features(
    struct merge *merge, const billing_plan *former, const billing_plan *plan)
{
	for (size_t i = 0; i < merge->next->n_features; i++) {
		const billing_feature *feature = merge->next->features[i];
		const char *was, *is;

		if (!catalogue_feature(merge->now, feature->key))
			continue;
		was = text_of(merge->ctx, feature, former);
		is = text_of(merge->ctx, feature, plan);
		if (strcmp(was, is) != 0)
			merge_say(merge,
			    "Plan %s: %s is %s instead of %s, for whoever has it, too.",
			    plan->key, feature->key, is, was);
	}
}

static bool
is_same_place(const Billing__V1__TaxRate *a, const Billing__V1__TaxRate *b)
{
	return strcmp(a->country, b->country) == 0 &&
	       strcmp(a->region ? a->region : "", b->region ? b->region : "") == 0 &&
	       strcmp(a->tax_class ? a->tax_class : "standard",
		   b->tax_class ? b->tax_class : "standard") == 0 &&
	       strcmp(a->name, b->name) == 0;
}

static const Billing__V1__TaxRate *
rate_in(const billing_catalogue *catalogue, const Billing__V1__TaxRate *like)
{
	for (size_t i = 0; i < catalogue->n_tax_rates; i++)
		if (is_same_place(catalogue->tax_rates[i], like))
			return catalogue->tax_rates[i];
	return NULL;
}

/* "AT VAT", "CA-QC QST reduced". */
static const char *
rate_name(trl_ctx *ctx, const Billing__V1__TaxRate *rate)
{
	return trl_arena_printf(ctx->arena, "%s %s%s%s",
	    rate->region ? rate->region : rate->country, rate->name,
	    rate->tax_class ? " " : "", rate->tax_class ? rate->tax_class : "");
}

void
merge_compare_tax(struct merge *merge)
{
	const billing_catalogue *now = merge->now, *next = merge->next;

	for (size_t i = 0; i < next->n_tax_rates; i++) {
		const Billing__V1__TaxRate *rate = next->tax_rates[i];
		const Billing__V1__TaxRate *former = rate_in(now, rate);
		const char *name = rate_name(merge->ctx, rate);

		if (!former)
			merge_say(merge, "Tax %s is new: %s %%.", name, rate->rate);
		else if (strcmp(former->rate, rate->rate) != 0)
			merge_say(merge,
			    "Tax %s is %s %% instead of %s %%, on invoices from now "
			    "on.",
			    name, rate->rate, former->rate);
	}
	for (size_t i = 0; i < now->n_tax_rates; i++)
		if (!rate_in(next, now->tax_rates[i]))
			merge_say(merge, "Tax %s is charged no more.",
			    rate_name(merge->ctx, now->tax_rates[i]));
}

static const Billing__V1__Coupon *
coupon_in(const billing_catalogue *catalogue, const char *code)
{
	for (size_t i = 0; i < catalogue->n_coupons; i++)
		if (strcmp(catalogue->coupons[i]->code, code) == 0)
			return catalogue->coupons[i];
	return NULL;
}

void
merge_compare_coupons(struct merge *merge)
{
	const billing_catalogue *now = merge->now, *next = merge->next;

	for (size_t i = 0; i < next->n_coupons; i++) {
		const Billing__V1__Coupon *coupon = next->coupons[i];
		const Billing__V1__Coupon *former = coupon_in(now, coupon->code);

		if (!former)
			merge_say(merge, "Coupon %s is new.", coupon->code);
		else if (!merge_is_same(merge->ctx, &former->base, &coupon->base))
			merge_say(merge, "Coupon %s changes, for whoever has it, too.",
			    coupon->code);
	}
	for (size_t i = 0; i < now->n_coupons; i++)
		if (!coupon_in(next, now->coupons[i]->code))
			merge_say(merge, "Coupon %s takes nothing off any more.",
			    now->coupons[i]->code);
}
