/* bytes_bench.c - what bodies in pieces cost: one client sends or takes a gigabyte, and
 * the CPU of whoever serves it is printed, beside a bare loop of recv and, where it is
 * installed, nginx with sendfile. The client throws away what it gets without a copy,
 * so that it leaves the processors to the server.
 *
 *   bytes_bench [rounds] [MiB] */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <trl/http_body.h>

enum { PIECE = 262144, PORT_NGINX = 18089 };

static struct {
	trl_loop *loop;
	uint64_t bytes;
	unsigned pieces;
	int fd;
	bool over;
	pid_t client;
} bench;

static double
cpu_s(const struct rusage *use)
{
	return (double)(use->ru_utime.tv_sec + use->ru_stime.tv_sec) +
	       (double)(use->ru_utime.tv_usec + use->ru_stime.tv_usec) / 1e6;
}

static void
print(const char *name, double cpu, double wall)
{
	const double gib = (double)bench.bytes / (1 << 30);

	printf("  %-28s %6.3f CPU s/GiB %8.0f MB/s", name, cpu / gib,
	    (double)bench.bytes / 1e6 / wall);
	if (bench.pieces)
		printf("  %u pieces", bench.pieces);
	printf("\n");
	bench.pieces = 0;
}

static int
dial(unsigned port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	int fd = -1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int tries = 0; tries < 500; tries++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (!connect(fd, (struct sockaddr *)&to, sizeof to))
			return fd;
		close(fd);
		usleep(10000);
	}
	fprintf(stderr, "bytes_bench: nobody listens on %u\n", port);
	exit(1);
}

static void
say(int fd, const char *method, const char *path, uint64_t len)
{
	char head[200];
	int n = snprintf(head, sizeof head,
	    "%s %s HTTP/1.1\r\nHost: a\r\nContent-Length: %llu\r\n"
	    "Connection: close\r\n\r\n",
	    method, path, (unsigned long long)len);

	trl_assert(write(fd, head, (size_t)n) == n);
}

/* A client, in a process of its own. */
static void
client(unsigned port, const char *path)
{
	static uint8_t block[1 << 20];
	const bool up = strcmp(path, "/up") == 0;
	int fd = dial(port);
	ssize_t n;

	say(fd, up ? "PUT" : "GET", path, up ? bench.bytes : 0);
	for (uint64_t left = up ? bench.bytes : 0; left; left -= (uint64_t)n) {
		n = write(fd, block, left < sizeof block ? left : sizeof block);
		trl_assert(n > 0);
	}
	while (recv(fd, NULL, 1 << 20, MSG_TRUNC) > 0)
		;
	_exit(0);
}

static bool
is_over(void *self)
{
	(void)self;
	if (bench.client && waitpid(bench.client, NULL, WNOHANG) == bench.client)
		bench.client = 0;
	return !bench.client;
}

static bool
never(void *self)
{
	(void)self;
	return false;
}

/* Keeps the loop turning, since the client's end is nothing it hears of. */
static void
tick(trl_ctx *ctx, void *arg)
{
	(void)arg;
	while (!bench.over && trl_sleep(ctx, 5) == TRL_OK)
		trl_set_deadline(ctx, trl_loop_now_us(ctx->loop) + 5000000);
}

static void
handle(void *self, trl_ctx *ctx, struct trl_http_request *request)
{
	static uint8_t block[PIECE];
	struct trl_http_response response = { .status = 200 };
	enum trl_code rc = TRL_OK;
	const uint8_t *data;
	size_t len;

	(void)self;
	if (!strcmp(request->path, "/up")) {
		while ((rc = trl_http_read(ctx, request, &data, &len)) == TRL_OK && len)
			bench.pieces++;
		trl_http_reply(ctx, request, &response);
		return;
	}
	rc = trl_http_answer(ctx, request, &response, bench.bytes);
	if (rc == TRL_OK && !strcmp(request->path, "/file"))
		rc = trl_http_write_file(ctx, request, bench.fd, 0, bench.bytes);
	else
		for (uint64_t at = 0; at < bench.bytes && rc == TRL_OK; at += PIECE)
			rc = trl_http_write(ctx, request, block, PIECE);
	trl_assert(rc == TRL_OK);
	trl_http_finish(ctx, request);
}

static size_t
awaits(void *self, trl_arena *arena, const struct trl_http_request *request)
{
	(void)self;
	(void)arena;
	(void)request;
	return TRL_HTTP_PIECES;
}

static void
measure(unsigned port, const char *name, const char *path)
{
	const struct trl_spawn ticks = { .name = "tick", .run = tick };
	struct rusage before, after;
	uint64_t began = trl_mono_us();

	bench.over = false;
	getrusage(RUSAGE_SELF, &before);
	bench.client = fork();
	if (!bench.client)
		client(port, path);
	trl_assert(trl_spawn(bench.loop, &ticks) == TRL_OK);
	trl_assert(trl_loop_run_until(bench.loop, is_over, NULL, 120000));
	bench.over = true;
	getrusage(RUSAGE_SELF, &after);
	print(name, cpu_s(&after) - cpu_s(&before),
	    (double)(trl_mono_us() - began) / 1e6);
	(void)trl_loop_run_until(bench.loop, never, NULL, 20);
}

/* The least that anybody does who is sent bytes. */
static void
bare_recv(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	static uint8_t block[PIECE];
	socklen_t len = sizeof at;
	struct rusage before, after;
	uint64_t began = trl_mono_us();
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	trl_assert(!bind(listener, (struct sockaddr *)&at, sizeof at) &&
		   !listen(listener, 1) &&
		   !getsockname(listener, (struct sockaddr *)&at, &len));
	getrusage(RUSAGE_SELF, &before);
	bench.client = fork();
	if (!bench.client)
		client(ntohs(at.sin_port), "/up");
	fd = accept(listener, NULL, NULL);
	for (uint64_t left = bench.bytes; left > PIECE;) /* but for the head's length */
		left -= (uint64_t)recv(fd, block, sizeof block, 0);
	close(fd);
	close(listener);
	waitpid(bench.client, NULL, 0);
	bench.client = 0;
	getrusage(RUSAGE_SELF, &after);
	print("in: bare recv", cpu_s(&after) - cpu_s(&before),
	    (double)(trl_mono_us() - began) / 1e6);
}

static void
nginx(const char *folder)
{
	char path[400];
	struct rusage use;
	uint64_t began;
	pid_t server;
	FILE *f;

	snprintf(path, sizeof path, "%s/nginx.conf", folder);
	f = fopen(path, "w");
	trl_assert(f);
	fprintf(f,
	    "daemon off; master_process off; pid %s/pid; error_log %s/log;\n"
	    "events {} http { access_log off; sendfile on; tcp_nopush on;\n"
	    "client_body_temp_path %s; server { listen 127.0.0.1:%d; root %s; } }\n",
	    folder, folder, folder, PORT_NGINX, folder);
	fclose(f);
	server = fork();
	if (!server) {
		execlp("nginx", "nginx", "-e", "/dev/null", "-c", path, (char *)NULL);
		_exit(127);
	}
	usleep(300000);
	if (waitpid(server, NULL, WNOHANG) == server) {
		printf("  (nginx is not installed)\n");
		return;
	}
	began = trl_mono_us();
	bench.client = fork();
	if (!bench.client)
		client(PORT_NGINX, "/file");
	waitpid(bench.client, NULL, 0);
	began = trl_mono_us() - began;
	kill(server, SIGQUIT);
	trl_assert(wait4(server, NULL, 0, &use) == server);
	print("out: nginx sendfile", cpu_s(&use), (double)began / 1e6);
	bench.client = 0;
}

int
main(int argc, char **argv)
{
	const struct trl_http_options options = { .listen = "127.0.0.1:0" };
	const struct trl_http_handler handler = { .handle = handle, .awaits = awaits };
	char folder[] = "/var/tmp/trellis-bytes.XXXXXX", file[100];
	static const uint8_t block[1 << 20];
	trl_http_server *server = NULL;
	int rounds = argc > 1 ? atoi(argv[1]) : 3;

	setvbuf(stdout, NULL, _IOLBF, 0);
	bench.bytes = (uint64_t)(argc > 2 ? atoi(argv[2]) : 1024) << 20;
	trl_assert(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/file", folder);
	bench.fd = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	for (uint64_t at = 0; at < bench.bytes; at += sizeof block) /* and in memory */
		trl_assert(write(bench.fd, block, sizeof block) == sizeof block);
	bench.loop = trl_loop_new(NULL);
	trl_assert(trl_http_open(bench.loop, &options, &handler, &server) == TRL_OK);
	for (int i = 0; i < rounds; i++) {
		const unsigned port = trl_http_port(server);

		bare_recv();
		measure(port, "in: read and thrown away", "/up");
		measure(port, "out: written from memory", "/memory");
		measure(port, "out: sent from a file", "/file");
		nginx(folder);
	}
	trl_http_close(&server);
	trl_loop_free(&bench.loop);
	(void)unlink(file);
	snprintf(file, sizeof file, "rm -r %s", folder);
	return system(file);
}
