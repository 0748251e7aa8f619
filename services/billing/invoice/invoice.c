/* invoice.c - see invoice.h. */
#include "invoice/inside.h"

#include <stdio.h>
#include <string.h>

#include "invoice/coupon.h"
#include "invoice/texts.h"

int64_t
invoice_least(const char *code)
{
	const struct trl_currency *currency = trl_currency_of(code);
	int64_t unit = 1;

	for (unsigned i = 0; currency && i < currency->exponent; i++)
		unit *= 10;
	return unit > 1 ? unit / 2 : 50;
}

static Billing__V1__Party *
buyer_of(trl_ctx *ctx, const billing_profile *profile)
{
	Billing__V1__Party *party = billing_v1_party_new(ctx);

	party->name = profile->legal_name;
	party->address_line1 = profile->address_line1;
	party->address_line2 = profile->address_line2;
	party->postal_code = profile->postal_code;
	party->city = profile->city;
	party->region = profile->region;
	party->country = profile->country;
	party->vat_id = profile->vat_id;
	party->tax_id = profile->tax_id;
	party->email = profile->email;
	return party;
}

/* What is taken from the balance, or added to it, what is carried, and what is due. */
static bool
settle(const struct account *account, billing_invoice *out)
{
	int64_t balance = account->row->balance, carried = account->row->carried;
	int64_t from = out->total < balance ? out->total : balance, due;
	bool small;

	if (__builtin_sub_overflow(out->total, from, &due) ||
	    __builtin_add_overflow(due, carried, &due))
		return false;
	small = due < invoice_least(out->currency);
	trl_set(out, from_balance, from); /* of a credit it is below 0 */
	trl_set(out, carried, carried);
	trl_set(out, carried_on, small ? due : 0);
	trl_set(out, amount_paid, 0);
	trl_set(out, amount_credited, 0);
	trl_set(out, amount_due, small ? 0 : due);
	return true;
}

/* Why there is no tax, each reason once. */
static void
show_notes(trl_ctx *ctx, billing_invoice *out)
{
	out->notes =
	    trl_arena_alloc(ctx->arena, (out->n_taxes + 1) * sizeof out->notes[0]);
	out->n_notes = 0;
	for (size_t i = 0; i < out->n_taxes; i++) {
		char *reason = out->taxes[i]->reason;
		bool is_new = reason != NULL;

		for (size_t j = 0; is_new && j < out->n_notes; j++)
			is_new = strcmp(out->notes[j], reason) != 0;
		if (is_new)
			out->notes[out->n_notes++] = reason;
	}
}

/* When it has to be paid, in words: whoever's card is charged by itself should not pay
 * it once more. */
static char *
terms_of(trl_ctx *ctx, const struct account *account, const char *locale)
{
	const Billing__V1__Seller *seller = account->catalogue->seller;
	char days[16], text[300];
	unsigned n = seller ? seller->due_days : 0;

	snprintf(days, sizeof days, "%u", n);
	text_fill(text, sizeof text,
	    account->life.can_pay ? TEXT_TERMS_CHARGED
	    : n == 0              ? TEXT_TERMS_AT_ONCE
	    : n == 1              ? TEXT_TERMS_DAY
				  : TEXT_TERMS_DAYS,
	    locale, days, NULL);
	return trl_arena_strdup(ctx->arena, text);
}

/* Who, whom, and in which words. */
static void
show_sides(trl_ctx *ctx, const struct account *account, billing_invoice *out)
{
	const Billing__V1__Seller *seller = account->catalogue->seller;

	out->type_code = (char *)(uintptr_t) "380";
	out->seller = seller ? seller->party : NULL;
	out->buyer = buyer_of(ctx, account->profile);
	out->locale = account->profile->locale;
	out->time_zone = account->profile->time_zone;
	trl_set(out, catalogue_version, account->catalogue_version);
	out->terms = terms_of(ctx, account, out->locale);
	out->footer = seller ? seller->footer : NULL;
}

static bool
add_amounts(const struct bill *bill, int64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < bill->n_lines; i++)
		if (__builtin_add_overflow(*out, bill->lines[i].amount, out))
			return false;
	return true;
}

static bool
price(trl_ctx *ctx, const struct account *account, uint64_t place, billing_invoice *out)
{
	struct bill bill = invoice_bill_of(ctx, account, place, out);
	const char *code;
	int64_t subtotal;

	if (!coupon_discount(account, out, &bill, &code, &bill.discount) ||
	    !bill_sum(&bill) || !add_amounts(&bill, &subtotal))
		return false;
	for (size_t i = 0; i < bill.n_lines; i++)
		invoice_show_line(ctx, &bill.lines[i], out->lines[i]);
	out->taxes = invoice_show_groups(ctx, account->profile, &bill);
	out->n_taxes = bill.n_groups;
	trl_set(out, subtotal, subtotal);
	trl_set(out, discount, bill.discount);
	trl_set(out, net, bill.net);
	trl_set(out, tax, bill.tax);
	trl_set(out, total, bill.total);
	out->coupon = bill.discount ? (char *)(uintptr_t)code : NULL;
	show_notes(ctx, out);
	show_sides(ctx, account, out);
	return settle(account, out);
}

/* The time that it is for: that of what it charges. */
static void
show_period(trl_ctx *ctx, const struct life *life, uint64_t place, billing_invoice *out)
{
	int64_t from = INT64_MAX, to = INT64_MIN;

	for (size_t i = 0; i < life->n_parts; i++) {
		const struct life_part *part = &life->parts[i];

		if (part->invoice != place)
			continue;
		from = part->from < from ? part->from : from;
		to = part->to > to ? part->to : to;
	}
	out->period_start = billing_time(ctx, from);
	out->period_end = billing_time(ctx, to);
}

/* Its lines, and what it takes from the balance and carries. */
static bool
is_of_one_currency(const struct account *account, uint64_t place, const char *currency)
{
	const struct life *life = &account->life;

	for (size_t i = 0; i < life->n_parts; i++)
		if (life->parts[i].invoice == place &&
		    strcmp(life->parts[i].offer->currency, currency) != 0)
			return false;
	return !account_has_other(account, currency);
}

enum trl_code
invoice_make(
    trl_ctx *ctx, const struct account *account, uint64_t place, billing_invoice **out)
{
	const struct life *life = &account->life;
	billing_invoice *invoice = billing_v1_invoice_new(ctx);

	*out = NULL;
	invoice->lines =
	    trl_arena_alloc(ctx->arena, (life->n_parts + 1) * sizeof invoice->lines[0]);
	for (size_t i = 0; i < life->n_parts; i++) {
		if (life->parts[i].invoice != place)
			continue;
		invoice->currency = (char *)(uintptr_t)life->parts[i].offer->currency;
		invoice->lines[invoice->n_lines++] =
		    invoice_line_of(ctx, &life->parts[i]);
	}
	if (invoice->n_lines == 0)
		return TRL_OK;
	if (!is_of_one_currency(account, place, invoice->currency))
		return trl_fail(ctx, TRL_CONFLICT,
		    "There is money in another currency than %s, and no invoice may be "
		    "in both.",
		    invoice->currency);
	if (!price(ctx, account, place, invoice))
		return trl_fail(ctx, TRL_INVALID, "The amount is too large.");
	trl_set(invoice, status, BILLING__V1__INVOICE__STATUS__draft);
	show_period(ctx, life, place, invoice);
	*out = invoice;
	return TRL_OK;
}
