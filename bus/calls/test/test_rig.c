/* test_rig.c - see test_rig.h. Certificates are made by openssl, once a program. */
#include "test_rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <trl/log.h>
#include <trl/loop_uv.h>
#include <trl/metrics.h>

const char rig_key[] =
    "2:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
    "1:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";

static unsigned alive;

/* Of the certificates, in the process that all tests of a program are children of. */
static void
clean_up(void)
{
	char command[64];
	snprintf(command, sizeof command, "rm -rf /tmp/trl-test-bus-%d-[01]",
	    (int)getpgrp());
	if (system(command) != 0)
		fprintf(stderr, "not done: %s\n", command);
}

void
rig_test(void (*body)(void))
{
	static bool cleans_up;
	int status = -1;
	if (!cleans_up)
		cleans_up = atexit(clean_up) == 0;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		/* cmocka's own would go on with the next test, in this process. */
		static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS };
		for (size_t i = 0; i < TRL_COUNT(fatal); i++)
			signal(fatal[i], SIG_DFL);
		alarm(50);
		trl_log_init("test", TRL_LOG_WARN);
		body();
		fflush(NULL);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

struct sample *
rig_shared(void)
{
	void *p = mmap(NULL, sizeof(struct sample), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(p != MAP_FAILED);
	return p;
}

/* Below those that connections going out are given (from 32768): one of them could take
 * the port of a process that is down. The socket stays open, so that no other test is
 * given the port; since it does not listen, and allows it from here on, nng may bind
 * it.
 */
unsigned
rig_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	MUST(fd >= 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	do {
		at.sin_port = htons((uint16_t)(12000 + randombytes_uniform(20000)));
	} while (bind(fd, (struct sockaddr *)&at, sizeof at) != 0);
	MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) == 0);
	return ntohs(at.sin_port);
}

char rig_address[160];

const char *
rig_tcp(void)
{
	snprintf(rig_address, sizeof rig_address, "tcp://127.0.0.1:%u", rig_port());
	return rig_address;
}

static char *
slurp(const char *folder, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 65536);
	MUST(f != NULL && text != NULL && fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

static struct trl_bus_net_options
tls_options(enum rig_certificate which)
{
	static const char script[] =
	    "mkdir -p %s && cd %s && [ -f done ] || { openssl req -x509 -newkey ec "
	    "-pkeyopt "
	    "ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -subj /CN=ca "
	    "-days 2 && "
	    "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
	    "bus.key "
	    "-out bus.csr -subj /CN=127.0.0.1 && printf "
	    "'subjectAltName=DNS:127.0.0.1,DNS:localhost' > ext && openssl x509 -req "
	    "-in bus.csr "
	    "-CA ca.crt -CAkey ca.key -CAcreateserial -out bus.crt -days 2 -extfile "
	    "ext && "
	    "touch done; } >/dev/null 2>&1";
	char folders[2][64], command[1024];
	for (int i = 0; i < 2; i++) {
		snprintf(folders[i], sizeof folders[i], "/tmp/trl-test-bus-%d-%d",
		    (int)getpgrp(), i);
		snprintf(command, sizeof command, script, folders[i], folders[i]);
		MUST(system(command) == 0);
	}
	const char *ca = folders[which != RIG_OURS];
	const char *own = folders[which == RIG_STRANGERS];
	if (which == RIG_STRANGERS) /* else it would itself refuse the server */
		ca = folders[0];
	struct trl_bus_net_options o = {
		.tls_ca = slurp(ca, "ca.crt"),
		.tls_cert = slurp(own, "bus.crt"),
		.tls_key = slurp(own, "bus.key"),
	};
	o.tls_key_len = strlen(o.tls_key);
	return o;
}

static enum rig_certificate callers;

void
rig_certificate(enum rig_certificate which)
{
	callers = which;
}

const char *rig_run_dir;
uint32_t rig_idle_ms;

static trl_bus_net *
open_net(trl_loop *loop, const char *addresses, enum rig_certificate which)
{
	struct trl_bus_net_options o = { 0 };
	if (strstr(addresses, "tls+") != NULL)
		o = tls_options(which);
	o.run_dir = rig_run_dir;
	o.idle_ms = rig_idle_ms;
	return trl_bus_net_open(loop, &o);
}

static void
leave_when_drained(uv_timer_t *timer)
{
	if (trl_bus_drained(timer->data))
		_exit(0);
}

static void
on_term(uv_signal_t *signal, int number)
{
	(void)number;
	static uv_timer_t timer;
	trl_bus *bus = signal->data;
	trl_bus_drain(bus);
	uv_timer_init(signal->loop, &timer);
	timer.data = bus;
	uv_timer_start(&timer, leave_when_drained, 0, 5);
}

static void
on_beat(uv_timer_t *timer)
{
	struct trl_id id = trl_id_new();
	trl_bus_notify(timer->data, "sample.beat", id, id);
}

static void
serve(const char *address, struct sample *state, size_t max_actors)
{
	static uv_signal_t term;
	static uv_timer_t beat;
	struct trl_loop_options loop_options = { .max_actors = max_actors };
	trl_loop *loop = trl_loop_new(&loop_options);
	char notices[64];
	snprintf(notices, sizeof notices, "tcp://127.0.0.1:%u", rig_port());
	struct trl_bus_options options = {
		.service = "sample", .listen = address, .notice_listen = notices
	};
	trl_bus *bus = trl_bus_open(open_net(loop, address, RIG_OURS), &options);
	MUST(trl_bus_key(bus, "edge", rig_key) && trl_bus_key(bus, "tenants", rig_key));
	MUST(trl_bus_serve(bus, sample_contracts, state) == TRL_OK);
	state->bus = bus;
	uv_signal_init(trl_loop_uv(loop), &term);
	term.data = bus;
	uv_signal_start(&term, on_term, SIGTERM);
	uv_timer_init(trl_loop_uv(loop), &beat);
	beat.data = bus;
	uv_timer_start(&beat, on_beat, 20, 20);
	trl_loop_run(loop);
}

pid_t
rig_serve(const char *address, struct sample *state, size_t max_actors)
{
	if (strstr(address, "tls+") != NULL)
		tls_options(RIG_OURS); /* made before two processes might */
	pid_t pid = fork();
	MUST(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	trl_log_init("sample", TRL_LOG_WARN);
	serve(address, state, max_actors);
	_exit(0);
}

void
rig_open(
    struct rig *rig, const char *caller, const char *addresses, struct sample *server)
{
	struct trl_loop_options loop_options = { .max_actors = 30000 };
	const char *why;
	rig->loop = trl_loop_new(&loop_options);
	rig->net = open_net(rig->loop, addresses, callers);
	rig->here = NULL;
	if (server != NULL) {
		struct trl_bus_options options = { .service = "sample",
			.listen = addresses };
		rig->here = trl_bus_open(rig->net, &options);
		MUST(trl_bus_key(rig->here, caller, rig_key));
		MUST(trl_bus_serve(rig->here, sample_contracts, server) == TRL_OK);
		server->bus = rig->here;
	}
	struct trl_bus_options options = { .service = caller };
	rig->bus = trl_bus_open(rig->net, &options);
	MUST(trl_bus_key(rig->bus, "sample", rig_key));
	if (!trl_bus_peer(rig->bus, "sample", addresses, &why)) {
		fprintf(stderr, "%s: %s\n", addresses, why);
		_exit(1);
	}
}

static unsigned wanted_peers;

static bool
peers_are_up(void *self)
{
	return trl_bus_peers_up(((struct rig *)self)->bus, "sample") >= wanted_peers;
}

void
rig_await_peers(struct rig *rig, unsigned n)
{
	wanted_peers = n;
	MUST(trl_loop_run_until(rig->loop, peers_are_up, rig, 15000));
}

struct start {
	void (*fn)(trl_ctx *ctx, void *arg);
	void *arg;
};

static void
run_start(trl_ctx *ctx, void *arg)
{
	struct start start = *(struct start *)arg;
	free(arg);
	start.fn(ctx, start.arg);
	alive--;
}

void
rig_start(struct rig *rig, void (*fn)(trl_ctx *ctx, void *arg), void *arg)
{
	struct start *start = malloc(sizeof *start);
	MUST(start != NULL);
	*start = (struct start){ fn, arg };
	struct trl_spawn spec = {
		.name = "test", .run = run_start, .arg = start, .timeout_ms = 20000
	};
	MUST(trl_spawn(rig->loop, &spec) == TRL_OK);
	alive++;
}

static bool
none_alive(void *self)
{
	(void)self;
	return alive == 0;
}

void
rig_wait(struct rig *rig, uint32_t ms)
{
	MUST(trl_loop_run_until(rig->loop, none_alive, NULL, ms));
}

void
rig_run(struct rig *rig, void (*fn)(trl_ctx *ctx, void *arg), void *arg)
{
	rig_start(rig, fn, arg);
	rig_wait(rig, 20000);
}

double
rig_metric(const char *begin)
{
	struct trl_buf text = { 0 };
	double value = 0;
	trl_metrics_render(&text, false);
	trl_buf_add(&text, "", 1);
	char line[128];
	snprintf(line, sizeof line, "\n%s ", begin);
	const char *at = strstr((const char *)text.data, line);
	if (at != NULL)
		value = strtod(at + strlen(line), NULL);
	trl_buf_fini(&text);
	return value;
}

bool
rig_has_ended(void *self)
{
	pid_t *pid = self;

	if (*pid != 0 && waitpid(*pid, NULL, WNOHANG) == *pid)
		*pid = 0;
	return *pid == 0;
}
