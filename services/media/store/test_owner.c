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
a_process_that_died_before_the_mark_is_no_stranger_and_an_old_row_is(void **state)
{
	const struct media_config config = test_server_config(&server);

	(void)state;
	assert_int_equal(s3_store_open(&world.host, &config, &store), TRL_OK);
	world_act(remove_mark, NULL);
	world_sql("update media.store_directory set created_at = now() - interval '1 "
		  "hour'");
	assert_int_equal(start_and_put(), TRL_UNAVAILABLE);
	world_sql("update media.store_directory set created_at = now()");
	assert_int_equal(start_and_put(), TRL_OK);
	assert_int_equal(start_and_put(), TRL_OK);
	store_close(&store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_belongs_to_the_first_that_comes),
		cmocka_unit_test(
		    a_process_that_died_before_the_mark_is_no_stranger_and_an_old_row_is),
	};
	return cmocka_run_group_tests(tests, make_world, end_world);
}
