/* What statements look at where their tables are large: blocks, by whatever plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

/* Under no tenant lie the entries of everybody, and an organisation's members have
 * theirs between those for all. */
static void
who_was_away_reads_what_is_his_alone(void **state)
{
	static const struct {
		const char *of; /* tenant_id and account_id of entry n, as SQL */
		size_t most;    /* blocks */
	} rows[] = {
		{ "'00000000-0000-0000-0000-000000000000', "
		  "md5((n % 2000)::text)::uuid",
		    60 },
		{ "md5('t')::uuid, case when n % 50 > 0 then md5((n % "
		  "2000)::text)::uuid end",
		    300 },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const char *settings, *args, *of;

		world_sql("delete from feed where type = 'a.b.many'");
		world_sql("insert into feed (tenant_id, account_id, id, number, type, "
			  "data, created_at) select %s, gen_random_uuid(), 1000000 + "
			  "n, 'a.b.many', repeat('x', 300), now() from "
			  "generate_series(1, 40000) as n",
		    rows[i].of);
		world_sql("analyze feed");
		of = world_sql("select tenant_id from feed where type = 'a.b.many'");
		settings = trl_arena_printf(
		    world.arena, "set local trellis.tenant_id = '%s';", of);
		args = trl_arena_printf(world.arena,
		    "'%s', 1000100, 2000000, 200, array[md5('77')::uuid], 300000", of);
		for (int generic = 0; generic < 2; generic++)
			assert_in_range(test_db_blocks(&world.db, &notify_sql_feed_read,
					    "app", generic, settings, args),
			    1, rows[i].most);
	}
	world_sql("delete from feed where type = 'a.b.many'");
}

static void
old_notifications_go_in_one_walk_through_the_table(void **state)
{
	(void)state;
	world_sql(
	    "insert into notification (account_id, id, about_tenant, kind, title, "
	    "body, event_id, created_at) select gen_random_uuid(), "
	    "gen_random_uuid(), gen_random_uuid(), 'a', 't', 'b', "
	    "gen_random_uuid(), now() - interval '181 days' * (n %% 3) / 2 from "
	    "generate_series(1, 60000) as n");
	world_sql(
	    "insert into suppression (email, reason, created_at, until) values "
	    "('gone@x', '', now(), now()), ('held@x', '', now(), now() + interval "
	    "'1 day')");
	assert_int_equal(notify_maintain(world.db.admin, world.config), TRL_OK);
	world_until_sql(
	    "select n_tup_del = 20000 from pg_stat_all_tables where relname = "
	    "'notification'");
	assert_string_equal(world_sql("select seq_tup_read from pg_stat_all_tables "
				      "where relname = 'notification'"),
	    "60000");
	assert_string_equal(
	    world_sql("select count(*) from notification where created_at > now() - "
		      "interval '180 days'"),
	    "40000");
	assert_string_equal(
	    world_sql("select string_agg(email, ' ') from suppression"), "held@x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_away_reads_what_is_his_alone),
		cmocka_unit_test(old_notifications_go_in_one_walk_through_the_table),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
