/* test_scrape.c - a scrape of 5,000 lines holds nobody up: not a hundred at once, and
 * not one that reads as slowly as it likes. The scrapers are a thread of their own. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <poll.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <trl/metrics.h>
#include <trl/ops.h>

#include "scrape.h"

enum { SCRAPERS = 100, TEXT_MAX = 1 << 20, TURN_MS = 10 };

static void
wants(const char *accept, bool open_metrics)
{
	const struct trl_http_header header = { "accept", accept, strlen(accept) };
	const struct trl_http_request request = { .n_headers = 1, .headers = &header };

	if (ops_wants_open_metrics(&request) != open_metrics)
		fail_msg("Accept: %s", accept);
}

static void
openmetrics_is_for_those_that_weigh_it_no_less(void **state)
{
	const struct trl_http_request none = { 0 };

	(void)state;
	assert_false(ops_wants_open_metrics(&none));
	/* As Prometheus 2.42 and 3.1 ask. */
	wants("application/openmetrics-text;version=1.0.0,"
	      "application/openmetrics-text;version=0.0.1;q=0.75,"
	      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	    true);
	wants("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
	      "application/openmetrics-text;version=0.0.1;q=0.4,"
	      "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
	      "text/plain;version=0.0.4;q=0.2,/;q=0.1",
	    true);
	wants("application/openmetrics-text", true);
	wants("Application/OpenMetrics-Text ; Version=\"1.0.0\" ; q=1", true);
	wants("application/openmetrics-text; version=0.0.1", false);
	wants("application/openmetrics-text; version=2.0.0", false);
	wants("application/openmetrics-text;q=0.5, text/plain;q=0.5", true);
	wants("application/openmetrics-text;q=0.499, text/plain;q=0.5", false);
	wants("application/openmetrics-text;q=0.2, text/*;q=0.1, */*;q=0.9", true);
	wants(
	    "application/openmetrics-text;q=0.2, text/*;q=0.3, text/plain;q=0.1", true);
	wants("application/openmetrics-text;q=0.000", false);
	wants("text/plain", false);
	wants("*/*", false);
	wants("application/*", false);
}

static void
odd_weights_mean_text_0_0_4(void **state)
{
	(void)state;
	wants("application/openmetrics-text;q=2", false);
	wants("application/openmetrics-text;q=1.1", false);
	wants("application/openmetrics-text;q=-1", false);
	wants("application/openmetrics-text;q=0.1234", false);
	wants("application/openmetrics-text;q=", false);
	wants("application/openmetrics-text;q=NaN", false);
	wants("application/openmetrics-text;q=1e0", false);
	wants("application/openmetrics-text, text/plain;q=x", false);
	wants("application/openmetrics-text;a=\"q=0, text/plain", false);
	wants("application/openmetrics-text;a=\"q=0, text/plain\"", true);
	wants(",,;q=1,, ;;", false);
	wants("\"", false);
	wants("application/openmetrics-text;a=\"\\", false);
}

/* The server's side: turns, by the time that they took of the processor, since others
 * want it as well. */
struct world {
	trl_loop *loop;
	trl_ops *ops;
	uint64_t cpu_us, longest_us;
	bool done;
	/* The scrapers' side. */
	struct scraper {
		int fd;
		size_t len;
		char *text;
		bool ended;
	} scrapers[SCRAPERS];
	unsigned whole;
};

static uint64_t
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void
turn_ended(void *self)
{
	struct world *world = self;
	const uint64_t now = cpu_us(), took = now - world->cpu_us;

	if (world->cpu_us != 0 && took > world->longest_us)
		world->longest_us = took;
	world->cpu_us = now;
}

static int
dial(struct world *world, int receive_bytes, const char *path)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)trl_ops_port(world->ops)) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	char text[200];
	int n;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (receive_bytes > 0)
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
	n = snprintf(text, sizeof text,
	    "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
	    write(fd, text, (size_t)n) != n)
		abort();
	return fd;
}

static void
read_some(struct scraper *scraper)
{
	const ssize_t n = recv(scraper->fd, scraper->text + scraper->len,
	    TEXT_MAX - 1 - scraper->len, MSG_DONTWAIT);

	if (n > 0)
		scraper->len += (size_t)n;
	scraper->ended = n == 0;
	scraper->text[scraper->len] = '\0';
}

static void
read_all(struct world *world)
{
	struct pollfd fds[SCRAPERS];

	for (unsigned left = SCRAPERS; left > 0;) {
		unsigned n = 0;

		for (unsigned i = 0; i < SCRAPERS; i++)
			if (!world->scrapers[i].ended)
				fds[n++] = (struct pollfd){ .fd = world->scrapers[i].fd,
					.events = POLLIN };
		left = n;
		if (n > 0 && poll(fds, n, 5000) <= 0)
			return;
		for (unsigned i = 0; i < SCRAPERS; i++)
			if (!world->scrapers[i].ended)
				read_some(&world->scrapers[i]);
	}
}

static void
finish(void *self)
{
	((struct world *)self)->done = true;
}

static void *
scrape(void *self)
{
	struct world *world = self;
	const int slow = dial(world, 1024, "/metrics");
	struct scraper livez = { .text = malloc(TEXT_MAX) };
	char byte;

	if (read(slow, &byte, 1) != 1)
		abort();
	for (unsigned i = 0; i < SCRAPERS; i++) {
		world->scrapers[i].text = malloc(TEXT_MAX);
		world->scrapers[i].fd = dial(world, 0, "/metrics");
	}
	if (read(slow, &byte, 1) != 1)
		abort();
	read_all(world);
	for (unsigned i = 0; i < SCRAPERS; i++) {
		const struct scraper *s = &world->scrapers[i];

		world->whole +=
		    s->ended && s->len > 50000 &&
		    strstr(s->text, "\r\nTransfer-Encoding: chunked\r\n") != NULL &&
		    strcmp(s->text + s->len - 7, "\r\n0\r\n\r\n") == 0 &&
		    strstr(s->text, "many_total{label=\"2500\"} 0\n") != NULL;
		close(s->fd);
		free(s->text);
	}
	/* The slow one is still at it, and others are answered. */
	livez.fd = dial(world, 0, "/livez");
	while (!livez.ended)
		read_some(&livez);
	world->whole += strstr(livez.text, " 200 ") != NULL;
	world->whole += read(slow, &byte, 1) == 1;
	free(livez.text);
	close(livez.fd);
	close(slow);
	trl_loop_post(world->loop, finish, world);
	return NULL;
}

static bool
is_done(void *self)
{
	return ((struct world *)self)->done;
}

static void
a_hundred_scrapers_and_a_slow_one_hold_no_turn_for_10_ms(void **state)
{
	trl_metric *m = trl_counter_new("many_total", "Many", "label", NULL);
	static struct world world;
	pthread_t thread;
	char label[16];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(label, sizeof label, "%d", i);
		trl_series_at(m, label);
	}
	world.loop = trl_loop_new(NULL);
	trl_loop_on_flush(world.loop, turn_ended, &world);
	assert_int_equal(trl_ops_open(world.loop, "127.0.0.1:0", &world.ops), TRL_OK);
	assert_int_equal(pthread_create(&thread, NULL, scrape, &world), 0);
	assert_true(trl_loop_run_until(world.loop, is_done, &world, 30000));
	pthread_join(thread, NULL);
	assert_int_equal(world.whole, SCRAPERS + 2);
	print_message("longest turn: %.2f ms\n", (double)world.longest_us / 1e3);
	assert_in_range(world.longest_us, 1, TURN_MS * 1000);
	trl_ops_close(&world.ops);
	trl_loop_free(&world.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openmetrics_is_for_those_that_weigh_it_no_less),
		cmocka_unit_test(odd_weights_mean_text_0_0_4),
		cmocka_unit_test(
		    a_hundred_scrapers_and_a_slow_one_hold_no_turn_for_10_ms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
