/* Connections that never greet, and one that never goes: strangers are plain sockets
 * that speak just enough of the transport. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>

#include "peer.h"
#include "test_proxy.h"
#include "test_rig.h"

enum { STRANGERS = 200 };

static struct rig rig;
static const char *const hello = "\0SP\0\0\x30\0\0"; /* of a REQ socket */

static void
call(trl_ctx *ctx, void *arg)
{
	sample_note *out;
	(void)arg;
	MUST(sample_call(ctx, rig.bus, sample_methods[SAMPLE_ECHO], "x", 1, &out) ==
	     TRL_OK);
}

static void
open_rig(void)
{
	rig_open(&rig, "edge", rig_tcp(), rig_shared());
	rig_await_peers(&rig, 1);
}

static int
stranger(size_t n_bytes)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(strrchr(rig_address, ':') + 1)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	MUST(fd >= 0 && inet_pton(AF_INET, "127.0.0.1", &at.sin_addr) == 1 &&
	     connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
	MUST(send(fd, hello, n_bytes, MSG_NOSIGNAL) == (ssize_t)n_bytes);
	return fd;
}

/* What the process at the other end has done to it. */
static bool
is_open(int fd)
{
	char byte[16];
	ssize_t n;
	while ((n = recv(fd, byte, sizeof byte, MSG_DONTWAIT)) > 0)
		;
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

struct strangers {
	int fds[STRANGERS];
	size_t n, may_stay;
};

static bool
have_gone(void *self)
{
	const struct strangers *s = self;
	size_t stay = 0;
	for (size_t i = 0; i < s->n; i++)
		stay += is_open(s->fds[i]);
	return stay <= s->may_stay;
}

TEST(who_does_not_greet_is_ended)
{
	struct strangers s = { .n = 60 };
	open_rig();
	/* Not a byte, half a greeting of the transport's, and a whole one. */
	for (size_t i = 0; i < s.n; i++)
		s.fds[i] = stranger(i % 3 * 4);
	MUST(trl_loop_run_until(rig.loop, have_gone, &s, 10000));
	MUST(rig_metric("trellis_bus_guests_ended_total{reason=\"late\"}") == s.n);
	MUST(rig_metric("trellis_bus_guests") == 0);
	rig_run(&rig, call, NULL);
	MUST(trl_bus_peers_up(rig.bus, "sample") == 1);
}

TEST(there_is_room_for_few_that_have_not_greeted_and_for_who_comes_last)
{
	struct strangers s = { .n = STRANGERS, .may_stay = 64 };
	struct bus_peer *peer;
	open_rig();
	for (size_t i = 0; i < s.n; i++)
		s.fds[i] = stranger(8);
	peer = bus_target_find(rig.bus, "sample")->peers;
	bus_peer_eject(peer, "test");
	rig_await_peers(&rig, 1);
	rig_run(&rig, call, NULL);
	MUST(trl_loop_run_until(rig.loop, have_gone, &s, 10000));
	MUST(rig_metric("trellis_bus_guests_ended_total{reason=\"many\"}") >= 136);
}

static bool
was_refused(void *self)
{
	return rig_metric("trellis_bus_refused_total{reason=\"malformed\"}") >=
	       *(double *)self;
}

static bool
never(void *self)
{
	(void)self;
	return false;
}

TEST(of_a_stranger_only_the_first_word_is_heard_and_it_is_not_answered)
{
	static const char garbage[] = "\0\0\0\0\0\0\0\x08\x80\0\0\1\x63\0\0\0";
	double one = 1;
	open_rig();
	int fd = stranger(8);
	for (unsigned i = 0; i < 50; i++)
		MUST(send(fd, garbage, 16, MSG_NOSIGNAL) == 16);
	MUST(trl_loop_run_until(rig.loop, was_refused, &one, 10000));
	rig_run(&rig, call, NULL);
	struct strangers s = { .fds = { fd }, .n = 1 };
	MUST(trl_loop_run_until(rig.loop, have_gone, &s, 10000));
	MUST(rig_metric("trellis_bus_refused_total{reason=\"malformed\"}") == 1);
}

static void
stand_still(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	(void)pipe, (void)event, (void)arg;
	for (;;)
		pause();
}

/* From here on nng ends no connection: the thread that would is in our callback. */
static void
wedge(void)
{
	nng_socket a, b;
	nng_msg *msg;
	MUST(nng_pair0_open(&a) == 0 && nng_pair0_open(&b) == 0);
	MUST(nng_pipe_notify(a, NNG_PIPE_EV_REM_POST, stand_still, NULL) == 0);
	MUST(nng_listen(a, "inproc://wedge", NULL, 0) == 0 &&
	     nng_dial(b, "inproc://wedge", NULL, 0) == 0);
	MUST(nng_msg_alloc(&msg, 1) == 0 && nng_sendmsg(b, msg, 0) == 0 &&
	     nng_recvmsg(a, &msg, 0) == 0);
	nng_pipe_close(nng_msg_get_pipe(msg));
	nng_msg_free(msg);
}

static void
run_wedged(void)
{
	open_rig();
	wedge();
	bus_peer_eject(bus_target_find(rig.bus, "sample")->peers, "test");
	trl_loop_run_until(rig.loop, never, NULL, 30000);
	_exit(99);
}

TEST(a_process_whose_closed_connections_stay_ends_itself_with_a_sentence)
{
	char said[4096] = "";
	size_t n = 0;
	int out[2], status;
	MUST(pipe(out) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], STDERR_FILENO);
		close(out[0]);
		close(out[1]);
		run_wedged();
	}
	close(out[1]);
	for (ssize_t got; n < sizeof said - 1 &&
			  (got = read(out[0], said + n, sizeof said - 1 - n)) > 0;)
		n += (size_t)got;
	MUST(waitpid(pid, &status, 0) == pid);
	MUST(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	MUST(strstr(said, "has not let go of a closed connection") != NULL);
	MUST(strstr(said, nng_version()) != NULL);
}

static void
call_slowly(trl_ctx *ctx, void *arg)
{
	sample_note *out;

	(void)arg;
	MUST(sample_call(ctx, rig.bus, sample_methods[SAMPLE_SLOW], "x", 300, &out) !=
	     TRL_OK);
}

static bool
has_started(void *self)
{
	return ((struct sample *)self)->started > 0;
}

TEST(a_caller_that_is_gone_without_a_word_holds_up_no_end)
{
	struct sample *state = rig_shared();
	char address[80];
	pid_t pid = rig_serve(rig_tcp(), state, 0);
	struct proxy *proxy =
	    proxy_open((unsigned)atoi(strrchr(rig_address, ':') + 1), 0);

	snprintf(address, sizeof address, "tcp://127.0.0.1:%u", proxy_port(proxy));
	rig_open(&rig, "edge", address, NULL);
	rig_await_peers(&rig, 1);
	rig_start(&rig, call_slowly, NULL);
	MUST(trl_loop_run_until(rig.loop, has_started, state, 10000));
	proxy_hush(proxy, 0);
	kill(pid, SIGTERM);
	MUST(trl_loop_run_until(rig.loop, rig_has_ended, &pid, 20000));
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_does_not_greet_is_ended),
		cmocka_unit_test(
		    there_is_room_for_few_that_have_not_greeted_and_for_who_comes_last),
		cmocka_unit_test(
		    of_a_stranger_only_the_first_word_is_heard_and_it_is_not_answered),
		cmocka_unit_test(
		    a_process_whose_closed_connections_stay_ends_itself_with_a_sentence),
		cmocka_unit_test(a_caller_that_is_gone_without_a_word_holds_up_no_end),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
