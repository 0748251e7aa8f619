/* Renewals, payments that fail, and endings. */
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
waive(int64_t now, uint64_t invoice)
{
	life_waived(&w.life, now, invoice, &w.out);
	do_acts(now);
}

static void
a_first_invoice_that_is_not_paid_ends_it(void **state)
{
	(void)state;
	begin_world();
	w.payer = WAITS;
	wish(0, &basic, 1);
	assert_int_equal(w.life.status, LIFE_INCOMPLETE);
	assert_non_null(life_change(
	    &w.life, &w.rules, 5, &(struct life_request){ .offer = &team }, &w.out));
	until(23 * HOUR);
	noted("i1:+1000 void ended ");
	assert_int_equal(w.life.status, LIFE_INCOMPLETE_EXPIRED);
	assert_true(life_next(&w.life) == INT64_MAX);
	w.payer = PAYS;
	wish(24 * HOUR, &team, 1);
	noted("i2:+2000 paid started ");
	assert_int_equal(w.life.status, LIFE_ACTIVE);
}

static void
dunning_follows_its_days(void **state)
{
	(void)state;
	begin(APRIL, &basic, 1);
	w.payer = FAILS;
	until(MAY);
	assert_int_equal(w.life.status, LIFE_PAST_DUE);
	until(MAY + DAY);
	until(MAY + 4 * DAY);
	noted("i1:+1000 paid started i2:+1000 failed changed failed failed ");
	w.payer = PAYS;
	until(MAY + 5 * DAY);
	noted("paid changed ");
	assert_int_equal(w.life.status, LIFE_ACTIVE);
	w.payer = FAILS;
	until(MAY + 31 * DAY + 6 * DAY);
	noted("i3:+1000 failed changed failed failed failed ");
	until(MAY + 31 * DAY + 7 * DAY);
	assert_int_equal(w.life.status, LIFE_CANCELED);
}

static void
a_hard_decline_waits_for_another_way_to_pay(void **state)
{
	(void)state;
	begin(APRIL, &basic, 1);
	w.payer = FAILS_HARD;
	until(MAY + 6 * DAY);
	noted("i1:+1000 paid started i2:+1000 failed changed ");
	w.payer = PAYS;
	life_can_pay(&w.life, MAY + 6 * DAY, &w.out);
	do_acts(MAY + 6 * DAY);
	noted("paid changed ");
	assert_int_equal(w.life.status, LIFE_ACTIVE);
}

static void
a_first_invoice_is_asked_for_again_and_not_made_again(void **state)
{
	(void)state;
	begin_world();
	w.payer = WAITS;
	wish(APRIL, &team, 3);
	wish(APRIL + 5, &team, 3);
	wish(APRIL + 6, NULL, 0);
	noted("i1:+2000 ");
	w.payer = PAYS;
	wish(APRIL + 7, &team, 3);
	wish(APRIL + 8, &team, 3); /* and once more, when it is paid */
	noted("paid started ");
	assert_int_equal(w.life.anchor, APRIL);
	assert_int_equal(w.life.seats, 3);
	begin_world();
	w.payer = FAILS;
	wish(APRIL, &team, 1);
	w.payer = PAYS;
	new_card(APRIL + HOUR);
	noted("i1:+2000 failed paid started ");
}

static void
to_cancel_what_is_incomplete_voids_its_invoice(void **state)
{
	(void)state;
	begin_world();
	w.payer = WAITS;
	wish(APRIL, &team, 1);
	stop_later(APRIL + HOUR);
	noted("i1:+2000 void ended ");
	assert_int_equal(w.life.status, LIFE_CANCELED);
	life_paid(&w.life, APRIL + 2 * HOUR, 1, &w.out); /* too late */
	do_acts(APRIL + 2 * HOUR);
	assert_int_equal(w.life.status, LIFE_CANCELED);
	assert_true(life_next(&w.life) == INT64_MAX);
	noted("");
}

static void
to_cancel_at_the_end_is_taken_back(void **state)
{
	(void)state;
	begin(APRIL, &team, 1);
	wish(APRIL + DAY, &basic, 0);
	stop_later(APRIL + 2 * DAY);
	stop_later(APRIL + 3 * DAY); /* is no news */
	assert_null(w.life.pending.offer);
	assert_int_equal(w.life.canceled_at, APRIL + 2 * DAY);
	refused(APRIL + 3 * DAY, &basic, 0, WHEN_USUAL);
	resume(APRIL + 4 * DAY);
	assert_int_equal(w.life.canceled_at, 0);
	noted("i1:+2000 paid started changed changed changed ");
	stop_later(APRIL + 5 * DAY);
	until(MAY);
	noted("changed ended ");
	assert_int_equal(w.life.status, LIFE_CANCELED);
	assert_int_equal(w.life.ended_at, MAY);
	assert_int_equal(w.life.canceled_at, APRIL + 5 * DAY);
	assert_non_null(life_resume(&w.life, &w.rules, MAY, &w.out));
	assert_non_null(life_cancel(&w.life, MAY, true, &w.out));
	wish(MAY + DAY, &basic, 1); /* again, without a trial */
	noted("i2:+1000 paid started ");
	assert_int_equal(w.life.canceled_at, 0);
}

static void
spent_tries_end_as_it_is_set(void **state)
{
	(void)state;
	begin(APRIL, &basic, 1);
	w.rules.spent = SPENT_STAYS;
	w.payer = FAILS;
	until(MAY + 20 * DAY);
	assert_int_equal(w.life.status, LIFE_PAST_DUE);
	assert_int_equal(life_next(&w.life), w.life.period_end);
	w.notes[0] = '\0';
	w.rules.spent = SPENT_UNPAID;
	until(MAY + 31 * DAY + 8 * DAY);
	noted("i3:+1000 failed failed failed failed failed changed ");
	assert_int_equal(w.life.status, LIFE_UNPAID);
	until(MAY + 31 * DAY + 65 * DAY); /* renewals stay drafts */
	noted("d4:+1000 d5:+1000 ");
	refused(MAY + 31 * DAY + 65 * DAY, &team, 0, WHEN_NOW);
	/* The oldest first; the newest makes it active. */
	w.payer = PAYS;
	new_card(MAY + 31 * DAY + 65 * DAY);
	noted("i5:+1000 paid paid paid changed ");
	assert_int_equal(w.life.status, LIFE_ACTIVE);
	assert_int_equal(w.life.n_invoices, 0);
}

static void
an_end_while_unpaid_deletes_the_draft(void **state)
{
	(void)state;
	begin(APRIL, &basic, 1);
	w.rules.spent = SPENT_UNPAID;
	w.payer = FAILS;
	until(MAY + 35 * DAY);
	noted("i1:+1000 paid started i2:+1000 failed changed failed failed failed "
	      "failed changed d3:+1000 ");
	stop(MAY + 36 * DAY);
	noted("void ended ");
}

static void
only_the_newest_invoice_says_how_it_stands(void **state)
{
	(void)state;
	begin(APRIL, &seats_week, 1);
	w.payer = FAILS;
	until(APRIL + 7 * DAY);
	w.payer = PAYS;
	w.rules.retry_days[0] = 9; /* the first try after the next renewal */
	w.rules.n_retries = 1;
	life_failed(&w.life, &w.rules, APRIL + 7 * DAY, 2, false, &w.out);
	w.notes[0] = '\0';
	until(APRIL + 14 * DAY);
	noted("i3:+300 paid changed ");
	assert_int_equal(w.life.status, LIFE_ACTIVE);
	w.payer = FAILS; /* the older one, for the last time */
	until(APRIL + 16 * DAY);
	noted("failed ");
	assert_int_equal(w.life.status, LIFE_ACTIVE);
	assert_int_equal(w.life.n_invoices, 1);
	assert_int_equal(life_next(&w.life), APRIL + 21 * DAY);
}

static void
without_a_way_to_pay_it_is_late_after_its_term(void **state)
{
	(void)state;
	begin(APRIL, &basic, 1);
	w.payer = HAS_NO_WAY;
	until(MAY);
	noted("i1:+1000 paid started i2:+1000 changed ");
	assert_int_equal(w.life.status, LIFE_PAST_DUE);
	until(MAY + 7 * DAY - 1);
	noted("");
	until(MAY + 7 * DAY);
	noted("c2:-774 ended "); /* 24 of May's 31 days */
	begin(APRIL, &basic, 1);
	w.rules.due_s = 14 * DAY;
	w.payer = HAS_NO_WAY;
	until(MAY + 14 * DAY - 1);
	assert_int_equal(w.life.status, LIFE_ACTIVE);
	until(MAY + 14 * DAY);
	assert_int_equal(w.life.status, LIFE_PAST_DUE);
	w.payer = PAYS;
	new_card(MAY + 16 * DAY);
	noted("i1:+1000 paid started i2:+1000 changed paid changed ");
	assert_int_equal(w.life.status, LIFE_ACTIVE);
}

static void
what_is_waived_is_owed_no_more(void **state)
{
	(void)state;
	begin(APRIL, &basic, 1);
	w.payer = FAILS;
	until(MAY + 4 * DAY);
	w.notes[0] = '\0';
	waive(MAY + 4 * DAY, 2);
	noted("changed ");
	assert_int_equal(w.life.status, LIFE_ACTIVE);
	assert_int_equal(life_next(&w.life), w.life.period_end);
	stop(MAY + 5 * DAY); /* nor is there anything to credit */
	noted("ended ");
	/* An upgrade's: it is dropped. */
	begin(APRIL, &basic, 1);
	w.payer = WAITS;
	wish(APRIL + DAY, &team, 0);
	waive(APRIL + 2 * DAY, 2);
	noted("i1:+1000 paid started i2:-967+1933 void changed ");
	assert_null(w.life.pending.offer);
	/* A first one: so is the subscription. */
	begin_world();
	w.payer = WAITS;
	wish(APRIL, &basic, 1);
	waive(APRIL + 1, 1);
	assert_int_equal(w.life.status, LIFE_INCOMPLETE_EXPIRED);
}

static void
too_many_open_invoices_end_it(void **state)
{
	(void)state;
	begin(APRIL, &seats_week, 1);
	w.rules.spent = SPENT_STAYS;
	w.payer = FAILS;
	wish(APRIL + DAY, NULL, 2); /* what waits for the next invoice */
	until(APRIL + 7 * 52 * DAY);
	assert_int_equal(w.life.status, LIFE_CANCELED);
	assert_int_equal(w.life.n_invoices, LIFE_INVOICES_MAX - 1);
	w.payer = PAYS;
	new_card(APRIL + 7 * 52 * DAY);
	assert_int_equal(w.life.n_invoices, 0);
}

/* The first period's end, as it was said, is where the next one starts. */
static void
another_zone_moves_the_end_and_not_the_start(void **state)
{
	const int64_t january = 1768478400; /* 2026-01-15T12:00Z */
	trl_zone *zone = NULL;
	int64_t end;

	(void)state;
	begin(january, &basic, 1);
	until(1773576000 - 1); /* 15 March, 12:00Z */
	end = w.life.period_end;
	assert_int_equal(end, 1773576000);
	assert_null(trl_zone_open("America/New_York", &zone));
	w.life.zone = zone;
	until(end);
	assert_int_equal(w.life.period_start, end);
	/* 15 April, 07:00 in New York, where it is summer by then */
	assert_int_equal(w.life.period_end, 1776250800);
	noted("i1:+1000 paid started i2:+1000 paid i3:+1000 paid ");
	/* An upgrade that was asked for before holds for the period that was paid. */
	w.payer = WAITS;
	wish(end + DAY, &team_year, 0);
	end = w.life.parts[w.life.n_parts - 1].to;
	w.life.zone = NULL;
	life_paid(&w.life, end + 2 * DAY, 4, &w.out);
	assert_int_equal(w.life.period_end, end);
	trl_zone_close(&zone);
}

static void
the_first_of_the_month_east_of_the_date_line_is_one_invoice(void **state)
{
	trl_zone *zone = NULL;

	(void)state;
	begin_world();
	assert_null(trl_zone_open("Pacific/Kiritimati", &zone));
	w.life.zone = zone;
	wish(1769853600, &basic, 1); /* 2026-01-31T10:00Z, the first there */
	until(1772272800 - 1);       /* 2026-02-28T10:00Z */
	noted("i1:+1000 paid started ");
	until(1772272800 + 14 * HOUR); /* and midnight of UTC brings none */
	noted("i2:+1000 paid ");
	trl_zone_close(&zone);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_invoice_that_is_not_paid_ends_it),
		cmocka_unit_test(dunning_follows_its_days),
		cmocka_unit_test(a_hard_decline_waits_for_another_way_to_pay),
		cmocka_unit_test(a_first_invoice_is_asked_for_again_and_not_made_again),
		cmocka_unit_test(to_cancel_what_is_incomplete_voids_its_invoice),
		cmocka_unit_test(to_cancel_at_the_end_is_taken_back),
		cmocka_unit_test(spent_tries_end_as_it_is_set),
		cmocka_unit_test(an_end_while_unpaid_deletes_the_draft),
		cmocka_unit_test(only_the_newest_invoice_says_how_it_stands),
		cmocka_unit_test(without_a_way_to_pay_it_is_late_after_its_term),
		cmocka_unit_test(what_is_waived_is_owed_no_more),
		cmocka_unit_test(too_many_open_invoices_end_it),
		cmocka_unit_test(another_zone_moves_the_end_and_not_the_start),
		cmocka_unit_test(
		    the_first_of_the_month_east_of_the_date_line_is_one_invoice),
	};

	return cmocka_run_group_tests(tests, offers, NULL);
}
