/* Upkeep of tables that are large: everything that is over goes, nothing else does, and
 * no row is looked at for more than one piece. */
#include "test_world.h"

static bool
is_true(void *sql)
{
	return strcmp(test_db_sql(&world.db, "%s", (const char *)sql), "t") == 0;
}

/* PostgreSQL's own counters come when the connection has ended. */
static void
await(const char *sql)
{
	if (!trl_loop_run_until(world.loop, is_true, (void *)(uintptr_t)sql, 10000))
		fail_msg("never: %s", sql);
}

static void
what_has_no_index_by_age_is_gone_through_once(void **state)
{
	(void)state;
	test_db_sql(&world.db,
	    "insert into pgtest.idempotency select gen_random_uuid(), 'm', n::text, "
	    "gen_random_uuid(), '', repeat('x', 200)::bytea, false, now(), now() + "
	    "interval '1 day' * case when n %% 10 = 0 or n <= 2000 then 1 else -1 end "
	    "from generate_series(1, 30000) as n");
	assert_int_equal(trl_pg_maintain(world.db.admin, &pgtest_sql), TRL_OK);
	assert_string_equal("0 4800",
	    test_db_sql(&world.db,
		"select count(*) filter (where expires_at < now()) || ' ' || count(*) "
		"from pgtest.idempotency"));
	await("select n_tup_del = 25200 from pg_stat_all_tables where relname = "
	      "'idempotency'");
	/* The 30000 rows by maintain, and those that are left by this test. */
	await("select seq_tup_read = 34800 from pg_stat_all_tables where relname = "
	      "'idempotency'");
}

static void
the_inbox_keeps_thirty_days_of_each_subscription(void **state)
{
	(void)state;
	test_db_sql(&world.db,
	    "insert into pgtest.event_subscription select s, 'x', 'live', "
	    "gen_random_uuid(), gen_random_uuid() from (values ('a'), ('b'), ('c')) as "
	    "v (s)");
	/* One each two minutes of 50 days, of b and c. */
	test_db_sql(&world.db,
	    "insert into pgtest.inbox select s, (lpad(to_hex((extract(epoch from now() "
	    "- n * interval '2 min') * 1000)::bigint), 12, '0') || substr(md5(s), 1, "
	    "20))::uuid, 0, 36000 - n from generate_series(1, 36000) as n, (values "
	    "('b'), ('c')) as v (s)");
	assert_int_equal(trl_pg_maintain(world.db.admin, &pgtest_sql), TRL_OK);
	assert_string_equal("b 21599, c 21599",
	    test_db_sql(&world.db,
		"select string_agg(s || ' ' || n, ', ' order by s) from (select "
		"subscription as s, count(*) as n from pgtest.inbox group by 1) g"));
	/* 14401 of each, 5000 a piece, and where b ended c begins. */
	await("select n_tup_del = 28802 from pg_stat_all_tables where relname = "
	      "'inbox'");
	assert_in_range(strtoull(test_db_sql(&world.db,
				     "select idx_tup_fetch from pg_stat_all_tables "
				     "where relname = 'inbox'"),
			    NULL, 10),
	    28802, 28802 + 6 * 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_no_index_by_age_is_gone_through_once),
		cmocka_unit_test(the_inbox_keeps_thirty_days_of_each_subscription),
	};

	return cmocka_run_group_tests_name("maintain", tests, world_open, world_close);
}
