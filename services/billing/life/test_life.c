/* The life of a subscription: what others billed wrong, and that small steps and large
 * ones end alike.
 * Over 400 lines: each case is told whole, by its number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <trl/compiler.h>

#include "life/life.h"

enum { DAY = 86400, HOUR = 3600, NOTES = 4096 };

/* The catalogue of these tests: minor units are whole. */
#define EACH(n) ((trl_int128)(n)*1000000000000)
#define OFFER(name, of_rank, every, of_model, amount)                                  \
	{                                                                              \
		.key = name, .plan = name, .currency = "EUR", .rank = of_rank,         \
		.interval = every, .count = 1,                                         \
		.price = { .model = of_model, .unit = EACH(amount) },                  \
	}
static struct offer basic, team, team_year, big, seats, seats_year, free_plan;

static const struct life_rules rules = { .n_retries = 4,
	.retry_days = { 1, 3, 5, 7 },
	.spent = SPENT_CANCELS,
	.first_payment_s = 23 * HOUR };

static int
offers(void **state)
{
	(void)state;
	basic = (struct offer)OFFER("basic", 1, TRL_MONTH, PRICE_FIXED, 1000);
	team = (struct offer)OFFER("team", 2, TRL_MONTH, PRICE_FIXED, 2000);
	team_year = (struct offer)OFFER("team", 2, TRL_YEAR, PRICE_FIXED, 30000);
	big = (struct offer)OFFER("big", 3, TRL_MONTH, PRICE_FIXED, 9000);
	seats = (struct offer)OFFER("seats", 2, TRL_MONTH, PRICE_PER_UNIT, 1000);
	seats_year = (struct offer)OFFER("seats", 2, TRL_YEAR, PRICE_PER_UNIT, 10000);
	free_plan = (struct offer)OFFER("free", 0, TRL_MONTH, PRICE_FIXED, 0);
	return 0;
}

/* An account, and what was noted of it: "i2:-500+1000 " is an invoice and its lines. */
static struct world {
	struct life life;
	struct life_outcome out;
	enum { PAYS, FAILS, FAILS_HARD, WAITS } payer;
	char notes[NOTES];
	int64_t billed, credited;
} w;

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
	}
	note(" ");
}

static void
do_acts(int64_t now)
{
	static const char *const words[] = { [ACT_STARTED] = "started ",
		[ACT_CHANGED] = "changed ",
		[ACT_TRIAL_ENDING] = "ending ",
		[ACT_PAUSED] = "paused ",
		[ACT_ENDED] = "ended " };
	const struct life_outcome out = w.out;
	char text[64];

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
			snprintf(text, sizeof text, "c%llu:%lld ",
			    (unsigned long long)act->invoice, (long long)-act->amount);
			note(text);
			w.credited += act->amount;
			break;
		case ACT_VOID:
			note("void ");
			break;
		case ACT_COLLECT:
			if (w.payer == WAITS)
				break;
			if (w.payer == PAYS)
				life_paid(&w.life, now, act->invoice, &w.out);
			else
				life_failed(&w.life, &rules, now, act->invoice,
				    w.payer == FAILS_HARD, &w.out);
			note(w.payer == PAYS ? "paid " : "failed ");
			do_acts(now);
			break;
		default:
			note(words[act->what]);
			break;
		}
	}
}

static void
until(int64_t now)
{
	const char *why;
	int64_t at;

	while ((at = life_next(&w.life)) <= now) {
		assert_true(life_step(&w.life, &rules, now, &w.out, &why));
		if (why)
			fail_msg("%s", why);
		do_acts(at);
	}
}

static void
ask(int64_t now, const struct offer *offer, unsigned n)
{
	const char *why = life_change(&w.life, &rules, now,
	    &(struct life_request){ .offer = offer, .seats = n }, &w.out);

	if (why)
		fail_msg("%s", why);
	do_acts(now);
}

static void
stop(int64_t now)
{
	assert_null(life_cancel(&w.life, now, true, &w.out));
	do_acts(now);
}

static void
begin(int64_t now, const struct offer *offer, unsigned n)
{
	memset(&w, 0, sizeof w);
	w.life.can_pay = true;
	ask(now, offer, n);
}

static void
noted(const char *expected)
{
	if (strcmp(w.notes, expected) != 0)
		fail_msg("noted \"%s\", expected \"%s\"", w.notes, expected);
	w.notes[0] = '\0';
}

static void
an_upgrade_credits_the_rest_and_charges_the_rest(void **state)
{
	const int64_t start = 1489449600 - 28 * DAY; /* February of 28 days */

	(void)state;
	begin(start, &basic, 1);
	noted("i1:+1000 paid started ");
	ask(start + 14 * DAY, &team, 0);
	noted("i2:-500+1000 paid changed ");
	until(start + 28 * DAY);
	noted("i3:+2000 paid ");
	begin(start, &basic, 1);
	w.notes[0] = '\0';
	ask(1488568488, &big, 0);
	noted("i2:-364+3278 paid changed "); /* 9000 - R(5722.x) */
}

static void
to_a_year_is_a_new_anchor(void **state)
{
	const int64_t january = 1767225600; /* 2026-01-01 */
	struct offer month = team;

	(void)state;
	month.price.unit = EACH(3100);
	begin(january, &month, 1);
	ask(january + 10 * DAY, &team_year, 0);
	noted("i1:+3100 paid started i2:-2100+30000 paid changed ");
	assert_int_equal(w.life.anchor, january + 10 * DAY);
	assert_int_equal(w.life.period_end, january + 375 * DAY);
}

static void
seats_wait_for_the_next_invoice(void **state)
{
	const int64_t april = 1775001600; /* 2026-04-01, 30 days */

	(void)state;
	begin(april, &seats, 5);
	ask(april + 15 * DAY, NULL, 7);
	ask(april + 22 * DAY + 12 * HOUR, NULL, 4);
	noted("i1:+5000 paid started changed changed ");
	until(april + 30 * DAY);
	/* 250 of April, of whose seats seven were used for a while; and May with four.
	 */
	noted("i2:-2500+1750+1000+4000 paid ");
	assert_int_equal(w.billed, 5000 + 250 + 4000);
	begin(april, &seats_year, 2);
	ask(april + 365 * DAY / 2, NULL, 3);
	noted("i1:+20000 paid started i2:-10000+15000 paid changed ");
}

static void
parts_of_a_price_add_up(void **state)
{
	const int64_t april = 1775001600;
	struct offer same[2] = { basic, basic };

	(void)state;
	begin(april, &basic, 1);
	ask(april + 10 * DAY, &same[0], 0);
	ask(april + 20 * DAY, &same[1], 0);
	noted("i1:+1000 paid started i2:-667+667 paid changed i3:-333+333 paid "
	      "changed ");
	assert_int_equal(w.billed, 1000);
}

static void
what_was_not_paid_is_not_credited(void **state)
{
	const int64_t april = 1775001600;

	(void)state;
	begin(april, &basic, 1);
	w.payer = WAITS;
	until(april + 30 * DAY);
	noted("i1:+1000 paid started i2:+1000 ");
	stop(april + 30 * DAY + 31 * DAY / 2);
	noted("c2:-500 ended ");
	/* The price has changed since; what was debited counts. */
	begin(april, &basic, 1);
	basic.price.unit = EACH(2000);
	stop(april + 15 * DAY);
	noted("i1:+1000 paid started c1:-500 ended ");
	offers(NULL);
}

static void
new_york_counts_its_seconds(void **state)
{
	const int64_t march = 1772341200; /* 2026-03-01T00:00 in New York */

	(void)state;
	memset(&w, 0, sizeof w);
	assert_null(trl_zone_open("America/New_York", (trl_zone **)&w.life.zone));
	ask(march, &basic, 1);
	w.payer = PAYS;
	life_paid(&w.life, march, 1, &w.out);
	w.notes[0] = '\0';
	assert_int_equal(w.life.period_end - march, 2674800);
	stop(march + 1292400);
	noted("c1:-517 ended ");
	trl_zone_close((trl_zone **)&w.life.zone);
}

static void
a_downgrade_waits_and_an_upgrade_clears_it(void **state)
{
	const int64_t april = 1775001600;

	(void)state;
	begin(april, &team, 1);
	ask(april + DAY, &basic, 0);
	assert_ptr_equal(w.life.pending.offer, &basic);
	assert_int_equal(w.life.pending.at, w.life.period_end);
	ask(april + 15 * DAY, &big, 0);
	assert_null(w.life.pending.offer);
	noted("i1:+2000 paid started changed i2:-1000+4500 paid changed ");
	until(april + 30 * DAY);
	noted("i3:+9000 paid ");
	ask(april + 31 * DAY, &basic, 0);
	until(april + 61 * DAY);
	noted("changed changed i4:+1000 paid ");
	assert_ptr_equal(w.life.offer, &basic);
	ask(april + 62 * DAY, &free_plan, 0);
	assert_null(life_drop_change(&w.life, april + 63 * DAY, &w.out));
	do_acts(april + 63 * DAY);
	assert_non_null(life_drop_change(&w.life, april + 63 * DAY, &w.out));
	noted("changed changed ");
	assert_null(w.life.pending.offer);
}

static void
an_upgrade_that_is_not_paid_is_dropped(void **state)
{
	const int64_t april = 1775001600;

	(void)state;
	begin(april, &basic, 1);
	w.payer = FAILS;
	ask(april + 10 * DAY, &team, 0);
	noted("i1:+1000 paid started i2:-667+1333 failed ");
	assert_ptr_equal(w.life.offer, &basic);
	assert_int_equal(w.life.status, LIFE_ACTIVE);
	until(april + 10 * DAY + 23 * HOUR);
	noted("void changed ");
	w.payer = PAYS;
	until(april + 30 * DAY);
	noted("i3:+1000 paid ");
	/* Paid late, but in time: it holds since it was asked for. */
	w.payer = WAITS;
	ask(april + 40 * DAY, &team, 0);
	until(april + 40 * DAY + 22 * HOUR);
	life_paid(&w.life, april + 40 * DAY + 22 * HOUR, 4, &w.out);
	assert_ptr_equal(w.life.offer, &team);
	w.notes[0] = '\0';
	w.payer = PAYS;
	stop(april + 45 * DAY + 12 * HOUR);
	noted("c4:-1000 ended ");
}

static void
a_first_invoice_that_is_not_paid_ends_it(void **state)
{
	(void)state;
	memset(&w, 0, sizeof w);
	w.payer = WAITS;
	ask(0, &basic, 1);
	assert_int_equal(w.life.status, LIFE_INCOMPLETE);
	assert_non_null(life_change(
	    &w.life, &rules, 5, &(struct life_request){ .offer = &team }, &w.out));
	until(23 * HOUR);
	noted("i1:+1000 void ended ");
	assert_int_equal(w.life.status, LIFE_INCOMPLETE_EXPIRED);
	assert_true(life_next(&w.life) == INT64_MAX);
	w.payer = PAYS;
	ask(24 * HOUR, &team, 1);
	noted("i2:+2000 paid started ");
	assert_int_equal(w.life.status, LIFE_ACTIVE);
}

static void
a_trial_pauses_without_a_way_to_pay(void **state)
{
	(void)state;
	memset(&w, 0, sizeof w);
	assert_null(life_trial(&w.life, 0, &team, 14, &w.out));
	do_acts(0);
	assert_non_null(life_trial(&w.life, 5, &team, 14, &w.out));
	until(20 * DAY);
	noted("started ending paused ");
	assert_int_equal(w.life.status, LIFE_PAUSED);
	assert_true(life_next(&w.life) == INT64_MAX);
	assert_non_null(life_resume(&w.life, &rules, 20 * DAY, &w.out));
	w.life.can_pay = true;
	assert_null(life_resume(&w.life, &rules, 20 * DAY, &w.out));
	do_acts(20 * DAY);
	noted("i1:+2000 paid started ");
	assert_int_equal(w.life.anchor, 20 * DAY);
	memset(&w, 0, sizeof w);
	w.life.can_pay = true;
	assert_null(life_trial(&w.life, 0, &team, 14, &w.out));
	ask(DAY, &big, 0);
	until(14 * DAY);
	noted("changed ending started i1:+9000 paid ");
}

static void
dunning_follows_its_days(void **state)
{
	const int64_t april = 1775001600, may = april + 30 * DAY;

	(void)state;
	begin(april, &basic, 1);
	w.payer = FAILS;
	until(may);
	assert_int_equal(w.life.status, LIFE_PAST_DUE);
	until(may + DAY);
	until(may + 4 * DAY);
	noted("i1:+1000 paid started i2:+1000 failed changed failed failed ");
	w.payer = PAYS;
	until(may + 5 * DAY);
	noted("paid changed ");
	assert_int_equal(w.life.status, LIFE_ACTIVE);
	w.payer = FAILS;
	until(may + 31 * DAY + 6 * DAY);
	noted("i3:+1000 failed changed failed failed failed ");
	until(may + 31 * DAY + 7 * DAY);
	assert_int_equal(w.life.status, LIFE_CANCELED);
}

static void
a_hard_decline_waits_for_another_way_to_pay(void **state)
{
	const int64_t april = 1775001600, may = april + 30 * DAY;

	(void)state;
	begin(april, &basic, 1);
	w.payer = FAILS_HARD;
	until(may + 6 * DAY);
	noted("i1:+1000 paid started i2:+1000 failed changed ");
	w.payer = PAYS;
	life_can_pay(&w.life, may + 6 * DAY, &w.out);
	do_acts(may + 6 * DAY);
	noted("paid changed ");
	assert_int_equal(w.life.status, LIFE_ACTIVE);
}

static uint64_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static void
history(uint64_t seed, int64_t step)
{
	static struct offer *const all[] = { &basic, &team, &team_year, &big, &seats,
		&seats_year, &free_plan };
	int64_t now = 1767225600, asked = now;
	uint64_t random = seed;

	begin(now, all[next_random(&random) % 7], 1 + next_random(&random) % 9);
	for (int i = 0; i < 12; i++) {
		asked += (int64_t)(next_random(&random) % (40 * DAY));
		while (now < asked) {
			now = now + step < asked ? now + step : asked;
			until(now);
		}
		w.payer = next_random(&random) % 3;
		struct life_request request = {
			.offer = next_random(&random) % 2
				     ? all[next_random(&random) % 7]
				     : NULL,
			.seats = next_random(&random) % 2
				     ? 1 + (unsigned)(next_random(&random) % 9)
				     : 0,
		};
		if (!life_change(&w.life, &rules, asked, &request, &w.out))
			do_acts(asked);
		if (next_random(&random) % 8 == 0 &&
		    !life_cancel(&w.life, asked, next_random(&random) % 2, &w.out))
			do_acts(asked);
	}
}

static void
small_steps_end_where_large_ones_do(void **state)
{
	static char large[NOTES];
	int64_t billed, credited;

	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		history(seed, 1000 * DAY);
		memcpy(large, w.notes, sizeof large);
		billed = w.billed;
		credited = w.credited;
		history(seed, 5 * HOUR);
		assert_string_equal(w.notes, large);
		assert_int_equal(w.billed, billed);
		assert_int_equal(w.credited, credited);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upgrade_credits_the_rest_and_charges_the_rest),
		cmocka_unit_test(to_a_year_is_a_new_anchor),
		cmocka_unit_test(seats_wait_for_the_next_invoice),
		cmocka_unit_test(parts_of_a_price_add_up),
		cmocka_unit_test(what_was_not_paid_is_not_credited),
		cmocka_unit_test(new_york_counts_its_seconds),
		cmocka_unit_test(a_downgrade_waits_and_an_upgrade_clears_it),
		cmocka_unit_test(an_upgrade_that_is_not_paid_is_dropped),
		cmocka_unit_test(a_first_invoice_that_is_not_paid_ends_it),
		cmocka_unit_test(a_trial_pauses_without_a_way_to_pay),
		cmocka_unit_test(dunning_follows_its_days),
		cmocka_unit_test(a_hard_decline_waits_for_another_way_to_pay),
		cmocka_unit_test(small_steps_end_where_large_ones_do),
	};

	return cmocka_run_group_tests(tests, offers, NULL);
}
