/* test_child.c - a process of its own that answers, dies, hangs and tries what it may
 * not. Over 400 lines: whatever it is asked, the same rig and victim answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <cmocka.h>

#include <trl/child.h>

#include "talk.h"

#if defined(__SANITIZE_ADDRESS__)
#define CONFINED 0 /* confine.h */
#else
#define CONFINED 1
#endif
enum {
	PATIENCE_MS = 10000,
	LONG_MS = 120000, /* of what computes as long as it may */
	MANY = 12,
	QUEUE = 8,
	LARGE_MAX = 16 << 20,
	VERSION = 3 /* as child_victim.c has it */
};

static const struct trl_child_kind kind = { .name = "victim",
	.request_max = 1 << 20,
	.reply_max = 1 << 20,
	.timeout_ms = 1000,
	.idle_ms = 150,
	.queue = QUEUE,
	.version = VERSION };

static const struct trl_child_kind large_kind = { .name = "victim",
	.request_max = 1 << 20,
	.reply_max = LARGE_MAX,
	.timeout_ms = LONG_MS,
	.idle_ms = 150,
	.queue = QUEUE,
	.version = VERSION };

static struct {
	trl_loop *loop;
	trl_child *child;
} rig;

struct question {
	const char *text;
	size_t len; /* 0: of text */
	char reply[512];
	size_t reply_len;
	enum trl_code rc;
	char message[256];
	bool failed; /* trl_child_failed */
	bool done;
};

static void
ask(trl_ctx *ctx, void *arg)
{
	struct question *question = arg;
	const uint8_t *reply;
	size_t len = question->len ? question->len : strlen(question->text);

	question->rc = trl_child_ask(ctx, rig.child, question->text, len, &reply, &len);
	if (question->rc == TRL_OK) {
		question->reply_len = len;
		if (len >= sizeof question->reply)
			len = sizeof question->reply - 1;
		memcpy(question->reply, reply, len);
		question->reply[len] = '\0';
	} else {
		(void)snprintf(question->message, sizeof question->message, "%s",
		    ctx->err.message);
		question->failed = trl_child_failed(ctx);
	}
	question->done = true;
}

/* The same about a file. */
struct filed {
	struct question question; /* first: is_done sees it */
	int file;
	struct trl_buf reply;
};

static void
ask_file(trl_ctx *ctx, void *arg)
{
	struct filed *filed = arg;

	filed->question.rc = trl_child_ask_file(ctx, rig.child, filed->question.text,
	    strlen(filed->question.text), filed->file, &filed->reply);
	filed->question.done = true;
}

static bool
is_done(void *arg)
{
	return ((struct question *)arg)->done;
}

static struct question
asked_within(const char *text, unsigned patience_ms)
{
	static struct question question;
	const struct trl_spawn spawn = {
		.name = "ask", .run = ask, .arg = &question, .timeout_ms = patience_ms
	};

	question = (struct question){ .text = text };
	assert_int_equal(trl_spawn(rig.loop, &spawn), TRL_OK);
	assert_true(trl_loop_run_until(rig.loop, is_done, &question, patience_ms));
	return question;
}

static struct question
asked_of(const char *text)
{
	return asked_within(text, PATIENCE_MS);
}

static void
ask_another(const struct trl_child_kind *another)
{
	trl_child_close(&rig.child);
	rig.child = trl_child_open(rig.loop, another);
}

/* A file of so many bytes, that only can be read. */
static int
file_of(size_t size)
{
	char path[] = "/tmp/test_child_XXXXXX", bytes[1000];
	int made = mkstemp(path), file;

	assert_true(made >= 0);
	memset(bytes, 'y', sizeof bytes);
	for (size_t left = size; left > 0;) {
		const size_t n = left < sizeof bytes ? left : sizeof bytes;

		assert_int_equal(write(made, bytes, n), (ssize_t)n);
		left -= n;
	}
	close(made);
	file = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0);
	assert_int_equal(unlink(path), 0);
	return file;
}

/* reply is whoever's asks. */
static enum trl_code
asked_of_file(const char *text, int file, struct trl_buf *reply)
{
	static struct filed filed;
	const struct trl_spawn spawn = { .name = "ask file",
		.run = ask_file,
		.arg = &filed,
		.timeout_ms = PATIENCE_MS };

	filed = (struct filed){ .question.text = text, .file = file, .reply = *reply };
	assert_int_equal(trl_spawn(rig.loop, &spawn), TRL_OK);
	assert_true(trl_loop_run_until(rig.loop, is_done, &filed, PATIENCE_MS));
	*reply = filed.reply;
	return filed.question.rc;
}

static const char *
answer_to(const char *text)
{
	static struct question question;

	question = asked_of(text);
	if (question.rc != TRL_OK)
		fail_msg("%s: %s", text, question.message);
	return question.reply;
}

static int
open_rig(void **state)
{
	(void)state;
	rig.loop = trl_loop_new(NULL);
	rig.child = trl_child_open(rig.loop, &kind);
	return 0;
}

static int
close_rig(void **state)
{
	(void)state;
	trl_child_close(&rig.child);
	trl_loop_free(&rig.loop);
	return 0;
}

static bool
is_gone(void *arg)
{
	(void)arg;
	return trl_child_pid(rig.child) == 0;
}

static void
it_starts_when_it_is_asked_and_is_gone_when_nobody_asks(void **state)
{
	int pid;

	(void)state;
	assert_int_equal(trl_child_pid(rig.child), 0);
	assert_string_equal(answer_to("ehello"), "hello");
	pid = trl_child_pid(rig.child);
	assert_true(pid > 0);
	assert_string_equal(answer_to("eagain"), "again");
	assert_int_equal(trl_child_pid(rig.child), pid);
	assert_true(trl_loop_run_until(rig.loop, is_gone, NULL, PATIENCE_MS));
	assert_int_equal(kill(pid, 0), -1); /* it was waited for, too */
	assert_int_equal(errno, ESRCH);
	assert_string_equal(answer_to("eanew"), "anew");
}

static void
it_gets_nothing_of_the_service(void **state)
{
	(void)state;
	setenv("TRELLIS_SECRET", "x", 1);
	if (CONFINED)
		assert_string_equal(
		    answer_to("v"), "LC_ALL=C.UTF-8\nMALLOC_ARENA_MAX=1\n");
	assert_null(strstr(answer_to("v"), "TRELLIS"));
	assert_string_equal(answer_to("d"), "0 1 2 ");
}

#if CONFINED
static void
it_can_do_nothing_but_read_and_answer(void **state)
{
	static const struct {
		const char *what;
		int error;
	} rows[] = { { "n", ENOSYS }, { "w", EACCES }, { "f", EPERM }, { "x", ENOSYS },
		{ "k", ENOSYS }, { "o", ENOSYS }, { "p", ENOSYS }, { "m", ENOMEM } };

	(void)state;
	assert_string_equal(answer_to("r"), "done");
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		assert_string_equal(answer_to(rows[i].what), strerror(rows[i].error));
}
#endif

static void
one_that_crashes_costs_one_question(void **state)
{
	struct question question = asked_of("c");

	(void)state;
	assert_int_equal(question.rc, TRL_UNAVAILABLE);
	assert_true(question.failed);
	if (CONFINED)
		assert_non_null(strstr(question.message, "ended twice"));
	question = asked_of("q");
	assert_non_null(strstr(question.message, "by status 3"));
	assert_string_equal(answer_to("eafter"), "after");
}

static void
one_that_hangs_is_ended_in_time(void **state)
{
	struct question question = asked_of("h");

	(void)state;
	assert_int_equal(question.rc, TRL_UNAVAILABLE);
	assert_non_null(strstr(question.message, "no answer in time"));
	assert_false(question.failed); /* it waited for something */
	assert_int_equal(asked_of("s").rc, TRL_UNAVAILABLE);
	assert_string_equal(answer_to("eafter"), "after");
}

/* Nobody reads what it would answer, so it does not go on. */
static void
one_that_is_at_work_ends_when_its_service_has_died(void **state)
{
	static const char question[] = "\1\0\0\0h";
	char program[CHILD_PATH_MAX], path[64], score[16] = "";
	struct child_end end;
	struct pollfd gone = { .events = POLLIN };
	int unread = 1, status, file;

	(void)state;
	child_program(kind.name, program);
	assert_int_equal(child_start(program, &end), 0);
	assert_int_equal(send(end.socket, question, 5, 0), 5);
	while (unread > 0) { /* at once */
		assert_int_equal(ioctl(end.socket, SIOCOUTQ, &unread), 0);
		(void)sched_yield();
	}
	(void)snprintf(path, sizeof path, "/proc/%d/oom_score_adj", end.pid);
	file = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0);
	assert_true(read(file, score, sizeof score - 1) > 0);
	close(file);
	assert_string_equal(score, "1000\n");
	gone.fd = (int)syscall(SYS_pidfd_open, end.pid, 0);
	assert_true(gone.fd >= 0);
	assert_int_equal(poll(&gone, 1, 0), 0);
	close(end.socket); /* as the kernel does */
	assert_int_equal(poll(&gone, 1, PATIENCE_MS), 1);
	assert_int_equal(waitpid(end.pid, &status, 0), end.pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(gone.fd);
}

static void
one_that_computes_for_too_long_is_ended_by_it(void **state)
{
	struct question question;

	(void)state;
	ask_another(&large_kind);
	question = asked_within("s", LONG_MS);
	assert_int_equal(question.rc, TRL_UNAVAILABLE);
	assert_true(question.failed);
}

static atomic_bool enough;

/* As the kernel does when memory is short. */
static void *
kill_each(void *nothing)
{
	while (!atomic_load(&enough)) {
		const int pid = trl_child_pid(rig.child);

		if (pid > 0)
			(void)kill(pid, SIGKILL);
		(void)sched_yield();
	}
	return nothing;
}

static void
one_that_is_killed_each_time_is_not_its_questions_fault(void **state)
{
	struct question question;
	pthread_t killer;

	(void)state;
	ask_another(&large_kind);
	assert_int_equal(pthread_create(&killer, NULL, kill_each, NULL), 0);
	question = asked_of("h");
	atomic_store(&enough, true);
	assert_int_equal(pthread_join(killer, NULL), 0);
	assert_int_equal(question.rc, TRL_UNAVAILABLE);
	assert_non_null(strstr(question.message, "by signal 9"));
	assert_false(question.failed);
}

static void
one_that_is_renewed_is_another_when_it_is_asked_again(void **state)
{
	int pid;

	(void)state;
	trl_child_renew(rig.child); /* where there is none */
	assert_string_equal(answer_to("eone"), "one");
	pid = trl_child_pid(rig.child);
	trl_child_renew(rig.child);
	assert_string_equal(answer_to("etwo"), "two");
	assert_int_not_equal(trl_child_pid(rig.child), pid);
	assert_int_equal(kill(pid, 0), -1);
	pid = trl_child_pid(rig.child);
	assert_string_equal(answer_to("ethree"), "three");
	assert_int_equal(trl_child_pid(rig.child), pid);
}

static void
what_is_too_large_ends_it(void **state)
{
	static char large[(1 << 20) + 2];
	struct question question = asked_of("l");

	(void)state;
	assert_int_equal(question.rc, TRL_UNAVAILABLE);
	memset(large, 'e', sizeof large - 1);
	question = asked_of(large);
	assert_int_equal(question.rc, TRL_INTERNAL);
	large[1 << 20] = '\0';
	question = asked_of(large);
	assert_int_equal(question.rc, TRL_OK);
	assert_int_equal(question.reply_len, (1 << 20) - 1);
}

static void
one_that_is_killed_at_rest_or_at_work_is_replaced(void **state)
{
	int pid;

	(void)state;
	assert_string_equal(answer_to("eone"), "one");
	pid = trl_child_pid(rig.child);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_string_equal(answer_to("etwo"), "two");
	assert_int_not_equal(trl_child_pid(rig.child), pid);
}

static int
descriptors_open(void)
{
	int n = 0;

	for (int i = 0; i < 256; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

static void
a_file_goes_along_and_neither_side_keeps_it(void **state)
{
	const int file = file_of(3);
	struct trl_buf reply = { 0 };
	int before;

	(void)state;
	assert_string_equal(answer_to("estart"), "start");
	before = descriptors_open();
	trl_buf_adds(&reply, "x");
	for (int i = 0; i < 100; i++) /* more than it may have open */
		assert_int_equal(asked_of_file("a", file, &reply), TRL_OK);
	assert_int_equal(reply.len, 301);
	assert_memory_equal(reply.data, "xyyyyyy", 7);
	assert_string_equal(answer_to("d"), "0 1 2 ");
	assert_int_equal(descriptors_open(), before);
	trl_buf_fini(&reply);
	close(file);
}

static void
a_file_of_megabytes_comes_back_and_more_than_agreed_does_not(void **state)
{
	const int fits = file_of(LARGE_MAX), large = file_of(LARGE_MAX + 1);
	struct trl_buf reply = { 0 };

	(void)state;
	ask_another(&large_kind);
	assert_int_equal(asked_of_file("a", fits, &reply), TRL_OK);
	assert_int_equal(reply.len, LARGE_MAX);
	assert_int_equal(reply.data[LARGE_MAX - 1], 'y');
	assert_int_equal(asked_of_file("a", large, &reply), TRL_UNAVAILABLE);
	assert_int_equal(reply.len, LARGE_MAX); /* as it was */
	trl_buf_fini(&reply);
	close(fits);
	close(large);
}

static void
a_file_can_only_be_read(void **state)
{
	const int file = file_of(3);
	struct trl_buf reply = { 0 };

	(void)state;
	assert_int_equal(asked_of_file("i", file, &reply), TRL_OK);
	trl_buf_add(&reply, "", 1);
	assert_string_equal((char *)reply.data, strerror(EBADF));
	trl_buf_fini(&reply);
	close(file);
}

/* It died over it, so it is tried again with the same file; then the next one's. */
static void
one_that_crashes_over_a_file_takes_it_along(void **state)
{
	const int file = file_of(3), before = descriptors_open();
	struct trl_buf reply = { 0 };

	(void)state;
	assert_int_equal(asked_of_file("c", file, &reply), TRL_UNAVAILABLE);
	assert_int_equal(reply.len, 0);
	assert_int_equal(descriptors_open(), before);
	assert_int_equal(asked_of_file("a", file, &reply), TRL_OK);
	assert_int_equal(reply.len, 3);
	trl_buf_fini(&reply);
	close(file);
}

static size_t
count(const struct question *all, enum trl_code rc)
{
	size_t n = 0;

	for (size_t i = 0; i < MANY; i++)
		n += all[i].done && all[i].rc == rc;
	return n;
}

static bool
are_done(void *arg)
{
	const struct question *all = arg;

	for (size_t i = 0; i < MANY; i++)
		if (!all[i].done)
			return false;
	return true;
}

static void
many_at_once_wait_in_a_bounded_queue(void **state)
{
	static struct question all[MANY];

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		const struct trl_spawn spawn = { .name = "ask",
			.run = ask,
			.arg = &all[i],
			.timeout_ms = PATIENCE_MS };

		all[i] = (struct question){ .text = "emany" };
		assert_int_equal(trl_spawn(rig.loop, &spawn), TRL_OK);
	}
	assert_true(trl_loop_run_until(rig.loop, are_done, all, PATIENCE_MS));
	assert_int_equal(count(all, TRL_OK), QUEUE + 1);
	assert_int_equal(count(all, TRL_BUSY), MANY - QUEUE - 1);
}

static void
a_program_that_is_not_there_is_said(void **state)
{
	static const struct trl_child_kind missing = { .name = "missing",
		.request_max = 10,
		.reply_max = 10,
		.timeout_ms = 400,
		.idle_ms = 100,
		.queue = 1 };
	struct question question;

	(void)state;
	ask_another(&missing);
	question = asked_of("e");
	assert_int_equal(question.rc, TRL_UNAVAILABLE);
	assert_non_null(strstr(
	    question.message, "trellis-missing cannot be started: No such file"));
	assert_false(question.failed);
}

static void
a_program_that_is_broken_is_no_questions_fault(void **state)
{
	struct trl_child_kind other = kind;
	struct question question;

	(void)state;
	other.name = "stillborn";
	ask_another(&other);
	question = asked_of("e");
	assert_int_equal(question.rc, TRL_UNAVAILABLE);
	assert_non_null(
	    strstr(question.message, "it ended by status 7 before it was asked"));
	assert_false(question.failed);
	other = kind;
	other.version = VERSION + 1;
	ask_another(&other);
	question = asked_of("e");
	assert_non_null(strstr(question.message, "it is of another release"));
	assert_false(question.failed);
	assert_int_equal(trl_child_pid(rig.child), 0);
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(it_starts_when_it_is_asked_and_is_gone_when_nobody_asks),
		RIGGED(it_gets_nothing_of_the_service),
#if CONFINED
		RIGGED(it_can_do_nothing_but_read_and_answer),
#endif
		RIGGED(one_that_crashes_costs_one_question),
		RIGGED(one_that_hangs_is_ended_in_time),
		RIGGED(one_that_computes_for_too_long_is_ended_by_it),
		RIGGED(one_that_is_killed_each_time_is_not_its_questions_fault),
		RIGGED(one_that_is_at_work_ends_when_its_service_has_died),
		RIGGED(one_that_is_renewed_is_another_when_it_is_asked_again),
		RIGGED(what_is_too_large_ends_it),
		RIGGED(one_that_is_killed_at_rest_or_at_work_is_replaced),
		RIGGED(a_file_goes_along_and_neither_side_keeps_it),
		RIGGED(a_file_of_megabytes_comes_back_and_more_than_agreed_does_not),
		RIGGED(a_file_can_only_be_read),
		RIGGED(one_that_crashes_over_a_file_takes_it_along),
		RIGGED(many_at_once_wait_in_a_bounded_queue),
		RIGGED(a_program_that_is_not_there_is_said),
		RIGGED(a_program_that_is_broken_is_no_questions_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
