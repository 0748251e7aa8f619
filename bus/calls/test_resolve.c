/* A name whose addresses come and go, as pods do: the resolver is a fake by linking. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <netdb.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "net.h"
#include "notice.h"
#include "test_rig.h"

static struct rig rig;

/* The resolver: read by a thread of libuv's. */

static const char *volatile answers[4];
static volatile bool fails;

static struct addrinfo *
answer(const char *address, const char *port, struct addrinfo *next)
{
	struct made {
		struct addrinfo info;
		struct sockaddr_in at;
	} *made = calloc(1, sizeof *made);
	MUST(made != NULL);
	made->at.sin_family = AF_INET;
	made->at.sin_port = htons((uint16_t)atoi(port));
	MUST(inet_pton(AF_INET, address, &made->at.sin_addr) == 1);
	made->info = (struct addrinfo){ .ai_family = AF_INET,
		.ai_socktype = SOCK_STREAM,
		.ai_addrlen = sizeof made->at,
		.ai_addr = (struct sockaddr *)&made->at,
		.ai_next = next };
	return &made->info;
}

int
getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
    struct addrinfo **out)
{
	struct in_addr number;
	(void)hints;
	*out = NULL;
	if (inet_pton(AF_INET, name, &number) == 1) { /* nng asks of numbers, too */
		*out = answer(name, port, NULL);
		return 0;
	}
	if (fails || strcmp(name, "pods.test") != 0)
		return EAI_AGAIN;
	for (size_t i = 0; i < TRL_COUNT(answers) && answers[i] != NULL; i++)
		*out = answer(answers[i], port, *out);
	return 0;
}

void
freeaddrinfo(struct addrinfo *list)
{
	while (list != NULL) {
		struct addrinfo *next = list->ai_next;
		free(list);
		list = next;
	}
}

static void
call(trl_ctx *ctx, void *arg)
{
	sample_note *out;
	(void)arg;
	MUST(sample_call(ctx, rig.bus, sample_methods[SAMPLE_ECHO], "x", 1, &out) ==
	     TRL_OK);
}

static unsigned
sources(void)
{
	unsigned n = 0;
	for (struct bus_notice_source *s = rig.net->sources; s != NULL; s = s->next)
		n++;
	return n;
}

struct wanted {
	unsigned up, down, sources;
};

static bool
is_so(void *self)
{
	static const char of[] =
	    "trellis_bus_peers{caller=\"edge\",service=\"sample\",";
	const struct wanted *wanted = self;
	char up[96], down[96];
	snprintf(up, sizeof up, "%sstate=\"up\"}", of);
	snprintf(down, sizeof down, "%sstate=\"down\"}", of);
	return rig_metric(up) == wanted->up && rig_metric(down) == wanted->down &&
	       sources() == wanted->sources;
}

static void
must_become(unsigned up, unsigned down, unsigned n_sources)
{
	struct wanted wanted = { up, down, n_sources };
	MUST(trl_loop_run_until(rig.loop, is_so, &wanted, 15000));
	for (unsigned i = 0; i < 20; i++)
		rig_run(&rig, call, NULL);
}

static void
pods_body(void)
{
	struct sample *a = rig_shared(), *b = rig_shared();
	char address[64];
	unsigned port = rig_port();
	snprintf(address, sizeof address, "tcp://127.0.0.1:%u", port);
	rig_serve(address, a, 0);
	snprintf(address, sizeof address, "tcp://127.0.0.2:%u", port);
	rig_serve(address, b, 0);
	answers[0] = "127.0.0.1";
	snprintf(address, sizeof address, "dns+tcp://pods.test:%u", port);
	rig_open(&rig, "edge", address, NULL);
	must_become(1, 0, 1);
	MUST(a->runs == 20 && b->runs == 0);

	answers[1] = "127.0.0.2";
	must_become(2, 0, 2);
	MUST(b->runs > 0);

	fails = true; /* that the name cannot be asked for changes nothing */
	answers[0] = "127.0.0.2";
	answers[1] = NULL;
	must_become(2, 0, 2);
	fails = false;
	unsigned before = a->runs;
	must_become(1, 0, 1);
	MUST(a->runs == before); /* it is there still, and no address of the name's */
}

static void
peers_are_the_addresses_that_a_name_has(void **state)
{
	(void)state;
	rig_test(pods_body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peers_are_the_addresses_that_a_name_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
