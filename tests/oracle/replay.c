/* replay.c - has billing's own code live the histories of histories.py, and prints what
 * came of each: every invoice with its lines and taxes, every credit, and how the
 * subscription stands after each happening. test_oracle.py compares that with what the
 * second implementation (account.py, sums.py) says.
 *
 * It is made of life/ and price/, which are pure, and of nothing else of the service:
 * what turn/ and invoice/ do in rows happens here in a few variables. A history's
 * happenings are lines of words; the switch over their first word is the format.
 * Over 400 lines: one small program, with what it prints beside what makes it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/compiler.h>

#include "life/life.h"
#include "price/take_back.h"

enum { OFFERS_MAX = 12, BILLS_MAX = 4000, WORDS_MAX = 120 };

struct bill_of {
	uint64_t id;
	enum { DRAFT, OPEN, PAID, VOID, WAIVED, GONE } state;
	int64_t total, due, from_balance, carried;
	struct bill bill; /* with lines of its own, for credit notes */
};

static struct {
	struct life life;
	struct life_rules rules;
	struct offer offers[OFFERS_MAX];
	struct bill_tax taxes[OFFERS_MAX]; /* of each offer */
	trl_zone *zone;
	char payer; /* p pays, f fails, h fails for good, w waits, n has no way */
	enum { NO_COUPON, PERCENT, AMOUNT } coupon;
	trl_int128 percent;
	int64_t off, left, balance, carried, least;
	size_t n_bills;
	struct bill_of bills[BILLS_MAX];
} h;

static char *words[WORDS_MAX];
static size_t n_words;

static void do_acts(int64_t now, const struct life_outcome *out);

static trl_int128
decimal(const char *text, unsigned places)
{
	trl_int128 value = 0;

	trl_assert(!trl_decimal_read(text, strlen(text), places, &value));
	return value;
}

static const char *
word(size_t i)
{
	trl_assert(i < n_words);
	return words[i];
}

static int64_t
number(size_t i)
{
	return strtoll(word(i), NULL, 10);
}

static size_t
index_of(const struct offer *offer)
{
	return (size_t)(offer - h.offers);
}

static struct bill_of *
bill_of(uint64_t id)
{
	for (size_t i = 0; i < h.n_bills; i++)
		if (h.bills[i].id == id)
			return &h.bills[i];
	return NULL;
}

/* Invoices. */

static void
print_decimal(trl_int128 value, unsigned places)
{
	char text[64];

	trl_decimal_write(value, places, text, sizeof text);
	printf("%s", text);
}

static void
print_bill(const char *kind, uint64_t id, const struct bill *bill,
    const struct life_part *const *parts)
{
	printf("%s %" PRIu64 ":", kind, id);
	for (size_t i = 0; i < bill->n_lines; i++) {
		const struct bill_line *line = &bill->lines[i];

		printf(" [%" PRId64 " %" PRId64 " %zux%u%s %" PRId64 " -%" PRId64
		       " =%" PRId64 " +%" PRId64 "]",
		    parts[i]->from, parts[i]->to, index_of(parts[i]->offer),
		    parts[i]->seats, parts[i]->proration ? "p" : "", line->amount,
		    line->discount, line->net, line->tax);
	}
	for (size_t i = 0; i < bill->n_groups; i++) {
		printf(" %s ", bill->groups[i].category);
		print_decimal(bill->groups[i].rate, RATE_PLACES);
		printf(
		    " %" PRId64 " %" PRId64, bill->groups[i].net, bill->groups[i].tax);
	}
	printf(" = %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, bill->discount,
	    bill->net, bill->tax, bill->total);
}

static void
line_of(const struct life_part *part, struct bill_line *out)
{
	*out = (struct bill_line){ .amount = part->amount,
		.inclusive = part->offer->tax_inclusive,
		.tax_kind = h.taxes[index_of(part->offer)] };
}

static void
discount(struct bill *bill)
{
	bool fits = true;

	if (h.coupon == PERCENT)
		fits = bill_percent_off(bill, h.percent, &bill->discount);
	else if (h.coupon == AMOUNT)
		fits = bill_amount_off(bill, h.off, &bill->discount);
	trl_assert(fits);
}

/* What a final invoice takes from the balance, carries, and asks for. */
static void
settle(struct bill_of *at, int64_t total)
{
	at->total = total;
	at->from_balance = total < h.balance ? total : h.balance;
	at->carried = h.carried;
	at->due = total - at->from_balance + at->carried;
	h.balance -= at->from_balance;
	h.carried = 0;
	if (at->due < h.least) {
		h.carried = at->due;
		at->due = 0;
	}
}

/* It takes something off n invoices, and of the others it is not used. */
static void
use_coupon(const struct bill *bill)
{
	if (bill->discount > 0 && h.left > 0 && --h.left == 0)
		h.coupon = NO_COUPON;
}

static void
make(int64_t now, uint64_t id, bool draft)
{
	static struct bill_line lines[LIFE_PARTS_MAX];
	static struct life_part *parts[LIFE_PARTS_MAX];
	struct bill bill = { .lines = lines };
	struct life_outcome next = { 0 };
	struct bill_of *at = bill_of(id);

	for (size_t i = 0; i < h.life.n_parts; i++) {
		if (h.life.parts[i].invoice != id)
			continue;
		parts[bill.n_lines] = &h.life.parts[i];
		line_of(&h.life.parts[i], &lines[bill.n_lines++]);
	}
	trl_assert(bill.n_lines > 0);
	discount(&bill);
	trl_assert(bill_sum(&bill));
	print_bill(draft ? "draft" : "invoice", id, &bill,
	    (const struct life_part *const *)parts);
	if (!at)
		at = &h.bills[h.n_bills++];
	trl_assert(h.n_bills < BILLS_MAX);
	free(at->bill.lines);
	*at = (struct bill_of){ .id = id, .state = draft ? DRAFT : OPEN, .bill = bill };
	at->bill.lines = calloc(bill.n_lines, sizeof lines[0]);
	trl_assert(at->bill.lines != NULL);
	memcpy(at->bill.lines, lines, bill.n_lines * sizeof lines[0]);
	if (draft) {
		printf("\n");
		return;
	}
	for (size_t i = 0; i < bill.n_lines; i++)
		parts[i]->amount -= lines[i].discount;
	settle(at, bill.total);
	use_coupon(&bill);
	printf(" | %" PRId64 " %" PRId64 " %" PRId64 "\n", at->from_balance, h.carried,
	    at->due);
	if (at->due > 0)
		return;
	at->state = PAID;
	life_paid(&h.life, now, id, &next);
	do_acts(now, &next);
}

/* Payments. */

static void
take_money(int64_t now, struct bill_of *at)
{
	struct life_outcome next;

	at->due = 0;
	at->state = PAID;
	printf("paid %" PRIu64 "\n", at->id);
	life_paid(&h.life, now, at->id, &next);
	do_acts(now, &next);
}

static void
fail(int64_t now, struct bill_of *at, bool hard)
{
	struct life_outcome next;

	printf("failed %" PRIu64 "\n", at->id);
	life_failed(&h.life, &h.rules, now, at->id, hard, &next);
	do_acts(now, &next);
}

static void
collect(int64_t now, uint64_t id)
{
	struct bill_of *at = bill_of(id);
	struct life_outcome next;

	if (!at || at->state != OPEN || at->due == 0)
		return;
	switch (h.payer) {
	case 'p':
		take_money(now, at);
		return;
	case 'f':
	case 'h':
		fail(now, at, h.payer == 'h');
		return;
	case 'n':
		life_has_no_way(&h.life, &h.rules, now, id, &next);
		do_acts(now, &next);
		return;
	default:
		return;
	}
}

/* A credit note of the line that charged it, which is its invoice's last; and what is
 * more than that invoice is over goes on another. */
static void
lower(int64_t now, const struct life_act *act)
{
	static const struct bill_taken nothing[LIFE_PARTS_MAX];
	struct bill_line lines[LIFE_PARTS_MAX];
	struct bill_of *at = bill_of(act->invoice);
	struct bill took = { .lines = lines };
	struct life_outcome next = { 0 };
	int64_t off, over;

	trl_assert(at && bill_take_amount(&at->bill, nothing, at->bill.n_lines - 1,
			     act->amount, at->total, &took, &over));
	off = took.total < at->due ? took.total : at->due;
	at->due -= off;
	h.balance += took.total - off;
	if (took.total > 0)
		printf("credit %" PRIu64 ": %" PRId64 "..%" PRId64 " %" PRId64
		       " + %" PRId64 " | %" PRId64 "\n",
		    act->invoice, act->part.from, act->part.to, took.net, took.tax,
		    off);
	if (over > 0)
		life_credit_over(&h.life, now, &act->part, over, &next);
	do_acts(now, &next);
}

static void
declare_void(uint64_t id)
{
	struct bill_of *at = bill_of(id);

	trl_assert(at != NULL && (at->state == OPEN || at->state == DRAFT));
	printf("%s %" PRIu64 "\n", at->state == DRAFT ? "deleted" : "void", id);
	if (at->state == OPEN) {
		h.balance += at->from_balance;
		h.carried += at->carried;
	}
	at->state = at->state == DRAFT ? GONE : VOID;
}

static void
do_acts(int64_t now, const struct life_outcome *given)
{
	static const char *const said[] = { [ACT_STARTED] = "started",
		[ACT_CHANGED] = "changed",
		[ACT_TRIAL_ENDING] = "trial_ending",
		[ACT_PAUSED] = "paused",
		[ACT_ENDED] = "ended" };
	struct life_outcome out = *given;

	for (size_t i = 0; i < out.n; i++) {
		const struct life_act *act = &out.acts[i];

		switch (act->what) {
		case ACT_INVOICE:
		case ACT_DRAFT:
			make(now, act->invoice, act->what == ACT_DRAFT);
			break;
		case ACT_COLLECT:
			collect(now, act->invoice);
			break;
		case ACT_LOWER:
			lower(now, act);
			break;
		case ACT_VOID:
			declare_void(act->invoice);
			break;
		default:
			printf("%s\n", said[act->what]);
			break;
		}
	}
}

/* Happenings. */

static void
until(int64_t now)
{
	struct life_outcome out;
	const char *why = NULL;
	int64_t at;

	while ((at = life_next(&h.life)) <= now) {
		trl_assert(life_step(&h.life, &h.rules, now, &out, &why));
		if (why) {
			printf("stuck: %s\n", why);
			exit(1);
		}
		do_acts(at, &out);
	}
}

static void
print_state(void)
{
	static const char *const names[] = { "none", "incomplete", "incomplete_expired",
		"trialing", "active", "past_due", "canceled", "unpaid", "paused" };
	const struct life *life = &h.life;
	int64_t next = life_next(life);

	printf("= %s", names[life->status]);
	if (life->status != LIFE_NONE)
		printf(" %zux%u %" PRId64 "..%" PRId64 " %" PRId64 "+%" PRId64,
		    index_of(life->offer), life->seats, life->period_start,
		    life->period_end, life->anchor, life->k);
	if (life->cancel_at_period_end)
		printf(" ends");
	if (life->pending.offer)
		printf(" pending %zux%u %" PRId64 " %" PRIu64,
		    index_of(life->pending.offer), life->pending.seats,
		    life->pending.at, life->pending.invoice);
	printf(
	    " canceled %" PRId64 " ended %" PRId64, life->canceled_at, life->ended_at);
	if (next != INT64_MAX)
		printf(" next %" PRId64, next);
	printf(" balance %" PRId64 " carried %" PRId64 " left %" PRId64 "\n", h.balance,
	    h.carried, h.coupon == NO_COUPON ? 0 : h.left);
}

static void
read_offer(void)
{
	struct offer *offer = &h.offers[number(1)];
	struct bill_tax *tax = &h.taxes[number(1)];
	struct price_place place;
	size_t at = 12;

	*offer = (struct offer){ .rank = (int)number(2),
		.interval = (enum trl_interval)number(3),
		.count = (unsigned)number(4),
		.tax_inclusive = number(5) != 0,
		.price = { .model = (enum price_model)number(6),
		    .unit = decimal(word(7), TRL_PRICE_PLACES),
		    .free_units = decimal(word(8), TRL_QUANTITY_PLACES),
		    .package_size = decimal(word(9), TRL_QUANTITY_PLACES),
		    .n_tiers = (size_t)number(10) } };
	*tax = (struct bill_tax){ .n_rates = (size_t)number(11) };
	for (size_t i = 0; i < offer->price.n_tiers; i++, at += 3)
		offer->price.tiers[i] =
		    (struct price_tier){ decimal(word(at), TRL_QUANTITY_PLACES),
			    decimal(word(at + 1), TRL_PRICE_PLACES), number(at + 2) };
	snprintf(tax->category, sizeof tax->category, "%s", word(at++));
	for (size_t i = 0; i < tax->n_rates; i++)
		tax->rates[i] = decimal(word(at + i), RATE_PLACES);
	trl_assert(!price_check(&offer->price, &place));
}

static void
read_rules(void)
{
	h.rules = (struct life_rules){ .spent = (int)number(1),
		.trial_cancels = number(2) != 0,
		.first_payment_s = number(3),
		.due_s = number(4) };
	h.least = number(5);
	for (size_t i = 6; i < n_words; i++)
		h.rules.retry_days[h.rules.n_retries++] = (unsigned)number(i);
}

static void
read_zone(void)
{
	trl_zone_close(&h.zone);
	if (strcmp(word(1), "UTC") != 0)
		trl_assert(!trl_zone_open(word(1), &h.zone));
	h.life.zone = h.zone;
}

static void
read_coupon(void)
{
	h.coupon = strcmp(word(1), "percent") == 0 ? PERCENT : AMOUNT;
	if (h.coupon == PERCENT)
		h.percent = decimal(word(2), RATE_PLACES);
	else
		h.off = number(2);
	h.left = number(3); /* 0: for ever */
}

/* The n-th of what is open, counted round. */
static struct bill_of *
open_one(size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < h.n_bills; i++)
		count += h.bills[i].state == OPEN && h.bills[i].due > 0;
	for (size_t i = 0; count > 0 && i < h.n_bills; i++)
		if (h.bills[i].state == OPEN && h.bills[i].due > 0 && n-- % count == 0)
			return &h.bills[i];
	return NULL;
}

static void
waive(int64_t now, struct bill_of *at)
{
	struct life_outcome next;

	printf("waived %" PRIu64 "\n", at->id);
	if (h.life.pending.invoice != at->id) /* else it is void by what follows */
		at->state = WAIVED;
	life_waived(&h.life, now, at->id, &next);
	do_acts(now, &next);
}

/* What is asked of it: NULL, or why not. */
static const char *
ask(const char *what, int64_t now, struct life_outcome *out)
{
	struct life *life = &h.life;

	if (strcmp(what, "change") == 0)
		return life_change(life, &h.rules, now,
		    &(struct life_request){
			.offer = number(2) < 0 ? NULL : &h.offers[number(2)],
			.seats = (unsigned)number(3),
			.when = (int)number(4) },
		    out);
	if (strcmp(what, "cancel") == 0)
		return life_cancel(life, now, number(2) != 0, out);
	if (strcmp(what, "resume") == 0)
		return life_resume(life, &h.rules, now, out);
	if (strcmp(what, "drop") == 0)
		return life_drop_change(life, now, out);
	trl_assert(strcmp(what, "trial") == 0);
	return life_trial(life, now, &h.offers[number(2)], (unsigned)number(3), out);
}

static void
happen(const char *what, int64_t now)
{
	static struct life before;
	struct life_outcome out = { 0 };
	struct bill_of *at;

	until(now);
	at = n_words > 2 ? open_one((size_t)number(2)) : NULL;
	before = h.life;
	if (strcmp(what, "until") == 0) {
		/* nothing else */
	} else if (strcmp(what, "card") == 0) {
		h.life.can_pay = true;
		life_can_pay(&h.life, now, &out);
		do_acts(now, &out);
	} else if (strcmp(what, "pay") == 0) {
		if (at)
			take_money(now, at);
	} else if (strcmp(what, "fail") == 0) {
		if (at)
			fail(now, at, number(3) != 0);
	} else if (strcmp(what, "waive") == 0) {
		if (at)
			waive(now, at);
	} else if (ask(what, now, &out)) {
		h.life = before;
		printf("refused\n");
	} else {
		do_acts(now, &out);
	}
	print_state();
}

static void
forget(void)
{
	for (size_t i = 0; i < h.n_bills; i++)
		free(h.bills[i].bill.lines);
	trl_zone_close(&h.zone);
}

static void
begin(void)
{
	forget();
	memset(&h, 0, sizeof h);
	printf("history %s\n", word(1));
}

/* The start of a period, of nobody. */
static void
print_boundary(void)
{
	int64_t start;

	read_zone();
	trl_assert(trl_period_start(h.zone, number(2), (enum trl_interval)number(3),
	    (unsigned)number(4), number(5), &start));
	printf("%" PRId64 "\n", start);
}

static void
do_line(void)
{
	const char *what = word(0);

	if (strcmp(what, "history") == 0)
		begin();
	else if (strcmp(what, "rules") == 0)
		read_rules();
	else if (strcmp(what, "offer") == 0)
		read_offer();
	else if (strcmp(what, "coupon") == 0)
		read_coupon();
	else if (strcmp(what, "zone") == 0)
		read_zone();
	else if (strcmp(what, "boundary") == 0)
		print_boundary();
	else if (strcmp(what, "payer") == 0)
		h.payer = word(1)[0];
	else if (strcmp(what, "way") == 0)
		h.life.can_pay = number(1) != 0;
	else
		happen(what, number(1));
}

int
main(void)
{
	static char line[1 << 14];

	while (fgets(line, sizeof line, stdin)) {
		char *rest = NULL;

		n_words = 0;
		for (char *one = strtok_r(line, " \n", &rest); one;
		     one = strtok_r(NULL, " \n", &rest)) {
			trl_assert(n_words < WORDS_MAX);
			words[n_words++] = one;
		}
		if (n_words > 0)
			do_line();
	}
	forget();
	return 0;
}
