/* Processes killed, connections cut, a number missing: nothing is lost or doubled. */
#include "world.h"

#include <unistd.h>

#include <trl/clock.h>

static unsigned
seed_of_test(void)
{
	const char *given = getenv("TRELLIS_TEST_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid();

	print_message("TRELLIS_TEST_SEED=%u\n", seed);
	return seed;
}

static void
start_all(void)
{
	produce(0);
	produce(1);
	subscribe(0);
	subscribe(1);
}

/* Waits until some more events were written, whoever is killed meanwhile. */
static void
let_some_pass(unsigned n)
{
	char sql[128];

	snprintf(sql, sizeof sql,
	    "select (select count(*) from fact.event_log) + (select count(*) from "
	    "fact.outbox) >= %lld",
	    (long long)number("select (select count(*) from fact.event_log) + (select "
			      "count(*) from fact.outbox)") +
		n);
	await_sql(30, sql);
}

static void
killed_processes_lose_and_double_nothing(void **state)
{
	unsigned seed = seed_of_test();

	(void)state;
	start_all();
	world.shared->to_write = 100000;
	let_some_pass(50);
	for (int i = 0; i < 10; i++) {
		unsigned which = (unsigned)rand_r(&seed) % 4;

		if (which < 2) {
			end(&world.producers[which]);
			produce(which);
		} else {
			end(&world.subscribers[which - 2]);
			subscribe(which - 2);
		}
		let_some_pass(50 + (unsigned)rand_r(&seed) % 100);
	}
	stop_writing(2);
	await_sql(30, all_applied);
	assert_all_applied();
	assert_int_equal(world.shared->gaps, 0);
}

static void
cut_transactions_lose_and_double_nothing(void **state)
{
	static const char *const roles[] = { "fact_app", "fact_sys", "seen_sys" };
	unsigned seed = seed_of_test();

	(void)state;
	start_all();
	world.shared->to_write = 100000;
	let_some_pass(50);
	for (int i = 0; i < 30; i++) {
		test_db_sql(&world.db,
		    "select count(pg_terminate_backend(pid)) from pg_stat_activity "
		    "where usename = '%s' and datname = current_database() and state "
		    "<> "
		    "'idle'",
		    roles[(unsigned)rand_r(&seed) % 3]);
		let_some_pass(5 + (unsigned)rand_r(&seed) % 20);
	}
	stop_writing(2);
	await_sql(30, all_applied);
	assert_all_applied();
	assert_int_equal(world.shared->gaps, 0);
}

static void
a_dead_subscribers_lanes_are_taken_over(void **state)
{
	(void)state;
	start_all();
	write_events(2, 50);
	await_sql(30, all_applied);
	end(&world.subscribers[0]);
	write_events(2, 50);
	await_sql(30, all_applied);
	assert_all_applied();
}

/* They all count what they try first; none of them has died. */
static void
many_that_begin_together_park_nothing(void **state)
{
	(void)state;
	produce(0);
	write_events(1, 300);
	await_sql(30, "select count(*) = 300 from fact.event_log");
	for (unsigned i = 0; i < REPLICAS; i++)
		subscribe(i);
	await_sql(30, all_applied);
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < REPLICAS; i++)
			end(&world.subscribers[i]);
		write_events(1, 200);
		for (unsigned i = 0; i < REPLICAS; i++)
			subscribe(i);
		await_sql(30, all_applied);
	}
	assert_all_applied();
	assert_int_equal(number("select count(*) from seen.parked"), 0);
}

/* Which a bug or a wrong restore alone can make; the sequencer never does. */
static void
a_missing_number_stops_its_lane_and_no_other(void **state)
{
	const uint64_t until = trl_mono_us() + 30000000;

	(void)state;
	produce(0);
	write_events(1, 200);
	await_sql(30, "select count(*) = 200 from fact.event_log");
	test_db_sql(&world.db,
	    "create table fact.lost as select * from fact.event_log where seq = 3 "
	    "order "
	    "by lane limit 1; delete from fact.event_log e using fact.lost l where "
	    "e.lane = l.lane and e.seq = l.seq");
	subscribe(0);
	await_sql(30,
	    "select bool_and(c.seq = h.last_seq) from seen.event_cursor c join "
	    "fact.event_head h using (lane) where lane <> (select lane from "
	    "fact.lost)");
	assert_int_equal(
	    number("select seq from seen.event_cursor where lane = (select "
		   "lane from fact.lost)"),
	    0);
	while (world.shared->gaps == 0) {
		if (trl_mono_us() > until)
			fail_msg("nobody says that a number is missing");
		look_again();
	}
	assert_int_equal(world.shared->gaps, 1);
	test_db_sql(&world.db, "insert into fact.event_log select * from fact.lost");
	await_sql(30, all_applied);
	assert_all_applied();
}

static void
a_producer_without_postgresql_is_back_after_it(void **state)
{
	(void)state;
	start_all();
	write_events(2, 20);
	/* Of this database only, as a role is the whole server's. One after the other:
	 * who is thrown out must not come in again. */
	test_db_sql(&world.db,
	    "revoke connect on database %s from public; grant connect on "
	    "database %s to fact_app, seen_app, seen_sys",
	    world.db.name, world.db.name);
	await_sql(30, "select count(pg_terminate_backend(pid)) = 0 from "
		      "pg_stat_activity where usename = 'fact_sys' and datname = "
		      "current_database()");
	write_events(2, 20); /* facts are written all the same */
	assert_true(number("select count(*) from fact.outbox") > 0);
	test_db_sql(&world.db, "grant connect on database %s to public", world.db.name);
	await_sql(30, all_applied);
	assert_all_applied();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
		TEST(killed_processes_lose_and_double_nothing),
		TEST(cut_transactions_lose_and_double_nothing),
		TEST(a_dead_subscribers_lanes_are_taken_over),
		TEST(many_that_begin_together_park_nothing),
		TEST(a_missing_number_stops_its_lane_and_no_other),
		TEST(a_producer_without_postgresql_is_back_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
