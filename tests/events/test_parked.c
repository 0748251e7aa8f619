/* Events that cannot be applied: they and their successors stand aside, the rest goes
 * on, and the operator decides. */
#include "world.h"

#include <sys/wait.h>

#include <trl/clock.h>

enum { SUBJECTS = 7, EACH = 6, BAD = 4 }; /* events n = 4, 5, 6 of each subject park */
enum { OFTEN = 7 };                       /* more than an event may fail */

static void
park_some(void)
{
	const uint64_t until = trl_mono_us() + 60000000;

	world.shared->subjects = 1;
	world.shared->poison = BAD;
	produce(0);
	subscribe(0);
	write_events(1, SUBJECTS * EACH);
	/* Somebody has the lanes now and then, also when an event is to be parked. */
	while (number("select count(*) from seen.parked") < 21) {
		if (trl_mono_us() > until)
			fail_msg("not all are parked");
		test_db_sql(&world.db, "begin; select lane from seen.event_cursor for "
				       "update; commit");
		look_again();
	}
	await_sql(60, "select count(*) = 21 from seen.parked");
}

static void
nothing_is_lost_or_out_of_order(void)
{
	await_sql(30, all_applied);
	assert_all_applied();
}

static void
a_poisoned_event_parks_with_its_successors_and_is_redriven_in_order(void **state)
{
	(void)state;
	park_some();
	assert_int_equal(number("select count(*) from seen.seen"), SUBJECTS * 3);
	assert_int_equal(number("select count(*) from seen.seen where n >= 4"), 0);
	assert_int_equal(number("select count(*) from seen.parked where error like "
				"'INVALID: cannot stand 4'"),
	    SUBJECTS);
	/* The lanes have gone on. */
	assert_int_equal(number("select sum(seq) from seen.event_cursor"),
	    number("select sum(last_seq) from fact.event_head"));
	/* What comes later waits as well. */
	write_events(1, SUBJECTS);
	await_sql(30, "select count(*) = 28 from seen.parked");
	/* It still fails: nothing moves. */
	assert_int_equal(order(REDRIVE), TRL_OK);
	assert_int_equal(world.shared->count, 0);
	assert_int_equal(number("select count(*) from seen.parked"), 28);
	world.shared->poison = 0;
	assert_int_equal(order(REDRIVE), TRL_OK);
	assert_int_equal(world.shared->count, 28);
	assert_int_equal(number("select count(*) from seen.parked"), 0);
	nothing_is_lost_or_out_of_order();
	write_events(1, SUBJECTS);
	nothing_is_lost_or_out_of_order();
}

static struct trl_id
parked_id(const char *where)
{
	char sql[256];
	struct trl_id id;

	snprintf(sql, sizeof sql, "select event_id from seen.parked where %s limit 1",
	    where);
	const char *text = test_db_sql(&world.db, "%s", sql);

	assert_true(trl_id_parse(text, strlen(text), &id));
	return id;
}

static void
a_parked_event_is_skipped_and_its_successors_are_applied(void **state)
{
	(void)state;
	park_some();
	world.shared->event = parked_id("error like 'an earlier%'");
	assert_int_equal(order(SKIP), TRL_CONFLICT);
	assert_int_equal(order(REDRIVE), TRL_CONFLICT);
	world.shared->event = parked_id("error like 'INVALID%'");
	assert_int_equal(order(REDRIVE), TRL_INVALID);
	assert_int_equal(order(SKIP), TRL_OK);
	assert_int_equal(world.shared->count, 2);
	assert_int_equal(number("select count(*) from seen.parked"), 18);
	assert_int_equal(number("select count(*) from seen.seen"), SUBJECTS * 3 + 2);
	assert_int_equal(order(SKIP), TRL_NOT_FOUND);
	/* A replay does not bring it back. */
	world.shared->replay =
	    (struct trl_events_replay){ .subscription = "people", .lane = -1 };
	assert_int_equal(order(REPLAY), TRL_OK);
	await_sql(30, "select (select sum(seq) from seen.event_cursor) = (select "
		      "sum(last_seq) from fact.event_head)");
	assert_int_equal(number("select count(*) from seen.seen"), SUBJECTS * 3 + 2);
	assert_int_equal(number("select count(*) from seen.parked"), 18);
}

/* Of one subject as well as of many: some 24 MB each, where an actor has 16. */
static void
more_than_memory_holds_is_redriven_at_once(void **state)
{
	(void)state;
	park_some();
	/* A name of 60,000 bytes in each (field 5 of the account, which is field 1). */
	test_db_sql(&world.db,
	    "with one as (select *, substr(payload, 3) || '\\x2ae0d403'::bytea || "
	    "convert_to(repeat('x', 60000), 'utf8') as account from seen.parked order "
	    "by seq desc limit 1), big as (select one.*, '\\x0a'::bytea || "
	    "set_byte(set_byte(set_byte('\\x000000'::bytea, 0, length(account) %% 128 "
	    "+ "
	    "128), 1, length(account) / 128 %% 128 + 128), 2, length(account) / 16384) "
	    "|| account as told from one) "
	    "insert into seen.parked (subscription, event_id, lane, seq, tenant_id, "
	    "subject_id, type, at, trace, payload, error, parked_at) select "
	    "subscription, gen_random_uuid(), lane, seq + n, tenant_id, case when n %% "
	    "2 = 0 then subject_id else gen_random_uuid() end, type, at, trace, told, "
	    "error, parked_at from big, generate_series(1, 400) as n");
	world.shared->poison = 0;
	assert_int_equal(order(REDRIVE), TRL_OK);
	assert_int_equal(world.shared->count, 421);
	assert_int_equal(number("select count(*) from seen.parked"), 0);
}

/* Waits until the handler was called so often in all. */
static void
await_calls(unsigned n)
{
	const uint64_t until = trl_mono_us() + 60000000;

	while (world.shared->calls < n) {
		if (trl_mono_us() > until)
			fail_msg("it is not tried again");
		look_again();
	}
}

/* What fails and what kills are told apart: one that was killed while its events
 * failed, for whatever reason, did not die of them. */
static void
a_process_that_lives_through_a_failure_counts_as_no_death(void **state)
{
	(void)state;
	world.shared->subjects = 1;
	world.shared->poison = 1;
	produce(0);
	write_events(1, 1);
	for (int round = 0; round < 5; round++) {
		const unsigned calls = world.shared->calls;

		subscribe(0);
		await_calls(calls + 1);
		await_sql(30, "select max(tried_by) = 0 from seen.event_cursor");
		end(&world.subscribers[0]);
	}
	assert_int_equal(number("select max(tries) from seen.event_cursor"), 0);
	world.shared->poison = 0;
	subscribe(0);
	nothing_is_lost_or_out_of_order();
	assert_int_equal(number("select count(*) from seen.parked"), 0);
}

static void
a_locked_database_parks_nothing_for_however_long(void **state)
{
	PGconn *holder = PQconnectdb(world.db.admin);
	unsigned calls;

	(void)state;
	produce(0);
	subscribe(0);
	write_events(1, 20);
	await_sql(30, all_applied);
	PQclear(PQexec(holder, "begin; lock table seen.seen in access exclusive mode"));
	assert_int_equal(PQtransactionStatus(holder), PQTRANS_INTRANS);
	calls = world.shared->calls;
	write_events(1, 1);
	await_calls(calls + OFTEN);
	PQfinish(holder);
	nothing_is_lost_or_out_of_order();
	assert_int_equal(number("select count(*) from seen.parked"), 0);
}

static void
what_is_no_fault_of_the_event_parks_nothing(void **state)
{
	static const enum trl_code codes[] = { TRL_BUSY, TRL_DEADLINE, TRL_CONFLICT,
		TRL_UNAVAILABLE, TRL_UNCERTAIN };

	(void)state;
	world.shared->subjects = 1;
	produce(0);
	subscribe(0);
	for (size_t i = 0; i < TRL_COUNT(codes); i++) {
		const unsigned calls = world.shared->calls;

		world.shared->fails_with = codes[i];
		world.shared->poison = 1;
		write_events(1, 1);
		await_calls(calls + OFTEN);
		world.shared->poison = 0;
		nothing_is_lost_or_out_of_order();
	}
	assert_int_equal(number("select count(*) from seen.parked"), 0);
}

static void
an_event_that_kills_the_process_is_parked_in_the_end(void **state)
{
	const uint64_t until = trl_mono_us() + 60000000;

	(void)state;
	world.shared->subjects = 1;
	world.shared->deadly = BAD;
	produce(0);
	write_events(1, EACH * 7);
	await_sql(30, "select count(*) = 0 from fact.outbox"); /* they are in lanes */
	test_db_sql(&world.db, "delete from fact.event_log where tenant_id <> (select "
			       "tenant_id from fact.event_log limit 1)");
	/* One tenant's events are left, and the lanes are as if no others had been. */
	test_db_sql(&world.db,
	    "with l as (update fact.event_log l set seq = n.n from (select lane, seq, "
	    "row_number() over (partition by lane order by seq) n from "
	    "fact.event_log) n where n.lane = l.lane and n.seq = l.seq returning "
	    "l.lane, "
	    "l.seq) update fact.event_head h set last_seq = (select "
	    "coalesce(max(seq), 0) from l where l.lane = h.lane)");
	end(&world.producers[0]);
	produce(0);
	while (number("select count(*) from seen.parked") < 3) {
		if (trl_mono_us() > until)
			fail_msg("it is not parked");
		if (!world.subscribers[0] ||
		    waitpid(world.subscribers[0], NULL, WNOHANG) != 0)
			subscribe(0);
		look_again();
	}
	assert_in_range(world.shared->deaths, 3, 6);
	assert_int_equal(number("select count(*) from seen.seen"), 3);
	world.shared->deadly = 0;
	assert_int_equal(order(REDRIVE), TRL_OK);
	nothing_is_lost_or_out_of_order();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
		TEST(
		    a_poisoned_event_parks_with_its_successors_and_is_redriven_in_order),
		TEST(a_parked_event_is_skipped_and_its_successors_are_applied),
		TEST(more_than_memory_holds_is_redriven_at_once),
		TEST(a_process_that_lives_through_a_failure_counts_as_no_death),
		TEST(a_locked_database_parks_nothing_for_however_long),
		TEST(what_is_no_fault_of_the_event_parks_nothing),
		TEST(an_event_that_kills_the_process_is_parked_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
