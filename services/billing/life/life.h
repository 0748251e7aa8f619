/* life.h - the life of a subscription: what a request or the clock makes of it. Pure:
 * an account in memory goes in and comes out, with what is to be done beside it. The
 * statements, the provider and the preview all work from the same outcome, so a preview
 * is the invoice that would follow.
 *
 * Times are seconds since 1970 (calendar.h), amounts minor units (money.h). The states
 * and what moves between them have the names of Stripe's subscriptions; ours differ
 * where README.md says so. */
#pragma once

#include <trl/calendar.h>

#include "price/bill.h"
#include "price/price.h"

enum {
	LIFE_PARTS_MAX = 200,
	LIFE_INVOICES_MAX = 50,
	LIFE_ACTS_MAX = 50,
	LIFE_RETRIES_MAX = 20,
	LIFE_KEY_MAX = 81
};
/* The most that a price may come to for a period: with its taxes, and as many lines as
 * there are parts, every sum still fits. */
#define LIFE_AMOUNT_MAX INT64_C(1000000000000000)

/* A price of the catalogue, decoded. It outlives the account. */
struct offer {
	char key[LIFE_KEY_MAX], plan[LIFE_KEY_MAX], currency[4];
	int rank; /* of the plan: to a higher one is an upgrade */
	enum trl_interval interval;
	unsigned count;
	bool tax_inclusive;
	struct price price;
};

/* What holds for all: the catalogue's settings. */
struct life_rules {
	unsigned n_retries, retry_days[LIFE_RETRIES_MAX];
	enum { SPENT_CANCELS, SPENT_UNPAID, SPENT_STAYS } spent;
	bool trial_cancels;      /* at its end without a way to pay; else it pauses */
	int64_t first_payment_s; /* how long a first payment or an upgrade may wait */
	int64_t due_s; /* how long an invoice may that nobody can be charged for */
};

enum life_status {
	LIFE_NONE, /* there never was one */
	LIFE_INCOMPLETE,
	LIFE_INCOMPLETE_EXPIRED,
	LIFE_TRIALING,
	LIFE_ACTIVE,
	LIFE_PAST_DUE,
	LIFE_CANCELED,
	LIFE_UNPAID,
	LIFE_PAUSED
};

/* What was debited for a part of a period. What is credited of it shortens it. */
struct life_part {
	const struct offer *offer;
	unsigned seats;
	int64_t from, to;
	int64_t amount;   /* below 0: a credit. The invoice's maker takes its discount
			     off, so that a credit is of what was debited */
	uint64_t invoice; /* its number within the account; 0: for the next one */
	bool proration;
	uint64_t of; /* of a credit: the invoice that charged it; 0: it is not known */
	const struct credited *credited; /* invoice.h; while it becomes a line */
};

struct life_invoice {
	uint64_t id; /* 1, 2, 3 ... within the account */
	enum { FOR_FIRST, FOR_RENEWAL, FOR_CHANGE } purpose;
	enum { INVOICE_DRAFT, INVOICE_OPEN } state;
	unsigned tries;
	int64_t made, failed_first; /* 0: no try failed */
	int64_t next_try;           /* or end of the tries; 0: none by itself */
	bool hard; /* the way to pay is refused for good: nothing by itself until
		      another */
};

struct life_change {
	const struct offer *offer; /* NULL: nothing waits */
	unsigned seats;
	int64_t at; /* when it holds, or until when its payment is waited for */
	uint64_t
	    invoice; /* that has to be paid; 0: it holds at the end of the period */
};

struct life {
	enum life_status status;
	const struct offer *offer;
	unsigned seats;
	int64_t anchor, k; /* the k-th period of anchor */
	int64_t period_start, period_end;
	int64_t trial_end, canceled_at, ended_at; /* 0: none */
	bool trial_end_told;
	bool cancel_at_period_end;
	struct life_change pending;
	size_t n_parts;
	struct life_part parts[LIFE_PARTS_MAX];
	size_t n_invoices; /* those that are not paid, void or lost */
	struct life_invoice invoices[LIFE_INVOICES_MAX];
	uint64_t last_invoice;
	/* Given with the account, never changed here. */
	const trl_zone *zone; /* NULL: UTC */
	bool can_pay;         /* it has a usable default way to pay */
	bool paid_back; /* more of what was paid for this period is not here any more
			   than of the period is over */
};

/* What is to be done beside storing the account, in this order. */
struct life_act {
	enum {
		ACT_INVOICE, /* make and finalise it, of all parts that name it; it may
				be a draft */
		ACT_DRAFT,   /* make it, and leave it a draft */
		ACT_COLLECT, /* try to have it paid */
		ACT_LOWER,   /* credit amount of an invoice; life_credit_over has what
				is more than is left of it */
		ACT_VOID,    /* a draft is deleted */
		ACT_STARTED,
		ACT_CHANGED,
		ACT_TRIAL_ENDING,
		ACT_PAUSED,
		ACT_ENDED
	} what;
	uint64_t invoice;
	int64_t amount;
	struct life_part part; /* of ACT_LOWER: what is taken back */
};

struct life_outcome {
	size_t n;
	struct life_act acts[LIFE_ACTS_MAX];
};

/* What a caller wants. 0 and NULL: as it is. Asked for again while it waits for its
 * payment, it is only tried to have it paid again: a caller that did not see the answer
 * may repeat itself. Seats that are asked for without a plan hold for a plan that waits
 * for the end of the period, too. */
struct life_request {
	const struct offer *offer;
	unsigned seats;
	enum { WHEN_USUAL, WHEN_NOW, WHEN_PERIOD_END } when;
};

/* Each is NULL, or why not, in a sentence: then life and out are of no more use. It is
 * life_too_large where not the state is in the way, but what is asked for. */
extern const char life_too_large[];
const char *life_change(struct life *life, const struct life_rules *rules, int64_t now,
    const struct life_request *request, struct life_outcome *out);
const char *life_cancel(
    struct life *life, int64_t now, bool at_once, struct life_outcome *out);
const char *life_resume(struct life *life, const struct life_rules *rules, int64_t now,
    struct life_outcome *out);
const char *life_drop_change(struct life *life, int64_t now, struct life_outcome *out);
const char *life_trial(struct life *life, int64_t now, const struct offer *offer,
    unsigned days, struct life_outcome *out);

/* NULL: it is none of those that are asked for. */
struct life_invoice *life_invoice_of(struct life *life, uint64_t id);
/* An invoice was paid; a try failed, for good (hard) or for now. Only the newest
 * invoice makes the subscription past_due, or active again. */
void life_paid(
    struct life *life, int64_t now, uint64_t invoice, struct life_outcome *out);
void life_failed(struct life *life, const struct life_rules *rules, int64_t now,
    uint64_t invoice, bool hard, struct life_outcome *out);
/* There is no way to have it paid: it is late once its term is over, and waits then for
 * a way to pay as after a try that failed for good. */
void life_has_no_way(struct life *life, const struct life_rules *rules, int64_t now,
    uint64_t invoice, struct life_outcome *out);
/* The turn that was to try it has no room for another payment: it is due at once. */
void life_try_at_once(struct life *life, int64_t now, uint64_t invoice);
/* An invoice will not be paid: it is void, or written off. What it was for is owed no
 * more, nor credited. */
void life_waived(
    struct life *life, int64_t now, uint64_t invoice, struct life_outcome *out);
/* Of what was to be credited (ACT_LOWER's part) so much is more than its invoice is
 * over: that had credits of its own in it. It is credited by a line of an invoice that
 * follows. */
void life_credit_over(struct life *life, int64_t now, const struct life_part *part,
    int64_t amount, struct life_outcome *out);
/* A draft becomes final: the newest of an unpaid subscription, which is that of the
 * present period. False: it is none. */
bool life_bill_draft(struct life *life, uint64_t invoice, struct life_outcome *out);
/* There is a new way to pay: what waits is tried, the oldest first; of drafts only the
 * newest, which is that of the present period. */
void life_can_pay(struct life *life, int64_t now, struct life_outcome *out);

/* When something falls due next; INT64_MAX: never. */
int64_t life_next(const struct life *life);
/* Does what is due first at or before now; false: nothing is. NULL in why, or why it
 * cannot be done. */
bool life_step(struct life *life, const struct life_rules *rules, int64_t now,
    struct life_outcome *out, const char **why);
