/* test_out_rig.c - getaddrinfo is this file's: names answer as the cases want, and it
 * is seen how often they are asked for. The world is a process that ends with its
 * input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netdb.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_out_rig.h"

extern char **environ;

struct rig world;

static const struct {
	const char *name, *addresses[3];
} names[] = {
	{ "localhost", { "127.0.0.1" } },
	{ "good.test", { "127.0.0.1" } },
	{ "private.test", { "10.0.0.1" } },
	{ "mixed.test", { "127.0.0.1", "10.0.0.1" } },
	{ "mapped.test", { "::ffff:10.0.0.1" } },
	{ "late.test", { "127.0.0.1" } },
};

static struct addrinfo *
new_address(const char *text, struct addrinfo *next)
{
	struct addrinfo *a = calloc(1, sizeof *a + sizeof(struct sockaddr_in6));
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)(a + 1);
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)(a + 1);

	a->ai_addr = (struct sockaddr *)(void *)(a + 1);
	a->ai_socktype = SOCK_STREAM;
	a->ai_next = next;
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		a->ai_addrlen = sizeof *v4;
	} else {
		inet_pton(AF_INET6, text, &v6->sin6_addr);
		v6->sin6_family = AF_INET6;
		a->ai_addrlen = sizeof *v6;
	}
	a->ai_family = a->ai_addr->sa_family;
	return a;
}

static void
wait_to_answer(const char *name)
{
	unsigned n;

	while (!strcmp(name, "late.test") && !atomic_load(&world.answer_late))
		usleep(1000); /* a resolver that waits for the case to be over */
	while (sscanf(name, "dead%u.test", &n) == 1 &&
	       (atomic_load(&world.let_go) >> n & 1) == 0)
		usleep(1000);
}

int
getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
    struct addrinfo **out)
{
	unsigned nth = atomic_fetch_add(&world.asked, 1);

	(void)port, (void)hints;
	*out = NULL;
	wait_to_answer(name);
	if (!strcmp(name, "rebinds.test"))
		*out = new_address(nth == 0 ? "127.0.0.1" : "127.0.0.66", NULL);
	for (size_t i = 0; i < TRL_COUNT(names); i++)
		for (size_t j = 0; !strcmp(name, names[i].name) && j < 3; j++)
			if (names[i].addresses[j] != NULL)
				*out = new_address(names[i].addresses[j], *out);
	atomic_fetch_add(&world.answered, 1);
	return *out != NULL ? 0 : EAI_NONAME;
}

void
freeaddrinfo(struct addrinfo *first)
{
	struct addrinfo *next;

	for (; first != NULL; first = next) {
		next = first->ai_next;
		free(first);
	}
}

static void
keep(struct visit *visit, trl_ctx *ctx)
{
	snprintf(visit->why, sizeof visit->why, "%s", ctx->err.message);
	visit->done = true;
	free(visit->body);
	visit->body = NULL;
	if (visit->rc != TRL_OK || visit->answer.body == NULL)
		return;
	visit->body = malloc(visit->answer.body_len + 1);
	assert_non_null(visit->body);
	memcpy(visit->body, visit->answer.body, visit->answer.body_len + 1);
	snprintf(visit->address, sizeof visit->address, "%s", visit->answer.address);
}

static void
run_call(trl_ctx *ctx, void *arg)
{
	struct visit *visit = arg;

	ctx->tenant = visit->tenant;
	ctx->trace = visit->trace;
	visit->rc = trl_http_out_call(ctx, visit->out, &visit->call, &visit->answer);
	keep(visit, ctx);
}

static void
run_letter(trl_ctx *ctx, void *arg)
{
	struct visit *visit = arg;

	ctx->trace = visit->trace;
	visit->rc = trl_smtp_send(ctx, visit->out, &visit->mail, &visit->smtp);
	snprintf(visit->smtp_text, sizeof visit->smtp_text, "%s", visit->smtp.text);
	snprintf(
	    visit->smtp_status, sizeof visit->smtp_status, "%s", visit->smtp.status);
	keep(visit, ctx);
}

bool
is_done(void *self)
{
	return ((struct visit *)self)->done;
}

static void
begin(struct visit *visit, void (*run)(trl_ctx *ctx, void *arg))
{
	visit->done = false;
	if (visit->out == NULL)
		visit->out = world.out;
	if (visit->call.method == NULL)
		visit->call.method = "GET";
	assert_int_equal(
	    trl_spawn(world.loop,
		&(struct trl_spawn){ .name = "visit",
		    .run = run,
		    .arg = visit,
		    .timeout_ms = visit->actor_ms > 0 ? visit->actor_ms : 20000 }),
	    TRL_OK);
}

void
begin_call(struct visit *visit)
{
	begin(visit, run_call);
}

void
begin_letter(struct visit *visit)
{
	begin(visit, run_letter);
}

void
go(struct visit *visit)
{
	begin_call(visit);
	assert_true(trl_loop_run_until(world.loop, is_done, visit, 20000));
}

void
post(struct visit *visit)
{
	begin_letter(visit);
	assert_true(trl_loop_run_until(world.loop, is_done, visit, 20000));
}

const char *
at(unsigned port, const char *path)
{
	static char text[4][200];
	static unsigned n;

	n = (n + 1) % 4;
	snprintf(text[n], sizeof text[n], "%s://%s:%u/%s",
	    port == world.http ? "http" : "https", "localhost", port, path);
	return text[n];
}

bool
all_done(void *self)
{
	struct visit *visits = self;

	for (size_t i = 0; i < VISITS; i++)
		if (!visits[i].done)
			return false;
	return true;
}

unsigned
connections(void)
{
	struct visit visit = { .call = { .url = at(world.http, "connections") } };
	unsigned n;

	go(&visit);
	assert_int_equal(visit.rc, TRL_OK);
	n = (unsigned)strtoul(visit.body, NULL, 10);
	free(visit.body);
	return n;
}

bool
calls_by_address(void)
{
	struct visit visit = { .call = { .url = visit.url } };

	snprintf(visit.url, sizeof visit.url, "http://127.0.0.1:%u/hello", world.http);
	go(&visit);
	free(visit.body);
	return visit.rc == TRL_OK;
}

static bool
read_told(void)
{
	char name[50], value[200];

	while (fscanf(world.told, "%49s", name) == 1) {
		const struct {
			const char *name;
			unsigned *port;
		} ports[] = { { "http", &world.http }, { "https", &world.https },
			{ "https_wrong", &world.https_wrong }, { "smtp", &world.smtp },
			{ "smtps", &world.smtps }, { "smtp_plain", &world.smtp_plain },
			{ "smtp_closed", &world.smtp_closed } };

		if (!strcmp(name, "ready"))
			return true;
		if (fscanf(world.told, "%199s", value) != 1)
			return false;
		if (!strcmp(name, "ca"))
			strcpy(world.ca, value);
		for (size_t i = 0; i < TRL_COUNT(ports); i++)
			if (!strcmp(name, ports[i].name))
				*ports[i].port = (unsigned)strtoul(value, NULL, 10);
	}
	return false;
}

int
open_world(void **state)
{
	char *words[] = { "/usr/bin/python3", (char *)(uintptr_t)world.script, NULL };
	posix_spawn_file_actions_t actions;
	int in[2], out[2];

	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_addclose(&actions, in[1]);
	posix_spawn_file_actions_addclose(&actions, out[0]);
	assert_int_equal(
	    posix_spawn(&world.pid, words[0], &actions, NULL, words, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	world.input = in[1];
	world.told = fdopen(out[0], "r");
	if (!read_told())
		fail_msg("the world outside did not come up");
	world.loop = trl_loop_new(NULL);
	world.out = trl_http_out_open(world.loop,
	    &(struct trl_http_out_options){ .any_address = true, .ca_file = world.ca });
	assert_non_null(world.out);
	return 0;
}

int
close_world(void **state)
{
	int status;

	(void)state;
	trl_http_out_close(&world.out);
	trl_loop_free(&world.loop);
	close(world.input);
	fclose(world.told);
	assert_int_equal(waitpid(world.pid, &status, 0), world.pid);
	return 0;
}
