/* Events of a tenant that is erased here come too late, whichever way they come:
 * nothing of it is written anew, and everybody else's are applied. */
#include "world.h"

#define ERASED "01020304-0506-7008-8000-010000000003" /* world_id(1, 3) */

static const char at_the_end[] =
    "select (select count(*) from fact.outbox) = 0 and (select count(*) = 16 and "
    "sum(seq) = (select sum(last_seq) from fact.event_head) from seen.event_cursor)";

static int64_t
seen_of_it(void)
{
	return number("select count(*) from seen.seen where tenant_id = '" ERASED "'");
}

static int64_t
seen_of_others(void)
{
	return number("select count(*) from seen.seen where tenant_id <> '" ERASED "'");
}

static void
by_the_log_or_by_a_snapshot_they_are_left_out(void **state)
{
	static const struct {
		enum trl_subscription_start start;
		int64_t others;
	} cases[] = { { TRL_FROM_FIRST, 60 + 12 }, { TRL_FROM_SNAPSHOT, 30 + 12 } };

	(void)state;
	world.shared->subjects = 5;
	produce(0);
	write_events(1, 70);
	await_sql(10, "select count(*) = 70 from fact.event_log");
	assert_int_equal(
	    number(
		"select count(*) from fact.event_log where tenant_id = '" ERASED "'"),
	    10);
	test_db_sql(&world.db, "insert into seen.erasure values ('" ERASED "')");
	for (size_t i = 0; i < TRL_COUNT(cases); i++) {
		test_db_sql(&world.db,
		    "delete from seen.seen; delete from seen.inbox; delete from "
		    "seen.event_cursor; delete from seen.event_subscription");
		world.shared->start = cases[i].start;
		subscribe(0);
		await_sql(30, "select count(*) = 1 from seen.event_subscription where "
			      "state = 'live'");
		write_events(1, 14);
		await_sql(30, at_the_end);
		assert_int_equal(seen_of_it(), 0);
		assert_true(seen_of_others() >= cases[i].others);
		end(&world.subscribers[0]);
	}
	assert_int_equal(number("select count(*) from seen.parked"), 0);
}

static void
those_that_are_parked_go_without_being_applied(void **state)
{
	(void)state;
	world.shared->subjects = 1;
	world.shared->poison = 4;
	produce(0);
	subscribe(0);
	write_events(1, 42);
	await_sql(60, "select count(*) = 21 from seen.parked");
	assert_int_equal(seen_of_it(), 3);
	test_db_sql(&world.db, "insert into seen.erasure values ('" ERASED "')");
	world.shared->poison = 0;
	assert_int_equal(order(REDRIVE), TRL_OK);
	assert_int_equal(number("select count(*) from seen.parked"), 0);
	assert_int_equal(seen_of_it(), 3);
	assert_int_equal(seen_of_others(), 36);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
		TEST(by_the_log_or_by_a_snapshot_they_are_left_out),
		TEST(those_that_are_parked_go_without_being_applied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
