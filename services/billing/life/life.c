/* life.c - what a caller's request makes of a subscription; see life.h. A change that
 * has to be paid first waits as the pending change, with an invoice whose parts are
 * made but do not count until it is paid; so to drop it is to forget them. */
#include "life/inside.h"

/* Makes the invoice that has to be paid before offer and seats hold: the rest of what
 * was debited is credited, and theirs is charged. */
static const char *
await_payment(struct life *life, const struct life_rules *rules, int64_t now,
    const struct offer *offer, unsigned seats, int purpose, struct life_outcome *out)
{
	bool goes_on = life_runs(life) && life_has_same_periods(life->offer, offer);
	int64_t start = life->period_start, end = life->period_end;
	const char *why;

	life_drop_pending(life, out);
	if (!life_add_invoice(life, now, purpose, INVOICE_OPEN))
		return life_too_many;
	if (life_runs(life) && !life_add_credits(life, now, life->last_invoice))
		return life_too_many;
	if (!goes_on && !life_period_of(life, offer, now, 0, &start, &end))
		return life_too_late;
	why = life_add_charge(life, offer, seats, start, end, now, life->last_invoice);
	if (why)
		return why;
	life->pending = (struct life_change){ offer, seats,
		now + rules->first_payment_s, life->last_invoice };
	ACT(out, .what = ACT_INVOICE, .invoice = life->last_invoice);
	ACT(out, .what = ACT_COLLECT, .invoice = life->last_invoice);
	return NULL;
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

/* Other seats at the same price: for periods of a year and more at once, else with the
 * next invoice. */
static const char *
change_seats(struct life *life, const struct life_rules *rules, int64_t now,
    unsigned seats, struct life_outcome *out)
{
	const char *why;

	if (life->offer->interval == TRL_YEAR)
		return await_payment(
		    life, rules, now, life->offer, seats, FOR_CHANGE, out);
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

static const char *
change_running(struct life *life, const struct life_rules *rules, int64_t now,
    const struct life_request *request, struct life_outcome *out)
{
	const struct offer *offer = request->offer ? request->offer : life->offer;
	unsigned seats = request->seats ? request->seats : life->seats;
	bool same_price = offer == life->offer;
	bool at_once =
	    request->when == WHEN_NOW ||
	    (request->when == WHEN_USUAL && (same_price || is_upgrade(life, offer)));

	if (same_price && seats == life->seats) {
		life_drop_pending(life, out); /* to stay takes a change back */
		return NULL;
	}
	if (!at_once) {
		life_drop_pending(life, out);
		life->pending =
		    (struct life_change){ offer, seats, life->period_end, 0 };
		ACT(out, .what = ACT_CHANGED);
		return NULL;
	}
	if (life->status != LIFE_ACTIVE || owes_this_period(life, now))
		return "An invoice of this subscription is not paid yet.";
	if (same_price)
		return change_seats(life, rules, now, seats, out);
	return await_payment(life, rules, now, offer, seats, FOR_CHANGE, out);
}

static const char *
change(struct life *life, const struct life_rules *rules, int64_t now,
    const struct life_request *request, struct life_outcome *out)
{
	const char *why;

	if (life->status == LIFE_INCOMPLETE)
		return "The first invoice waits for its payment: pay it, or cancel.";
	if (life_runs(life))
		return change_running(life, rules, now, request, out);
	if (!life_is_over(life)) { /* a trial, or paused: nothing is billed */
		life->offer = request->offer ? request->offer : life->offer;
		life->seats = request->seats ? request->seats : life->seats;
		ACT(out, .what = ACT_CHANGED);
		return NULL;
	}
	if (!request->offer)
		return "Say to which plan.";
	life->n_parts = 0;
	life->status = LIFE_INCOMPLETE;
	life->offer = request->offer;
	life->seats = request->seats ? request->seats : 1;
	life->trial_end = life->canceled_at = life->ended_at = 0;
	life->cancel_at_period_end = false;
	why = await_payment(life, rules, now, life->offer, life->seats, FOR_FIRST, out);
	if (!why && !life_set_period(life, now, 0))
		why = life_too_late;
	return why;
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
	return await_payment(
	    life, rules, now, life->offer, life->seats, FOR_FIRST, out);
}

const char *
life_change(struct life *life, const struct life_rules *rules, int64_t now,
    const struct life_request *request, struct life_outcome *out)
{
	out->n = 0;
	return change(life, rules, now, request, out);
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
		return "The first invoice waits for its payment: pay it, or cancel.";
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
