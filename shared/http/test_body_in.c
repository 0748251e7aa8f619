/* Bodies that are read in pieces. (Over 400 lines: short talks, each of which ends
 * otherwise.) */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "test_body_rig.h"

static void
a_body_of_a_length_comes_in_pieces_and_the_next_request_behind_it(void **state)
{
	struct world *world = *state;
	uint8_t *body = pattern(3000000);
	int fd = dial(world);

	says(fd, HEAD("/in", "Content-Length: 3000000"));
	assert_true(send_all(world, fd, body, 3000000));
	says(fd, NEXT);
	assert_true(hear(world, fd, "\r\n\r\nother", 10000));
	assert_non_null(strstr(world->got, " 201 Created\r\n"));
	assert_non_null(strstr(world->got, "\r\n\r\n3000000HTTP/1.1 200"));
	assert_int_equal(seen.differs, 0);
	assert_true(seen.pieces > 3000000 / TRL_HTTP_PIECE_BYTES);
	assert_true(seen.largest <= TRL_HTTP_PIECE_BYTES);
	free(body);
	close(fd);
}

static uint8_t *
in_chunks(const uint8_t *body, size_t len, size_t size, size_t *out_len)
{
	struct trl_buf out = { 0 };

	for (size_t at = 0; at < len; at += size) {
		const size_t n = len - at < size ? len - at : size;

		trl_buf_printf(&out, "%zx\r\n", n);
		trl_buf_add(&out, body + at, n);
		trl_buf_adds(&out, "\r\n");
	}
	trl_buf_adds(&out, "0\r\nA: b\r\n\r\n" NEXT);
	*out_len = out.len;
	return out.data;
}

static void
chunks_of_any_size_are_the_same_body(void **state)
{
	static const size_t sizes[] = { 1, 700, 16384, 65536, 100000, 400000 };
	struct world *world = *state;
	uint8_t *body = pattern(400000), *text;
	size_t len;

	for (size_t i = 0; i < TRL_COUNT(sizes); i++) {
		int fd = dial(world);

		seen.bytes = seen.pieces = 0;
		text = in_chunks(body, 400000, sizes[i], &len);
		says(fd, HEAD("/in", "Transfer-Encoding: chunked"));
		assert_true(send_all(world, fd, text, len));
		assert_true(hear(world, fd, "\r\n\r\nother", 10000));
		assert_non_null(strstr(world->got, "\r\n\r\n400000HTTP/1.1 200"));
		assert_int_equal(seen.differs, 0);
		assert_true(seen.pieces < 400); /* not a piece a byte */
		free(text);
		close(fd);
	}
	free(body);
}

/* All at once, with what comes behind it; and byte by byte. */
static void
what_came_with_the_head_is_read_first(void **state)
{
	static const char *const texts[] = {
		HEAD("/in", "Content-Length: 3") "\x01\x07\x0f" NEXT,
		HEAD("/in", "Transfer-Encoding: chunked") "1;x=y\r\n\x01\r\n2\r\n"
							  "\x07\x0f\r\n0\r\n\r\n" NEXT,
		HEAD("/in",
		    "Transfer-Encoding: chunked") "1 ; x = y\r\n\x01\r\n2\t;z\r\n"
						  "\x07\x0f\r\n0\r\n\r\n" NEXT,
		HEAD("/in", "Content-Length: 0") NEXT,
		HEAD("/in", "Transfer-Encoding: chunked") "0\r\n\r\n" NEXT,
		HEAD("/in/once", "Content-Length: 3") "\x01\x07\x0f" NEXT,
	};
	static const size_t lens[] = { 3, 3, 3, 0, 0, 3 };
	struct world *world = *state;

	for (size_t i = 0; i < 2 * TRL_COUNT(texts) - 1; i++) {
		const bool by_byte = i >= TRL_COUNT(texts);
		const char *text = texts[i % TRL_COUNT(texts)];
		int fd = dial(world);

		seen.bytes = 0;
		for (size_t at = 0; by_byte && text[at]; at++) {
			say(fd, text + at, 1);
			let_pass(world, 1);
		}
		if (!by_byte)
			says(fd, text);
		if (!hear(world, fd, "\r\n\r\nother", 2000))
			fail_msg("%s: %s", text, world->got);
		assert_int_equal(seen.bytes, lens[i % TRL_COUNT(texts)]);
		assert_int_equal(seen.differs & 0xf0, 0);
		close(fd);
	}
}

static void
what_is_refused_is_never_asked_for(void **state)
{
	static const char expects[] =
	    HEAD("/in", "Content-Length: 3\r\nExpect: 100-continue");
	struct world *world = *state;
	uint8_t *body = pattern(3);
	int fd = dial(world);

	says(fd, expects);
	assert_true(hear(world, fd, "HTTP/1.1 100 Continue\r\n\r\n", 10000));
	say(fd, (const char *)body, 3);
	assert_true(hear(world, fd, "\r\n\r\n3", 10000));
	assert_int_equal(count(world->got, "100 Continue"), 1);
	close(fd);
	seen.most = 2;
	seen.bytes = 0;
	fd = dial(world);
	says(fd, expects);
	assert_true(hear(world, fd, " 413 ", 10000));
	assert_int_equal(seen.read, TRL_QUOTA);
	assert_int_equal(count(world->got, "100 Continue"), 0);
	assert_true(trl_loop_run_until(world->loop, over, world, 10000));
	close(fd);
	fd = dial(world);
	says(fd, HEAD("/in/refuse", "Content-Length: 3\r\nExpect: 100-continue"));
	assert_true(hear(world, fd, " 423 Locked\r\n", 10000));
	assert_int_equal(count(world->got, "100 Continue"), 0);
	assert_true(trl_loop_run_until(world->loop, over, world, 10000));
	close(fd);
	free(body);
}

/* What is said, and what the reader is told. */
static const struct {
	const char *text;
	enum trl_code read;
	const char *want;
} wrong[] = {
	{ HEAD("/in", "Transfer-Encoding: chunked") "zz\r\n", TRL_MALFORMED, " 400 " },
	{ HEAD("/in", "Transfer-Encoding: chunked") "3 \r\n", TRL_MALFORMED, " 400 " },
	{ HEAD("/in", "Transfer-Encoding: chunked") " 3\r\n", TRL_MALFORMED, " 400 " },
	{ HEAD("/in", "Transfer-Encoding: chunked") "3 1\r\n", TRL_MALFORMED, " 400 " },
	{ HEAD("/in", "Transfer-Encoding: chunked") "3\r\n\x01\x07\x0f..",
	    TRL_MALFORMED, " 400 " },
	{ HEAD("/in", "Transfer-Encoding: chunked") "3\r\n\x01\x07\x0f\r\n8\r\n",
	    TRL_QUOTA, " 413 " },
	{ HEAD("/in", "Transfer-Encoding: chunked") "ffffffffffffff\r\n", TRL_QUOTA,
	    " 413 " },
	{ HEAD("/in", "Transfer-Encoding: chunked") "ffffffffffffffff\r\n",
	    TRL_MALFORMED, " 400 " },
	{ HEAD("/in", "Content-Length: 11"), TRL_QUOTA, " 413 " },
	{ HEAD("/in", "Content-Length: 999999999999999"), TRL_QUOTA, " 413 " },
};

static void
a_body_that_is_wrong_or_too_long_ends_its_connection(void **state)
{
	struct world *world = *state;

	seen.most = 10;
	for (size_t i = 0; i < TRL_COUNT(wrong); i++) {
		int fd = dial(world);

		says(fd, wrong[i].text);
		if (!hear(world, fd, wrong[i].want, 2000) || seen.read != wrong[i].read)
			fail_msg("%s: %s", wrong[i].text, world->got);
		assert_true(trl_loop_run_until(world->loop, over, world, 10000));
		close(fd);
	}
}

/* What is behind a body's end is another request, or none. */
static void
a_body_longer_than_its_length_is_no_longer_body(void **state)
{
	static const char *const texts[] = {
		HEAD("/in", "Content-Length: 2") "\x01\x07\x0f\r\n\r\n",
		HEAD("/in", "Transfer-Encoding: chunked") "2\r\n\x01\x07\r\n0\r\n\r\n"
							  "\x0f\r\n\r\n",
	};
	struct world *world = *state;

	for (size_t i = 0; i < TRL_COUNT(texts); i++) {
		int fd = dial(world);

		seen.bytes = 0;
		says(fd, texts[i]);
		assert_true(hear(world, fd, " 400 ", 10000));
		assert_non_null(strstr(world->got, " 201 "));
		assert_int_equal(seen.bytes, 2);
		close(fd);
	}
}

static void
a_refusal_in_mid_body_reaches_a_client_that_goes_on_sending(void **state)
{
	struct world *world = *state;
	uint8_t *body = pattern(8000000);
	int fd = dial(world);

	says(fd, HEAD("/in/refuse", "Content-Length: 8000000"));
	/* It is not taken: neither is the connection reset. */
	(void)send_all(world, fd, body, 2000000);
	assert_true(hear(world, fd, " 423 Locked\r\n", 10000));
	assert_non_null(strstr(world->got, "Connection: close\r\n"));
	assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
	assert_int_equal(seen.bytes, 0);
	close(fd);
	free(body);
}

static void
a_short_rest_is_skipped_and_the_connection_kept(void **state)
{
	struct world *world = *state;
	int fd = dial(world);
	uint8_t *body = pattern(50000);

	says(fd, HEAD("/in/once", "Content-Length: 50000"));
	say(fd, (const char *)body, 10);
	assert_true(hear(world, fd, " 201 ", 10000));
	assert_true(send_all(world, fd, body + 10, 50000 - 10));
	says(fd, NEXT);
	assert_true(hear(world, fd, "\r\n\r\nother", 10000));
	close(fd);
	free(body);
}

static void
who_stops_in_mid_body_is_told_after_the_idle_limit(void **state)
{
	struct world *world = *state;
	uint8_t *body = pattern(1000);

	for (int chunked = 0; chunked < 2; chunked++) {
		const uint64_t began = trl_mono_us();
		int fd = dial(world);

		seen.bytes = 0;
		says(fd, chunked ? HEAD("/in", "Transfer-Encoding: chunked") "7d0\r\n"
				 : HEAD("/in", "Content-Length: 2000"));
		say(fd, (const char *)body, 1000);
		assert_true(hear(world, fd, " 408 ", 10000));
		assert_true(trl_mono_us() - began >= 300000);
		assert_int_equal(seen.read, TRL_DEADLINE);
		assert_int_equal(seen.bytes, 1000);
		assert_true(trl_loop_run_until(world->loop, over, world, 10000));
		close(fd);
	}
	free(body);
}

/* A byte now and then, up to so many times. Returns how many. */
static int
trickle(struct world *world, int fd, size_t bytes, int times)
{
	uint8_t *body = pattern(bytes);
	int i;

	for (i = 0; i < times && !strstr(world->got, " 408 "); i++) {
		if (send(fd, body, bytes, MSG_NOSIGNAL) < 0)
			break;
		(void)hear(world, fd, " 408 ", 50);
	}
	free(body);
	return i;
}

static void
who_sends_below_the_floor_is_ended_and_above_it_not(void **state)
{
	struct world *world = *state;
	int fd = dial(world), times;

	says(fd, HEAD("/in", "Content-Length: 10000000"));
	times = trickle(world, fd, 1, 100);
	assert_in_range(times, 10, 30);
	assert_int_equal(seen.read, TRL_DEADLINE);
	assert_int_equal(seen.bytes, times);
	close(fd);
	fd = dial(world);
	says(fd, HEAD("/in", "Content-Length: 10000000"));
	assert_int_equal(trickle(world, fd, 10000, 40), 40);
	close(fd);
}

static void
time_that_the_handler_takes_is_not_the_clients(void **state)
{
	struct world *world = *state;
	uint8_t *body = pattern(2000);
	int fd = dial(world);

	says(fd, HEAD("/in/holds", "Content-Length: 2000"));
	say(fd, (const char *)body, 1000);
	await(world, (struct until){ .holding = 1 });
	say(fd, (const char *)body + 1000, 1000);
	let_pass(world, 1000); /* beyond idle limit and floor */
	let_go(0);
	await(world, (struct until){ .bytes = 1000, .holding = 2 });
	let_go(1);
	assert_true(hear(world, fd, " 201 ", 10000));
	assert_int_equal(seen.read, TRL_OK);
	assert_int_equal(seen.differs, 0);
	close(fd);
	free(body);
}

/* Where in its body a client leaves, and how. */
static void
a_client_that_leaves_ends_the_read_at_once(void **state)
{
	static const char *const heads[] = {
		HEAD("/in", "Content-Length: 2000000"),
		HEAD("/in", "Transfer-Encoding: chunked") "fffff\r\n",
		HEAD("/in", "Content-Length: 2000000\r\nExpect: 100-continue"),
	};
	static const size_t sent[] = { 0, 10, 300000 };
	struct world *world = *state;
	uint8_t *body = pattern(300000);

	for (size_t i = 0; i < 2 * TRL_COUNT(heads) * TRL_COUNT(sent); i++) {
		const size_t n = sent[i / 2 % TRL_COUNT(sent)];
		int fd;

		seen.bytes = seen.bodies = 0;
		fd = say_head(world, heads[i / 2 / TRL_COUNT(sent)]);
		assert_true(send_all(world, fd, body, n));
		await(world, (struct until){ .bytes = n });
		if (i % 2)
			reset(fd);
		else
			close(fd);
		assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
		assert_int_equal(seen.read, TRL_UNAVAILABLE);
		assert_int_equal(seen.bodies, 1);
		assert_int_equal(seen.bytes, n);
	}
	free(body);
}

static void
a_client_that_ended_its_side_too_early_is_answered(void **state)
{
	struct world *world = *state;
	int fd = dial(world);

	says(fd, HEAD("/in", "Content-Length: 3") "\x01");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_true(hear(world, fd, " 503 ", 10000));
	assert_true(trl_loop_run_until(world->loop, over, world, 10000));
	assert_int_equal(seen.read, TRL_UNAVAILABLE);
	close(fd);
}

static void
who_leaves_while_the_handler_is_at_work_is_found_by_the_next_read(void **state)
{
	struct world *world = *state;
	uint8_t *body = pattern(1000);
	int fd = dial(world);

	says(fd, HEAD("/in/holds", "Content-Length: 2000"));
	say(fd, (const char *)body, 1000);
	await(world, (struct until){ .holding = 1 });
	reset(fd);
	let_pass(world, 20);
	let_go(0);
	assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
	assert_int_equal(seen.read, TRL_UNAVAILABLE);
	assert_int_equal(seen.differs, 0);
	free(body);
}

static void
a_thousand_that_leave_take_no_memory_with_them(void **state)
{
	struct world *world = *state;
	uint8_t *body = pattern(70000);

	for (int i = 0; i < 1000; i++) {
		int fd = dial(world);

		says(fd, HEAD("/in", "Content-Length: 2000000"));
		(void)send_all(world, fd, body, (size_t)(i * 70) % 70000);
		if (i % 3)
			let_pass(world, 0);
		reset(fd);
	}
	assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
	free(body);
	/* Of two pieces both are there. */
	seen.bytes = seen.holding = 0;
	for (unsigned i = 0; i < 2; i++) {
		int fd = dial(world);

		says(fd, HEAD("/in/holds", "Content-Length: 1"));
		let_pass(world, 10);
		say(fd, "\x01", 1);
		await(world, (struct until){ .holding = i + 1 });
		close(fd);
	}
	let_go(0);
	let_go(1);
	assert_true(trl_loop_run_until(world->loop, is_quiet, world, 10000));
}

static void
without_room_no_body_begins_and_one_that_has_waits(void **state)
{
	static const char holds[] = HEAD("/in/holds", "Content-Length: 1000");
	static const char expects[] =
	    HEAD("/in", "Content-Length: 1000\r\nExpect: 100-continue");
	struct world *world = *state;
	uint8_t *body = pattern(1000);
	int fds[3], fd;

	for (int i = 0; i < 3; i++)
		fds[i] = say_head(
		    world, i == 2 ? HEAD("/in", "Content-Length: 1000") : holds);
	for (int i = 0; i < 2; i++) {
		say(fds[i], (const char *)body, 1000);
		await(world, (struct until){ .holding = (unsigned)i + 1 });
	}
	say(fds[2], (const char *)body, 1000);
	let_pass(world, 50);
	assert_int_equal(seen.bytes, 0);
	fd = dial(world);
	says(fd, expects);
	assert_true(hear(world, fd, " 503 ", 10000));
	assert_int_equal(count(world->got, "100 Continue"), 0);
	assert_int_equal(seen.read, TRL_BUSY);
	assert_true(seen.retry_after_ms > 0);
	close(fd);
	let_go(0);
	await(world, (struct until){ .bytes = 2000, .bodies = 3 });
	assert_int_equal(seen.read, TRL_OK);
	let_go(1);
	assert_true(hear(world, fds[1], " 201 ", 10000));
	assert_int_equal(seen.differs, 0);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	free(body);
}

static void
an_address_has_a_share_of_the_room(void **state)
{
	struct world *world = *state;
	int one = say_head(world, HEAD("/in/holds", "Content-Length: 1")), two;

	say(one, "\x01", 1);
	await(world, (struct until){ .holding = 1 });
	two = say_head(world, HEAD("/in", "Content-Length: 1"));
	assert_true(hear(world, two, " 503 ", 10000));
	assert_int_equal(seen.read, TRL_BUSY);
	let_go(0);
	assert_true(hear(world, one, " 201 ", 10000));
	close(one);
	close(two);
}

/* The server is closed while one is amid of each kind of wait. */
static void
a_server_that_closes_ends_those_that_read(void **state)
{
	struct world *world = *state;
	int fds[4];

	for (int i = 0; i < 3; i++) {
		fds[i] = say_head(world, i < 2 ? HEAD("/in/holds", "Content-Length: 2")
					       : HEAD("/in", "Content-Length: 2"));
		if (i == 2)
			break;
		say(fds[i], "\x01", 1);
		await(world, (struct until){ .holding = (unsigned)i + 1 });
	}
	fds[3] = dial(world);
	say(fds[2], "\x01", 1); /* waits for room */
	let_pass(world, 20);
	trl_http_close(&world->server);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

#define TEST(f, with) cmocka_unit_test_setup_teardown(f, with, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_body_of_a_length_comes_in_pieces_and_the_next_request_behind_it,
		    set_up),
		TEST(chunks_of_any_size_are_the_same_body, set_up),
		TEST(what_came_with_the_head_is_read_first, set_up),
		TEST(what_is_refused_is_never_asked_for, set_up),
		TEST(a_body_that_is_wrong_or_too_long_ends_its_connection, set_up),
		TEST(a_body_longer_than_its_length_is_no_longer_body, set_up),
		TEST(a_refusal_in_mid_body_reaches_a_client_that_goes_on_sending,
		    set_up),
		TEST(a_short_rest_is_skipped_and_the_connection_kept, set_up),
		TEST(who_stops_in_mid_body_is_told_after_the_idle_limit, set_up_quick),
		TEST(who_sends_below_the_floor_is_ended_and_above_it_not, set_up_quick),
		TEST(time_that_the_handler_takes_is_not_the_clients, set_up_quick),
		TEST(a_client_that_leaves_ends_the_read_at_once, set_up),
		TEST(a_client_that_ended_its_side_too_early_is_answered, set_up),
		TEST(who_leaves_while_the_handler_is_at_work_is_found_by_the_next_read,
		    set_up),
		TEST(a_thousand_that_leave_take_no_memory_with_them, set_up_small),
		TEST(without_room_no_body_begins_and_one_that_has_waits, set_up_small),
		TEST(an_address_has_a_share_of_the_room, set_up_shares),
		TEST(a_server_that_closes_ends_those_that_read, set_up_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
