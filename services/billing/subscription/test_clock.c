/* One step of the test clock and many end alike: what a provider says later, and what
 * is asked of it again, has its place in the clock's order, and not in the wall's. Each
 * test has two organisations with the same story, of which one goes to its end at once.
 * (Over 400 lines: what an owner may do at random needs all of it.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

#define GOOD "4242424242424242"

static void
clock_to(const struct world_caller *who, int64_t at)
{
	must(&ground_operator, &billing_v1_advance_clock,
	    trl_arena_printf(world.arena, "{\"tenant_id\":\"%s\",\"to\":\"%s\"}",
		world_id_text(who->tenant),
		world_sql("select to_char(to_timestamp(%lld) at time zone 'UTC', "
			  "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
		    (long long)at)),
	    NULL);
}

/* All that can be told apart, with its times. */
static const char *
story_of(const struct world_caller *who)
{
	const char *id = world_id_text(who->tenant);
	const char *invoices = world_sql(
	    "select string_agg(concat_ws(' ', 'invoice', status, attempts, "
	    "amount_paid, amount_due, decline_code, issued_at, paid_at, voided_at, "
	    "next_attempt_at), e'\\n' order by place) from billing.invoice "
	    "where tenant_id = '%s'",
	    id);
	const char *payments = world_sql(
	    "select string_agg(concat_ws(' ', kind, status, amount, refunded, "
	    "decline_code, created_at, settled_at), e'\\n' order by id) "
	    "from billing.payment where tenant_id = '%s'",
	    id);
	const char *books =
	    world_sql("select string_agg(concat_ws(' ', at, cause, accounts, amounts), "
		      "e'\\n' order by id) from billing.ledger_transaction "
		      "where tenant_id = '%s'",
		id);
	const char *account = ground_of(who, "concat_ws(' ', status, plan, seats, "
					     "period_end, balance, clock_at)");

	return trl_arena_printf(world.arena, "%s\n%s\n%s\n%s\n%s", invoices, payments,
	    books, account, ground_told(who));
}

struct plot {
	const char *card, *plan;
	/* After it has subscribed; may be NULL. */
	void (*then)(const struct world_caller *who);
	int64_t lasts_s, step_s;
};

static struct world_caller
begin(const struct plot *plot, int64_t at)
{
	struct world_caller who = ground_owner();

	clock_to(&who, at);
	ground_pay_with(&who, plot->card);
	must(&who, &billing_v1_change_subscription,
	    trl_arena_printf(
		world.arena, "{\"plan\":\"%s\",\"interval\":\"month\"}", plot->plan),
	    NULL);
	if (plot->then)
		plot->then(&who);
	return who;
}

/* Returns how it ends, both ways. */
static const char *
ends_alike(const struct plot *plot)
{
	int64_t at = (ground_now() / DAY + 2) * DAY, end = at + plot->lasts_s;
	struct world_caller leaps = begin(plot, at), walks;
	const char *story;

	clock_to(&leaps, end);
	story = story_of(&leaps);
	walks = begin(plot, at);
	while (at < end) {
		at = at + plot->step_s < end ? at + plot->step_s : end;
		clock_to(&walks, at);
	}
	assert_string_equal(story, story_of(&walks));
	ground_settle(); /* whatever jobs there are come too late to change it */
	assert_string_equal(story, story_of(&walks));
	assert_string_equal(story, story_of(&leaps));
	return story;
}

static size_t
count_of(const char *story, const char *what)
{
	size_t n = 0;

	for (; (story = strstr(story, what)); story += strlen(what))
		n++;
	return n;
}

static void
a_payment_that_succeeds_later_is_in_time(void **state)
{
	const char *story = ends_alike(
	    &(struct plot){ "4000000000001000", "big", NULL, 70 * DAY, 19 * HOUR });

	(void)state;
	assert_int_equal(count_of(story, "invoice paid"), 3);
}

static void
a_payment_that_fails_later_is_tried_on_its_days(void **state)
{
	static const struct plot first = { "4000000000001018", "big", NULL, 40 * DAY,
		11 * HOUR };
	const char *story = ends_alike(&first);

	(void)state;
	assert_int_equal(count_of(story, "invoice void"), 1);
}

static void
is_paid_and_then_with_one_that_fails_later(const struct world_caller *who)
{
	ground_pay_with(who, "4000000000001018");
}

static void
a_renewal_that_fails_later_has_its_dunning(void **state)
{
	static const struct plot renewal = { GOOD, "team",
		is_paid_and_then_with_one_that_fails_later, 45 * DAY, 11 * HOUR };
	const char *story = ends_alike(&renewal);

	(void)state;
	assert_int_equal(count_of(story, "payment failed"), 5);
	assert_non_null(strstr(story, "\ncanceled "));
}

static void
an_answer_that_is_lost_is_asked_for_again_in_time(void **state)
{
	const char *story = ends_alike(
	    &(struct plot){ "4000000000001026", "big", NULL, 70 * DAY, 19 * HOUR });

	(void)state;
	assert_int_equal(count_of(story, "invoice paid"), 3);
}

static void
a_dispute_is_of_the_moment_of_its_payment(void **state)
{
	const char *story = ends_alike(
	    &(struct plot){ "4000000000000259", "big", NULL, 70 * DAY, 19 * HOUR });

	(void)state;
	assert_int_equal(count_of(story, "dispute pending"), 3);
}

/* 23 hours it waits for its payer; then the bank is told that nobody comes. */
static void
a_payment_nobody_confirms_ends_with_its_change(void **state)
{
	static const struct plot plot = { "4000002760003184", "big", NULL, 3 * DAY,
		5 * HOUR };
	const char *story = ends_alike(&plot);

	(void)state;
	assert_int_equal(count_of(story, "payment canceled"), 1);
}

static void
refund_all(const struct world_caller *who)
{
	must(&ground_operator, &billing_v1_refund_payment,
	    trl_arena_printf(world.arena,
		"{\"tenant_id\":\"%s\",\"payment_id\":\"%s\"}",
		world_id_text(who->tenant),
		world_sql("select id from billing.payment where tenant_id = '%s'",
		    world_id_text(who->tenant))),
	    NULL);
}

static void
a_refund_is_heard_before_the_clock_moves(void **state)
{
	static const struct plot plots[] = {
		{ "4000000000007726", "big", refund_all, 2 * DAY, 9 * HOUR },
		{ "4000000000005126", "big", refund_all, 2 * DAY, 9 * HOUR },
	};

	(void)state;
	assert_int_equal(count_of(ends_alike(&plots[0]), "refund succeeded"), 1);
	assert_int_equal(count_of(ends_alike(&plots[1]), "refund failed"), 1);
}

/* What a process left that died between its commit and the provider. */
static void
dies_before_its_charge(const struct world_caller *who)
{
	world_sql("create function billing.dies() returns trigger language plpgsql as "
		  "'begin raise exception ''it died''; end'");
	world_sql("create trigger dies before insert on billing.test_provider_request "
		  "for each row execute function billing.dies()");
	assert_true(trl_is_fault(
	    ask(who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL)));
	world_sql("drop function billing.dies() cascade");
}

static void
what_a_killed_process_left_is_done_first(void **state)
{
	static const struct plot plot = { GOOD, "team", dies_before_its_charge,
		10 * DAY, 12 * HOUR };
	const char *story = ends_alike(&plot);

	(void)state;
	assert_int_equal(count_of(story, "payment succeeded"), 2);
}

/* Whatever an owner does, and however the clock goes between. */

struct dice {
	uint64_t state;
};

static unsigned
roll(struct dice *dice, unsigned sides)
{
	dice->state = dice->state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(dice->state >> 33) % sides;
}

static const char *
new_card(struct dice *dice)
{
	static const char *const cards[] = { GOOD, GOOD, "4000000000000341",
		"4000000000001034", "4000000000001000", "4000000000001018",
		"4000000000001026", "4000002760003184", "4000000000000259",
		"4000000000005126" };

	return cards[roll(dice, TRL_COUNT(cards))];
}

/* The newest of its payments that the condition holds of, "" if none does. */
static const char *
newest_payment(const struct world_caller *who, const char *what, const char *where)
{
	return world_sql("select coalesce((select %s from billing.payment where "
			 "tenant_id = '%s' and %s order by id desc limit 1)::text, '')",
	    what, world_id_text(who->tenant), where);
}

static void
answer_the_bank(const struct world_caller *who, bool pass)
{
	const char *id = newest_payment(who, "id", "status = 'requires_action'");

	if (*id)
		(void)ask(who, &billing_v1_answer_challenge,
		    trl_arena_printf(world.arena,
			"{\"challenge_id\":\"%s\",\"pass\":%s}", id,
			pass ? "true" : "false"),
		    NULL);
}

static void
refund_some(const struct world_caller *who, unsigned amount)
{
	const char *id =
	    newest_payment(who, "id", "kind = 'payment' and status = 'succeeded'");

	if (*id)
		(void)ask(&ground_operator, &billing_v1_refund_payment,
		    trl_arena_printf(world.arena,
			"{\"tenant_id\":\"%s\",\"payment_id\":\"%s\",\"amount\":%u}",
			world_id_text(who->tenant), id, amount),
		    NULL);
}

static void
pay_newest(const struct world_caller *who)
{
	const char *id = world_sql(
	    "select coalesce((select id from billing.invoice where tenant_id = '%s' "
	    "and status = 'open' order by place desc limit 1)::text, '')",
	    world_id_text(who->tenant));

	if (*id)
		(void)ask(who, &billing_v1_pay_invoice,
		    trl_arena_printf(world.arena, "{\"invoice_id\":\"%s\"}", id), NULL);
}

static void
change_something(const struct world_caller *who, struct dice *dice)
{
	static const char *const plans[] = { "team\",\"interval\":\"month",
		"team\",\"interval\":\"year", "big\",\"interval\":\"month" };

	(void)ask(who, &billing_v1_change_subscription,
	    trl_arena_printf(world.arena, "{\"plan\":\"%s\",\"seats\":%u}",
		plans[roll(dice, TRL_COUNT(plans))], 1 + roll(dice, 9)),
	    NULL);
}

/* What is refused here is refused to both. */
static void
do_something(const struct world_caller *who, struct dice *dice)
{
	switch (roll(dice, 12)) {
	case 0:
	case 1:
	case 2:
		ground_pay_with(who, new_card(dice));
		break;
	case 3:
		(void)ask(who, &billing_v1_cancel_subscription,
		    roll(dice, 3) ? "{}" : "{\"now\":true}", NULL);
		break;
	case 4:
		(void)ask(who, &billing_v1_resume_subscription, "{}", NULL);
		break;
	case 5:
		(void)ask(who, &billing_v1_drop_pending_change, "{}", NULL);
		break;
	case 6:
		answer_the_bank(who, roll(dice, 4) > 0);
		break;
	case 7:
		refund_some(who, 1 + roll(dice, 3000));
		break;
	case 8:
		pay_newest(who);
		break;
	default:
		change_something(who, dice);
	}
}

static const char *
lives(uint64_t seed, int64_t at, int64_t step_most_s)
{
	struct dice dice = { seed }, steps = { seed + 1 };
	struct world_caller who = ground_owner();

	clock_to(&who, at);
	for (int i = 0; i < 20; i++) {
		int64_t to = at + roll(&dice, 20 * DAY);

		do_something(&who, &dice);
		while (at < to) {
			at += 1 + roll(&steps, (unsigned)step_most_s);
			at = at < to ? at : to;
			clock_to(&who, at);
		}
	}
	return story_of(&who);
}

static void
whatever_is_done_steps_end_alike(void **state)
{
	const char *first = getenv("BILLING_CLOCK_SEED");
	uint64_t seed = first ? strtoull(first, NULL, 10) : 1;
	int64_t at = (ground_now() / DAY + 2) * DAY;

	(void)state;
	for (uint64_t last = seed + 2; seed < last; seed++) {
		const char *leaps = lives(seed, at, 60 * DAY);
		const char *walks = lives(seed, at, 4 * DAY);

		if (strcmp(leaps, walks) != 0)
			fail_msg("seed %llu:\n%s\n\n%s", (unsigned long long)seed,
			    leaps, walks);
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_payment_that_succeeds_later_is_in_time),
		TEST(a_payment_that_fails_later_is_tried_on_its_days),
		TEST(a_renewal_that_fails_later_has_its_dunning),
		TEST(an_answer_that_is_lost_is_asked_for_again_in_time),
		TEST(a_dispute_is_of_the_moment_of_its_payment),
		TEST(a_payment_nobody_confirms_ends_with_its_change),
		TEST(a_refund_is_heard_before_the_clock_moves),
		TEST(what_a_killed_process_left_is_done_first),
		TEST(whatever_is_done_steps_end_alike),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
