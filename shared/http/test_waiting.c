/* Clients that take their time, and that leave: what they cost, and what they get. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "test_http_rig.h"

/* As a client that dies does, and not one that has said all. */
static void
reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1 };

	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
	close(fd);
}

static void
what_a_client_asked_for_is_done_though_it_is_gone(void **state)
{
	static const char text[] = "GET /work HTTP/1.1\r\nHost: a\r\n\r\n";

	for (int by_reset = 0; by_reset < 2; by_reset++) {
		struct world *world = *state;
		int fd = dial(world);

		world->ticket.actor = NULL;
		world->finished = 0;
		say(fd, text, sizeof text - 1);
		assert_true(trl_loop_run_until(world->loop, is_at_work, world, 10000));
		if (by_reset)
			reset(fd);
		else
			close(fd);
		(void)trl_loop_run_until(world->loop, never, NULL, 20);
		assert_true(trl_wake(world->ticket));
		assert_true(
		    trl_loop_run_until(world->loop, has_finished, world, 10000));
	}
}

/* What a client says before it ends its side, and what it is told. */
static const struct {
	const char *text, *want;
	size_t answers;
} halves[] = {
	{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", " 200 ", 1 },
	{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", " 200 ", 1 },
	{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n", " 200 ", 1 },
	{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "\r\n\r\nabc",
	    1 },
	{ "GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\n"
	  "Content-Length: 3\r\n\r\nabc",
	    "\r\n\r\nabc", 2 },
	{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab", " 400 ", 1 },
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
	  "chunked\r\n\r\n3\r\nabc\r\n",
	    " 400 ", 1 },
	{ "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
	  "Content-Length: 3\r\n\r\n",
	    " 400 ", 2 },
	{ "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab", " 200 ",
	    1 },
	{ "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT", " 400 ", 2 },
	{ "GET / HTTP/1.1\r\n", " 400 ", 1 },
	{ "", "", 0 },
};

static void
a_client_that_has_ended_its_side_is_answered(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < TRL_COUNT(halves); i++) {
		int fd = dial(world);

		say(fd, halves[i].text, strlen(halves[i].text));
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
		world->want = NULL;
		world->fd = fd;
		if (!trl_loop_run_until(world->loop, over, world, 1000) ||
		    !strstr(world->got, halves[i].want) ||
		    count(world->got, "HTTP/1.1 ") != halves[i].answers)
			fail_msg("%s: %s", halves[i].text, world->got);
		close(fd);
	}
}

static void
a_long_answer_reaches_a_client_that_has_ended_its_side(void **state)
{
	static const char text[] = "GET /work HTTP/1.1\r\nHost: a\r\n\r\n"
				   "GET /big HTTP/1.1\r\nHost: a\r\n\r\n";
	struct world *world = *state;
	int fd = dial(world);

	say(fd, text, sizeof text - 1);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_true(trl_loop_run_until(world->loop, is_at_work, world, 10000));
	(void)trl_loop_run_until(world->loop, never, NULL, 20);
	assert_true(trl_wake(world->ticket));
	world->fd = fd;
	world->want = NULL;
	assert_true(trl_loop_run_until(world->loop, over, world, 10000));
	assert_int_equal(count(world->got, "HTTP/1.1 200 OK"), 2);
	assert_in_range(world->len, 100000, 101000);
	close(fd);
}

static void
a_body_that_does_not_come_takes_no_actor(void **state)
{
	static const char *const parts[] = {
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		"chunked\r\n\r\n2\r\nab"
	};
	static const char *const rests[] = { "c", "\r\n1\r\nc\r\n0\r\n\r\n" };
	struct world *world = *state;
	int fds[TRL_COUNT(parts)];

	for (size_t i = 0; i < TRL_COUNT(parts); i++) {
		fds[i] = dial(world);
		say(fds[i], parts[i], strlen(parts[i]));
	}
	assert_false(hear(world, fds[0], " ", 30));
	assert_int_equal(trl_actors_alive(world->loop), 0);
	assert_int_equal(world->handled, 0);
	for (size_t i = 0; i < TRL_COUNT(parts); i++) {
		world->len = 0;
		say(fds[i], rests[i], strlen(rests[i]));
		assert_true(hear(world, fds[i], "\r\n\r\nabc", 10000));
		close(fds[i]);
	}
	assert_int_equal(world->handled, 2);
}

static void
the_rest_is_of_the_next_request(void **state)
{
	static const char first[] = "POST / HTTP/1.1\r\nHost: a\r\n"
				    "Transfer-Encoding: chunked\r\n\r\n3\r\nab";
	static const char then[] = "c\r\n0\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\n"
				   "Content-Length: 3\r\n\r\nde";
	struct world *world = *state;
	int fd = dial(world);

	say(fd, first, sizeof first - 1);
	assert_false(hear(world, fd, " ", 20));
	say(fd, then, sizeof then - 1);
	assert_true(hear(world, fd, "\r\n\r\nabc", 10000));
	say(fd, "f", 1);
	assert_true(hear(world, fd, "\r\n\r\ndef", 10000));
	close(fd);
}

static void
what_must_be_told_is_told_when_no_actor_is_free(void **state)
{
	static const struct {
		const char *text, *want;
		bool ends;
	} asked[] = {
		{ "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\nalive", false },
		{ "HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\n", "Length: 5\r\n\r\n",
		    false },
		{ "GET http://b/livez HTTP/1.1\r\nHost: a\r\n\r\n", "alive", false },
		{ "GET /a HTTP/1.1\r\nHost: a\r\nX-Said: yes\r\n\r\n",
		    "busy.[GET /a yes]", true },
		{ "GET /livez HTTP/1.1\r\n\r\n", " 400 ", true },
	};
	static const char text[] = "GET /work HTTP/1.1\r\nHost: a\r\n\r\n";
	struct world *world = *state;
	int busy = dial(world);

	say(busy, text, sizeof text - 1);
	assert_true(trl_loop_run_until(world->loop, is_at_work, world, 10000));
	for (size_t i = 0; i < TRL_COUNT(asked); i++) {
		int fd = dial(world);

		for (int times = asked[i].ends ? 1 : 3; times; times--) {
			world->len = 0;
			say(fd, asked[i].text, strlen(asked[i].text));
			if (!hear(world, fd, asked[i].want, 1000))
				fail_msg("%s: %s", asked[i].text, world->got);
		}
		assert_int_equal(trl_loop_run_until(world->loop, over, world,
				     asked[i].ends ? 1000 : 20),
		    asked[i].ends);
		close(fd);
	}
	assert_int_equal(world->handled, 1);
	assert_true(trl_wake(world->ticket));
	assert_true(trl_loop_run_until(world->loop, has_finished, world, 10000));
	close(busy);
}

/* Sends a head and len bytes of a longer body, from 127.0.0.last. */
static int
begin_body(struct world *world, unsigned last, size_t len)
{
	static const char head[] =
	    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
	struct sockaddr_in from = { .sin_family = AF_INET }, to = from;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char bytes[1000] = { 'x' };

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)trl_http_port(world->server));
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	say(fd, head, sizeof head - 1);
	say(fd, bytes, len);
	world->len = 0;
	world->ended = false;
	return fd;
}

static void
what_waits_is_bounded_by_address_and_in_all(void **state)
{
	struct world *world = *state;
	char rest[900] = { 'x' };
	int one[3], others[16];

	/* 512 bytes each, as they are kept: of one address the second is too much. */
	for (size_t i = 0; i < 3; i++) {
		one[i] = begin_body(world, 1, 300);
		assert_int_equal(hear(world, one[i], " 503 ", 50), i > 0);
	}
	/* All together: room for 15. What has waited longest makes room. */
	for (unsigned i = 0; i < 16; i++) {
		others[i] = begin_body(world, 2 + i, 300);
		assert_false(hear(world, others[i], " ", 10));
	}
	assert_true(hear(world, one[0], " 503 ", 10000));
	world->len = 0;
	assert_true(hear(world, others[0], " 503 ", 10000));
	for (unsigned i = 1; i < 16; i++) {
		world->len = 0;
		say(others[i], rest, 700);
		assert_true(hear(world, others[i], " 200 ", 10000));
	}
	/* What is complete is held no more. */
	others[0] = begin_body(world, 1, 300);
	assert_false(hear(world, others[0], " ", 20));
	say(others[0], rest, 700);
	assert_true(hear(world, others[0], " 200 ", 10000));
	for (size_t i = 0; i < 3; i++)
		close(one[i]);
	for (size_t i = 0; i < 16; i++)
		close(others[i]);
}

static void
the_next_request_waits_for_no_handler_that_has_answered(void **state)
{
	static const char text[] = "GET /after HTTP/1.1\r\nHost: a\r\n\r\n"
				   "GET /big HTTP/1.1\r\nHost: a\r\n\r\n";
	struct world *world = *state;
	int fd = dial(world);

	say(fd, text, sizeof text - 1);
	world->want_len = 100000;
	assert_true(hear(world, fd, NULL, 10000));
	assert_int_equal(world->handled, 2);
	assert_int_equal(world->finished, 0);
	close(fd);
	(void)trl_loop_run_until(world->loop, never, NULL, 20);
	assert_true(trl_wake(world->ticket));
	assert_true(trl_loop_run_until(world->loop, has_finished, world, 10000));
}

#define PATIENT(f) cmocka_unit_test_setup_teardown(f, setup_patient, teardown)
#define SMALL(f) cmocka_unit_test_setup_teardown(f, setup_small, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PATIENT(what_a_client_asked_for_is_done_though_it_is_gone),
		PATIENT(a_client_that_has_ended_its_side_is_answered),
		PATIENT(a_long_answer_reaches_a_client_that_has_ended_its_side),
		PATIENT(a_body_that_does_not_come_takes_no_actor),
		PATIENT(the_rest_is_of_the_next_request),
		PATIENT(the_next_request_waits_for_no_handler_that_has_answered),
		SMALL(what_must_be_told_is_told_when_no_actor_is_free),
		SMALL(what_waits_is_bounded_by_address_and_in_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
