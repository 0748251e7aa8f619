/* Jobs on a real PostgreSQL: once, again, and never more. */
#include "test_rig.h"

static struct trl_id tenant_a, tenant_b;
static const char reads[] =
    "trellis_pg_batch_seconds_count{schema=\"pgtest_sys\",kind=\"read\"}";
static const char writes[] =
    "trellis_pg_batch_seconds_count{schema=\"pgtest_sys\",kind=\"write\"}";

/* What a job is. */

static void
a_job_runs_once_with_its_tenant_key_and_trace_and_its_row_goes(void **state)
{
	char key[80];

	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant_a, "fine", NULL);
	rig_wait_runs(1);
	rig_wait_sql("0", "select count(*) from pgtest.job");
	rig_idle(200);
	assert_int_equal(rig.n_runs, 1);
	assert_true(trl_id_eq(rig.runs[0].tenant, tenant_a));
	assert_int_equal(rig.runs[0].attempt, 1);
	assert_int_equal(rig.principal, TRL_SERVICE);
	assert_int_equal(rig.trace.trace_id[3], 0xab);
	memcpy(key, "job:", 4);
	trl_id_format(rig.runs[0].id, key + 4);
	assert_string_equal(rig.key, key);
}

static bool
has_looked(void *want)
{
	return rig_metric(reads) >= *(double *)want;
}

static void
this_process_runs_it_at_once_and_does_not_wait_to_look(void **state)
{
	double looked = rig_metric(reads);

	(void)state;
	rig.idle_poll_ms = 30000;
	rig_work(1, NULL);
	rig_wait(has_looked, &(double){ looked + 7 }); /* seconds apart by now */
	looked = rig_metric(reads);
	rig_add(&rig_task, tenant_a, "fine", NULL);
	rig_wait_runs(1);
	assert_true(rig_metric(reads) == looked);
}

static void
its_log_lines_carry_tenant_and_job(void **state)
{
	char id[TRL_ID_TEXT], want[80];

	(void)state;
	rig_add(&rig_task, tenant_a, "fails 1", NULL);
	snprintf(
	    id, sizeof id, "%s", test_db_sql(&world.db, "select id from pgtest.job"));
	rig_child();
	snprintf(want, sizeof want, "\"job\":\"%s\",\"kind\":\"task\"", id);
	rig_wait(rig_child_said, want);
	trl_id_format(tenant_a, id);
	snprintf(want, sizeof want, "\"tenant\":\"%s\"", id);
	assert_true(rig_child_said(want));
	snprintf(want, sizeof want, "%s",
	    "\"trace_id\":\"abababababababababababababababab\"");
	assert_true(rig_child_said(want));
}

static void
a_job_of_the_platform_has_no_tenant(void **state)
{
	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, trl_id_nil, "writes", NULL);
	rig_wait_runs(1);
	assert_true(trl_id_is_nil(rig.runs[0].tenant));
}

static void
fail_with_a_job(trl_ctx *ctx, void *arg)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant_a));
	Pgtest__Thing thing = PGTEST__THING__INIT;
	Pgtest__Thing *twice = world_thing(ctx, tenant_a, "twice");

	trl_batch_job(batch, &rig_task, NULL, &thing.base);
	trl_batch_add(batch, &pgtest_sql_thing_insert, &twice->base);
	trl_batch_add(batch, &pgtest_sql_thing_insert, &twice->base);
	*(enum trl_code *)arg = trl_batch_write(batch, NULL);
}

static void
a_job_whose_fact_is_not_written_is_not_either(void **state)
{
	enum trl_code rc = TRL_OK;

	(void)state;
	rig_work(1, NULL);
	rig_act(fail_with_a_job, &rc);
	assert_int_not_equal(rc, TRL_OK);
	assert_string_equal(
	    "0", test_db_sql(&world.db, "select count(*) from pgtest.job"));
	rig_idle(150);
	assert_int_equal(rig.n_runs, 0);
}

static void
add_by_tx(trl_ctx *ctx, void *arg)
{
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;
	Pgtest__Thing thing = PGTEST__THING__INIT;
	enum trl_code *rc = arg;

	*rc = trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(tenant_a), &tx);
	if (*rc != TRL_OK)
		return;
	trl_tx_job(tx, &rig_task, NULL, &thing.base);
	*rc = trl_tx_commit(&tx, NULL);
}

static void
a_transaction_adds_one_too(void **state)
{
	enum trl_code rc = TRL_INTERNAL;

	(void)state;
	rig_work(1, NULL);
	rig_act(add_by_tx, &rc);
	assert_int_equal(rc, TRL_OK);
	rig_wait_runs(1);
	assert_true(trl_id_eq(rig.runs[0].tenant, tenant_a));
}

static void
one_for_later_runs_when_its_time_has_come(void **state)
{
	struct trl_job_terms later = { .run_at_us = trl_wall_us() + 300000 };
	uint64_t began = trl_mono_us();

	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant_a, "fine", &later);
	assert_string_equal(
	    "scheduled", test_db_sql(&world.db, "select state from pgtest.job"));
	rig_wait_runs(1);
	assert_true(trl_mono_us() - began >= 290000);
}

static void
a_kind_that_is_not_known_here_is_left_alone(void **state)
{
	struct trl_job_kind other = rig_task;

	(void)state;
	other.name = "other";
	rig_work(1, NULL);
	rig_add(&other, tenant_a, "fine", NULL);
	rig_idle(300);
	assert_string_equal(
	    "ready 0", test_db_sql(&world.db, "select state || ' ' || attempt from "
					      "pgtest.job"));
}

static void
a_job_that_fails_runs_again_with_the_next_attempt(void **state)
{
	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant_a, "fails 2", NULL);
	rig_wait_runs(3);
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.runs[2].attempt, 3);
	assert_int_equal(rig.told, 0);
}

static void
after_its_attempts_it_is_dead_kept_with_its_error_and_told_once(void **state)
{
	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant_a, "fails 9", NULL);
	rig_wait_sql("dead 3 UNAVAILABLE: as the test wants",
	    "select state || ' ' || attempt || ' ' || error from pgtest.job "
	    "where ended_at is not null");
	rig_idle(200);
	assert_int_equal(rig.n_runs, 3);
	assert_int_equal(rig.told, 1);
}

static void
asking_for_another_time_uses_up_no_attempt(void **state)
{
	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant_a, "again", NULL);
	rig_wait_runs(2);
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.runs[1].attempt, 1);
}

static void
what_comes_for_the_next_thing_has_all_its_attempts(void **state)
{
	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant_a, "goes on", NULL);
	rig_wait_runs(12);
	assert_int_equal(rig.runs[10].attempt + rig.runs[11].attempt, 1 + 2);
}

static void
a_failure_may_ask_for_more_time_than_its_kind_waits(void **state)
{
	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant_a, "later", NULL);
	rig_wait_sql("scheduled 1 t",
	    "select state || ' ' || attempt || ' ' || (run_at between now() + interval "
	    "'3500 s' and now() + interval '3600 s')::text::char from pgtest.job");
}

static void
giving_up_ends_it_at_once(void **state)
{
	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant_a, "hopeless", NULL);
	rig_wait_sql("dead 1 given up: there is no hope",
	    "select state || ' ' || attempt || ' ' || error from pgtest.job");
	assert_int_equal(rig.told, 1);
}

static void
an_error_that_is_no_text_is_kept_as_one(void **state)
{
	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant_a, "garbled", NULL);
	rig_wait_sql("UNAVAILABLE: caf? ? ?",
	    "select error from pgtest.job where state = 'dead'");
}

static void
an_outcome_that_cannot_be_written_holds_up_no_other(void **state)
{
	(void)state;
	test_db_sql(&world.db, "alter table pgtest.job add constraint no_hope check "
			       "(error not like 'given up%%')");
	rig_add(&rig_task, tenant_a, "hopeless", NULL);
	rig_add_many(&rig_task, tenant_a, "fine", 5);
	rig_work(1, NULL);
	rig_wait_sql(
	    "1 running", "select count(*) || ' ' || min(state) from pgtest.job");
	test_db_sql(&world.db, "alter table pgtest.job drop constraint no_hope");
	rig_wait_sql("dead", "select state from pgtest.job");
}

static void
a_payload_that_cannot_be_read_is_dead_with_a_reason(void **state)
{
	(void)state;
	rig_add(&rig_task, tenant_a, "fine", NULL);
	test_db_sql(&world.db, "update pgtest.job set payload = '\\xffffff'");
	rig_work(1, NULL);
	rig_wait_sql("dead", "select state from pgtest.job");
	assert_non_null(strstr(test_db_sql(&world.db, "select error from pgtest.job"),
	    "the payload cannot be read: MALFORMED"));
	assert_int_equal(rig.n_runs, 0);
}

static void
the_wait_grows_with_the_attempts_and_has_a_bound(void **state)
{
	static const uint32_t table[] = { 5, 60 };
	static const struct {
		struct trl_job_kind kind;
		unsigned attempt;
		int64_t s;
	} rows[] = {
		{ { .name = "power" }, 1, 1 },
		{ { .name = "power" }, 3, 81 },
		{ { .name = "power" }, 7, 2401 },
		{ { .name = "power" }, 8, 3600 },
		{ { .name = "power" }, 4000000000u, 3600 },
		{ { .delays_s = table, .n_delays = 2 }, 1, 5 },
		{ { .delays_s = table, .n_delays = 2 }, 2, 60 },
		{ { .delays_s = table, .n_delays = 2 }, 9, 60 },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		for (int n = 0; n < 50; n++) {
			int64_t ms = jobs_backoff_ms(&rows[i].kind, rows[i].attempt);

			assert_in_range(ms, rows[i].s * 900, rows[i].s * 1100);
		}
}

static void
while_one_of_a_key_waits_another_is_not_added(void **state)
{
	struct trl_job_terms keyed = { .key = "digest" };

	(void)state;
	rig_add(&rig_task, tenant_a, "waits", &keyed);
	rig_add(&rig_task, tenant_a, "waits", &keyed);
	rig_add(&rig_task, tenant_b, "waits", &keyed);
	rig_add(&rig_narrow, tenant_a, "waits", &keyed);
	assert_string_equal(
	    "3", test_db_sql(&world.db, "select count(*) from pgtest.job"));
	rig_work(1, NULL);
	rig_wait_runs(3); /* it runs: the next one may wait */
	rig_add(&rig_task, tenant_a, "waits", &keyed);
	rig_wait_runs(4);
	rig.open = true;
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.n_runs, 4);
}

static void
one_that_failed_waits_beside_a_newer_one_of_its_key(void **state)
{
	struct trl_job_terms keyed = { .key = "digest" };
	struct trl_job_terms later = { .key = "digest",
		.run_at_us = trl_wall_us() + 3600000000 };

	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_narrow, tenant_a, "waits, fails", &keyed);
	rig_wait_runs(1);
	rig_add(&rig_narrow, tenant_a, "fine", &later);
	rig.open = true;
	rig_wait_sql("digest,",
	    "select string_agg(coalesce(key, ''), ',' order by "
	    "run_at desc) from pgtest.job where state = 'scheduled' "
	    "having count(*) = 2");
}

/* What it reads goes over connections that are read-only, and can leave no WAL. */
static void
an_idle_worker_looks_and_writes_nothing(void **state)
{
	double read, written;

	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant_a, "fine", NULL);
	rig_wait_sql("0", "select count(*) from pgtest.job");
	rig_idle(300);
	read = rig_metric(reads);
	written = rig_metric(writes);
	assert_true(written > 0);
	for (int i = 0; i < 100 && rig_metric(reads) < read + 10; i++)
		rig_idle(100);
	assert_true(rig_metric(reads) >= read + 10);
	assert_true(rig_metric(writes) == written);
	assert_string_equal("0",
	    test_db_sql(&world.db, "select count(*) from pg_locks where relation = "
				   "'pgtest.job'::regclass and mode <> "
				   "'AccessShareLock'"));
}

int
main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_reset, rig_reset)
	const struct CMUnitTest tests[] = {
		T(a_job_runs_once_with_its_tenant_key_and_trace_and_its_row_goes),
		T(this_process_runs_it_at_once_and_does_not_wait_to_look),
		T(its_log_lines_carry_tenant_and_job),
		T(a_job_of_the_platform_has_no_tenant),
		T(a_job_whose_fact_is_not_written_is_not_either),
		T(a_transaction_adds_one_too),
		T(one_for_later_runs_when_its_time_has_come),
		T(a_kind_that_is_not_known_here_is_left_alone),
		T(a_job_that_fails_runs_again_with_the_next_attempt),
		T(after_its_attempts_it_is_dead_kept_with_its_error_and_told_once),
		T(asking_for_another_time_uses_up_no_attempt),
		T(what_comes_for_the_next_thing_has_all_its_attempts),
		T(a_failure_may_ask_for_more_time_than_its_kind_waits),
		T(giving_up_ends_it_at_once),
		T(an_error_that_is_no_text_is_kept_as_one),
		T(an_outcome_that_cannot_be_written_holds_up_no_other),
		T(a_payload_that_cannot_be_read_is_dead_with_a_reason),
		T(the_wait_grows_with_the_attempts_and_has_a_bound),
		T(while_one_of_a_key_waits_another_is_not_added),
		T(one_that_failed_waits_beside_a_newer_one_of_its_key),
		T(an_idle_worker_looks_and_writes_nothing),
	};

	rig_is_child(argc, argv);
	tenant_a = trl_id_new();
	tenant_b = trl_id_new();
	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
