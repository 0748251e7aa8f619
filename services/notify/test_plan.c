/* What statements look at where their tables are large: blocks, by whatever plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "test_world.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_away_reads_what_is_his_alone),
	};

	return cmocka_run_group_tests(tests, world_open, world_close);
}
