/* What an S3 server says: its words are for the log, and what is none of the answers
 * that were asked for is no success. What the settings make of its address. */
#include "test_hostile.h"

/* What the process logs goes to a file. */
static FILE *logged;
static int stderr_was;

static void
refused(trl_ctx *ctx)
{
	static const char *const faults[] = { "region", "key", "bucket", "skewed",
		"moved", "denied" };
	struct store_listing at = { .ended = false };
	uint64_t size;
	int fd;

	for (size_t i = 0; i < TRL_COUNT(faults); i++) {
		fail_next("put", faults[i], 1);
		assert_int_equal(
		    store_finish(ctx, store, &object,
			&(struct store_place){ .length = 0, .generation = 1 }),
		    TRL_UNAVAILABLE);
		assert_null(strstr(ctx->err.message, "own"));
		assert_null(strstr(ctx->err.message, "eu-central-9"));
		trl_err_clear(ctx);
	}
	fail_next("list", "garbage", 1);
	assert_int_equal(store_put(ctx, store, &object, "12", 2), TRL_OK);
	assert_int_equal(store_list(ctx, store, &at), TRL_UNAVAILABLE);
	trl_err_clear(ctx);
	fail_next("head", "key", 1);
	is_unavailable(ctx, store_size(ctx, store, &object, &size));
	fail_next("get", "key", 1);
	is_unavailable(ctx, store_fetch(ctx, store, &object, &fd));
}

static void
what_the_server_says_is_for_the_log(void **state)
{
	static const char *const said[][2] = {
		{ "AuthorizationHeaderMalformed", "expecting 'eu-central-9'" },
		{ "RequestTimeTooSkewed", "The difference is too large." },
		{ "PermanentRedirect", "addressed by eu-central-9" },
	};
	char line[2048];
	bool told[TRL_COUNT(said)] = { false };

	(void)state;
	logged = tmpfile();
	stderr_was = dup(2);
	dup2(fileno(logged), 2);
	act(refused);
	dup2(stderr_was, 2);
	close(stderr_was);
	rewind(logged);
	while (fgets(line, sizeof line, logged) != NULL)
		for (size_t i = 0; i < TRL_COUNT(said); i++)
			told[i] |= strstr(line, said[i][0]) && strstr(line, said[i][1]);
	fclose(logged);
	for (size_t i = 0; i < TRL_COUNT(said); i++)
		assert_true(told[i]);
}

/* A proxy's 404, whose server is away, is no word on an object. */
static void
by_proxy(trl_ctx *ctx)
{
	struct store_place place = { .length = 17 * UNIT, .generation = 1 };
	store_writer *writer;
	store_reader *reader;
	uint64_t size;
	int fd;

	upload_to(ctx, &place, 1, 9 * UNIT);
	fail_next("part", "proxy", 1);
	writer = open_writer(ctx, &place);
	is_unavailable(ctx, write_some(ctx, writer, 1, 9 * UNIT, 8 * UNIT));
	store_writer_close(&writer);
	fail_next("get", "proxy", 1); /* its tail */
	is_unavailable(ctx, store_writer_open(ctx, store, &object, &place, &writer));
	upload_to(ctx, &place, 1, 17 * UNIT);
	fail_next("complete", "proxy", 1);
	is_unavailable(ctx, store_finish(ctx, store, &object, &place));
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	fail_next("head", "proxy", 1);
	is_unavailable(ctx, store_size(ctx, store, &object, &size));
	fail_next("head", "proxy", 1);
	fail_next("get", "proxy", 1);
	is_unavailable(ctx, store_size(ctx, store, &object, &size));
	fail_next("get", "proxy", 1);
	is_unavailable(ctx, store_reader_open(ctx, store, &object, 0, 1, &reader));
	fail_next("get", "proxy", 1);
	is_unavailable(ctx, store_fetch(ctx, store, &object, &fd));
	holds(ctx, 1, 17 * UNIT);
	assert_int_equal(store_remove(ctx, store, &object), TRL_OK);
	is_missing(ctx);
}

static void
a_404_of_a_proxy_says_nothing_of_an_object(void **state)
{
	(void)state;
	act(by_proxy);
}

/* Whoever removes an object of Swift removes its parts first. */
static void
half_removed(trl_ctx *ctx)
{
	char head[2];
	size_t len;
	int fd;

	assert_int_equal(store_put(ctx, store, &object, "12", 2), TRL_OK);
	fail_next("get", "broken", 2);
	assert_int_equal(
	    store_head(ctx, store, &object, 0, 2, head, &len), TRL_NOT_FOUND);
	trl_err_clear(ctx);
	assert_int_equal(store_fetch(ctx, store, &object, &fd), TRL_NOT_FOUND);
	trl_err_clear(ctx);
	assert_int_equal(store_remove(ctx, store, &object), TRL_OK);
}

static void
an_object_without_its_parts_is_not_there(void **state)
{
	(void)state;
	act(half_removed);
}

static void
odd_answers(trl_ctx *ctx)
{
	struct store_place place = { .length = 5, .generation = 1 }, none;
	store_writer *writer;

	fail_next("begin", "garbage", 1);
	fail_next("part", "nameless", 1);
	for (int i = 0; i < 2; i++) {
		writer = open_writer(ctx, &place);
		assert_int_equal(write_some(ctx, writer, 1, 0, 5), TRL_OK);
		is_unavailable(ctx, store_writer_sync(ctx, writer, &none));
		store_writer_close(&writer);
	}
	assert_int_equal(
	    store_finish(ctx, store, &object,
		&(struct store_place){
		    .offset = 5, .length = 5, .state = "junk", .state_len = 4 }),
	    TRL_INTERNAL);
	trl_err_clear(ctx);
	is_missing(ctx);
}

static void
answers_that_lack_what_they_are_for_are_no_success(void **state)
{
	(void)state;
	act(odd_answers);
}

static void
lavish(trl_ctx *ctx)
{
	struct store_object made = object;
	char part[16];
	unsigned before = tell("count delete\n");

	made.part = part;
	for (int i = 0; i < 150; i++) {
		snprintf(part, sizeof part, "p%d", i);
		assert_int_equal(store_put(ctx, store, &made, "x", 1), TRL_OK);
	}
	fail_next("list", "lavish", 1);
	made.part = NULL;
	assert_int_equal(store_remove(ctx, store, &made), TRL_OK);
	assert_int_equal(tell("count delete\n") - before, 150);
}

static void
a_listing_that_is_longer_than_it_was_asked_for_loses_nothing(void **state)
{
	(void)state;
	act(lavish);
}

static void
cancelled(trl_ctx *ctx)
{
	struct store_place place = { .length = 9 * UNIT, .generation = 1 };
	store_writer *writer = open_writer(ctx, &place);
	const unsigned before = tell("count part\n");

	assert_int_equal(write_some(ctx, writer, 1, 0, 8 * UNIT), TRL_OK);
	fail_next("part", "slowdown", 1000);
	trl_set_deadline(ctx, trl_loop_now_us(ctx->loop) + 10000);
	assert_true(trl_is_fault(write_some(ctx, writer, 1, 8 * UNIT, 1)));
	trl_set_deadline(ctx, trl_loop_now_us(ctx->loop) + 10000000);
	trl_err_clear(ctx);
	assert_in_range(tell("count part\n") - before, 0, 6);
	store_writer_close(&writer);
}

static void
a_request_is_made_again_within_the_time_that_there_is(void **state)
{
	(void)state;
	act(cancelled);
}

static void
the_bucket_stands_in_the_path_or_before_the_host(void **state)
{
	static const struct {
		const char *url;
		bool path_style;
		const char *made, *host, *prefix;
	} rows[] = {
		{ "http://localhost:9000", true, "http://localhost:9000/files/",
		    "localhost:9000", "/files/" },
		{ "https://S3.Example.com:443/", false, "https://files.s3.example.com/",
		    "files.s3.example.com", "/" },
		{ "https://s3.example.com:8443", false,
		    "https://files.s3.example.com:8443/", "files.s3.example.com:8443",
		    "/" },
	};
	const struct trl_host host = { .loop = loop };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct media_config other = config;
		media_store *it;
		const struct s3_store *s3;

		other.s3_url = rows[i].url;
		other.s3_path_style = rows[i].path_style;
		assert_true(store_check_config(&other));
		assert_int_equal(store_open(&host, &other, &it), TRL_OK);
		s3 = (const struct s3_store *)it;
		assert_string_equal(s3->url, rows[i].made);
		assert_string_equal(s3->host, rows[i].host);
		assert_string_equal(s3->prefix, rows[i].prefix);
		store_close(&it);
	}
}

static void
settings_that_cannot_be_are_refused(void **state)
{
	struct media_config wrong[10];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wrong); i++)
		wrong[i] = config;
	wrong[n++].s3_url = NULL;
	wrong[n++].s3_url = "ftp://host";
	wrong[n++].s3_url = "http://host/path";
	wrong[n++].s3_url = "http://user@host";
	wrong[n++].s3_bucket = NULL;
	wrong[n++].s3_bucket = "a/b";
	wrong[n++].s3_region = "";
	wrong[n++].s3_key_id = NULL;
	wrong[n++].s3_secret = NULL;
	wrong[n++].store = "disk";
	for (size_t i = 0; i < n; i++)
		assert_false(store_check_config(&wrong[i]));
	assert_true(store_check_config(&config));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_the_server_says_is_for_the_log),
		CASE(a_404_of_a_proxy_says_nothing_of_an_object),
		CASE(an_object_without_its_parts_is_not_there),
		CASE(answers_that_lack_what_they_are_for_are_no_success),
		CASE(a_listing_that_is_longer_than_it_was_asked_for_loses_nothing),
		CASE(a_request_is_made_again_within_the_time_that_there_is),
		CASE(the_bucket_stands_in_the_path_or_before_the_host),
		CASE(settings_that_cannot_be_are_refused),
	};

	trl_assert(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, open_bucket, close_bucket);
}
