/* parts.c - see inside.h: what an account is made of, and the steps that
 * requests and the clock share. */
#include "life/inside.h"

#include <trl/compiler.h>

const char life_too_large[] = "The amount is too large.";
const char life_too_many[] = "Too many changes in one period; try again in the next.";
const char life_too_late[] = "The period would end beyond the calendar.";
const char life_too_open[] = "Too many invoices are open.";

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

bool
life_price(const struct offer *offer, unsigned seats, int64_t *out)
{
	return price_of(&offer->price, (trl_int128)seats * 1000000000, out) &&
	       *out <= LIFE_AMOUNT_MAX;
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

static void
add_invoice(struct life *life, int64_t now, int purpose, int state)
{
	trl_assert(life->n_invoices < LIFE_INVOICES_MAX);
	life->invoices[life->n_invoices++] = (struct life_invoice){
		.id = ++life->last_invoice,
		.purpose = purpose,
		.state = state,
		.made = now,
	};
}

bool
life_add_invoice(struct life *life, int64_t now, int purpose, int state)
{
	if (life->n_invoices >= LIFE_INVOICES_MAX - 1)
		return false;
	add_invoice(life, now, purpose, state);
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

/* Of what was never used there is no line. */
static bool
still_counts_for_something(const struct life_part *part, int64_t now)
{
	return part->from < part->to && life_still_counts(part, now);
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
	life_keep_parts(life, still_counts_for_something, now);
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
		credit.of = credit.invoice;
		credit.invoice = invoice;
		credit.proration = true;
		if (credit.amount < 0 && !add_part(life, credit))
			return false;
	}
	return true;
}

bool
life_copy_waiting(struct life *life, int64_t now, uint64_t invoice)
{
	size_t n = life->n_parts;

	for (size_t i = 0; i < n; i++) {
		struct life_part copy = life->parts[i];

		if (copy.invoice != 0)
			continue;
		if (life_is_live(life, &copy, now)) {
			copy.amount -= life_rest_of(&copy, now);
			copy.to = now;
		}
		copy.invoice = invoice;
		if (copy.from < copy.to && !add_part(life, copy))
			return false;
	}
	return true;
}

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

	if (!life_price(offer, seats, &whole) ||
	    !trl_part(whole, start, end, from, end, &part.amount))
		return life_too_large;
	return add_part(life, part) ? NULL : life_too_many;
}

bool
life_begin_periods(struct life *life, int64_t at)
{
	life->anchor = life->period_start = at;
	life->k = 0;
	return trl_period_start(life->zone, at, life->offer->interval,
	    life->offer->count, 1, &life->period_end);
}

bool
life_next_period(struct life *life)
{
	const struct offer *offer = life->offer;

	life->period_start = life->period_end;
	do {
		life->k++;
		if (!trl_period_start(life->zone, life->anchor, offer->interval,
			offer->count, life->k + 1, &life->period_end))
			return false;
	} while (life->period_end <= life->period_start);
	return true;
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

/* Of all parts only its charge is left, the last of its invoice: the others are over,
 * are credited by it, or were copied to it. */
void
life_apply_pending(struct life *life, int64_t made, struct life_outcome *out)
{
	const struct life_change change = life->pending;
	bool begins = !life_runs(life);
	bool goes_on = !begins && life_has_same_periods(life->offer, change.offer);
	size_t charge = life->n_parts;

	while (charge > 0 && life->parts[charge - 1].invoice != change.invoice)
		charge--;
	trl_assert(charge > 0);
	life->parts[0] = life->parts[charge - 1];
	life->n_parts = 1;
	life->pending = (struct life_change){ 0 };
	life->offer = change.offer;
	life->seats = change.seats;
	life->status = LIFE_ACTIVE;
	life->period_end = life->parts[0].to;
	if (!goes_on) {
		life->anchor = life->period_start = made;
		life->k = 0;
	}
	ACT(out, .what = begins ? ACT_STARTED : ACT_CHANGED);
}

/* Endings. */

static bool
waits(const struct life_part *part, int64_t unused)
{
	(void)unused;
	return part->invoice == 0;
}

/* What waits for an invoice that will not come has one of its own. Nothing else counts
 * any more. */
static void
bill_rest(struct life *life, int64_t now, struct life_outcome *out)
{
	life_keep_parts(life, waits, 0);
	if (life->n_parts == 0)
		return;
	add_invoice(life, now, FOR_RENEWAL, INVOICE_OPEN);
	for (size_t i = 0; i < life->n_parts; i++)
		life->parts[i].invoice = life->last_invoice;
	ACT(out, .what = ACT_INVOICE, .invoice = life->last_invoice);
	ACT(out, .what = ACT_COLLECT, .invoice = life->last_invoice);
}

/* Credits what is left of a part. */
static void
take_back(const struct life_part *part, int64_t now, struct life_outcome *out)
{
	struct life_part credit = *part;

	credit.from = now > part->from ? now : part->from;
	credit.amount = life_rest_of(part, now);
	if (credit.amount > 0)
		ACT(out, .what = ACT_LOWER, .invoice = part->invoice,
		    .amount = credit.amount, .part = credit);
}

void
life_credit_over(struct life *life, int64_t now, const struct life_part *part,
    int64_t amount, struct life_outcome *out)
{
	struct life_part credit = *part;

	credit.amount = -amount;
	credit.proration = true;
	credit.of = part->invoice;
	credit.invoice = life->n_parts > 0 ? life->last_invoice : 0;
	trl_assert(add_part(life, credit));
	if (credit.invoice == 0)
		bill_rest(life, now, out);
}

/* A draft asks for nothing yet: that of the present period goes. */
static void
take_back_live(struct life *life, int64_t now, struct life_outcome *out)
{
	for (size_t i = 0; i < life->n_parts; i++) {
		const struct life_part *part = &life->parts[i];
		const struct life_invoice *invoice;

		if (part->invoice == 0 || !life_is_live(life, part, now))
			continue;
		invoice = life_invoice_of(life, part->invoice);
		if (!invoice || invoice->state != INVOICE_DRAFT) {
			take_back(part, now, out);
			continue;
		}
		life_forget_invoice(life, part->invoice);
		ACT(out, .what = ACT_VOID, .invoice = part->invoice);
	}
}

void
life_end(struct life *life, int64_t now, struct life_outcome *out)
{
	life_drop_pending(life, out);
	take_back_live(life, now, out);
	life_shorten(life, now);
	bill_rest(life, now, out);
	life->status = LIFE_CANCELED;
	life->cancel_at_period_end = false;
	life->ended_at = now;
	if (!life->canceled_at)
		life->canceled_at = now;
	ACT(out, .what = ACT_ENDED);
}
