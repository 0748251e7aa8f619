/* test_out.c - requests to servers of another make (Python's), in a process beside this
 * one. Over 400 lines: short talks, each of which stands by itself.
 *
 *   test_http_out test_out_world.py */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <trl/span.h>

#include "test_out_rig.h"

static void
a_request_is_sent_as_it_was_given_and_its_answer_is_read(void **state)
{
	static const char *const headers[] = { "Content-Type: application/json",
		"X-One: 1", NULL };
	struct visit visit = { .call = { .method = "POST",
				   .url = at(world.http, "echo?a=%20b"),
				   .headers = headers,
				   .body = "{\"a\": 1}",
				   .body_len = 8 } };

	(void)state;
	go(&visit);
	assert_int_equal(visit.rc, TRL_OK);
	assert_int_equal(visit.answer.status, 201);
	assert_memory_equal(visit.body, "POST\n", 5);
	assert_non_null(strstr(visit.body, "Content-Type: application/json\n"));
	assert_non_null(strstr(visit.body, "X-One: 1\n"));
	assert_null(strstr(visit.body, "Expect"));
	assert_string_equal(strstr(visit.body, "{"), "{\"a\": 1}");
	assert_string_equal(visit.address, "127.0.0.1");
	assert_false(visit.answer.truncated);
	free(visit.body);
}

static void
recorded(void *self, size_t n)
{
	(void)self, (void)n;
}

static void
what_a_traced_message_asks_outside_is_a_span_without_the_path(void **state)
{
	static const struct {
		const char *path;
		unsigned status;
	} rows[] = { { "hello?token=secret", 200 }, { "busy?1", 503 } };
	struct trl_span_record got;

	(void)state;
	trl_spans_open(
	    &(struct trl_spans_options){ .room = 4, .ratio = 1, .recorded = recorded });
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct visit visit = { .call = {
					   .url = at(world.http, rows[i].path) } };

		trl_trace_new(&visit.trace);
		go(&visit);
		free(visit.body);
		assert_int_equal(trl_spans_take(&got, 1), 1);
		assert_int_equal(got.what, TRL_SPAN_HTTP);
		assert_string_equal(got.name, "GET");
		assert_string_equal(got.text, "localhost");
		assert_int_equal(got.number, rows[i].status);
		assert_int_equal(got.code, TRL_OK);
		assert_memory_equal(got.trace_id, visit.trace.trace_id, 16);
		assert_memory_equal(got.parent_id, visit.trace.span_id, 8);
	}
	struct visit nobody = { .call = { .url = "http://127.0.0.1:1/" } };
	trl_trace_new(&nobody.trace);
	go(&nobody);
	assert_int_equal(trl_spans_take(&got, 1), 1);
	assert_int_equal(got.code, TRL_UNAVAILABLE);
	assert_int_equal(got.number, 0);
	trl_spans_close();
}

static void
an_answer_with_zeros_in_it_is_read_whole(void **state)
{
	struct visit visit = { .call = {
				   .method = "GET", .url = at(world.http, "zeros") } };

	(void)state;
	go(&visit);
	assert_int_equal(visit.rc, TRL_OK);
	assert_int_equal(visit.answer.body_len, 1004);
	assert_memory_equal(visit.body, "a\0b\0", 4);
	assert_memory_equal(visit.body + 1002, "\0c", 3);
	free(visit.body);
}

static void
each_method_travels(void **state)
{
	static const char *const methods[] = { "GET", "PUT", "DELETE", "POST" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(methods); i++) {
		struct visit visit = { .call = { .method = methods[i],
					   .url = at(world.http, "echo") } };
		go(&visit);
		assert_int_equal(visit.rc, TRL_OK);
		assert_memory_equal(visit.body, methods[i], strlen(methods[i]));
		free(visit.body);
	}
	struct visit head = { .call = {
				  .method = "HEAD", .url = at(world.http, "hello") } };
	go(&head);
	assert_int_equal(head.answer.status, 200);
	assert_int_equal(head.answer.body_len, 0);
	free(head.body);
}

static void
a_failure_of_the_server_is_an_answer_with_its_retry_after(void **state)
{
	static const struct {
		const char *said;
		uint32_t least_s, most_s;
	} rows[] = {
		{ "%20120%20", 120, 120 },
		{ "0", 0, 0 },
		{ "99999999999999999999999", 86400, 86400 },
		{ "Fri,%2031%20Dec%202055%2023:59:59%20GMT", 86400, 86400 },
		{ "Fri,%2031%20Dec%201999%2023:59:59%20GMT", 0, 0 },
		{ "-5", 0, 0 },
		{ "soon", 0, 0 },
		{ "", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		char path[80];
		struct visit visit = { .call = { .url = NULL } };

		snprintf(path, sizeof path, "busy?%s", rows[i].said);
		visit.call.url = at(world.http, path);
		go(&visit);
		assert_int_equal(visit.rc, TRL_OK);
		assert_int_equal(visit.answer.status, 503);
		assert_in_range(
		    visit.answer.retry_after_s, rows[i].least_s, rows[i].most_s);
		free(visit.body);
	}
}

static void
a_redirect_is_an_answer_and_not_followed(void **state)
{
	struct visit visit = { .call = { .url = at(world.http, "redirect") } };

	(void)state;
	go(&visit);
	assert_int_equal(visit.rc, TRL_OK);
	assert_int_equal(visit.answer.status, 302);
	free(visit.body);
}

static void
proxies_of_the_environment_are_not_asked(void **state)
{
	struct visit visit = { .call = { .url = at(world.http, "hello") } };

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	go(&visit);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	assert_int_equal(visit.rc, TRL_OK);
	free(visit.body);
}

static void
an_answer_that_trickles_ends_with_the_time_of_the_whole(void **state)
{
	static const char *const paths[] = { "trickle", "silent" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(paths); i++) {
		struct visit visit = { .call = { .url = at(world.http, paths[i]),
					   .timeout_ms = 300 } };
		uint64_t began = trl_mono_us();

		go(&visit);
		assert_int_equal(visit.rc, TRL_DEADLINE);
		assert_in_range(trl_mono_us() - began, 250000, 8000000);
	}
}

static void
an_endless_answer_is_cut_at_its_limit(void **state)
{
	struct visit visit = { .call = { .url = at(world.http, "endless"),
				   .max_reply = 100000 } };

	(void)state;
	go(&visit);
	assert_int_equal(visit.rc, TRL_OK);
	assert_int_equal(visit.answer.status, 200);
	assert_true(visit.answer.truncated);
	assert_int_equal(visit.answer.body_len, 100000);
	assert_memory_equal(visit.body, "endless endless ", 16);
	free(visit.body);
}

static void
too_much_of_a_head_and_what_is_no_http_are_failures(void **state)
{
	static const char *const paths[] = { "heads", "long_head", "garbage" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(paths); i++) {
		struct visit visit = { .call = { .url = at(world.http, paths[i]) } };

		go(&visit);
		assert_int_equal(visit.rc, TRL_UNAVAILABLE);
		assert_true(strlen(visit.why) > 10);
	}
}

static void
nobody_listening_is_unavailable_and_says_so(void **state)
{
	struct visit visit = { .call = { .url = "http://127.0.0.1:1/" } };

	(void)state;
	go(&visit);
	assert_int_equal(visit.rc, TRL_UNAVAILABLE);
	assert_non_null(strstr(visit.why, "127.0.0.1"));
	visit.call.url = "http://nowhere.test/";
	go(&visit);
	assert_int_equal(visit.rc, TRL_UNAVAILABLE);
	assert_non_null(strstr(visit.why, "nowhere.test"));
}

static void
a_header_with_a_line_break_is_refused(void **state)
{
	static const char *const headers[] = { "X-One: 1\r\nX-Two: 2", NULL };
	struct visit visit = { .call = { .url = at(world.http, "echo"),
				   .headers = headers } };

	(void)state;
	go(&visit);
	assert_int_equal(visit.rc, TRL_DENIED);
}

static void
connections_are_kept_for_the_next_request(void **state)
{
	unsigned before = connections();

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(connections(), before);
}

/* How often the server has let a connection die. */
static unsigned long
deaths(void)
{
	struct visit visit = { .call = { .url = at(world.http, "died") } };
	unsigned long n;

	go(&visit);
	assert_int_equal(visit.rc, TRL_OK);
	n = strtoul(visit.body, NULL, 10);
	free(visit.body);
	return n;
}

static void
what_dies_on_a_kept_connection_is_sent_once(void **state)
{
	static const struct trl_http_call rows[] = {
		{ .method = "POST", .body = "{}", .body_len = 2 },
		{ .method = "PUT", .body = "{}", .body_len = 2 },
		{ .method = "POST" },
		{ .method = "DELETE" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct visit warm[8] = { 0 }, visit = { .call = rows[i] };
		const unsigned long before = deaths();
		const char *meet = at(world.http, "meet");

		for (size_t j = 0; j < TRL_COUNT(warm); j++) {
			warm[j].call.url = meet;
			begin_call(&warm[j]);
		}
		for (size_t j = 0; j < TRL_COUNT(warm); j++) {
			assert_true(
			    trl_loop_run_until(world.loop, is_done, &warm[j], 20000));
			free(warm[j].body);
		}
		visit.call.url = at(world.http, "dies");
		go(&visit);
		assert_int_equal(visit.rc, TRL_UNAVAILABLE);
		assert_int_equal(deaths() - before, 1);
	}
}

static void
many_requests_run_at_once_and_the_slow_hold_up_nobody(void **state)
{
	struct visit visits[VISITS] = { 0 };
	struct visit slow = { .call = { .url = at(world.http, "silent"),
				  .timeout_ms = 6000 } };
	const char *url = at(world.http, "hello");

	(void)state;
	begin_call(&slow);
	for (size_t i = 0; i < VISITS; i++) {
		visits[i].call.url = url;
		begin_call(&visits[i]);
	}
	assert_true(trl_loop_run_until(world.loop, all_done, visits, 5500));
	assert_false(slow.done);
	for (size_t i = 0; i < VISITS; i++) {
		assert_int_equal(visits[i].rc, TRL_OK);
		assert_string_equal(visits[i].body, "hello");
		free(visits[i].body);
	}
	assert_true(trl_loop_run_until(world.loop, is_done, &slow, 15000));
	assert_int_equal(slow.rc, TRL_DEADLINE);
}

static void
an_actor_out_of_time_leaves_nothing_behind(void **state)
{
	struct visit visit = { .actor_ms = 200,
		.call = { .url = at(world.http, "silent"), .timeout_ms = 5000 } };
	struct visit late = { .actor_ms = 100,
		.call = { .url = "http://late.test/", .timeout_ms = 5000 } };

	(void)state;
	go(&visit);
	assert_int_equal(visit.rc, TRL_DEADLINE);
	go(&late); /* its lookup goes on, detached */
	assert_int_equal(late.rc, TRL_DEADLINE);
	late.actor_ms = 0;
	late.call.timeout_ms = 100;
	go(&late);
	assert_int_equal(late.rc, TRL_DEADLINE);
	atomic_store(&world.answer_late, true);
	assert_true(connections() > 0);
}

/* Of this process: what the loop is held for. */
static int64_t
cpu_us_of_a_handshake(trl_http_out *out)
{
	struct visit visit = { .out = out,
		.call = { .url = at(world.https, "hello") } };
	struct timespec from, to;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	go(&visit);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	assert_int_equal(visit.rc, TRL_UNAVAILABLE); /* the system knows it not */
	assert_non_null(strstr(visit.why, "certificate"));
	return (to.tv_sec - from.tv_sec) * INT64_C(1000000) +
	       (to.tv_nsec - from.tv_nsec) / 1000;
}

static void
the_systems_authorities_are_read_once_for_many_connections(void **state)
{
	struct trl_http_out_options no_ca = { .any_address = true };
	TRL_AUTO(trl_http_out_close)
	trl_http_out *out = trl_http_out_open(world.loop, &no_ca);
	const int64_t first = cpu_us_of_a_handshake(out);
	int64_t least = first;

	(void)state;
	for (int i = 0; i < 5; i++) {
		const int64_t later = cpu_us_of_a_handshake(out);

		least = later < least ? later : least;
	}
	if (least > first / 3)
		fail_msg("the first took %lld us, none of the others less than %lld",
		    (long long)first, (long long)least);
}

static void
a_certificate_is_believed_for_its_name_and_authority_alone(void **state)
{
	struct trl_http_out_options no_ca = { .any_address = true };
	TRL_AUTO(trl_http_out_close)
	trl_http_out *others = trl_http_out_open(world.loop, &no_ca);
	struct visit good = { .call = { .url = at(world.https, "hello") } };
	struct visit wrong = { .call = { .url = at(world.https_wrong, "hello") } };
	struct visit unknown = { .out = others,
		.call = { .url = at(world.https, "hello") } };

	(void)state;
	go(&good);
	assert_int_equal(good.rc, TRL_OK);
	assert_string_equal(good.body, "hello");
	free(good.body);
	go(&wrong);
	assert_int_equal(wrong.rc, TRL_UNAVAILABLE);
	go(&unknown);
	assert_int_equal(unknown.rc, TRL_UNAVAILABLE);
	assert_non_null(strstr(unknown.why, "certificate"));
}

static void
a_kept_connection_of_tls_ends_with_its_client(void **state)
{
	const struct trl_http_out_options options = { .any_address = true,
		.ca_file = world.ca };
	TRL_AUTO(trl_http_out_close)
	trl_http_out *out = trl_http_out_open(world.loop, &options);
	struct visit visit = { .out = out,
		.call = { .url = at(world.https, "hello") } };
	struct visit next = { .call = { .url = at(world.http, "hello") } };

	(void)state;
	go(&visit);
	assert_int_equal(visit.rc, TRL_OK);
	free(visit.body);
	trl_http_out_close(&out);
	go(&next); /* the loop polls what it was left with */
	assert_int_equal(next.rc, TRL_OK);
	free(next.body);
}

static void
names_of_private_addresses_are_refused_before_anything_is_sent(void **state)
{
	static const char *const urls[] = { "https://private.test/",
		"https://mixed.test/", "https://mapped.test/", "https://[::1]/",
		"https://10.0.0.1/", "https://0x7f.2/", "https://good.test/" };
	const struct trl_http_out_options options = { .allow_cidrs = NULL };
	TRL_AUTO(trl_http_out_close)
	trl_http_out *strict = trl_http_out_open(world.loop, &options);

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(urls); i++) {
		struct visit visit = { .out = strict, .call = { .url = urls[i] } };

		go(&visit);
		assert_int_equal(visit.rc, TRL_DENIED);
	}
}

static void
one_private_address_among_allowed_ones_is_enough_to_refuse(void **state)
{
	const struct trl_http_out_options options = { .allow_cidrs = "127.0.0.0/8" };
	TRL_AUTO(trl_http_out_close)
	trl_http_out *some = trl_http_out_open(world.loop, &options);
	struct visit mixed = { .out = some, .call = { .url = "http://mixed.test/" } };
	struct visit fine = { .out = some, .call = { .url = at(world.http, "hello") } };

	(void)state;
	go(&mixed);
	assert_int_equal(mixed.rc, TRL_DENIED);
	assert_null(strstr(mixed.why, "10.0.0.1"));
	go(&fine);
	assert_int_equal(fine.rc, TRL_OK);
	free(fine.body);
}

static void
a_name_that_rebinds_is_called_at_the_address_that_was_looked_at(void **state)
{
	char url[100];
	struct visit visit = { .call = { .url = url } };

	(void)state;
	snprintf(url, sizeof url, "http://rebinds.test:%u/hello", world.http);
	atomic_store(&world.asked, 0);
	go(&visit);
	assert_int_equal(visit.rc, TRL_OK);
	assert_string_equal(visit.address, "127.0.0.1");
	assert_int_equal(atomic_load(&world.asked), 1);
	free(visit.body);
}

enum { MUCH = 5000000, PART = 70000 };

struct exchange {
	const char *method, *path;
	size_t length, got;
	uint64_t sum_sent;
	char text[100];
	enum trl_code rc;
	unsigned status;
	bool differs, done;
};

static enum trl_code
send_body(trl_ctx *ctx, struct exchange *visit, trl_http_exchange *exchange)
{
	enum trl_code rc = TRL_OK;
	uint8_t piece[PART / 100];

	for (size_t at = 0; at < visit->length && rc == TRL_OK; at += sizeof piece) {
		for (size_t i = 0; i < sizeof piece; i++)
			visit->sum_sent += piece[i] = (uint8_t)((at + i) * 7);
		rc = trl_http_out_write(ctx, exchange, piece, sizeof piece);
		if (rc == TRL_OK && at % PART == 0)
			rc = trl_sleep(ctx, 1); /* libcurl asks, and has to wait */
	}
	return rc;
}

static enum trl_code
read_answer(trl_ctx *ctx, struct exchange *visit, trl_http_exchange *exchange)
{
	const uint8_t *data;
	enum trl_code rc;
	size_t len;

	while ((rc = trl_http_out_read(ctx, exchange, &data, &len)) == TRL_OK && len) {
		for (size_t i = 0; i < len && !visit->length; i++)
			visit->differs |= data[i] != (visit->got + i) % 1000 % 251;
		if (len < sizeof visit->text)
			memcpy(visit->text, data, len);
		visit->got += len;
		if (trl_sleep(ctx, 5) != TRL_OK) /* what comes has to wait */
			break;
	}
	return rc;
}

static void
run_exchange(trl_ctx *ctx, void *arg)
{
	struct exchange *visit = arg;
	trl_http_exchange *exchange = NULL;
	struct trl_http_answer answer = { 0 };
	const struct trl_http_call call = { .method = visit->method,
		.url = at(world.https, visit->path) };

	visit->rc = trl_http_out_begin(ctx, world.out, &call, visit->length, &exchange);
	if (visit->rc == TRL_OK)
		visit->rc = send_body(ctx, visit, exchange);
	if (visit->rc == TRL_OK)
		visit->rc = trl_http_out_head(ctx, exchange, &answer);
	if (visit->rc == TRL_OK)
		visit->rc = read_answer(ctx, visit, exchange);
	visit->status = answer.status;
	trl_http_out_end(&exchange);
	visit->done = true;
}

static bool
is_over(void *self)
{
	return ((struct exchange *)self)->done;
}

static void
an_exchange_by_tls_waits_for_both_ends(void **state)
{
	struct exchange visits[] = { { .method = "GET", .path = "much" },
		{ .method = "PUT", .path = "sum", .length = 49 * PART } };
	char want[100];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(visits); i++) {
		const struct trl_spawn spawn = {
			.name = "exchange", .run = run_exchange, .arg = &visits[i]
		};

		assert_int_equal(trl_spawn(world.loop, &spawn), TRL_OK);
		assert_true(trl_loop_run_until(world.loop, is_over, &visits[i], 20000));
		assert_int_equal(visits[i].rc, TRL_OK);
	}
	assert_int_equal(visits[0].status, 200);
	assert_int_equal(visits[0].got, MUCH);
	assert_false(visits[0].differs);
	assert_int_equal(visits[1].status, 201);
	snprintf(want, sizeof want, "%d %llu", 49 * PART,
	    (unsigned long long)visits[1].sum_sent);
	assert_string_equal(visits[1].text, want);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_request_is_sent_as_it_was_given_and_its_answer_is_read),
		cmocka_unit_test(
		    what_a_traced_message_asks_outside_is_a_span_without_the_path),
		cmocka_unit_test(an_answer_with_zeros_in_it_is_read_whole),
		cmocka_unit_test(each_method_travels),
		cmocka_unit_test(
		    a_failure_of_the_server_is_an_answer_with_its_retry_after),
		cmocka_unit_test(a_redirect_is_an_answer_and_not_followed),
		cmocka_unit_test(proxies_of_the_environment_are_not_asked),
		cmocka_unit_test(
		    an_answer_that_trickles_ends_with_the_time_of_the_whole),
		cmocka_unit_test(an_endless_answer_is_cut_at_its_limit),
		cmocka_unit_test(too_much_of_a_head_and_what_is_no_http_are_failures),
		cmocka_unit_test(nobody_listening_is_unavailable_and_says_so),
		cmocka_unit_test(a_header_with_a_line_break_is_refused),
		cmocka_unit_test(connections_are_kept_for_the_next_request),
		cmocka_unit_test(what_dies_on_a_kept_connection_is_sent_once),
		cmocka_unit_test(many_requests_run_at_once_and_the_slow_hold_up_nobody),
		cmocka_unit_test(an_exchange_by_tls_waits_for_both_ends),
		cmocka_unit_test(an_actor_out_of_time_leaves_nothing_behind),
		cmocka_unit_test(
		    the_systems_authorities_are_read_once_for_many_connections),
		cmocka_unit_test(
		    a_certificate_is_believed_for_its_name_and_authority_alone),
		cmocka_unit_test(a_kept_connection_of_tls_ends_with_its_client),
		cmocka_unit_test(
		    names_of_private_addresses_are_refused_before_anything_is_sent),
		cmocka_unit_test(
		    one_private_address_among_allowed_ones_is_enough_to_refuse),
		cmocka_unit_test(
		    a_name_that_rebinds_is_called_at_the_address_that_was_looked_at),
	};

	trl_assert(argc == 2);
	world.script = argv[1];
	return cmocka_run_group_tests(tests, open_world, close_world);
}
