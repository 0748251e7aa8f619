/* catalogue_check.c - whether a catalogue fits together. */
#include "catalogue/catalogue.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <trl/pointer.h>

#include "catalogue/logo.h"

struct check {
	trl_ctx *ctx;
	const billing_catalogue *catalogue;
	struct trl_pointer at;
	bool fine;
};

static void TRL_PRINTF(3, 4)
    wrong(struct check *check, const char *field, const char *fmt, ...)
{
	size_t before = field ? trl_pointer_enter(&check->at, field) : check->at.len;
	char text[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	trl_err_violation(check->ctx, check->at.text, "%s", text);
	trl_pointer_leave(&check->at, before);
	check->fine = false;
}

/* The pointer at an item of a list. */
static size_t
enter_item(struct check *check, const char *list, size_t i)
{
	size_t before = trl_pointer_enter(&check->at, list);

	(void)trl_pointer_enter_index(&check->at, i);
	return before;
}

/* Runs fn for each item of a list, with the pointer at it. */
#define EACH(check, list, fn)                                                          \
	do {                                                                           \
		for (size_t i_ = 0; i_ < (check)->catalogue->n_##list; i_++) {         \
			size_t before_ = enter_item((check), #list, i_);               \
                                                                                       \
			fn((check), (check)->catalogue->list[i_], i_);                 \
			trl_pointer_leave(&(check)->at, before_);                      \
		}                                                                      \
	} while (0)

static void
check_feature(struct check *check, const billing_feature *feature, size_t i)
{
	if (catalogue_feature(check->catalogue, feature->key) !=
	    check->catalogue->features[i])
		wrong(check, "key", "Two features are called %s.", feature->key);
}

static const char *
value_fault(const billing_catalogue *catalogue, const Billing__V1__FeatureValue *value,
    const char **field)
{
	const billing_feature *feature = catalogue_feature(catalogue, value->feature);
	unsigned given = value->has_boolean + value->has_number + !!value->text;

	*field = "feature";
	if (!feature)
		return "There is no feature of this name.";
	*field = billing_v1_feature_type_name(feature->type);
	switch (feature->type) {
	case BILLING__V1__FEATURE__TYPE__boolean:
		return given == 1 && value->has_boolean
			   ? NULL
			   : "This feature is on or off: boolean says which.";
	case BILLING__V1__FEATURE__TYPE__number:
		return given == (unsigned)value->has_number
			   ? NULL
			   : "This feature is a number; without one it has no limit.";
	default:
		return given == 1 && value->text ? NULL : "This feature is a text.";
	}
}

const char *
catalogue_value_fault(
    const billing_catalogue *catalogue, const Billing__V1__FeatureValue *value)
{
	const char *field;

	return value_fault(catalogue, value, &field);
}

static void
check_value(struct check *check, const billing_plan *plan, size_t i)
{
	const Billing__V1__FeatureValue *value = plan->features[i];
	const char *field, *why = value_fault(check->catalogue, value, &field);

	for (size_t j = 0; j < i; j++)
		if (strcmp(plan->features[j]->feature, value->feature) == 0)
			wrong(check, "feature", "The plan has this feature twice.");
	if (why)
		wrong(check, field, "%s", why);
}

/* Whoever forgets one should not find out by what it lets through. */
static void
check_numbers(struct check *check, const billing_plan *plan)
{
	for (size_t i = 0; i < check->catalogue->n_features; i++) {
		const billing_feature *feature = check->catalogue->features[i];
		bool named = feature->type != BILLING__V1__FEATURE__TYPE__number;

		for (size_t j = 0; !named && j < plan->n_features; j++)
			named = strcmp(plan->features[j]->feature, feature->key) == 0;
		if (!named)
			wrong(check, "features",
			    "The plan does not say how much of %s is in it; named "
			    "without a number it has no limit.",
			    feature->key);
	}
}

/* A plan, an interval and a currency choose a price: no two may be sold. */
static void
check_choice(struct check *check, const billing_plan *plan, const billing_price *price)
{
	for (size_t i = 0; plan->prices[i] != price; i++) {
		const billing_price *other = plan->prices[i];

		if (!price->retired && !other->retired &&
		    price->interval == other->interval &&
		    strcmp(price->currency, other->currency) == 0)
			wrong(check, NULL,
			    "The plan is sold for %s at this interval and in this "
			    "currency: nobody could choose this price.",
			    other->key);
	}
}

static void
wrong_in_price(struct check *check, const struct price_place *place, const char *why)
{
	size_t before = check->at.len;

	if (place->tier != PRICE_NO_TIER)
		(void)enter_item(check, "tiers", place->tier);
	wrong(check, place->field, "This does not make a price: %s.", why);
	trl_pointer_leave(&check->at, before);
}

static void
check_price(struct check *check, const billing_plan *plan, const billing_price *price)
{
	const billing_plan *first_plan;
	struct price_place place;
	struct offer offer;
	const char *why;

	if (catalogue_price(check->catalogue, price->key, &first_plan) != price)
		wrong(check, "key", "Two prices are called %s.", price->key);
	why = catalogue_offer(plan, price, &offer, &place);
	if (why)
		wrong_in_price(check, &place, why);
	else if ((offer.price.n_tiers > 0) == (price->unit_amount != NULL))
		wrong(check, "unit_amount",
		    "A price has either an amount or tiers with amounts.");
	check_choice(check, plan, price);
}

static void
check_plan(struct check *check, const billing_plan *plan, size_t i)
{
	size_t before;

	if (catalogue_plan(check->catalogue, plan->key) != check->catalogue->plans[i])
		wrong(check, "key", "Two plans are called %s.", plan->key);
	check_numbers(check, plan);
	for (size_t j = 0; j < plan->n_features; j++) {
		before = enter_item(check, "features", j);
		check_value(check, plan, j);
		trl_pointer_leave(&check->at, before);
	}
	for (size_t j = 0; j < plan->n_prices; j++) {
		before = enter_item(check, "prices", j);
		check_price(check, plan, plan->prices[j]);
		trl_pointer_leave(&check->at, before);
	}
}

/* A decimal percentage above 0 (or from 0 on) and up to 100. */
static bool
is_percent(const char *text, bool zero)
{
	trl_int128 value;

	return !trl_decimal_read(text, strlen(text), RATE_PLACES, &value) &&
	       value <= 100000000 && (zero ? value >= 0 : value > 0);
}

static bool
is_same_text(const char *a, const char *b, const char *absent)
{
	return strcmp(a ? a : absent, b ? b : absent) == 0;
}

/* Of one country and class. */
static bool
is_beside(const Billing__V1__TaxRate *a, const Billing__V1__TaxRate *b)
{
	return strcmp(a->country, b->country) == 0 &&
	       is_same_text(a->tax_class, b->tax_class, "standard");
}

/* A region's are added to its country's, as many as a line of an invoice has room for.
 */
static void
count_tax_rates(struct check *check, const Billing__V1__TaxRate *rate)
{
	size_t n = 0;

	for (size_t i = 0; i < check->catalogue->n_tax_rates; i++) {
		const Billing__V1__TaxRate *other = check->catalogue->tax_rates[i];

		n += is_beside(rate, other) &&
		     (!other->region || is_same_text(rate->region, other->region, ""));
	}
	if (n > BILL_RATES_MAX)
		wrong(check, NULL, "%zu rates add up in this place; at most %d can.", n,
		    BILL_RATES_MAX);
}

static void
check_tax_rate(struct check *check, const Billing__V1__TaxRate *rate, size_t i)
{
	if (!catalogue_is_country(rate->country))
		wrong(check, "country", "A country is two capitals (ISO 3166-1).");
	if (rate->region && strncmp(rate->region, rate->country, 2) != 0)
		wrong(
		    check, "region", "A region begins with its country (ISO 3166-2).");
	if (!is_percent(rate->rate, true))
		wrong(check, "rate", "A rate is a decimal from 0 to 100.");
	for (size_t j = 0; j < i; j++) {
		const Billing__V1__TaxRate *other = check->catalogue->tax_rates[j];

		if (is_beside(rate, other) &&
		    is_same_text(other->region, rate->region, "") &&
		    strcmp(other->name, rate->name) == 0)
			wrong(check, NULL, "This rate stands there twice.");
	}
	count_tax_rates(check, rate);
}

static void
check_coupon(struct check *check, const Billing__V1__Coupon *coupon, size_t i)
{
	const struct trl_currency *currency =
	    coupon->currency ? trl_currency_of(coupon->currency) : NULL;

	for (size_t j = 0; j < i; j++)
		if (strcmp(check->catalogue->coupons[j]->code, coupon->code) == 0)
			wrong(
			    check, "code", "Two coupons are called %s.", coupon->code);
	if (!coupon->percent_off == !coupon->has_amount_off)
		wrong(check, NULL,
		    "A coupon takes off either a percentage or an amount.");
	if (coupon->percent_off && !is_percent(coupon->percent_off, false))
		wrong(check, "percent_off",
		    "A coupon takes off more than 0 and at most 100 %%.");
	if (coupon->has_amount_off != !!coupon->currency)
		wrong(
		    check, "currency", "An amount, and nothing else, has a currency.");
	else if (coupon->currency &&
		 (!currency || currency->kind != TRL_CURRENCY_MONEY))
		wrong(check, "currency", "Nobody pays in this currency.");
	if ((coupon->duration == BILLING__V1__COUPON__DURATION__several) !=
	    coupon->has_periods)
		wrong(
		    check, "periods", "How many periods, where that is its duration.");
	for (size_t j = 0; j < coupon->n_plans; j++) {
		size_t before = enter_item(check, "plans", j);

		if (!catalogue_plan(check->catalogue, coupon->plans[j]))
			wrong(check, NULL, "There is no plan %s.", coupon->plans[j]);
		trl_pointer_leave(&check->at, before);
	}
}

static void
check_dunning(struct check *check, const Billing__V1__Dunning *dunning)
{
	size_t before = trl_pointer_enter(&check->at, "dunning");

	for (size_t i = 0; i < dunning->n_days; i++) {
		size_t day = enter_item(check, "days", i);

		if (dunning->days[i] == 0 || dunning->days[i] > 365 ||
		    (i > 0 && dunning->days[i] <= dunning->days[i - 1]))
			wrong(check, NULL, "They must rise, from 1 to 365 at most.");
		trl_pointer_leave(&check->at, day);
	}
	trl_pointer_leave(&check->at, before);
}

static void
check_trial(struct check *check, const Billing__V1__Trial *trial)
{
	const billing_plan *plan;
	const billing_price *price =
	    catalogue_price(check->catalogue, trial->price, &plan);
	size_t before = trl_pointer_enter(&check->at, "trial");

	if (!price || price->retired)
		wrong(
		    check, "price", "There is no price %s that is sold.", trial->price);
	trl_pointer_leave(&check->at, before);
}

static void
check_seller(struct check *check, const Billing__V1__Seller *seller)
{
	const char *why =
	    seller->has_logo ? logo_check(seller->logo.data, seller->logo.len) : NULL;
	size_t before = trl_pointer_enter(&check->at, "seller");

	if (why)
		wrong(check, "logo", "Its logo %s.", why);
	trl_pointer_leave(&check->at, before);
}

bool
catalogue_check(trl_ctx *ctx, const billing_catalogue *catalogue, const char *under)
{
	struct check check = { .ctx = ctx, .catalogue = catalogue, .fine = true };

	trl_pointer_enter(&check.at, under);
	EACH(&check, features, check_feature);
	EACH(&check, plans, check_plan);
	EACH(&check, tax_rates, check_tax_rate);
	EACH(&check, coupons, check_coupon);
	if (!catalogue_plan(catalogue, catalogue->fallback_plan))
		wrong(&check, "fallback_plan", "There is no plan %s.",
		    catalogue->fallback_plan);
	if (catalogue->trial)
		check_trial(&check, catalogue->trial);
	if (catalogue->seller)
		check_seller(&check, catalogue->seller);
	if (catalogue->dunning)
		check_dunning(&check, catalogue->dunning);
	return check.fine;
}
