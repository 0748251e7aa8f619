/* A bucket whose server is busy, breaks off, lies, is full, or belongs to another
 * region: nothing that was durable is lost, nothing is taken for done that is not, and
 * its words are for the log. (Over 400 lines: one server,
 * asked for all that can go wrong.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <sodium.h>

#include "store/s3.h"
#include "test_server.h"

enum {
	PIECE = 64 << 10,
	UNIT = 128 << 10 /* an eighth of a part */,
	PATIENCE_MS = 60000
};

static struct test_server server;
static struct media_config config;
static trl_loop *loop;
static media_store *store;
static const struct store_object object = { { { 1 } }, { { 2 } }, "" };

struct run {
	void (*fn)(trl_ctx *ctx);
	bool done;
};

static void
run_case(trl_ctx *ctx, void *arg)
{
	struct run *run = arg;

	run->fn(ctx);
	run->done = true;
}

static bool
is_done(void *run)
{
	return ((struct run *)run)->done;
}

static void
act(void (*fn)(trl_ctx *ctx))
{
	struct run run = { .fn = fn };
	const struct trl_spawn spawn = {
		.name = "case", .run = run_case, .arg = &run, .timeout_ms = PATIENCE_MS
	};

	assert_int_equal(trl_spawn(loop, &spawn), TRL_OK);
	assert_true(trl_loop_run_until(loop, is_done, &run, PATIENCE_MS));
}

static unsigned tell(const char *fmt, ...) TRL_PRINTF(1, 2);

static unsigned
tell(const char *fmt, ...)
{
	char line[128] = "";
	va_list args;

	va_start(args, fmt);
	assert_true(vdprintf(server.input, fmt, args) > 0);
	va_end(args);
	assert_non_null(fgets(line, sizeof line, server.told));
	return (unsigned)strtoul(line, NULL, 10);
}

static void
fail_next(const char *kind, const char *fault, unsigned n)
{
	(void)tell("fail %s %s %u\n", kind, fault, n);
}

/* No two parts are alike. */
static uint8_t
byte_at(unsigned of, uint64_t at)
{
	return (uint8_t)((at * 2654435761u >> 9) + at / UNIT * 37 + of);
}

static enum trl_code
write_some(trl_ctx *ctx, store_writer *writer, unsigned of, uint64_t from, uint64_t len)
{
	uint8_t *piece = malloc(PIECE);
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && len > 0) {
		const size_t n = len < PIECE ? (size_t)len : PIECE;

		for (size_t i = 0; i < n; i++)
			piece[i] = byte_at(of, from + i);
		rc = store_writer_write(ctx, writer, piece, n);
		from += n;
		len -= n;
	}
	free(piece);
	return rc;
}

static store_writer *
open_writer(trl_ctx *ctx, const struct store_place *place)
{
	store_writer *writer = NULL;

	assert_int_equal(
	    store_writer_open(ctx, store, &object, place, &writer), TRL_OK);
	return writer;
}

static void
keep_place(trl_ctx *ctx, struct store_place *place)
{
	place->state = trl_arena_memdup(ctx->arena, place->state, place->state_len);
	place->generation++;
}

/* Writes [from, to) of `of` by a new writer and makes it durable. */
static void
upload_to(trl_ctx *ctx, struct store_place *place, unsigned of, uint64_t to)
{
	store_writer *writer = open_writer(ctx, place);

	assert_int_equal(
	    write_some(ctx, writer, of, place->offset, to - place->offset), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, writer, place), TRL_OK);
	keep_place(ctx, place);
	store_writer_close(&writer);
}

static void
holds(trl_ctx *ctx, unsigned of, uint64_t len)
{
	store_reader *reader = NULL;
	const uint8_t *data;
	uint64_t size, at = 0;
	size_t n;

	assert_int_equal(store_size(ctx, store, &object, &size), TRL_OK);
	assert_int_equal(size, len);
	assert_int_equal(
	    store_reader_open(ctx, store, &object, 0, size, &reader), TRL_OK);
	do {
		assert_int_equal(store_reader_next(ctx, reader, &data, &n), TRL_OK);
		for (size_t i = 0; i < n; i++)
			if (data[i] != byte_at(of, at + i))
				fail_msg("byte %zu is wrong", (size_t)at + i);
		at += n;
	} while (n > 0);
	store_reader_close(&reader);
	assert_int_equal(at, len);
}

static void
is_unavailable(trl_ctx *ctx, enum trl_code rc)
{
	assert_int_equal(rc, TRL_UNAVAILABLE);
	assert_int_not_equal(ctx->err.retry_after_ms, 0);
	trl_err_clear(ctx);
}

static void
is_missing(trl_ctx *ctx)
{
	uint64_t size;

	assert_int_equal(store_size(ctx, store, &object, &size), TRL_NOT_FOUND);
	trl_err_clear(ctx);
}

static void
busy(trl_ctx *ctx)
{
	struct store_place place = { .length = 17 * UNIT, .generation = 1 };

	fail_next("begin", "slowdown", 1);
	fail_next("part", "slowdown", 1);
	fail_next("part", "late", 1);
	fail_next("part", "cut", 1);
	fail_next("part", "lost", 1);
	fail_next("put", "cut", 1);
	fail_next("complete", "error", 1);
	upload_to(ctx, &place, 1, 10 * UNIT); /* with a tail */
	fail_next("get", "cut", 1);
	fail_next("part", "odd", 1);
	upload_to(ctx, &place, 1, 17 * UNIT);
	fail_next("complete", "error200", 1);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	fail_next("head", "error", 1);
	fail_next("get", "half", 3);
	holds(ctx, 1, 17 * UNIT);
}

static void
a_server_that_is_busy_or_breaks_off_is_asked_again(void **state)
{
	(void)state;
	act(busy);
}

static void
stays_busy(trl_ctx *ctx)
{
	struct store_place place = { .length = 17 * UNIT, .generation = 1 }, none;
	store_writer *writer;

	upload_to(ctx, &place, 1, 9 * UNIT);
	fail_next("part", "slowdown", 1000);
	writer = open_writer(ctx, &place);
	is_unavailable(ctx, write_some(ctx, writer, 1, 9 * UNIT, 8 * UNIT));
	store_writer_close(&writer);
	(void)tell("forget\n");
	fail_next("put", "cut", 1000);
	writer = open_writer(ctx, &place);
	assert_int_equal(write_some(ctx, writer, 1, 9 * UNIT, UNIT), TRL_OK);
	is_unavailable(ctx, store_writer_sync(ctx, writer, &none));
	store_writer_close(&writer);
	fail_next("get", "slowdown", 1000);
	is_unavailable(ctx, store_writer_open(ctx, store, &object, &place, &writer));
	(void)tell("forget\n");
	upload_to(ctx, &place, 1, 17 * UNIT);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	holds(ctx, 1, 17 * UNIT);
	assert_int_equal(((struct s3_store *)store)->held, 0);
}

static void
one_that_stays_busy_is_unavailable_and_the_upload_goes_on_later(void **state)
{
	(void)state;
	act(stays_busy);
}

/* A process dies between the bytes and the row: what the row names is as it was. */
static void
forgotten(trl_ctx *ctx)
{
	struct store_place place = { .length = 20 * UNIT, .generation = 1 }, lost;
	store_writer *writer = open_writer(ctx, &place);

	assert_int_equal(write_some(ctx, writer, 1, 0, 9 * UNIT), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, writer, &place), TRL_OK);
	keep_place(ctx, &place);
	lost = place;
	assert_int_equal(write_some(ctx, writer, 1, 9 * UNIT, 8 * UNIT), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, writer, &lost), TRL_OK);
	store_writer_close(&writer);
	upload_to(ctx, &place, 1, 20 * UNIT);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	holds(ctx, 1, 20 * UNIT);
}

static void
a_checkpoint_that_no_row_heard_of_leaves_the_one_before(void **state)
{
	(void)state;
	act(forgotten);
}

static void
not_made(trl_ctx *ctx)
{
	struct store_place place = { .length = 9 * UNIT, .generation = 1 };

	upload_to(ctx, &place, 1, 9 * UNIT);
	fail_next("complete", "error200", 1000);
	is_unavailable(ctx, store_finish(ctx, store, &object, &place));
	is_missing(ctx);
	(void)tell("forget\n");
	fail_next("complete", "lost", 1);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	holds(ctx, 1, 9 * UNIT);
}

static void
a_200_with_an_error_in_it_is_none_and_a_lost_answer_is_found_out(void **state)
{
	(void)state;
	act(not_made);
}

static void
other_parts(trl_ctx *ctx)
{
	struct store_place place = { .length = 9 * UNIT, .generation = 1 }, old = place;
	store_writer *stale = open_writer(ctx, &old);

	assert_int_equal(write_some(ctx, stale, 2, 0, 5 * UNIT), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, stale, &old), TRL_OK);
	place = old;
	keep_place(ctx, &place);
	upload_to(ctx, &place, 2, 6 * UNIT);
	/* It was fenced off and does not know. */
	assert_int_equal(write_some(ctx, stale, 3, 5 * UNIT, UNIT), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, stale, &old), TRL_OK);
	store_writer_close(&stale);
	upload_to(ctx, &place, 2, 9 * UNIT);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	holds(ctx, 2, 9 * UNIT);
}

static void
a_writer_that_was_fenced_off_changes_nothing(void **state)
{
	(void)state;
	act(other_parts);
}

static void
stale_part(trl_ctx *ctx)
{
	struct store_place place = { .length = 9 * UNIT, .generation = 1 };
	struct s3_state late;
	uint8_t byte = 'x';
	char key[S3_KEY_BYTES];

	upload_to(ctx, &place, 2, 9 * UNIT);
	s3_key_of(&object, key);
	assert_true(s3_state_read(&late, place.state, place.state_len));
	late.n_parts = 0;
	late.etags.len = 0;
	assert_int_equal(
	    s3_add_part(ctx, (struct s3_store *)store, key, &late, &byte, 1), TRL_OK);
	s3_state_fini(&late);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_NOT_FOUND);
	trl_err_clear(ctx);
	is_missing(ctx);
}

static void
a_part_that_another_has_written_over_is_not_made_part_of_a_file(void **state)
{
	(void)state;
	act(stale_part);
}

static void
full(trl_ctx *ctx)
{
	const struct store_object made = { object.tenant, object.file, "thumb" };
	struct store_place place = { .length = 9 * UNIT, .generation = 1 };
	store_writer *writer = open_writer(ctx, &place);

	assert_int_equal(write_some(ctx, writer, 1, 0, 8 * UNIT - 5), TRL_OK);
	fail_next("part", "full", 1);
	fail_next("part", "quota", 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    write_some(ctx, writer, 1, 8 * UNIT - 5, PIECE), TRL_STORAGE);
		trl_err_clear(ctx);
	}
	assert_int_equal(write_some(ctx, writer, 1, 8 * UNIT - 5, UNIT + 5), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, writer, &place), TRL_OK);
	keep_place(ctx, &place);
	store_writer_close(&writer);
	fail_next("put", "full", 1);
	assert_int_equal(store_put(ctx, store, &made, "x", 1), TRL_STORAGE);
	trl_err_clear(ctx);
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_OK);
	holds(ctx, 1, 9 * UNIT);
}

static void
a_store_that_is_full_says_so_and_takes_the_rest_later(void **state)
{
	(void)state;
	act(full);
}

/* What the process logs goes to a file. */
static FILE *logged;
static int stderr_was;

static void
refused(trl_ctx *ctx)
{
	static const char *const faults[] = { "region", "key", "bucket" };
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
	char line[2048];
	bool told = false;

	(void)state;
	logged = tmpfile();
	stderr_was = dup(2);
	dup2(fileno(logged), 2);
	act(refused);
	dup2(stderr_was, 2);
	close(stderr_was);
	rewind(logged);
	while (fgets(line, sizeof line, logged) != NULL)
		told |= strstr(line, "expecting 'eu-central-9'") != NULL &&
			strstr(line, "AuthorizationHeaderMalformed") != NULL;
	fclose(logged);
	assert_true(told);
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
too_many(trl_ctx *ctx)
{
	enum { MOST = S3_WRITERS_BYTES / (8 * UNIT) };
	struct store_place place = { .length = UINT64_C(5) << 40, .generation = 1 };
	store_writer *writers[MOST], *more;

	/* One of the largest is let in where nothing else is. */
	writers[0] = open_writer(ctx, &place);
	place.length = 8 * UNIT;
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &more), TRL_BUSY);
	assert_int_not_equal(ctx->err.retry_after_ms, 0);
	trl_err_clear(ctx);
	store_writer_close(&writers[0]);
	for (size_t i = 0; i < MOST; i++)
		writers[i] = open_writer(ctx, &place);
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &more), TRL_BUSY);
	trl_err_clear(ctx);
	store_writer_close(&writers[5]);
	place.length = 100; /* it takes no more than it has */
	writers[5] = open_writer(ctx, &place);
	for (size_t i = 0; i < MOST; i++)
		store_writer_close(&writers[i]);
	assert_int_equal(((struct s3_store *)store)->held, 0);
	place.length = (UINT64_C(5) << 40) + 1;
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &more), TRL_TOO_LARGE);
	trl_err_clear(ctx);
}

static void
writers_are_bounded_by_what_they_may_hold_in_memory(void **state)
{
	(void)state;
	act(too_many);
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

static int
open_bucket(void **state)
{
	struct trl_host host = { .loop = trl_loop_new(NULL) };

	(void)state;
	test_server_start(&server, "test_s3_hostile.py");
	config = test_server_config(&server);
	loop = host.loop;
	assert_int_equal(store_open(&host, &config, &store), TRL_OK);
	((struct s3_store *)store)->part_bytes = 8 * UNIT;
	((struct s3_store *)store)->pause_ms = 4;
	return 0;
}

static void
clean(trl_ctx *ctx)
{
	assert_int_equal(store_remove_tenant(ctx, store, object.tenant), TRL_OK);
}

static int
clean_up(void **state)
{
	(void)state;
	(void)tell("forget\n");
	act(clean);
	return 0;
}

static int
close_bucket(void **state)
{
	(void)state;
	store_close(&store);
	trl_loop_free(&loop);
	test_server_end(&server);
	return 0;
}

#define CASE(test) cmocka_unit_test_teardown(test, clean_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_server_that_is_busy_or_breaks_off_is_asked_again),
		CASE(one_that_stays_busy_is_unavailable_and_the_upload_goes_on_later),
		CASE(a_checkpoint_that_no_row_heard_of_leaves_the_one_before),
		CASE(a_200_with_an_error_in_it_is_none_and_a_lost_answer_is_found_out),
		CASE(a_writer_that_was_fenced_off_changes_nothing),
		CASE(a_part_that_another_has_written_over_is_not_made_part_of_a_file),
		CASE(a_store_that_is_full_says_so_and_takes_the_rest_later),
		CASE(what_the_server_says_is_for_the_log),
		CASE(answers_that_lack_what_they_are_for_are_no_success),
		CASE(writers_are_bounded_by_what_they_may_hold_in_memory),
		CASE(a_listing_that_is_longer_than_it_was_asked_for_loses_nothing),
		CASE(a_request_is_made_again_within_the_time_that_there_is),
		CASE(the_bucket_stands_in_the_path_or_before_the_host),
		CASE(settings_that_cannot_be_are_refused),
	};

	trl_assert(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, open_bucket, close_bucket);
}
