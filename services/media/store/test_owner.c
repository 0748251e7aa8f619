/* Whose bucket it is: of the first installation that comes, and of no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "media.h"
#include "store/s3.h"
#include "test_server.h"
#include "test_service.h"

static struct test_server server;
static media_store *store;
static const struct store_object made = { { { 1 } }, { { 2 } }, "small" };
static enum trl_code put_rc;

static int
make_world(void **state)
{
	(void)state;
	test_server_start(&server, "test_swift.py");
	return world_open_one(&media_service);
}

static int
end_world(void **state)
{
	test_server_end(&server);
	return world_close(state);
}

/* As a process that has just started. */
static void
put_one(trl_ctx *ctx, void *arg)
{
	(void)arg;
	put_rc = store_put(ctx, store, &made, "x", 1);
	trl_err_clear(ctx);
}

static enum trl_code
start_and_put(void)
{
	const struct media_config config = test_server_config(&server);

	store_close(&store);
	assert_int_equal(s3_store_open(&world.host, &config, &store), TRL_OK);
	world_act(put_one, NULL);
	return put_rc;
}

static void
list_all(trl_ctx *ctx, void *arg)
{
	struct store_listing at = { .ended = false };
	size_t n = 0;

	(void)arg;
	do {
		assert_int_equal(store_list(ctx, store, &at), TRL_OK);
		for (size_t i = 0; i < at.n; i++, n++)
			assert_int_equal(at.found[i].kind, STORE_MADE);
	} while (!at.ended);
	assert_int_equal(n, 1);
}

static void
a_bucket_belongs_to_the_first_that_comes(void **state)
{
	(void)state;
	world_sql("delete from media.store_directory");
	assert_int_equal(start_and_put(), TRL_OK);
	assert_int_equal(start_and_put(), TRL_OK); /* and after a restart */
	world_act(list_all, NULL);                 /* no sweep finds its mark */
	/* Another installation, then one of another bucket. */
	world_sql("delete from media.store_directory");
	assert_int_equal(start_and_put(), TRL_UNAVAILABLE);
	world_sql("insert into media.store_directory (id, created_at) values "
		  "(gen_random_uuid(), now())");
	assert_int_equal(start_and_put(), TRL_UNAVAILABLE);
	store_close(&store);
}

static void
remove_mark(trl_ctx *ctx, void *arg)
{
	const struct s3_ask ask = { .method = "DELETE", .key = S3_OWNER };

	(void)arg;
	assert_int_equal(s3_do(ctx, (struct s3_store *)store, &ask), TRL_OK);
}

static void
a_process_that_died_before_the_mark_is_no_stranger_and_a_bucket_that_lost_it_is(
    void **state)
{
	(void)state;
	world_sql("delete from media.store_directory");
	assert_int_equal(start_and_put(), TRL_UNAVAILABLE);
	world_act(remove_mark, NULL);
	assert_int_equal(start_and_put(), TRL_OK);
	/* All of the bucket is gone, or it is another one. */
	world_act(remove_mark, NULL);
	assert_int_equal(start_and_put(), TRL_UNAVAILABLE);
	assert_non_null(strstr(store->refused, "holds no files of this"));
	/* Nobody came to write it; who did claim it may be at it. */
	world_sql("update media.store_directory set marked = false");
	assert_int_equal(start_and_put(), TRL_UNAVAILABLE);
	assert_int_equal(store->refused[0], '\0');
	world_sql("update media.store_directory set created_at = now() - interval '2 "
		  "days'");
	assert_int_equal(start_and_put(), TRL_OK);
	assert_string_equal(world_sql("select marked from media.store_directory"), "t");
	/* One that died between the two. */
	world_sql("update media.store_directory set marked = false");
	assert_int_equal(start_and_put(), TRL_OK);
	assert_string_equal(world_sql("select marked from media.store_directory"), "t");
	store_close(&store);
}

static bool
is_told(void *wanted)
{
	const char *why = store_unready(store);

	return why ? wanted && strstr(why, wanted) : !wanted;
}

/* As a rollout with a setting that is wrong. */
static void
a_wrong_key_region_or_bucket_is_never_ready(void **state)
{
	static const struct {
		const char *key, *region, *bucket, *why;
	} wrong[] = {
		{ "nobody", test_region, test_bucket, "answered 403" },
		{ test_key, "elsewhere", test_bucket, "answered 4" },
		{ test_key, test_region, "another", "answered 404" },
	};

	(void)state;
	for (size_t i = 0; i <= TRL_COUNT(wrong); i++) {
		struct media_config config = test_server_config(&server);

		if (i < TRL_COUNT(wrong)) {
			config.s3_key_id = wrong[i].key;
			config.s3_region = wrong[i].region;
			config.s3_bucket = wrong[i].bucket;
		}
		store_close(&store);
		assert_int_equal(s3_store_open(&world.host, &config, &store), TRL_OK);
		assert_non_null(store_unready(store));
		world_until(is_told,
		    i < TRL_COUNT(wrong) ? (void *)(uintptr_t)wrong[i].why : NULL);
	}
	/* From now on it is, whatever becomes of the server. */
	assert_null(store_unready(store));
	/* Another's bucket; and a process that ends while it asks. */
	world_sql("update media.store_directory set id = gen_random_uuid()");
	store_close(&store);
	assert_int_equal(start_and_put(), TRL_UNAVAILABLE);
	assert_true(is_told((void *)(uintptr_t) "of another installation"));
	assert_true(store->asking);
	store_close(&store);
}

static void
raise_sweeps(trl_ctx *ctx, void *arg)
{
	uint64_t sweeps;

	assert_int_equal(store_sweeps(ctx, store, &sweeps), TRL_OK);
	assert_int_equal(sweeps, *(uint64_t *)arg);
	assert_int_equal(store_sweeps_set(ctx, store, sweeps + 7), TRL_OK);
	assert_int_equal(store_sweeps(ctx, store, arg), TRL_OK);
	assert_int_equal(sweeps + 7, *(uint64_t *)arg);
}

static void
the_mark_counts_sweeps(void **state)
{
	uint64_t sweeps = 0;

	(void)state;
	assert_int_equal(start_and_put(), TRL_OK);
	world_act(raise_sweeps, &sweeps);
	assert_int_equal(start_and_put(), TRL_OK);
	world_act(raise_sweeps, &sweeps);
	store_close(&store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_belongs_to_the_first_that_comes),
		cmocka_unit_test(
		    a_process_that_died_before_the_mark_is_no_stranger_and_a_bucket_that_lost_it_is),
		cmocka_unit_test(the_mark_counts_sweeps),
		cmocka_unit_test(a_wrong_key_region_or_bucket_is_never_ready),
	};
	return cmocka_run_group_tests(tests, make_world, end_world);
}
