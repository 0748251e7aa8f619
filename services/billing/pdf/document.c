/* document.c - see document.h. What is shown is what the document says and nothing that
 * is computed anew, but for the sum at the top of a page. */
#include "pdf/document.h"

#include <stdio.h>
#include <string.h>

#include <trl/value.h>

#include "pdf/making.h"

#define DASH " \xe2\x80\x93 "
#define RLM "\xe2\x80\x8f"

const char *
making_text(const struct making *making, enum text which)
{
	return text_of(which, making->out->locale);
}

const char *
making_filled(const struct making *making, enum text which, const char *value)
{
	const size_t size = 256 + strlen(value);

	return text_fill(trl_arena_alloc(making->arena, size), size, which,
	    making->out->locale, value, NULL);
}

static int64_t
local(const struct making *making, const Google__Protobuf__Timestamp *at)
{
	const int64_t s = trl_floor_div(trl_value_time_us(at), 1000000);

	return making->zone ? s + trl_zone_offset(making->zone, s) : s;
}

static const char *
day(const struct making *making, const Google__Protobuf__Timestamp *at)
{
	return locale_date(&making->locale, making->arena, local(making, at));
}

/* "1 May 2026 - 31 May 2026": the end is the first moment that is not in it. */
static const char *
period(const struct making *making, const Google__Protobuf__Timestamp *from,
    const Google__Protobuf__Timestamp *to)
{
	const char *first, *last;

	if (!from || !to)
		return NULL;
	first = day(making, from);
	last = locale_date(&making->locale, making->arena, local(making, to) - 1);
	if (strcmp(first, last) == 0)
		return first;
	/* Where one reads from the right, the first day stands there. */
	return making->locale.rtl
		   ? trl_arena_printf(
			 making->arena, RLM "%s" RLM DASH RLM "%s", first, last)
		   : trl_arena_printf(making->arena, "%s" DASH "%s", first, last);
}

const char *
making_amount(const struct making *making, int64_t minor)
{
	return locale_amount(&making->locale, making->arena, minor, making->currency);
}

static void
add_fact(struct making *making, enum text label, const char *value)
{
	struct document *out = making->out;

	if (!is_there(value))
		return;
	trl_assert(out->n_facts < DOCUMENT_FACTS_MAX);
	out->facts[out->n_facts++] =
	    (struct document_fact){ making_text(making, label), value };
}

void
making_note(struct making *making, const char *note)
{
	struct document *out = making->out;

	for (size_t i = 0; i < out->n_notes; i++)
		if (strcmp(out->notes[i], note) == 0)
			return;
	out->notes[out->n_notes++] = note;
}

static void
add_party_line(struct document_party *party, const char *line)
{
	if (is_there(line) && party->n < DOCUMENT_PARTY_MAX)
		party->lines[party->n++] = line;
}

static bool
is_one_of(const char *country, const char *list)
{
	const char *at = is_there(country) ? strstr(list, country) : NULL;

	return at != NULL && strlen(country) == 2;
}

/* The line with the town, as the post of the country wants it. */
static const char *
town(const struct making *making, const Billing__V1__Party *party)
{
	trl_arena *arena = making->arena;
	const char *code = is_there(party->postal_code) ? party->postal_code : "";
	const char *city = is_there(party->city) ? party->city : "";
	const char *country = is_there(party->country) ? party->country : "";
	const char *region = is_there(party->region) ? party->region : "";
	const char *first = code, *gap = *code && *city ? " " : "", *second = city;

	region += strchr(region, '-') ? (size_t)(strchr(region, '-') + 1 - region) : 0;
	if (is_one_of(country, "US CA AU")) {
		first = *region ? trl_arena_printf(
				      arena, "%s%s%s", city, *city ? ", " : "", region)
				: city;
		second = code;
		gap = *first && *second ? " " : "";
	} else if (is_one_of(country, "GB IE IN")) {
		first = city;
		second = code;
	}
	return trl_arena_printf(arena, "%s%s%s%s%s", first, gap, second,
	    (*first || *second) && *country ? ", " : "", country);
}

static void
fill_party(struct making *making, enum text label, const Billing__V1__Party *from,
    struct document_party *out)
{
	*out = (struct document_party){ .label = making_text(making, label) };
	if (!from)
		return;
	add_party_line(out, from->name);
	add_party_line(out, from->address_line1);
	add_party_line(out, from->address_line2);
	add_party_line(out, town(making, from));
	if (is_there(from->vat_id))
		add_party_line(
		    out, trl_arena_printf(making->arena, "%s: %s",
			     making_text(making, TEXT_VAT_ID), from->vat_id));
	if (is_there(from->tax_id))
		add_party_line(
		    out, trl_arena_printf(making->arena, "%s: %s",
			     making_text(making, TEXT_TAX_ID), from->tax_id));
	add_party_line(out, from->email);
}

static const char *
percent(const struct making *making, const char *rate)
{
	return trl_arena_printf(making->arena, "%s%s%%",
	    locale_decimal(&making->locale, making->arena, rate),
	    making->locale.percent_near ? "" : "\xc2\xa0");
}

static const char *
tax_of(const struct making *making, const Billing__V1__Line *line)
{
	if (!is_there(line->tax_rate) ||
	    (line->tax_category && strcmp(line->tax_category, "O") == 0))
		return "\xe2\x80\x93";
	return percent(making, line->tax_rate);
}

static int64_t
second_of(const Google__Protobuf__Timestamp *at)
{
	return at ? at->seconds : INT64_MIN;
}

/* Of all lines, where it is the same: then it stands above them once. */
static const char *
common_period(const struct making *making, Billing__V1__Line *const *lines, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (second_of(lines[i]->period_start) !=
			second_of(lines[0]->period_start) ||
		    second_of(lines[i]->period_end) != second_of(lines[0]->period_end))
			return NULL;
	return n ? period(making, lines[0]->period_start, lines[0]->period_end) : NULL;
}

/* False: their sum does not fit. */
static bool
fill_lines(struct making *making, Billing__V1__Line *const *lines, size_t n)
{
	struct document *out = making->out;
	const char *common = common_period(making, lines, n);
	int64_t sum = 0;

	add_fact(making, TEXT_SERVICE_PERIOD, common);

	out->lines = trl_arena_zalloc(making->arena, (n + 1) * sizeof out->lines[0]);
	out->n_lines = n;
	for (size_t i = 0; i < n; i++) {
		const Billing__V1__Line *from = lines[i];
		struct document_line *to = &out->lines[i];

		to->forward = making_amount(making, sum);
		if (__builtin_add_overflow(sum, from->amount, &sum))
			return false;
		to->cells[COLUMN_TEXT] = from->description;
		if (!common)
			to->below =
			    period(making, from->period_start, from->period_end);
		if (is_there(from->quantity))
			to->cells[COLUMN_QUANTITY] = locale_decimal(
			    &making->locale, making->arena, from->quantity);
		if (is_there(from->unit_amount))
			to->cells[COLUMN_PRICE] = locale_price(&making->locale,
			    making->arena, from->unit_amount, making->currency);
		to->cells[COLUMN_TAX] = tax_of(making, from);
		to->cells[COLUMN_AMOUNT] = making_amount(making, from->amount);
	}
	return true;
}

static void
name_columns(struct making *making)
{
	struct document *out = making->out;

	out->columns[COLUMN_TEXT] = making_text(making, TEXT_DESCRIPTION);
	out->columns[COLUMN_QUANTITY] = making_text(making, TEXT_QUANTITY);
	out->columns[COLUMN_PRICE] = making_text(making, TEXT_UNIT_PRICE);
	out->columns[COLUMN_TAX] = making_text(making, TEXT_TAX);
	out->columns[COLUMN_AMOUNT] = trl_arena_printf(making->arena, "%s (%s)",
	    making_text(making, TEXT_AMOUNT), making->currency->code);
	out->forward_label = making_text(making, TEXT_BROUGHT_FORWARD);
}

static void
name_document(struct making *making, const char *number)
{
	making->out->name = trl_arena_printf(
	    making->arena, "%s %s", making->out->title, is_there(number) ? number : "");
}

/* As files name times: RFC 3339, UTC. */
static const char *
time_of_file(const struct making *making, const Google__Protobuf__Timestamp *at)
{
	const int64_t s = trl_floor_div(trl_value_time_us(at), 1000000);
	const int64_t days = trl_floor_div(s, 86400), rest = s - days * 86400;
	unsigned month, date;
	int64_t year;

	trl_date_of(days, &year, &month, &date);
	return trl_arena_printf(making->arena, "%04d-%02u-%02uT%02d:%02d:%02dZ",
	    (int)year, month, date, (int)(rest / 3600), (int)(rest / 60 % 60),
	    (int)(rest % 60));
}

static const char *
fill_invoice(struct making *making, const Billing__V1__Invoice *from)
{
	struct document *out = making->out;

	out->title = making_text(making, TEXT_INVOICE);
	name_document(making, from->number);
	if (from->status == BILLING__V1__INVOICE__STATUS__draft)
		out->stamp = making_text(making, TEXT_IS_DRAFT);
	if (from->status == BILLING__V1__INVOICE__STATUS__void)
		out->stamp = making_text(making, TEXT_IS_VOID);
	out->issued = time_of_file(making, from->issued_at);
	fill_party(making, TEXT_FROM, from->seller, &out->seller);
	fill_party(making, TEXT_BILL_TO, from->buyer, &out->buyer);
	add_fact(making, TEXT_NUMBER, from->number);
	if (from->issued_at)
		add_fact(making, TEXT_DATE, day(making, from->issued_at));
	if (from->due_at)
		add_fact(making, TEXT_DUE, day(making, from->due_at));
	name_columns(making);
	if (!fill_lines(making, from->lines, from->n_lines))
		return "the lines add up to more than fits";
	making_invoice_sums(making, from);
	for (size_t i = 0; i < from->n_notes; i++)
		making_note(making, from->notes[i]);
	return NULL;
}

static const char *
fill_credit_note(struct making *making, const Billing__V1__CreditNote *from)
{
	struct document *out = making->out;

	out->title = making_text(making, TEXT_CREDIT_NOTE);
	name_document(making, from->number);
	if (is_there(from->invoice_number))
		out->subtitle =
		    making_filled(making, TEXT_FOR_INVOICE, from->invoice_number);
	out->issued = time_of_file(making, from->issued_at);
	fill_party(making, TEXT_FROM, from->seller, &out->seller);
	fill_party(making, TEXT_BILL_TO, from->buyer, &out->buyer);
	add_fact(making, TEXT_NUMBER, from->number);
	if (from->issued_at)
		add_fact(making, TEXT_DATE, day(making, from->issued_at));
	name_columns(making);
	if (!fill_lines(making, from->lines, from->n_lines))
		return "the lines add up to more than fits";
	making_credit_sums(making, from);
	for (size_t i = 0; i < from->n_notes; i++)
		making_note(making, from->notes[i]);
	return NULL;
}

const char *
document_of(
    trl_arena *arena, const Billing__V1__PdfRequest *asked, struct document *out)
{
	const Billing__V1__Invoice *invoice = asked->invoice;
	const Billing__V1__CreditNote *credit_note = asked->credit_note;
	const char *code = invoice       ? invoice->currency
			   : credit_note ? credit_note->currency
					 : NULL;
	struct making making = { .arena = arena, .out = out };
	const char *wrong;

	making.currency = code ? trl_currency_of(code) : NULL;
	if (!making.currency)
		return "no document, or its currency is none";
	if (is_there(asked->time_zone) &&
	    (wrong = trl_zone_open(asked->time_zone, &making.zone)) != NULL)
		return wrong;
	*out = (struct document){ .locale = asked->locale };
	out->notes = trl_arena_alloc(arena, sizeof out->notes[0] * 64);
	locale_of(asked->locale, &making.locale);
	out->language = trl_arena_strdup(arena, making.locale.language);
	out->rtl = text_is_rtl(asked->locale);
	making.locale.rtl = out->rtl;
	out->footer = is_there(asked->footer) ? asked->footer : NULL;
	wrong = invoice ? fill_invoice(&making, invoice)
			: fill_credit_note(&making, credit_note);
	if (making.zone)
		trl_zone_close(&making.zone);
	return wrong;
}
