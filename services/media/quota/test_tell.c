/* How much is stored is told as it is, and nobody waits for whoever tells it. */
#include "test_files.h"

#include <trl/tx.h>

#include "quota/quota.h"

struct telling {
	struct trl_ticket ticket; /* of who changes meanwhile what is stored */
	bool changed, over;
	enum trl_code rc;
};

static void
tell(trl_ctx *ctx, void *arg)
{
	const struct trl_job job = { .tenant = home };
	struct telling *telling = arg;

	telling->rc = quota_tell_job.run(world.self, ctx, &job);
	telling->over = true;
}

static void
change(trl_ctx *ctx, void *arg)
{
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;
	struct media *self = world.self;
	struct telling *telling = arg;

	assert_int_equal(
	    trl_tx_begin(ctx, self->pg, TRL_SCOPE_TENANT(home), &tx), TRL_OK);
	assert_int_equal(trl_tx_run(tx, &media_sql_storage_move, NULL, NULL,
			     TRL_ARG_ID("tenant_id", home), TRL_ARG_INT("used", 2),
			     TRL_ARG_INT("reserved", 0)),
	    TRL_OK);
	telling->ticket = trl_park_begin(ctx);
	telling->changed = true;
	assert_int_equal(trl_park(ctx, telling->ticket, "the test"), TRL_OK);
	assert_int_equal(trl_tx_commit(&tx, NULL), TRL_OK);
}

/* Between the loop's turns nobody may wait for this process with the row. */
static bool
is_told(void *arg)
{
	assert_string_equal(
	    world_sql("select count(*) from pg_locks join pg_stat_activity using (pid) "
		      "where relation = 'media.storage'::regclass and state = "
		      "'idle in transaction'"),
	    "0");
	return *(bool *)arg;
}

static bool
is_set(void *flag)
{
	return *(bool *)flag;
}

static bool
waits_for_the_row(void *arg)
{
	(void)arg;
	return strcmp(world_sql("select count(*) from pg_locks where not granted and "
				"pid in (select pid from pg_stat_activity where "
				"datname = current_database())"),
		   "0") != 0;
}

static void
begin_to(void (*run)(trl_ctx *ctx, void *arg), struct telling *telling)
{
	const struct trl_spawn spec = {
		.name = "test", .run = run, .arg = telling, .timeout_ms = 30000
	};

	assert_int_equal(trl_spawn(world.loop, &spec), TRL_OK);
}

/* The last. */
static const char *
told(void)
{
	return world_sql("select encode(payload, 'hex') from media.outbox where "
			 "tenant_id = '%s' and type = 'media.storage.changed' order by "
			 "id desc limit 1",
	    world_id_text(home));
}

static void
store_five(void)
{
	world_sql("insert into media.storage values ('%s', 5, 0)", world_id_text(home));
}

static void
whoever_tells_how_much_is_stored_holds_up_no_upload(void **state)
{
	struct telling telling = { .over = false };

	(void)state;
	store_five();
	begin_to(tell, &telling);
	assert_true(trl_loop_run_until(world.loop, is_told, &telling.over, 30000));
	assert_int_equal(telling.rc, TRL_OK);
	assert_string_equal(told(), "0805");
}

static void
what_changes_while_it_is_told_is_told(void **state)
{
	struct telling telling = { .over = false };

	(void)state;
	store_five();
	begin_to(change, &telling);
	assert_true(trl_loop_run_until(world.loop, is_set, &telling.changed, 30000));
	begin_to(tell, &telling);
	assert_true(trl_loop_run_until(world.loop, waits_for_the_row, NULL, 30000));
	(void)trl_wake(telling.ticket);
	assert_true(trl_loop_run_until(world.loop, is_set, &telling.over, 30000));
	assert_int_equal(telling.rc, TRL_OK);
	assert_string_equal(told(), "0807");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    whoever_tells_how_much_is_stored_holds_up_no_upload, files_found,
		    world_forget),
		cmocka_unit_test_setup_teardown(
		    what_changes_while_it_is_told_is_told, files_found, world_forget),
	};

	return cmocka_run_group_tests(tests, files_open, world_close);
}
