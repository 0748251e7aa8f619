/* test_collector.h - a collector for the tests, on the loop of what is tested: it
 * answers as it is told, and keeps what it was sent last. */
#pragma once

#include <trl/http.h>

struct collector {
	trl_loop *loop;
	trl_http_server *server;
	unsigned port; /* stays its own while it is closed */
	uint16_t status;
	const char *retry_after; /* or NULL */
	const char *limits;      /* X-Sentry-Rate-Limits, or NULL */
	const void *body;        /* of its answers */
	size_t body_len;
	unsigned asked;                                /* requests that came */
	char type[80], x_one[80], auth[160], path[80]; /* of the last */
	uint8_t got[1 << 16];
	size_t got_len;
};

void collector_open(struct collector *collector, trl_loop *loop);
/* Dies; collector_open brings it back at its port. */
void collector_close(struct collector *collector);
/* A URL of it; one lives at a time. */
const char *collector_url(const struct collector *collector, const char *path);
/* Whether it was asked as often as until. */
struct asked {
	const struct collector *collector;
	unsigned until;
};
bool collector_was_asked(void *asked);
bool nobody_runs(void *loop);
/* The value of a counter with these label values, joined by commas; -1: there is none.
 */
double counted(const char *name, const char *labels);
