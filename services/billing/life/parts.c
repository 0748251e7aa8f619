/* parts.c - see inside.h: what an account is made of, and the steps that
 * requests and the clock share. */
#include "life/inside.h"

#include <trl/compiler.h>

const char life_too_large[] = "The amount is too large.";
const char life_too_many[] = "Too many changes in one period; try again in the next.";
const char life_too_late[] = "The period would end beyond the calendar.";

void
life_act(struct life_outcome *out, struct life_act what)
{
	trl_assert(out->n < LIFE_ACTS_MAX);
	out->acts[out->n++] = what;
}

bool
life_is_over(const struct life *life)
{
	return life->status == LIFE_NONE || life->status == LIFE_CANCELED ||
	       life->status == LIFE_INCOMPLETE_EXPIRED;
}

bool
life_runs(const struct life *life)
{
	return life->status == LIFE_ACTIVE || life->status == LIFE_PAST_DUE ||
	       life->status == LIFE_UNPAID;
}

bool
life_has_same_periods(const struct offer *a, const struct offer *b)
{
	return a->interval == b->interval && a->count == b->count;
}

/* Parts and invoices. */

struct life_invoice *
life_invoice_of(struct life *life, uint64_t id)
{
	for (size_t i = 0; i < life->n_invoices; i++)
		if (life->invoices[i].id == id)
			return &life->invoices[i];
	return NULL;
}

void
life_forget_invoice(struct life *life, uint64_t id)
{
	size_t n = 0;

	for (size_t i = 0; i < life->n_invoices; i++)
		if (life->invoices[i].id != id)
			life->invoices[n++] = life->invoices[i];
	life->n_invoices = n;
}

bool
life_add_invoice(struct life *life, int64_t now, int purpose, int state)
{
	if (life->n_invoices == LIFE_INVOICES_MAX)
		return false;
	life->invoices[life->n_invoices++] = (struct life_invoice){
		.id = ++life->last_invoice,
		.purpose = purpose,
		.state = state,
		.made = now,
	};
	return true;
}

static bool
add_part(struct life *life, struct life_part part)
{
	if (life->n_parts == LIFE_PARTS_MAX)
		return false;
	life->parts[life->n_parts++] = part;
	return true;
}

/* Drops the parts that keep says no to. */
void
life_keep_parts(struct life *life,
    bool (*keep)(const struct life_part *part, int64_t arg), int64_t arg)
{
	size_t n = 0;

	for (size_t i = 0; i < life->n_parts; i++)
		if (keep(&life->parts[i], arg))
			life->parts[n++] = life->parts[i];
	life->n_parts = n;
}

bool
life_is_of_another(const struct life_part *part, int64_t invoice)
{
	return part->invoice != (uint64_t)invoice;
}

/* Of a period that is over only what waits for the next invoice. */
bool
life_still_counts(const struct life_part *part, int64_t now)
{
	return part->to > now || part->invoice == 0;
}

bool
life_is_debit(const struct life_part *part, int64_t invoice)
{
	return part->amount >= 0 || part->invoice != (uint64_t)invoice;
}

/* A part that counts, and is not over. */
bool
life_is_live(const struct life *life, const struct life_part *part, int64_t now)
{
	return part->amount >= 0 && part->to > now &&
	       !(part->invoice && part->invoice == life->pending.invoice);
}

/* What of a part is left at now. */
int64_t
life_rest_of(const struct life_part *part, int64_t now)
{
	int64_t rest = 0;

	trl_assert(trl_part(part->amount, part->from, part->to,
	    now > part->from ? now : part->from, part->to, &rest));
	return rest;
}

/* Ends every live part at now; what was left of them has been credited. */
void
life_shorten(struct life *life, int64_t now)
{
	for (size_t i = 0; i < life->n_parts; i++) {
		struct life_part *part = &life->parts[i];

		if (!life_is_live(life, part, now))
			continue;
		part->amount -= life_rest_of(part, now);
		part->to = now;
	}
}

/* What is not billed yet is only shortened. */
bool
life_add_credits(struct life *life, int64_t now, uint64_t invoice)
{
	size_t n = life->n_parts;

	for (size_t i = 0; i < n; i++) {
		struct life_part credit = life->parts[i];

		if (!life_is_live(life, &credit, now) || credit.invoice == 0)
			continue;
		credit.amount = -life_rest_of(&credit, now);
		credit.from = now;
		credit.invoice = invoice;
		credit.proration = true;
		if (!add_part(life, credit))
			return false;
	}
	return true;
}

/* Charges [from, end) of a period [start, end). NULL, or why not. */
const char *
life_add_charge(struct life *life, const struct offer *offer, unsigned seats,
    int64_t start, int64_t end, int64_t from, uint64_t invoice)
{
	struct life_part part = { .offer = offer,
		.seats = seats,
		.from = from,
		.to = end,
		.invoice = invoice,
		.proration = from > start };
	int64_t whole;

	if (!price_of(&offer->price, (trl_int128)seats * 1000000000, &whole) ||
	    !trl_part(whole, start, end, from, end, &part.amount))
		return life_too_large;
	return add_part(life, part) ? NULL : life_too_many;
}

bool
life_period_of(const struct life *life, const struct offer *offer, int64_t anchor,
    int64_t k, int64_t *start, int64_t *end)
{
	return trl_period_start(
		   life->zone, anchor, offer->interval, offer->count, k, start) &&
	       trl_period_start(
		   life->zone, anchor, offer->interval, offer->count, k + 1, end);
}

/* The account's period is the k-th of anchor. */
bool
life_set_period(struct life *life, int64_t anchor, int64_t k)
{
	life->anchor = anchor;
	life->k = k;
	return life_period_of(
	    life, life->offer, anchor, k, &life->period_start, &life->period_end);
}

/* Pending changes. */

void
life_drop_pending(struct life *life, struct life_outcome *out)
{
	uint64_t invoice = life->pending.invoice;

	life->pending = (struct life_change){ 0 };
	if (!invoice)
		return;
	life_keep_parts(life, life_is_of_another, (int64_t)invoice);
	life_forget_invoice(life, invoice);
	ACT(out, .what = ACT_VOID, .invoice = invoice);
}

/* Its invoice is paid: it holds since the invoice was made. */
void
life_apply_pending(struct life *life, int64_t made, struct life_outcome *out)
{
	const struct life_change change = life->pending;
	bool goes_on =
	    life_runs(life) && life_has_same_periods(life->offer, change.offer);
	bool begins = !life_runs(life);

	life_shorten(life, made);
	life->pending = (struct life_change){ 0 };
	life_keep_parts(life, life_is_debit, (int64_t)change.invoice);
	life->offer = change.offer;
	life->seats = change.seats;
	if (!goes_on)
		trl_assert(life_set_period(life, made, 0));
	life->status = LIFE_ACTIVE;
	ACT(out, .what = begins ? ACT_STARTED : ACT_CHANGED);
}

/* Endings. */

/* What waits for an invoice that will not come has one of its own. */
void
life_bill_rest(struct life *life, int64_t now, struct life_outcome *out)
{
	bool any = false;

	for (size_t i = 0; i < life->n_parts; i++)
		any |= life->parts[i].invoice == 0;
	if (!any || !life_add_invoice(life, now, FOR_RENEWAL, INVOICE_OPEN))
		return;
	for (size_t i = 0; i < life->n_parts; i++)
		if (life->parts[i].invoice == 0)
			life->parts[i].invoice = life->last_invoice;
	ACT(out, .what = ACT_INVOICE, .invoice = life->last_invoice);
	ACT(out, .what = ACT_COLLECT, .invoice = life->last_invoice);
}

void
life_end(struct life *life, int64_t now, struct life_outcome *out)
{
	life_drop_pending(life, out);
	for (size_t i = 0; i < life->n_parts; i++) {
		struct life_part *part = &life->parts[i], rest = *part;

		if (!life_is_live(life, part, now) || part->invoice == 0)
			continue;
		rest.amount = life_rest_of(part, now);
		rest.from = now;
		if (rest.amount > 0)
			ACT(out, .what = ACT_LOWER, .invoice = part->invoice,
			    .amount = rest.amount, .part = rest);
	}
	life_shorten(life, now);
	life_bill_rest(life, now, out);
	life->n_parts = 0;
	life->status = LIFE_CANCELED;
	life->cancel_at_period_end = false;
	life->ended_at = now;
	if (!life->canceled_at)
		life->canceled_at = now;
	ACT(out, .what = ACT_ENDED);
}
