/* Other seats: at once where they are paid for a year, else with the next invoice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/compiler.h>

#include "life/test_life_ground.h"

enum { APRIL = 1775001600 }; /* 2026-04-01, 30 days */

static void
seats_wait_for_the_next_invoice(void **state)
{

	(void)state;
	begin(APRIL, &seats, 5);
	wish(APRIL + 15 * DAY, NULL, 7);
	wish(APRIL + 22 * DAY + 12 * HOUR, NULL, 4);
	noted("i1:+5000 paid started changed changed ");
	until(APRIL + 30 * DAY);
	/* 250 of April, of whose seats seven were used for a while; and May with four.
	 */
	noted("i2:-2500+1750+1000+4000 paid ");
	assert_int_equal(w.billed, 5000 + 250 + 4000);
	begin(APRIL, &seats_year, 2);
	wish(APRIL + 365 * DAY / 2, NULL, 3);
	noted("i1:+20000 paid started i2:-10000+15000 paid changed ");
}

static void
seats_of_a_year_change_at_once(void **state)
{
	(void)state;
	begin(APRIL, &seats_year, 5);
	wish(APRIL + 73 * DAY, NULL, 7);  /* a fifth of the year */
	wish(APRIL + 146 * DAY, NULL, 4); /* two fifths */
	wish(APRIL + 219 * DAY, NULL, 6);
	noted("i1:+50000 paid started i2:-40000+56000 paid changed "
	      "i3:-42000+24000 paid changed i4:-16000+24000 paid changed ");
	assert_int_equal(w.billed, 10000 + 14000 + 8000 + 24000);
	/* As often as one likes: nothing of it is kept. */
	for (unsigned i = 0; i < 400; i++)
		wish(APRIL + 219 * DAY + (i + 1) * HOUR, NULL, 7 - i % 2);
	assert_int_equal(w.life.n_parts, 1);
	w.notes[0] = '\0';
	until(APRIL + 365 * DAY);
	noted("i405:+60000 paid ");
}

static void
seats_within_a_month_are_billed_to_the_second(void **state)
{
	(void)state;
	begin(APRIL, &seats, 5);
	wish(APRIL + 15 * DAY, NULL, 7);
	assert_int_equal(w.life.n_parts, 2); /* -2500 +3500, for the next invoice */
	assert_int_equal(w.life.parts[0].amount + w.life.parts[1].amount, 1000);
	wish(APRIL + 22 * DAY + 12 * HOUR, NULL, 4);
	assert_int_equal(w.life.parts[1].amount, 1750);
	assert_int_equal(w.life.parts[2].amount, 1000); /* -1750 +1000: -750 */
	/* Twice in one second: the first has no length, and no line. */
	wish(APRIL + 25 * DAY, NULL, 9);
	wish(APRIL + 25 * DAY, NULL, 4);
	noted("i1:+5000 paid started changed changed changed changed ");
	until(APRIL + 30 * DAY);
	noted("i2:-2500+1750+333+667+4000 paid ");
	/* An end bills what waited for the next invoice. */
	begin(APRIL, &seats, 5);
	wish(APRIL + 15 * DAY, NULL, 7);
	stop(APRIL + 22 * DAY + 12 * HOUR);
	noted("i1:+5000 paid started changed i2:-2500+1750 paid ended ");
}

static void
an_upgrade_bills_the_seats_that_waited(void **state)
{
	(void)state;
	begin(APRIL, &seats, 5);
	wish(APRIL + 15 * DAY, NULL, 7);
	w.payer = WAITS;
	wish(APRIL + 22 * DAY + 12 * HOUR, &big, 0);
	noted("i1:+5000 paid started changed i2:-2500+1750+2250 ");
	wish(APRIL + 22 * DAY + 13 * HOUR, NULL, 5); /* drops the upgrade */
	noted("void changed ");
	assert_null(w.life.pending.offer);
	w.payer = PAYS;
	wish(APRIL + 25 * DAY, &seats_year, 0);
	noted("i3:-2500+1760+410+50000 paid changed ");
	assert_int_equal(w.life.n_parts, 1);
	assert_int_equal(w.life.anchor, APRIL + 25 * DAY);
	until(APRIL + 390 * DAY);
	noted("i4:+50000 paid ");
}

static void
seats_hold_for_the_plan_that_waits(void **state)
{
	(void)state;
	begin(APRIL, &seats, 5);
	wish(APRIL + DAY, &basic, 0);
	wish(APRIL + 15 * DAY, NULL, 7);
	assert_ptr_equal(w.life.pending.offer, &basic);
	assert_int_equal(w.life.pending.seats, 7);
	wish(APRIL + 15 * DAY, NULL, 7); /* once more, as after a lost answer */
	assert_ptr_equal(w.life.pending.offer, &basic);
	wish_when(APRIL + 16 * DAY, NULL, 3, WHEN_PERIOD_END);
	assert_int_equal(w.life.seats, 7);
	assert_int_equal(w.life.pending.seats, 3);
	wish(APRIL + 17 * DAY, &seats, 0); /* the plan is named: it stays */
	assert_null(w.life.pending.offer);
	/* Fewer seats at the end of the period, and not now. */
	wish_when(APRIL + 18 * DAY, NULL, 2, WHEN_PERIOD_END);
	assert_ptr_equal(w.life.pending.offer, &seats);
	w.notes[0] = '\0';
	until(APRIL + 30 * DAY);
	noted("changed i2:-2500+3500+2000 paid ");
}

static void
three_hundred_changes_of_seats_are_refused_and_none_is_lost(void **state)
{
	int64_t now = APRIL;
	unsigned taken = 0;

	(void)state;
	begin(APRIL, &seats, 1);
	for (unsigned i = 0; i < 300; i++) {
		struct life before = w.life;
		const char *why = life_change(&w.life, &w.rules, now += 60,
		    &(struct life_request){ .seats = 2 + i % 2 }, &w.out);

		if (!why) {
			taken += w.life.seats != before.seats;
			continue;
		}
		w.life = before;
		assert_string_equal(
		    why, "Too many changes in one period; try again in the next.");
	}
	assert_int_equal(taken, LIFE_PARTS_MAX - 2);
	assert_int_equal(w.life.seats, 3);
	w.notes[0] = '\0';
	w.billed = 0;
	until(APRIL + 30 * DAY);
	assert_int_equal(w.life.n_parts, LIFE_PARTS_MAX);
	/* Of April's seats one is paid; from then on there were two and three by turns,
	 * a minute each, and three to its end. */
	assert_in_range(w.billed, 3000 + 2000 - 20, 3000 + 2000);
	until(APRIL + 61 * DAY);
	assert_int_equal(w.life.n_parts, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seats_wait_for_the_next_invoice),
		cmocka_unit_test(seats_of_a_year_change_at_once),
		cmocka_unit_test(seats_within_a_month_are_billed_to_the_second),
		cmocka_unit_test(an_upgrade_bills_the_seats_that_waited),
		cmocka_unit_test(seats_hold_for_the_plan_that_waits),
		cmocka_unit_test(
		    three_hundred_changes_of_seats_are_refused_and_none_is_lost),
	};

	return cmocka_run_group_tests(tests, offers, NULL);
}
