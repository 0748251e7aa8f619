/* Trials: what they become, and in which order one may change one's mind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/compiler.h>

#include "life/test_life_ground.h"

enum { APRIL = 1775001600, MAY = APRIL + 30 * DAY }; /* 2026-04-01, 30 days */

static void
trial(int64_t now, const struct offer *offer, unsigned days)
{
	assert_null(life_trial(&w.life, now, offer, days, &w.out));
	do_acts(now);
}

static void
a_trial_pauses_without_a_way_to_pay(void **state)
{
	(void)state;
	begin_world();
	w.life.can_pay = false;
	trial(0, &team, 14);
	assert_non_null(life_trial(&w.life, 5, &team, 14, &w.out));
	until(20 * DAY);
	noted("started ending paused ");
	assert_int_equal(w.life.status, LIFE_PAUSED);
	assert_true(life_next(&w.life) == INT64_MAX);
	assert_non_null(life_resume(&w.life, &w.rules, 20 * DAY, &w.out));
	w.life.can_pay = true;
	resume(20 * DAY);
	noted("i1:+2000 paid started ");
	assert_int_equal(w.life.anchor, 20 * DAY);
	begin_world();
	trial(0, &team, 14);
	wish(DAY, &big, 0);
	until(14 * DAY);
	noted("started changed ending started i1:+9000 paid ");
}

static void
a_trial_ends_as_it_is_set(void **state)
{
	(void)state;
	begin_world();
	w.life.can_pay = false;
	w.rules.trial_cancels = true;
	trial(APRIL, &team, 14);
	until(MAY);
	noted("started ending ended ");
	assert_int_equal(w.life.status, LIFE_CANCELED);
	assert_int_equal(w.life.ended_at, APRIL + 14 * DAY);
	/* Whoever had one has no other. */
	assert_non_null(life_trial(&w.life, MAY, &team, 14, &w.out));
	/* A short one is told of when it begins, and not before. */
	begin_world();
	trial(APRIL, &team, 2);
	assert_int_equal(life_next(&w.life), APRIL);
	until(APRIL);
	noted("started ending ");
	/* Its payment fails: past_due. */
	w.payer = FAILS;
	until(APRIL + 2 * DAY);
	noted("started i1:+2000 failed changed ");
	assert_int_equal(w.life.status, LIFE_PAST_DUE);
}

static void
a_trial_is_changed_canceled_and_resumed_in_every_order(void **state)
{
	(void)state;
	for (unsigned order = 0; order < 6; order++) {
		unsigned change = order / 2, cancel = (change + 1 + order % 2) % 3;

		begin_world();
		trial(APRIL, &team, 14);
		for (unsigned i = 0; i < 3; i++) {
			int64_t now = APRIL + (i + 1) * DAY;

			if (i == change)
				wish(now, &big, 0);
			else if (i == cancel)
				stop_later(now);
			else if (life_resume(&w.life, &w.rules, now, &w.out))
				assert_true(i < cancel); /* nothing to resume */
		}
		w.notes[0] = '\0';
		until(APRIL + 14 * DAY);
		if (cancel == 2 || (cancel == 1 && change == 2)) {
			noted("ending ended ");
			assert_int_equal(w.life.status, LIFE_CANCELED);
		} else {
			noted("ending started i1:+9000 paid ");
			assert_ptr_equal(w.life.offer, &big);
		}
	}
}

static void
a_trial_may_change_at_its_end(void **state)
{
	(void)state;
	begin_world();
	trial(APRIL, &big, 14);
	wish_when(APRIL + DAY, &basic, 2, WHEN_PERIOD_END);
	assert_ptr_equal(w.life.offer, &big);
	assert_int_equal(w.life.pending.at, APRIL + 14 * DAY);
	until(APRIL + 14 * DAY);
	noted("started changed ending changed started i1:+1000 paid ");
	assert_ptr_equal(w.life.offer, &basic);
	assert_int_equal(w.life.seats, 2);
	begin_world();
	w.life.can_pay = false;
	trial(APRIL, &big, 14);
	wish_when(APRIL + DAY, &basic, 2, WHEN_PERIOD_END);
	until(APRIL + 14 * DAY);
	assert_int_equal(w.life.status, LIFE_PAUSED);
	assert_ptr_equal(w.life.offer, &basic);
}

static void
what_is_paused_is_resumed_once_it_is_paid(void **state)
{
	(void)state;
	begin_world();
	w.life.can_pay = false;
	trial(APRIL, &team, 14);
	until(MAY);
	new_card(MAY);
	w.payer = FAILS;
	resume(MAY + DAY);
	resume(MAY + DAY + 1); /* the same one again */
	noted("started ending paused i1:+2000 failed failed ");
	assert_int_equal(w.life.status, LIFE_PAUSED);
	until(MAY + 2 * DAY - HOUR);
	noted("void changed ");
	assert_int_equal(w.life.status, LIFE_PAUSED);
	resume(MAY + 3 * DAY);
	wish(MAY + 3 * DAY + 1, &big, 0); /* what is being resumed is another now */
	noted("i2:+2000 failed void changed ");
	w.payer = PAYS;
	resume(MAY + 3 * DAY + 2);
	noted("i3:+9000 paid started ");
	assert_int_equal(w.life.anchor, MAY + 3 * DAY + 2);
	assert_int_equal(w.life.trial_end, APRIL + 14 * DAY);
	assert_non_null(life_resume(&w.life, &w.rules, MAY + 4 * DAY, &w.out));
	begin_world();
	w.life.can_pay = false;
	trial(APRIL, &team, 14);
	until(MAY);
	stop_later(MAY); /* there is no period whose end could be waited for */
	assert_int_equal(w.life.status, LIFE_CANCELED);
}

static void
fourteen_days_of_vienna_end_at_its_local_time(void **state)
{
	trl_zone *zone = NULL;

	(void)state;
	begin_world();
	assert_null(trl_zone_open("Europe/Vienna", &zone));
	w.life.zone = zone;
	trial(1773997200, &team, 14);                   /* 2026-03-20T10:00+01:00 */
	assert_int_equal(w.life.trial_end, 1775203200); /* 2026-04-03T10:00+02:00 */
	trl_zone_close(&zone);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trial_pauses_without_a_way_to_pay),
		cmocka_unit_test(a_trial_ends_as_it_is_set),
		cmocka_unit_test(
		    a_trial_is_changed_canceled_and_resumed_in_every_order),
		cmocka_unit_test(a_trial_may_change_at_its_end),
		cmocka_unit_test(what_is_paused_is_resumed_once_it_is_paid),
		cmocka_unit_test(fourteen_days_of_vienna_end_at_its_local_time),
	};

	return cmocka_run_group_tests(tests, offers, NULL);
}
