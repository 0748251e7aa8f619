/* life.c - what a caller's request makes of a subscription; see life.h. A change that
 * has to be paid first waits as the pending change, with an invoice whose parts are
 * made but do not count until it is paid; so to drop it is to forget them. Whatever
 * else changes what those parts are of drops it first. */
#include "life/inside.h"

static const char first_waits[] =
    "The first invoice waits for its payment: pay it, or cancel.";

static const char paid_back[] =
    "Money that was paid for this period went back, or is disputed: change at the end "
    "of the period.";

/* Makes the invoice that has to be paid before offer and seats hold: the rest of what
 * was debited is credited, and theirs is charged. */
static const char *
await_payment(struct life *life, const struct life_rules *rules, int64_t now,
    const struct offer *offer, unsigned seats, int purpose, struct life_outcome *out)
{
	bool goes_on = life_runs(life) && life_has_same_periods(life->offer, offer);
	int64_t start = now, end = life->period_end;
	uint64_t invoice;
	const char *why;

	life_drop_pending(life, out);
	if (!life_add_invoice(life, now, purpose, INVOICE_OPEN))
		return life_too_open;
	invoice = life->last_invoice;
	if (!life_copy_waiting(life, now, invoice) ||
	    !life_add_credits(life, now, invoice))
		return life_too_many;
	if (goes_on)
		start = life->period_start;
	else if (!trl_period_start(
		     life->zone, now, offer->interval, offer->count, 1, &end))
		return life_too_late;
	why = life_add_charge(life, offer, seats, start, end, now, invoice);
	if (why)
		return why;
	life->pending =
	    (struct life_change){ offer, seats, now + rules->first_payment_s, invoice };
	ACT(out, .what = ACT_INVOICE, .invoice = invoice);
	ACT(out, .what = ACT_COLLECT, .invoice = invoice);
	return NULL;
}

/* Whether just this waits for its payment; then that is tried again. */
static bool
waits_for_payment(const struct life *life, const struct offer *offer, unsigned seats,
    struct life_outcome *out)
{
	const struct life_change *pending = &life->pending;

	if (!pending->invoice || pending->offer != offer || pending->seats != seats)
		return false;
	ACT(out, .what = ACT_COLLECT, .invoice = pending->invoice);
	return true;
}

/* Requests. */

static bool
is_upgrade(const struct life *life, const struct offer *offer)
{
	const struct offer *now = life->offer;

	if (offer->rank != now->rank)
		return offer->rank > now->rank;
	if (offer->interval != now->interval)
		return offer->interval > now->interval;
	return offer->count >= now->count;
}

/* Other seats at the same price, with the next invoice. */
static const char *
change_seats(struct life *life, int64_t now, unsigned seats, struct life_outcome *out)
{
	const char *why;

	if (life->pending.invoice)
		life_drop_pending(life, out);
	if (!life_add_credits(life, now, 0))
		return life_too_many;
	life_shorten(life, now);
	why = life_add_charge(
	    life, life->offer, seats, life->period_start, life->period_end, now, 0);
	if (why)
		return why;
	life->seats = seats;
	ACT(out, .what = ACT_CHANGED);
	return NULL;
}

static bool
owes_this_period(struct life *life, int64_t now)
{
	for (size_t i = 0; i < life->n_parts; i++) {
		const struct life_part *part = &life->parts[i];

		if (part->invoice && life_is_live(life, part, now) &&
		    life_invoice_of(life, part->invoice) &&
		    life_invoice_of(life, part->invoice)->state == INVOICE_OPEN)
			return true;
	}
	return false;
}

/* For periods of a year and more also other seats at the same price have to be paid
 * first. */
static const char *
change_at_once(struct life *life, const struct life_rules *rules, int64_t now,
    const struct offer *offer, unsigned seats, struct life_outcome *out)
{
	if (waits_for_payment(life, offer, seats, out))
		return NULL;
	if (life->status != LIFE_ACTIVE || owes_this_period(life, now))
		return "An invoice of this subscription is not paid yet.";
	if (life->paid_back)
		return paid_back;
	if (offer == life->offer && offer->interval != TRL_YEAR)
		return change_seats(life, now, seats, out);
	return await_payment(life, rules, now, offer, seats, FOR_CHANGE, out);
}

static const char *
change_at_the_end(struct life *life, const struct offer *offer, unsigned seats,
    struct life_outcome *out)
{
	if (life->cancel_at_period_end)
		return "The subscription ends with this period; resume it first.";
	life_drop_pending(life, out);
	life->pending = (struct life_change){ offer, seats, life->period_end, 0 };
	ACT(out, .what = ACT_CHANGED);
	return NULL;
}

/* To stay as it is takes back what waits. */
static const char *
stay(struct life *life, struct life_outcome *out)
{
	if (!life->pending.offer)
		return NULL;
	life_drop_pending(life, out);
	ACT(out, .what = ACT_CHANGED);
	return NULL;
}

static const char *
change_running(struct life *life, const struct life_rules *rules, int64_t now,
    const struct life_request *request, const struct offer *offer, unsigned seats,
    struct life_outcome *out)
{
	struct life_change *pending = &life->pending;
	bool same = offer == life->offer;

	if (!request->offer && pending->offer && !pending->invoice &&
	    pending->offer != offer) { /* a plan waits, and only seats are asked for */
		const struct offer *later = pending->offer;
		int64_t price;

		if (!life_price(later, seats, &price))
			return life_too_large;
		pending->seats = seats;
		if (request->when != WHEN_PERIOD_END && seats != life->seats)
			return change_at_once(life, rules, now, offer, seats, out);
		ACT(out, .what = ACT_CHANGED);
		return NULL;
	}
	if (same && seats == life->seats)
		return stay(life, out);
	if (request->when == WHEN_NOW ||
	    (request->when == WHEN_USUAL && (same || is_upgrade(life, offer))))
		return change_at_once(life, rules, now, offer, seats, out);
	return change_at_the_end(life, offer, seats, out);
}

/* A trial, or a pause: nothing is billed, so it may hold at once. */
static const char *
change_unbilled(struct life *life, const struct life_request *request,
    const struct offer *offer, unsigned seats, struct life_outcome *out)
{
	if (life->status == LIFE_TRIALING && request->when == WHEN_PERIOD_END &&
	    (offer != life->offer || seats != life->seats))
		return change_at_the_end(life, offer, seats, out);
	if (offer == life->offer && seats == life->seats && life->pending.invoice)
		return NULL; /* it is this that is being resumed */
	life_drop_pending(life, out);
	life->offer = offer;
	life->seats = seats;
	ACT(out, .what = ACT_CHANGED);
	return NULL;
}

static const char *
begin(struct life *life, const struct life_rules *rules, int64_t now,
    const struct offer *offer, unsigned seats, struct life_outcome *out)
{
	const char *why;

	life->n_parts = 0;
	life->status = LIFE_INCOMPLETE;
	life->offer = offer;
	life->seats = seats;
	life->trial_end = life->canceled_at = life->ended_at = 0;
	life->cancel_at_period_end = false;
	why = await_payment(life, rules, now, offer, seats, FOR_FIRST, out);
	if (!why && !life_begin_periods(life, now))
		why = life_too_late;
	return why;
}

static const char *
change(struct life *life, const struct life_rules *rules, int64_t now,
    const struct life_request *request, struct life_outcome *out)
{
	bool is_new = life_is_over(life);
	const struct offer *offer = request->offer ? request->offer
				    : is_new       ? NULL
						   : life->offer;
	unsigned seats = request->seats ? request->seats : is_new ? 1 : life->seats;
	int64_t price;

	if (!offer)
		return "Say to which plan.";
	if (!life_price(offer, seats, &price))
		return life_too_large;
	if (is_new)
		return begin(life, rules, now, offer, seats, out);
	if (life->status == LIFE_INCOMPLETE)
		return waits_for_payment(life, offer, seats, out) ? NULL : first_waits;
	if (life_runs(life))
		return change_running(life, rules, now, request, offer, seats, out);
	return change_unbilled(life, request, offer, seats, out);
}

static const char *
cancel(struct life *life, int64_t now, bool at_once, struct life_outcome *out)
{
	if (life_is_over(life))
		return "There is no subscription to cancel.";
	if (at_once || life->status == LIFE_INCOMPLETE || life->status == LIFE_PAUSED) {
		life->canceled_at = now;
		life_end(life, now, out);
		return NULL;
	}
	if (life->cancel_at_period_end)
		return NULL;
	life_drop_pending(life, out);
	life->cancel_at_period_end = true;
	life->canceled_at = now;
	ACT(out, .what = ACT_CHANGED);
	return NULL;
}

static const char *
resume(struct life *life, const struct life_rules *rules, int64_t now,
    struct life_outcome *out)
{
	if (life->cancel_at_period_end) {
		life->cancel_at_period_end = false;
		life->canceled_at = 0;
		ACT(out, .what = ACT_CHANGED);
		return NULL;
	}
	if (life->status != LIFE_PAUSED)
		return life_is_over(life)
			   ? "This subscription has ended; begin a new one."
			   : "There is nothing to resume.";
	if (!life->can_pay)
		return "Set up a way to pay first.";
	if (waits_for_payment(life, life->offer, life->seats, out))
		return NULL;
	return await_payment(
	    life, rules, now, life->offer, life->seats, FOR_FIRST, out);
}

const char *
life_change(struct life *life, const struct life_rules *rules, int64_t now,
    const struct life_request *request, struct life_outcome *out)
{
	const char *why;

	out->n = 0;
	why = change(life, rules, now, request, out);
	/* The next period's charge needs its place. */
	return !why && life->n_parts == LIFE_PARTS_MAX ? life_too_many : why;
}

const char *
life_cancel(struct life *life, int64_t now, bool at_once, struct life_outcome *out)
{
	out->n = 0;
	return cancel(life, now, at_once, out);
}

const char *
life_resume(struct life *life, const struct life_rules *rules, int64_t now,
    struct life_outcome *out)
{
	out->n = 0;
	return resume(life, rules, now, out);
}

const char *
life_drop_change(struct life *life, int64_t now, struct life_outcome *out)
{
	(void)now;
	out->n = 0;
	if (!life->pending.offer)
		return "No change waits.";
	if (life->status == LIFE_INCOMPLETE)
		return first_waits;
	life_drop_pending(life, out);
	ACT(out, .what = ACT_CHANGED);
	return NULL;
}

const char *
life_trial(struct life *life, int64_t now, const struct offer *offer, unsigned days,
    struct life_outcome *out)
{
	out->n = 0;
	if (life->status != LIFE_NONE)
		return "This organisation had a subscription already.";
	if (!trl_period_start(life->zone, now, TRL_DAY, days, 1, &life->trial_end))
		return "The trial would end beyond the calendar.";
	life->status = LIFE_TRIALING;
	life->offer = offer;
	life->seats = 1;
	life->anchor = life->period_start = now;
	life->period_end = life->trial_end;
	ACT(out, .what = ACT_STARTED);
	return NULL;
}
