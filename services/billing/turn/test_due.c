/* What falls due happens by a job that comes back until nothing is left: it charges
 * what it begins, goes on where a process died, and is the only one that waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <tenants_v1.trl.h>

#include "test_ground.h"

enum { PATIENCE_MS = 20000 };

#define GOOD "4242424242424242"

/* Founded so long ago, with a card and a trial of 14 days: what fell due since does so
 * now. */
static struct world_caller
founded(int days, const char *card)
{
	struct world_caller who = ground_owner();

	ground_trial("\"days\":14,\"end\":\"pause\"");
	ground_card(&who, card);
	ground_hear(&who, &tenants_event_tenant_created, 1, false,
	    ground_now() - days * INT64_C(86400));
	return who;
}

static const char *
invoices(const struct world_caller *who)
{
	return world_sql("select string_agg(status || ' ' || attempts, ', ' order by "
			 "place) from billing.invoice where tenant_id = '%s'",
	    world_id_text(who->tenant));
}

/* How many charges the provider knows, how often it was asked, and what it took. */
static const char *
charges(const struct world_caller *who)
{
	return world_sql("select concat_ws(' ', count(*), sum(asked), sum(amount)) "
			 "from billing.test_provider_request where tenant_id = '%s' "
			 "and kind = 'charge' and status = 'succeeded'",
	    world_id_text(who->tenant));
}

/* Its jobs: of which kind, and whether under a key and for later. */
static const char *
jobs(const struct world_caller *who)
{
	return world_sql("select string_agg(concat_ws(' ', kind, key is not null, "
			 "state), ', ' order by kind, key, state) from "
			 "billing.job "
			 "where tenant_id = '%s'",
	    world_id_text(who->tenant));
}

/* Whether a run of its job has failed by what it met. */
static const char *
has_failed(const struct world_caller *who)
{
	return world_sql("select count(*) from billing.job where tenant_id = '%s' and "
			 "kind = 'due' and error like '%%it died%%'",
	    world_id_text(who->tenant));
}

static const char *
attempts(const struct world_caller *who)
{
	return world_sql("select attempt from billing.job where tenant_id = '%s' and "
			 "kind = 'due'",
	    world_id_text(who->tenant));
}

/* Whether it waits for what is next. */
static const char *
has_come_again(const struct world_caller *who)
{
	return world_sql(
	    "select j.state = 'scheduled' and abs(extract(epoch from j.run_at - "
	    "s.due_at)) < 1 from billing.job j join billing.subscription s using "
	    "(tenant_id) where s.tenant_id = '%s' and j.kind = 'due' and s.due_at > "
	    "now()",
	    world_id_text(who->tenant));
}

static void
run_now(const struct world_caller *who, const char *kind)
{
	world_sql("update billing.job set run_at = now() where tenant_id = '%s' and "
		  "kind = '%s' and state = 'scheduled'",
	    world_id_text(who->tenant), kind);
}

struct awaited {
	const char *(*look)(const struct world_caller *who);
	const struct world_caller *who;
	const char *wanted;
};

static bool
is_so(void *arg)
{
	const struct awaited *it = arg;

	return strcmp(it->look(it->who), it->wanted) == 0;
}

static void
until(const char *(*look)(const struct world_caller *who),
    const struct world_caller *who, const char *wanted)
{
	struct awaited it = { look, who, wanted };

	if (!trl_loop_run_until(world.loop, is_so, &it, PATIENCE_MS))
		assert_string_equal(look(who), wanted);
}

/* Each row of the table runs into this before it is there. */
static void
meet(const char *table, const char *when, const char *statement)
{
	world_sql("create function billing.meets() returns trigger language plpgsql "
		  "security definer as 'begin %s; return new; end'",
	    statement);
	world_sql("create trigger meets before insert on billing.%s for each row "
		  "when (%s) execute function billing.meets()",
	    table, when);
}

static void
meet_no_more(void)
{
	world_sql("drop function billing.meets() cascade");
}

static void
all_that_fell_due_happens_and_one_job_is_left(void **state)
{
	struct world_caller who = founded(50, GOOD);

	(void)state;
	until(invoices, &who, "paid 1, paid 1");
	ground_settle();
	assert_string_equal(charges(&who), "2 2 1800");
	assert_string_equal(jobs(&who), "due t scheduled");
	assert_string_equal(
	    world_sql("select abs(extract(epoch from j.run_at - s.due_at)) < 1 from "
		      "billing.job j, "
		      "billing.subscription s where j.tenant_id = s.tenant_id and "
		      "s.tenant_id = '%s'",
		world_id_text(who.tenant)),
	    "t");
}

/* The run fails where a process would have died, and the next one goes on. */
static void
it_goes_on_where_it_died(void **state)
{
	static const struct {
		const char *table, *when, *charges;
	} deaths[] = {
		{ "test_provider_request", "new.kind = 'charge'", "1 1 900" },
		{ "ledger_transaction", "new.cause = 'payment'", "1 2 900" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(deaths); i++) {
		struct world_caller who;

		meet(deaths[i].table, deaths[i].when, "raise exception ''it died''");
		who = founded(20, GOOD);
		until(has_failed, &who, "1");
		assert_string_equal(invoices(&who), "open 1");
		meet_no_more();
		until(invoices, &who, "paid 1");
		ground_settle();
		assert_string_equal(charges(&who), deaths[i].charges);
		assert_string_equal(jobs(&who), "due t scheduled");
		assert_string_equal(attempts(&who), "0"); /* for what comes next */
	}
}

static void
a_job_that_failed_too_often_is_followed_by_another(void **state)
{
	struct world_caller who;

	(void)state;
	meet("test_provider_request", "new.kind = 'charge'",
	    "raise exception ''it died''");
	who = founded(20, GOOD);
	until(has_failed, &who, "1");
	world_sql("update billing.job set attempts = 2, run_at = now() "
		  "where tenant_id = '%s'",
	    world_id_text(who.tenant));
	until(jobs, &who, "due t dead, due t scheduled");
	meet_no_more();
	run_now(&who, "due");
	until(invoices, &who, "paid 1");
	ground_settle();
	assert_string_equal(charges(&who), "1 1 900");
}

/* It died when the card was charged already; then the operator declared the invoice
 * void, for a period that is over. */
static void
money_that_was_taken_for_what_is_void_by_now_is_found(void **state)
{
	struct world_caller who;
	const char *tenant;

	(void)state;
	meet("ledger_transaction", "new.cause = 'payment'",
	    "raise exception ''it died''");
	who = founded(20, GOOD);
	tenant = trl_arena_strdup(world.arena, world_id_text(who.tenant));
	until(has_failed, &who, "1");
	world_sql("update billing.invoice set covers_until = null where tenant_id = "
		  "'%s'",
	    tenant);
	must(&ground_operator, &billing_v1_void_invoice,
	    trl_arena_printf(world.arena,
		"{\"tenant_id\":\"%s\",\"invoice_id\":\"%s\"}", tenant,
		world_sql(
		    "select id from billing.invoice where tenant_id = '%s'", tenant)),
	    NULL);
	meet_no_more();
	run_now(&who, "due");
	until(jobs, &who, "charge t scheduled, due t scheduled");
	run_now(&who, "charge");
	until(jobs, &who, "due t scheduled");
	assert_string_equal(ground_of(&who, "balance"), "900");
	assert_string_equal(ground_faults(&who), "");
}

static void
an_account_that_others_changed_meanwhile_is_read_anew(void **state)
{
	struct world_caller who;

	(void)state;
	meet("test_provider_request", "new.kind = 'charge'",
	    "update billing.subscription set version = version + 1 "
	    "where tenant_id = new.tenant_id");
	who = founded(20, GOOD);
	until(invoices, &who, "paid 1");
	ground_settle();
	meet_no_more();
	assert_string_equal(charges(&who), "1 1 900");
	assert_string_equal(jobs(&who), "due t scheduled");
}

/* The card's answer is lost on its way, once. */
static void
what_the_provider_did_not_say_is_asked_for_by_a_job(void **state)
{
	struct world_caller who = founded(20, "4000000000001026");

	(void)state;
	until(jobs, &who, "charge t scheduled, due t scheduled");
	assert_string_equal(invoices(&who), "open 1");
	world_sql("update billing.job set run_at = now() where tenant_id = '%s' and "
		  "kind = 'charge'",
	    world_id_text(who.tenant));
	until(invoices, &who, "paid 1");
	ground_settle();
	assert_string_equal(charges(&who), "1 2 900");
	assert_string_equal(jobs(&who), "due t scheduled");
}

/* It may be its payer's of a moment ago, who can confirm it. */
static void
a_payment_that_has_a_job_of_its_own_is_left_to_it(void **state)
{
	struct world_caller who = founded(20, "4000000000001026");

	(void)state;
	until(jobs, &who, "charge t scheduled, due t scheduled");
	until(has_come_again, &who, "t");
	run_now(&who, "due");
	until(has_come_again, &who, "t");
	assert_string_equal(invoices(&who), "open 1");
	assert_string_equal(jobs(&who), "charge t scheduled, due t scheduled");
	run_now(&who, "charge");
	until(invoices, &who, "paid 1");
	ground_settle();
}

/* What a refusal makes of the account is not written: it is as it was. */
static void
what_could_not_be_written_is_not_believed(void **state)
{
	struct world_caller who;

	(void)state;
	meet("outbox", "new.type = 'billing.payment.failed'",
	    "raise exception ''it goes'' using errcode = ''57P01''");
	who = founded(20, "4000000000000341");
	until(jobs, &who, "charge t scheduled, due t scheduled");
	until(has_come_again, &who, "t");
	assert_string_equal(invoices(&who), "open 1");
	meet_no_more();
	run_now(&who, "charge");
	until(jobs, &who, "due t scheduled");
	until(has_come_again, &who, "t"); /* to try once more */
	assert_string_equal(ground_of(&who, "due_at < now() + interval '2 d'"), "t");
}

static void
a_job_that_lost_its_key_ends_when_it_has_looked(void **state)
{
	struct world_caller who = founded(20, GOOD);

	(void)state;
	until(invoices, &who, "paid 1");
	ground_settle();
	world_sql("insert into billing.job select gen_random_uuid(), tenant_id, kind, "
		  "'ready', priority, now(), 0, attempts, null, payload, trace, now() "
		  "from billing.job where tenant_id = '%s'",
	    world_id_text(who.tenant));
	until(jobs, &who, "due t scheduled");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(all_that_fell_due_happens_and_one_job_is_left),
		TEST(it_goes_on_where_it_died),
		TEST(a_job_that_failed_too_often_is_followed_by_another),
		TEST(money_that_was_taken_for_what_is_void_by_now_is_found),
		TEST(a_payment_that_has_a_job_of_its_own_is_left_to_it),
		TEST(what_could_not_be_written_is_not_believed),
		TEST(an_account_that_others_changed_meanwhile_is_read_anew),
		TEST(what_the_provider_did_not_say_is_asked_for_by_a_job),
		TEST(a_job_that_lost_its_key_ends_when_it_has_looked),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
