/* password_memory.c - whether there will be memory for as many hashes at once as there
 * are slots. It is asked at start, because a process that finds out under its first
 * rush answers 503 for ever and nobody knows why. A limit on the address space or on
 * data (ulimit -v, -d) is found by asking for that much and giving it back untouched;
 * one of a control group, which would kill the process, is read. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#include <trl/complain.h>

#include "password.h"

enum { BESIDES_MIB = 32 }; /* what auth needs beside its hashes */

/* The number in a file; none where there is no such file, or it says "max". */
static size_t
read_limit(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long long bytes;
	size_t limit = SIZE_MAX;

	if (!file)
		return SIZE_MAX;
	if (fscanf(file, "%llu", &bytes) == 1 && bytes < SIZE_MAX)
		limit = (size_t)bytes;
	fclose(file);
	return limit;
}

/* The least limit of a group and of those it lies in. path is cut while going up. */
static size_t
least_upwards(const char *top, char *path, const char *name)
{
	size_t least = SIZE_MAX, found;
	char file[PATH_MAX], *slash;

	for (;;) {
		if (snprintf(file, sizeof file, "%s%s/%s", top, path, name) <
		    (int)sizeof file) {
			found = read_limit(file);
			if (found < least)
				least = found;
		}
		slash = strrchr(path, '/');
		if (!slash)
			return least;
		*slash = '\0';
	}
}

size_t
auth_memory_of_group(const char *groups, const char *top)
{
	FILE *file = fopen(groups, "re");
	size_t least = SIZE_MAX, found;
	char line[PATH_MAX], of_v1[PATH_MAX], *path;

	if (!file)
		return SIZE_MAX;
	snprintf(of_v1, sizeof of_v1, "%s/memory", top);
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = '\0';
		found = SIZE_MAX;
		if (strncmp(line, "0::", 3) == 0)
			found = least_upwards(top, line + 3, "memory.max");
		else if ((path = strstr(line, ":memory:")) != NULL)
			found = least_upwards(of_v1, path + 8, "memory.limit_in_bytes");
		if (found < least)
			least = found;
	}
	fclose(file);
	return least;
}

static bool
can_be_had(size_t bytes)
{
	void *all = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return all != MAP_FAILED && munmap(all, bytes) == 0;
}

bool
auth_memory_fits(unsigned slots, size_t each, size_t group)
{
	const size_t besides = (size_t)BESIDES_MIB << 20;
	const size_t needed = each * slots + besides;

	if (needed <= group && can_be_had(needed))
		return true;
	trl_complain("TRELLIS_ARGON2_SLOTS: %u password hashes at once of %zu MiB need "
		     "%zu MiB, with what auth needs besides, and %s. Raise that limit, "
		     "or lower TRELLIS_ARGON2_SLOTS or TRELLIS_ARGON2_MEMORY_KIB.",
	    slots, each >> 20, needed >> 20,
	    needed > group
		? "the memory limit of its control group is lower"
		: "this process may not have so much (see ulimit -v and -d)");
	return false;
}
