/* What becomes of an invoice that is not paid: tried again on its days, not after a
 * bank said no for good, and at once with a new card; and what becomes of the
 * subscription in the end. And that a card is about to expire is told once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

enum { DAY = 86400 };

static void
ends_in(const char *end)
{
	ground_catalogue(trl_arena_printf(world.arena,
	    "{\"plans\":[{\"key\":\"free\",\"name\":\"Free\",\"rank\":0},"
	    "{\"key\":\"big\",\"name\":\"Big\",\"rank\":20,\"prices\":[{"
	    "\"key\":\"big-month\",\"currency\":\"EUR\",\"interval\":\"month\","
	    "\"model\":\"fixed\",\"unit_amount\":\"5000\"}]}],"
	    "\"seller\":{\"party\":{\"name\":\"Acme\",\"country\":\"AT\"}},"
	    "\"dunning\":{\"days\":[1,3,5,7],\"end\":\"%s\"},"
	    "\"fallback_plan\":\"free\"}",
	    end));
}

/* Paid once, and then with a card that is refused; at the renewal. */
static struct world_caller
owes(const char *number)
{
	struct world_caller who = ground_owner();
	int64_t left;

	ground_pass(&who, 0);
	ground_pay_with(&who, "4242424242424242");
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	if (number)
		ground_pay_with(&who, number);
	left = strtoll(
	    ground_of(&who, "extract(epoch from due_at - clock_at)::bigint"), NULL, 10);
	ground_pass(&who, left);
	return who;
}

static const char *
tries(const struct world_caller *who)
{
	return world_sql(
	    "select string_agg(extract(day from p.created_at - i.created_at)::text, "
	    "' ' order by p.id) from billing.payment p join billing.invoice i "
	    "on i.tenant_id = p.tenant_id and i.id = p.invoice_id "
	    "where p.tenant_id = '%s' and i.place = 2",
	    world_id_text(who->tenant));
}

/* C7. */
static void
it_is_tried_on_its_days_and_ends_as_set(void **state)
{
	static const char *const ends[][2] = {
		{ "cancel", "canceled" },
		{ "unpaid", "unpaid" },
		{ "past_due", "past_due" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(ends); i++) {
		struct world_caller who;

		ends_in(ends[i][0]);
		who = owes("4000000000000341");
		assert_string_equal(ground_of(&who, "status"), "past_due");
		assert_string_equal(tries(&who), "0");
		ground_pass(&who, 7 * DAY - 1);
		assert_string_equal(tries(&who), "0 1 3 5");
		assert_string_equal(ground_of(&who, "status"), "past_due");
		ground_pass(&who, 1);
		assert_string_equal(tries(&who), "0 1 3 5 7");
		assert_string_equal(ground_of(&who, "status"), ends[i][1]);
		ground_pass(&who, 10 * DAY);
		assert_string_equal(tries(&who), "0 1 3 5 7");
	}
}

/* C7: unpaid makes drafts, and the newest paid is active. */
static void
unpaid_is_active_again_with_a_card(void **state)
{
	struct world_caller who;

	(void)state;
	ends_in("unpaid");
	who = owes("4000000000000341");
	ground_pass(&who, 40 * DAY);
	assert_string_equal(ground_of(&who, "status"), "unpaid");
	assert_string_equal(world_sql("select string_agg(status, ' ' order by place) "
				      "from billing.invoice where tenant_id = '%s'",
				world_id_text(who.tenant)),
	    "paid open draft");
	ground_pay_with(&who, "4242424242424242");
	assert_string_equal(ground_of(&who, "status"), "active");
	assert_string_equal(world_sql("select string_agg(status, ' ' order by place) "
				      "from billing.invoice where tenant_id = '%s'",
				world_id_text(who.tenant)),
	    "paid paid paid");
	assert_int_equal(ground_sum(&who, "cash"), 15000);
	assert_int_equal(ground_sum(&who, "receivable"), 0);
}

/* C8. */
static void
after_a_hard_decline_only_another_card_is_tried(void **state)
{
	struct world_caller who;

	(void)state;
	ends_in("past_due");
	who = owes("4000000000001034"); /* stolen_card */
	assert_string_equal(ground_of(&who, "status"), "past_due");
	assert_string_equal(
	    world_sql("select coalesce(next_attempt_at::text, 'never') from "
		      "billing.invoice where tenant_id = '%s' and place = 2",
		world_id_text(who.tenant)),
	    "never");
	ground_pass(&who, 2 * DAY);
	assert_string_equal(tries(&who), "0");
	ground_pay_with(&who, "4000000000000341");
	assert_string_equal(tries(&who), "0 2");
	ground_pass(&who, 2 * DAY); /* that one is tried by itself */
	assert_string_equal(tries(&who), "0 2 3");
	ground_pay_with(&who, "4242424242424242");
	assert_string_equal(ground_of(&who, "status"), "active");
}

static void
a_hard_decline_of_another_card_stops_no_try_with_the_default(void **state)
{
	struct world_caller who;

	(void)state;
	ends_in("past_due");
	who = owes("4000000000000341");
	must(&who, &billing_v1_pay_invoice,
	    trl_arena_printf(world.arena,
		"{\"invoice_id\":\"%s\",\"method_id\":\"%s\"}",
		trl_arena_strdup(world.arena,
		    world_sql("select id from billing.invoice where tenant_id = '%s' "
			      "and place = 2",
			world_id_text(who.tenant))),
		world_id_text(
		    trl_value_id(ground_set_up(&who, "4000000000001034")->id))),
	    NULL);
	ground_pass(&who, DAY);
	assert_string_equal(tries(&who), "0 0 1");
}

static void
a_hard_decline_is_not_forgotten_for_another_cards_soft_one(void **state)
{
	struct world_caller who;

	(void)state;
	ends_in("past_due");
	who = owes("4000000000001034"); /* stolen_card, the default */
	must(&who, &billing_v1_pay_invoice,
	    trl_arena_printf(world.arena,
		"{\"invoice_id\":\"%s\",\"method_id\":\"%s\"}",
		trl_arena_strdup(world.arena,
		    world_sql("select id from billing.invoice where tenant_id = '%s' "
			      "and place = 2",
			world_id_text(who.tenant))),
		world_id_text(
		    trl_value_id(ground_set_up(&who, "4000000000000341")->id))),
	    NULL);
	assert_string_equal(tries(&who), "0 0");
	ground_pass(&who, 8 * DAY);
	assert_string_equal(tries(&who), "0 0");
}

static const char *
stands(const struct world_caller *who)
{
	return world_sql(
	    "select string_agg(n || ' ' || status, ', ' order by status) from (select "
	    "status, count(*) as n from billing.invoice where tenant_id = '%s' group "
	    "by "
	    "status) s",
	    world_id_text(who->tenant));
}

/* A turn makes at most 16 payments (turn.h). */
static void
what_is_too_much_for_one_turn_is_the_next_ones(void **state)
{
	struct world_caller who;

	(void)state;
	ends_in("past_due");
	who = owes("4000000000001034"); /* stolen_card: no try by itself */
	ground_pass(&who, 18 * 31 * DAY);
	assert_string_equal(stands(&who), "19 open, 1 paid");
	ground_pay_with(&who, "4242424242424242");
	assert_string_equal(stands(&who), "3 open, 17 paid");
	ground_pass(&who, 0);
	assert_string_equal(stands(&who), "20 paid");
	assert_string_equal(ground_of(&who, "status"), "active");
	assert_int_equal(ground_sum(&who, "cash"), 20 * 5000);
}

static void
each_try_and_its_end_are_told(void **state)
{
	struct world_caller who;

	(void)state;
	ends_in("cancel");
	who = owes("4000000000000341");
	ground_pass(&who, 8 * DAY);
	assert_string_equal(
	    world_sql("select count(*) filter (where type = "
		      "'billing.invoice.payment_failed') || ' ' || count(*) filter "
		      "(where type = 'billing.payment.failed') || ' ' || count(*) "
		      "filter (where type = 'billing.subscription.ended') "
		      "from billing.outbox where tenant_id = '%s'",
		world_id_text(who.tenant)),
	    "5 5 1");
}

/* One step and many give the same. */
static void
a_clock_in_steps_is_a_clock_at_once(void **state)
{
	struct world_caller once, steps;

	(void)state;
	ends_in("unpaid");
	once = owes("4000000000000341");
	steps = owes("4000000000000341");
	ground_pass(&once, 9 * DAY);
	for (int i = 0; i < 9 * 24; i++)
		ground_pass(&steps, 3600);
	assert_string_equal(ground_of(&once, "status"), ground_of(&steps, "status"));
	assert_string_equal(trl_arena_strdup(world.arena, tries(&once)), tries(&steps));
}

static const char *
expiring(const struct world_caller *who)
{
	return world_sql("select count(*) from billing.outbox where tenant_id = '%s' "
			 "and type = 'billing.payment_method.expiring'",
	    world_id_text(who->tenant));
}

static void
a_card_of_a_subscription_that_expires_is_told_at_the_months_start(void **state)
{
	struct world_caller who = ground_owner();
	int64_t left;

	(void)state;
	ends_in("past_due");
	ground_pass(&who, 0);
	must(&who, &billing_v1_create_payment_method,
	    trl_arena_printf(world.arena,
		"{\"card_number\":\"4242424242424242\",\"expiry_month\":%s}",
		trl_arena_strdup(world.arena,
		    ground_of(&who,
			"extract(month from clock_at at time zone 'UTC' + interval "
			"'1 month') || ',\"expiry_year\":' || extract(year from "
			"clock_at at time zone 'UTC' + interval '1 month')"))),
	    NULL);
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	left = strtoll(
	    ground_of(&who,
		"extract(epoch from date_trunc('month', clock_at at time zone 'UTC' + "
		"interval '1 month') - clock_at at time zone 'UTC')::bigint"),
	    NULL, 10);
	ground_pass(&who, left - 1);
	assert_string_equal(expiring(&who), "0");
	ground_pass(&who, 1);
	assert_string_equal(expiring(&who), "1");
	ground_pass(&who, 60 * DAY);
	assert_string_equal(expiring(&who), "1");
}

#define TEST(name) cmocka_unit_test_teardown(name, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_tried_on_its_days_and_ends_as_set),
		TEST(unpaid_is_active_again_with_a_card),
		TEST(after_a_hard_decline_only_another_card_is_tried),
		TEST(a_hard_decline_of_another_card_stops_no_try_with_the_default),
		TEST(a_hard_decline_is_not_forgotten_for_another_cards_soft_one),
		TEST(what_is_too_much_for_one_turn_is_the_next_ones),
		TEST(each_try_and_its_end_are_told),
		TEST(a_clock_in_steps_is_a_clock_at_once),
		TEST(a_card_of_a_subscription_that_expires_is_told_at_the_months_start),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
