/* What is told to a collector that obeys, refuses, stalls, dies and comes back. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <cmocka.h>

#include <trl/sender.h>

#include "pause.h"
#include "test_collector.h"

static trl_loop *loop;
static struct collector collector;

static int
open_world(void **state)
{
	(void)state;
	loop = trl_loop_new(NULL);
	collector = (struct collector){ .status = 200 };
	collector_open(&collector, loop);
	return 0;
}

static int
close_world(void **state)
{
	(void)state;
	if (collector.server != NULL)
		collector_close(&collector);
	assert_true(trl_loop_run_until(loop, nobody_runs, loop, 10000));
	trl_loop_free(&loop);
	return 0;
}

/* A sender of a name of its own, so that its counters begin with 0. */
static trl_sender *
open_sender(const char *name, struct trl_sender_options options)
{
	trl_sender *sender;

	options.name = name;
	options.content_type = "application/x-protobuf";
	if (options.url == NULL)
		options.url = collector_url(&collector, "/v1/traces");
	sender = trl_sender_open(loop, &options);
	assert_non_null(sender);
	return sender;
}

static bool
has_sent_all(void *sender)
{
	return trl_sender_queued(sender) == 0;
}

static void
wait_sent(trl_sender *sender, uint32_t ms)
{
	assert_true(trl_loop_run_until(loop, has_sent_all, sender, ms));
}

static void
check_counts(const char *name, double sent, double retried, double refused)
{
	char reason[80];

	assert_true(counted("trellis_telemetry_sent_total", name) == sent);
	assert_true(counted("trellis_telemetry_retried_total", name) == retried);
	snprintf(reason, sizeof reason, "%s,refused", name);
	assert_true(counted("trellis_telemetry_dropped_total", reason) == refused);
}

static void
payloads_arrive_as_they_are_and_in_order_with_their_headers(void **state)
{
	static const char *const headers[] = { "X-One: secret", NULL };
	trl_sender *sender =
	    open_sender("plain", (struct trl_sender_options){ .headers = headers });

	(void)state;
	check_counts("plain", 0, 0, 0);
	assert_true(trl_sender_add(sender, "a\0b", 3));
	assert_true(trl_sender_add(sender, "last", 4));
	wait_sent(sender, 5000);
	assert_int_equal(collector.asked, 2);
	assert_int_equal(collector.got_len, 4);
	assert_memory_equal(collector.got, "last", 4);
	assert_string_equal(collector.type, "application/x-protobuf");
	assert_string_equal(collector.x_one, "secret");
	check_counts("plain", 2, 0, 0);
	assert_false(trl_sender_stuck(sender));
	trl_sender_close(&sender);
	assert_null(sender);
}

static void
only_four_statuses_are_worth_a_second_attempt(void **state)
{
	(void)state;
	for (unsigned status = 100; status < 600; status++)
		assert_int_equal(sender_tries_again(status),
		    status == 429 || status == 502 || status == 503 || status == 504);
	assert_true(sender_tries_again(0));
}

static void
a_pause_grows_to_three_seconds_and_obeys_retry_after(void **state)
{
	static const struct {
		unsigned attempts;
		uint32_t asked_s, least_ms;
	} rows[] = { { 1, 0, 1000 }, { 2, 0, 2000 }, { 3, 0, 3000 }, { 1000, 0, 3000 },
		{ 1, 7, 7000 }, { 9, 1, 1000 }, { 1, 86400, 300000 } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		uint32_t ms = sender_pause_ms(rows[i].attempts, rows[i].asked_s);

		assert_in_range(ms, rows[i].least_ms, rows[i].least_ms + 499);
	}
}

static void
what_is_put_off_is_sent_when_it_was_asked_for(void **state)
{
	trl_sender *sender = open_sender("off", (struct trl_sender_options){ 0 });
	uint64_t since = trl_mono_us();

	(void)state;
	collector.status = 429;
	collector.retry_after = "2";
	assert_true(trl_sender_add(sender, "x", 1));
	assert_true(trl_loop_run_until(
	    loop, collector_was_asked, &(struct asked){ &collector, 1 }, 10000));
	collector.status = 200;
	wait_sent(sender, 10000);
	assert_true(trl_mono_us() - since >= 2000000);
	assert_int_equal(collector.asked, 2);
	check_counts("off", 1, 1, 0);
	trl_sender_close(&sender);
}

static void
a_refusal_is_for_good_and_counted(void **state)
{
	static const uint16_t statuses[] = { 400, 401, 404, 413, 500, 302 };
	trl_sender *sender = open_sender("refused", (struct trl_sender_options){ 0 });

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(statuses); i++) {
		collector.status = statuses[i];
		assert_true(trl_sender_add(sender, "x", 1));
		wait_sent(sender, 5000);
	}
	assert_int_equal(collector.asked, TRL_COUNT(statuses));
	check_counts("refused", 0, 0, TRL_COUNT(statuses));
	trl_sender_close(&sender);
}

struct seen {
	unsigned calls, status;
	char header[40], body[40];
	enum trl_sender_verdict verdict;
};

static enum trl_sender_verdict
look(void *self, const struct trl_sender_answer *answer)
{
	struct seen *seen = self;

	seen->calls++;
	seen->status = answer->status;
	snprintf(seen->header, sizeof seen->header, "%s", answer->header);
	snprintf(
	    seen->body, sizeof seen->body, "%.*s", (int)answer->body_len, answer->body);
	return seen->verdict;
}

static void
its_owner_sees_each_answer_and_may_drop_what_would_be_tried_again(void **state)
{
	struct seen seen = { .verdict = TRL_SENDER_REFUSED };
	trl_sender *sender = open_sender(
	    "owner", (struct trl_sender_options){
			 .header = "X-Limits", .answered = look, .self = &seen });

	(void)state;
	collector.status = 429;
	collector.body = "garbage";
	collector.body_len = 7;
	assert_true(trl_sender_add(sender, "x", 1));
	wait_sent(sender, 5000);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.status, 429);
	assert_string_equal(seen.header, "60:error:key");
	assert_string_equal(seen.body, "garbage");
	check_counts("owner", 0, 0, 1);
	trl_sender_close(&sender);
}

static void
a_collector_that_is_away_costs_what_the_queue_may_hold(void **state)
{
	static uint8_t much[600];
	trl_sender *sender = open_sender("away",
	    (struct trl_sender_options){ .max_payloads = 3, .max_bytes = 1500 });
	uint64_t back;

	(void)state;
	collector_close(&collector);
	assert_true(trl_sender_add(sender, much, 600));
	assert_true(trl_sender_add(sender, much, 600));
	assert_false(trl_sender_add(sender, much, 600)); /* too many bytes */
	assert_true(trl_sender_add(sender, "x", 1));
	assert_false(trl_sender_add(sender, "y", 1)); /* too many payloads */
	assert_true(counted("trellis_telemetry_dropped_total", "away,full") == 2);
	assert_false(
	    trl_loop_run_until(loop, has_sent_all, sender, 3500)); /* it is tried */
	assert_true(trl_sender_stuck(sender));
	assert_true(counted("trellis_telemetry_retried_total", "away") >= 2);
	collector_open(&collector, loop);
	back = trl_mono_us();
	wait_sent(sender, 15000);
	assert_true(trl_mono_us() - back < 10000000);
	assert_int_equal(collector.asked, 3);
	assert_memory_equal(collector.got, "x", 1);
	assert_false(trl_sender_stuck(sender));
	trl_sender_close(&sender);
}

/* Takes connections and says nothing. */
static int
listen_and_stall(char *url, size_t room)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(url, room, "http://127.0.0.1:%u/", ntohs(at.sin_port));
	return fd;
}

static bool
is_stuck(void *sender)
{
	return trl_sender_stuck(sender);
}

static void
a_collector_that_never_answers_is_given_up_and_tried_again(void **state)
{
	char url[80];
	int fd = listen_and_stall(url, sizeof url);
	trl_sender *sender =
	    open_sender("stalls", (struct trl_sender_options){ .url = url });

	(void)state;
	assert_true(trl_sender_add(sender, "x", 1));
	assert_true(trl_loop_run_until(loop, is_stuck, sender, 10000));
	assert_int_equal(trl_sender_queued(sender), 1);
	assert_true(counted("trellis_telemetry_retried_total", "stalls") == 1);
	trl_sender_close(&sender); /* while it waits for its next attempt */
	close(fd);
}

static void
closing_ends_an_attempt_under_way(void **state)
{
	char url[80];
	int fd = listen_and_stall(url, sizeof url);
	trl_sender *sender =
	    open_sender("closed", (struct trl_sender_options){ .url = url });

	(void)state;
	assert_true(trl_sender_add(sender, "x", 1));
	assert_false(trl_loop_run_until(loop, has_sent_all, sender, 100));
	trl_sender_close(&sender);
	assert_true(trl_loop_run_until(loop, nobody_runs, loop, 10000));
	close(fd);
}

static void
a_url_that_is_none_is_refused_in_words(void **state)
{
	(void)state;
	assert_null(trl_sender_refused("http://collector:4318/v1/traces"));
	assert_null(trl_sender_refused("https://127.0.0.1/x"));
	assert_non_null(trl_sender_refused("collector:4318"));
	assert_non_null(trl_sender_refused("ftp://collector/"));
	assert_non_null(trl_sender_refused(""));
}

int
main(void)
{
#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
	static const struct CMUnitTest tests[] = {
		IN_A_WORLD(payloads_arrive_as_they_are_and_in_order_with_their_headers),
		cmocka_unit_test(only_four_statuses_are_worth_a_second_attempt),
		cmocka_unit_test(a_pause_grows_to_three_seconds_and_obeys_retry_after),
		IN_A_WORLD(what_is_put_off_is_sent_when_it_was_asked_for),
		IN_A_WORLD(a_refusal_is_for_good_and_counted),
		IN_A_WORLD(
		    its_owner_sees_each_answer_and_may_drop_what_would_be_tried_again),
		IN_A_WORLD(a_collector_that_is_away_costs_what_the_queue_may_hold),
		IN_A_WORLD(a_collector_that_never_answers_is_given_up_and_tried_again),
		IN_A_WORLD(closing_ends_an_attempt_under_way),
		cmocka_unit_test(a_url_that_is_none_is_refused_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
