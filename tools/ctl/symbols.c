/* symbols.c - from an address in a file to a function and a line, by binutils'
 * addr2line, which reads DWARF. One process for all addresses of a file; no shell. */
#include "symbols.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include <trl/crash_file.h>

extern char **environ;

bool
ctl_symbols_file(const struct trl_crash_module *module, char out[1024])
{
	const char *name = strrchr(module->path, '/');
	char build[44], own[512];
	ssize_t n;

	if (name == NULL || module->build[0] == '\0')
		return false;
	snprintf(out, 1024, "%s", module->path);
	trl_build_id_of(out, build);
	if (strcmp(build, module->build) == 0)
		return true;
	/* It may have come from elsewhere: beside this command. */
	n = readlink("/proc/self/exe", own, sizeof own - 1);
	if (n <= 0)
		return false;
	own[n] = '\0';
	*strrchr(own, '/') = '\0';
	snprintf(out, 1024, "%s%s", own, name);
	trl_build_id_of(out, build);
	return strcmp(build, module->build) == 0;
}

/* Starts it; gives what it will print, or NULL (errno). */
static FILE *
begin(const char *path, const uint64_t *offsets, size_t n, pid_t *child)
{
	char *argv[CTL_SYMBOLS_MAX + 5], (*texts)[20] = calloc(n, sizeof *texts);
	posix_spawn_file_actions_t actions;
	int pipes[2], error;

	trl_assert(texts != NULL && pipe(pipes) == 0);
	argv[0] = "addr2line";
	argv[1] = "-pfiC";
	argv[2] = "-e";
	argv[3] = (char *)path;
	for (size_t i = 0; i < n; i++) {
		snprintf(
		    texts[i], sizeof *texts, "0x%llx", (unsigned long long)offsets[i]);
		argv[4 + i] = texts[i];
	}
	argv[4 + n] = NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, pipes[0]);
	posix_spawn_file_actions_addclose(&actions, pipes[1]);
	error = posix_spawnp(child, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	free(texts);
	if (error == 0)
		return fdopen(pipes[0], "r");
	close(pipes[0]);
	errno = error;
	return NULL;
}

/* "touch at /src/a.c:39 (discriminator 2)", or what was inlined: " (inlined by) ...".
 */
static void
read_line(char *line, struct ctl_symbol *symbol)
{
	static const char inlined[] = " (inlined by) ";
	char *at;

	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, inlined, sizeof inlined - 1) == 0)
		line += sizeof inlined - 1;
	at = strstr(line, " at ");
	if (at == NULL || strncmp(line, "??", 2) == 0)
		return;
	*at = '\0';
	at[4 + strcspn(at + 4, " ")] = '\0';
	if (symbol->function[0] == '\0') {
		snprintf(symbol->function, sizeof symbol->function, "%.127s", line);
		/* Without debug information it is the last exported one before. */
		if (strncmp(at + 4, "??", 2) != 0)
			snprintf(symbol->place, sizeof symbol->place, "%.255s", at + 4);
	} else {
		size_t len = strlen(symbol->inside);

		snprintf(symbol->inside + len, sizeof symbol->inside - len, "%s%.100s",
		    len > 0 ? ", " : "", line);
	}
}

bool
ctl_symbols(const char *path, const uint64_t *offsets, size_t n, struct ctl_symbol *out)
{
	size_t at = 0;
	char line[2048];
	pid_t child;
	FILE *said;

	trl_assert(n <= CTL_SYMBOLS_MAX);
	memset(out, 0, n * sizeof *out);
	if (n == 0)
		return true;
	said = begin(path, offsets, n, &child);
	if (said == NULL)
		return false;
	while (fgets(line, sizeof line, said) != NULL) {
		at += line[0] != ' '; /* a further line is of the same address */
		if (at > 0 && at <= n)
			read_line(line, &out[at - 1]);
	}
	fclose(said);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return true;
}
