/* What the operator sees and may do; and crons, which add jobs by themselves. */
#include "test_rig.h"

#include <trl/jobs_admin.h>

static struct trl_id tenant_a, tenant_b;

struct ask {
	struct trl_id id;
	struct trl_job_filter filter;
	enum trl_code rc;
	size_t n;
	struct trl_job_row rows[8];
	char error[64], kind[16], name[16];
};

static void
do_list(trl_ctx *ctx, void *arg)
{
	struct ask *ask = arg;
	struct trl_job_row *rows;

	ask->rc = trl_jobs_list(rig.workers[0], ctx, &ask->filter, &rows, &ask->n);
	if (ask->rc == TRL_OK)
		memcpy(ask->rows, rows, ask->n * sizeof *rows);
}

static void
do_show(trl_ctx *ctx, void *arg)
{
	struct ask *ask = arg;

	ask->rc = trl_jobs_show(rig.workers[0], ctx, ask->id, &ask->rows[0]);
	if (ask->rc != TRL_OK)
		return;
	Pgtest__Thing *thing =
	    pgtest__thing__unpack(NULL, ask->rows[0].payload_len, ask->rows[0].payload);
	snprintf(ask->name, sizeof ask->name, "%s", thing->name);
	snprintf(ask->kind, sizeof ask->kind, "%s", ask->rows[0].kind);
	snprintf(ask->error, sizeof ask->error, "%s", ask->rows[0].error);
	pgtest__thing__free_unpacked(thing, NULL);
}

static void
do_retry(trl_ctx *ctx, void *arg)
{
	struct ask *ask = arg;

	ask->rc = trl_jobs_retry(rig.workers[0], ctx, ask->id, NULL);
}

static void
do_cancel(trl_ctx *ctx, void *arg)
{
	struct ask *ask = arg;

	ask->rc = trl_jobs_cancel(rig.workers[0], ctx, ask->id, NULL);
}

static struct ask
only_job(void)
{
	struct ask ask = { 0 };
	const char *id = test_db_sql(&world.db, "select id from pgtest.job");

	assert_true(trl_id_parse(id, strlen(id), &ask.id));
	return ask;
}

static void
jobs_are_listed_by_state_kind_and_tenant_a_page_at_a_time(void **state)
{
	struct ask ask = { .filter = { .limit = 3 } };

	(void)state;
	rig_work(1, NULL);
	rig_add_many(&rig_task, tenant_a, "waits", 2);
	rig_add_many(&rig_narrow, tenant_b, "waits", 3);
	rig_wait_sql("4", "select count(*) from pgtest.job where state = 'running'");
	rig_act(do_list, &ask);
	assert_int_equal(ask.n, 3);
	ask.filter.after = ask.rows[2].id;
	rig_act(do_list, &ask);
	assert_int_equal(ask.n, 2);
	ask.filter = (struct trl_job_filter){ .limit = 8, .kind = "task" };
	rig_act(do_list, &ask);
	assert_int_equal(ask.n, 2);
	ask.filter = (struct trl_job_filter){
		.limit = 8, .tenant = &tenant_b, .state = "ready"
	};
	rig_act(do_list, &ask);
	assert_int_equal(ask.n, 1);
	assert_true(trl_id_eq(ask.rows[0].tenant, tenant_b));
	ask.filter = (struct trl_job_filter){ .limit = 8, .state = "dead" };
	rig_act(do_list, &ask);
	assert_int_equal(ask.n, 0);
}

static void
a_dead_job_is_shown_and_runs_again_when_retried(void **state)
{
	struct ask ask;

	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant_a, "fails 3", NULL);
	rig_wait_sql("dead", "select state from pgtest.job");
	ask = only_job();
	rig_act(do_show, &ask);
	assert_int_equal(ask.rc, TRL_OK);
	assert_string_equal(ask.name, "fails 3");
	assert_string_equal(ask.error, "UNAVAILABLE: as the test wants");
	assert_int_equal(ask.rows[0].trace.trace_id[0], 0xab);
	ask.filter = (struct trl_job_filter){ .limit = 8, .state = "dead" };
	rig_act(do_list, &ask);
	assert_int_equal(ask.n, 1);
	rig_act(do_retry, &ask);
	assert_int_equal(ask.rc, TRL_OK);
	rig_wait_runs(6);
	rig_wait_sql("dead", "select state from pgtest.job");
	assert_int_equal(rig.runs[3].attempt, 1);
	assert_int_equal(rig.told, 2);
}

static void
what_is_not_there_or_has_not_ended_is_refused(void **state)
{
	struct ask ask = { .id = trl_id_new() };

	(void)state;
	rig_work(1, NULL);
	rig_act(do_show, &ask);
	assert_int_equal(ask.rc, TRL_NOT_FOUND);
	rig_act(do_retry, &ask);
	assert_int_equal(ask.rc, TRL_NOT_FOUND);
	rig_act(do_cancel, &ask);
	assert_int_equal(ask.rc, TRL_NOT_FOUND);
	rig_add(&rig_task, tenant_a, "waits", NULL);
	rig_wait_runs(1);
	ask = only_job();
	rig_act(do_retry, &ask);
	assert_int_equal(ask.rc, TRL_PRECONDITION);
}

static void
a_waiting_job_is_cancelled_and_told(void **state)
{
	struct trl_job_terms later = { .run_at_us = trl_wall_us() + 3600000000 };
	struct ask ask;

	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant_a, "fine", &later);
	ask = only_job();
	rig_act(do_cancel, &ask);
	assert_int_equal(ask.rc, TRL_OK);
	rig_wait_sql("cancelled", "select state from pgtest.job where ended_at is not "
				  "null and lease_token is null");
	assert_int_equal(rig.told, 1);
	assert_int_equal(rig.n_runs, 0);
	rig_act(do_cancel, &ask);
	assert_int_equal(ask.rc, TRL_PRECONDITION);
}

static void
one_of_a_kind_that_is_not_told_is_cancelled_at_once(void **state)
{
	struct trl_job_terms later = { .run_at_us = trl_wall_us() + 3600000000 };
	struct ask ask;

	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_narrow, tenant_a, "fine", &later);
	ask = only_job();
	rig_act(do_cancel, &ask);
	assert_string_equal(
	    "cancelled", test_db_sql(&world.db, "select state from pgtest.job"));
}

static void
a_running_job_is_cut_off_cancelled_and_told(void **state)
{
	struct ask ask;

	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant_a, "waits", NULL);
	rig_wait_runs(1);
	ask = only_job();
	rig_act(do_cancel, &ask);
	assert_int_equal(ask.rc, TRL_OK);
	rig_wait_sql("cancelled", "select state from pgtest.job where ended_at is not "
				  "null");
	assert_int_equal(rig.running, 0);
	assert_int_equal(rig.told, 1);
	assert_int_equal(rig.n_runs, 1);
}

static void
ended_jobs_go_after_two_weeks_by_maintain(void **state)
{
	(void)state;
	rig_add_many(&rig_task, tenant_a, "fine", 3);
	test_db_sql(&world.db,
	    "update pgtest.job set state = case when id = (select min(id::text)::uuid "
	    "from pgtest.job) then 'ready' else 'dead' end, ended_at = now() - "
	    "interval "
	    "'15 days'");
	test_db_sql(&world.db, "update pgtest.job set ended_at = now() where id = "
			       "(select max(id::text)::uuid from pgtest.job)");
	assert_int_equal(trl_pg_maintain(world.db.admin, &pgtest_sql), TRL_OK);
	assert_string_equal(
	    "2", test_db_sql(&world.db, "select count(*) from pgtest.job"));
}

static const struct trl_cron each_night = {
	.name = "night", .when = "0 3 * * *", .zone = "Europe/Berlin", .kind = &rig_tick
};
static const struct trl_cron *const crons[] = { &each_night, NULL };

static void
a_tick_that_was_missed_runs_once_in_one_of_two_replicas(void **state)
{
	(void)state;
	rig_work(2, crons);
	rig_wait_sql("0 3 * * * Europe/Berlin", "select spec from pgtest.cron");
	assert_int_equal(rig.n_runs, 0);
	test_db_sql(
	    &world.db, "update pgtest.cron set next_at = now() - interval '5 days'");
	rig_wait_runs(1);
	rig_idle(400);
	assert_int_equal(rig.n_runs, 1);
	assert_true(trl_id_is_nil(rig.runs[0].tenant));
	assert_string_equal(
	    "t 03:00", test_db_sql(&world.db,
			   "select (next_at > now())::text::char || ' ' || "
			   "to_char(next_at at time "
			   "zone 'Europe/Berlin', 'HH24:MI') from pgtest.cron"));
}

static void
a_tick_whose_last_job_waits_adds_none(void **state)
{
	(void)state;
	rig_work(1, crons);
	rig_wait_sql("1", "select count(*) from pgtest.cron");
	test_db_sql(&world.db,
	    "insert into pgtest.job (id, tenant_id, kind, state, priority, run_at, "
	    "attempt, attempts, key, payload, trace, made_at) values "
	    "(gen_random_uuid(), "
	    "'00000000-0000-0000-0000-000000000000', 'tick', 'scheduled', 0, now() + "
	    "interval '1 hour', 0, 25, 'cron:night', '', '', now())");
	test_db_sql(
	    &world.db, "update pgtest.cron set next_at = now() - interval '1 minute'");
	rig_wait_sql("1", "select count(*) from pgtest.cron where next_at > now()");
	assert_string_equal(
	    "1", test_db_sql(&world.db, "select count(*) from pgtest.job"));
}

static void
a_release_with_another_time_changes_the_row(void **state)
{
	static const struct trl_cron changed = {
		.name = "night", .when = "30 4 * * *", .kind = &rig_tick
	};
	static const struct trl_cron *const others[] = { &changed, NULL };

	(void)state;
	rig_work(1, crons);
	rig_wait_sql("1", "select count(*) from pgtest.cron");
	rig_stop(0);
	rig_work(1, others);
	rig_wait_sql("30 4 * * * UTC",
	    "select spec from pgtest.cron where next_at at "
	    "time zone 'UTC' > now() at time zone 'UTC' and "
	    "to_char(next_at at time zone 'UTC', 'HH24MI') = "
	    "'0430'");
}

static void
a_cron_that_cannot_be_read_stops_the_start(void **state)
{
	static const struct trl_cron rows[] = {
		{ .name = "a", .when = "0 3 * *", .kind = &rig_tick },
		{ .name = "b", .when = "0 3 * * *", .zone = "Mars", .kind = &rig_tick },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const struct trl_cron *const list[] = { &rows[i], NULL };
		struct trl_jobs_options options = {
			.service = "pgtest", .sys = rig.sys[0], .crons = list
		};
		trl_jobs *jobs = NULL;

		assert_int_equal(
		    trl_jobs_open(world.loop, &options, &jobs), TRL_INTERNAL);
		assert_null(jobs);
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_reset, rig_reset)
	const struct CMUnitTest tests[] = {
		T(jobs_are_listed_by_state_kind_and_tenant_a_page_at_a_time),
		T(a_dead_job_is_shown_and_runs_again_when_retried),
		T(what_is_not_there_or_has_not_ended_is_refused),
		T(a_waiting_job_is_cancelled_and_told),
		T(one_of_a_kind_that_is_not_told_is_cancelled_at_once),
		T(a_running_job_is_cut_off_cancelled_and_told),
		T(ended_jobs_go_after_two_weeks_by_maintain),
		T(a_tick_that_was_missed_runs_once_in_one_of_two_replicas),
		T(a_tick_whose_last_job_waits_adds_none),
		T(a_release_with_another_time_changes_the_row),
		T(a_cron_that_cannot_be_read_stops_the_start),
	};

	tenant_a = trl_id_new();
	tenant_b = trl_id_new();
	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
