/* What is said to a server and what it answers: mostly tables. */
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

static void
refuses_to_listen_where_nobody_can_call(void **state)
{
	static const char *const listens[] = { "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:99999",
		"127.0.0.1:184467440737095516160", "127.0.0.1:-1",
		"nowhere.invalid:80" };
	const struct trl_http_handler handler = { .self = *state };
	struct world *world = *state;
	size_t i;

	for (i = 0; i < TRL_COUNT(listens); i++) {
		const struct trl_http_options options = { .listen = listens[i] };
		trl_http_server *server = NULL;

		assert_int_equal(
		    trl_http_open(world->loop, &options, &handler, &server),
		    TRL_UNAVAILABLE);
		assert_null(server);
	}
}

static const struct {
	const char *text, *want;
	bool ends;
} talks[] = {
	{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nDate: ", false },
	{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
	    "Connection: close\r\n", true },
	{ "GET / HTTP/1.0\r\n\r\n", "Connection: close\r\n", true },
	{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	    "Connection: keep-alive\r\n", false },
	{ "HEAD /big HTTP/1.1\r\nHost: a\r\n\r\n", "Content-Length: 100000\r\n\r\n",
	    false },
	{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "\r\n\r\nabc",
	    false },
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
	  "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	    "\r\n\r\nabc", false },
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	    " 400 ", true },
	{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", " 413 ", true },
	{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", " 413 ",
	    true },
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
	    " 413 ", true },
	{ "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", " 200 ",
	    false },
	{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: "
	  "100-continue\r\n\r\n",
	    "HTTP/1.1 100 Continue\r\n\r\n", false },
	{ "GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", " 417 ", true },
	{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
	  "chunked\r\n\r\n0\r\n\r\n"
	  "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
	    " 400 ", true },
	{ "GET / HTTP/1.1\nHost: a\n\n", " 400 ", true },
	{ "GET /silent HTTP/1.1\r\nHost: a\r\n\r\n", " 500 ", true },
	{ "GET /inject HTTP/1.1\r\nHost: a\r\n\r\n", " 500 ", true },
	{ "GET / HT", " 408 ", true },
	{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na", " 408 ", true },
};

/* A refusal knows what was read before it: all of a whole head, or its address. */
static const struct {
	const char *text, *want;
} refusals[] = {
	{ "GET /a?b HTTP/1.1\r\nX-Said: yes\r\n\r\n", "[GET /a yes]" },
	{ "PUT /a HTTP/1.1\r\nHost: a\r\nX-Said: yes\r\nTransfer-Encoding: x\r\n\r\n",
	    "[PUT /a yes]" },
	{ "GET /silent HTTP/1.1\r\nHost: a\r\nX-Said: yes\r\n\r\n",
	    "[GET /silent yes]" },
	{ "GET a HTTP/1.1\r\nHost: a\r\nX-Said: yes\r\n\r\n", "[GET  yes]" },
	{ "GET /a HTTP/1.1\r\nHost: a\r\nX-Said: yes\r\nA B: c\r\n\r\n", "[GET  -]" },
	{ "G(T /a HTTP/1.1\r\nHost: a\r\nX-Said: yes\r\n\r\n", "[  -]" },
	{ "GET /a HTTP/1.1\nX-Said: yes\n\n", "[  -]" },
};

static void
a_refusal_tells_what_was_read(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < TRL_COUNT(refusals); i++) {
		int fd = dial(world);

		say(fd, refusals[i].text, strlen(refusals[i].text));
		if (!hear(world, fd, refusals[i].want, 2000))
			fail_msg("%s: %s", refusals[i].text, world->got);
		close(fd);
	}
}

static void
each_talk_is_answered_and_ended_as_told(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < TRL_COUNT(talks); i++) {
		int fd = dial(world);

		say(fd, talks[i].text, strlen(talks[i].text));
		if (!hear(world, fd, talks[i].want, 2000))
			fail_msg("%s: %s", talks[i].text, world->got);
		if (talks[i].ends != trl_loop_run_until(world->loop, over, world,
					 talks[i].ends ? 2000 : 20))
			fail_msg("%s: ends wrongly", talks[i].text);
		assert_null(strstr(world->got, "Set-Cookie"));
		close(fd);
	}
}

static void
bytes_one_by_one_make_the_same_request(void **state)
{
	struct world *world = *state;
	const char text[] =
	    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n";
	int fd = dial(world);

	for (size_t i = 0; i < sizeof text - 1; i++) {
		say(fd, text + i, 1);
		(void)trl_loop_run_until(world->loop, never, NULL, 1);
	}
	assert_true(hear(world, fd, "\r\n\r\nabcde", 10000));
	close(fd);
}

static void
pipelined_requests_are_answered_in_order(void **state)
{
	struct world *world = *state;
	const char one[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n";
	char text[64 * 200], *p = text;
	int fd = dial(world);

	for (int i = 0; i < 64; i++)
		p += sprintf(p, "%s%04d", one, i);
	say(fd, text, (size_t)(p - text));
	assert_true(hear(world, fd, "\r\n\r\n0063", 10000));
	assert_int_equal(count(world->got, "HTTP/1.1 200 OK"), 64);
	assert_int_equal(world->handled, 64);
	close(fd);
}

static void
a_client_that_does_not_read_is_not_served_without_end(void **state)
{
	struct world *world = *state;
	int fd = dial(world), small = 4096;
	char text[1000 * 40], *p = text;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	for (int i = 0; i < 1000; i++)
		p += sprintf(p, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	say(fd, text, (size_t)(p - text));
	(void)trl_loop_run_until(world->loop, never, NULL, 150);
	assert_in_range(world->handled, 1, 200);
	close(fd);
}

static void
connections_of_an_address_and_of_all_are_limited(void **state)
{
	struct world *world = *state;
	const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	int fds[5];

	for (int i = 0; i < 3; i++) {
		fds[i] = dial(world);
		say(fds[i], text, sizeof text - 1);
		assert_true(hear(world, fds[i], " 200 ", 10000));
	}
	fds[3] = dial(world);
	assert_true(hear(world, fds[3], " 503 ", 10000));
	fds[4] = dial(world); /* one more than all: the one idle for the longest goes */
	say(fds[4], text, sizeof text - 1);
	assert_true(hear(world, fds[4], " 200 ", 10000));
	assert_false(hear(world, fds[0], " ", 10000));
	assert_true(world->ended);
	say(fds[1], text, sizeof text - 1);
	assert_true(hear(world, fds[1], " 200 ", 10000));
	for (size_t i = 0; i < TRL_COUNT(fds); i++)
		close(fds[i]);
}

static bool
is_drained(void *self)
{
	return trl_http_drained(((struct world *)self)->server);
}

static void
draining_closes_what_is_idle(void **state)
{
	struct world *world = *state;
	const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	int fd = dial(world);

	say(fd, text, sizeof text - 1);
	assert_true(hear(world, fd, " 200 ", 10000));
	assert_false(trl_http_drained(world->server));
	trl_http_drain(world->server);
	assert_true(trl_loop_run_until(world->loop, is_drained, world, 10000));
	close(fd);
}

static void
leaving_ends_each_connection_with_its_answer(void **state)
{
	struct world *world = *state;
	const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	int kept = dial(world), fresh;

	say(kept, text, sizeof text - 1);
	assert_true(hear(world, kept, " 200 ", 10000));
	assert_null(strstr(world->got, "Connection: close"));
	trl_http_leave(world->server);
	fresh = dial(world); /* it still listens, and what is idle stays */
	for (size_t i = 0; i < 2; i++) {
		say(i ? fresh : kept, text, sizeof text - 1);
		assert_false(hear(world, i ? fresh : kept, "never said", 1000));
		assert_true(world->ended);
		assert_non_null(strstr(world->got, " 200 "));
		assert_non_null(strstr(world->got, "Connection: close"));
		close(i ? fresh : kept);
	}
	assert_false(trl_http_drained(world->server));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define PATIENT(f) cmocka_unit_test_setup_teardown(f, setup_patient, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_talk_is_answered_and_ended_as_told),
		PATIENT(bytes_one_by_one_make_the_same_request),
		CASE(a_refusal_tells_what_was_read),
		CASE(pipelined_requests_are_answered_in_order),
		CASE(a_client_that_does_not_read_is_not_served_without_end),
		CASE(connections_of_an_address_and_of_all_are_limited),
		CASE(draining_closes_what_is_idle),
		CASE(leaving_ends_each_connection_with_its_answer),
		CASE(refuses_to_listen_where_nobody_can_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
