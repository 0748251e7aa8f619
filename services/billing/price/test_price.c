/* Prices: where others went wrong at the edge of a tier, below the free units, beyond
 * what a number holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/compiler.h>

#include "price/price.h"

static trl_int128
decimal(const char *text, unsigned places)
{
	trl_int128 value = 0;

	if (trl_decimal_read(text, strlen(text), places, &value))
		fail_msg("%s is no decimal", text);
	return value;
}

#define UNITS(text) decimal(text, TRL_QUANTITY_PLACES)
#define EACH(text) decimal(text, TRL_PRICE_PLACES)

static void
costs(const struct price *price, const char *quantity, int64_t expected)
{
	struct price_place place;
	int64_t cost = -1;

	assert_null(price_check(price, &place));
	assert_true(price_of(price, UNITS(quantity), &cost));
	if (cost != expected)
		fail_msg("%s units cost %lld, and not %lld", quantity, (long long)cost,
		    (long long)expected);
}

static void
each_model_costs_what_it_says(void **state)
{
	const struct price fixed = { .model = PRICE_FIXED, .unit = EACH("900") },
			   seats = { .model = PRICE_PER_UNIT, .unit = EACH("900") },
			   tiny = { .model = PRICE_PER_UNIT, .unit = EACH("0.01") },
			   graduated = { .model = PRICE_GRADUATED,
				   .n_tiers = 2,
				   .tiers = { { UNITS("250"), 0, 0 },
				       { 0, EACH("2"), 0 } } },
			   flats = { .model = PRICE_GRADUATED,
				   .n_tiers = 2,
				   .tiers = { { UNITS("10"), EACH("10"), 2 },
				       { 0, EACH("5"), 3 } } },
			   volume = { .model = PRICE_VOLUME,
				   .n_tiers = 2,
				   .tiers = { { UNITS("250"), EACH("10"), 0 },
				       { 0, EACH("5"), 0 } } },
			   package = { .model = PRICE_PACKAGE,
				   .unit = EACH("500"),
				   .free_units = UNITS("50"),
				   .package_size = UNITS("100") };

	(void)state;
	costs(&fixed, "0", 900);
	costs(&fixed, "7", 900);
	costs(&seats, "0", 0);
	costs(&seats, "5", 4500);
	costs(&tiny, "12345", 123);
	costs(&graduated, "250", 0);
	costs(&graduated, "251", 2);
	costs(&volume, "250", 2500);
	costs(&volume, "251", 1255);
	costs(&package, "0", 0);
	costs(&package, "50", 0);
	costs(&package, "51", 500);
	costs(&package, "150", 500);
	costs(&package, "150.000000001", 1000);
	costs(&package, "151", 1000);
	costs(&flats, "0", 0);
	costs(&flats, "10", 102);
	costs(&flats, "11", 110);
	costs(&flats, "12", 115);
}

static void
what_is_too_large_is_refused(void **state)
{
	const struct price dear = { .model = PRICE_PER_UNIT, .unit = EACH("1000") },
			   packages = { .model = PRICE_PACKAGE,
				   .unit = EACH("9e18"),
				   .package_size = 1 };
	int64_t cost = 7;

	(void)state;
	assert_false(price_of(&dear, UNITS("9e18"), &cost));
	assert_false(price_of(&packages, UNITS("9e18"), &cost));
	assert_int_equal(cost, 7);
}

static void
a_price_that_makes_no_sense_is_refused(void **state)
{
	static const struct {
		struct price price;
		const char *field;
		size_t tier;
	} wrong[] = {
		{ { .model = PRICE_FIXED, .unit = -1 }, "unit_amount", PRICE_NO_TIER },
		{ { .model = PRICE_FIXED, .free_units = 1 }, "free_units",
		    PRICE_NO_TIER },
		{ { .model = PRICE_PER_UNIT, .free_units = -1 }, "free_units",
		    PRICE_NO_TIER },
		{ { .model = PRICE_PER_UNIT, .n_tiers = 1, .tiers = { { 0, 1, 0 } } },
		    "tiers", PRICE_NO_TIER },
		{ { .model = PRICE_PACKAGE, .unit = 5 }, "package_size",
		    PRICE_NO_TIER },
		{ { .model = PRICE_VOLUME }, "tiers", PRICE_NO_TIER },
		{ { .model = PRICE_VOLUME, .n_tiers = 1, .tiers = { { 5, 1, 0 } } },
		    "up_to", 0 },
		{ { .model = PRICE_VOLUME, .n_tiers = 1, .tiers = { { 0, -1, 0 } } },
		    "unit_amount", 0 },
		{ { .model = PRICE_VOLUME, .n_tiers = 1, .tiers = { { 0, 1, -1 } } },
		    "flat_amount", 0 },
		{ { .model = PRICE_GRADUATED,
		      .n_tiers = 2,
		      .tiers = { { 0, 1, 0 }, { 0, 1, 0 } } },
		    "up_to", 0 },
		{ { .model = PRICE_GRADUATED,
		      .n_tiers = 3,
		      .tiers = { { 5, 1, 0 }, { 5, 1, 0 }, { 0, 1, 0 } } },
		    "up_to", 1 },
		{ { .model = PRICE_GRADUATED,
		      .n_tiers = 3,
		      .tiers = { { 5, 1, 0 }, { 4, 1, 0 }, { 0, 1, 0 } } },
		    "up_to", 1 },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wrong); i++) {
		struct price_place place;

		if (!price_check(&wrong[i].price, &place))
			fail_msg("the price %zu was taken", i);
		assert_string_equal(place.field, wrong[i].field);
		assert_int_equal(place.tier, wrong[i].tier);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_model_costs_what_it_says),
		cmocka_unit_test(what_is_too_large_is_refused),
		cmocka_unit_test(a_price_that_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
