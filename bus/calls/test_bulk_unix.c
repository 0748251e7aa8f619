/* Bodies over the unix socket between two processes of one host: bytes and files both
 * ways, what each end is told when the other goes, and where another carrier steps in.
 * (Over 400 lines: each loss is a story with two ends.) */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "bulk_unix.h"
#include "bus.h"
#include "test_bodies.h"

static void
go_both_ways(trl_ctx *ctx, uint64_t len)
{
	trl_stream *stream;
	struct trl_piece piece;
	uint64_t got = 0, sent = 0;
	MUST(body_open(ctx, rig.bus, SAMPLE_TURN, "", 0, NULL, &stream) == TRL_OK);
	while (sent < len) {
		uint64_t to = sent + 20000 < len ? sent + 20000 : len;
		MUST(bodies_write(ctx, stream, sent, to) == TRL_OK);
		sent = to;
		if (sent < 2 * TRL_STREAM_RIDES) /* the callee keeps the first */
			continue;
		if (got == 0)
			body_reply(ctx, stream);
		MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0);
		bodies_check(piece.data, got, piece.len);
		got += piece.len;
	}
	MUST(trl_stream_end(ctx, stream) == TRL_OK);
	if (got == 0)
		body_reply(ctx, stream);
	while (trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0) {
		bodies_check(piece.data, got, piece.len);
		got += piece.len;
	}
	MUST(got == len);
	trl_stream_close(&stream);
}

static void
all_ways(trl_ctx *ctx, void *arg)
{
	static const uint64_t sizes[] = { 131073, 262144, 262145, 1000003, 9000000 };
	(void)arg;
	for (size_t i = 0; i < TRL_COUNT(sizes); i++) {
		bodies_up(ctx, sizes[i]);
		bodies_down(ctx, "", sizes[i], 0);
		bodies_down(ctx, "file", sizes[i], 1);
		go_both_ways(ctx, sizes[i]);
	}
	bodies_down(ctx, "file", 1000, 0); /* one that rides is no file */
}

static void
carries_all(const char *address)
{
	struct stat st;
	bodies_begin(address);
	rig_run(&rig, all_ways, NULL);
	MUST(strcmp(bodies_carried_by(), "unix") == 0);
	MUST(stat(bodies_bulk()->path, &st) == 0 && S_ISSOCK(st.st_mode));
	MUST((st.st_mode & 0777) == 0600);
	bodies_clean();
	trl_bus_close(&rig.here);
	MUST(stat(bodies_bulk()->path, &st) != 0 && errno == ENOENT);
	bodies_end();
}

TEST(carries_all_bodies_where_the_caller_came_by_tcp)
{
	carries_all(rig_tcp());
}

TEST(carries_all_bodies_where_the_caller_is_in_the_process)
{
	carries_all("inproc://sample");
}

/* Bytes before it and behind it, all of one body. */
static void
hand_over(trl_ctx *ctx, void *arg)
{
	enum { OFFSET_GIB = 5, LEN = 3000000, BEFORE = 200000, BEHIND = 170000 };
	const uint64_t offset = (uint64_t)OFFSET_GIB << 30;
	int fd = bodies_file(offset, BEFORE + LEN + BEHIND);
	trl_stream *stream;
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_TAKE, "hash", 0, NULL, &stream) == TRL_OK);
	MUST(bodies_write(ctx, stream, 0, BEFORE) == TRL_OK);
	MUST(trl_stream_write_file(ctx, stream, fd, offset + BEFORE, LEN) == TRL_OK);
	MUST(trl_stream_write_file(ctx, stream, fd, offset + BEFORE + LEN, BEHIND) ==
	     TRL_OK);
	MUST(trl_stream_end(ctx, stream) == TRL_OK);
	sample_note *reply = body_reply(ctx, stream);
	MUST(reply->up_ms == BEFORE + LEN + BEHIND && served->files == 2);
	MUST(strcmp(reply->service, body_hash(ctx, BEFORE + LEN + BEHIND)) == 0);
	trl_stream_close(&stream);
	close(fd);
}

/* What is no file, or too short a one, is the writer's fault and nobody else's. */
static void
hand_over_what_cannot_be(trl_ctx *ctx, void *arg)
{
	int fds[] = { bodies_file(0, 300000), open("/dev/null", O_RDONLY | O_CLOEXEC) };
	trl_stream *stream;
	(void)arg;
	for (size_t i = 0; i < TRL_COUNT(fds); i++) {
		MUST(body_open(ctx, rig.bus, SAMPLE_TAKE, "", 0, NULL, &stream) ==
		     TRL_OK);
		MUST(trl_stream_write_file(ctx, stream, fds[i], 0, 300001) ==
		     TRL_INTERNAL);
		trl_stream_close(&stream);
		trl_err_clear(ctx);
		close(fds[i]);
	}
	bodies_down(ctx, "", 300000, 0);
}

TEST(hands_a_file_over_in_place_of_its_bytes)
{
	bodies_begin(rig_tcp());
	unsigned before = bodies_descriptors();
	rig_run(&rig, hand_over, NULL);
	MUST(strcmp(bodies_carried_by(), "unix") == 0);
	rig_run(&rig, hand_over_what_cannot_be, NULL);
	MUST(strcmp(bodies_carried_by(), "unix") == 0);
	MUST(bodies_descriptors() == before + 2); /* both ends of the socket */
	bodies_clean();
	bodies_end();
}

static void
cancel_many(trl_ctx *ctx, void *arg)
{
	int fd = bodies_file(0, 400000);
	trl_stream *stream;
	struct trl_piece piece;
	unsigned *before = arg;
	enum trl_code rc = TRL_OK;
	bodies_down(ctx, "", 300000, 0);
	*before = bodies_descriptors();
	for (unsigned i = 0; i < 1000; i++) {
		if (i % 2 == 0) { /* handed over, and most of it never read */
			MUST(body_open(ctx, rig.bus, SAMPLE_TAKE, "half", 0, NULL,
				 &stream) == TRL_OK);
			for (unsigned j = 0; j < 3 && rc == TRL_OK; j++)
				rc = trl_stream_write_file(ctx, stream, fd, 0, 400000);
			MUST(rc == TRL_OK || rc == TRL_UNAVAILABLE);
			rc = TRL_OK;
			trl_err_clear(ctx);
		} else {
			MUST(body_open(ctx, rig.bus, SAMPLE_GIVE, "file", 200000, NULL,
				 &stream) == TRL_OK);
			body_reply(ctx, stream);
			if (i % 4 == 1) {
				MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK);
				MUST(piece.fd >= 0 && close(piece.fd) == 0);
			}
		}
		trl_stream_close(&stream);
	}
	close(fd);
}

TEST(leaks_no_descriptor_of_a_stream_that_was_given_up)
{
	unsigned before = 0;
	bodies_begin(rig_tcp());
	rig_run(&rig, cancel_many, &before);
	MUST(trl_loop_run_until(rig.loop, bodies_none_run, NULL, 10000));
	before--; /* the file itself */
	MUST(trl_loop_run_until(rig.loop, bodies_descriptors_are, &before, 10000));
	MUST(strcmp(bodies_carried_by(), "unix") == 0);
	bodies_clean();
	bodies_end();
}

enum { SLOW = 400 };

/* Each has its file and takes its time, as clients on slow lines do. */
static void
hold_many(trl_ctx *ctx, void *arg)
{
	static trl_stream *streams[SLOW];
	static struct trl_piece pieces[SLOW];
	(void)arg;
	for (unsigned i = 0; i < SLOW; i++) {
		MUST(body_open(ctx, rig.bus, SAMPLE_GIVE, "file", 200000, NULL,
			 &streams[i]) == TRL_OK);
		body_reply(ctx, streams[i]);
		MUST(trl_stream_read(ctx, streams[i], &pieces[i]) == TRL_OK);
		MUST(pieces[i].fd >= 0);
	}
	while (body_memory(rig.net) > (uint64_t)SLOW * BUS_FILE_COST)
		MUST(trl_sleep(ctx, 1) == TRL_OK);
	bodies_down(ctx, "", 300000, 0);
	for (unsigned i = 0; i < SLOW; i++) {
		MUST(close(pieces[i].fd) == 0);
		trl_stream_close(&streams[i]);
	}
}

TEST(slow_readers_of_files_keep_nobody_out)
{
	bodies_begin(rig_tcp());
	rig_run(&rig, hold_many, NULL);
	bodies_clean();
	bodies_end();
}

static void
see_it_cut(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	struct trl_piece piece;
	enum trl_code rc = TRL_OK;
	void (*cut)(void) = *(void (**)(void))arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_GIVE, "", 500000000, NULL, &stream) ==
	     TRL_OK);
	body_reply(ctx, stream);
	for (unsigned i = 0; i < 5; i++)
		MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0);
	MUST(strcmp(bodies_carried_by(), "unix") == 0);
	cut();
	uint64_t since = trl_mono_us();
	while (rc == TRL_OK)
		rc = trl_stream_read(ctx, stream, &piece);
	MUST(rc == TRL_UNAVAILABLE && trl_mono_us() - since < 10000000);
	trl_stream_close(&stream);
}

static void
cut_socket(void)
{
	MUST(shutdown(bodies_bulk()->by_unix->fd, SHUT_RDWR) == 0);
}

static bool
gave_up(void *self)
{
	(void)self;
	return served->body_ended == TRL_UNAVAILABLE && bodies_none_run(NULL);
}

/* The first connection is whole: both are told at once, and it is dialled again. */
TEST(tells_both_ends_of_a_cut)
{
	void (*cut)(void) = cut_socket;
	bodies_begin(rig_tcp());
	rig_run(&rig, see_it_cut, &cut);
	MUST(trl_loop_run_until(rig.loop, gave_up, NULL, 10000));
	rig_run(&rig, bodies_work, NULL);
	MUST(strcmp(bodies_carried_by(), "unix") == 0);
	bodies_clean();
	bodies_end();
}

static pid_t server;
static int begins[2];

/* Whoever serves after the one that is killed: forked before nng is here, it begins
 * when it is told to. */
static pid_t
fork_successor(const char *address)
{
	char byte;
	MUST(pipe2(begins, O_CLOEXEC) == 0);
	pid_t pid = fork();
	MUST(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	MUST(read(begins[0], &byte, 1) == 1);
	MUST(waitpid(rig_serve(address, served, 0), NULL, 0) > 0);
	_exit(0);
}

static void
kill_server(void)
{
	MUST(kill(server, SIGKILL) == 0);
}

/* Its socket stays behind; the next one is its successor's, and the only one. */
TEST(outlives_a_callee_that_is_killed)
{
	void (*cut)(void) = kill_server;
	char inner[80], before[BUS_PATH_MAX + 1];
	uint8_t old[BUS_TOKEN];
	bodies_folder();
	snprintf(inner, sizeof inner, "%s/bulk", folder);
	served = rig_shared();
	const char *address = rig_tcp();
	server = rig_serve(address, served, 0);
	pid_t next = fork_successor(address);
	rig_open(&rig, "edge", address, NULL);
	rig_await_peers(&rig, 1);
	rig_run(&rig, see_it_cut, &cut);
	strcpy(before, bodies_bulk()->path);
	memcpy(old, bodies_bulk()->token, sizeof old);
	MUST(waitpid(server, NULL, 0) == server && access(before, F_OK) == 0);
	MUST(write(begins[1], "", 1) == 1);
	bodies_await_anew(old);
	rig_run(&rig, bodies_work, NULL);
	MUST(strcmp(bodies_carried_by(), "unix") == 0);
	MUST(strcmp(bodies_bulk()->path, before) != 0);
	MUST(access(before, F_OK) != 0 && bodies_count_in(inner) == 1);
	MUST(kill(next, SIGKILL) == 0);
	bodies_end();
}

static pid_t caller;

/* Takes a body that never ends from the server, in a process of its own. */
static void
call_for_ever(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_TAKE, "", 0, NULL, &stream) == TRL_OK);
	while (bodies_write(ctx, stream, 0, 1000000) == TRL_OK)
		;
}

static bool
takes(void *self)
{
	(void)self;
	return served->took > 5000000;
}

static bool
took_it_as_lost(void *self)
{
	(void)self;
	return served->body_ended == TRL_UNAVAILABLE;
}

TEST(outlives_a_caller_that_is_killed)
{
	bodies_folder();
	served = rig_shared();
	const char *address = rig_tcp();
	server = rig_serve(address, served, 0);
	if ((caller = fork()) == 0) {
		rig_open(&rig, "edge", address, NULL);
		rig_await_peers(&rig, 1);
		rig_run(&rig, call_for_ever, NULL);
		_exit(1);
	}
	rig_open(&rig, "edge", address, NULL);
	rig_await_peers(&rig, 1);
	MUST(trl_loop_run_until(rig.loop, takes, NULL, 10000));
	MUST(kill(caller, SIGKILL) == 0 && waitpid(caller, NULL, 0) == caller);
	MUST(trl_loop_run_until(rig.loop, took_it_as_lost, NULL, 10000));
	rig_run(&rig, bodies_work, NULL);
	kill_server();
	bodies_end();
}

static void
must_fall_back(void)
{
	rig_run(&rig, bodies_work, NULL);
	MUST(strcmp(bodies_carried_by(), "link") == 0);
	bodies_clean();
}

TEST(falls_back_where_the_socket_cannot_be_reached)
{
	bodies_begin(rig_tcp());
	MUST(unlink(bodies_bulk()->path) == 0);
	must_fall_back();
	bodies_end();
}

/* Somebody else listens there, who accepts and hangs up. */
TEST(falls_back_where_nobody_answers_the_greeting)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	bodies_begin(rig_tcp());
	strcpy(at.sun_path, bodies_bulk()->path);
	MUST(unlink(at.sun_path) == 0);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	MUST(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 5) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		int one = accept(fd, NULL, NULL);
		MUST(one >= 0);
		_exit(0);
	}
	must_fall_back();
	MUST(waitpid(pid, NULL, 0) == pid);
	bodies_end();
}

TEST(falls_back_where_the_path_is_too_long)
{
	static char deep[200];
	bodies_folder();
	snprintf(deep, sizeof deep, "%s/%0100d", folder, 1);
	MUST(mkdir(deep, 0700) == 0);
	rig_run_dir = deep;
	served = rig_shared();
	rig_open(&rig, "edge", rig_tcp(), served);
	rig_await_peers(&rig, 1);
	MUST(bodies_bulk()->path[0] == '\0');
	must_fall_back();
	bodies_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_all_bodies_where_the_caller_came_by_tcp),
		cmocka_unit_test(carries_all_bodies_where_the_caller_is_in_the_process),
		cmocka_unit_test(hands_a_file_over_in_place_of_its_bytes),
		cmocka_unit_test(leaks_no_descriptor_of_a_stream_that_was_given_up),
		cmocka_unit_test(slow_readers_of_files_keep_nobody_out),
		cmocka_unit_test(tells_both_ends_of_a_cut),
		cmocka_unit_test(outlives_a_callee_that_is_killed),
		cmocka_unit_test(outlives_a_caller_that_is_killed),
		cmocka_unit_test(falls_back_where_the_socket_cannot_be_reached),
		cmocka_unit_test(falls_back_where_nobody_answers_the_greeting),
		cmocka_unit_test(falls_back_where_the_path_is_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
