/* Reads of a body that are ended by a nudge. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <string.h>
#include <cmocka.h>

#include "test_body_rig.h"

static void
a_read_that_waits_is_ended_by_a_nudge_and_the_body_goes_on(void **state)
{
	static const char *const heads[] = { HEAD("/in", "Content-Length: 2000"),
		HEAD("/in", "Transfer-Encoding: chunked") "3e8\r\n" };
	struct world *world = *state;
	uint8_t *body = pattern(2000);

	for (size_t i = 0; i < TRL_COUNT(heads); i++) {
		int fd = say_head(world, heads[i]);

		seen.bytes = seen.nudges = 0;
		say(fd, (const char *)body, 1000);
		await(world, (struct until){ .bytes = 1000 });
		let_pass(world, 5);
		trl_http_nudge(seen.reads);
		trl_http_nudge(seen.reads);
		await(world, (struct until){ .nudges = 1 });
		let_pass(world, 5);
		trl_http_nudge(seen.reads);
		await(world, (struct until){ .nudges = 2 });
		says(fd, i ? "\r\n3e8\r\n" : "");
		say(fd, (const char *)body + 1000, 1000);
		says(fd, i ? "\r\n0\r\n\r\n" NEXT : NEXT);
		assert_true(hear(world, fd, "\r\n\r\nother", 10000));
		assert_non_null(strstr(world->got, "\r\n\r\n2000HTTP/1.1 200"));
		assert_int_equal(seen.nudges, 2);
		assert_int_equal(seen.differs, 0);
		close(fd);
	}
	free(body);
}

static void
a_nudge_between_two_reads_is_told_by_the_next(void **state)
{
	struct world *world = *state;
	int fd = say_head(world, HEAD("/in/holds", "Content-Length: 2"));

	say(fd, "\x01", 1);
	await(world, (struct until){ .holding = 1 });
	say(fd, "\x07", 1); /* which is not lost by it */
	trl_http_nudge(seen.reads);
	trl_http_nudge(seen.reads);
	let_go(0);
	await(world, (struct until){ .holding = 2 });
	assert_int_equal(seen.nudges, 1);
	let_go(1);
	assert_true(hear(world, fd, "\r\n\r\n2", 10000));
	assert_int_equal(seen.nudges, 1);
	close(fd);
}

/* Nor is the client asked for its body before it is read. */
static void
a_nudge_before_the_first_piece_begins_nothing(void **state)
{
	struct world *world = *state;
	int fd = dial(world);

	says(fd, HEAD("/in/nudged/stops", "Content-Length: 3\r\nExpect: 100-continue"));
	assert_true(hear(world, fd, " 423 ", 10000));
	assert_int_equal(count(world->got, "100 Continue"), 0);
	close(fd);
	fd = dial(world);
	says(fd, HEAD("/in/nudged", "Content-Length: 0") NEXT);
	assert_true(hear(world, fd, "\r\n\r\nother", 10000));
	assert_non_null(strstr(world->got, " 201 "));
	assert_int_equal(seen.nudges, 2);
	close(fd);
}

static void
by_a_nudge_a_refusal_reaches_a_client_that_sends_no_more(void **state)
{
	struct world *world = *state;
	uint8_t *body = pattern(1000);
	int fd = say_head(world, HEAD("/in/stops", "Content-Length: 9000000"));

	say(fd, (const char *)body, 1000);
	await(world, (struct until){ .bytes = 1000 });
	let_pass(world, 5);
	trl_http_nudge(seen.reads);
	assert_true(hear(world, fd, " 423 Locked\r\n", 10000));
	assert_non_null(strstr(world->got, "Connection: close\r\n"));
	close(fd);
	assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
	free(body);
}

static void
nudges_give_a_client_no_more_time(void **state)
{
	const uint64_t began = trl_mono_us();
	struct world *world = *state;
	int fd = say_head(world, HEAD("/in", "Content-Length: 2"));

	while (seen.reads && trl_mono_us() - began < 9000000) {
		trl_http_nudge(seen.reads);
		let_pass(world, 20);
	}
	assert_true(hear(world, fd, " 408 ", 10000));
	assert_in_range(seen.nudges, 1, 100);
	assert_true(trl_mono_us() - began < 9000000);
	close(fd);
}

static void
a_nudge_ends_the_wait_for_room_too(void **state)
{
	struct world *world = *state;
	int fds[3];

	for (int i = 0; i < 3; i++)
		fds[i] =
		    say_head(world, i == 2 ? HEAD("/in/stops", "Content-Length: 2")
					   : HEAD("/in/holds", "Content-Length: 1"));
	for (int i = 0; i < 2; i++) {
		say(fds[i], "\x01", 1);
		await(world, (struct until){ .holding = (unsigned)i + 1 });
	}
	say(fds[2], "\x01", 1); /* for which there is no room */
	let_pass(world, 20);
	assert_int_equal(seen.nudges, 0);
	trl_http_nudge(seen.reads);
	assert_true(hear(world, fds[2], " 423 ", 10000));
	assert_int_equal(seen.nudges, 1);
	close(fds[2]);
	let_go(0);
	let_go(1);
	close(fds[0]);
	close(fds[1]);
}

#define TEST(f, with) cmocka_unit_test_setup_teardown(f, with, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(
		    a_read_that_waits_is_ended_by_a_nudge_and_the_body_goes_on, set_up),
		TEST(a_nudge_between_two_reads_is_told_by_the_next, set_up),
		TEST(a_nudge_before_the_first_piece_begins_nothing, set_up),
		TEST(by_a_nudge_a_refusal_reaches_a_client_that_sends_no_more, set_up),
		TEST(nudges_give_a_client_no_more_time, set_up_quick),
		TEST(a_nudge_ends_the_wait_for_room_too, set_up_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
