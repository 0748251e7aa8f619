/* test_complain.c - the same sentence, to a reader of text and to one of JSON lines. */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include <cmocka.h>

#include <trl/complain.h>
#include <trl/log.h>

/* What a process of its own says to this stderr, as the last reader's end has it. */
static const char *
said(int to, int from, bool serves)
{
	static char text[4096];
	size_t len = 0;
	ssize_t n;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(to, STDERR_FILENO);
		trl_log_init("tested", TRL_LOG_ERROR);
		if (serves)
			trl_complain_in_log();
		trl_complain("cannot \"%s\": %s", "listen", "it is taken\n");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(to);
	while (len < sizeof text - 1 &&
	       (n = read(from, text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(from);
	return text;
}

static const char *
said_to_pipe(bool serves)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	return said(ends[1], ends[0], serves);
}

static void
a_command_says_it_as_a_line_of_text(void **state)
{
	(void)state;
	assert_string_equal(said_to_pipe(false), "cannot \"listen\": it is taken\n");
}

static void
a_process_that_serves_says_it_as_one_error_line_of_its_log(void **state)
{
	const char *line, *end;

	(void)state;
	line = said_to_pipe(true);
	end = "\"service.name\":\"tested\",\"body\":\"cannot \\\"listen\\\": it is "
	      "taken\"}\n";
	assert_int_equal(strncmp(line, "{\"timestamp\":\"2", 15), 0);
	assert_non_null(strstr(line, "\"severity_text\":\"ERROR\""));
	assert_true(strlen(line) > strlen(end));
	assert_string_equal(line + strlen(line) - strlen(end), end);
}

static void
a_person_at_a_terminal_reads_text(void **state)
{
	int screen = posix_openpt(O_RDWR | O_NOCTTY), process;

	(void)state;
	assert_true(screen >= 0);
	assert_int_equal(grantpt(screen), 0);
	assert_int_equal(unlockpt(screen), 0);
	process = open(ptsname(screen), O_RDWR | O_NOCTTY);
	assert_true(process >= 0);
	assert_string_equal(
	    said(process, screen, true), "cannot \"listen\": it is taken\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_says_it_as_a_line_of_text),
		cmocka_unit_test(
		    a_process_that_serves_says_it_as_one_error_line_of_its_log),
		cmocka_unit_test(a_person_at_a_terminal_reads_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
