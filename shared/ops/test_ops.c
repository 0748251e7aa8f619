/* The operator's endpoint, asked over a socket. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <cmocka.h>

#include <trl/ops.h>

struct world {
	trl_loop *loop;
	trl_ops *ops;
	const char *why;
	int fd;
	char got[65536];
	size_t len;
};

static const char *
check(void *self)
{
	return ((struct world *)self)->why;
}

static bool
ended(void *self)
{
	struct world *world = self;
	ssize_t n = recv(
	    world->fd, world->got + world->len, sizeof world->got - 1 - world->len, 0);

	if (n > 0)
		world->len += (size_t)n;
	world->got[world->len] = '\0';
	return n == 0;
}

static const char *
ask(struct world *world, const char *method, const char *path, const char *accept)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)trl_ops_port(world->ops)) };
	char text[256];
	int n;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	world->len = 0;
	world->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(world->fd, (struct sockaddr *)&to, sizeof to), 0);
	(void)fcntl(world->fd, F_SETFL, O_NONBLOCK);
	n = snprintf(text, sizeof text,
	    "%s %s HTTP/1.1\r\nHost: a\r\nAccept: %s\r\nConnection: close\r\n\r\n",
	    method, path, accept);
	assert_int_equal(send(world->fd, text, (size_t)n, 0), n);
	assert_true(trl_loop_run_until(world->loop, ended, world, 10000));
	close(world->fd);
	return world->got;
}

static void
each_page_answers(void **state)
{
	static struct world world;

	(void)state;
	world.loop = trl_loop_new(NULL);
	assert_int_equal(trl_ops_open(world.loop, "127.0.0.1:0", &world.ops), TRL_OK);
	trl_ops_check(world.ops, "db", check, &world);
	assert_non_null(strstr(ask(&world, "GET", "/livez", "*/*"), " 200 "));
	assert_non_null(strstr(ask(&world, "GET", "/readyz", "*/*"), " 200 "));
	world.why = "is asleep";
	assert_non_null(strstr(ask(&world, "GET", "/readyz", "*/*"), " 503 "));
	assert_non_null(strstr(world.got, "db: is asleep"));
	assert_string_equal(trl_ops_unready(world.ops), "db: is asleep");
	assert_non_null(strstr(ask(&world, "GET", "/livez", "*/*"), " 200 "));
	assert_non_null(strstr(ask(&world, "GET", "/metrics", "*/*"), "version=0.0.4"));
	assert_null(strstr(world.got, "# EOF"));
	ask(&world, "GET", "/metrics", "application/openmetrics-text; version=1.0.0");
	assert_non_null(strstr(world.got, "openmetrics-text; version=1.0.0"));
	assert_non_null(strstr(world.got, "# EOF\n"));
	assert_non_null(strstr(ask(&world, "GET", "/stats", "*/*"), "\"rss_bytes\":"));
	assert_non_null(strstr(ask(&world, "GET", "/other", "*/*"), " 404 "));
	assert_non_null(strstr(ask(&world, "POST", "/livez", "*/*"), " 405 "));
	trl_ops_close(&world.ops);
	trl_loop_free(&world.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_page_answers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
