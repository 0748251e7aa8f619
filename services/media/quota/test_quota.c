/* How much an organisation stores, and that uploads which come together do not pass its
 * limit together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/metrics.h>

#include "quota/quota.h"
#include "test_plan.h"
#include "test_service.h"

enum { TOGETHER = 200 };

static struct trl_id home;

/* An organisation of its own, whose plan has room for 1,000 bytes. */
static int
begin(void **state)
{
	(void)state;
	home = trl_id_new();
	memset(&plan_says, 0, sizeof plan_says);
	plan_says.known = true;
	plan_says.number = 1000;
	plan_says.plan = "team";
	return 0;
}

struct step {
	uint64_t reserve, commit, used, release, free;
	struct trl_err err;
	enum trl_code rc;
	unsigned *over;
};

static enum trl_code
write_step(trl_ctx *ctx, struct step *step)
{
	struct media *self = world.self;
	struct quota quota;
	trl_batch *work;
	enum trl_code rc;

	ctx->tenant = home;
	rc = quota_limit(self, ctx, &quota);
	if (rc != TRL_OK)
		return rc;
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(home));
	if (step->reserve)
		quota_reserve(work, step->reserve, &quota);
	if (step->commit || step->used)
		quota_commit(work, step->commit, step->used);
	quota_release(work, step->release);
	quota_free(work, step->free);
	return quota_write_unrecorded(self, work, &quota);
}

static void
run_step(trl_ctx *ctx, void *arg)
{
	struct step *step = arg;

	step->rc = write_step(ctx, step);
	step->err = ctx->err;
	if (step->over)
		++*step->over;
}

static enum trl_code
take(struct step step)
{
	world_act(run_step, &step);
	world.err = step.err;
	return step.rc;
}

static Media__V1__Storage *
storage(void)
{
	Media__V1__GetStorageRequest ask = MEDIA__V1__GET_STORAGE_REQUEST__INIT;
	struct world_caller who = { .person = world_person_new("ann", true),
		.tenant = home };
	Media__V1__Storage *out;

	assert_int_equal(
	    world_call(&who, &media_v1_get_storage, &ask.base, &out), TRL_OK);
	return out;
}

static void
expect_storage(uint64_t used, uint64_t reserved)
{
	Media__V1__Storage *now = storage();

	assert_int_equal(now->used, used);
	assert_int_equal(now->reserved, reserved);
}

static void
what_uploads_begin_is_reserved_and_what_they_end_as_is_used(void **state)
{
	(void)state;
	expect_storage(0, 0);
	assert_int_equal(storage()->limit, 1000);
	assert_int_equal(take((struct step){ .reserve = 600 }), TRL_OK);
	expect_storage(0, 600);
	assert_int_equal(take((struct step){ .reserve = 400 }), TRL_OK);
	assert_int_equal(take((struct step){ .commit = 600, .used = 600 }), TRL_OK);
	expect_storage(600, 400);
	assert_int_equal(take((struct step){ .release = 400 }), TRL_OK);
	assert_int_equal(take((struct step){ .free = 600 }), TRL_OK);
	expect_storage(0, 0);
}

static bool
counted(const char *line)
{
	struct trl_buf text = { 0 };
	bool found;

	trl_metrics_render(&text, false);
	trl_buf_add(&text, "", 1);
	found = strstr((const char *)text.data, line) != NULL;
	trl_buf_fini(&text);
	return found;
}

static void
what_does_not_fit_is_refused_with_the_limit(void **state)
{
	(void)state;
	assert_int_equal(take((struct step){ .reserve = 700 }), TRL_OK);
	assert_int_equal(take((struct step){ .commit = 700, .used = 700 }), TRL_OK);
	assert_int_equal(take((struct step){ .reserve = 200 }), TRL_OK);
	assert_int_equal(take((struct step){ .reserve = 101 }), TRL_TOO_LARGE);
	assert_string_equal(world.err.message,
	    "The plan's storage is 1000 bytes; 700 are used, unfinished uploads have "
	    "reserved 200, and 101 more were asked for.");
	assert_string_equal(world.err.quota.feature, "storage-bytes");
	assert_string_equal(world.err.quota.plan, "team");
	assert_int_equal(world.err.quota.limit, 1000);
	assert_int_equal(world.err.quota.used, 700);
	assert_int_equal(world.err.quota.reserved, 200);
	assert_true(counted("trellis_media_refused_total{plan=\"team\"} 1"));
	assert_true(counted("trellis_media_begun_bytes_total{plan=\"team\"}"));
	expect_storage(700, 200);
	assert_int_equal(take((struct step){ .reserve = 100 }), TRL_OK);
}

static void
the_first_upload_may_be_too_large_already(void **state)
{
	(void)state;
	assert_int_equal(take((struct step){ .reserve = 1001 }), TRL_TOO_LARGE);
	assert_int_equal(world.err.quota.used, 0);
	expect_storage(0, 0);
}

static void
no_length_overflows(void **state)
{
	(void)state;
	plan_says.unlimited = true;
	assert_false(storage()->has_limit);
	assert_int_equal(take((struct step){ .reserve = INT64_MAX - 1 }), TRL_OK);
	assert_int_equal(take((struct step){ .reserve = UINT64_MAX }), TRL_TOO_LARGE);
	assert_int_equal(take((struct step){ .reserve = 2 }), TRL_TOO_LARGE);
	expect_storage(0, INT64_MAX - 1);
}

/* A smaller plan takes nothing away, and lets nothing in. */
static void
a_smaller_plan_takes_nothing_away(void **state)
{
	(void)state;
	assert_int_equal(take((struct step){ .reserve = 1000 }), TRL_OK);
	plan_says.number = 10;
	assert_int_equal(take((struct step){ .reserve = 1 }), TRL_TOO_LARGE);
	assert_int_equal(take((struct step){ .commit = 1000, .used = 1000 }), TRL_OK);
	expect_storage(1000, 0);
	assert_int_equal(take((struct step){ .free = 1000 }), TRL_OK);
	assert_int_equal(take((struct step){ .reserve = 10 }), TRL_OK);
}

static void
where_no_plan_says_it_the_installation_does(void **state)
{
	struct media_config *config = world.config;

	(void)state;
	plan_says.known = false;
	assert_false(storage()->has_limit);
	config->storage_bytes = 50;
	assert_int_equal(storage()->limit, 50);
	assert_int_equal(take((struct step){ .reserve = 51 }), TRL_TOO_LARGE);
	assert_string_equal(world.err.message,
	    "The organisation's storage is 50 bytes; 0 are used, unfinished uploads "
	    "have reserved 0, and 51 more were "
	    "asked for.");
	config->storage_bytes = 0;
	assert_int_equal(take((struct step){ .reserve = 51 }), TRL_OK);
}

static void
a_limit_below_nothing_is_nothing(void **state)
{
	(void)state;
	plan_says.number = -5;
	assert_true(storage()->has_limit);
	assert_int_equal(storage()->limit, 0);
	assert_int_equal(take((struct step){ .reserve = 1 }), TRL_TOO_LARGE);
}

/* It is not guessed. */
static void
without_tenants_nothing_is_reserved(void **state)
{
	(void)state;
	plan_says.rc = TRL_UNAVAILABLE;
	assert_int_equal(take((struct step){ .reserve = 1 }), TRL_UNAVAILABLE);
	plan_says.rc = TRL_OK;
	expect_storage(0, 0);
}

/* What it said a moment ago it would say again; each second it is asked. */
static void
a_limit_that_was_said_holds_while_tenants_is_away(void **state)
{
	const struct trl_id here = home;
	unsigned asked;

	(void)state;
	assert_int_equal(take((struct step){ .reserve = 100 }), TRL_OK);
	plan_says.rc = TRL_DEADLINE;
	asked = plan_says.asked;
	assert_int_equal(take((struct step){ .reserve = 900 }), TRL_OK);
	assert_int_equal(take((struct step){ .reserve = 1 }), TRL_TOO_LARGE);
	assert_string_equal(world.err.quota.plan, "team");
	assert_int_equal(world.err.quota.limit, 1000);
	assert_int_equal(storage()->limit, 1000);
	assert_int_equal(plan_says.asked, asked + 1);
	/* Of one that nobody has asked about it is not guessed. */
	home = trl_id_new();
	assert_int_equal(take((struct step){ .reserve = 1 }), TRL_DEADLINE);
	plan_says.rc = TRL_OK;
	plan_says.number = 5;
	assert_int_equal(take((struct step){ .reserve = 6 }), TRL_TOO_LARGE);
	home = here; /* and now it is there again */
	assert_int_equal(storage()->limit, 5);
}

static bool
are_over(void *arg)
{
	return *(unsigned *)arg == TOGETHER;
}

static void
uploads_that_come_together_do_not_pass_the_limit_together(void **state)
{
	static struct step steps[TOGETHER];
	unsigned over = 0, fit = 0;

	(void)state;
	for (size_t i = 0; i < TOGETHER; i++) {
		struct trl_spawn spec = { .name = "test",
			.run = run_step,
			.arg = &steps[i],
			.timeout_ms = 30000 };

		steps[i] = (struct step){ .reserve = 30, .over = &over };
		assert_int_equal(trl_spawn(world.loop, &spec), TRL_OK);
	}
	world_until(are_over, &over);
	for (size_t i = 0; i < TOGETHER; i++) {
		fit += steps[i].rc == TRL_OK;
		if (steps[i].rc != TRL_OK)
			assert_int_equal(steps[i].rc, TRL_TOO_LARGE);
	}
	assert_int_equal(fit, 1000 / 30);
	expect_storage(0, (uint64_t)(1000 / 30) * 30);
}

/* Media's first release beside tenants' last one before: its pods go one by one. */
static void
a_tenants_of_the_release_before_is_away_for_a_while(void **state)
{
	(void)state;
	plan_says.rc = TRL_INTERNAL;
	plan_says.why = "no such method here";
	assert_int_equal(take((struct step){ .reserve = 1 }), TRL_UNAVAILABLE);
	assert_true(world.err.retry_after_ms > 0);
	plan_says.why = "a fault";
	assert_int_equal(take((struct step){ .reserve = 1 }), TRL_INTERNAL);
	plan_says.rc = TRL_OK;
	assert_int_equal(take((struct step){ .reserve = 1 }), TRL_OK);
}

/* What was never reserved is not given back. */
static void
nothing_falls_below_nothing(void **state)
{
	(void)state;
	assert_int_equal(take((struct step){ .reserve = 10 }), TRL_OK);
	assert_int_equal(take((struct step){ .release = 11 }), TRL_INTERNAL);
	expect_storage(0, 10);
}

static int
open_world(void **state)
{
	(void)state;
	return world_open_one(&media_service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    what_uploads_begin_is_reserved_and_what_they_end_as_is_used, begin),
		cmocka_unit_test_setup(
		    what_does_not_fit_is_refused_with_the_limit, begin),
		cmocka_unit_test_setup(
		    the_first_upload_may_be_too_large_already, begin),
		cmocka_unit_test_setup(no_length_overflows, begin),
		cmocka_unit_test_setup(a_smaller_plan_takes_nothing_away, begin),
		cmocka_unit_test_setup(
		    where_no_plan_says_it_the_installation_does, begin),
		cmocka_unit_test_setup(a_limit_below_nothing_is_nothing, begin),
		cmocka_unit_test_setup(without_tenants_nothing_is_reserved, begin),
		cmocka_unit_test_setup(
		    a_limit_that_was_said_holds_while_tenants_is_away, begin),
		cmocka_unit_test_setup(
		    uploads_that_come_together_do_not_pass_the_limit_together, begin),
		cmocka_unit_test_setup(nothing_falls_below_nothing, begin),
		cmocka_unit_test_setup(
		    a_tenants_of_the_release_before_is_away_for_a_while, begin),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
