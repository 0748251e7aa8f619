/* Many jobs, many tenants, two workers: each in its turn, and none twice. */
#include "test_rig.h"

static struct trl_id tenant_a, tenant_b;

static size_t
runs_of(struct trl_id tenant, size_t among)
{
	size_t n = 0;

	for (size_t i = 0; i < rig.n_runs && i < among; i++)
		n += trl_id_eq(rig.runs[i].tenant, tenant);
	return n;
}

static void
two_workers_never_run_the_same_job(void **state)
{
	(void)state;
	rig_add_many(&rig_task, tenant_a, "fine", 200);
	rig_add_many(&rig_task, tenant_b, "fine", 200);
	rig_work(2, NULL);
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.n_runs, 400);
	for (size_t i = 0; i < rig.n_runs; i++)
		assert_int_equal(rig.runs[i].attempt, 1);
	assert_int_equal(runs_of(tenant_a, 400), 200);
}

static void
a_tenant_has_no_more_than_its_cap_running_in_all_replicas(void **state)
{
	(void)state;
	rig_add_many(&rig_narrow, tenant_a, "waits", 10);
	rig_work(1, NULL);
	rig_wait_runs(2);
	rig_work(2, NULL); /* opens another in place 1; 0 stays as it is */
	rig_idle(300);
	assert_int_equal(rig.most_running, 2);
	rig_add(&rig_narrow, tenant_b, "waits", NULL);
	rig_wait_runs(3); /* another's is not held up */
	rig.open = true;
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.n_runs, 11);
}

static void
the_platforms_own_jobs_have_all_slots(void **state)
{
	(void)state;
	rig_add_many(&rig_narrow, trl_id_nil, "waits", 8);
	rig_work(1, NULL);
	rig_wait_runs(8); /* none of which has ended */
	assert_int_equal(rig.running, 8);
	rig.open = true;
	rig_wait_sql("0", "select count(*) from pgtest.job");
}

static void
a_flood_of_one_tenant_does_not_stand_before_anothers_job(void **state)
{
	size_t at = 0;

	(void)state;
	rig_add_many(&rig_task, tenant_a, "fine", 600);
	rig_add(&rig_task, tenant_b, "fine", NULL);
	rig_work(1, NULL);
	rig_wait_runs(601);
	while (!trl_id_eq(rig.runs[at].tenant, tenant_b))
		at++;
	assert_in_range(at, 0, 8); /* within the first claim */
}

static void
a_tenant_of_more_weight_has_more_turns(void **state)
{
	char a[TRL_ID_TEXT];

	(void)state;
	trl_id_format(tenant_a, a);
	test_db_sql(&world.db, "insert into pgtest.job_weight values ('%s', 3)", a);
	rig_add_many(&rig_task, tenant_a, "fine", 200);
	rig_add_many(&rig_task, tenant_b, "fine", 200);
	rig_work(1, NULL);
	rig_wait_runs(400);
	assert_in_range(runs_of(tenant_a, 200), 135, 165);
}

static void
within_a_tenant_priority_comes_first_then_time(void **state)
{
	struct trl_job_terms high = { .priority = 5 }, low = { .priority = -1 };

	(void)state;
	rig_add(&rig_narrow, tenant_a, "low", &low);
	rig_add(&rig_narrow, tenant_a, "first", NULL);
	rig_add(&rig_narrow, tenant_a, "second", NULL);
	rig_add(&rig_narrow, tenant_a, "high", &high);
	rig_work(1, NULL);
	rig_wait_runs(4);
	/* Two at a time: the better half before the other. */
	for (size_t i = 0; i < 4; i++)
		assert_true((i < 2) == (strcmp(rig.runs[i].name, "high") == 0 ||
					   strcmp(rig.runs[i].name, "first") == 0));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_reset, rig_reset)
	const struct CMUnitTest tests[] = {
		T(two_workers_never_run_the_same_job),
		T(a_tenant_has_no_more_than_its_cap_running_in_all_replicas),
		T(the_platforms_own_jobs_have_all_slots),
		T(a_flood_of_one_tenant_does_not_stand_before_anothers_job),
		T(a_tenant_of_more_weight_has_more_turns),
		T(within_a_tenant_priority_comes_first_then_time),
	};

	tenant_a = trl_id_new();
	tenant_b = trl_id_new();
	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
