/* What a change of plan or seats costs and credits: what others billed wrong. */
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
an_upgrade_credits_the_rest_and_charges_the_rest(void **state)
{
	const int64_t start = 1489449600 - 28 * DAY; /* February of 28 days */

	(void)state;
	begin(start, &basic, 1);
	noted("i1:+1000 paid started ");
	wish(start + 14 * DAY, &team, 0);
	noted("i2:-500+1000 paid changed ");
	until(start + 28 * DAY);
	noted("i3:+2000 paid ");
	begin(start, &basic, 1);
	w.notes[0] = '\0';
	wish(1488568488, &big, 0);
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
	wish(january + 10 * DAY, &team_year, 0);
	noted("i1:+3100 paid started i2:-2100+30000 paid changed ");
	assert_int_equal(w.life.anchor, january + 10 * DAY);
	assert_int_equal(w.life.period_end, january + 375 * DAY);
}

static void
parts_of_a_price_add_up(void **state)
{
	struct offer same[2] = { basic, basic };

	(void)state;
	begin(APRIL, &basic, 1);
	wish(APRIL + 10 * DAY, &same[0], 0);
	wish(APRIL + 20 * DAY, &same[1], 0);
	noted("i1:+1000 paid started i2:-667+667 paid changed i3:-333+333 paid "
	      "changed ");
	assert_int_equal(w.billed, 1000);
}

static void
what_was_not_paid_is_not_credited(void **state)
{

	(void)state;
	begin(APRIL, &basic, 1);
	w.payer = WAITS;
	until(APRIL + 30 * DAY);
	noted("i1:+1000 paid started i2:+1000 ");
	stop(APRIL + 30 * DAY + 31 * DAY / 2);
	noted("c2:-500 ended ");
	/* The price has changed since; what was debited counts. */
	begin(APRIL, &basic, 1);
	basic.price.unit = EACH(2000);
	stop(APRIL + 15 * DAY);
	noted("i1:+1000 paid started c1:-500 ended ");
	offers(NULL);
}

static void
new_york_counts_its_seconds(void **state)
{
	const int64_t march = 1772341200; /* 2026-03-01T00:00 in New York */

	(void)state;
	begin_world();
	assert_null(trl_zone_open("America/New_York", (trl_zone **)&w.life.zone));
	wish(march, &basic, 1);
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

	(void)state;
	begin(APRIL, &team, 1);
	wish(APRIL + DAY, &basic, 0);
	assert_ptr_equal(w.life.pending.offer, &basic);
	assert_int_equal(w.life.pending.at, w.life.period_end);
	wish(APRIL + 15 * DAY, &big, 0);
	assert_null(w.life.pending.offer);
	noted("i1:+2000 paid started changed i2:-1000+4500 paid changed ");
	until(APRIL + 30 * DAY);
	noted("i3:+9000 paid ");
	wish(APRIL + 31 * DAY, &basic, 0);
	until(APRIL + 61 * DAY);
	noted("changed changed i4:+1000 paid ");
	assert_ptr_equal(w.life.offer, &basic);
	wish(APRIL + 62 * DAY, &free_plan, 0);
	assert_null(life_drop_change(&w.life, APRIL + 63 * DAY, &w.out));
	do_acts(APRIL + 63 * DAY);
	assert_non_null(life_drop_change(&w.life, APRIL + 63 * DAY, &w.out));
	noted("changed changed ");
	assert_null(w.life.pending.offer);
}

static void
an_upgrade_that_is_not_paid_is_dropped(void **state)
{

	(void)state;
	begin(APRIL, &basic, 1);
	w.payer = FAILS;
	wish(APRIL + 10 * DAY, &team, 0);
	noted("i1:+1000 paid started i2:-667+1333 failed ");
	assert_ptr_equal(w.life.offer, &basic);
	assert_int_equal(w.life.status, LIFE_ACTIVE);
	until(APRIL + 10 * DAY + 23 * HOUR);
	noted("void changed ");
	w.payer = PAYS;
	until(APRIL + 30 * DAY);
	noted("i3:+1000 paid ");
	/* Paid late, but in time: it holds since it was asked for. */
	w.payer = WAITS;
	wish(APRIL + 40 * DAY, &team, 0);
	until(APRIL + 40 * DAY + 22 * HOUR);
	life_paid(&w.life, APRIL + 40 * DAY + 22 * HOUR, 4, &w.out);
	assert_ptr_equal(w.life.offer, &team);
	w.notes[0] = '\0';
	w.payer = PAYS;
	stop(APRIL + 45 * DAY + 12 * HOUR);
	noted("c4:-678 i5:-322 paid ended ");
}

static void
a_downgrade_at_once_leaves_credit(void **state)
{
	struct offer dear = big, cheap = basic;

	(void)state;
	dear.price.unit = EACH(9900);
	cheap.price.unit = EACH(2900);
	begin(APRIL, &dear, 1);
	wish_when(APRIL + 10 * DAY + 6 * HOUR, &cheap, 0, WHEN_NOW);
	noted("i1:+9900 paid started i2:-6517+1909 paid changed "); /* -4608 */
	assert_ptr_equal(w.life.offer, &cheap);
	begin(APRIL, &cheap, 1);
	wish(APRIL + 10 * DAY + 6 * HOUR, &dear, 0);
	noted("i1:+2900 paid started i2:-1909+6517 paid changed ");
}

static void
a_wish_that_waits_is_tried_and_not_made_again(void **state)
{
	(void)state;
	begin(APRIL, &basic, 1);
	w.payer = WAITS;
	wish(APRIL + 10 * DAY, &team, 0);
	wish(APRIL + 10 * DAY + HOUR, &team, 0);
	wish(APRIL + 10 * DAY + 2 * HOUR, &team, 1);
	noted("i1:+1000 paid started i2:-667+1333 ");
	assert_int_equal(w.life.pending.at, APRIL + 10 * DAY + 23 * HOUR);
	w.payer = PAYS;
	wish(APRIL + 10 * DAY + 3 * HOUR, &team, 0);
	noted("paid changed ");
	wish(APRIL + 10 * DAY + 4 * HOUR, &team, 0);
	noted("");
	/* Another wish takes its place. */
	w.payer = WAITS;
	wish(APRIL + 15 * DAY, &big, 0);
	wish(APRIL + 15 * DAY + HOUR, &team_year, 0);
	noted("i3:-1000+4500 void i4:-997+30000 ");
	wish(APRIL + 15 * DAY + 2 * HOUR, &team, 0); /* to stay takes it back */
	noted("void changed ");
	assert_null(w.life.pending.offer);
	/* So does the end of the period. */
	wish(APRIL + 30 * DAY - HOUR, &big, 0);
	w.payer = PAYS;
	until(APRIL + 30 * DAY);
	noted("i5:-3+12 void changed i6:+2000 paid ");
}

/* An invoice with credits in it asked for less than its charge: what is left of that is
 * credited as far as the invoice goes, and the rest by another. */
static void
an_end_after_a_change_gives_back_all_that_is_left(void **state)
{
	struct offer dear = big, cheap = basic;

	(void)state;
	begin(APRIL, &basic, 1);
	wish(APRIL + 15 * DAY, &team, 0);
	stop(APRIL + 18 * DAY);
	noted("i1:+1000 paid started i2:-500+1000 paid changed c2:-500 i3:-300 paid "
	      "ended ");
	begin(APRIL, &basic, 1);
	wish(APRIL + 15 * DAY, &team, 0);
	stop(APRIL + 24 * DAY);
	noted("i1:+1000 paid started i2:-500+1000 paid changed c2:-400 ended ");
	dear.price.unit = EACH(9900);
	cheap.price.unit = EACH(2900);
	begin(APRIL, &dear, 1);
	wish_when(APRIL + 10 * DAY + 6 * HOUR, &cheap, 0, WHEN_NOW);
	stop(APRIL + 10 * DAY + 6 * HOUR);
	noted("i1:+9900 paid started i2:-6517+1909 paid changed i3:-1909 paid ended ");
	/* A renewal's invoice has what waited for it, too. */
	begin(APRIL, &seats, 5);
	wish(APRIL + 15 * DAY, NULL, 1);
	until(APRIL + 30 * DAY);
	stop(APRIL + 30 * DAY);
	noted(
	    "i1:+5000 paid started changed i2:-2500+500+1000 paid i3:-1000 paid ended "
	    "");
}

static void
what_is_owed_is_not_changed_at_once(void **state)
{
	(void)state;
	begin(APRIL, &seats, 2);
	w.payer = WAITS;
	until(APRIL + 30 * DAY);
	assert_int_equal(w.life.status, LIFE_ACTIVE); /* its payment is on its way */
	refused(APRIL + 31 * DAY, &big, 0, WHEN_USUAL);
	refused(APRIL + 31 * DAY, NULL, 3, WHEN_USUAL);
	life_failed(&w.life, &w.rules, APRIL + 31 * DAY, 2, false, &w.out);
	assert_int_equal(w.life.status, LIFE_PAST_DUE);
	refused(APRIL + 31 * DAY, &big, 0, WHEN_USUAL);
	wish(APRIL + 31 * DAY, &basic, 0); /* at the end of the period it may */
	assert_ptr_equal(w.life.pending.offer, &basic);
	w.rules.spent = SPENT_UNPAID;
	w.payer = FAILS;
	until(APRIL + 40 * DAY);
	assert_int_equal(w.life.status, LIFE_UNPAID);
	refused(APRIL + 40 * DAY, &big, 0, WHEN_NOW);
	wish_when(APRIL + 40 * DAY, NULL, 1, WHEN_PERIOD_END);
	assert_int_equal(w.life.pending.seats, 1);
}

static void
what_costs_too_much_is_refused_when_it_is_asked_for(void **state)
{
	struct offer dear = free_plan;

	(void)state;
	dear.price.model = PRICE_PER_UNIT;
	dear.price.unit = EACH(LIFE_AMOUNT_MAX / 1000);
	begin(APRIL, &team, 1);
	refused(APRIL + DAY, &dear, 1001, WHEN_PERIOD_END);
	refused(APRIL + DAY, &dear, 4000000000u, WHEN_NOW);
	wish(APRIL + DAY, &dear, 1000);
	refused(APRIL + 2 * DAY, NULL, 1001, WHEN_USUAL);
	begin_world();
	assert_null(life_trial(&w.life, APRIL, &team, 14, &w.out));
	refused(APRIL + DAY, &dear, 1001, WHEN_USUAL);
}

/* A discount was not debited: it is taken off the part, and not credited. */
static void
what_was_not_debited_is_not_credited(void **state)
{
	(void)state;
	begin(APRIL, &basic, 1);
	w.life.parts[0].amount -= 500;
	wish(APRIL + 15 * DAY, &team, 0);
	noted("i1:+1000 paid started i2:-250+1000 paid changed ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upgrade_credits_the_rest_and_charges_the_rest),
		cmocka_unit_test(to_a_year_is_a_new_anchor),
		cmocka_unit_test(parts_of_a_price_add_up),
		cmocka_unit_test(what_was_not_paid_is_not_credited),
		cmocka_unit_test(new_york_counts_its_seconds),
		cmocka_unit_test(a_downgrade_waits_and_an_upgrade_clears_it),
		cmocka_unit_test(an_upgrade_that_is_not_paid_is_dropped),
		cmocka_unit_test(a_downgrade_at_once_leaves_credit),
		cmocka_unit_test(a_wish_that_waits_is_tried_and_not_made_again),
		cmocka_unit_test(an_end_after_a_change_gives_back_all_that_is_left),
		cmocka_unit_test(what_is_owed_is_not_changed_at_once),
		cmocka_unit_test(what_costs_too_much_is_refused_when_it_is_asked_for),
		cmocka_unit_test(what_was_not_debited_is_not_credited),
	};

	return cmocka_run_group_tests(tests, offers, NULL);
}
