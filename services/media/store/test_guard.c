/* Whose folder it is: of the first installation that comes, at any mount of it, and of
 * no other. */
#include "test_folder.h"

#include <sys/stat.h>
#include <unistd.h>

static enum trl_code guarded;

static void
put_one(trl_ctx *ctx, void *arg)
{
	const struct store_object made = { object.tenant, object.file, "a" };

	(void)arg;
	guarded = store_put(ctx, store, &made, "x", 1);
	if (guarded != TRL_OK)
		assert_true(trl_is_fault(guarded));
	trl_err_clear(ctx);
}

static bool
is_told(void *self)
{
	const char *why = store_unready(store);

	return why == NULL ? self == NULL : self != NULL && strstr(why, self) != NULL;
}

/* Of what put_one puts. */
static bool
lies_in_folder(void)
{
	char command[120];

	snprintf(command, sizeof command, "find %s -name a | grep -q .", folder);
	return system(command) == 0;
}

/* As another process would, with this folder. */
static void
restart(void)
{
	store_close(&store);
	open_store(&world.host);
}

static void
another_folder_is_refused_and_the_one_is_taken(void **state)
{
	char first[sizeof folder], other[64], command[200];

	(void)state;
	world_sql("delete from store_directory");
	restart();
	world_act(put_one, NULL);
	assert_int_equal(guarded, TRL_OK);
	restart();
	world_until(is_told, NULL);
	/* Nobody mounted it. */
	strcpy(first, folder);
	strcpy(folder, "/tmp/trellis-local-XXXXXX");
	assert_non_null(mkdtemp(folder));
	restart();
	world_until(is_told, "is it mounted");
	world_act(put_one, NULL);
	assert_int_equal(guarded, TRL_UNAVAILABLE);
	snprintf(other, sizeof other, "%s/trellis-media", folder);
	assert_int_not_equal(access(other, F_OK), 0);
	assert_int_equal(rmdir(folder), 0); /* it was not touched */
	assert_int_equal(mkdir(folder, 0700), 0);
	/* It is, now; the process that runs takes it. */
	restart();
	world_until(is_told, "is it mounted");
	snprintf(command, sizeof command, "cp %s/trellis-media %s", first, folder);
	assert_int_equal(system(command), 0);
	world_until(is_told, NULL);
	/* So it does where the folder itself is another, as one that is mounted. */
	snprintf(command, sizeof command, "mv %s %s.away && mkdir %s", folder, folder,
	    folder);
	assert_int_equal(system(command), 0);
	restart();
	world_until(is_told, "is it mounted");
	assert_int_equal(rmdir(folder), 0);
	snprintf(command, sizeof command, "mv %s.away %s", folder, folder);
	assert_int_equal(system(command), 0);
	world_until(is_told, NULL);
	world_act(put_one, NULL);
	assert_int_equal(guarded, TRL_OK);
	assert_true(lies_in_folder());
	/* Another installation's. */
	snprintf(command, sizeof command,
	    "echo 11111111-2222-4333-8444-555555555555 >%s", other);
	assert_int_equal(system(command), 0);
	restart();
	world_until(is_told, "another id");
	world_act(put_one, NULL);
	assert_int_equal(guarded, TRL_UNAVAILABLE);
	snprintf(command, sizeof command, "rm -rf %s", first);
	assert_int_equal(system(command), 0);
}

static void
look_for_it(trl_ctx *ctx, void *arg)
{
	const struct store_object made = { object.tenant, object.file, "a" };
	uint64_t size;

	*(enum trl_code *)arg = store_size(ctx, store, &made, &size);
	trl_err_clear(ctx);
}

/* As by a restore of it under the processes that have it open. */
static void
a_folder_that_was_taken_away_and_put_back_is_used(void **state)
{
	enum trl_code rc;
	char command[200];

	(void)state;
	world_sql("delete from store_directory");
	restart();
	world_act(put_one, NULL);
	assert_int_equal(guarded, TRL_OK);
	snprintf(command, sizeof command, "cp -a %s %s.copy && rm -r %s", folder,
	    folder, folder);
	assert_int_equal(system(command), 0);
	for (int i = 0; i < 2; i++) { /* it is not missing, but not there */
		world_act(look_for_it, &rc);
		assert_int_equal(rc, TRL_UNAVAILABLE);
	}
	assert_int_equal(mkdir(folder, 0700), 0); /* nor is anything put there */
	world_act(put_one, NULL);
	assert_int_equal(guarded, TRL_UNAVAILABLE);
	assert_int_equal(rmdir(folder), 0);
	snprintf(command, sizeof command, "mv %s.copy %s", folder, folder);
	assert_int_equal(system(command), 0);
	world_act(look_for_it, &rc);
	assert_int_equal(rc, TRL_OK);
	world_act(put_one, NULL);
	assert_int_equal(guarded, TRL_OK);
	assert_true(lies_in_folder());
}

static void
a_mark_that_is_none_is_not_taken(void **state)
{
	char command[200];

	(void)state;
	snprintf(command, sizeof command, "echo x >%s/trellis-media", folder);
	assert_int_equal(system(command), 0);
	restart();
	world_act(put_one, NULL);
	assert_int_equal(guarded, TRL_UNAVAILABLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(another_folder_is_refused_and_the_one_is_taken),
		CASE(a_folder_that_was_taken_away_and_put_back_is_used),
		CASE(a_mark_that_is_none_is_not_taken),
	};

	return cmocka_run_group_tests(tests, make_world, world_close);
}
