/* See test_http_rig.h. */
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

void
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

/* Until it is woken. */
static void
work(struct world *world, trl_ctx *ctx)
{
	world->ticket = trl_park_begin(ctx);
	if (trl_park(ctx, world->ticket, "work") == TRL_OK)
		world->finished++;
}

static void
handle(void *self, trl_ctx *ctx, struct trl_http_request *request)
{
	static const char block[100000] = { 'x' };
	const char *path = request->path;
	struct world *world = self;
	struct trl_http_response response = { .status = 200 };
	const uint8_t *data = NULL;
	size_t len = 0;
	enum trl_code rc;

	world->handled++;
	if (!strcmp(request->path, "/silent"))
		return;
	if (!strcmp(request->path, "/work"))
		work(world, ctx);
	if (!strcmp(request->path, "/big")) {
		response.body = block;
		response.body_len = sizeof block;
	} else if (!strcmp(request->path, "/inject")) {
		trl_http_add_header(&response, "X-A", "b\r\nSet-Cookie: c");
	} else if (strcmp(request->path, "/unread") != 0 && request->has_body) {
		rc = trl_http_body(ctx, request, 1000, &data, &len);
		response.status = rc == TRL_OK          ? 200
				  : rc == TRL_QUOTA     ? 413
				  : rc == TRL_MALFORMED ? 400
							: 500;
		response.body = data;
		response.body_len = rc == TRL_OK ? len : 0;
	}
	trl_http_reply(ctx, request, &response);
	assert_null(request->conn);
	if (!strcmp(path, "/after"))
		work(world, ctx);
}

static size_t
awaits(void *self, trl_arena *arena, const struct trl_http_request *request)
{
	(void)self;
	(void)arena;
	return strcmp(request->path, "/unread") == 0 ? 0 : 1000;
}

static bool
now(void *self, trl_arena *arena, const struct trl_http_request *request,
    struct trl_http_response *out)
{
	(void)self;
	out->status = 200;
	out->body = trl_arena_strdup(arena, "alive");
	out->body_len = 5;
	return strcmp(request->path, "/livez") == 0;
}

int
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

void
say(int fd, const char *text, size_t len)
{
	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

static bool
look(void *self)
{
	struct world *world = self;
	ssize_t n;

	while ((n = recv(world->fd, world->got + world->len,
		    sizeof world->got - 1 - world->len, 0)) > 0)
		world->len += (size_t)n;
	if (n == 0 || errno != EAGAIN)
		world->ended = true;
	world->got[world->len] = '\0';
	if (world->want &&
	    memmem(world->got, world->len, world->want, strlen(world->want)))
		return true;
	return world->ended || (world->want_len && world->len >= world->want_len);
}

bool
never(void *self)
{
	(void)self;
	return false;
}

bool
hear(struct world *world, int fd, const char *want, uint32_t ms)
{
	if (fd != world->fd) {
		world->len = 0;
		world->ended = false;
	}
	world->fd = fd;
	world->want = want;
	return trl_loop_run_until(world->loop, look, world, ms) &&
	       (!want || strstr(world->got, want));
}

size_t
count(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		n++;
	return n;
}

void
open_with(void **state, struct trl_http_options options, size_t max_actors,
    struct trl_http_handler handler)
{
	const struct trl_loop_options loop = { .max_actors = max_actors };
	struct world *world = calloc(1, sizeof *world);

	handler.self = world;
	options.listen = "127.0.0.1:0";
	world->loop = trl_loop_new(&loop);
	assert_int_equal(
	    trl_http_open(world->loop, &options, &handler, &world->server), TRL_OK);
	*state = world;
}

static const struct trl_http_handler handler = {
	.handle = handle, .awaits = awaits, .now = now, .refuse = refuse
};

int
setup(void **state)
{
	open_with(state,
	    (struct trl_http_options){ .head_timeout_ms = 300,
		.body_timeout_ms = 300,
		.max_connections = 4,
		.max_per_address = 3 },
	    0, handler);
	return 0;
}

int
setup_patient(void **state)
{
	open_with(state,
	    (struct trl_http_options){
		.head_timeout_ms = 5000, .body_timeout_ms = 5000 },
	    0, handler);
	return 0;
}

int
setup_small(void **state)
{
	open_with(state,
	    (struct trl_http_options){ .head_timeout_ms = 5000,
		.body_timeout_ms = 5000,
		.max_waiting_bytes = 8000,
		.max_per_address = 100 },
	    1, handler);
	return 0;
}

static bool
quiet(void *self)
{
	return trl_actors_alive(((struct world *)self)->loop) == 0;
}

int
teardown(void **state)
{
	struct world *world = *state;

	trl_http_close(&world->server);
	assert_true(trl_loop_run_until(world->loop, quiet, world, 10000));
	trl_loop_free(&world->loop);
	free(world);
	return 0;
}

bool
over(void *self)
{
	struct world *world = self;

	(void)look(world);
	return world->ended;
}

bool
has_finished(void *self)
{
	return ((struct world *)self)->finished == 1;
}

bool
is_at_work(void *self)
{
	return ((struct world *)self)->ticket.actor != NULL;
}
