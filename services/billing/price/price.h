/* price.h - what a quantity costs at a price. Pure; the model's words are the
 * catalogue's. */
#pragma once

#include <trl/money.h>

enum { PRICE_TIERS_MAX = 20 };

enum price_model {
	PRICE_FIXED,     /* the unit amount, whatever the quantity */
	PRICE_PER_UNIT,  /* the unit amount for each: seats */
	PRICE_GRADUATED, /* each unit costs what its own tier says */
	PRICE_VOLUME,    /* all units cost what the tier of the whole quantity says */
	PRICE_PACKAGE    /* the unit amount for each package that is begun */
};

struct price_tier {
	trl_int128
	    up_to; /* the last quantity in it, 9 places; 0: the last tier, no end */
	trl_int128 unit; /* minor units each, 12 places */
	int64_t flat;    /* once, where a unit falls into it */
};

struct price {
	enum price_model model;
	trl_int128 unit;         /* 12 places; none of a tier model */
	trl_int128 free_units;   /* 9 places; they cost nothing, and count in no tier */
	trl_int128 package_size; /* 9 places; of a package */
	size_t n_tiers;
	struct price_tier tiers[PRICE_TIERS_MAX];
};

/* Where something is wrong with a price, in the catalogue's words: a field of it, or of
 * one of its tiers. */
struct price_place {
	const char *field;
	size_t tier; /* PRICE_NO_TIER: the price's own field */
};
enum { PRICE_NO_TIER = PRICE_TIERS_MAX };

/* NULL, or what is wrong with it and where: a negative amount, tiers that overlap or
 * end too early, a package of nothing. */
const char *price_check(const struct price *price, struct price_place *place);
/* Minor units, rounded once; of a price that was checked, and a quantity of 0 or more
 * (9 places). False: it does not fit. */
bool price_of(const struct price *price, trl_int128 quantity, int64_t *out);
