/* See test_body_rig.h. (Over 400 lines: handlers that do it in every way.) */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "test_body_rig.h"

struct seen seen;

uint8_t
byte_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 256) | 1; /* no NUL: what is got is a text */
}

uint8_t *
pattern(size_t len)
{
	uint8_t *data = malloc(len + 1);

	assert_non_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = byte_at(i);
	return data;
}

bool
is_pattern(const char *bytes, size_t at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((uint8_t)bytes[i] != byte_at(at + i))
			return false;
	}
	return true;
}

int
sparse(uint64_t holes, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	uint8_t *bytes = pattern(len);

	assert_int_equal(pwrite(fd, bytes, len, (off_t)holes), len);
	free(bytes);
	return fd;
}

static void
hold(trl_ctx *ctx)
{
	const unsigned n = seen.holding++;

	assert_true(n < TRL_COUNT(seen.tickets));
	seen.tickets[n] = trl_park_begin(ctx);
	if (trl_park(ctx, seen.tickets[n], "test") != TRL_OK)
		trl_err_clear(ctx); /* the server closes, as the next read tells */
}

static enum trl_code
read_all(trl_ctx *ctx, struct trl_http_request *request)
{
	const bool holds = strstr(request->path, "holds") != NULL,
		   once = strstr(request->path, "once") != NULL,
		   stops = strstr(request->path, "stops") != NULL;
	const uint8_t *data;
	enum trl_code rc;
	size_t len, at = 0;

	while ((rc = trl_http_read(ctx, request, &data, &len)) == TRL_OK &&
	       (len || !data)) {
		seen.nudges += !data;
		if (!data && stops)
			break;
		if (!data)
			continue;
		if (holds)
			hold(ctx);
		for (size_t i = 0; i < len; i++)
			seen.differs |= data[i] ^ byte_at(at + i);
		at += len;
		seen.pieces++;
		seen.bytes += len;
		seen.largest = len > seen.largest ? len : seen.largest;
		if (once)
			break;
	}
	assert_true(rc != TRL_OK || data || stops);
	return rc;
}

static void
take_in(trl_ctx *ctx, struct trl_http_request *request)
{
	struct trl_http_response response = { .status = 201 };

	if (seen.most)
		trl_http_expect(request, seen.most);
	if (strstr(request->path, "refuse")) {
		response.status = 423;
	} else {
		seen.reads = request;
		if (strstr(request->path, "nudged"))
			trl_http_nudge(request);
		seen.read = read_all(ctx, request);
		seen.reads = NULL;
		seen.retry_after_ms = ctx->err.retry_after_ms;
		if (seen.read != TRL_OK)
			response.status = seen.read == TRL_DEADLINE    ? 408
					  : seen.read == TRL_QUOTA     ? 413
					  : seen.read == TRL_MALFORMED ? 400
								       : 503;
		else if (seen.nudges && strstr(request->path, "stops"))
			response.status = 423;
		seen.bodies++;
	}
	response.body = trl_arena_printf(ctx->arena, "%zu", seen.bytes);
	response.body_len = strlen(response.body);
	trl_http_reply(ctx, request, &response);
	trl_http_nudge(request); /* which is over */
}

/* In blocks, each of which is freed as soon as it was written. */
static enum trl_code
write_blocks(trl_ctx *ctx, struct trl_http_request *request, size_t len, size_t of)
{
	enum trl_code rc = TRL_OK;

	for (size_t at = 0; at < len && rc == TRL_OK;) {
		const size_t n = len - at < of ? len - at : of;
		uint8_t *block = malloc(n);

		for (size_t i = 0; i < n; i++)
			block[i] = byte_at(at + i);
		rc = trl_http_write(ctx, request, block, n);
		free(block);
		at += n;
	}
	return rc;
}

/* Of the file and of memory in turns. */
static enum trl_code
write_parts(trl_ctx *ctx, struct trl_http_request *request, size_t len)
{
	uint8_t bytes[1000];
	enum trl_code rc = TRL_OK;

	for (size_t at = 0; at < len && rc == TRL_OK; at += 10000) {
		rc = trl_http_write_file(ctx, request, seen.fd, seen.at + at, 9000);
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = byte_at(at + 9000 + i);
		if (rc == TRL_OK)
			rc = trl_http_write(ctx, request, bytes, sizeof bytes);
	}
	return rc;
}

static enum trl_code
write_much(trl_ctx *ctx, struct trl_http_request *request, size_t len)
{
	static const uint8_t block[1000000];
	enum trl_code rc = TRL_OK;

	for (size_t at = 0; at < len && rc == TRL_OK; at += sizeof block)
		rc = trl_http_write(ctx, request, block, sizeof block);
	return rc;
}

static void
give_out(trl_ctx *ctx, struct trl_http_request *request)
{
	const char *path = request->path;
	const bool file = strstr(path, "file") != NULL,
		   parts = strstr(path, "parts") != NULL,
		   much = strstr(path, "much") != NULL,
		   small = strstr(path, "small") != NULL;
	const struct trl_http_response response = { .status = file ? 206 : 200 };
	const size_t len = file    ? (size_t)seen.len
			   : much  ? 100000000
			   : small ? 10000
				   : (size_t)BLOCK * BLOCKS;

	seen.written = trl_http_answer(ctx, request, &response,
	    strstr(path, "chunked") ? UINT64_MAX : len + !!strstr(path, "short"));
	if (seen.written == TRL_OK)
		seen.written =
		    parts  ? write_parts(ctx, request, len)
		    : file ? trl_http_write_file(ctx, request, seen.fd, seen.at, len)
		    : much ? write_much(ctx, request, len)
			   : write_blocks(ctx, request, len, small ? 10 : BLOCK);
	seen.written_bodies++;
	if (seen.written != TRL_OK || strstr(path, "break"))
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
	if (!strncmp(request->path, "/in", 3)) {
		take_in(ctx, request);
	} else if (!strncmp(request->path, "/out", 4)) {
		give_out(ctx, request);
	} else if (request->path[1] >= '0' && request->path[1] <= '9') {
		response.status = (uint16_t)atoi(request->path + 1);
		trl_http_reply(ctx, request, &response);
	} else {
		trl_http_reply(ctx, request, &response);
	}
	world->finished++;
}

static size_t
awaits(void *self, trl_arena *arena, const struct trl_http_request *request)
{
	(void)self;
	(void)arena;
	return strncmp(request->path, "/in", 3) ? 0 : TRL_HTTP_PIECES;
}

static int
set_up_with(void **state, struct trl_http_options options)
{
	static const struct trl_http_handler handler = {
		.handle = handle, .awaits = awaits, .refuse = refuse
	};

	memset(&seen, 0, sizeof seen);
	open_with(state, options, 0, handler);
	return 0;
}

int
set_up(void **state)
{
	return set_up_with(state, (struct trl_http_options){ .max_connections = 0 });
}

int
set_up_quick(void **state)
{
	return set_up_with(state, (struct trl_http_options){ .body_timeout_ms = 300,
				      .piece_timeout_ms = 300,
				      .floor_ms = 600,
				      .floor_bytes = 20000 });
}

int
set_up_small(void **state)
{
	return set_up_with(
	    state, (struct trl_http_options){ .max_piece_bytes = 2 * 65536 });
}

int
set_up_shares(void **state)
{
	return set_up_with(
	    state, (struct trl_http_options){
		       .max_piece_bytes = 8 * 65536, .max_per_address = 100 });
}

struct sender {
	int fd;
	const uint8_t *data;
	size_t len;
	bool broken;
};

static bool
has_sent(void *self)
{
	struct sender *sender = self;
	ssize_t n;

	while (sender->len &&
	       (n = send(sender->fd, sender->data, sender->len, MSG_NOSIGNAL)) > 0) {
		sender->data += n;
		sender->len -= (size_t)n;
	}
	sender->broken = sender->len && errno != EAGAIN;
	return !sender->len || sender->broken;
}

bool
send_all(struct world *world, int fd, const void *data, size_t len)
{
	struct sender sender = { fd, data, len, false };

	return trl_loop_run_until(world->loop, has_sent, &sender, 10000) &&
	       !sender.broken;
}

void
says(int fd, const char *text)
{
	say(fd, text, strlen(text));
}

const char *
body_of(const struct world *world)
{
	const char *end = strstr(world->got, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

const char *
ask(struct world *world, int fd, const char *line, const char *want, size_t len)
{
	char text[200];

	(void)snprintf(text, sizeof text, "%s\r\nHost: a\r\n\r\n", line);
	world->len = 0;
	says(fd, text);
	if (!hear(world, fd, "\r\n\r\n", 2000) || !strstr(world->got, want))
		fail_msg("%s: %s", line, world->got);
	world->want_len = (size_t)(body_of(world) - world->got) + len;
	assert_true(world->len >= world->want_len || hear(world, fd, NULL, 5000));
	assert_int_equal(world->len, world->want_len);
	world->want_len = 0;
	return body_of(world);
}

void
reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1 };

	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
	close(fd);
}

bool
is_quiet(void *self)
{
	struct world *world = self;

	return !trl_actors_alive(world->loop) && !trl_http_connections(world->server);
}

bool
is_held(void *self)
{
	return seen.holding >= *(unsigned *)self;
}

void
let_go(unsigned n)
{
	assert_true(trl_wake(seen.tickets[n]));
}

void
let_pass(struct world *world, uint32_t ms)
{
	(void)trl_loop_run_until(world->loop, never, NULL, ms);
}

static bool
has_seen(void *self)
{
	const struct until *until = self;

	return seen.bytes >= until->bytes && seen.bodies >= until->bodies &&
	       seen.holding >= until->holding && seen.nudges >= until->nudges;
}

void
await(struct world *world, struct until until)
{
	assert_true(trl_loop_run_until(world->loop, has_seen, &until, 10000));
}

int
say_head(struct world *world, const char *head)
{
	const size_t handled = world->handled;
	int fd = dial(world);

	says(fd, head);
	while (world->handled == handled)
		let_pass(world, 5);
	let_pass(world, 5);
	return fd;
}
