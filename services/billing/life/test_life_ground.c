/* test_life_ground.c - see test_life_ground.h. */
#include "life/test_life_ground.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <trl/compiler.h>

struct offer basic, team, team_year, big, seats, seats_year, seats_week, free_plan;
struct world w;

static const struct life_rules usual = { .n_retries = 4,
	.retry_days = { 1, 3, 5, 7 },
	.spent = SPENT_CANCELS,
	.first_payment_s = 23 * HOUR };

int
offers(void **state)
{
	(void)state;
	basic = (struct offer)OFFER("basic", 1, TRL_MONTH, PRICE_FIXED, 1000);
	team = (struct offer)OFFER("team", 2, TRL_MONTH, PRICE_FIXED, 2000);
	team_year = (struct offer)OFFER("team", 2, TRL_YEAR, PRICE_FIXED, 30000);
	big = (struct offer)OFFER("big", 3, TRL_MONTH, PRICE_FIXED, 9000);
	seats = (struct offer)OFFER("seats", 2, TRL_MONTH, PRICE_PER_UNIT, 1000);
	seats_year = (struct offer)OFFER("seats", 2, TRL_YEAR, PRICE_PER_UNIT, 10000);
	seats_week = (struct offer)OFFER("seats", 2, TRL_WEEK, PRICE_PER_UNIT, 300);
	free_plan = (struct offer)OFFER("free", 0, TRL_MONTH, PRICE_FIXED, 0);
	return 0;
}

static void
note(const char *text)
{
	size_t used = strlen(w.notes);

	trl_assert(used + strlen(text) < sizeof w.notes);
	memcpy(w.notes + used, text, strlen(text) + 1);
}

static void
note_invoice(const char *kind, uint64_t id)
{
	char text[64];

	snprintf(text, sizeof text, "%s%llu:", kind, (unsigned long long)id);
	note(text);
	for (size_t i = 0; i < w.life.n_parts; i++) {
		const struct life_part *part = &w.life.parts[i];

		if (part->invoice != id)
			continue;
		snprintf(text, sizeof text, "%+lld", (long long)part->amount);
		note(text);
		w.billed += part->amount;
		w.asked[id % MANY] += part->amount;
	}
	note(" ");
}

/* As turn/credit.c has it, without tax: no more than the invoice is over. */
static void
lower(int64_t now, const struct life_act *act)
{
	int64_t *left = &w.asked[act->invoice % MANY], room = *left > 0 ? *left : 0;
	int64_t take = act->amount < room ? act->amount : room;
	char text[64];

	snprintf(text, sizeof text, "c%llu:%lld ", (unsigned long long)act->invoice,
	    (long long)-take);
	if (take > 0)
		note(text);
	*left -= take;
	w.credited += take;
	w.out.n = 0;
	if (take < act->amount)
		life_credit_over(&w.life, now, &act->part, act->amount - take, &w.out);
	do_acts(now);
}

static void
collect(int64_t now, uint64_t invoice)
{
	switch (w.payer) {
	case WAITS:
		return;
	case PAYS:
		life_paid(&w.life, now, invoice, &w.out);
		note("paid ");
		break;
	case HAS_NO_WAY:
		life_has_no_way(&w.life, &w.rules, now, invoice, &w.out);
		break;
	default:
		life_failed(
		    &w.life, &w.rules, now, invoice, w.payer == FAILS_HARD, &w.out);
		note("failed ");
		break;
	}
	do_acts(now);
}

void
do_acts(int64_t now)
{
	static const char *const words[] = { [ACT_STARTED] = "started ",
		[ACT_CHANGED] = "changed ",
		[ACT_TRIAL_ENDING] = "ending ",
		[ACT_PAUSED] = "paused ",
		[ACT_ENDED] = "ended " };
	const struct life_outcome out = w.out;

	for (size_t i = 0; i < out.n; i++) {
		const struct life_act *act = &out.acts[i];

		switch (act->what) {
		case ACT_INVOICE:
			note_invoice("i", act->invoice);
			break;
		case ACT_DRAFT:
			note_invoice("d", act->invoice);
			break;
		case ACT_LOWER:
			lower(now, act);
			break;
		case ACT_VOID:
			note("void ");
			break;
		case ACT_COLLECT:
			collect(now, act->invoice);
			break;
		default:
			note(words[act->what]);
			break;
		}
	}
}

void
until(int64_t now)
{
	const char *why;
	int64_t at;

	while ((at = life_next(&w.life)) <= now) {
		assert_true(life_step(&w.life, &w.rules, now, &w.out, &why));
		if (why)
			fail_msg("%s", why);
		do_acts(at);
	}
}

void
wish_when(int64_t now, const struct offer *offer, unsigned n, int when)
{
	const char *why = life_change(&w.life, &w.rules, now,
	    &(struct life_request){ .offer = offer, .seats = n, .when = when }, &w.out);

	if (why)
		fail_msg("%s", why);
	do_acts(now);
}

void
wish(int64_t now, const struct offer *offer, unsigned n)
{
	wish_when(now, offer, n, WHEN_USUAL);
}

const char *
refused(int64_t now, const struct offer *offer, unsigned n, int when)
{
	static struct life before;
	const char *why;

	before = w.life;
	why = life_change(&w.life, &w.rules, now,
	    &(struct life_request){ .offer = offer, .seats = n, .when = when }, &w.out);
	w.life = before;
	assert_non_null(why);
	return why;
}

void
stop(int64_t now)
{
	assert_null(life_cancel(&w.life, now, true, &w.out));
	do_acts(now);
}

void
stop_later(int64_t now)
{
	assert_null(life_cancel(&w.life, now, false, &w.out));
	do_acts(now);
}

void
resume(int64_t now)
{
	assert_null(life_resume(&w.life, &w.rules, now, &w.out));
	do_acts(now);
}

void
new_card(int64_t now)
{
	w.life.can_pay = true;
	life_can_pay(&w.life, now, &w.out);
	do_acts(now);
}

void
begin_world(void)
{
	memset(&w, 0, sizeof w);
	w.rules = usual;
	w.life.can_pay = true;
}

void
begin(int64_t now, const struct offer *offer, unsigned n)
{
	begin_world();
	wish(now, offer, n);
}

void
noted(const char *expected)
{
	if (strcmp(w.notes, expected) != 0)
		fail_msg("noted \"%s\", expected \"%s\"", w.notes, expected);
	w.notes[0] = '\0';
}
