/* clock.c - what time and payments make of a subscription. Whatever falls due
 * happens at its own time, however late it is noticed, so that one step of a year and
 * 8,760 steps of an hour end alike. */
#include "life/inside.h"

#include <trl/compiler.h>

enum { DAY_S = 86400, TRIAL_TOLD_S = 3 * DAY_S };

/* In the order in which they happen, where several are due at once. */
enum due {
	DUE_NOTHING,
	DUE_TRIAL_TOLD,
	DUE_TRIAL_END,
	DUE_RENEWAL,
	DUE_EXPIRY,
	DUE_TRY
};

static void
sooner(int64_t at, enum due what, int64_t *when, enum due *due)
{
	if (at < *when) {
		*when = at;
		*due = what;
	}
}

/* A short trial's end is told at its start. */
static int64_t
trial_told_at(const struct life *life)
{
	int64_t at = life->trial_end - TRIAL_TOLD_S;

	return at > life->period_start ? at : life->period_start;
}

static enum due
find_due(const struct life *life, int64_t *when, uint64_t *invoice)
{
	enum due due = DUE_NOTHING;

	*when = INT64_MAX;
	if (life->status == LIFE_TRIALING) {
		if (!life->trial_end_told)
			sooner(trial_told_at(life), DUE_TRIAL_TOLD, when, &due);
		sooner(life->trial_end, DUE_TRIAL_END, when, &due);
	}
	if (life_runs(life))
		sooner(life->period_end, DUE_RENEWAL, when, &due);
	if (life->pending.invoice)
		sooner(life->pending.at, DUE_EXPIRY, when, &due);
	for (size_t i = 0; i < life->n_invoices; i++) {
		const struct life_invoice *open = &life->invoices[i];

		if (open->state != INVOICE_OPEN || !open->next_try)
			continue;
		if (open->next_try < *when)
			*invoice = open->id;
		sooner(open->next_try, DUE_TRY, when, &due);
	}
	return due;
}

int64_t
life_next(const struct life *life)
{
	uint64_t invoice;
	int64_t when;

	(void)find_due(life, &when, &invoice);
	return when;
}

/* The invoice of a new period, with what waited for it. Where so many are open that
 * there is no place for another, it is over. */
static const char *
bill_period(struct life *life, int64_t at, struct life_outcome *out)
{
	bool draft = life->status == LIFE_UNPAID;
	const char *why;

	if (!life_add_invoice(
		life, at, FOR_RENEWAL, draft ? INVOICE_DRAFT : INVOICE_OPEN)) {
		life_end(life, at, out);
		return NULL;
	}
	for (size_t i = 0; i < life->n_parts; i++)
		if (life->parts[i].invoice == 0)
			life->parts[i].invoice = life->last_invoice;
	why = life_add_charge(life, life->offer, life->seats, life->period_start,
	    life->period_end, life->period_start, life->last_invoice);
	if (why)
		return why;
	ACT(out, .what = draft ? ACT_DRAFT : ACT_INVOICE,
	    .invoice = life->last_invoice);
	if (!draft)
		ACT(out, .what = ACT_COLLECT, .invoice = life->last_invoice);
	return NULL;
}

/* What waited for the end of the period holds, and what waited for its payment is
 * dropped. */
static void
settle_pending(struct life *life, struct life_outcome *out)
{
	const struct life_change change = life->pending;

	if (!change.offer)
		return;
	life_drop_pending(life, out);
	if (!change.invoice) {
		life->offer = change.offer;
		life->seats = change.seats;
	}
	ACT(out, .what = ACT_CHANGED);
}

static const char *
renew(struct life *life, int64_t at, struct life_outcome *out)
{
	const struct offer *former = life->offer;

	if (life->cancel_at_period_end) {
		life_end(life, at, out);
		return NULL;
	}
	settle_pending(life, out);
	life_keep_parts(life, life_still_counts, at);
	if (!(life_has_same_periods(former, life->offer)
		    ? life_next_period(life)
		    : life_begin_periods(life, at)))
		return life_too_late;
	return bill_period(life, at, out);
}

static const char *
end_trial(struct life *life, const struct life_rules *rules, int64_t at,
    struct life_outcome *out)
{
	if (life->cancel_at_period_end || (!life->can_pay && rules->trial_cancels)) {
		life_end(life, at, out);
		return NULL;
	}
	settle_pending(life, out);
	if (!life->can_pay) {
		life->status = LIFE_PAUSED;
		ACT(out, .what = ACT_PAUSED);
		return NULL;
	}
	if (!life_begin_periods(life, at))
		return life_too_late;
	life->status = LIFE_ACTIVE;
	ACT(out, .what = ACT_STARTED);
	return bill_period(life, at, out);
}

/* A first payment or an upgrade that was not paid in time. */
static void
expire(struct life *life, int64_t at, struct life_outcome *out)
{
	life_drop_pending(life, out);
	if (life->status != LIFE_INCOMPLETE) {
		ACT(out, .what = ACT_CHANGED);
		return;
	}
	life->status = LIFE_INCOMPLETE_EXPIRED;
	life->ended_at = at;
	life->n_parts = 0;
	ACT(out, .what = ACT_ENDED);
}

/* The tries of an invoice are spent. Where a newer one was paid since, it is only owed.
 */
static void
spend(struct life *life, const struct life_rules *rules, int64_t at,
    struct life_invoice *invoice, struct life_outcome *out)
{
	invoice->next_try = 0;
	if (life->status != LIFE_PAST_DUE || rules->spent == SPENT_STAYS)
		return;
	if (rules->spent == SPENT_CANCELS) {
		life_end(life, at, out);
		return;
	}
	life->status = LIFE_UNPAID;
	ACT(out, .what = ACT_CHANGED);
}

/* The next of the schedule's times after at; 0: there is none. */
static int64_t
next_try(const struct life_rules *rules, const struct life_invoice *invoice, int64_t at)
{
	for (unsigned i = 0; i < rules->n_retries; i++) {
		int64_t try =
		    invoice->failed_first + rules->retry_days[i] * INT64_C(86400);

		if (try > at)
			return try;
	}
	return 0;
}

static void
try_again(struct life *life, const struct life_rules *rules, int64_t at, uint64_t id,
    struct life_outcome *out)
{
	struct life_invoice *invoice = life_invoice_of(life, id);
	int64_t next = invoice->failed_first ? next_try(rules, invoice, at) : 0;

	invoice->next_try = next;
	if (!invoice->hard)
		ACT(out, .what = ACT_COLLECT, .invoice = id);
	else if (!next)
		spend(life, rules, at, invoice, out);
}

bool
life_step(struct life *life, const struct life_rules *rules, int64_t now,
    struct life_outcome *out, const char **why)
{
	uint64_t invoice = 0;
	int64_t at;
	enum due due = find_due(life, &at, &invoice);

	out->n = 0;
	*why = NULL;
	if (due == DUE_NOTHING || at > now)
		return false;
	switch (due) {
	case DUE_TRIAL_TOLD:
		life->trial_end_told = true;
		ACT(out, .what = ACT_TRIAL_ENDING);
		break;
	case DUE_TRIAL_END:
		*why = end_trial(life, rules, at, out);
		break;
	case DUE_RENEWAL:
		*why = renew(life, at, out);
		break;
	case DUE_EXPIRY:
		expire(life, at, out);
		break;
	default:
		try_again(life, rules, at, invoice, out);
		break;
	}
	return true;
}

/* The newest invoice is paid, or needs not be: drafts of times before are left to the
 * operator. */
static void
recover(struct life *life, struct life_outcome *out)
{
	size_t n = 0;

	if (life->status != LIFE_PAST_DUE && life->status != LIFE_UNPAID)
		return;
	life->status = LIFE_ACTIVE;
	for (size_t i = 0; i < life->n_invoices; i++)
		if (life->invoices[i].state != INVOICE_DRAFT)
			life->invoices[n++] = life->invoices[i];
	life->n_invoices = n;
	ACT(out, .what = ACT_CHANGED);
}

void
life_paid(struct life *life, int64_t now, uint64_t id, struct life_outcome *out)
{
	struct life_invoice *invoice = life_invoice_of(life, id);
	int64_t made;

	(void)now;
	out->n = 0;
	if (!invoice)
		return;
	made = invoice->made;
	life_forget_invoice(life, id);
	if (id == life->pending.invoice)
		life_apply_pending(life, made, out);
	else if (id == life->last_invoice)
		recover(life, out);
}

void
life_waived(struct life *life, int64_t now, uint64_t id, struct life_outcome *out)
{
	out->n = 0;
	if (!life_invoice_of(life, id))
		return;
	if (id == life->pending.invoice) {
		expire(life, now, out);
		return;
	}
	life_keep_parts(life, life_is_of_another, (int64_t)id);
	life_forget_invoice(life, id);
	if (id == life->last_invoice)
		recover(life, out);
}

static void
fail(struct life *life, const struct life_rules *rules, int64_t now,
    struct life_invoice *invoice, bool hard, struct life_outcome *out)
{
	invoice->hard = hard;
	if (!invoice->failed_first)
		invoice->failed_first = now;
	invoice->next_try = next_try(rules, invoice, now);
	if (life->status == LIFE_ACTIVE && invoice->id == life->last_invoice) {
		life->status = LIFE_PAST_DUE;
		ACT(out, .what = ACT_CHANGED);
	}
	if (!invoice->next_try)
		spend(life, rules, now, invoice, out);
}

void
life_failed(struct life *life, const struct life_rules *rules, int64_t now, uint64_t id,
    bool hard, struct life_outcome *out)
{
	struct life_invoice *invoice = life_invoice_of(life, id);

	out->n = 0;
	if (!invoice || invoice->state != INVOICE_OPEN)
		return;
	invoice->tries++;
	if (id != life->pending.invoice) /* that is paid by whoever wants the change */
		fail(life, rules, now, invoice, hard, out);
}

void
life_has_no_way(struct life *life, const struct life_rules *rules, int64_t now,
    uint64_t id, struct life_outcome *out)
{
	struct life_invoice *invoice = life_invoice_of(life, id);

	out->n = 0;
	if (!invoice || invoice->state != INVOICE_OPEN || id == life->pending.invoice)
		return;
	if (now < invoice->made + rules->due_s)
		invoice->next_try = invoice->made + rules->due_s;
	else
		fail(life, rules, now, invoice, true, out);
}

void
life_try_at_once(struct life *life, int64_t now, uint64_t id)
{
	struct life_invoice *invoice = life_invoice_of(life, id);

	if (invoice)
		invoice->next_try = now;
}

bool
life_bill_draft(struct life *life, uint64_t id, struct life_outcome *out)
{
	struct life_invoice *invoice = life_invoice_of(life, id);

	out->n = 0;
	if (life->status != LIFE_UNPAID || !invoice || id != life->last_invoice ||
	    invoice->state != INVOICE_DRAFT)
		return false;
	invoice->state = INVOICE_OPEN;
	ACT(out, .what = ACT_INVOICE, .invoice = id);
	return true;
}

void
life_can_pay(struct life *life, int64_t now, struct life_outcome *out)
{
	(void)now;
	(void)life_bill_draft(life, life->last_invoice, out);
	for (size_t i = 0; i < life->n_invoices; i++) { /* the oldest first */
		struct life_invoice *invoice = &life->invoices[i];

		if (invoice->state != INVOICE_OPEN)
			continue;
		invoice->hard = false;
		ACT(out, .what = ACT_COLLECT, .invoice = invoice->id);
	}
}
