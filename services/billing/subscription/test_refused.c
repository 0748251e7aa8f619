/* What is refused of a subscription's changes, and changes that race: whichever is
 * first, what was billed and paid is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

static void
is_refused(const struct world_caller *who, const struct trl_method *method,
    const char *json, const char *field, const char *message)
{
	assert_int_equal(ask(who, method, json, NULL), TRL_INVALID);
	assert_string_equal(world.err.field, field);
	assert_string_equal(world.err.message, message);
}

static void
a_currency_that_is_unknown_or_a_fund_is_no_profiles(void **state)
{
	static const char *const codes[] = { "XYZ", "CLF", "XXX", "XAU", "XTS" };
	struct world_caller who = ground_owner();

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(codes); i++)
		is_refused(&who, &billing_v1_put_profile,
		    trl_arena_printf(world.arena,
			"{\"legal_name\":\"Ann\",\"country\":\"AT\",\"currency\":\"%"
			"s\"}",
			codes[i]),
		    "currency",
		    trl_arena_printf(world.arena,
			"%s is no currency that can be paid in (ISO 4217).", codes[i]));
	assert_string_equal(
	    world_sql("select count(*) from billing.profile where tenant_id = '%s'",
		world_id_text(who.tenant)),
	    "0");
}

static void
a_plan_without_a_price_in_ones_currency_is_refused(void **state)
{
	struct world_caller who = ground_owner(), other = ground_owner();

	(void)state;
	must(&who, &billing_v1_put_profile,
	    "{\"legal_name\":\"Ann\",\"country\":\"JP\",\"currency\":\"JPY\"}", NULL);
	is_refused(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", "plan",
	    "The plan big is not sold for this interval in JPY.");
	is_refused(&who, &billing_v1_preview_subscription, "{\"plan\":\"big\"}", "plan",
	    "The plan big is not sold for this interval in JPY.");
	assert_string_equal(ground_of(&who, "status"), "");
	/* That of its subscription, where the profile names none. */
	ground_card(&other, "4242424242424242");
	must(&other, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	ground_catalogue("{\"plans\":[{\"key\":\"free\",\"name\":\"Free\",\"rank\":0},"
			 "{\"key\":\"only\",\"name\":\"Only\",\"rank\":30,\"prices\":[{"
			 "\"key\":\"only-usd\",\"currency\":\"USD\",\"interval\":"
			 "\"month\",\"model\":\"fixed\",\"unit_amount\":\"6000\"}]}],"
			 "\"fallback_plan\":\"free\"}");
	is_refused(&other, &billing_v1_change_subscription, "{\"plan\":\"only\"}",
	    "plan", "The plan only is not sold for this interval in EUR.");
	ground_usual();
}

/* Starts them all and waits; each is done or in conflict with another. */
static void
race(struct world_run *runs, size_t n)
{
	struct world_run *waits[8];

	assert_true(n <= TRL_COUNT(waits));
	for (size_t i = 0; i < n; i++) {
		waits[i] = &runs[i];
		world_start(&runs[i]);
	}
	world_wait(waits, n);
	for (size_t i = 0; i < n; i++)
		if (runs[i].rc != TRL_OK && runs[i].rc != TRL_CONFLICT)
			fail_msg("%zu: %s: %s", i, trl_code_name(runs[i].rc),
			    runs[i].err.message);
}

static struct world_run
of(struct world_caller who, const struct trl_method *method, const char *json)
{
	return (struct world_run){
		.who = who, .method = method, .in = ground_message(method, json)
	};
}

/* What was charged is what invoices say, each once, and their numbers have no gap. */
static void
all_is_whole(const struct world_caller *who)
{
	const char *tenant = world_id_text(who->tenant);

	assert_string_equal(ground_faults(who), "");
	assert_string_equal(
	    world_sql("select count(*) from billing.invoice i where tenant_id = '%s' "
		      "and amount_paid <> (select coalesce(sum(amount), 0) from "
		      "billing.payment p where p.tenant_id = i.tenant_id and "
		      "p.invoice_id = i.id and p.status = 'succeeded')",
		tenant),
	    "0");
	assert_string_equal(
	    world_sql("select count(*) from billing.payment p where tenant_id = '%s' "
		      "and status = 'succeeded' and not exists (select from "
		      "billing.test_provider_request r where r.tenant_id = p.tenant_id "
		      "and r.key = p.id::text and r.amount = p.amount)",
		tenant),
	    "0");
	assert_string_equal(
	    world_sql("select count(number) = coalesce(max(right(number, 6)::int), 0) "
		      "from billing.invoice where tenant_id = '%s'",
		tenant),
	    "t");
}

static void
changes_that_race_are_one_after_another(void **state)
{
	struct world_caller who = ground_owner();
	const struct trl_method *change = &billing_v1_change_subscription;
	struct world_run runs[7];

	(void)state;
	ground_card(&who, "4242424242424242");
	ground_pass(&who, 0);
	must(&who, change, "{\"plan\":\"team\",\"seats\":2,\"interval\":\"month\"}",
	    NULL);
	ground_pass(&who, 10 * DAY);
	runs[0] = of(who, change, "{\"plan\":\"big\",\"interval\":\"month\"}");
	runs[1] = of(who, change, "{\"plan\":\"team\",\"interval\":\"year\"}");
	runs[2] = of(who, change, "{\"seats\":9}");
	runs[3] = of(who, &billing_v1_cancel_subscription, "{}");
	runs[4] = of(who, &billing_v1_resume_subscription, "{}");
	runs[5] = of(who, &billing_v1_drop_pending_change, "{}");
	runs[6] = of(who, change, "{\"plan\":\"big\",\"interval\":\"month\"}");
	race(runs, TRL_COUNT(runs));
	assert_string_equal(ground_of(&who, "status"), "active");
	all_is_whole(&who);
	/* The plan big was wished for last. */
	must(&who, change, "{\"plan\":\"big\",\"interval\":\"month\"}", NULL);
	ground_pass(&who, 400 * DAY);
	all_is_whole(&who);
}

/* An upgrade that is paid while the period ends that it is of; which of both is asked
 * for first. */
static void
race_renewal(size_t pays, size_t renews)
{
	struct world_caller who = ground_owner();
	Billing__V1__PaymentMethod *good;
	Billing__V1__Subscription *sub;
	struct world_run runs[2];
	const char *to;

	ground_card(&who, "4242424242424242");
	ground_pass(&who, 0);
	must(&who, &billing_v1_change_subscription,
	    "{\"plan\":\"team\",\"seats\":2,\"interval\":\"month\"}", &sub);
	ground_pass(&who, (trl_value_time_us(sub->current_period_end) -
			      trl_value_time_us(sub->current_period_start)) /
				  1000000 -
			      20 * HOUR);
	good = ground_set_up(&who, "4242424242424242");
	ground_card(&who, "4000000000000341");
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", &sub);
	assert_non_null(sub->pending_change);
	to =
	    world_sql("select to_char((clock_at + interval '21 h') at time zone 'UTC', "
		      "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from billing.subscription "
		      "where tenant_id = '%s'",
		world_id_text(who.tenant));
	runs[pays] = of(who, &billing_v1_pay_invoice,
	    trl_arena_printf(world.arena,
		"{\"invoice_id\":\"%s\",\"method_id\":\"%s\"}",
		trl_arena_strdup(
		    world.arena, world_id_text(trl_value_id(sub->latest_invoice_id))),
		world_id_text(trl_value_id(good->id))));
	runs[renews] = of(ground_operator, &billing_v1_advance_clock,
	    trl_arena_printf(world.arena, "{\"tenant_id\":\"%s\",\"to\":\"%s\"}",
		world_id_text(who.tenant), to));
	race(runs, TRL_COUNT(runs));
	assert_int_equal(runs[renews].rc, TRL_OK);
	all_is_whole(&who);
	assert_string_equal(
	    world_sql("select status || (amount_paid = total) || (amount_paid > 0) "
		      "from billing.invoice where tenant_id = '%s' and place = 2",
		world_id_text(who.tenant)),
	    runs[pays].rc == TRL_OK ? "paidtruetrue" : "voidfalsefalse");
	assert_true(atoi(world_sql("select max(place) from billing.invoice where "
				   "tenant_id = '%s'",
			world_id_text(who.tenant))) >= 3);
}

static void
a_renewal_and_a_payment_that_race_are_both_whole(void **state)
{
	(void)state;
	race_renewal(0, 1);
	race_renewal(1, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(a_currency_that_is_unknown_or_a_fund_is_no_profiles),
		TEST(a_plan_without_a_price_in_ones_currency_is_refused),
		TEST(changes_that_race_are_one_after_another),
		TEST(a_renewal_and_a_payment_that_race_are_both_whole),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
