/* catalogue.h - what is sold. It is one document; kept.h says who keeps it. */
#pragma once

#include "billing.h"
#include "life/life.h"

/* Adds to work that row is filled with the catalogue in force. */
void catalogue_get(trl_batch *work, Billing__V1__CatalogueRow *row);
/* Then: what is in it. Without a row there is none yet: an empty one.
 * Errors: TRL_INTERNAL. */
enum trl_code catalogue_read(trl_ctx *ctx, const Billing__V1__CatalogueRow *row,
    const billing_catalogue **out) TRL_MUST_CHECK;

/* NULL: there is no such. */
const billing_plan *catalogue_plan(const billing_catalogue *catalogue, const char *key);
const billing_feature *catalogue_feature(
    const billing_catalogue *catalogue, const char *key);
/* plans.c: what a plan says of a feature. */
const Billing__V1__FeatureValue *catalogue_value(
    const billing_plan *plan, const char *feature);
const billing_price *catalogue_price(
    const billing_catalogue *catalogue, const char *key, const billing_plan **plan);

/* A price as life.h and price.h have it. NULL, or what is wrong with it, and where. */
const char *catalogue_offer(const billing_plan *plan, const billing_price *price,
    struct offer *out, struct price_place *place);

/* country.c: a country's two capital letters (ISO 3166-1). */
bool catalogue_is_country(const char *text);
/* check.c: adds a violation for each thing that is wrong in a catalogue that
 * its contract's rules have passed; pointers begin with under. False: there is one. */
bool catalogue_check(
    trl_ctx *ctx, const billing_catalogue *catalogue, const char *under);

/* Whether a value is one of a feature of the catalogue, and of its type: NULL, or what
 * is wrong. */
const char *catalogue_value_fault(
    const billing_catalogue *catalogue, const Billing__V1__FeatureValue *value);

enum { CATALOGUE_CHANGES_MAX = 2000 };
/* As the contract has them, of Catalogue, Plan and CatalogueRow. */
enum {
	CATALOGUE_PLANS_MAX = 100,
	CATALOGUE_PRICES_MAX = 200,
	CATALOGUE_BYTES_MAX = 393216
};
struct catalogue_changes {
	size_t n;
	char **sentences;
};

/* merge.c: what becomes of the one in force when next is applied: prices that
 * next does not name are retired and plans hidden, for somebody may have them. Says
 * what changes. False: next changes what never changes, or becomes too large, each a
 * violation. */
bool catalogue_merge(trl_ctx *ctx, const billing_catalogue *now,
    billing_catalogue *next, const char *under, struct catalogue_changes *changes);
