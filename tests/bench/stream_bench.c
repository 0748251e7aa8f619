/* stream_bench - bodies over the bus: one stream up and one down, two processes over
 * loopback tcp with tags and over a unix socket, and up by a file's parts; beside what
 * the same bytes cost at the least in the same run: a copy, a tag, a bare socket.
 *
 *   stream_bench [MiB [rounds]]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <sodium.h>

#include <trl/log.h>
#include <trl/stream.h>

#include "sample.h"

enum { PORT = 17873, PIECE = 262144, PART = 1 << 20, ROUNDS_MAX = 16 };

static const char key[] =
    "1:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";

static uint64_t bytes = 1024ull << 20;
static unsigned rounds = 3;
static trl_bus *bus, *buses[2];
static trl_loop *loop;
static pid_t server, servers[2]; /* by tcp, by a unix socket */
static uint8_t piece_of[PIECE];

/* Of this process and the server's. */
static double
cpu_s(void)
{
	char path[64], text[1024];
	unsigned long user, sys;
	struct rusage r;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)server);
	FILE *f = server > 0 ? fopen(path, "r") : NULL;
	double s = 0;
	if (f != NULL && fgets(text, sizeof text, f) != NULL &&
	    sscanf(strrchr(text, ')') + 2,
		"%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		&sys) == 2)
		s = (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
	if (f != NULL)
		fclose(f);
	getrusage(RUSAGE_SELF, &r);
	return s + (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void
show(const char *what, double seconds, double cpu)
{
	printf("%-26s %7.0f MB/s  %5.2f CPU s/GiB\n", what,
	    (double)bytes / 1e6 / seconds, cpu * (double)(1 << 30) / (double)bytes);
	fflush(stdout);
}

static void
copy(void)
{
	static uint8_t to[PIECE];
	for (uint64_t at = 0; at < bytes; at += PIECE) {
		memcpy(to, piece_of, PIECE);
		__asm__ volatile("" : : "r"(to) : "memory");
	}
}

static void
tag(void)
{
	uint8_t out[16], with[32] = { 1 };
	for (uint64_t at = 0; at < bytes; at += PIECE)
		crypto_generichash(out, sizeof out, piece_of, PIECE, with, sizeof with);
}

static void
tag_long(void)
{
	uint8_t out[16], with[32] = { 1 };
	for (uint64_t at = 0; at < bytes; at += PIECE)
		crypto_onetimeauth(out, piece_of, PIECE, with);
}

static void
bare_socket(void)
{
	static uint8_t to[PIECE];
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		abort();
	if ((server = fork()) == 0) {
		for (uint64_t at = 0; at < bytes; at += PIECE)
			for (size_t n = 0; n < PIECE;) {
				ssize_t more = write(fds[0], piece_of + n, PIECE - n);
				if (more <= 0)
					_exit(1);
				n += (size_t)more;
			}
		pause();
	}
	for (uint64_t at = 0; at < bytes;) {
		ssize_t n = read(fds[1], to, sizeof to);
		if (n <= 0)
			abort();
		at += (uint64_t)n;
	}
	close(fds[0]);
	close(fds[1]);
}

static void
up(trl_ctx *ctx)
{
	sample_note in = TRELLIS__BUS__INFO_REPLY__INIT;
	ProtobufCMessage *reply;
	trl_stream *s;
	trl_assert(trl_stream_open(ctx, bus, sample_methods[SAMPLE_TAKE], &in.base,
		       NULL, &s) == TRL_OK);
	for (uint64_t at = 0; at < bytes; at += PIECE)
		trl_assert(trl_stream_write(ctx, s, piece_of, PIECE) == TRL_OK);
	trl_assert(trl_stream_end(ctx, s) == TRL_OK);
	trl_assert(trl_stream_reply(ctx, s, &reply) == TRL_OK);
	trl_assert(((sample_note *)(void *)reply)->up_ms == bytes);
	trl_stream_close(&s);
}

static void
up_by_file(trl_ctx *ctx)
{
	sample_note in = TRELLIS__BUS__INFO_REPLY__INIT;
	ProtobufCMessage *reply;
	trl_stream *s;
	FILE *file = tmpfile();
	trl_assert(file != NULL && ftruncate(fileno(file), (off_t)bytes) == 0);
	trl_assert(trl_stream_open(ctx, bus, sample_methods[SAMPLE_TAKE], &in.base,
		       NULL, &s) == TRL_OK);
	for (uint64_t at = 0; at < bytes; at += PART)
		trl_assert(
		    trl_stream_write_file(ctx, s, fileno(file), at, PART) == TRL_OK);
	trl_assert(trl_stream_end(ctx, s) == TRL_OK);
	trl_assert(trl_stream_reply(ctx, s, &reply) == TRL_OK);
	trl_assert(((sample_note *)(void *)reply)->up_ms == bytes);
	trl_stream_close(&s);
	fclose(file);
}

static void
down(trl_ctx *ctx)
{
	sample_note in = TRELLIS__BUS__INFO_REPLY__INIT;
	ProtobufCMessage *reply;
	struct trl_piece piece;
	uint64_t got = 0;
	trl_stream *s;
	in.service = (char *)(uintptr_t) "same";
	in.has_up_ms = true;
	in.up_ms = bytes;
	trl_assert(trl_stream_open(ctx, bus, sample_methods[SAMPLE_GIVE], &in.base,
		       NULL, &s) == TRL_OK);
	trl_assert(trl_stream_reply(ctx, s, &reply) == TRL_OK);
	while (trl_stream_read(ctx, s, &piece) == TRL_OK && piece.len > 0)
		got += piece.len;
	trl_assert(got == bytes);
	trl_stream_close(&s);
}

static void
serve(const char *address, const char *run_dir)
{
	static struct sample state;
	trl_loop *l = trl_loop_new(NULL);
	trl_bus_net *net =
	    trl_bus_net_open(l, &(struct trl_bus_net_options){ .run_dir = run_dir });
	struct trl_bus_options options = { .service = "sample", .listen = address };
	trl_bus *b = trl_bus_open(net, &options);
	trl_assert(trl_bus_key(b, "edge", key));
	trl_assert(trl_bus_serve(b, sample_contracts, &state) == TRL_OK);
	trl_loop_run(l);
}

/* Before nng is here. */
static pid_t
fork_server(unsigned port, const char *run_dir)
{
	char address[64];
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(address, sizeof address, "tcp://127.0.0.1:%u", port);
	serve(address, run_dir);
	_exit(0);
}

static void
run(trl_ctx *ctx, void *arg)
{
	static const struct way {
		const char *name;
		void (*go)(trl_ctx *ctx);
		unsigned by;
	} ways[] = {
		{ "bus up, tcp with tags", up, 0 },
		{ "bus down, tcp with tags", down, 0 },
		{ "bus up, unix", up, 1 },
		{ "bus down, unix", down, 1 },
		{ "bus up, a file, unix", up_by_file, 1 },
	};
	(void)arg;
	for (unsigned i = 0; i < rounds * TRL_COUNT(ways); i++) {
		const struct way *way = &ways[i / rounds];
		bus = buses[way->by];
		server = servers[way->by];
		double cpu = cpu_s();
		uint64_t since = trl_mono_us();
		way->go(ctx);
		double seconds = (double)(trl_mono_us() - since) / 1e6;
		show(way->name, seconds, cpu_s() - cpu);
	}
	trl_loop_stop(loop);
}

static void
measure(const char *what, void (*fn)(void))
{
	server = 0;
	double cpu = cpu_s();
	uint64_t since = trl_mono_us();
	fn();
	double seconds = (double)(trl_mono_us() - since) / 1e6;
	show(what, seconds, cpu_s() - cpu);
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
}

static bool
are_up(void *self)
{
	(void)self;
	return trl_bus_peers_up(buses[0], "sample") > 0 &&
	       trl_bus_peers_up(buses[1], "sample") > 0;
}

static trl_bus *
open_bus(trl_bus_net *net, unsigned port)
{
	char address[64];
	const char *why;
	struct trl_bus_options options = { .service = "edge" };
	trl_bus *b = trl_bus_open(net, &options);
	snprintf(address, sizeof address, "tcp://127.0.0.1:%u", port);
	trl_assert(trl_bus_key(b, "sample", key));
	trl_assert(trl_bus_peer(b, "sample", address, &why));
	return b;
}

int
main(int argc, char **argv)
{
	char folder[] = "/tmp/stream_bench.XXXXXX", command[64];
	if (argc > 1)
		bytes = strtoull(argv[1], NULL, 10) << 20;
	if (argc > 2)
		rounds = (unsigned)strtoul(argv[2], NULL, 10);
	if (bytes == 0 || rounds == 0 || rounds > ROUNDS_MAX || sodium_init() < 0)
		return fprintf(stderr, "stream_bench [MiB [rounds]]\n"), 2;
	memset(piece_of, 7, sizeof piece_of);
	trl_log_init("bench", TRL_LOG_ERROR);
	measure("a copy", copy);
	measure("a tag (keyed BLAKE2b)", tag);
	measure("a tag (Poly1305)", tag_long);
	measure("a bare unix socket", bare_socket);
	trl_assert(mkdtemp(folder) != NULL);
	servers[0] = fork_server(PORT, NULL);
	servers[1] = fork_server(PORT + 1, folder);
	loop = trl_loop_new(NULL);
	trl_bus_net *net = trl_bus_net_open(loop, NULL);
	buses[0] = open_bus(net, PORT);
	buses[1] = open_bus(net, PORT + 1);
	trl_assert(trl_loop_run_until(loop, are_up, NULL, 10000));
	struct trl_spawn spec = { .name = "bench", .run = run, .timeout_ms = 600000 };
	trl_assert(trl_spawn(loop, &spec) == TRL_OK);
	trl_loop_run(loop);
	kill(servers[0], SIGTERM);
	kill(servers[1], SIGTERM);
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command) != 0;
}
