/* credit_note.c - see credit_note.h. */
#include "invoice/credit_note.h"

#include <string.h>

#include "invoice/inside.h"
#include "invoice/texts.h"

static trl_int128
rate_of(const char *text)
{
	trl_int128 rate = 0;

	trl_assert(!text || !trl_decimal_read(text, strlen(text), RATE_PLACES, &rate));
	return rate;
}

/* The name that the invoice has for a rate. */
static const char *
name_of(const billing_invoice *invoice, const char *category, const char *rate)
{
	for (size_t i = 0; i < invoice->n_taxes; i++) {
		const Billing__V1__TaxTotal *tax = invoice->taxes[i];

		if (tax->rate && rate && strcmp(tax->rate, rate) == 0 &&
		    strcmp(tax->category, category) == 0)
			return tax->name;
	}
	return NULL;
}

static void
read_line(const billing_invoice *invoice, const Billing__V1__Line *line,
    struct bill_line *out)
{
	struct bill_tax *kind = &out->tax_kind;

	out->amount = line->amount;
	out->discount = line->discount;
	out->inclusive = line->tax_inclusive;
	out->net = line->net;
	out->tax = line->tax;
	strcpy(kind->category, line->tax_category);
	for (size_t i = 0; i < line->n_taxes && i < BILL_RATES_MAX; i++) {
		kind->rates[kind->n_rates] = rate_of(line->taxes[i]->rate);
		kind->names[kind->n_rates] = line->taxes[i]->name;
		out->taxes[kind->n_rates++] = line->taxes[i]->tax;
	}
	if (line->n_taxes > 0 || strcmp(kind->category, "O") == 0)
		return;
	kind->n_rates = 1;
	kind->rates[0] = rate_of(line->tax_rate);
	kind->names[0] = name_of(invoice, kind->category, line->tax_rate);
	out->taxes[0] = line->tax;
}

struct bill
credit_note_bill(trl_ctx *ctx, const billing_invoice *invoice)
{
	struct bill bill = { .n_lines = invoice->n_lines,
		.lines = trl_arena_zalloc(
		    ctx->arena, (invoice->n_lines + 1) * sizeof *bill.lines) };

	for (size_t i = 0; i < invoice->n_lines; i++)
		read_line(invoice, invoice->lines[i], &bill.lines[i]);
	return bill;
}

void
credit_note_add_line(const Billing__V1__Line *line, int sign, struct bill_taken *taken)
{
	taken->net += sign * line->net;
	if (line->n_taxes == 0)
		taken->taxes[0] += sign * line->tax;
	for (size_t j = 0; j < line->n_taxes && j < BILL_RATES_MAX; j++)
		taken->taxes[j] += sign * line->taxes[j]->tax;
}

void
credit_note_add(const Billing__V1__CreditNote *note, struct bill_taken *taken)
{
	for (size_t i = 0; i < note->n_lines; i++)
		credit_note_add_line(
		    note->lines[i], 1, &taken[note->lines[i]->of_line - 1]);
}

static Billing__V1__Line *
line_of(trl_ctx *ctx, const billing_invoice *invoice, size_t of,
    const struct bill_line *sum)
{
	const Billing__V1__Line *from = invoice->lines[of];
	Billing__V1__Line *line = billing_v1_line_new(ctx);
	int64_t amount = sum->amount < 0 ? -sum->amount : sum->amount;
	char text[500];

	line->description =
	    trl_arena_strdup(ctx->arena, text_fill(text, sizeof text, TEXT_CREDIT_OF,
					     invoice->locale, from->description, NULL));
	line->quantity = invoice_decimal(ctx, sum->amount < 0 ? -1 : 1, 0);
	line->unit = from->unit;
	line->unit_amount = invoice_decimal(ctx, amount, 0);
	line->plan = from->plan;
	line->price = from->price;
	line->period_start = from->period_start;
	line->period_end = from->period_end;
	trl_set(line, amount, sum->amount);
	trl_set(line, tax_inclusive, sum->inclusive);
	trl_set(line, of_line, (uint32_t)of + 1);
	invoice_show_line(ctx, sum, line);
	return line;
}

static const char *
reason_text(Billing__V1__CreditNote__Reason reason, const char *locale)
{
	static const enum text texts[] = {
		[BILLING__V1__CREDIT_NOTE__REASON__duplicate] = TEXT_REASON_DUPLICATE,
		[BILLING__V1__CREDIT_NOTE__REASON__fraudulent] = TEXT_REASON_FRAUDULENT,
		[BILLING__V1__CREDIT_NOTE__REASON__order_change] =
		    TEXT_REASON_ORDER_CHANGE,
		[BILLING__V1__CREDIT_NOTE__REASON__unsatisfactory] =
		    TEXT_REASON_UNSATISFACTORY,
	};

	return text_of(texts[reason], locale);
}

/* Its tax as the invoice explains it. */
static void
show_taxes(trl_ctx *ctx, const billing_invoice *invoice, const struct bill *bill,
    Billing__V1__CreditNote *out)
{
	static const billing_profile nobody = BILLING__V1__PROFILE__INIT;

	out->taxes = invoice_show_groups(ctx, &nobody, bill);
	out->n_taxes = bill->n_groups;
	for (size_t i = 0; i < out->n_taxes; i++)
		for (size_t j = 0; j < invoice->n_taxes; j++)
			if (strcmp(invoice->taxes[j]->category,
				out->taxes[i]->category) == 0)
				out->taxes[i]->reason = invoice->taxes[j]->reason;
}

static void
show_notes(trl_ctx *ctx, const billing_invoice *invoice,
    const Billing__V1__CreditNote__Reason *reason, Billing__V1__CreditNote *out)
{
	out->notes =
	    trl_arena_alloc(ctx->arena, (invoice->n_notes + 1) * sizeof out->notes[0]);
	if (reason) {
		trl_set(out, reason, *reason);
		out->notes[out->n_notes++] =
		    trl_arena_strdup(ctx->arena, reason_text(*reason, invoice->locale));
	}
	for (size_t i = 0; i < invoice->n_notes; i++)
		out->notes[out->n_notes++] = invoice->notes[i];
}

Billing__V1__CreditNote *
credit_note_make(trl_ctx *ctx, const billing_invoice *invoice, const struct bill *bill,
    const Billing__V1__CreditNote__Reason *reason)
{
	Billing__V1__CreditNote *out = billing_v1_credit_note_new(ctx);

	out->type_code = (char *)(uintptr_t) "381";
	out->invoice_id = invoice->id;
	out->has_invoice_id = 1;
	out->invoice_number = invoice->number;
	out->invoice_issued_at = invoice->issued_at;
	out->currency = invoice->currency;
	out->seller = invoice->seller;
	out->buyer = invoice->buyer;
	out->locale = invoice->locale;
	out->footer = invoice->footer;
	out->lines =
	    trl_arena_alloc(ctx->arena, (bill->n_lines + 1) * sizeof out->lines[0]);
	for (size_t i = 0; i < bill->n_lines; i++)
		if (bill->lines[i].net != 0 || bill->lines[i].tax != 0)
			out->lines[out->n_lines++] =
			    line_of(ctx, invoice, i, &bill->lines[i]);
	show_taxes(ctx, invoice, bill, out);
	show_notes(ctx, invoice, reason, out);
	trl_set(out, net, bill->net);
	trl_set(out, tax, bill->tax);
	trl_set(out, total, bill->total);
	return out;
}
