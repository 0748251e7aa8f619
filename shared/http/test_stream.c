/* Answers that go on: a server and its clients on one loop, the clients plain sockets
 * that are written and read between turns. (Over 400 lines: short talks, each of which
 * ends otherwise.) */
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

#include <trl/http.h>

struct world {
	trl_loop *loop;
	trl_http_server *server;
	trl_http_stream *stream;
	unsigned opened, closed;
	enum trl_code waited;
	struct trl_ticket ticket; /* of a handler that is at work */
	int fd;
	char got[1 << 20];
	size_t len;
	bool ended;
	const char *want;
};

static void
refuse(void *self, trl_arena *arena, const struct trl_http_refusal *refusal,
    struct trl_http_response *out)
{
	(void)self;
	(void)arena;
	out->status = refusal->status;
	out->body = refusal->detail;
	out->body_len = strlen(refusal->detail);
}

static void
on_closed(void *self)
{
	struct world *world = self;

	world->closed++;
	world->stream = NULL;
}

static void
handle(void *self, trl_ctx *ctx, struct trl_http_request *request)
{
	static const char block[60000] = { 'x' };
	struct world *world = self;
	struct trl_http_response response = { .status = 200 };

	trl_http_add_header(&response, "Content-Type", "text/event-stream");
	if (strcmp(request->path, "/short") == 0) {
		trl_http_reply(ctx, request, &response);
		return;
	}
	world->stream = trl_http_stream_open(ctx, request, &response, on_closed, world);
	if (!world->stream)
		return;
	world->opened++;
	if (strcmp(request->path, "/work") == 0) {
		world->ticket = trl_park_begin(ctx);
		assert_int_equal(trl_park(ctx, world->ticket, "work"), TRL_OK);
		return;
	}
	if (strcmp(request->path, "/break") == 0) {
		assert_true(trl_http_stream_write(world->stream, "half", 4));
		world->waited = trl_http_stream_wait(ctx, world->stream);
		trl_http_stream_break(&world->stream);
		return;
	}
	if (strncmp(request->path, "/wait", 5) != 0)
		return;
	/* More than a stream holds at once, at the client's pace. */
	for (int i = 0; i < (request->path[5] ? 1000 : 10) && world->waited == TRL_OK;
	     i++) {
		assert_true(trl_http_stream_write(world->stream, block, sizeof block));
		world->waited = trl_http_stream_wait(ctx, world->stream);
	}
}

static int
dial(struct world *world, const char *text)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)trl_http_port(world->server)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	world->fd = fd;
	world->len = 0;
	world->ended = false;
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	return fd;
}

static void
look(struct world *world)
{
	ssize_t n = recv(
	    world->fd, world->got + world->len, sizeof world->got - 1 - world->len, 0);

	if (n > 0)
		world->len += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		world->ended = true;
	world->got[world->len] = '\0';
}

static bool
heard(void *self)
{
	struct world *world = self;

	look(world);
	return world->ended || (world->want && memmem(world->got, world->len,
						   world->want, strlen(world->want)));
}

/* Turns the loop until want was read; NULL: until the server closed. */
static bool
hear(struct world *world, const char *want)
{
	world->want = want;
	return trl_loop_run_until(world->loop, heard, world, 2000) &&
	       (want ? memmem(world->got, world->len, want, strlen(want)) != NULL
		     : world->ended);
}

static bool
never(void *self)
{
	(void)self;
	return false;
}

static bool
was_closed(void *self)
{
	return ((struct world *)self)->closed > 0;
}

static bool
is_empty(void *self)
{
	trl_http_server *server = ((struct world *)self)->server;

	return trl_http_streams(server) == 0 && trl_http_drained(server);
}

static bool
was_opened(void *self)
{
	return ((struct world *)self)->opened > 0;
}

static const char get[] = "GET /s HTTP/1.1\r\nHost: a\r\n\r\n";

static int
setup(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	const struct trl_http_handler handler = {
		.handle = handle, .refuse = refuse, .self = world
	};
	const struct trl_http_options options = { .listen = "127.0.0.1:0",
		.head_timeout_ms = 300,
		.body_timeout_ms = 300,
		.idle_timeout_ms = 100,
		.max_connections = 2 };

	world->loop = trl_loop_new(NULL);
	assert_int_equal(
	    trl_http_open(world->loop, &options, &handler, &world->server), TRL_OK);
	*state = world;
	return 0;
}

static bool
quiet(void *self)
{
	return trl_actors_alive(((struct world *)self)->loop) == 0;
}

static int
teardown(void **state)
{
	struct world *world = *state;

	trl_http_close(&world->server);
	assert_true(trl_loop_run_until(world->loop, quiet, world, 10000));
	trl_loop_free(&world->loop);
	free(world);
	return 0;
}

static void
what_is_written_comes_in_chunks_until_the_owner_ends_it(void **state)
{
	struct world *world = *state;
	int fd = dial(world, get);

	assert_true(hear(world, "Transfer-Encoding: chunked\r\nConnection: close\r\n"));
	assert_null(strstr(world->got, "Content-Length"));
	/* It outlives all that a waiting connection is given. */
	(void)trl_loop_run_until(world->loop, never, NULL, 450);
	assert_int_equal(trl_actors_alive(world->loop), 0);
	assert_true(trl_http_stream_write(world->stream, "data: a\n\n", 9));
	assert_true(trl_http_stream_write(world->stream, "data: b\n\n", 9));
	assert_true(hear(world, "\r\n\r\n9\r\ndata: a\n\n\r\n9\r\ndata: b\n\n\r\n"));
	assert_int_equal(trl_http_streams(world->server), 1);
	trl_http_stream_close(&world->stream);
	assert_null(world->stream);
	assert_true(hear(world, NULL));
	assert_non_null(strstr(world->got, "\r\n0\r\n\r\n"));
	assert_int_equal(trl_http_streams(world->server), 0);
	assert_int_equal(world->closed, 0);
	close(fd);
}

static void
much_at_once_is_pushed_out_within_a_turn(void **state)
{
	static const char block[30000] = { 'x' };
	struct world *world = *state;
	int fd = dial(world, get), large = 1 << 18;

	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof large), 0);
	assert_true(hear(world, "close\r\n\r\n"));
	for (int i = 0; i < 3; i++) {
		assert_true(trl_http_stream_write(world->stream, block, sizeof block));
		trl_http_stream_push(world->stream);
		assert_int_equal(
		    trl_http_stream_room(world->stream), TRL_HTTP_STREAM_BYTES);
	}
	assert_true(trl_http_stream_write(world->stream, "end", 3));
	world->want = NULL;
	while (world->len < 90000 && !world->ended)
		(void)trl_loop_run_until(world->loop, heard, world, 1);
	assert_true(hear(world, "3\r\nend\r\n"));
	close(fd);
}

static void
much_is_pushed_out_while_the_handler_is_at_work(void **state)
{
	static const char block[60000] = { 'x' };
	struct world *world = *state;
	int fd = dial(world, "GET /work HTTP/1.1\r\nHost: a\r\n\r\n"), large = 1 << 18;

	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof large), 0);
	assert_true(hear(world, "close\r\n\r\n"));
	for (int i = 0; i < 2; i++) {
		assert_true(trl_http_stream_write(world->stream, block, sizeof block));
		trl_http_stream_push(world->stream);
		assert_int_equal(
		    trl_http_stream_room(world->stream), TRL_HTTP_STREAM_BYTES);
	}
	assert_int_equal(trl_actors_alive(world->loop), 1);
	assert_true(trl_wake(world->ticket));
	assert_true(trl_loop_run_until(world->loop, quiet, world, 10000));
	assert_true(trl_http_stream_write(world->stream, "end", 3));
	world->want = NULL;
	while (world->len < 120000 && !world->ended)
		(void)trl_loop_run_until(world->loop, heard, world, 1);
	assert_true(hear(world, "3\r\nend\r\n"));
	close(fd);
}

static void
a_push_that_finds_the_client_gone_waits_for_the_handlers_end(void **state)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct world *world = *state;
	int fd = dial(world, "GET /work HTTP/1.1\r\nHost: a\r\n\r\n");

	assert_true(hear(world, "close\r\n\r\n"));
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
	close(fd); /* by RST: the write fails */
	assert_true(trl_http_stream_write(world->stream, "data: a\n\n", 9));
	trl_http_stream_push(world->stream);
	assert_false(trl_http_stream_write(world->stream, "data: b\n\n", 9));
	(void)trl_loop_run_until(world->loop, never, NULL, 20);
	assert_int_equal(world->closed, 0);
	assert_true(trl_wake(world->ticket));
	assert_true(trl_loop_run_until(world->loop, was_closed, world, 10000));
	assert_int_equal(world->closed, 1);
}

static void
one_that_is_broken_off_has_no_end(void **state)
{
	struct world *world = *state;
	int fd = dial(world, "GET /break HTTP/1.1\r\nHost: a\r\n\r\n");

	assert_true(hear(world, NULL));
	assert_non_null(strstr(world->got, "\r\n\r\n4\r\nhalf\r\n"));
	assert_null(strstr(world->got, "\r\n0\r\n"));
	assert_null(world->stream);
	assert_int_equal(world->waited, TRL_OK);
	assert_true(trl_loop_run_until(world->loop, quiet, world, 10000));
	assert_int_equal(trl_http_streams(world->server), 0);
	assert_int_equal(world->closed, 0);
	close(fd);
}

static void
an_older_client_gets_it_without_chunks(void **state)
{
	struct world *world = *state;
	int fd = dial(world, "GET /s HTTP/1.0\r\n\r\n");

	assert_true(hear(world, "Connection: close\r\n\r\n"));
	assert_true(trl_http_stream_write(world->stream, "data: a\n\n", 9));
	assert_true(hear(world, "\r\n\r\ndata: a\n\n"));
	assert_null(strstr(world->got, "chunked"));
	trl_http_stream_close(&world->stream);
	assert_true(hear(world, NULL));
	assert_null(strstr(world->got, "0\r\n\r\n"));
	close(fd);
}

static void
a_head_request_opens_none(void **state)
{
	struct world *world = *state;
	int fd = dial(world, "HEAD /s HTTP/1.1\r\nHost: a\r\n\r\n");

	assert_true(hear(world, NULL));
	assert_non_null(strstr(world->got, " 200 OK"));
	assert_non_null(strstr(world->got, "text/event-stream"));
	assert_int_equal(world->opened, 0);
	close(fd);
}

static void
a_client_that_leaves_is_told_once(void **state)
{
	struct world *world = *state;
	int fd = dial(world, get);

	assert_true(hear(world, "close\r\n\r\n"));
	close(fd);
	assert_true(trl_loop_run_until(world->loop, was_closed, world, 10000));
	(void)trl_loop_run_until(world->loop, never, NULL, 20);
	assert_int_equal(world->closed, 1);
	assert_int_equal(trl_http_streams(world->server), 0);
}

static void
a_client_that_does_not_read_is_closed_at_the_bound(void **state)
{
	static const char block[16000] = { 'x' };
	struct world *world = *state;
	int fd = dial(world, get);
	size_t sent = 0;

	assert_true(trl_loop_run_until(world->loop, was_opened, world, 10000));
	while (world->stream && sent < (64 << 20) &&
	       trl_http_stream_write(world->stream, block, sizeof block)) {
		assert_in_range(trl_http_stream_room(world->stream), 0,
		    TRL_HTTP_STREAM_BYTES - sizeof block);
		sent += sizeof block;
		(void)trl_loop_run_until(world->loop, never, NULL, 1);
	}
	assert_in_range(sent, TRL_HTTP_STREAM_BYTES / 2, (64 << 20) - 1);
	assert_true(trl_loop_run_until(world->loop, was_closed, world, 10000));
	assert_int_equal(world->closed, 1);
	close(fd);
}

static void
a_client_that_takes_nothing_for_long_is_closed(void **state)
{
	static const char block[60000] = { 'x' };
	struct world *world = *state;
	int fd = dial(world, get);

	assert_true(trl_loop_run_until(world->loop, was_opened, world, 10000));
	/* As much as the sockets take, and a little that they do not. */
	while (trl_http_stream_room(world->stream) == TRL_HTTP_STREAM_BYTES) {
		assert_true(trl_http_stream_write(world->stream, block, sizeof block));
		(void)trl_loop_run_until(world->loop, never, NULL, 1);
	}
	assert_true(trl_loop_run_until(world->loop, was_closed, world, 10000));
	close(fd);
}

static void
a_handler_sends_much_at_the_clients_pace(void **state)
{
	struct world *world = *state;
	int fd = dial(world, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"), large = 1 << 18;

	/* A window that keeps closing opens again by TCP's timers, in 200 ms and more.
	 */
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof large), 0);
	world->want = NULL;
	(void)trl_loop_run_until(world->loop, heard, world, 1);
	while (world->len < 600000 && !world->ended)
		(void)trl_loop_run_until(world->loop, heard, world, 1);
	assert_false(world->ended);
	assert_int_equal(world->waited, TRL_OK);
	assert_true(trl_loop_run_until(world->loop, quiet, world, 10000));
	assert_true(trl_http_stream_write(world->stream, "end", 3));
	assert_true(hear(world, "3\r\nend\r\n"));
	close(fd);
}

static void
a_waiting_handler_hears_that_the_client_left(void **state)
{
	struct world *world = *state;
	int fd = dial(world, "GET /wait/long HTTP/1.1\r\nHost: a\r\n\r\n");

	assert_true(trl_loop_run_until(world->loop, was_opened, world, 10000));
	close(fd);
	assert_true(trl_loop_run_until(world->loop, was_closed, world, 10000));
	assert_int_equal(world->waited, TRL_UNAVAILABLE);
}

static void
what_is_sent_after_the_request_is_thrown_away(void **state)
{
	struct world *world = *state;
	int fd = dial(world, "GET /s HTTP/1.1\r\nHost: a\r\n\r\n"
			     "GET /s HTTP/1.1\r\nHost: a\r\n\r\n");

	assert_true(hear(world, "close\r\n\r\n"));
	assert_int_equal(send(fd, get, sizeof get - 1, MSG_NOSIGNAL), sizeof get - 1);
	assert_true(trl_http_stream_write(world->stream, "data: a\n\n", 9));
	assert_true(hear(world, "data: a"));
	assert_int_equal(world->opened, 1);
	trl_http_stream_close(&world->stream);
	assert_true(hear(world, NULL));
	assert_int_equal(world->opened, 1);
	close(fd);
}

static void
a_stream_counts_as_a_connection(void **state)
{
	struct world *world = *state;
	int one = dial(world, get), two, three;

	assert_true(hear(world, "close\r\n\r\n"));
	two = dial(world, get);
	assert_true(hear(world, "close\r\n\r\n"));
	three = dial(world, get);
	(void)trl_loop_run_until(world->loop, never, NULL, 30);
	look(world);
	assert_int_equal(world->len, 0);
	close(one);
	assert_true(hear(world, "close\r\n\r\n"));
	close(two);
	close(three);
}

static void
draining_ends_streams_politely(void **state)
{
	struct world *world = *state;
	int fd = dial(world, get);

	assert_true(hear(world, "close\r\n\r\n"));
	assert_true(trl_http_stream_write(world->stream, "bye", 3));
	trl_http_drain(world->server);
	assert_false(trl_http_stream_write(world->stream, "more", 4));
	assert_true(hear(world, NULL));
	assert_non_null(strstr(world->got, "3\r\nbye\r\n0\r\n\r\n"));
	assert_true(trl_loop_run_until(world->loop, is_empty, world, 10000));
	assert_int_equal(world->closed, 1);
	close(fd);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_written_comes_in_chunks_until_the_owner_ends_it),
		CASE(much_at_once_is_pushed_out_within_a_turn),
		CASE(much_is_pushed_out_while_the_handler_is_at_work),
		CASE(a_push_that_finds_the_client_gone_waits_for_the_handlers_end),
		CASE(one_that_is_broken_off_has_no_end),
		CASE(an_older_client_gets_it_without_chunks),
		CASE(a_head_request_opens_none),
		CASE(a_client_that_leaves_is_told_once),
		CASE(a_client_that_does_not_read_is_closed_at_the_bound),
		CASE(a_client_that_takes_nothing_for_long_is_closed),
		CASE(a_handler_sends_much_at_the_clients_pace),
		CASE(a_waiting_handler_hears_that_the_client_left),
		CASE(what_is_sent_after_the_request_is_thrown_away),
		CASE(a_stream_counts_as_a_connection),
		CASE(draining_ends_streams_politely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
