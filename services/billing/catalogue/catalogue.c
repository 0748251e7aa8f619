/* catalogue.c - see catalogue.h: reading it, finding things in it. */
#include "catalogue/catalogue.h"

#include <string.h>

#include <trl/wire.h>

void
catalogue_get(trl_batch *work, Billing__V1__CatalogueRow *row)
{
	billing__v1__catalogue_row__init(row);
	trl_batch_get(work, &billing_sql_catalogue_get, NULL, &row->base);
}

enum trl_code
catalogue_read(
    trl_ctx *ctx, const Billing__V1__CatalogueRow *row, const billing_catalogue **out)
{
	ProtobufCMessage *message;
	enum trl_code rc;

	if (!row->has_version) {
		*out = billing_v1_catalogue_new(ctx);
		return TRL_OK;
	}
	rc = trl_wire_decode(ctx, &billing__v1__catalogue__descriptor,
	    row->document.data, row->document.len, &message);
	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	*out = (const billing_catalogue *)message;
	return TRL_OK;
}

const billing_plan *
catalogue_plan(const billing_catalogue *catalogue, const char *key)
{
	for (size_t i = 0; i < catalogue->n_plans; i++)
		if (strcmp(catalogue->plans[i]->key, key) == 0)
			return catalogue->plans[i];
	return NULL;
}

const billing_feature *
catalogue_feature(const billing_catalogue *catalogue, const char *key)
{
	for (size_t i = 0; i < catalogue->n_features; i++)
		if (strcmp(catalogue->features[i]->key, key) == 0)
			return catalogue->features[i];
	return NULL;
}

const billing_price *
catalogue_price(
    const billing_catalogue *catalogue, const char *key, const billing_plan **plan)
{
	for (size_t i = 0; i < catalogue->n_plans; i++) {
		*plan = catalogue->plans[i];
		for (size_t j = 0; j < (*plan)->n_prices; j++)
			if (strcmp((*plan)->prices[j]->key, key) == 0)
				return (*plan)->prices[j];
	}
	*plan = NULL;
	return NULL;
}

/* Absent is 0. */
static bool
read_amount(const char *text, trl_int128 *out)
{
	*out = 0;
	return !text || !trl_decimal_read(text, strlen(text), TRL_PRICE_PLACES, out);
}

static trl_int128
units(uint32_t n)
{
	return (trl_int128)n * 1000000000; /* TRL_QUANTITY_PLACES */
}

static const char *
read_tiers(const billing_price *price, struct price *out, struct price_place *place)
{
	*place = (struct price_place){ "tiers", PRICE_NO_TIER };
	if (price->n_tiers > PRICE_TIERS_MAX)
		return "it has more than 20 tiers";
	out->n_tiers = price->n_tiers;
	for (size_t i = 0; i < price->n_tiers; i++) {
		const Billing__V1__Tier *tier = price->tiers[i];

		out->tiers[i].up_to = units(tier->up_to);
		out->tiers[i].flat = tier->flat_amount;
		*place = (struct price_place){ "unit_amount", i };
		if (!read_amount(tier->unit_amount, &out->tiers[i].unit))
			return "the amount of a tier is no decimal";
	}
	return NULL;
}

const char *
catalogue_offer(const billing_plan *plan, const billing_price *price, struct offer *out,
    struct price_place *place)
{
	static const enum price_model models[] = {
		[BILLING__V1__PRICE__MODEL__fixed] = PRICE_FIXED,
		[BILLING__V1__PRICE__MODEL__per_seat] = PRICE_PER_UNIT,
		[BILLING__V1__PRICE__MODEL__graduated] = PRICE_GRADUATED,
		[BILLING__V1__PRICE__MODEL__volume] = PRICE_VOLUME,
		[BILLING__V1__PRICE__MODEL__package] = PRICE_PACKAGE,
	};
	static const enum trl_interval intervals[] = {
		[BILLING__V1__PRICE__INTERVAL__week] = TRL_WEEK,
		[BILLING__V1__PRICE__INTERVAL__month] = TRL_MONTH,
		[BILLING__V1__PRICE__INTERVAL__year] = TRL_YEAR,
	};
	const struct trl_currency *currency = trl_currency_of(price->currency);
	const char *why;

	*out = (struct offer){
		.rank = plan->rank,
		.interval = intervals[price->interval],
		.count = price->has_interval_count ? price->interval_count : 1,
		.tax_inclusive = price->tax_inclusive,
		.price = { .model = models[price->model],
		    .free_units = units(price->free_units),
		    .package_size = units(price->package_size) },
	};
	*place = (struct price_place){ "key", PRICE_NO_TIER };
	if (strlen(price->key) >= sizeof out->key ||
	    strlen(plan->key) >= sizeof out->plan)
		return "its key is too long";
	place->field = "currency";
	if (!currency)
		return "ISO 4217 has no such currency";
	if (currency->kind != TRL_CURRENCY_MONEY)
		return "nobody pays in this currency";
	strcpy(out->key, price->key);
	strcpy(out->plan, plan->key);
	strcpy(out->currency, currency->code);
	place->field = "unit_amount";
	if (!read_amount(price->unit_amount, &out->price.unit))
		return "its amount is no decimal of at most 12 places";
	why = read_tiers(price, &out->price, place);
	return why ? why : price_check(&out->price, place);
}
