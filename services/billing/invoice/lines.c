/* lines.c - what stands on the lines of an invoice. */
#include "invoice/inside.h"

#include <stdio.h>
#include <string.h>

#include "invoice/texts.h"

enum { DESCRIPTION_MAX = 400 };

char *
invoice_decimal(trl_ctx *ctx, trl_int128 value, unsigned places)
{
	char text[64];

	trl_decimal_write(value, places, text, sizeof text);
	return trl_arena_strdup(ctx->arena, text);
}

/* Of a whole period it is seats times the price, where that makes the amount; of a part
 * of one, once the amount, whose sign is the quantity's (EN 16931 BR-27). */
static void
count(trl_ctx *ctx, const struct life_part *part, Billing__V1__Line *line)
{
	const struct price *price = &part->offer->price;
	bool fixed = price->model == PRICE_FIXED;
	bool plain = fixed || (price->model == PRICE_PER_UNIT && !price->free_units);

	line->unit = (char *)(uintptr_t) "C62";
	if (part->proration) {
		line->quantity = invoice_decimal(ctx, part->amount < 0 ? -1 : 1, 0);
		line->unit_amount = invoice_decimal(ctx,
		    part->amount < 0 ? -(trl_int128)part->amount : part->amount, 0);
		return;
	}
	line->quantity = invoice_decimal(ctx, fixed ? 1 : (trl_int128)part->seats, 0);
	if (plain)
		line->unit_amount = invoice_decimal(ctx, price->unit, TRL_PRICE_PLACES);
}

Billing__V1__Line *
invoice_line_of(trl_ctx *ctx, const struct life_part *part)
{
	Billing__V1__Line *line = billing_v1_line_new(ctx);

	count(ctx, part, line);
	line->plan = (char *)(uintptr_t)part->offer->plan;
	line->price = (char *)(uintptr_t)part->offer->key;
	line->period_start = billing_time(ctx, part->from);
	line->period_end = billing_time(ctx, part->to);
	if (part->offer->price.model != PRICE_FIXED)
		trl_set(line, seats, part->seats);
	trl_set(line, amount, part->amount);
	trl_set(line, proration, part->proration);
	trl_set(line, tax_inclusive, part->offer->tax_inclusive);
	if (part->credited) {
		trl_set(
		    line, of_invoice_id, trl_value_bytes(ctx, part->credited->invoice));
		trl_set(line, of_line, (uint32_t)part->credited->line + 1);
	}
	return line;
}

/* "3 × Team"; "Unused time: 3 × Team" for what is credited of it. */
static char *
describe(trl_ctx *ctx, const Billing__V1__Line *line, const billing_plan *plan,
    const char *locale)
{
	char seats[16], what[DESCRIPTION_MAX], all[DESCRIPTION_MAX];

	snprintf(seats, sizeof seats, "%u", line->seats);
	snprintf(what, sizeof what, "%s", plan->name);
	if (line->has_seats)
		text_fill(what, sizeof what, TEXT_SEATS, locale, seats, plan->name);
	if (!line->proration)
		return trl_arena_strdup(ctx->arena, what);
	return trl_arena_strdup(ctx->arena,
	    text_fill(all, sizeof all, line->amount < 0 ? TEXT_UNUSED : TEXT_REMAINING,
		locale, what, NULL));
}

static void
price_line(trl_ctx *ctx, const struct account *account, const struct life_part *part,
    Billing__V1__Line *line, struct bill_line *sum)
{
	const billing_plan *plan = catalogue_plan(account->catalogue, line->plan);

	trl_assert(plan != NULL); /* a plan never leaves the catalogue */
	line->description = describe(ctx, line, plan, account->profile->locale);
	sum->amount = line->amount;
	sum->inclusive = line->tax_inclusive;
	if (part->credited)
		sum->tax_kind = part->credited->tax;
	else
		tax_for(account->catalogue, account->profile, plan->tax_class,
		    &sum->tax_kind);
}

struct bill
invoice_bill_of(trl_ctx *ctx, const struct account *account, uint64_t place,
    const billing_invoice *invoice)
{
	const struct life *life = &account->life;
	struct bill bill = { .lines = trl_arena_zalloc(ctx->arena,
				 (invoice->n_lines + 1) * sizeof *bill.lines) };

	for (size_t i = 0; i < life->n_parts; i++) {
		if (life->parts[i].invoice != place)
			continue;
		price_line(ctx, account, &life->parts[i], invoice->lines[bill.n_lines],
		    &bill.lines[bill.n_lines]);
		bill.n_lines++;
	}
	return bill;
}

/* Each rate's part of it, where there are several. */
static void
show_rates(trl_ctx *ctx, const struct bill_line *sum, Billing__V1__Line *line)
{
	const struct bill_tax *kind = &sum->tax_kind;

	line->n_taxes = 0;
	if (kind->n_rates < 2)
		return;
	line->taxes =
	    trl_arena_alloc(ctx->arena, kind->n_rates * sizeof line->taxes[0]);
	for (size_t i = 0; i < kind->n_rates; i++) {
		Billing__V1__LineTax *tax = billing_v1_line_tax_new(ctx);

		tax->rate = invoice_decimal(ctx, kind->rates[i], RATE_PLACES);
		tax->name = (char *)(uintptr_t)kind->names[i];
		trl_set(tax, tax, sum->taxes[i]);
		line->taxes[line->n_taxes++] = tax;
	}
}

void
invoice_show_line(trl_ctx *ctx, const struct bill_line *sum, Billing__V1__Line *line)
{
	const struct bill_tax *kind = &sum->tax_kind;
	trl_int128 rate = 0;

	for (size_t i = 0; i < kind->n_rates; i++)
		rate += kind->rates[i];
	trl_set(line, discount, sum->discount);
	trl_set(line, net, sum->net);
	trl_set(line, tax, sum->tax);
	line->tax_category = trl_arena_strdup(ctx->arena, kind->category);
	line->tax_rate = strcmp(kind->category, "O") == 0
			     ? NULL
			     : invoice_decimal(ctx, rate, RATE_PLACES);
	show_rates(ctx, sum, line);
}

Billing__V1__TaxTotal **
invoice_show_groups(trl_ctx *ctx, const billing_profile *buyer, const struct bill *bill)
{
	Billing__V1__TaxTotal **out =
	    trl_arena_alloc(ctx->arena, (bill->n_groups + 1) * sizeof *out);

	for (size_t i = 0; i < bill->n_groups; i++) {
		const struct bill_group *group = &bill->groups[i];
		Billing__V1__TaxTotal *total = billing_v1_tax_total_new(ctx);

		total->category = trl_arena_strdup(ctx->arena, group->category);
		total->name = (char *)(uintptr_t)group->name;
		if (strcmp(group->category, "O") != 0)
			total->rate = invoice_decimal(ctx, group->rate, RATE_PLACES);
		total->reason = (char *)(uintptr_t)tax_reason(buyer, group->category);
		trl_set(total, net, group->net);
		trl_set(total, tax, group->tax);
		out[i] = total;
	}
	return out;
}
