/* crash_dir.c - the folder of crash files: which there are, how far each has come. A
 * file is moved by rename(2), which only one of two processes can do. */
#include <trl/crash_file.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

enum { ENTRIES_MAX = 1024, NUMBER_MAX = 999999 };

static const char *const ends[] = {
	[TRL_CRASH_NEW] = ".crash",
	[TRL_CRASH_READING] = ".reading",
	[TRL_CRASH_SEEN] = ".seen",
	[TRL_CRASH_REPORTED] = ".reported",
};

/* Takes "-" and at most so many digits. */
static bool
take_number(const char **at, size_t digits, unsigned *out)
{
	size_t n = **at == '-' ? strspn(*at + 1, "0123456789") : 0;

	if (n == 0 || n > digits)
		return false;
	*out = (unsigned)strtoul(*at + 1, NULL, 10);
	*at += 1 + n;
	return true;
}

/* Reads "tenants-000017-4711.seen". A service's name has no hyphen. */
static bool
read_name(const char *name, struct trl_crash_entry *out)
{
	size_t len = strcspn(name, "-");
	const char *at = name + len;

	if (len == 0 || len >= sizeof out->service ||
	    strlen(name) >= sizeof out->name || !take_number(&at, 6, &out->number) ||
	    !take_number(&at, 9, &out->pid))
		return false;
	for (size_t i = 0; i < TRL_COUNT(ends); i++) {
		if (strcmp(at, ends[i]) != 0)
			continue;
		out->state = (enum trl_crash_state)i;
		memcpy(out->service, name, len);
		out->service[len] = '\0';
		strcpy(out->name, name);
		return true;
	}
	return false;
}

static int
by_number(const void *a, const void *b)
{
	const struct trl_crash_entry *x = a, *y = b;
	int order = strcmp(x->service, y->service);

	if (order != 0)
		return order;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return strcmp(x->name, y->name);
}

bool
trl_crash_list(const char *dir, const char *service, struct trl_crash_entry *out,
    size_t max, size_t *n)
{
	DIR *folder = opendir(dir);
	struct trl_crash_entry entry;
	struct dirent *file;
	struct stat st;

	*n = 0;
	if (folder == NULL)
		return errno == ENOENT;
	while (*n < max && (file = readdir(folder)) != NULL) {
		if (!read_name(file->d_name, &entry) ||
		    (service != NULL && strcmp(entry.service, service) != 0))
			continue;
		entry.at_s = fstatat(dirfd(folder), file->d_name, &st, 0) == 0
				 ? (int64_t)st.st_mtime
				 : 0;
		out[(*n)++] = entry;
	}
	closedir(folder);
	qsort(out, *n, sizeof *out, by_number);
	return true;
}

/* All of a service; the caller frees. NULL: errno. */
static struct trl_crash_entry *
all_of(const char *dir, const char *service, size_t *n)
{
	struct trl_crash_entry *all = calloc(ENTRIES_MAX, sizeof *all);

	trl_assert(all != NULL);
	if (trl_crash_list(dir, service, all, ENTRIES_MAX, n))
		return all;
	free(all);
	return NULL;
}

bool
trl_crash_next(const char *dir, const char *service, unsigned *next)
{
	size_t n;
	struct trl_crash_entry *all = all_of(dir, service, &n);

	if (all == NULL)
		return false;
	*next = n == 0 ? 1 : all[n - 1].number % NUMBER_MAX + 1;
	free(all);
	return true;
}

static void
path_of(const char *dir, const char *name, char out[1024])
{
	snprintf(out, 1024, "%s/%s", dir, name);
}

bool
trl_crash_move(
    const char *dir, struct trl_crash_entry *entry, enum trl_crash_state state)
{
	char from[1024], to[1024], name[sizeof entry->name];

	snprintf(name, sizeof name, "%s-%06u-%u%s", entry->service, entry->number,
	    entry->pid, ends[state]);
	path_of(dir, entry->name, from);
	path_of(dir, name, to);
	if (rename(from, to) != 0)
		return false;
	strcpy(entry->name, name);
	entry->state = state;
	return true;
}

void
trl_crash_prune(const char *dir, const char *service)
{
	size_t n;
	struct trl_crash_entry *all = all_of(dir, service, &n);
	char path[1024];

	for (size_t i = 0; all != NULL && i + TRL_CRASH_KEPT < n; i++) {
		path_of(dir, all[i].name, path);
		unlink(path); /* or it stays, and is tried again at the next start */
	}
	free(all);
}
