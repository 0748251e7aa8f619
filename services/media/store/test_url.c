/* URLs by which a client reads from the bucket itself, and what its server makes of
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sodium.h>

#include "store/s3.h"
#include "test_server.h"

enum { PATIENCE_MS = 30000 };

static struct test_server server;
static struct trl_host host;
static media_store *store;
static const struct store_object object = { { { 1 } }, { { 2 } }, "large" };
static const char type[] = "text/plain; charset=utf-8",
		  shown[] = "attachment; filename=\"a b.txt\"; "
			    "filename*=UTF-8''%C3%A9.txt";
static bool done;

/* The field of its answer's head. */
static const char *
visit(trl_ctx *ctx, const char *url, unsigned status, const char *field)
{
	const struct trl_http_call call = {
		.method = "GET", .url = url, .header = field
	};
	struct trl_http_answer answer;

	assert_int_equal(
	    trl_http_out_call(ctx, ((struct s3_store *)store)->out, &call, &answer),
	    TRL_OK);
	assert_int_equal(answer.status, status);
	if (status == 200)
		assert_string_equal(answer.body, "0123456789");
	return answer.header;
}

static void
visit_all(trl_ctx *ctx, void *arg)
{
	char *url, *changed;

	(void)arg;
	assert_int_equal(store_put(ctx, store, &object, "0123456789", 10), TRL_OK);
	url = (char *)(uintptr_t)store_url(ctx, store, &object, 60, type, shown);
	assert_non_null(strstr(url, "&X-Amz-Expires=60&"));
	assert_string_equal(visit(ctx, url, 200, "Content-Disposition"), shown);
	assert_string_equal(visit(ctx, url, 200, "Content-Type"), type);
	changed = trl_arena_strdup(ctx->arena, url);
	*strstr(changed, "text%2Fplain") = 'T';
	(void)visit(ctx, changed, 403, "Content-Type");
	changed = trl_arena_strdup(ctx->arena, url);
	memcpy(strstr(changed, "Expires=60"), "Expires=99", 10);
	(void)visit(ctx, changed, 403, "Content-Type");
	/* The settings let it be valid for 300. */
	url = (char *)(uintptr_t)store_url(ctx, store, &object, 9999, type, shown);
	assert_non_null(strstr(url, "&X-Amz-Expires=300&"));
	assert_null(store_url(ctx, store, &object, 0, type, shown));
	done = true;
}

static bool
is_done(void *self)
{
	(void)self;
	return done;
}

static void
a_url_lets_a_client_read_for_a_while_and_no_other_way(void **state)
{
	const struct trl_spawn spawn = {
		.name = "case", .run = visit_all, .timeout_ms = PATIENCE_MS
	};

	(void)state;
	assert_int_equal(trl_spawn(host.loop, &spawn), TRL_OK);
	assert_true(trl_loop_run_until(host.loop, is_done, NULL, PATIENCE_MS));
}

static void
by_the_settings_there_are_none(void **state)
{
	struct media_config config = test_server_config(&server);
	media_store *quiet;

	(void)state;
	config.s3_redirect_s = 0;
	assert_int_equal(store_open(&host, &config, &quiet), TRL_OK);
	assert_null(store_url(NULL, quiet, &object, 60, type, shown));
	store_close(&quiet);
	assert_int_equal(local_store_open(&host, "/tmp", &quiet), TRL_OK);
	assert_null(store_url(NULL, quiet, &object, 60, type, shown));
	store_close(&quiet);
}

static int
open_bucket(void **state)
{
	struct media_config config;

	(void)state;
	host.loop = trl_loop_new(NULL);
	test_server_start(&server, "test_swift.py");
	config = test_server_config(&server);
	return store_open(&host, &config, &store) == TRL_OK ? 0 : -1;
}

static int
close_bucket(void **state)
{
	(void)state;
	store_close(&store);
	trl_loop_free(&host.loop);
	test_server_end(&server);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_lets_a_client_read_for_a_while_and_no_other_way),
		cmocka_unit_test(by_the_settings_there_are_none),
	};

	trl_assert(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, open_bucket, close_bucket);
}
