/* bus_bench - calls over the bus beside NATS request/reply, in one run on one
 * machine: two processes over loopback tcp each, the same payload, the same
 * number of requests in flight, rounds by turns, medians.
 *
 *   bus_bench [--rounds N] [--seconds N] [--payload BYTES] [rounds [milliseconds]]
 *
 * NATS: nats-server from the distribution, its C client on both sides, told to send
 * at once; by default it gathers for a millisecond (BUS_BENCH_NATS_GATHERS=1), which
 * makes its median at one in flight ten times worse. In flight, its client publishes
 * requests with one inbox subscription, the fastest form it has (a thread a request is
 * slower); one at a time it uses natsConnection_Request. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <getopt.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <nats/nats.h>

#include <trl/log.h>

#include "sample.h"

enum {
	PORT = 17871,
	NATS_PORT = 17872,
	LATENCIES = 2000000,
	FLIGHTS = 3,
	ROUNDS_MAX = 32
};

static const char key[] =
    "1:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
static const unsigned flights[FLIGHTS] = { 1, 16, 64 };

struct result {
	double per_second, p50_us, p99_us, cpu_us;
};

static char *payload;
static size_t payload_len = 256;
static uint32_t *latencies;
static size_t n_latencies;

static uint64_t
cpu_us(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static struct result
sum_up(uint64_t took_us, uint64_t cpu)
{
	struct result r = { .per_second = (double)n_latencies * 1e6 / (double)took_us };
	qsort(latencies, n_latencies, sizeof *latencies, by_value);
	if (n_latencies > 0) {
		r.p50_us = latencies[n_latencies / 2];
		r.p99_us = latencies[n_latencies * 99 / 100];
		r.cpu_us = (double)cpu / (double)n_latencies;
	}
	return r;
}

static void
note_latency(uint64_t since_us)
{
	if (n_latencies < LATENCIES)
		latencies[n_latencies++] = (uint32_t)(trl_mono_us() - since_us);
}

/* A child that ends with us. */
static pid_t
child(void (*run)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run();
		_exit(0);
	}
	return pid;
}

/* ---- our bus
 * -------------------------------------------------------------------------- */

static trl_loop *loop;
static trl_bus *bus;
static bool bus_stop;
static unsigned bus_alive;

static void
serve_bus(void)
{
	static struct sample sample;
	trl_log_init("sample", TRL_LOG_ERROR);
	trl_loop *l = trl_loop_new(NULL);
	char listen[64];
	snprintf(listen, sizeof listen, "tcp://127.0.0.1:%d", PORT);
	struct trl_bus_options options = { .service = "sample", .listen = listen };
	trl_bus *b = trl_bus_open(trl_bus_net_open(l, NULL), &options);
	if (!trl_bus_key(b, "edge", key) ||
	    trl_bus_serve(b, sample_contracts, &sample) != TRL_OK)
		_exit(1);
	trl_loop_run(l);
}

static void
call_on(trl_ctx *ctx, void *arg)
{
	(void)arg;
	while (!bus_stop) {
		sample_note *out;
		uint64_t since = trl_mono_us();
		trl_set_deadline(ctx, since + 5000000);
		if (sample_call(ctx, bus, sample_methods[SAMPLE_ECHO], payload, 0,
			&out) != TRL_OK) {
			fprintf(stderr, "bus: %s: %s\n", trl_code_name(ctx->err.code),
			    ctx->err.message);
			exit(1);
		}
		note_latency(since);
		trl_arena_reset(ctx->arena);
	}
	bus_alive--;
}

static bool
is_up(void *self)
{
	(void)self;
	return trl_bus_reachable(bus, "sample");
}

static bool
never(void *self)
{
	(void)self;
	return false;
}

static bool
is_over(void *self)
{
	(void)self;
	return bus_alive == 0;
}

static void
open_bus(void)
{
	const char *why;
	char address[64];
	trl_log_init("edge", TRL_LOG_ERROR);
	loop = trl_loop_new(NULL);
	struct trl_bus_options options = { .service = "edge" };
	bus = trl_bus_open(trl_bus_net_open(loop, NULL), &options);
	snprintf(address, sizeof address, "tcp://127.0.0.1:%d", PORT);
	if (!trl_bus_key(bus, "sample", key) ||
	    !trl_bus_peer(bus, "sample", address, &why) ||
	    !trl_loop_run_until(loop, is_up, NULL, 5000)) {
		fprintf(stderr, "bus: the server does not come up\n");
		exit(1);
	}
}

static struct result
round_bus(unsigned in_flight, uint32_t ms)
{
	bus_stop = false;
	n_latencies = 0;
	for (unsigned i = 0; i < in_flight; i++) {
		struct trl_spawn spec = {
			.name = "bench", .run = call_on, .timeout_ms = 60000
		};
		if (trl_spawn(loop, &spec) != TRL_OK)
			exit(1);
		bus_alive++;
	}
	uint64_t since = trl_mono_us(), cpu = cpu_us();
	trl_loop_run_until(loop, never, NULL, ms);
	struct result r = sum_up(trl_mono_us() - since, cpu_us() - cpu);
	bus_stop = true;
	trl_loop_run_until(loop, is_over, NULL, 5000);
	return r;
}

/* ---- NATS
 * ------------------------------------------------------------------------------ */

static natsConnection *nats;
static natsSubscription *nats_inbox;
static char nats_url[64];
static uint64_t nats_since[64];
static volatile bool nats_stop;
static volatile unsigned nats_alive;

static void
nats_must(natsStatus s, const char *what)
{
	if (s == NATS_OK)
		return;
	fprintf(stderr, "NATS: %s: %s\n", what, natsStatus_GetText(s));
	_exit(1);
}

static void
run_nats_server(void)
{
	char port[8];
	snprintf(port, sizeof port, "%d", NATS_PORT);
	if (freopen("/dev/null", "w", stderr) == NULL)
		_exit(1);
	execlp(
	    "nats-server", "nats-server", "-a", "127.0.0.1", "-p", port, (char *)NULL);
	_exit(127);
}

static void
nats_connect(natsConnection **out)
{
	natsStatus s = NATS_ERR;
	natsOptions *options;
	nats_must(natsOptions_Create(&options), "options");
	nats_must(natsOptions_SetURL(options, nats_url), "url");
	nats_must(
	    natsOptions_SetSendAsap(options, getenv("BUS_BENCH_NATS_GATHERS") == NULL),
	    "send asap");
	for (unsigned i = 0; i < 100 && s != NATS_OK; i++) {
		s = natsConnection_Connect(out, options);
		if (s != NATS_OK)
			usleep(50000);
	}
	nats_must(s, "connect");
}

static void
answer_nats(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
	(void)sub, (void)closure;
	natsConnection_Publish(nc, natsMsg_GetReply(msg), natsMsg_GetData(msg),
	    natsMsg_GetDataLength(msg));
	natsMsg_Destroy(msg);
}

static void
serve_nats(void)
{
	natsConnection *nc;
	natsSubscription *sub;
	nats_connect(&nc);
	nats_must(natsConnection_Subscribe(&sub, nc, "sample", answer_nats, NULL),
	    "subscribe");
	for (;;)
		pause();
}

static void
ask_nats(unsigned at)
{
	char reply[64];
	snprintf(reply, sizeof reply, "bench.inbox.%u", at);
	nats_since[at] = trl_mono_us();
	nats_must(natsConnection_PublishRequest(
		      nats, "sample", reply, payload, (int)payload_len),
	    "publish");
}

static void
hear_nats(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
	(void)nc, (void)sub, (void)closure;
	unsigned at = (unsigned)atoi(natsMsg_GetSubject(msg) + strlen("bench.inbox."));
	note_latency(nats_since[at]);
	natsMsg_Destroy(msg);
	if (nats_stop)
		__atomic_sub_fetch(&nats_alive, 1, __ATOMIC_SEQ_CST);
	else
		ask_nats(at);
}

static struct result
round_nats(unsigned in_flight, uint32_t ms)
{
	n_latencies = 0;
	uint64_t since = trl_mono_us(), cpu = cpu_us(), until = since + ms * 1000;
	if (in_flight == 1) {
		while (trl_mono_us() < until) {
			natsMsg *msg;
			uint64_t asked = trl_mono_us();
			nats_must(natsConnection_Request(&msg, nats, "sample", payload,
				      (int)payload_len, 5000),
			    "request");
			note_latency(asked);
			natsMsg_Destroy(msg);
		}
		return sum_up(trl_mono_us() - since, cpu_us() - cpu);
	}
	nats_stop = false;
	nats_alive = in_flight;
	for (unsigned i = 0; i < in_flight; i++)
		ask_nats(i);
	usleep(ms * 1000);
	nats_stop = true;
	while (__atomic_load_n(&nats_alive, __ATOMIC_SEQ_CST) > 0)
		usleep(1000);
	return sum_up(trl_mono_us() - since, cpu_us() - cpu);
}

/* ---- the run
 * ---------------------------------------------------------------------------- */

static int
by_rate(const void *a, const void *b)
{
	double x = ((const struct result *)a)->per_second;
	double y = ((const struct result *)b)->per_second;
	return x < y ? -1 : x > y;
}

static struct result
median(struct result *rounds, unsigned n)
{
	qsort(rounds, n, sizeof *rounds, by_rate);
	return rounds[n / 2];
}

static unsigned rounds = 5;
static uint32_t ms = 1000;

static bool
read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "payload", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'r')
			rounds = (unsigned)atoi(optarg);
		else if (c == 's')
			ms = (uint32_t)(atof(optarg) * 1000);
		else if (c == 'p')
			payload_len = (size_t)atoi(optarg);
		else
			return false;
	}
	if (optind < argc)
		rounds = (unsigned)atoi(argv[optind++]);
	if (optind < argc)
		ms = (uint32_t)atoi(argv[optind++]);
	return optind == argc && rounds > 0 && rounds <= ROUNDS_MAX && ms > 0 &&
	       payload_len <= 60000;
}

int
main(int argc, char **argv)
{
	static struct result ours[FLIGHTS][ROUNDS_MAX], theirs[FLIGHTS][ROUNDS_MAX];

	if (!read_options(argc, argv)) {
		fprintf(stderr, "usage: bus_bench [--rounds 1..32] [--seconds N] "
				"[--payload 0..60000]\n");
		return 2;
	}
	payload = malloc(payload_len + 1);
	latencies = malloc(LATENCIES * sizeof *latencies);
	if (payload == NULL || latencies == NULL)
		return 1;
	memset(payload, 'x', payload_len);
	payload[payload_len] = '\0';
	snprintf(nats_url, sizeof nats_url, "nats://127.0.0.1:%d", NATS_PORT);
	bool with_nats = getenv("BUS_BENCH_ALONE") == NULL;

	/* All children first: neither library outlives a fork. */
	child(serve_bus);
	if (with_nats) {
		child(run_nats_server);
		child(serve_nats);
		nats_connect(&nats);
		nats_must(natsConnection_Subscribe(
			      &nats_inbox, nats, "bench.inbox.*", hear_nats, NULL),
		    "subscribe");
	}
	open_bus();
	usleep(200000);
	for (unsigned r = 0; r < rounds; r++)
		for (unsigned f = 0; f < FLIGHTS; f++) {
			ours[f][r] = round_bus(flights[f], ms);
			if (with_nats)
				theirs[f][r] = round_nats(flights[f], ms);
		}

	printf("%u rounds of %u ms, payload %zu bytes, loopback tcp, medians\n", rounds,
	    ms, payload_len);
	printf("%9s  %10s %8s %8s %8s  %10s %8s %8s  %6s\n", "in flight", "bus/s",
	    "p50 us", "p99 us", "cpu us", "nats/s", "p50 us", "p99 us", "ratio");
	for (unsigned f = 0; f < FLIGHTS; f++) {
		struct result a = median(ours[f], rounds),
			      b = median(theirs[f], rounds);
		printf("%9u  %10.0f %8.0f %8.0f %8.1f  %10.0f %8.0f %8.0f  %6.2f\n",
		    flights[f], a.per_second, a.p50_us, a.p99_us, a.cpu_us,
		    b.per_second, b.p50_us, b.p99_us,
		    with_nats ? a.per_second / b.per_second : 0.0);
	}
	fflush(stdout);
	_exit(0);
}
