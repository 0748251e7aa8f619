/* test_guard.c - what must be noticed: a stack that runs over, a loop that is held,
 * SIGUSR1. Each in a child whose stderr is read. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include <trl/actor.h>
#include <trl/log.h>

static bool
nobody_alive(void *loop)
{
	return trl_actors_alive(loop) == 0;
}

/* Runs one actor in a child; gives its end and what it said. */
static int
in_child(void (*run)(trl_ctx *ctx, void *arg), char *said, size_t room)
{
	struct rlimit no_core = { 0, 0 };
	int pipes[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		trl_loop *loop;

		setrlimit(RLIMIT_CORE, &no_core);
		dup2(pipes[1], STDERR_FILENO);
		signal(SIGSEGV, SIG_DFL); /* not the test library's */
		trl_log_init("guard", TRL_LOG_INFO);
		loop = trl_loop_new(&(struct trl_loop_options){ .watchdog_ms = 20 });
		if (trl_spawn(loop, &(struct trl_spawn){ "victim", run, NULL, 0 }) !=
		    TRL_OK)
			_exit(9);
		_exit(trl_loop_run_until(loop, nobody_alive, loop, 5000) ? 0 : 8);
	}
	close(pipes[1]);
	while (len + 1 < room && (n = read(pipes[0], said + len, room - 1 - len)) > 0)
		len += (size_t)n;
	said[len] = '\0';
	close(pipes[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int
dig(volatile char *above, int depth)
{
	volatile char here[1024];

	here[0] = (char)depth;
	if (depth == 0)
		return above[0];
	return dig(here, depth - 1) + here[0];
}

static void
overflow(trl_ctx *ctx, void *arg)
{
	volatile char top[1] = { 0 };

	(void)arg;
	ctx->call_id = (uint64_t)dig(top, 1000000);
}

static void
a_stack_overflow_meets_the_guard_and_ends_the_process(void **state)
{
	static char said[1 << 20];
	int status = in_child(overflow, said, sizeof said);

	(void)state;
	if (WIFSIGNALED(status))
		assert_int_equal(WTERMSIG(status), SIGSEGV);
	else /* the sanitizer's own end */
		assert_non_null(strstr(said, "stack-overflow"));
}

static void
hold(trl_ctx *ctx, void *arg)
{
	uint64_t end = trl_mono_us() + 40000;

	(void)ctx;
	(void)arg;
	while (trl_mono_us() < end)
		;
}

static void
the_watchdog_names_who_held_the_loop(void **state)
{
	static char said[1 << 16];
	int status = in_child(hold, said, sizeof said);

	(void)state;
	assert_int_equal(status, 0);
	assert_non_null(strstr(said, "\"body\":\"the loop was held\""));
	assert_non_null(strstr(said, "\"actor\":\"victim\""));
}

static void
ask_for_dump(trl_ctx *ctx, void *arg)
{
	(void)arg;
	raise(SIGUSR1);
	if (trl_sleep(ctx, 50) != TRL_OK)
		_exit(7);
}

static void
a_signal_lists_the_actors(void **state)
{
	static char said[1 << 16];
	int status = in_child(ask_for_dump, said, sizeof said);

	(void)state;
	assert_int_equal(status, 0);
	assert_non_null(strstr(said, "\"body\":\"actors\",\"alive\":1"));
	assert_non_null(strstr(said, "\"actor\":\"victim age "));
	assert_non_null(strstr(said, "parked on sleep"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stack_overflow_meets_the_guard_and_ends_the_process),
		cmocka_unit_test(the_watchdog_names_who_held_the_loop),
		cmocka_unit_test(a_signal_lists_the_actors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
