/* What a stranger, or a caller that went bad, may put on the unix socket between two
 * processes of one host: each is refused under its own reason, no descriptor of it
 * stays, and the others are served as before. It speaks the socket by hand. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "bulk_unix.h"
#include "octets.h"
#include "server.h"
#include "stream.h"
#include "test_bodies.h"

static double
refused(const char *reason)
{
	char name[96];
	snprintf(name, sizeof name, "trellis_bus_refused_total{reason=\"%s\"}", reason);
	return rig_metric(name);
}

static const char *awaited;

static bool
was_refused(void *self)
{
	return refused(awaited) > *(double *)self;
}

static int
connect_raw(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	MUST(fd >= 0 && strlen(path) < sizeof at.sun_path);
	strcpy(at.sun_path, path);
	MUST(connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
	return fd;
}

struct raw {
	unsigned kind;
	uint64_t call_id, offset, size;
	size_t len;
	int fds[8];
	unsigned n_fds;
};

static void
send_raw(int fd, const struct raw *raw, const void *data)
{
	static uint8_t bytes[BULK_UNIX_MOST + 1000];
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} rights = { .header = { .cmsg_level = SOL_SOCKET,
			 .cmsg_type = SCM_RIGHTS,
			 .cmsg_len = CMSG_LEN(raw->n_fds * sizeof(int)) } };
	struct iovec part = { bytes, BULK_UNIX_HEAD + raw->len };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	memset(bytes, 0, BULK_UNIX_HEAD);
	bytes[0] = (uint8_t)raw->kind;
	put_be(bytes + 8, raw->call_id, 8);
	put_be(bytes + 16, raw->offset, 8);
	put_be(bytes + 24, raw->size, 8);
	if (data != NULL)
		memcpy(bytes + BULK_UNIX_HEAD, data, raw->len);
	if (raw->n_fds > 0) {
		msg.msg_control = &rights;
		msg.msg_controllen = CMSG_SPACE(raw->n_fds * sizeof(int));
		memcpy(CMSG_DATA(&rights.header), raw->fds, raw->n_fds * sizeof(int));
	}
	MUST(sendmsg(fd, &msg, MSG_NOSIGNAL) == (ssize_t)part.iov_len);
}

static void
greet_raw(int fd, const uint8_t *token, const char *name)
{
	uint8_t hello[64];
	memcpy(hello, token, BUS_TOKEN);
	memcpy(hello + BUS_TOKEN, name, strlen(name));
	send_raw(fd,
	    &(struct raw){ .kind = BUS_HELLO, .len = BUS_TOKEN + strlen(name) }, hello);
}

static void
ended(int fd)
{
	uint8_t bytes[BULK_UNIX_HEAD];
	ssize_t n;
	while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
		;
	MUST(n == 0 || errno == ECONNRESET);
	close(fd);
}

/* It was not believed, and its connection is closed. */
static void
must_end(const char *reason, int fd, double before)
{
	awaited = reason;
	if (!trl_loop_run_until(rig.loop, was_refused, &before, 2000)) {
		fprintf(stderr, "not refused as %s\n", reason);
		_exit(1);
	}
	ended(fd);
}

/* And the others are served. */
static void
must_refuse(const char *reason, int fd, double before)
{
	must_end(reason, fd, before);
	rig_run(&rig, bodies_work, NULL);
}

TEST(refuses_strangers)
{
	static const uint8_t zero[BUS_TOKEN];
	bodies_begin(rig_tcp());
	const uint8_t *token = rig.here->server->conns->bulk.token;
	double before = refused("unknown_token");
	int fd = connect_raw(bodies_bulk()->path);
	greet_raw(fd, zero, "edge");
	must_refuse("unknown_token", fd, before++);
	fd = connect_raw(bodies_bulk()->path);
	greet_raw(fd, token, "other"); /* another's */
	must_refuse("unknown_token", fd, before++);
	fd = connect_raw(bodies_bulk()->path);
	greet_raw(fd, token, "");
	must_refuse("unknown_token", fd, before++);
	fd = connect_raw(bodies_bulk()->path);
	send_raw(fd, &(struct raw){ .kind = BUS_CHUNK, .call_id = 1, .len = 10 }, NULL);
	must_refuse("no_hello", fd, 0);
	fd = connect_raw(bodies_bulk()->path);
	MUST(send(fd, "short", 5, 0) == 5);
	must_refuse("malformed", fd, 0);
	MUST(strcmp(bodies_carried_by(), "unix") ==
	     0); /* of all this it has felt nothing */
	bodies_end();
}

static void
let_all_in(trl_ctx *ctx, void *arg)
{
	(void)arg;
	bodies_down(ctx, "", 300000, 0);
}

/* Of many that say nothing the oldest are ended. */
TEST(has_room_for_few_that_do_not_greet)
{
	enum { N = 100 };
	int fds[N];
	bodies_begin(rig_tcp());
	unsigned before = bodies_descriptors();
	for (unsigned i = 0; i < N; i++) {
		fds[i] = connect_raw(bodies_bulk()->path);
		rig_run(&rig, let_all_in, NULL);
	}
	MUST(bodies_descriptors() <= before + N + 32 + 2);
	ended(fds[0]);
	MUST(strcmp(bodies_carried_by(), "unix") == 0);
	bodies_end();
}

/* A process of another user, whom the file's mode would have let in. */
TEST(refuses_another_user)
{
	int status = -1;
	if (geteuid() != 0)
		return; /* only root can become another */
	bodies_begin(rig_tcp());
	char inner[80];
	snprintf(inner, sizeof inner, "%s/bulk", folder);
	MUST(chmod(folder, 0755) == 0 && chmod(inner, 0755) == 0);
	MUST(chmod(bodies_bulk()->path, 0777) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		MUST(setuid(65534) == 0);
		int fd = connect_raw(bodies_bulk()->path);
		ended(fd);
		_exit(0);
	}
	double before = 0;
	awaited = "foreign_user";
	MUST(trl_loop_run_until(rig.loop, was_refused, &before, 10000));
	MUST(waitpid(pid, &status, 0) == pid && status == 0);
	rig_run(&rig, bodies_work, NULL);
	MUST(strcmp(bodies_carried_by(), "unix") == 0);
	bodies_end();
}

/* A caller that reads nothing of what it opened waits; its token is used for bad. */
static uint64_t open_call;
static unsigned usual; /* descriptors */

static void
hold_open(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	bool wanted;
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_TAKE, "", 0, NULL, &stream) == TRL_OK);
	MUST(trl_stream_wanted(ctx, stream, &wanted) == TRL_OK && wanted);
	open_call = rig.here->server->conns->bulk.streams->call_id;
	while (trl_stream_write(ctx, stream, "x", 1) == TRL_OK)
		MUST(trl_sleep(ctx, 5) == TRL_OK);
	MUST(ctx->err.code == TRL_UNAVAILABLE);
	trl_stream_close(&stream);
}

static bool
is_open(void *self)
{
	(void)self;
	return open_call != 0;
}

/* With the connection of a caller: both are ended, and the stream is broken off. */
static void
go_bad(const char *reason, struct raw raw)
{
	double before = refused(reason);
	uint8_t old[BUS_TOKEN];
	memcpy(old, bodies_bulk()->token, sizeof old);
	open_call = 0;
	rig_start(&rig, hold_open, NULL);
	MUST(trl_loop_run_until(rig.loop, is_open, NULL, 10000));
	int fd = connect_raw(bodies_bulk()->path);
	greet_raw(fd, rig.here->server->conns->bulk.token, "edge");
	MUST(
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ 1 << 20 }, sizeof(int)) == 0);
	if (raw.call_id == 1)
		raw.call_id = open_call;
	send_raw(fd, &raw, NULL);
	must_end(reason, fd, before);
	rig_wait(&rig, 5000);
	bodies_await_anew(old);
	rig_run(&rig, bodies_work, NULL);
	MUST(trl_loop_run_until(rig.loop, bodies_descriptors_are, &usual, 10000));
}

TEST(refuses_what_a_hostile_caller_sends)
{
	int pipes[2], file = bodies_file(0, 1000);
	MUST(pipe2(pipes, O_CLOEXEC) == 0);
	bodies_begin(rig_tcp());
	rig_run(&rig, bodies_work, NULL);
	usual = bodies_descriptors();
	go_bad("chunk_of_nobody", (struct raw){ BUS_CHUNK, 77, .len = 100 });
	go_bad("bad_chunk", (struct raw){ BUS_CHUNK, 1, .len = 0 });
	go_bad("malformed", (struct raw){ BUS_CHUNK, 1, .len = TRL_STREAM_PIECE + 1 });
	go_bad("over_credit", (struct raw){ BUS_CHUNK, 1, .len = TRL_STREAM_PIECE });
	go_bad("second_hello", (struct raw){ BUS_HELLO, 0, .len = 0 });
	go_bad("stray_file",
	    (struct raw){ BUS_CHUNK, 1, .len = 10, .fds = { file }, .n_fds = 1 });
	go_bad("bad_file", (struct raw){ BULK_UNIX_FILE, 1, 0, 100, .n_fds = 0 });
	go_bad("bad_file",
	    (struct raw){ BULK_UNIX_FILE, 1, 0, 0, .fds = { file }, .n_fds = 1 });
	go_bad("bad_file",
	    (struct raw){ BULK_UNIX_FILE, 1, 0, 100, .fds = { pipes[0] }, .n_fds = 1 });
	go_bad("bad_file", (struct raw){ BULK_UNIX_FILE, 1, 2, INT64_MAX - 1,
			       .fds = { file }, .n_fds = 1 });
	go_bad("bad_file", (struct raw){ BULK_UNIX_FILE, 1, 0, 100, .len = 1,
			       .fds = { file }, .n_fds = 1 });
	go_bad("too_many_files", (struct raw){ BULK_UNIX_FILE, 1, 0, 100,
				     .fds = { file, file }, .n_fds = 2 });
	go_bad("too_many_files",
	    (struct raw){ BULK_UNIX_FILE, 1, 0, 100,
		.fds = { file, file, file, file, file, file, file, file },
		.n_fds = 8 });
	go_bad("chunk_of_nobody",
	    (struct raw){ BULK_UNIX_FILE, 77, 0, 100, .fds = { file }, .n_fds = 1 });
	bodies_clean();
	bodies_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_strangers),
		cmocka_unit_test(has_room_for_few_that_do_not_greet),
		cmocka_unit_test(refuses_another_user),
		cmocka_unit_test(refuses_what_a_hostile_caller_sends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
