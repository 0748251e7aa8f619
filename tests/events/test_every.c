/* A subscription of every teller: each that has an address is heard, with a cursor of
 * its own, and one that is away or not there yet keeps nobody from hearing the others.
 */
#include "world.h"

enum { EACH = 40 };
static const char all_told[] = "select count(*) = 40 from fact.event_log";

/* Waits until all that a producer told stands in the subscriber's cursor. */
static void
await_cursor(const char *subscription, const struct test_db *db)
{
	char sql[256];

	await_in(db, 20, "select count(*) = 0 from fact.outbox");
	snprintf(sql, sizeof sql,
	    "select coalesce(sum(seq), 0) = %s from seen.event_cursor where "
	    "subscription = '%s'",
	    test_db_sql(db, "select sum(last_seq) from fact.event_head"), subscription);
	await_sql(20, sql);
}

static int64_t
seen(const char *which)
{
	char sql[256];

	snprintf(sql, sizeof sql, "select count(%s event_id) from seen.seen", which);
	return number(sql);
}

static void
hear_all(bool finds_zoo)
{
	world.shared->every = true;
	world.shared->finds_zoo = finds_zoo;
	subscribe(0);
}

static void
each_teller_is_heard_with_a_cursor_of_its_own(void **state)
{
	(void)state;
	world_open_zoo();
	produce(0);
	produce(ZOO);
	hear_all(true);
	world.shared->to_write = EACH;
	await_in(&world.db, 20, all_told);
	await_in(&world.zoo, 20, all_told);
	await_cursor("people_fact", &world.db);
	await_cursor("people_zoo", &world.zoo);
	assert_int_equal(seen("distinct"), 2 * EACH);
	assert_int_equal(seen(""), 2 * EACH);
	assert_int_equal(
	    number("select count(*) from seen.event_subscription where (subscription, "
		   "producer) in (('people_fact', 'fact'), ('people_zoo', 'zoo'))"),
	    2);
	assert_int_equal(number("select count(*) from seen.event_subscription"), 2);
}

static void
one_that_is_found_later_is_heard_then_from_its_first(void **state)
{
	(void)state;
	world_open_zoo();
	produce(0);
	produce(ZOO);
	hear_all(false);
	world.shared->to_write = EACH;
	await_in(&world.db, 20, all_told);
	await_in(&world.zoo, 20, all_told);
	await_cursor("people_fact", &world.db);
	assert_int_equal(seen(""), EACH);
	assert_int_equal(number("select count(*) from seen.event_subscription"), 1);
	end(&world.subscribers[0]);
	hear_all(true);
	await_cursor("people_zoo", &world.zoo);
	assert_int_equal(seen("distinct"), 2 * EACH);
	assert_int_equal(seen(""), 2 * EACH);
}

static void
one_that_is_away_keeps_nobody_from_hearing_the_others(void **state)
{
	(void)state;
	world_open_zoo();
	produce(0);
	hear_all(true);
	write_events(1, EACH);
	await_cursor("people_fact", &world.db);
	assert_int_equal(seen(""), EACH);
	assert_int_equal(number("select count(*) from seen.event_subscription"), 1);
	stop_writing(1);
	produce(ZOO);
	world.shared->to_write = EACH; /* zoo's first, and no further one of fact */
	await_in(&world.zoo, 20, all_told);
	await_cursor("people_zoo", &world.zoo);
	assert_int_equal(seen("distinct"), 2 * EACH);
}

/* As in an installation that named its producers one by one. */
static void
the_cursor_of_a_named_producer_is_taken_over(void **state)
{
	(void)state;
	produce(0);
	world.shared->every = false;
	subscribe(0);
	write_events(1, EACH);
	await_cursor("people", &world.db);
	end(&world.subscribers[0]);
	test_db_sql(&world.db,
	    "update seen.event_subscription set subscription = 'people_fact'; update "
	    "seen.event_cursor set subscription = 'people_fact'; delete from "
	    "seen.inbox");
	world.shared->start = TRL_FROM_SNAPSHOT; /* it would show all anew */
	hear_all(false);
	write_events(1, EACH);
	await_cursor("people_fact", &world.db);
	assert_int_equal(seen("distinct"), 2 * EACH);
	assert_int_equal(seen(""), 2 * EACH);
	assert_all_applied();
}

static void
a_service_may_hear_itself(void **state)
{
	(void)state;
	world.shared->hears_itself = true;
	produce(0);
	write_events(1, EACH);
	await_sql(20, "select (select sum(seq) from fact.event_cursor where "
		      "subscription = 'own') = (select sum(last_seq) from "
		      "fact.event_head) and (select count(*) from fact.outbox) = 0");
	assert_int_equal(world.shared->own, EACH);
	assert_int_equal(number("select count(*) from fact.event_log"), EACH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
		TEST(each_teller_is_heard_with_a_cursor_of_its_own),
		TEST(one_that_is_found_later_is_heard_then_from_its_first),
		TEST(one_that_is_away_keeps_nobody_from_hearing_the_others),
		TEST(the_cursor_of_a_named_producer_is_taken_over),
		TEST(a_service_may_hear_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
