/* billing.PutProfile - whom invoices are made out to; the framework shows it. It is
 * written with the account, so that no invoice is made in between. */
#include "turn/turn.h"

#include <string.h>

#include <trl/change.h>

#include "invoice/tax.h"

static bool
is_currency(const char *code)
{
	const struct trl_currency *currency = trl_currency_of(code);

	return currency && currency->kind == TRL_CURRENCY_MONEY;
}

static bool
is_zone(const char *name)
{
	trl_zone *zone = NULL;
	bool found = !trl_zone_open(name, &zone);

	trl_zone_close(&zone);
	return found;
}

static enum trl_code
check(trl_ctx *ctx, const Billing__V1__PutProfileRequest *in)
{
	if (!catalogue_is_country(in->country))
		return trl_fail_field(ctx, TRL_INVALID, "country",
		    "A country is two capital letters (ISO 3166-1), as \"AT\".");
	if (in->region && (strncmp(in->region, in->country, 2) != 0 ||
			      in->region[2] != '-' || !in->region[3]))
		return trl_fail_field(ctx, TRL_INVALID, "region",
		    "A region begins with its country (ISO 3166-2), as \"CA-QC\".");
	if (in->vat_id && tax_in_eu(in->country) &&
	    !tax_is_vat_id(in->country, in->vat_id))
		return trl_fail_field(ctx, TRL_INVALID, "vat_id",
		    "This is no VAT id of %s: it begins with the country, as "
		    "\"ATU12345678\".",
		    in->country);
	if (in->time_zone && !is_zone(in->time_zone))
		return trl_fail_field(ctx, TRL_INVALID, "time_zone",
		    "There is no time zone %s (IANA), as \"Europe/Vienna\".",
		    in->time_zone);
	if (in->currency && !is_currency(in->currency))
		return trl_fail_field(ctx, TRL_INVALID, "currency",
		    "%s is no currency that can be paid in (ISO 4217).", in->currency);
	return TRL_OK;
}

/* Nor may a trial, which is billed in its own at its end. */
static const char *
why_not_currency(const struct account *account, const char *currency)
{
	const char *why = account_why_not(account, currency);

	if (!why && account_is_subscribed(account) &&
	    strcmp(account->life.offer->currency, currency) != 0)
		why = "The subscription is in another currency; cancel it first.";
	return why;
}

static void
fill(const Billing__V1__PutProfileRequest *in, billing_profile *out)
{
	out->legal_name = in->legal_name;
	out->address_line1 = in->address_line1;
	out->address_line2 = in->address_line2;
	out->postal_code = in->postal_code;
	out->city = in->city;
	out->region = in->region;
	out->country = in->country;
	out->vat_id = in->vat_id;
	out->tax_id = in->tax_id;
	out->email = in->email;
	out->locale = in->locale;
	out->time_zone = in->time_zone;
	out->currency = in->currency;
}

static enum trl_code
put(struct billing *self, trl_ctx *ctx, const Billing__V1__PutProfileRequest *in,
    struct turn *turn, billing_profile *out)
{
	const billing_profile *now = turn->account.profile;
	const char *why =
	    in->currency ? why_not_currency(&turn->account, in->currency) : NULL;
	enum trl_code rc = trl_if_match(ctx, now->version);

	(void)self;
	if (rc != TRL_OK)
		return rc;
	if (why)
		return trl_fail_field(ctx, TRL_CONFLICT, "currency", "%s", why);
	fill(in, out);
	out->exempt_reason = now->exempt_reason;
	trl_set(out, version, now->version + 1);
	out->updated_at = billing_time(ctx, turn->account.now);
	trl_batch_add(turn->work, &billing_sql_profile_put, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
	turn_finish(turn);
	trl_batch_audit(
	    turn->work, "billing.profile.update", ctx->tenant, "profile", &out->base);
	return trl_batch_write(turn->work, &out->base);
}

/* Errors: TRL_INVALID, TRL_CONFLICT (currency), TRL_PRECONDITION. */
enum trl_code
billing_put_profile(struct billing *self, trl_ctx *ctx,
    const Billing__V1__PutProfileRequest *in, Billing__V1__Profile *out)
{
	TRL_AUTO(trl_change_end) struct trl_change queue = { 0 };
	struct turn *turn = trl_arena_alloc(ctx->arena, sizeof *turn);
	enum trl_code rc = check(ctx, in);
	struct trl_arena_mark mark;

	if (rc == TRL_OK)
		rc = trl_change_begin(&queue, ctx, ctx->tenant);
	if (rc != TRL_OK)
		return rc;
	mark = trl_arena_mark(ctx->arena);
	do {
		trl_arena_rewind(ctx->arena, mark);
		rc = turn_load(self, ctx, turn);
		if (rc != TRL_OK)
			return rc;
		rc = put(self, ctx, in, turn, out);
		turn_end(turn);
	} while (trl_change_again(&queue, &rc));
	return rc;
}
