/* A backup was restored: of the database, with the store as it was, and the other way
 * round. What one of them does not know is not thrown away for that. */
#include "sweep/test_sweep.h"

#include <trl/metrics.h>

static struct trl_id kept, lost, finished;
static bool restored;

/* As a cron's job. */
static void
run_job(trl_ctx *ctx, void *arg)
{
	const struct trl_job_kind *kind = arg;
	const Media__V1__SweepPlace begin = MEDIA__V1__SWEEP_PLACE__INIT;
	const struct trl_job job = { .payload = &begin.base };

	assert_int_equal(kind->run(world.self, ctx, &job), TRL_OK);
}

static void
run_jobs(void)
{
	world_act(run_job, (void *)(uintptr_t)&sweep_uploads_job);
	world_act(run_job, (void *)(uintptr_t)&sweep_job);
}

static void
read_sweeps(trl_ctx *ctx, void *arg)
{
	assert_int_equal(
	    store_sweeps(ctx, ((struct media *)world.self)->store, arg), TRL_OK);
}

static uint64_t
of_store(void)
{
	uint64_t sweeps = 0;

	world_act(read_sweeps, &sweeps);
	return sweeps;
}

static uint64_t
of_rows(void)
{
	return strtoull(
	    world_sql("select sweeps from media.store_directory"), NULL, 10);
}

static void
add_sample(void *self, const struct trl_sample *sample)
{
	const char *const *wanted = ((const char *const **)self)[0];
	double *value = ((void **)self)[1];

	if (!strcmp(sample->name, wanted[0]) && sample->n_labels == 1 &&
	    !strcmp(sample->values[0], wanted[1]))
		*value = sample->value;
}

static double
counted(const char *name, const char *label)
{
	const char *const wanted[] = { name, label };
	double value = -1;
	const void *self[] = { wanted, &value };

	trl_metrics_each(add_sample, self);
	return value;
}

/* By the operator. */
static void
command(bool dry_run, bool accept)
{
	Media__V1__SweepRequest ask = MEDIA__V1__SWEEP_REQUEST__INIT;
	struct world_caller operator= { .operator= true };
	Media__V1__SweepReply *out;

	memset(sums, 0, sizeof sums);
	trl_set(&ask, dry_run, dry_run);
	trl_set(&ask, accept_restore, accept);
	restored = held = false;
	do {
		assert_int_equal(
		    world_call(&operator, & media_v1_sweep, &ask.base, &out), TRL_OK);
		for (size_t i = 0; i < out->n_items; i++)
			sums[out->items[i]->what - 1].count += out->items[i]->count;
		restored |= out->restored;
		held |= out->held;
		ask.place = out->next;
	} while (ask.place);
}

/* A file that has come since the backup, and one whose upload was under way then; both
 * are long there. */
static int
begin_restored(void **state)
{
	int rc = begin(state);

	kept = files_make((struct files_new){ .size = 3 });
	lost = files_make((struct files_new){ .size = 5 });
	finished = files_make((struct files_new){ .size = 7 });
	run_jobs();
	assert_int_equal(of_store(), of_rows());
	world_sql("update media.store_directory set sweeps = sweeps - 1");
	world_sql("delete from media.file where id in ('%s', '%s')",
	    world_id_text(lost), world_id_text(finished));
	world_sql(
	    "insert into media.upload (tenant_id, id, collection, name, length, "
	    "received, reserved, generation, uploader, created_at, expires_at) values "
	    "('%s', '%s', 'files', 'a', 7, 4, 0, 0, '%s', now() - interval '3 days', "
	    "now() - interval '2 days')",
	    world_id_text(home), world_id_text(finished), world_id_text(ann->account));
	age();
	return rc;
}

static void
is_all_there(void)
{
	assert_int_equal(files_in_folder(), 3);
	assert_int_equal(files_rows("upload"), 1);
	assert_int_equal(of_rows() + 1, of_store());
}

static void
a_sweep_of_a_restored_database_removes_nothing(void **state)
{
	const double before = counted("trellis_media_sweep_held_total", "restored");

	(void)state;
	run_jobs();
	is_all_there();
	assert_true(
	    counted("trellis_media_sweep_held_total", "restored") == before + 2);
	command(false, false); /* nor the operator who knows nothing of it */
	assert_true(restored && held);
	is_all_there();
	force = true; /* which is about something else */
	sweep(false);
	assert_true(held);
	is_all_there();
}

static void
the_operator_sees_what_would_go_and_accepts_it(void **state)
{
	(void)state;
	command(true, true);
	assert_true(restored);
	assert_int_equal(FOUND(orphan), 1);
	assert_int_equal(FOUND(upload), 1);
	is_all_there();
	command(false, true);
	assert_false(restored);
	assert_int_equal(FOUND(orphan), 1);
	assert_int_equal(FOUND(upload), 1);
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(files_rows("upload"), 0);
	assert_int_equal(of_rows(), of_store());
	run_jobs();
	assert_int_equal(of_rows(), of_store());
	command(false, false);
	assert_false(restored);
}

static bool
is_missed(void *before)
{
	return counted("trellis_media_swept_total", "missing") > *(double *)before;
}

static void
what_a_restored_store_lacks_is_looked_for_at_once(void **state)
{
	double before = counted("trellis_media_swept_total", "missing");
	char command[160];

	(void)state;
	snprintf(command, sizeof command, "find %s -name '*%s*' -delete",
	    getenv("TRELLIS_MEDIA_FOLDER"), world_id_text(kept));
	assert_int_equal(system(command), 0);
	world_sql("update media.store_directory set sweeps = sweeps + 5");
	world_act(run_job, (void *)(uintptr_t)&sweep_uploads_job);
	assert_int_equal(of_rows(), of_store());
	world_until(is_missed, &before);
}

/* Between the two. */
static void
a_sweep_that_died_while_it_began_is_no_restore(void **state)
{
	const uint64_t was = of_store();

	(void)state;
	world_sql("update media.store_directory set sweeps = %llu",
	    (unsigned long long)was + 1);
	run_jobs();
	assert_int_equal(of_store(), was + 2); /* that one's, and one more */
	assert_int_equal(of_rows(), was + 2);
	command(false, false);
	assert_false(restored);
}

static int
begin_plain(void **state)
{
	world_sql("update media.store_directory set sweeps = %llu",
	    (unsigned long long)of_store());
	return begin_restored(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_sweep_of_a_restored_database_removes_nothing, begin_plain,
		    world_forget),
		cmocka_unit_test_setup_teardown(
		    the_operator_sees_what_would_go_and_accepts_it, begin_plain,
		    world_forget),
		cmocka_unit_test_setup_teardown(
		    what_a_restored_store_lacks_is_looked_for_at_once, begin_plain,
		    world_forget),
		cmocka_unit_test_setup_teardown(
		    a_sweep_that_died_while_it_began_is_no_restore, begin_plain,
		    world_forget),
	};

	return cmocka_run_group_tests(tests, files_open, world_close);
}
