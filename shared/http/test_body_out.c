/* Answers whose body is written in pieces, or from files. (Over 400 lines: short talks,
 * each of which ends otherwise.) */
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
#include <netinet/tcp.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "test_body_rig.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static void
an_answer_of_a_length_is_written_in_pieces_and_the_connection_kept(void **state)
{
	struct world *world = *state;
	int fd = dial(world);
	const char *body;

	for (int i = 0; i < 2; i++) {
		body = ask(world, fd, "GET /out HTTP/1.1", "Content-Length: 900000\r\n",
		    BLOCK * BLOCKS);
		assert_true(is_pattern(body, 0, BLOCK * BLOCKS));
	}
	(void)ask(world, fd, "HEAD /out HTTP/1.1", "Content-Length: 900000\r\n", 0);
	body = ask(
	    world, fd, "GET /out/small HTTP/1.1", "Content-Length: 10000\r\n", 10000);
	assert_true(is_pattern(body, 0, 10000));
	(void)ask(world, fd, "GET /other HTTP/1.1", "Content-Length: 5\r\n", 5);
	assert_int_equal(world->handled, 5);
	close(fd);
}

/* Takes the chunks of got apart, in place. Returns the body's length. */
static size_t
unchunk(struct world *world)
{
	char *at = (char *)(uintptr_t)body_of(world), *to = at;
	size_t len, all = 0;

	while ((len = strtoul(at, &at, 16)) > 0) {
		memmove(to + all, at + 2, len);
		all += len;
		at += len + 4;
	}
	assert_memory_equal(at, "\r\n\r\n", 4);
	return all;
}

static void
an_answer_of_no_known_length_is_written_in_chunks(void **state)
{
	static const char *const paths[] = { GET("/out/chunked"),
		GET("/out/chunked/small") };
	static const size_t lens[] = { BLOCK * BLOCKS, 10000 };
	struct world *world = *state;
	int fd = dial(world);

	for (size_t i = 0; i < TRL_COUNT(paths); i++) {
		world->len = 0;
		says(fd, paths[i]);
		assert_true(hear(world, fd, "\r\n0\r\n\r\n", 10000));
		assert_non_null(strstr(world->got, "Transfer-Encoding: chunked\r\n"));
		assert_null(strstr(world->got, "Content-Length"));
		assert_int_equal(unchunk(world), lens[i]);
		assert_true(is_pattern(body_of(world), 0, lens[i]));
	}
	(void)ask(world, fd, "HEAD /out/chunked HTTP/1.1", " 200 OK\r\n", 0);
	(void)ask(world, fd, "GET /other HTTP/1.1", "Content-Length: 5\r\n", 5);
	close(fd);
}

static void
to_the_old_protocol_the_end_of_the_connection_is_the_end(void **state)
{
	struct world *world = *state;
	int fd = dial(world);

	(void)ask(world, fd, "GET /out/chunked HTTP/1.0\r\nConnection: keep-alive",
	    "Connection: close\r\n", BLOCK * BLOCKS);
	assert_true(trl_loop_run_until(world->loop, over, world, 10000));
	assert_null(strstr(world->got, "chunked\r\n"));
	assert_true(is_pattern(body_of(world), 0, BLOCK * BLOCKS));
	close(fd);
	fd = dial(world);
	(void)ask(world, fd, "GET /out HTTP/1.0\r\nConnection: keep-alive",
	    "Connection: keep-alive\r\n", BLOCK * BLOCKS);
	(void)ask(world, fd, "GET /other HTTP/1.1", "Content-Length: 5\r\n", 5);
	close(fd);
}

static void
requests_behind_a_streamed_answer_are_answered_in_order(void **state)
{
	static const char texts[] = GET("/other") GET("/out/small") GET(
	    "/out/chunked/small") "HEAD /out HTTP/1.1\r\nHost: a\r\n\r\n" GET("/416")
	    GET("/423") GET("/460");
	static const char *const wants[] = { "200 OK", "200 OK", "200 OK", "200 OK",
		"416 Range Not Satisfiable", "423 Locked", "460 Checksum Mismatch" };
	struct world *world = *state;
	int fd = dial(world);
	const char *at;

	says(fd, texts);
	assert_true(hear(world, fd, "Mismatch\r\n", 10000));
	at = world->got;
	for (size_t i = 0; i < TRL_COUNT(wants); i++) {
		at = strstr(at, "HTTP/1.1 ");
		assert_non_null(at);
		at += 9;
		assert_memory_equal(at, wants[i], strlen(wants[i]));
	}
	close(fd);
}

static void
what_is_not_all_is_broken_off(void **state)
{
	static const char *const lines[] = { "GET /out/short HTTP/1.1",
		"GET /out/break HTTP/1.1", "GET /out/chunked/break HTTP/1.1",
		"GET /out/short HTTP/1.0", "GET /out/chunked/break HTTP/1.0" };
	struct world *world = *state;
	char text[200];

	for (size_t i = 0; i < TRL_COUNT(lines); i++) {
		int fd = dial(world);

		(void)snprintf(text, sizeof text, "%s\r\nHost: a\r\n\r\n", lines[i]);
		says(fd, text);
		world->fd = fd;
		world->want = NULL;
		errno = 0;
		if (!trl_loop_run_until(world->loop, over, world, 2000))
			fail_msg("%s: goes on after %zu", lines[i], world->len);
		/* Where its end would be the body's end, the connection has none. */
		assert_int_equal(errno == ECONNRESET, i == 4);
		assert_null(strstr(world->got, "\r\n0\r\n\r\n"));
		close(fd);
	}
	assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
}

static void
a_part_of_a_file_is_sent_from_beyond_four_gigabytes(void **state)
{
	struct world *world = *state;
	int fd = dial(world);
	const char *body;

	seen.fd = sparse((5ull << 30) - 1, 700000);
	seen.at = (5ull << 30) - 3;
	seen.len = 600000;
	for (int i = 0; i < 2; i++) {
		body = ask(world, fd, "GET /out/file HTTP/1.1",
		    "Content-Length: 600000\r\n", 600000);
		assert_memory_equal(body, "\0\0", 2);
		assert_true(is_pattern(body + 2, 0, 600000 - 2));
	}
	(void)ask(world, fd, "HEAD /out/file HTTP/1.1", " 206 Partial", 0);
	seen.at = (5ull << 30) - 1;
	body = ask(world, fd, "GET /out/file/parts HTTP/1.1",
	    "Content-Length: 600000\r\n", 600000);
	assert_true(is_pattern(body, 0, 600000));
	seen.at = 4294967295;
	seen.len = 2;
	body = ask(world, fd, "GET /out/file HTTP/1.1", "Content-Length: 2\r\n", 2);
	assert_memory_equal(body, "\0\0", 2);
	assert_int_equal(world->handled, 5);
	close(seen.fd);
	close(fd);
}

static void
a_file_that_is_shorter_or_none_is_broken_off(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 2; i++) {
		int fd = dial(world);

		seen.fd = i ? open("/", O_RDONLY | O_CLOEXEC) : sparse(0, 1000);
		seen.at = 0;
		seen.len = 2000;
		says(fd, GET("/out/file"));
		world->fd = fd;
		world->want = NULL;
		assert_true(trl_loop_run_until(world->loop, over, world, 10000));
		assert_int_equal(seen.written, TRL_INTERNAL);
		close(seen.fd);
		close(fd);
	}
}

/* A client whose kernel takes little. */
static int
dial_taking(struct world *world, int bytes)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)trl_http_port(world->server)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	world->len = 0;
	world->ended = false;
	return fd;
}

static int
dial_small(struct world *world)
{
	return dial_taking(world, 4096);
}

/* Reads so much now and then, until so much was read in all or the end comes. Returns
 * how much it was; none of it is kept. */
static size_t
sip(struct world *world, int fd, size_t sip_bytes, size_t most)
{
	char *bytes = malloc(sip_bytes);
	size_t all = 0;
	ssize_t n;

	while (all < most) {
		n = recv(fd, bytes, sip_bytes, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		all += n > 0 ? (size_t)n : 0;
		let_pass(world, 20);
	}
	free(bytes);
	return all;
}

static void
a_slow_reader_gets_the_same_bytes(void **state)
{
	static const char *const lines[] = { "GET /out HTTP/1.1",
		"GET /out/file HTTP/1.1", "GET /out/file/parts HTTP/1.1" };
	struct world *world = *state;

	seen.fd = sparse(0, BLOCK * BLOCKS);
	seen.len = BLOCK * BLOCKS;
	for (size_t i = 0; i < TRL_COUNT(lines); i++) {
		int fd = dial_small(world);
		const char *body = ask(world, fd, lines[i], " 20", BLOCK * BLOCKS);

		assert_true(is_pattern(body, 0, BLOCK * BLOCKS));
		(void)ask(world, fd, "GET /other HTTP/1.1", " 200 OK", 5);
		close(fd);
	}
	close(seen.fd);
}

static void
who_takes_nothing_is_ended_after_the_idle_limit(void **state)
{
	static const char *const texts[] = { GET("/out/much"), GET("/out/file"),
		GET("/out/chunked/much") };
	struct world *world = *state;

	seen.fd = sparse(0, 1);
	assert_int_equal(ftruncate(seen.fd, 50000000), 0);
	seen.len = 50000000;
	for (size_t i = 0; i < TRL_COUNT(texts); i++) {
		const uint64_t began = trl_mono_us();
		int fd = dial_small(world);

		says(fd, texts[i]);
		while (!world->handled)
			let_pass(world, 5);
		assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
		assert_true(trl_mono_us() - began >= 300000);
		assert_int_equal(seen.written, TRL_DEADLINE);
		world->handled = 0;
		close(fd);
	}
	close(seen.fd);
}

static void
the_end_of_an_answer_that_nobody_takes_is_not_kept(void **state)
{
	struct world *world = *state;
	int fd = dial_small(world);

	/* More than the kernel takes, each of which its handler is done with. */
	for (int i = 0; i < 1000; i++) {
		(void)send(fd, GET("/out/small"), sizeof(GET("/out/small")) - 1, 0);
		let_pass(world, 0);
	}
	assert_int_equal(trl_http_connections(world->server), 1);
	assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
	close(fd);
}

/* Of small ones, whose handlers were done when the flush found the kernel full. */
static void
the_end_of_an_answer_is_kept_while_it_moves(void **state)
{
	struct world *world = *state;
	int fd = dial_taking(world, 65536), at_once = 1;
	uint64_t began;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
	/* One at a time, until the next is not begun. */
	for (unsigned i = 0; i == world->finished; i++) {
		says(fd, GET("/out/small"));
		for (int ms = 0; ms < 50 && i == world->finished; ms++)
			let_pass(world, 1);
	}
	began = trl_mono_us();
	assert_in_range(world->finished, 50, 5000);
	while (trl_mono_us() - began < 900000) /* three times the limit */
		(void)sip(world, fd, 24000, 1);
	assert_int_equal(trl_http_connections(world->server), 1);
	reset(fd);
	assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
}

static void
who_reads_slowly_but_steadily_is_not_ended_and_below_the_floor_is(void **state)
{
	struct world *world = *state;
	int fd = dial_taking(world, 65536);

	says(fd, GET("/out/much"));
	assert_true(sip(world, fd, 65536, 2000000) >= 2000000);
	reset(fd);
	assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
	assert_int_equal(seen.written, TRL_UNAVAILABLE);
	fd = dial_small(world);
	says(fd, GET("/out/much"));
	(void)sip(world, fd, 300, 30000);
	assert_int_equal(seen.written, TRL_DEADLINE);
	close(fd);
}

static void
a_client_that_leaves_ends_the_write_at_once(void **state)
{
	static const char *const texts[] = { GET("/out/much"), GET("/out/chunked/much"),
		GET("/out/file") };
	struct world *world = *state;

	seen.fd = sparse(0, 1);
	assert_int_equal(ftruncate(seen.fd, 500000000), 0);
	seen.len = 500000000;
	for (size_t i = 0; i < 2 * TRL_COUNT(texts); i++) {
		int fd = dial_small(world);

		seen.written_bodies = 0;
		says(fd, texts[i / 2]);
		(void)sip(world, fd, 1000, 3000);
		assert_int_equal(seen.written_bodies, 0);
		if (i % 2)
			reset(fd);
		else
			close(fd);
		assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
		assert_int_equal(seen.written, TRL_UNAVAILABLE);
		assert_int_equal(seen.written_bodies, 1);
	}
	close(seen.fd);
}

static void
a_thousand_that_leave_leave_no_socket(void **state)
{
	struct world *world = *state;

	seen.fd = sparse(0, 1);
	assert_int_equal(ftruncate(seen.fd, 5000000), 0);
	seen.len = 5000000;
	for (int i = 0; i < 1000; i++) {
		int fd = dial(world);

		says(fd, i % 2 ? GET("/out/much") : GET("/out/file"));
		if (i % 3)
			let_pass(world, 0);
		reset(fd);
	}
	assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
	close(seen.fd);
}

static void
a_client_that_has_ended_its_side_gets_it_all(void **state)
{
	struct world *world = *state;
	int fd = dial_small(world);

	says(fd, GET("/out"));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	world->fd = fd;
	world->want = NULL;
	assert_true(trl_loop_run_until(world->loop, over, world, 10000));
	assert_true(is_pattern(body_of(world), 0, BLOCK * BLOCKS));
	assert_int_equal(seen.written, TRL_OK);
	close(fd);
}

static void
a_hundred_slow_readers_cost_little_memory(void **state)
{
	struct world *world = *state;
	size_t before, after;
	int fds[100];

	before = mallinfo2().uordblks;
	for (size_t i = 0; i < TRL_COUNT(fds); i++) {
		fds[i] = dial_small(world);
		says(fds[i], GET("/out/much"));
	}
	for (size_t i = 0; i < TRL_COUNT(fds); i++)
		(void)sip(world, fds[i], 1000, 2000);
	assert_int_equal(trl_http_connections(world->server), TRL_COUNT(fds));
	after = mallinfo2().uordblks;
	/* Of each of a hundred megabytes that are on the way. */
	assert_true(after < before + TRL_COUNT(fds) * 32768);
	for (size_t i = 0; i < TRL_COUNT(fds); i++)
		reset(fds[i]);
	assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
}

static void
a_draining_server_ends_an_answer_and_then_the_connection(void **state)
{
	static char bytes[1 << 20];
	struct world *world = *state;
	int fd = dial_taking(world, 1 << 20);
	size_t all = 0;
	ssize_t n;

	says(fd, GET("/out/much"));
	while (!world->handled)
		let_pass(world, 5);
	assert_int_equal(seen.written_bodies, 0);
	trl_http_drain(world->server);
	while ((n = recv(fd, bytes, sizeof bytes, 0)) != 0) {
		assert_true(n > 0 || errno == EAGAIN);
		all += n > 0 ? (size_t)n : 0;
		let_pass(world, n < 0);
	}
	assert_in_range(all, 100000000, 100001000);
	assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
	assert_true(trl_http_drained(world->server));
	close(fd);
}

/* While each kind of write waits, or is at work on a thread. */
static void
a_server_that_closes_ends_those_that_write(void **state)
{
	struct world *world = *state;
	int fds[4];

	seen.fd = sparse(0, 1);
	assert_int_equal(ftruncate(seen.fd, 500000000), 0);
	seen.len = 500000000;
	for (size_t i = 0; i < TRL_COUNT(fds); i++) {
		fds[i] = dial_small(world);
		says(fds[i], i % 2 ? GET("/out/much") : GET("/out/file"));
		if (i < 2)
			let_pass(world, 50);
	}
	while (world->handled < TRL_COUNT(fds))
		let_pass(world, 0);
	trl_http_close(&world->server);
	for (size_t i = 0; i < TRL_COUNT(fds); i++)
		close(fds[i]);
	close(seen.fd);
}

#define TEST(f, with) cmocka_unit_test_setup_teardown(f, with, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_of_a_length_is_written_in_pieces_and_the_connection_kept,
		    set_up),
		TEST(an_answer_of_no_known_length_is_written_in_chunks, set_up),
		TEST(to_the_old_protocol_the_end_of_the_connection_is_the_end, set_up),
		TEST(requests_behind_a_streamed_answer_are_answered_in_order, set_up),
		TEST(what_is_not_all_is_broken_off, set_up),
		TEST(a_part_of_a_file_is_sent_from_beyond_four_gigabytes, set_up),
		TEST(a_file_that_is_shorter_or_none_is_broken_off, set_up),
		TEST(a_slow_reader_gets_the_same_bytes, set_up),
		TEST(who_takes_nothing_is_ended_after_the_idle_limit, set_up_quick),
		TEST(the_end_of_an_answer_that_nobody_takes_is_not_kept, set_up_quick),
		TEST(the_end_of_an_answer_is_kept_while_it_moves, set_up_quick),
		TEST(who_reads_slowly_but_steadily_is_not_ended_and_below_the_floor_is,
		    set_up_quick),
		TEST(a_client_that_leaves_ends_the_write_at_once, set_up),
		TEST(a_thousand_that_leave_leave_no_socket, set_up),
		TEST(a_client_that_has_ended_its_side_gets_it_all, set_up),
		TEST(a_hundred_slow_readers_cost_little_memory, set_up),
		TEST(a_draining_server_ends_an_answer_and_then_the_connection, set_up),
		TEST(a_server_that_closes_ends_those_that_write, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
