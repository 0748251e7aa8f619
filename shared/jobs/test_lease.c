/* Who may say how a job ended, when workers freeze, die, stop or lose their
 * connections. */
#include "test_rig.h"

#include <signal.h>

static struct trl_id tenant;

static void
a_frozen_workers_job_is_taken_over_and_its_late_outcome_is_dropped(void **state)
{
	(void)state;
	rig_add(&rig_task, tenant, "dawdles", NULL);
	rig_child();
	rig_wait_sql("running", "select state from pgtest.job");
	rig_signal(SIGSTOP);
	rig_work(1, NULL);
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.n_runs, 1);
	assert_int_equal(rig.runs[0].attempt, 2);
	rig_signal(SIGCONT); /* it goes on as if nothing had been */
	rig_wait(rig_child_said, "a job's outcome came too late");
	assert_string_equal(
	    "1", test_db_sql(&world.db, "select count(*) from pgtest.thing"));
	assert_true(rig_count("task", "lapsed") >= 1);
}

static void
a_process_that_dies_between_effect_and_outcome_leaves_one_effect(void **state)
{
	(void)state;
	rig_add(&rig_task, tenant, "kills", NULL);
	rig_child();
	rig_wait_sql("1", "select count(*) from pgtest.thing");
	rig_wait_sql("t", "select expires_at > now() + interval '14 days' from "
			  "pgtest.idempotency where key like 'job:%'");
	rig_work(1, NULL);
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.n_runs, 1);
	assert_int_equal(rig.runs[0].attempt, 2);
	assert_string_equal(
	    "1", test_db_sql(&world.db, "select count(*) from pgtest.thing"));
	/* Kept for as long as the job could have come back; now for a day. */
	rig_wait_sql("t", "select expires_at between now() + interval '23 hours' and "
			  "now() + interval '25 hours' from pgtest.idempotency where "
			  "key like 'job:%'");
}

static bool
has_things(void *n)
{
	return atoi(test_db_sql(&world.db, "select count(*) from pgtest.thing")) >=
	       (int)(size_t)n;
}

static void
killed_again_and_again_each_job_has_exactly_one_effect(void **state)
{
	enum { ALL = 120, KILLS = 5 };

	(void)state;
	rig_add_many(&rig_task, tenant, "writes", ALL);
	test_db_sql(&world.db, "update pgtest.job set attempts = 25");
	for (size_t kill = 1; kill <= KILLS; kill++) {
		rig_child();
		rig_wait(has_things, (void *)(kill * ALL / (KILLS + 1)));
		rig_child_end(); /* SIGKILL, in the midst of it */
	}
	rig_work(2, NULL);
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_string_equal(
	    "120", test_db_sql(&world.db, "select count(*) from pgtest.thing"));
}

static void
crashes_use_up_the_attempts_and_then_it_is_dead_and_told(void **state)
{
	(void)state;
	rig_add(&rig_task, tenant, "fine", NULL);
	test_db_sql(&world.db,
	    "update pgtest.job set state = 'running', attempt = 3, lease_token = "
	    "gen_random_uuid(), lease_until = now() - interval '1 second'");
	rig_work(1, NULL);
	rig_wait_sql(
	    "dead its worker was lost", "select state || ' ' || error from pgtest.job");
	assert_int_equal(rig.n_runs, 0);
	assert_int_equal(rig.told, 1);
}

static void
heartbeats_keep_a_long_job(void **state)
{
	(void)state;
	rig.lease_ms = 3000;
	rig_work(2, NULL);
	rig_add(&rig_task, tenant, "waits", NULL);
	rig_wait_runs(1);
	rig_idle(6500); /* more than two leases */
	rig.open = true;
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.n_runs, 1);
}

static void
what_a_claim_took_whose_answer_was_lost_is_given_back_at_once(void **state)
{
	struct trl_id token = trl_id_random();
	char text[TRL_ID_TEXT];

	(void)state;
	trl_id_format(token, text);
	rig_add(&rig_task, tenant, "fine", NULL);
	test_db_sql(&world.db,
	    "update pgtest.job set state = 'running', attempt = 1, "
	    "lease_token = '%s', lease_until = now() + interval '1 hour'",
	    text);
	rig_work(1, NULL);
	rig.workers[0]->lost_claim = token;
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.n_runs, 1);
	assert_int_equal(rig.runs[0].attempt, 1);
}

static void
a_job_whose_lease_is_anothers_is_cut_off_and_says_nothing(void **state)
{
	double fenced = rig_count("task", "fenced");

	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant, "waits", NULL);
	rig_wait_runs(1);
	test_db_sql(&world.db, "update pgtest.job set lease_token = gen_random_uuid(), "
			       "lease_until = now() + interval '1 hour'");
	for (int i = 0; i < 100 && rig_count("task", "fenced") == fenced; i++)
		rig_idle(20);
	assert_true(rig_count("task", "fenced") == fenced + 1);
	assert_int_equal(rig.running, 0);
	assert_string_equal(
	    "running 1", test_db_sql(&world.db, "select state || ' ' || attempt from "
						"pgtest.job"));
}

static void
an_outcome_that_comes_between_two_heartbeats_is_fenced_too(void **state)
{
	double fenced = rig_count("task", "fenced");

	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant, "waits", NULL);
	rig_wait_runs(1);
	test_db_sql(&world.db, "update pgtest.job set lease_token = gen_random_uuid(), "
			       "lease_until = now() + interval '1 hour'");
	rig.open = true;
	for (int i = 0; i < 100 && rig_count("task", "fenced") == fenced; i++)
		rig_idle(5);
	assert_true(rig_count("task", "fenced") == fenced + 1);
	assert_string_equal(
	    "running", test_db_sql(&world.db, "select state from pgtest.job"));
}

static void
a_worker_that_stops_gives_back_what_does_not_end(void **state)
{
	(void)state;
	rig_work(1, NULL);
	rig_add(&rig_task, tenant, "waits", NULL);
	rig_wait_runs(1);
	rig_stop(0);
	assert_string_equal(
	    "ready 0", test_db_sql(&world.db, "select state || ' ' || attempt from "
					      "pgtest.job"));
	rig.open = true;
	rig_work(1, NULL);
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.runs[1].attempt, 1);
}

static void
a_worker_that_stops_lets_end_what_ends(void **state)
{
	(void)state;
	rig.release_ms = 20000; /* what ends does so before */
	rig_work(1, NULL);
	rig_add(&rig_task, tenant, "waits", NULL);
	rig_wait_runs(1);
	trl_jobs_drain(rig.workers[0]);
	rig_add_many(&rig_task, tenant, "fine", 3); /* claimed no more */
	rig.open = true;
	rig_stop(0);
	assert_int_equal(rig.n_runs, 1);
	assert_string_equal(
	    "3", test_db_sql(&world.db, "select count(*) from pgtest.job"));
}

static void
cut_connections(void)
{
	test_db_sql(&world.db, "select count(pg_terminate_backend(pid)) from "
			       "pg_stat_activity where usename = 'pgtest_sys' and "
			       "datname = current_database()");
}

static void
outcomes_survive_lost_connections(void **state)
{
	(void)state;
	rig_work(1, NULL);
	rig_add_many(&rig_task, tenant, "waits", 5);
	rig_wait_runs(5);
	cut_connections();
	rig.open = true;
	rig_wait_sql("0", "select count(*) from pgtest.job");
}

static void
work_goes_on_after_connections_were_lost_for_longer_than_a_lease(void **state)
{
	(void)state;
	rig_work(1, NULL);
	rig_add_many(&rig_task, tenant, "waits", 5);
	rig_wait_runs(5);
	for (int i = 0; i < 60; i++) {
		cut_connections();
		rig_idle(25);
	}
	rig.open = true;
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_true(rig.n_runs <= 10); /* each once more at most */
}

int
main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_reset, rig_reset)
	const struct CMUnitTest tests[] = {
		T(outcomes_survive_lost_connections),
		T(a_frozen_workers_job_is_taken_over_and_its_late_outcome_is_dropped),
		T(a_process_that_dies_between_effect_and_outcome_leaves_one_effect),
		T(killed_again_and_again_each_job_has_exactly_one_effect),
		T(crashes_use_up_the_attempts_and_then_it_is_dead_and_told),
		T(heartbeats_keep_a_long_job),
		T(what_a_claim_took_whose_answer_was_lost_is_given_back_at_once),
		T(a_job_whose_lease_is_anothers_is_cut_off_and_says_nothing),
		T(an_outcome_that_comes_between_two_heartbeats_is_fenced_too),
		T(a_worker_that_stops_gives_back_what_does_not_end),
		T(a_worker_that_stops_lets_end_what_ends),
		T(outcomes_survive_lost_connections),
		T(work_goes_on_after_connections_were_lost_for_longer_than_a_lease),
	};

	rig_is_child(argc, argv);
	tenant = trl_id_new();
	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
