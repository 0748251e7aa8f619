/* Two producers and two subscribers over tcp: each event is applied once, in the order
 * of its subject, and lanes have no gap. */
#include <trl/migrate.h>

#include "fact_sql.h"
#include "world.h"

static void
every_event_is_applied_once_and_in_order(void **state)
{
	(void)state;
	produce(0);
	produce(1);
	subscribe(0);
	subscribe(1);
	write_events(2, 300);
	await_sql(30, all_applied);
	assert_all_applied();
	assert_int_equal(number("select count(*) from seen.seen"), 600);
	assert_int_equal(world.shared->gaps, 0);
}

/* A handler may write much of an event, and there may be many. */
static void
a_backlog_whose_events_take_much_memory_each_is_applied(void **state)
{
	(void)state;
	world.shared->takes_bytes = 200 * 1024;
	world.shared->subjects = 1;
	produce(0);
	write_events(1, 700); /* 140 MiB, 20 of each tenant at once */
	await_sql(30, "select count(*) = 0 from fact.outbox");
	subscribe(0);
	await_sql(30, all_applied);
	assert_all_applied();
	assert_int_equal(number("select count(*) from seen.seen"), 700);
}

static void
without_notices_it_is_only_slower(void **state)
{
	(void)state;
	world.shared->drop_notices = true;
	produce(0);
	produce(1);
	subscribe(0);
	subscribe(1);
	for (int i = 0; i < 3; i++) {
		write_events(2, 20);
		await_sql(30, all_applied);
	}
	assert_all_applied();
}

/* The outbox is a queue: what was in it lies about until a vacuum, and the planner may
 * have seen it empty. PostgreSQL's own counters come a second late. */
static void
numbering_looks_at_what_waits_alone(void **state)
{
	static const char scans[] = "select seq_scan from pg_stat_all_tables where "
				    "schemaname = 'fact' and relname = 'outbox'";
	char sql[80];

	(void)state;
	const int64_t before = number(scans);
	produce(0);
	for (int i = 1; i <= 8; i++) {
		test_db_sql(&world.db,
		    "insert into fact.outbox (lane, tenant_id, event_id, subject_id, "
		    "type, at, trace, payload) select n %% 16, gen_random_uuid(), "
		    "gen_random_uuid(), gen_random_uuid(), 'auth.account.created', "
		    "now(), '', '' from generate_series(1, 160) as n");
		snprintf(sql, sizeof sql,
		    "select sum(last_seq) = %d from fact.event_head", 160 * i);
		await_sql(30, sql);
	}
	await_sql(30, "select n_tup_del = 1280 from pg_stat_all_tables where "
		      "schemaname = 'fact' and relname = 'outbox'");
	assert_int_equal(number(scans), before);
}

static void
a_subscriber_that_comes_later_begins_where_it_says(void **state)
{
	static const struct {
		enum trl_subscription_start start;
		int64_t early, snapshot;
	} cases[] = { { TRL_FROM_FIRST, 50, 0 }, { TRL_FROM_NOW, 0, 0 },
		{ TRL_FROM_SNAPSHOT, 0, 35 } };

	(void)state;
	produce(0);
	write_events(1, 50);
	await_sql(5, "select count(*) = 50 from fact.event_log");
	for (size_t i = 0; i < TRL_COUNT(cases); i++) {
		int64_t told = number("select count(*) from fact.event_log");

		test_db_sql(&world.db,
		    "delete from seen.seen; delete from seen.inbox; delete from "
		    "seen.event_cursor; delete from seen.event_subscription");
		world.shared->start = cases[i].start;
		subscribe(0);
		await_sql(30, "select count(*) = 1 from seen.event_subscription where "
			      "state = 'live'");
		write_events(1, 10);
		await_sql(30,
		    "select (select count(*) from seen.seen where seq > 0) >= "
		    "10 and (select sum(seq) from seen.event_cursor) = "
		    "(select sum(last_seq) from fact.event_head) and (select "
		    "count(*) from fact.outbox) = 0");
		assert_int_equal(number("select count(*) from seen.seen where seq > 0"),
		    10 + (cases[i].early ? told : 0));
		assert_int_equal(number("select count(*) from seen.seen where seq = 0"),
		    cases[i].snapshot);
		end(&world.subscribers[0]);
	}
}

static void
types_that_are_not_wanted_are_passed_over_without_a_gap(void **state)
{
	(void)state;
	world.shared->some_types = true;
	produce(0);
	subscribe(0);
	write_events(1, 200);
	await_sql(30, "select (select count(*) from seen.seen) = (select count(*) from "
		      "fact.event_log where type = 'auth.account.created') and "
		      "(select count(*) = 200 from fact.event_log)");
	assert_int_equal(world.shared->gaps, 0);
}

/* A naive reader keeps the highest id it saw, and would never see the other again. */
static void
who_commits_late_gets_a_later_number(void **state)
{
	static const char add[] =
	    "insert into fact.outbox (lane, tenant_id, event_id, subject_id, type, at, "
	    "trace, payload) values (3, '%s', gen_random_uuid(), gen_random_uuid(), "
	    "'%s', now(), '', '')";
	static const char nil[] = "00000000-0000-0000-0000-000000000000";
	char sql[512];
	PGconn *slow = PQconnectdb(world.db.admin);

	(void)state;
	produce(0);
	await_sql(5, "select count(*) = 16 from fact.event_head");
	snprintf(sql, sizeof sql, add, nil, "first");
	PQclear(PQexec(slow, "begin"));
	PQclear(PQexec(slow, sql));
	snprintf(sql, sizeof sql, add, nil, "second");
	test_db_sql(&world.db, "%s", sql);
	await_sql(5, "select count(*) = 1 from fact.event_log where type = 'second'");
	PQclear(PQexec(slow, "commit"));
	PQfinish(slow);
	await_sql(5, "select count(*) = 1 from fact.event_log where type = 'first'");
	assert_int_equal(
	    number("select seq from fact.event_log where type = 'second'"), 1);
	assert_int_equal(
	    number("select seq from fact.event_log where type = 'first'"), 2);
}

static void
a_replay_finds_all_in_the_inbox(void **state)
{
	(void)state;
	produce(0);
	subscribe(0);
	write_events(1, 100);
	await_sql(30, all_applied);
	world.shared->replay =
	    (struct trl_events_replay){ .subscription = "people", .lane = -1 };
	assert_int_equal(order(REPLAY), TRL_OK);
	await_sql(30, "select (select sum(seq) from seen.event_cursor) = (select "
		      "sum(last_seq) from fact.event_head)");
	assert_all_applied();
	/* Its process says so now and then. */
	for (int i = 0; i < 1000 && world.shared->repeated < 100; i++)
		number("select 1 from pg_sleep(0.01)");
	assert_int_equal(world.shared->repeated, 100);
	world.shared->replay.again = true;
	assert_int_equal(order(REPLAY), TRL_OK);
	await_sql(30, "select count(*) = 200 from seen.seen");
	world.shared->replay.seq = 5000;
	assert_int_equal(order(REPLAY), TRL_INVALID);
	world.shared->replay.subscription = "nobody";
	assert_int_equal(order(REPLAY), TRL_NOT_FOUND);
}

static void
replay_to_the_heads(bool again, int64_t applied)
{
	world.shared->replay =
	    (struct trl_events_replay){ "people", .lane = -1, .again = again };
	assert_int_equal(order(REPLAY), TRL_OK);
	await_sql(30, "select (select sum(seq) from seen.event_cursor) = (select "
		      "sum(last_seq) from fact.event_head)");
	assert_int_equal(number("select count(*) from seen.seen"), applied);
}

static void
what_was_applied_again_is_not_applied_once_more(void **state)
{
	(void)state;
	produce(0);
	subscribe(0);
	write_events(1, 100);
	await_sql(30, all_applied);
	replay_to_the_heads(true, 200);
	replay_to_the_heads(false, 200);
	write_events(1, 50);
	await_sql(30, "select count(*) = 250 from seen.seen");
	replay_to_the_heads(false, 250);
	/* Set back and back again: all that the lanes have ever been past. */
	test_db_sql(&world.db, "begin; select lane from seen.event_cursor for update; "
			       "update seen.event_cursor set reached = seq, "
			       "again_after = seq, seq = 0; commit");
	replay_to_the_heads(true, 400);
	/* The operator waits for no row of the inbox. */
	assert_int_equal(number("select count(*) from seen.inbox"), 150);
}

static void
a_new_epoch_is_read_again_and_absorbed(void **state)
{
	(void)state;
	produce(0);
	produce(1);
	subscribe(0);
	write_events(2, 50);
	await_sql(30, all_applied);
	assert_int_equal(order(EPOCH), TRL_OK);
	await_sql(30, "select min(epoch) = 2 and sum(seq) = (select sum(last_seq) from "
		      "fact.event_head) from seen.event_cursor");
	write_events(2, 20);
	await_sql(30, all_applied);
	assert_all_applied();
	assert_int_equal(world.shared->gaps, 0);
}

/* Makes all that was told a week and more old. */
static void
age_the_log(void)
{
	test_db_sql(&world.db, "update fact.event_log set day = day - 10");
}

static void
say_read(const char *seq)
{
	test_db_sql(&world.db,
	    "delete from fact.event_progress; insert into fact.event_progress select "
	    "'notify', 'people', lane, %s, now() from fact.event_head",
	    seq);
}

static void
a_day_is_dropped_once_everybody_has_read_it(void **state)
{
	(void)state;
	produce(0);
	write_events(1, 200);
	await_sql(30, "select count(*) = 200 from fact.event_log");
	age_the_log();
	say_read("greatest(last_seq - 1, 0)");
	assert_int_equal(trl_pg_maintain(world.db.admin, &fact_sql), TRL_OK);
	assert_int_equal(number("select count(*) from fact.event_log"), 200);
	/* Tomorrow and the days after have a partition. */
	assert_true(number("select count(*) from pg_inherits where inhparent = "
			   "'fact.event_log'::regclass") >= 8);
	say_read("last_seq");
	assert_int_equal(trl_pg_maintain(world.db.admin, &fact_sql), TRL_OK);
	assert_int_equal(number("select count(*) from fact.event_log"), 0);
	assert_int_equal(number("select count(*) from fact.event_head where first_seq "
				"<> last_seq + 1"),
	    0);
	/* Who begins with the first begins after them, and sees no gap. */
	await_sql(5, "select true");
	end(&world.producers[0]);
	produce(0);
	subscribe(0);
	write_events(1, 20);
	await_sql(30, all_applied);
	assert_int_equal(number("select count(*) from seen.seen"), 20);
	assert_int_equal(world.shared->gaps, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
		TEST(every_event_is_applied_once_and_in_order),
		TEST(a_backlog_whose_events_take_much_memory_each_is_applied),
		TEST(without_notices_it_is_only_slower),
		TEST(numbering_looks_at_what_waits_alone),
		TEST(a_subscriber_that_comes_later_begins_where_it_says),
		TEST(types_that_are_not_wanted_are_passed_over_without_a_gap),
		TEST(who_commits_late_gets_a_later_number),
		TEST(a_replay_finds_all_in_the_inbox),
		TEST(what_was_applied_again_is_not_applied_once_more),
		TEST(a_new_epoch_is_read_again_and_absorbed),
		TEST(a_day_is_dropped_once_everybody_has_read_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
