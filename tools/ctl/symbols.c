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

static bool
is_of_build(const char *path, const char *want)
{
	char build[44];

	trl_build_id_of(path, build);
	return strcmp(build, want) == 0;
}

/* The folder of this executable. */
static void
own_folder(char out[512])
{
	ssize_t n = readlink("/proc/self/exe", out, 511);

	out[n > 0 ? n : 0] = '\0';
	if (n > 0)
		*strrchr(out, '/') = '\0';
}

bool
ctl_symbols_file(const struct trl_crash_module *module, char out[1024])
{
	const char *name = strrchr(module->path, '/'), *build = module->build;
	char own[512];
	const char *const folders[] = { own, ".", "/usr/lib/debug" };

	if (name == NULL || build[0] == '\0')
		return false;
	own_folder(own);
	/* What was stripped of it, where debuggers look for it, too. */
	for (size_t i = 0; i < TRL_COUNT(folders); i++) {
		snprintf(out, 1024, "%s/.build-id/%.2s/%s.debug", folders[i], build,
		    build + 2);
		if (is_of_build(out, build))
			return true;
	}
	snprintf(out, 1024, "%s", module->path);
	if (is_of_build(out, build))
		return true;
	/* It may have come from elsewhere: beside this command. */
	snprintf(out, 1024, "%s%s", own, name);
	return is_of_build(out, build);
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
