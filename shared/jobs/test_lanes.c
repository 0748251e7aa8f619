/* test_lanes.c - jobs that hold their slots for as long as somebody outside pleases: of
 * a kind with lanes, what is held is shared out between tenants, and between a tenant's
 * lanes. The jobs that "wait" end only when the case is over. */
#include "test_rig.h"

static bool
has_run(void *tenant)
{
	for (size_t i = 0; i < rig.n_runs; i++)
		if (trl_id_eq(rig.runs[i].tenant, *(struct trl_id *)tenant))
			return true;
	return false;
}

static bool
has_ended(void *name)
{
	for (size_t i = 0; i < rig.n_runs; i++)
		if (strcmp(rig.runs[i].name, name) == 0)
			return true;
	return false;
}

static bool
are_running(void *n)
{
	return rig.running >= (size_t)n;
}

/* So many run at last, and no more come. */
static void
holds(size_t n)
{
	rig_wait(are_running, (void *)n);
	rig_idle(300);
	assert_int_equal(rig.running, n);
}

static void
tenants_that_hold_all_they_may_leave_a_slot_to_the_next(void **state)
{
	struct trl_id next = trl_id_new();

	(void)state;
	for (int i = 0; i < 8; i++)
		rig_add_to_lane(trl_id_new(), trl_id_new(), "waits", 10);
	rig_work(1, NULL);
	holds(15);
	rig_add_to_lane(next, trl_id_new(), "fine", 20);
	rig_wait(has_run, &next);
	rig.open = true;
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.n_runs, 100);
}

static void
the_platform_leaves_half_as_any_other(void **state)
{
	struct trl_id next = trl_id_new();

	(void)state;
	for (int i = 0; i < 8; i++)
		rig_add_to_lane(trl_id_nil, trl_id_new(), "waits", 10);
	rig_work(1, NULL);
	holds(8);
	rig_add_to_lane(next, trl_id_new(), "fine", 1);
	rig_wait(has_run, &next);
}

static void
a_lane_that_waits_holds_up_no_other_of_its_tenant(void **state)
{
	struct trl_id tenant = trl_id_new();

	(void)state;
	rig_add_to_lane(tenant, trl_id_new(), "waits", 50);
	rig_work(1, NULL);
	holds(4);
	rig_add_to_lane(tenant, trl_id_new(), "fine", 50);
	rig_wait_sql("50", "select count(*) from pgtest.job");
	assert_int_equal(rig.running, 4);
	rig.open = true;
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.n_runs, 100);
}

static void
lanes_that_hold_all_they_may_leave_a_slot_to_the_next(void **state)
{
	struct trl_id tenant = trl_id_new();

	(void)state;
	for (int i = 0; i < 5; i++)
		rig_add_to_lane(tenant, trl_id_new(), "waits", 10);
	rig_work(1, NULL);
	holds(7);
	rig_add_to_lane(tenant, trl_id_new(), "fine", 5);
	rig_wait_sql("50", "select count(*) from pgtest.job");
}

static void
lanes_take_turns_and_order_is_kept_in_each(void **state)
{
	struct trl_id tenant = trl_id_new(), lane = trl_id_new();
	const struct trl_job_terms high = { .priority = 5, .lane = lane };

	(void)state;
	rig_add_to_lane(tenant, lane, "fine", 100);
	rig_add(&rig_outside, tenant, "high", &high);
	rig_add_to_lane(tenant, trl_id_new(), "other", 1);
	rig_work(1, NULL);
	rig_wait(has_ended, (void *)(uintptr_t) "other");
	assert_in_range(rig.n_runs, 1, 13); /* within the first claim */
	rig_wait(has_ended, (void *)(uintptr_t) "high");
	assert_in_range(rig.n_runs, 1, 13);
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.n_runs, 102);
}

static void
a_lane_has_no_more_than_its_share_running_in_all_replicas(void **state)
{
	(void)state;
	rig_add_to_lane(trl_id_new(), trl_id_new(), "waits", 10);
	rig_work(2, NULL);
	holds(4);
	rig.open = true;
	rig_wait_sql("0", "select count(*) from pgtest.job");
	assert_int_equal(rig.n_runs, 10);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_reset, rig_reset)
	const struct CMUnitTest tests[] = {
		T(tenants_that_hold_all_they_may_leave_a_slot_to_the_next),
		T(the_platform_leaves_half_as_any_other),
		T(a_lane_that_waits_holds_up_no_other_of_its_tenant),
		T(lanes_that_hold_all_they_may_leave_a_slot_to_the_next),
		T(lanes_take_turns_and_order_is_kept_in_each),
		T(a_lane_has_no_more_than_its_share_running_in_all_replicas),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
