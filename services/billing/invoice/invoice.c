/* invoice.c - see invoice.h. */
#include "invoice/invoice.h"

#include <stdio.h>
#include <string.h>

/* Least that a provider collects, in units of the currency: half of one. */
static int64_t
least(const char *code)
{
	const struct trl_currency *currency = trl_currency_of(code);
	int64_t unit = 1;

	for (unsigned i = 0; currency && i < currency->exponent; i++)
		unit *= 10;
	return unit > 1 ? unit / 2 : 50;
}

static char *
decimal_text(trl_ctx *ctx, trl_int128 value, unsigned places)
{
	char text[64];

	trl_decimal_write(value, places, text, sizeof text);
	return trl_arena_strdup(ctx->arena, text);
}

/* What a line says: "3 x Team", "Rest of 3 x Team" for what is credited. */
static char *
describe(trl_ctx *ctx, const struct life_part *part, const billing_plan *plan)
{
	const char *what = part->amount < 0  ? "Unused time: "
			   : part->proration ? "Remaining time: "
					     : "";

	if (part->offer->price.model == PRICE_FIXED)
		return trl_arena_printf(ctx->arena, "%s%s", what, plan->name);
	return trl_arena_printf(ctx->arena, "%s%u x %s", what, part->seats, plan->name);
}

static Billing__V1__Line *
line_of(trl_ctx *ctx, const struct account *account, const struct life_part *part,
    struct bill_line *sum, const char **reason)
{
	const billing_plan *plan =
	    catalogue_plan(account->catalogue, part->offer->plan);
	Billing__V1__Line *line = billing_v1_line_new(ctx);

	trl_assert(plan != NULL);
	line->description = describe(ctx, part, plan);
	line->quantity = decimal_text(ctx,
	    part->offer->price.model == PRICE_FIXED ? 1 : (trl_int128)part->seats, 0);
	line->unit = (char *)(uintptr_t) "C62";
	if (part->offer->price.n_tiers == 0)
		line->unit_amount =
		    decimal_text(ctx, part->offer->price.unit, TRL_PRICE_PLACES);
	line->plan = (char *)(uintptr_t)part->offer->plan;
	line->price = (char *)(uintptr_t)part->offer->key;
	line->period_start = billing_time(ctx, part->from);
	line->period_end = billing_time(ctx, part->to);
	trl_set(line, amount, part->amount);
	trl_set(line, proration, part->proration);
	trl_set(line, tax_inclusive, part->offer->tax_inclusive);
	*sum = (struct bill_line){ .amount = part->amount,
		.inclusive = part->offer->tax_inclusive };
	tax_for(account->catalogue, account->profile, plan->tax_class, &sum->tax_kind,
	    reason);
	return line;
}

static void
show_sums(trl_ctx *ctx, const struct bill *bill, billing_invoice *out)
{
	for (size_t i = 0; i < bill->n_lines; i++) {
		const struct bill_line *sum = &bill->lines[i];
		trl_int128 rate = 0;

		for (size_t j = 0; j < sum->tax_kind.n_rates; j++)
			rate += sum->tax_kind.rates[j];
		trl_set(out->lines[i], discount, sum->discount);
		trl_set(out->lines[i], net, sum->net);
		trl_set(out->lines[i], tax, sum->tax);
		out->lines[i]->tax_category =
		    trl_arena_strdup(ctx->arena, sum->tax_kind.category);
		out->lines[i]->tax_rate = decimal_text(ctx, rate, RATE_PLACES);
	}
	out->taxes =
	    trl_arena_alloc(ctx->arena, (bill->n_groups + 1) * sizeof out->taxes[0]);
	for (size_t i = 0; i < bill->n_groups; i++) {
		Billing__V1__TaxTotal *group = billing_v1_tax_total_new(ctx);

		group->category =
		    trl_arena_strdup(ctx->arena, bill->groups[i].category);
		group->rate = decimal_text(ctx, bill->groups[i].rate, RATE_PLACES);
		trl_set(group, net, bill->groups[i].net);
		trl_set(group, tax, bill->groups[i].tax);
		out->taxes[out->n_taxes++] = group;
	}
	trl_set(out, subtotal, bill->net + bill->discount);
	trl_set(out, discount, bill->discount);
	trl_set(out, net, bill->net);
	trl_set(out, tax, bill->tax);
	trl_set(out, total, bill->total);
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

/* What the account's coupon takes off. */
static bool
discount_of(const struct account *account, const struct bill *bill, int64_t *out)
{
	const billing_catalogue *catalogue = account->catalogue;
	const char *code = account->row->coupon;
	trl_int128 percent;

	*out = 0;
	for (size_t i = 0; code && i < catalogue->n_coupons; i++) {
		const Billing__V1__Coupon *coupon = catalogue->coupons[i];

		if (strcmp(coupon->code, code) != 0)
			continue;
		if (!coupon->percent_off)
			return bill_amount_off(bill, coupon->amount_off, out);
		return !trl_decimal_read(coupon->percent_off,
			   strlen(coupon->percent_off), RATE_PLACES, &percent) &&
		       bill_percent_off(bill, percent, out);
	}
	return true;
}

/* What is taken from the balance, or added to it, what is carried, and what is due. */
static bool
settle(const struct account *account, billing_invoice *out)
{
	int64_t balance = account->row->balance, carried = account->row->carried;
	int64_t from = out->total < balance ? out->total : balance, due;

	if (__builtin_sub_overflow(out->total, from, &due) ||
	    __builtin_add_overflow(due, carried, &due))
		return false;
	trl_set(out, from_balance, from); /* of a credit it is below 0 */
	trl_set(out, carried, carried);
	trl_set(out, amount_paid, 0);
	trl_set(out, amount_credited, 0);
	trl_set(out, amount_due, due < least(out->currency) ? 0 : due);
	return true;
}

enum trl_code
invoice_make(
    trl_ctx *ctx, const struct account *account, uint64_t place, billing_invoice **out)
{
	const struct life *life = &account->life;
	struct bill bill = { .lines = trl_arena_alloc(ctx->arena,
				 (life->n_parts + 1) * sizeof *bill.lines) };
	billing_invoice *invoice = billing_v1_invoice_new(ctx);
	const char *reason = NULL;

	*out = NULL;
	invoice->lines =
	    trl_arena_alloc(ctx->arena, (life->n_parts + 1) * sizeof invoice->lines[0]);
	for (size_t i = 0; i < life->n_parts; i++) {
		if (life->parts[i].invoice != place)
			continue;
		invoice->currency = (char *)(uintptr_t)life->parts[i].offer->currency;
		invoice->lines[invoice->n_lines++] = line_of(ctx, account,
		    &life->parts[i], &bill.lines[bill.n_lines++], &reason);
	}
	if (bill.n_lines == 0)
		return TRL_OK;
	if (!discount_of(account, &bill, &bill.discount) || !bill_sum(&bill))
		return trl_fail(ctx, TRL_INVALID, "The amount is too large.");
	show_sums(ctx, &bill, invoice);
	if (!settle(account, invoice))
		return trl_fail(ctx, TRL_INVALID, "The amount is too large.");
	trl_set(invoice, status, BILLING__V1__INVOICE__STATUS__draft);
	invoice->seller =
	    account->catalogue->seller ? account->catalogue->seller->party : NULL;
	invoice->buyer = buyer_of(ctx, account->profile);
	invoice->locale = account->profile->locale;
	invoice->coupon = bill.discount ? account->row->coupon : NULL;
	if (reason) {
		invoice->notes = trl_arena_alloc(ctx->arena, sizeof invoice->notes[0]);
		invoice->notes[invoice->n_notes++] =
		    trl_arena_strdup(ctx->arena, reason);
		for (size_t i = 0; i < invoice->n_taxes; i++)
			if (invoice->taxes[i]->tax == 0)
				invoice->taxes[i]->reason = invoice->notes[0];
	}
	*out = invoice;
	return TRL_OK;
}
