/* price.c - see price.h. A cost is a sum of quantity times unit amount, exact until its
 * end, where it is rounded once. */
#include "price/price.h"

#include <trl/compiler.h>

/* 1 at the places of a quantity, and of a product of quantity and unit amount. */
static const trl_int128 one = 1000000000;
static const trl_int128 one_price = 1000000000000;

static const char *
wrong_in(struct price_place *place, size_t tier, const char *field, const char *why)
{
	*place = (struct price_place){ field, tier };
	return why;
}

static const char *
check_tiers(const struct price *price, struct price_place *place)
{
	trl_int128 below = 0;

	if (price->n_tiers == 0 || price->n_tiers > PRICE_TIERS_MAX)
		return wrong_in(
		    place, PRICE_NO_TIER, "tiers", "it needs 1 to 20 tiers");
	for (size_t i = 0; i < price->n_tiers; i++) {
		const struct price_tier *tier = &price->tiers[i];
		bool last = i + 1 == price->n_tiers;

		if (tier->unit < 0 || tier->flat < 0)
			return wrong_in(place, i,
			    tier->unit < 0 ? "unit_amount" : "flat_amount",
			    "an amount of a tier is negative");
		if (last != (tier->up_to == 0))
			return wrong_in(place, i, "up_to",
			    last ? "the last tier must have no end"
				 : "only the last tier may have no end");
		if (!last && tier->up_to <= below)
			return wrong_in(
			    place, i, "up_to", "the ends of its tiers must rise");
		below = tier->up_to;
	}
	return NULL;
}

const char *
price_check(const struct price *price, struct price_place *place)
{
	bool tiered = price->model == PRICE_GRADUATED || price->model == PRICE_VOLUME;

	if (price->unit < 0)
		return wrong_in(
		    place, PRICE_NO_TIER, "unit_amount", "its amount is negative");
	if (price->free_units < 0)
		return wrong_in(
		    place, PRICE_NO_TIER, "free_units", "its free units are negative");
	if (tiered)
		return check_tiers(price, place);
	if (price->n_tiers > 0)
		return wrong_in(place, PRICE_NO_TIER, "tiers",
		    "only graduated and volume prices have tiers");
	if (price->model == PRICE_PACKAGE && price->package_size <= 0)
		return wrong_in(
		    place, PRICE_NO_TIER, "package_size", "a package needs a size");
	if (price->model == PRICE_FIXED && price->free_units > 0)
		return wrong_in(place, PRICE_NO_TIER, "free_units",
		    "a fixed price has no free units");
	return NULL;
}

/* The tier that a quantity above 0 falls into. */
static const struct price_tier *
tier_at(const struct price *price, trl_int128 quantity)
{
	const struct price_tier *tier = price->tiers;

	while (tier->up_to != 0 && quantity > tier->up_to)
		tier++;
	return tier;
}

static bool
add_graduated(const struct price *price, trl_int128 quantity, struct trl_exact *sum)
{
	const struct price_tier *last = tier_at(price, quantity);
	trl_int128 below = 0;

	for (const struct price_tier *tier = price->tiers; tier <= last; tier++) {
		trl_int128 units = (tier == last ? quantity : tier->up_to) - below;

		if (!trl_exact_add(sum, units, tier->unit) ||
		    !trl_exact_add(sum, tier->flat, one * one_price))
			return false;
		below = tier->up_to;
	}
	return true;
}

static bool
add_volume(const struct price *price, trl_int128 quantity, struct trl_exact *sum)
{
	const struct price_tier *tier = tier_at(price, quantity);

	return trl_exact_add(sum, quantity, tier->unit) &&
	       trl_exact_add(sum, tier->flat, one * one_price);
}

static bool
add_packages(const struct price *price, trl_int128 quantity, struct trl_exact *sum)
{
	trl_int128 size = price->package_size;
	trl_int128 packages = quantity / size + (quantity % size != 0);

	return packages <= INT64_MAX && trl_exact_add(sum, packages * one, price->unit);
}

bool
price_of(const struct price *price, trl_int128 quantity, int64_t *out)
{
	struct trl_exact sum = { { 0 } };
	bool fits = true;

	trl_assert(quantity >= 0);
	if (price->model == PRICE_FIXED) {
		fits = trl_exact_add(&sum, one, price->unit);
	} else if (quantity > price->free_units) {
		quantity -= price->free_units;
		switch (price->model) {
		case PRICE_PER_UNIT:
			fits = trl_exact_add(&sum, quantity, price->unit);
			break;
		case PRICE_GRADUATED:
			fits = add_graduated(price, quantity, &sum);
			break;
		case PRICE_VOLUME:
			fits = add_volume(price, quantity, &sum);
			break;
		default:
			fits = add_packages(price, quantity, &sum);
			break;
		}
	}
	return fits && trl_exact_round(&sum, one * one_price, out);
}
