/* test_crash.c - crash_victim in each way: it ends by the signal, and its file says
 * where. Under a sanitizer there is no handler of ours, which is what is tested then.
 * (Over 400 lines: one rig for all ways.) */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include <trl/crash_file.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static const char *victim;
static char folder[64];

struct end {
	int status;
	char said[1 << 16];
	struct trl_crash crash;
	size_t n_files;
	struct trl_crash_entry file;
};

static void
empty_folder(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

static void
crash(const char *how, struct end *end)
{
	struct trl_crash_entry files[4];
	int pipes[2];
	size_t len = 0;
	ssize_t n;
	pid_t child;

	memset(end, 0, sizeof *end);
	empty_folder();
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		dup2(pipes[1], STDERR_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		execl(victim, victim, how, folder, NULL);
		_exit(9);
	}
	close(pipes[1]);
	while ((n = read(pipes[0], end->said + len, sizeof end->said - 1 - len)) > 0)
		len += (size_t)n;
	close(pipes[0]);
	assert_int_equal(waitpid(child, &end->status, 0), child);
	assert_true(trl_crash_list(folder, "victim", files, 4, &end->n_files));
	if (SANITIZED) {
		assert_int_equal(end->n_files, 0);
		assert_null(strstr(end->said, "\"body\":\"crashed\""));
	}
	if (end->n_files == 0)
		return;
	end->file = files[0];
	assert_int_equal(files[0].number, 1);
	assert_int_equal(files[0].pid, child);
	assert_int_equal(files[0].state, TRL_CRASH_NEW);
	assert_true(trl_crash_read(folder, files[0].name, &end->crash));
}

/* The function that a frame lies in, by the binary's own symbols. */
static const char *
function_at(const struct trl_crash *crash, size_t frame)
{
	static char name[256];
	const struct trl_crash_module *m =
	    trl_crash_module_at(crash, crash->frames[frame].pc);
	char command[600];
	FILE *tool;

	name[0] = '\0';
	if (m == NULL || m != &crash->modules[0])
		return "";
	snprintf(command, sizeof command, "addr2line -f -e %s 0x%llx", m->path,
	    (unsigned long long)(crash->frames[frame].pc - m->bias -
				 crash->frames[frame].is_return));
	tool = popen(command, "r");
	assert_non_null(tool);
	assert_non_null(fgets(name, sizeof name, tool));
	pclose(tool);
	name[strcspn(name, "\n")] = '\0';
	return name;
}

static bool
went_through(const struct trl_crash *crash, const char *function)
{
	for (size_t i = 0; i < crash->n_frames; i++)
		if (strcmp(function_at(crash, i), function) == 0)
			return true;
	return false;
}

/* Every call was followed to the first one, and none is a guess. */
static void
ends_at(const struct trl_crash *crash, const char *function)
{
	assert_string_equal(function_at(crash, crash->n_frames - 1), function);
	for (size_t i = 0; i < crash->n_frames; i++)
		assert_false(crash->frames[i].seen);
}

static bool
ended_by(const struct end *end, int number)
{
	return WIFSIGNALED(end->status) && WTERMSIG(end->status) == number;
}

/* What all of them have. */
static void
is_complete(const struct end *end, int number)
{
	char build[44], signal_at[64];

	assert_true(ended_by(end, number));
	assert_int_equal(end->n_files, 1);
	assert_true(end->crash.readable && end->crash.whole);
	assert_string_equal(end->crash.service, "victim");
	assert_string_equal(end->crash.release, "1.2.3");
	assert_int_equal(end->crash.number, number);
	assert_int_equal(end->crash.pid, end->file.pid);
	trl_build_id_of(victim, build);
	assert_int_equal(strlen(build), 40);
	assert_string_equal(end->crash.build, build);
	assert_string_equal(end->crash.modules[0].build, build);
	assert_string_equal(strrchr(end->crash.modules[0].path, '/'), "/crash_victim");
	assert_true(end->crash.n_modules > 3 && end->crash.n_registers > 3);
	snprintf(
	    signal_at, sizeof signal_at, "\"signal\":\"%s\"", end->crash.signal_name);
	assert_non_null(strstr(end->said, "\"body\":\"crashed\""));
	assert_non_null(strstr(end->said, signal_at));
	assert_non_null(strstr(end->said, end->file.name));
}

static void
names_the_actor(const struct end *end)
{
	struct trl_id tenant;

	memset(&tenant, 0xab, sizeof tenant);
	assert_string_equal(end->crash.thread, "main");
	assert_string_equal(end->crash.actor, "victim");
	assert_string_equal(end->crash.method, "victim.v1.Victims.Crash");
	assert_true(end->crash.has_trace);
	assert_memory_equal(&end->crash.tenant, &tenant, sizeof tenant);
}

static void
a_null_pointer_leaves_a_file_that_says_where(void **state)
{
	struct end *end = *state;

	crash("null", end);
	if (SANITIZED) {
		assert_true(strstr(end->said, "AddressSanitizer") != NULL ||
			    strstr(end->said, "runtime error") != NULL);
		return;
	}
	is_complete(end, SIGSEGV);
	names_the_actor(end);
	assert_true(end->crash.has_address && end->crash.address == 0);
	assert_string_equal(function_at(&end->crash, 0), "touch");
	assert_string_equal(function_at(&end->crash, 1), "crash_null");
	assert_string_equal(function_at(&end->crash, 2), "act");
	assert_string_equal(function_at(&end->crash, 3), "begin");
	assert_false(end->crash.frames[0].is_return);
	ends_at(&end->crash, "trl_context_start");
}

static void
the_file_is_for_its_owner_only_and_holds_the_maps(void **state)
{
	struct end *end = *state;
	char path[256], line[4096];
	struct stat st;
	bool names_victim = false;
	FILE *file;

	crash("null", end);
	if (SANITIZED)
		return;
	snprintf(path, sizeof path, "%s/%s", folder, end->file.name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof line, file) != NULL)
		names_victim = names_victim || (strstr(line, "r-xp") != NULL &&
						   strstr(line, "/crash_victim"));
	fclose(file);
	assert_true(names_victim);
}

static void
an_overflowed_stack_is_told_from_both_ends(void **state)
{
	static const struct {
		const char *how, *thread;
	} rows[] = {
		{ "overflow", "main" },
		{ "overflow_offload", "offload" },
		{ "overflow_apart", "offload" },
	};
	struct end *end = *state;

	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		crash(rows[i].how, end);
		if (SANITIZED)
			continue;
		is_complete(end, SIGSEGV);
		assert_string_equal(end->crash.thread, rows[i].thread);
		assert_true(end->crash.n_frames > 64);
		assert_string_equal(function_at(&end->crash, 0), "dig");
		assert_string_equal(function_at(&end->crash, 40), "dig");
		assert_true(went_through(&end->crash, "crash_overflow"));
	}
}

static void
a_crash_inside_malloc_leads_to_its_caller(void **state)
{
	static const struct {
		const char *how, *function;
		int number;
	} rows[] = {
		{ "heap", "crash_heap", SIGABRT },
		{ "malloc", "crash_malloc", SIGSEGV },
	};
	struct end *end = *state;

	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		crash(rows[i].how, end);
		if (SANITIZED)
			continue;
		is_complete(end, rows[i].number);
		names_the_actor(end);
		assert_true(went_through(&end->crash, rows[i].function));
		ends_at(&end->crash, "trl_context_start");
	}
}

static void
a_crash_deep_in_a_library_leads_back_to_main(void **state)
{
	struct end *end = *state;

	crash("sleeper", end);
	if (SANITIZED)
		return;
	is_complete(end, SIGSEGV);
	assert_false(end->crash.has_address); /* it was sent */
	assert_true(went_through(&end->crash, "trl_loop_run"));
	assert_true(went_through(&end->crash, "main"));
	ends_at(&end->crash, "_start");
}

static void
a_call_of_nothing_leads_to_its_caller(void **state)
{
	struct end *end = *state;

	crash("call", end);
	if (SANITIZED)
		return;
	is_complete(end, SIGSEGV);
	assert_true(end->crash.frames[0].pc == 0);
	assert_string_equal(function_at(&end->crash, 1), "crash_call");
	assert_true(end->crash.frames[1].seen);
	assert_string_equal(function_at(&end->crash, 2), "act");
}

static void
an_assertion_says_its_words(void **state)
{
	struct end *end = *state;

	crash("assert", end);
	assert_non_null(strstr(end->said, "assertion failed"));
	if (SANITIZED)
		return;
	is_complete(end, SIGABRT);
	assert_non_null(
	    strstr(end->crash.note, "arg != NULL && \"it \\\"never\\\" happens\" ("));
	assert_non_null(strstr(end->crash.note, "crash_victim.c:"));
	assert_true(went_through(&end->crash, "crash_assert"));
}

static void
a_division_by_zero_is_one_of_them(void **state)
{
	struct end *end = *state;

	crash("divide", end);
	if (SANITIZED)
		return;
#if defined(__x86_64__) /* elsewhere it gives a number */
	is_complete(end, SIGFPE);
	assert_string_equal(function_at(&end->crash, 0), "crash_divide");
#endif
}

static void
an_offload_thread_has_a_stack_for_it(void **state)
{
	struct end *end = *state;

	crash("offload", end);
	if (SANITIZED)
		return;
	is_complete(end, SIGSEGV);
	assert_string_equal(end->crash.thread, "offload");
	assert_string_equal(end->crash.actor, "victims");
	assert_string_equal(end->crash.method, "");
	assert_string_equal(function_at(&end->crash, 1), "crash_null");
}

static void
a_crash_inside_the_handler_ends_the_process(void **state)
{
	struct end *end = *state;

	crash("handler", end);
	if (SANITIZED)
		return;
	assert_true(ended_by(end, SIGSEGV));
	assert_int_equal(end->n_files, 1);
	assert_true(end->crash.readable); /* most was written before */
	assert_false(end->crash.whole);
	assert_string_equal(function_at(&end->crash, 1), "crash_null");
}

static void
a_handler_that_has_no_stack_ends_the_process(void **state)
{
	struct end *end = *state;

	crash("nostack", end);
	if (SANITIZED)
		return;
	assert_true(ended_by(end, SIGSEGV));
	assert_int_equal(end->n_files, 0);
}

static void
no_descriptor_needs_to_be_free(void **state)
{
	struct end *end = *state;

	crash("nofiles", end);
	if (SANITIZED)
		return;
	is_complete(end, SIGSEGV);
	assert_true(went_through(&end->crash, "crash_without_descriptors"));
}

static void
of_threads_that_crash_at_once_one_is_told(void **state)
{
	struct end *end = *state;

	crash("many", end);
	if (SANITIZED)
		return;
	is_complete(end, SIGSEGV);
	assert_true(went_through(&end->crash, "crash_null"));
}

static void
a_folder_that_cannot_be_made_leaves_the_line(void **state)
{
	struct end *end = *state;
	char was[64];

	memcpy(was, folder, sizeof was);
	empty_folder();
	snprintf(folder, sizeof folder, "/proc/nowhere/%d", getpid());
	crash("null", end);
	memcpy(folder, was, sizeof was);
	if (SANITIZED)
		return;
	assert_true(WIFEXITED(end->status) && WEXITSTATUS(end->status) == 3);
	assert_non_null(strstr(end->said, "a crash will leave only a line here"));
}

static int
set_up(void **state)
{
	static struct end end;

	*state = &end;
	snprintf(folder, sizeof folder, "/tmp/trellis-crash-%d", getpid());
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	empty_folder();
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_null_pointer_leaves_a_file_that_says_where),
		cmocka_unit_test(the_file_is_for_its_owner_only_and_holds_the_maps),
		cmocka_unit_test(an_overflowed_stack_is_told_from_both_ends),
		cmocka_unit_test(a_crash_inside_malloc_leads_to_its_caller),
		cmocka_unit_test(a_crash_deep_in_a_library_leads_back_to_main),
		cmocka_unit_test(a_call_of_nothing_leads_to_its_caller),
		cmocka_unit_test(an_assertion_says_its_words),
		cmocka_unit_test(a_division_by_zero_is_one_of_them),
		cmocka_unit_test(an_offload_thread_has_a_stack_for_it),
		cmocka_unit_test(a_crash_inside_the_handler_ends_the_process),
		cmocka_unit_test(a_handler_that_has_no_stack_ends_the_process),
		cmocka_unit_test(no_descriptor_needs_to_be_free),
		cmocka_unit_test(of_threads_that_crash_at_once_one_is_told),
		cmocka_unit_test(a_folder_that_cannot_be_made_leaves_the_line),
	};

	assert_int_equal(argc, 2);
	victim = argv[1];
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
