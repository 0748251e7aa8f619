/* A server and its clients on one loop: the clients are plain sockets, written and
 * read between turns. (Over 400 lines: most are tables of what is said.) */
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
	unsigned handled, cancelled, finished;
	int fd;
	char got[1 << 20];
	size_t len;
	bool ended;
	const char *want;
	size_t want_len;
};

static void
refuse(void *self, trl_arena *arena, const struct trl_http_refusal *refusal,
    struct trl_http_response *out)
{
	const struct trl_http_request *request = refusal->request;
	const char *said = trl_http_header(request, "x-said");

	(void)self;
	out->status = refusal->status;
	out->body = trl_arena_printf(arena, "%s[%s %s %s]", refusal->detail,
	    request->method, request->path, said ? said : "-");
	out->body_len = strlen(out->body);
}

static void
handle(void *self, trl_ctx *ctx, struct trl_http_request *request)
{
	static const char block[100000] = { 'x' };
	struct world *world = self;
	struct trl_http_response response = { .status = 200 };
	const uint8_t *data = NULL;
	size_t len = 0;
	enum trl_code rc;

	world->handled++;
	if (!strcmp(request->path, "/silent"))
		return;
	if (!strcmp(request->path, "/sleep") && trl_sleep(ctx, 5000) != TRL_OK)
		world->cancelled++;
	if (!strcmp(request->path, "/big")) {
		response.body = block;
		response.body_len = sizeof block;
	} else if (!strcmp(request->path, "/inject")) {
		trl_http_add_header(&response, "X-A", "b\r\nSet-Cookie: c");
	} else if (strcmp(request->path, "/unread") != 0 && request->has_body) {
		rc = trl_http_body(ctx, request, 1000, &data, &len);
		response.status = rc == TRL_OK         ? 200
				  : rc == TRL_QUOTA    ? 413
				  : rc == TRL_DEADLINE ? 408
						       : 400;
		response.body = data;
		response.body_len = rc == TRL_OK ? len : 0;
	}
	trl_http_reply(ctx, request, &response);
	if (!strcmp(request->path, "/after") && trl_sleep(ctx, 50) == TRL_OK)
		world->finished++;
}

static int
dial(struct world *world)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)trl_http_port(world->server)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	world->len = 0;
	world->ended = false;
	world->got[0] = '\0';
	return fd;
}

static void
say(int fd, const char *text, size_t len)
{
	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

static bool
look(void *self)
{
	struct world *world = self;
	ssize_t n = recv(
	    world->fd, world->got + world->len, sizeof world->got - 1 - world->len, 0);

	if (n > 0)
		world->len += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		world->ended = true;
	world->got[world->len] = '\0';
	if (world->want &&
	    memmem(world->got, world->len, world->want, strlen(world->want)))
		return true;
	return world->ended || (world->want_len && world->len >= world->want_len);
}

static bool
never(void *self)
{
	(void)self;
	return false;
}

/* Turns the loop until want was read or the server closed. */
static bool
hear(struct world *world, int fd, const char *want, uint32_t ms)
{
	world->fd = fd;
	world->want = want;
	return trl_loop_run_until(world->loop, look, world, ms) &&
	       (!want || strstr(world->got, want));
}

static size_t
count(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		n++;
	return n;
}

static void
open_with(void **state, struct trl_http_options options)
{
	struct world *world = calloc(1, sizeof *world);
	const struct trl_http_handler handler = { handle, refuse, world };

	options.listen = "127.0.0.1:0";
	world->loop = trl_loop_new(NULL);
	assert_int_equal(
	    trl_http_open(world->loop, &options, &handler, &world->server), TRL_OK);
	*state = world;
}

static int
setup(void **state)
{
	open_with(state, (struct trl_http_options){ .head_timeout_ms = 300,
			     .body_timeout_ms = 300,
			     .max_connections = 4,
			     .max_per_address = 3 });
	return 0;
}

/* For what takes its time without being late. */
static int
setup_patient(void **state)
{
	open_with(state, (struct trl_http_options){
			     .head_timeout_ms = 5000, .body_timeout_ms = 5000 });
	return 0;
}

static void
refuses_to_listen_where_nobody_can_call(void **state)
{
	static const char *const listens[] = { "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:99999",
		"127.0.0.1:184467440737095516160", "127.0.0.1:-1",
		"nowhere.invalid:80" };
	const struct trl_http_handler handler = { handle, refuse, *state };
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
	assert_true(trl_loop_run_until(world->loop, quiet, world, 1000));
	trl_loop_free(&world->loop);
	free(world);
	return 0;
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

static bool
over(void *self)
{
	struct world *world = self;

	(void)look(world);
	return world->ended;
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
	assert_true(hear(world, fd, "\r\n\r\nabcde", 5000));
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
	assert_true(hear(world, fd, "\r\n\r\n0063", 2000));
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
		assert_true(hear(world, fds[i], " 200 ", 1000));
	}
	fds[3] = dial(world);
	assert_true(hear(world, fds[3], " 503 ", 1000));
	fds[4] = dial(world); /* one more than all: not accepted yet */
	say(fds[4], text, sizeof text - 1);
	assert_false(hear(world, fds[4], " ", 30));
	close(fds[0]);
	close(fds[3]);
	assert_true(hear(world, fds[4], " 200 ", 1000));
	close(fds[1]);
	close(fds[2]);
	close(fds[4]);
}

static bool
was_cancelled(void *self)
{
	return ((struct world *)self)->cancelled == 1;
}

static void
a_client_that_leaves_cancels_its_parked_handler(void **state)
{
	struct world *world = *state;
	const char text[] = "GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n";
	int fd = dial(world);

	say(fd, text, sizeof text - 1);
	assert_false(hear(world, fd, " ", 30));
	close(fd);
	assert_true(trl_loop_run_until(world->loop, was_cancelled, world, 1000));
}

static bool
has_finished(void *self)
{
	return ((struct world *)self)->finished == 1;
}

static void
a_client_that_leaves_with_its_answer_cancels_nothing(void **state)
{
	struct world *world = *state;
	const char text[] = "GET /after HTTP/1.1\r\nHost: a\r\n\r\n";
	int fd = dial(world);

	say(fd, text, sizeof text - 1);
	assert_true(hear(world, fd, " 200 ", 1000));
	close(fd);
	assert_true(trl_loop_run_until(world->loop, has_finished, world, 2000));
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
	assert_true(hear(world, fd, " 200 ", 1000));
	assert_false(trl_http_drained(world->server));
	trl_http_drain(world->server);
	assert_true(trl_loop_run_until(world->loop, is_drained, world, 1000));
	close(fd);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_talk_is_answered_and_ended_as_told),
		cmocka_unit_test_setup_teardown(
		    bytes_one_by_one_make_the_same_request, setup_patient, teardown),
		CASE(a_refusal_tells_what_was_read),
		CASE(pipelined_requests_are_answered_in_order),
		CASE(a_client_that_does_not_read_is_not_served_without_end),
		CASE(connections_of_an_address_and_of_all_are_limited),
		CASE(a_client_that_leaves_cancels_its_parked_handler),
		CASE(a_client_that_leaves_with_its_answer_cancels_nothing),
		CASE(draining_closes_what_is_idle),
		CASE(refuses_to_listen_where_nobody_can_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
