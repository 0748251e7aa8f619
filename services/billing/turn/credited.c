/* credited.c - see credited.h. A credit names the line that it takes back, in the life
 * (its invoice's place) and on the invoice (its id, and which line). An invoice that
 * was void since credits nothing; of one that the operator credited, what that took
 * back of its credits is not credited any more. What an end takes back of it says
 * nothing of them: the subscription has counted it. */
#include "turn/credited.h"

#include <string.h>

size_t
credited_line(const billing_invoice *invoice, const struct life_part *part)
{
	size_t i = 0;

	for (; i < invoice->n_lines; i++) {
		const Billing__V1__Line *line = invoice->lines[i];

		if (line->amount > 0 && strcmp(line->price, part->offer->key) == 0 &&
		    trl_value_time_us(line->period_end) == part->to * 1000000)
			break;
	}
	return i;
}

/* NULL: there is no such line. */
static const struct credited *
find(trl_ctx *ctx, const billing_invoice *document, const struct life_part *part)
{
	size_t line = credited_line(document, part);
	struct credited *out;

	if (line == document->n_lines)
		return NULL;
	out = trl_arena_alloc(ctx->arena, sizeof *out);
	*out = (struct credited){ .invoice = trl_value_id(document->id),
		.line = line,
		.tax = credit_note_bill(ctx, document).lines[line].tax_kind };
	return out;
}

enum trl_code
credited_find(struct turn *turn, uint64_t place)
{
	struct life *life = &turn->account.life;
	const billing_invoice *document = NULL;
	uint64_t read = 0;

	for (size_t i = 0; i < life->n_parts; i++) {
		struct life_part *part = &life->parts[i];
		enum trl_code rc = TRL_OK;

		if (part->invoice != place || part->of == 0)
			continue;
		if (part->of != read)
			rc = turn_document_at(turn, part->of, &document);
		if (rc != TRL_OK)
			return rc;
		read = part->of;
		part->credited = find(turn->ctx, document, part);
	}
	return TRL_OK;
}

struct trl_arg
credited_ids(trl_ctx *ctx, const billing_invoice *invoice)
{
	struct trl_id *ids =
	    trl_arena_alloc(ctx->arena, (invoice->n_lines + 1) * sizeof *ids);
	size_t n = 0;

	for (size_t i = 0; i < invoice->n_lines; i++)
		if (invoice->lines[i]->has_of_invoice_id)
			ids[n++] = trl_value_id(invoice->lines[i]->of_invoice_id);
	return n > 0 ? TRL_ARG_IDS("credits", ids, n) : TRL_ARG_NULL("credits");
}

/* What was read of the invoices that credit one, and of their credit notes. */
struct reading {
	struct turn *turn;
	const struct turn_invoice *at;
	size_t n_lines; /* of at */
	size_t n_invoices;
	const billing_invoice **invoices;
	Billing__V1__Documents documents, notes;
};

static enum trl_code
read(struct reading *out)
{
	trl_ctx *ctx = out->turn->ctx;
	trl_batch *work =
	    trl_batch_new(ctx, out->turn->self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	const struct trl_arg tenant = TRL_ARG_ID("tenant_id", ctx->tenant),
			     id = TRL_ARG_ID("id", trl_value_id(out->at->invoice->id));

	billing__v1__documents__init(&out->documents);
	billing__v1__documents__init(&out->notes);
	trl_batch_get(work, &billing_sql_invoice_crediting, NULL, &out->documents.base,
	    tenant, id);
	trl_batch_get(work, &billing_sql_credit_note_crediting, NULL, &out->notes.base,
	    tenant, id);
	return trl_fold(ctx, trl_batch_read(work));
}

/* Which line of at a line of another invoice credits; NULL: none. */
static struct bill_taken *
credited_by(const struct reading *reading, const Billing__V1__Line *line,
    struct bill_taken *taken)
{
	if (!line->has_of_invoice_id || line->of_line == 0 ||
	    line->of_line > reading->n_lines ||
	    !trl_id_eq(trl_value_id(line->of_invoice_id),
		trl_value_id(reading->at->invoice->id)))
		return NULL;
	return &taken[line->of_line - 1];
}

static bool
is_void_now(struct turn *turn, const billing_invoice *document)
{
	const struct turn_invoice *at =
	    turn_invoice_of(turn, trl_value_id(document->id));

	return at && at->invoice->status == BILLING__V1__INVOICE__STATUS__void;
}

static enum trl_code
add_invoices(struct reading *reading, struct bill_taken *taken)
{
	trl_ctx *ctx = reading->turn->ctx;

	reading->invoices = trl_arena_alloc(
	    ctx->arena, (reading->documents.n_items + 1) * sizeof reading->invoices[0]);
	for (size_t i = 0; i < reading->documents.n_items; i++) {
		billing_invoice *invoice;
		enum trl_code rc =
		    invoice_read(ctx, &reading->documents.items[i]->document, &invoice);

		if (rc != TRL_OK)
			return rc;
		if (is_void_now(reading->turn, invoice))
			continue;
		reading->invoices[reading->n_invoices++] = invoice;
		for (size_t j = 0; j < invoice->n_lines; j++) {
			struct bill_taken *of =
			    credited_by(reading, invoice->lines[j], taken);

			if (of)
				credit_note_add_line(invoice->lines[j], -1, of);
		}
	}
	return TRL_OK;
}

static const billing_invoice *
invoice_of(const struct reading *reading, const Billing__V1__CreditNote *note)
{
	for (size_t i = 0; i < reading->n_invoices; i++)
		if (trl_id_eq(trl_value_id(reading->invoices[i]->id),
			trl_value_id(note->invoice_id)))
			return reading->invoices[i];
	return NULL;
}

/* The operator's: theirs have a reason. */
static enum trl_code
add_notes(const struct reading *reading, struct bill_taken *taken)
{
	for (size_t i = 0; i < reading->notes.n_items; i++) {
		Billing__V1__CreditNote *note;
		const billing_invoice *invoice;
		enum trl_code rc = credit_note_read(
		    reading->turn->ctx, &reading->notes.items[i]->document, &note);

		if (rc != TRL_OK)
			return rc;
		invoice = note->has_reason ? invoice_of(reading, note) : NULL;
		for (size_t j = 0; invoice && j < note->n_lines; j++) {
			const Billing__V1__Line *line = note->lines[j];
			struct bill_taken *of = credited_by(
			    reading, invoice->lines[line->of_line - 1], taken);

			if (of)
				credit_note_add_line(line, 1, of);
		}
	}
	return TRL_OK;
}

static bool
waits(struct life *life, const struct life_part *part)
{
	const struct life_invoice *invoice = life_invoice_of(life, part->invoice);

	return part->invoice == 0 || (invoice && invoice->state == INVOICE_DRAFT);
}

/* What will be credited by an invoice that is not final yet. */
static enum trl_code
add_waiting(struct turn *turn, const struct turn_invoice *at, const struct bill *bill,
    struct bill_taken *taken)
{
	struct life *life = &turn->account.life;
	struct bill took = { .lines = trl_arena_zalloc(turn->ctx->arena,
				 (bill->n_lines + 1) * sizeof *took.lines) };

	for (size_t i = 0; i < life->n_parts; i++) {
		const struct life_part *part = &life->parts[i];
		size_t line;

		if (part->of != at->place || part->amount >= 0 || !waits(life, part))
			continue;
		line = credited_line(at->document, part);
		if (line == bill->n_lines)
			continue;
		if (!bill_take_line(bill, taken, line, -part->amount, &took))
			return trl_fail(
			    turn->ctx, TRL_INVALID, "The amount is too large.");
		taken[line].net += took.lines[line].net;
		for (size_t j = 0; j < BILL_RATES_MAX; j++)
			taken[line].taxes[j] += took.lines[line].taxes[j];
	}
	return TRL_OK;
}

enum trl_code
credited_elsewhere(struct turn *turn, const struct turn_invoice *at,
    const struct bill *bill, struct bill_taken *taken)
{
	struct reading reading = { .turn = turn, .at = at, .n_lines = bill->n_lines };
	enum trl_code rc = read(&reading);

	if (rc == TRL_OK)
		rc = add_invoices(&reading, taken);
	if (rc == TRL_OK)
		rc = add_notes(&reading, taken);
	return rc == TRL_OK ? add_waiting(turn, at, bill, taken) : rc;
}
