/* Bodies in pieces: what comes in and what goes out, as the handler and the client see
 * it. (Over 400 lines: both ways share a handler and a pattern.) */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <cmocka.h>

#include <trl/http_body.h>

#include "test_http_rig.h"

enum { BLOCK = 300000, BLOCKS = 3 };

/* What the handlers have seen; a process has one world at a time. */
static struct {
	unsigned pieces;
	size_t bytes, largest;
	enum trl_code read, written;
	uint32_t retry_after_ms;
	uint64_t most;
	int fd;           /* a file */
	uint64_t at, len; /* the part of it that is sent */
	uint8_t sum;
	struct trl_ticket ticket; /* of who waits amid of a body */
} seen;

static uint8_t
byte_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 256) | 1; /* no NUL: what is got is a text */
}

/* Reads it all. True: it was what a test sends. */
static enum trl_code
read_all(trl_ctx *ctx, struct trl_http_request *request, bool waits)
{
	const uint8_t *data;
	size_t len;
	enum trl_code rc;

	while ((rc = trl_http_read(ctx, request, &data, &len)) == TRL_OK && len) {
		for (size_t i = 0; i < len; i++)
			seen.sum |= data[i] ^ byte_at(seen.bytes + i);
		seen.pieces++;
		seen.bytes += len;
		seen.largest = len > seen.largest ? len : seen.largest;
		if (!waits)
			continue;
		seen.ticket = trl_park_begin(ctx);
		assert_int_equal(trl_park(ctx, seen.ticket, "test"), TRL_OK);
	}
	return rc;
}

static void
take_in(trl_ctx *ctx, struct trl_http_request *request)
{
	struct trl_http_response response = { .status = 201 };

	if (seen.most)
		trl_http_expect(request, seen.most);
	seen.read = read_all(ctx, request, !strcmp(request->path, "/in/waits"));
	seen.retry_after_ms = ctx->err.retry_after_ms;
	if (seen.read != TRL_OK)
		response.status = seen.read == TRL_DEADLINE    ? 408
				  : seen.read == TRL_QUOTA     ? 413
				  : seen.read == TRL_MALFORMED ? 400
							       : 503;
	response.body = trl_arena_printf(ctx->arena, "%zu", seen.bytes);
	response.body_len = strlen(response.body);
	trl_http_reply(ctx, request, &response);
}

/* In blocks, of which each is freed as soon as it was written. */
static enum trl_code
write_blocks(trl_ctx *ctx, struct trl_http_request *request, size_t len)
{
	enum trl_code rc = TRL_OK;

	for (size_t at = 0; at < len && rc == TRL_OK;) {
		const size_t n = len - at < BLOCK ? len - at : BLOCK;
		uint8_t *block = malloc(n);

		for (size_t i = 0; i < n; i++)
			block[i] = byte_at(at + i);
		rc = trl_http_write(ctx, request, block, n);
		free(block);
		at += n;
	}
	return rc;
}

static void
give_out(trl_ctx *ctx, struct trl_http_request *request)
{
	const bool chunked = strstr(request->path, "chunked") != NULL,
		   short_of = strstr(request->path, "short") != NULL,
		   file = strstr(request->path, "file") != NULL;
	const struct trl_http_response response = { .status =
							file && seen.at ? 206 : 200 };
	const size_t len = file ? seen.len : (size_t)BLOCK * BLOCKS;

	if (trl_http_answer(ctx, request, &response,
		chunked ? UINT64_MAX : len + short_of) != TRL_OK)
		return;
	if (file)
		seen.written =
		    trl_http_write_file(ctx, request, seen.fd, seen.at, seen.len);
	else
		seen.written = write_blocks(ctx, request, len);
	if (seen.written != TRL_OK || strstr(request->path, "break"))
		return;
	trl_http_finish(ctx, request);
	assert_null(request->conn);
}

static void
handle(void *self, trl_ctx *ctx, struct trl_http_request *request)
{
	struct world *world = self;
	struct trl_http_response response = {
		.status = 200, .body = "other", .body_len = 5
	};

	world->handled++;
	if (!strncmp(request->path, "/in", 3))
		take_in(ctx, request);
	else if (!strncmp(request->path, "/out", 4))
		give_out(ctx, request);
	else
		trl_http_reply(ctx, request, &response);
	world->finished++;
}

static size_t
awaits(void *self, trl_arena *arena, const struct trl_http_request *request)
{
	(void)self;
	(void)arena;
	return strncmp(request->path, "/in", 3) ? 0 : TRL_HTTP_PIECES;
}

static const struct trl_http_handler handler = {
	.handle = handle, .awaits = awaits, .refuse = refuse
};

static int
set_up(void **state)
{
	memset(&seen, 0, sizeof seen);
	open_with(
	    state, (struct trl_http_options){ .head_timeout_ms = 5000 }, 0, handler);
	return 0;
}

struct sender {
	struct world *world;
	const uint8_t *data;
	size_t len;
};

/* Sends what the socket takes. */
static bool
has_sent(void *self)
{
	struct sender *sender = self;
	ssize_t n = send(sender->world->fd, sender->data, sender->len, MSG_NOSIGNAL);

	if (n > 0) {
		sender->data += n;
		sender->len -= (size_t)n;
	}
	return !sender->len || (n < 0 && errno != EAGAIN);
}

static void
send_all(struct world *world, int fd, const void *data, size_t len)
{
	struct sender sender = { world, data, len };

	world->fd = fd;
	assert_true(trl_loop_run_until(world->loop, has_sent, &sender, 10000));
	assert_int_equal(sender.len, 0);
}

static uint8_t *
pattern(size_t len)
{
	uint8_t *data = malloc(len + 1);

	assert_non_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = byte_at(i);
	return data;
}

static void
a_body_of_a_length_comes_in_pieces_and_the_next_request_behind_it(void **state)
{
	static const char head[] =
	    "POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n";
	static const char next[] = "GET /other HTTP/1.1\r\nHost: a\r\n\r\n";
	struct world *world = *state;
	uint8_t *body = pattern(3000000);
	int fd = dial(world);

	say(fd, head, sizeof head - 1);
	send_all(world, fd, body, 3000000);
	say(fd, next, sizeof next - 1);
	assert_true(hear(world, fd, "\r\n\r\nother", 2000));
	assert_non_null(strstr(world->got, " 201 Created\r\n"));
	assert_non_null(strstr(world->got, "\r\n\r\n3000000HTTP/1.1 200"));
	assert_int_equal(seen.sum, 0);
	assert_true(seen.pieces > 3000000 / TRL_HTTP_PIECE_BYTES);
	assert_true(seen.largest <= TRL_HTTP_PIECE_BYTES);
	free(body);
	close(fd);
}

/* Chunks of that size; the sizes are not the pieces'. */
static uint8_t *
chunked(const uint8_t *body, size_t len, size_t size, size_t *out_len)
{
	struct trl_buf out = { 0 };

	for (size_t at = 0; at < len; at += size) {
		const size_t n = len - at < size ? len - at : size;

		trl_buf_printf(&out, "%zx\r\n", n);
		trl_buf_add(&out, body + at, n);
		trl_buf_adds(&out, "\r\n");
	}
	trl_buf_adds(&out, "0\r\n\r\nGET /other HTTP/1.1\r\nHost: a\r\n\r\n");
	*out_len = out.len;
	return out.data;
}

static void
chunks_of_any_size_are_the_same_body(void **state)
{
	static const size_t sizes[] = { 1, 700, 16384, 65536, 100000, 400000 };
	static const char head[] =
	    "POST /in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
	struct world *world = *state;
	uint8_t *body = pattern(400000), *text;
	size_t len;

	for (size_t i = 0; i < TRL_COUNT(sizes); i++) {
		int fd = dial(world);

		seen.bytes = seen.pieces = 0;
		text = chunked(body, 400000, sizes[i], &len);
		say(fd, head, sizeof head - 1);
		send_all(world, fd, text, len);
		assert_true(hear(world, fd, "\r\n\r\nother", 5000));
		assert_non_null(strstr(world->got, "\r\n\r\n400000HTTP/1.1 200"));
		assert_int_equal(seen.sum, 0);
		/* One byte a chunk is no piece a byte. */
		assert_true(seen.pieces < 400);
		free(text);
		close(fd);
	}
	free(body);
}

static void
what_is_read_is_checked_before_it_is_asked_for(void **state)
{
	static const char expects[] =
	    "POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
	    "Expect: 100-continue\r\n\r\n";
	struct world *world = *state;
	const uint8_t *body = pattern(3);
	int fd = dial(world);

	say(fd, expects, sizeof expects - 1);
	assert_true(hear(world, fd, "HTTP/1.1 100 Continue\r\n\r\n", 2000));
	say(fd, (const char *)body, 3);
	assert_true(hear(world, fd, "\r\n\r\n3", 2000));
	close(fd);
	seen.most = 2;
	seen.bytes = 0;
	fd = dial(world);
	say(fd, expects, sizeof expects - 1);
	assert_true(hear(world, fd, " 413 ", 2000));
	assert_null(strstr(world->got, "100 Continue"));
	assert_int_equal(seen.bytes, 0);
	assert_int_equal(seen.read, TRL_QUOTA);
	assert_true(trl_loop_run_until(world->loop, over, world, 2000));
	close(fd);
	free((void *)(uintptr_t)body);
}

static const char *
body_of(const struct world *world)
{
	const char *end = strstr(world->got, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

/* Whether the bytes are the pattern from its at-th on. */
static bool
is_pattern(const char *bytes, size_t at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((uint8_t)bytes[i] != byte_at(at + i))
			return false;
	}
	return true;
}

/* Asks, and hears an answer whose head has want and whose body has so many bytes.
 * Returns the body. */
static const char *
ask(struct world *world, int fd, const char *line, const char *want, size_t len)
{
	char text[200];
	int n = snprintf(text, sizeof text, "%s\r\nHost: a\r\n\r\n", line);

	world->len = 0;
	say(fd, text, (size_t)n);
	if (!hear(world, fd, "\r\n\r\n", 2000) || !strstr(world->got, want))
		fail_msg("%s: %s", line, world->got);
	world->want = NULL;
	world->want_len = (size_t)(body_of(world) - world->got) + len;
	assert_true(world->len >= world->want_len || hear(world, fd, NULL, 5000));
	assert_int_equal(world->len, world->want_len);
	world->want_len = 0;
	return body_of(world);
}

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
	(void)ask(world, fd, "GET /other HTTP/1.1", "Content-Length: 5\r\n", 5);
	assert_int_equal(world->handled, 4);
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
	static const char text[] = "GET /out/chunked HTTP/1.1\r\nHost: a\r\n\r\n";
	struct world *world = *state;
	int fd = dial(world);

	say(fd, text, sizeof text - 1);
	assert_true(hear(world, fd, "\r\n0\r\n\r\n", 5000));
	assert_non_null(strstr(world->got, "Transfer-Encoding: chunked\r\n"));
	assert_null(strstr(world->got, "Content-Length"));
	assert_int_equal(unchunk(world), BLOCK * BLOCKS);
	assert_true(is_pattern(body_of(world), 0, BLOCK * BLOCKS));
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
	assert_true(trl_loop_run_until(world->loop, over, world, 2000));
	assert_null(strstr(world->got, "chunked\r\n"));
	assert_true(is_pattern(body_of(world), 0, BLOCK * BLOCKS));
	close(fd);
}

static void
what_is_not_all_is_broken_off(void **state)
{
	static const char *const lines[] = { "GET /out/short HTTP/1.1",
		"GET /out/chunked/break HTTP/1.1", "GET /out/chunked/break HTTP/1.0" };
	struct world *world = *state;
	char text[200];

	for (size_t i = 0; i < TRL_COUNT(lines); i++) {
		int fd = dial(world);
		int n = snprintf(text, sizeof text, "%s\r\nHost: a\r\n\r\n", lines[i]);

		say(fd, text, (size_t)n);
		world->fd = fd;
		world->want = NULL;
		world->want_len = 0;
		if (!trl_loop_run_until(world->loop, over, world, 2000))
			fail_msg("%s: goes on after %zu", lines[i], world->len);
		assert_null(strstr(world->got, "\r\n0\r\n\r\n"));
		errno = 0;
		/* Where the end would look like the body's, there is none. */
		if (i == 2)
			assert_true(recv(fd, text, 1, 0) == 0 || errno != EAGAIN);
		close(fd);
	}
	assert_int_equal(trl_http_connections(world->server), 0);
}

/* A file of holes and, at its end, of the pattern: past what 32 bits count. */
static int
sparse(uint64_t holes, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	uint8_t *bytes = pattern(len);

	assert_int_equal(pwrite(fd, bytes, len, (off_t)holes), len);
	free(bytes);
	return fd;
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
	/* Two bytes on both sides of 4 GiB. */
	seen.at = 4294967295;
	seen.len = 2;
	body = ask(world, fd, "GET /out/file HTTP/1.1", "Content-Length: 2\r\n", 2);
	assert_memory_equal(body, "\0\0", 2);
	assert_int_equal(world->handled, 3);
	close(seen.fd);
	close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_body_of_a_length_comes_in_pieces_and_the_next_request_behind_it),
		TEST(chunks_of_any_size_are_the_same_body),
		TEST(what_is_read_is_checked_before_it_is_asked_for),
		TEST(
		    an_answer_of_a_length_is_written_in_pieces_and_the_connection_kept),
		TEST(an_answer_of_no_known_length_is_written_in_chunks),
		TEST(to_the_old_protocol_the_end_of_the_connection_is_the_end),
		TEST(what_is_not_all_is_broken_off),
		TEST(a_part_of_a_file_is_sent_from_beyond_four_gigabytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
