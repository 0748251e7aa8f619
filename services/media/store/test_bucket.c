/* What only a bucket has, at a server that checks: pages of a listing, and URLs by
 * which a client reads from it. */
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
act(void (*fn)(trl_ctx *ctx, void *arg))
{
	const struct trl_spawn spawn = {
		.name = "case", .run = fn, .timeout_ms = PATIENCE_MS
	};

	done = false;
	assert_int_equal(trl_spawn(host.loop, &spawn), TRL_OK);
	assert_true(trl_loop_run_until(host.loop, is_done, NULL, PATIENCE_MS));
}

static void
a_url_lets_a_client_read_for_a_while_and_no_other_way(void **state)
{
	(void)state;
	act(visit_all);
}

struct pages {
	size_t n;
	char last[S3_MARK_BYTES + S3_ID_BYTES + 2];
};

static void
take_item(void *self, const struct s3_item *item)
{
	struct pages *pages = self;
	char name[S3_MARK_BYTES + S3_ID_BYTES + 2];

	snprintf(name, sizeof name, "%s %s", item->key, item->id);
	assert_true(strcmp(name, pages->last) > 0);
	strcpy(pages->last, name);
	pages->n++;
}

/* Pages of two, of five objects and of three multipart uploads. */
static void
small_pages(trl_ctx *ctx, void *arg)
{
	struct s3_store *s3 = (struct s3_store *)store;
	struct store_object it = object;
	char key[S3_KEY_BYTES], prefix[TRL_ID_TEXT];

	(void)arg;
	it.tenant = trl_id_new();
	trl_id_format(it.tenant, prefix);
	for (int i = 0; i < 5; i++) {
		struct s3_state state = { .n_parts = 0 };

		it.file = trl_id_new();
		assert_int_equal(store_put(ctx, store, &it, "", 0), TRL_OK);
		s3_key_of(&it, key);
		if (i < 3)
			assert_int_equal(s3_begin_parts(ctx, s3, key, &state), TRL_OK);
	}
	for (int uploads = 0; uploads < 2; uploads++) {
		struct s3_page *page = calloc(1, sizeof *page);
		struct pages seen = { .n = 0 };
		int calls = 0;

		page->prefix = prefix;
		page->uploads = uploads;
		do
			assert_int_equal(
			    s3_list_page(ctx, s3, page, 2, take_item, &seen), TRL_OK);
		while (++calls < 10 && page->more);
		assert_int_equal(seen.n, uploads ? 3 : 5);
		assert_in_range(calls, seen.n / 2 + 1, seen.n / 2 + 2);
		free(page);
	}
	assert_int_equal(
	    store_remove_tenant(ctx, store, it.tenant, &(bool){ false }), TRL_OK);
	done = true;
}

static void
a_page_begins_behind_the_one_before(void **state)
{
	(void)state;
	act(small_pages);
}

/* Keys that nobody of ours makes, one a page. */
static void
odd_keys(trl_ctx *ctx, void *arg)
{
	static const char *const keys[] = { "a b+c", "a&b<c>\"d'", "b%2F?x=1#y", "c//e",
		"d\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\x89", "e\ttab" };
	struct s3_store *s3 = (struct s3_store *)store;
	struct s3_page *page = calloc(1, sizeof *page);
	struct pages seen = { .n = 0 };
	char prefix[TRL_ID_TEXT], key[S3_KEY_BYTES];
	unsigned calls = 0;

	(void)arg;
	trl_id_format(trl_id_new(), prefix);
	for (size_t i = 0; i < TRL_COUNT(keys); i++) {
		const struct s3_ask ask = {
			.method = "PUT", .key = key, .body = "x", .body_len = 1
		};

		snprintf(key, sizeof key, "%s/%s", prefix, keys[i]);
		assert_int_equal(s3_do(ctx, s3, &ask), TRL_OK);
	}
	page->prefix = prefix;
	do
		assert_int_equal(
		    s3_list_page(ctx, s3, page, 1, take_item, &seen), TRL_OK);
	while (++calls < 20 && page->more);
	assert_int_equal(seen.n, TRL_COUNT(keys));
	assert_int_equal(s3_remove_all(ctx, s3, prefix), TRL_OK);
	memset(page, 0, sizeof *page);
	page->prefix = prefix;
	assert_int_equal(s3_list_page(ctx, s3, page, 9, take_item, &seen), TRL_OK);
	assert_int_equal(seen.n, TRL_COUNT(keys));
	free(page);
	done = true;
}

static void
keys_of_strangers_are_listed_and_removed(void **state)
{
	(void)state;
	act(odd_keys);
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
		cmocka_unit_test(a_page_begins_behind_the_one_before),
		cmocka_unit_test(keys_of_strangers_are_listed_and_removed),
		cmocka_unit_test(by_the_settings_there_are_none),
	};

	trl_assert(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, open_bucket, close_bucket);
}
