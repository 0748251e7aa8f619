/* Numbers: without a gap, in the order of their times, whatever happens amid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "invoice/test_shop.h"
#include "turn/turn.h"

enum { MANY = 64 };

static const char big[] = "{\"plan\":\"big\"}";

static struct world_caller
subscriber(void)
{
	static const struct world_person *ann; /* has many organisations */
	struct world_caller who;

	if (!ann)
		ann = world_person_new("ann", true);
	who = (struct world_caller){ .person = ann, .tenant = trl_id_new() };
	shop_profile(&who, "\"country\":\"US\"");
	ground_card(&who, "4242424242424242");
	return who;
}

static void
start(struct world_run runs[MANY], struct world_run *all[MANY])
{
	for (size_t i = 0; i < MANY; i++) {
		runs[i] = (struct world_run){ .who = subscriber(),
			.method = &billing_v1_change_subscription,
			.in = ground_message(&billing_v1_change_subscription, big) };
		all[i] = &runs[i];
	}
	for (size_t i = 0; i < MANY; i++)
		world_start(&runs[i]);
}

static const char *
numbers_of(const char *table, const char *series)
{
	return world_sql("select count(*) || ' ' || min(right(number, 6)) || ' ' || "
			 "max(right(number, 6)) || ' ' || count(distinct number) "
			 "from billing.%s where number ~ '^INV-%s[0-9]{6}$'",
	    table, series);
}

/* H1 */
static void
one_series_has_no_gap_when_many_come_at_once(void **state)
{
	static struct world_run runs[MANY];
	struct world_run *all[MANY];

	(void)state;
	shop_sells("\"one_series\":true,");
	start(runs, all);
	world_wait(all, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(runs[i].rc, TRL_OK);
	assert_string_equal(numbers_of("invoice", ""), "64 000001 000064 64");
	assert_string_equal(
	    world_sql("select count(*) from (select issued_at, lag(issued_at) over "
		      "(order by number) as before from billing.invoice where number ~ "
		      "'^INV-[0-9]{6}$') i where issued_at < before"),
	    "0");
}

/* H1: connections are cut amid. What did not come to its end may be asked again. */
static void
one_series_has_no_gap_when_connections_are_cut(void **state)
{
	static struct world_run runs[MANY];
	struct world_run *all[MANY];
	const char *before = trl_arena_strdup(world.arena,
	    world_sql("select count(*) from billing.invoice where number ~ "
		      "'^INV-[0-9]{6}$'"));

	(void)state;
	start(runs, all);
	for (size_t i = 8; i < MANY; i += 8) {
		world_wait(&all[i - 8], 4);
		world_sql(
		    "select count(pg_terminate_backend(pid)) from pg_stat_activity "
		    "where datname = current_database() and pid <> "
		    "pg_backend_pid()");
	}
	world_wait(all, MANY);
	assert_string_equal(
	    world_sql("select max(right(number, 6))::bigint - count(*) from "
		      "billing.invoice where number ~ '^INV-[0-9]{6}$'"),
	    "0");
	assert_string_equal(
	    world_sql("select (count(*) > %s)::text from billing.invoice where number "
		      "~ '^INV-[0-9]{6}$'",
		before),
	    "true");
	assert_string_equal(world_sql("select next - 1 - (select count(*) from "
				      "billing.invoice where number ~ "
				      "'^INV-[0-9]{6}$') from billing.series_directory "
				      "where kind = 'invoice' and prefix = '-invoice'"),
	    "0");
}

/* Another replica takes the next number once, between our reading and our commit. */
static void
one_series_lost_to_another_process_is_no_changed_version(void **state)
{
	struct world_caller who = subscriber(), stale;
	Billing__V1__Subscription *sub;

	(void)state;
	must(&who, &billing_v1_get_subscription, "{}", &sub);
	who.has_if_version = true;
	who.if_version = sub->version;
	world_sql("create sequence billing.once");
	world_sql(
	    "create function billing.lose_once() returns trigger security definer "
	    "language plpgsql as 'begin return case when nextval("
	    "''billing.once'') > 1 then new end; end'");
	world_sql("create trigger lose_once before insert on billing.series_directory "
		  "for each row when (new.prefix = '-invoice') "
		  "execute function billing.lose_once()");
	must(&who, &billing_v1_change_subscription, big, NULL);
	assert_string_equal(world_sql("select last_value from billing.once"), "2");
	world_sql("alter sequence billing.once restart");
	stale = who;
	assert_int_equal(
	    ask(&stale, &billing_v1_change_subscription, "{\"plan\":\"nil\"}", NULL),
	    TRL_PRECONDITION);
	world_sql("drop trigger lose_once on billing.series_directory");
	world_sql("drop function billing.lose_once");
	world_sql("drop sequence billing.once");
}

static void
credit_notes_are_a_series_of_their_own(void **state)
{
	struct world_caller who = subscriber();
	Billing__V1__CreditNote *note;

	(void)state;
	must(&who, &billing_v1_change_subscription, big, NULL);
	must(&ground_operator, &billing_v1_credit_invoice,
	    shop_about(&who, shop_invoice(&who, 0),
		",\"reason\":\"duplicate\",\"amount\":100"),
	    &note);
	assert_string_equal(note->number, "INV-C000001");
	must(&ground_operator, &billing_v1_credit_invoice,
	    shop_about(&who, shop_invoice(&who, 0),
		",\"reason\":\"duplicate\",\"amount\":100"),
	    &note);
	assert_string_equal(note->number, "INV-C000002");
	shop_sells("");
}

/* Each organisation's own, from 1 on; also what is the first that billing hears of it.
 */
static void
an_organisations_series_is_its_own(void **state)
{
	struct world_caller first = ground_owner(), second = subscriber();
	const char *number;

	(void)state;
	must(&first, &billing_v1_change_subscription, "{\"plan\":\"nil\"}", NULL);
	must(&second, &billing_v1_change_subscription, big, NULL);
	number = shop_invoice(&first, 0)->number;
	assert_int_equal(strlen(number), strlen("INV-ABCDEF-000001"));
	assert_string_equal(number + strlen("INV-ABCDEF"), "-000001");
	assert_string_not_equal(number, shop_invoice(&second, 0)->number);
}

/* H2: what is refused, or only shown, uses none. */
static void
what_is_not_committed_uses_no_number(void **state)
{
	struct world_caller who = subscriber();
	struct world_caller stale = who;

	(void)state;
	assert_null(shop_preview(&who, big)->invoice->number);
	stale.has_if_version = true;
	stale.if_version = 99;
	assert_int_equal(
	    ask(&stale, &billing_v1_change_subscription, big, NULL), TRL_PRECONDITION);
	must(&who, &billing_v1_change_subscription, big, NULL);
	assert_non_null(strstr(shop_invoice(&who, 0)->number, "-000001"));
}

struct race {
	struct world_caller who;
	enum trl_code rc[2];
};

/* As in two processes, whose turns know nothing of each other. */
static void
subscribe_twice(trl_ctx *ctx, void *arg)
{
	struct race *race = arg;
	struct turn *turns[2];
	struct life_outcome *out = trl_arena_alloc(ctx->arena, sizeof *out);

	ctx->service = "billing";
	ctx->tenant = race->who.tenant;
	for (size_t i = 0; i < 2; i++) {
		turns[i] = trl_arena_alloc(ctx->arena, sizeof *turns[i]);
		race->rc[i] = turn_load(world.self, ctx, turns[i]);
	}
	for (size_t i = 0; i < 2 && race->rc[i] == TRL_OK; i++) {
		struct account *account = &turns[i]->account;
		const struct life_request request = {
			.offer = account_offer(ctx, account, "big-usd"), .seats = 1
		};

		out->n = 0;
		assert_null(life_change(
		    &account->life, &account->rules, account->now, &request, out));
		race->rc[i] = turn_do(turns[i], out);
		turn_finish(turns[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		if (race->rc[i] == TRL_OK)
			race->rc[i] = turn_commit(turns[i], true);
		turn_end(turns[i]);
	}
}

/* The keys of its invoice say so before the account's version does. */
static void
of_two_processes_at_once_one_begins_anew(void **state)
{
	struct race race = { .who = subscriber() };

	(void)state;
	world_act(subscribe_twice, &race);
	assert_int_equal(race.rc[0], TRL_OK);
	assert_int_equal(race.rc[1], TRL_PRECONDITION);
	assert_string_equal(world_sql("select count(*) || ' ' || max(status) from "
				      "billing.invoice where tenant_id = '%s'",
				world_id_text(race.who.tenant)),
	    "1 paid");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(one_series_has_no_gap_when_many_come_at_once),
		TEST(one_series_has_no_gap_when_connections_are_cut),
		TEST(one_series_lost_to_another_process_is_no_changed_version),
		TEST(credit_notes_are_a_series_of_their_own),
		TEST(an_organisations_series_is_its_own),
		TEST(what_is_not_committed_uses_no_number),
		TEST(of_two_processes_at_once_one_begins_anew),
	};

	return cmocka_run_group_tests(tests, shop_open, ground_close);
}
