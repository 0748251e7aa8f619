/* local_list.c - all that lies in the folder, for the sweep: page by page in the order
 * of the names, so that what comes and goes meanwhile is seen once or not at all. What
 * a name means is said by its form; what has another one is a stranger's. A folder of
 * the root that is no organisation's (lost+found, .snapshot) is not entered, and what
 * cannot be read stops nothing: it is passed over, and counted. */
#include "local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trl/log.h>

enum { PATH_BYTES = 512, DEEPEST = 4 };

struct list_work {
	struct local_work of;
	const char *after;
	bool full;
	size_t n;
	size_t passed; /* over, so far */
	size_t
	    passed_here; /* before the last that was found: the next page has others */
	char unread[PATH_BYTES];
	int why; /* an errno */
	struct store_found found[STORE_PAGE];
	char names[STORE_PAGE][PATH_BYTES];
};

struct names {
	char **each;
	size_t n, room;
};

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
add_name(struct names *names, const char *name)
{
	if (names->n == names->room) {
		names->room = names->room > 0 ? 2 * names->room : 64;
		names->each = realloc(names->each, names->room * sizeof *names->each);
		trl_assert(names->each != NULL);
	}
	names->each[names->n] = strdup(name);
	trl_assert(names->each[names->n] != NULL);
	names->n++;
}

static void
free_names(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->each[i]);
	free(names->each);
}

/* Of the folder, in their order. 0 or an errno. */
static int
read_names(DIR *listing, struct names *names)
{
	const struct dirent *entry;

	errno = 0;
	while ((entry = readdir(listing)) != NULL) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			add_name(names, entry->d_name);
		errno = 0;
	}
	if (errno != 0)
		return errno;
	if (names->n > 1)
		qsort(names->each, names->n, sizeof *names->each, compare_names);
	return 0;
}

/* "FILE" and what may follow it. */
static bool
read_file_name(const char *text, struct store_found *found, const char **rest)
{
	if (strlen(text) < TRL_ID_TEXT - 1 ||
	    !trl_id_parse(text, TRL_ID_TEXT - 1, &found->file))
		return false;
	*rest = text + TRL_ID_TEXT - 1;
	return true;
}

static bool
read_part(const char *text, struct store_found *found)
{
	const size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	if (len == 0 || len >= STORE_PART_BYTES)
		return false;
	memcpy(found->part, text, len);
	found->kind = text[len] == '\0' ? STORE_MADE : STORE_SCRAP;
	return text[len] == '\0' || text[len] == '.';
}

/* TENANT/XX/FILE[.part|.made/KEY[.ID]] */
static void
understand(const char *path, struct store_found *found)
{
	const size_t id = TRL_ID_TEXT - 1;
	const char *rest;

	if (strlen(path) > id + 4 && trl_id_parse(path, id, &found->tenant) &&
	    path[id] == '/' && path[id + 3] == '/' &&
	    read_file_name(path + id + 4, found, &rest)) {
		found->kind = STORE_WHOLE;
		if (*rest == '\0')
			return;
		found->kind = STORE_UPLOAD;
		if (!strcmp(rest, ".part"))
			return;
		if (!strncmp(rest, ".made/", 6) && read_part(rest + 6, found))
			return;
	}
	found->tenant = found->file = trl_id_nil;
	found->part[0] = '\0';
	found->kind = STORE_SCRAP;
}

static void
add_found(struct list_work *work, const char *path, const struct stat *st)
{
	struct store_found *found = &work->found[work->n];

	*found = (struct store_found){ .size = (uint64_t)st->st_size,
		.changed_us = (int64_t)st->st_mtim.tv_sec * 1000000 +
			      st->st_mtim.tv_nsec / 1000 };
	understand(path, found);
	strcpy(work->names[work->n], path);
	found->name = work->names[work->n];
	work->n++;
	work->passed_here = work->passed;
}

/* Whether a path was visited by the time that the walk had come to after: names are
 * compared folder by folder, and a folder that after lies in was not left yet. */
static bool
is_behind(const char *path, const char *after)
{
	while (*path == *after && *path != '\0') {
		path++;
		after++;
	}
	if (*path == '\0')
		return *after != '/';
	if (*path == '/' || *after == '/')
		return *path == '/' && *after != '\0';
	return (unsigned char)*path < (unsigned char)*after;
}

/* What is not there any more is fine. What is for want of room in this process, or is
 * about the root, is about all of it: then false. */
static bool
pass_over(struct list_work *work, const char *path, int error)
{
	if (error == ENOENT && path[0] != '\0')
		return true;
	if (path[0] == '\0' || error == EMFILE || error == ENFILE || error == ENOMEM) {
		work->of.error = error;
		return false;
	}
	if (work->passed++ == 0) {
		snprintf(work->unread, sizeof work->unread, "%s", path);
		work->why = error;
	}
	return true;
}

static bool
is_tenants(const char *name)
{
	struct trl_id tenant;

	return trl_id_parse(name, strlen(name), &tenant);
}

static bool walk(
    struct list_work *work, int at, const char *name, char *path, unsigned depth);

/* False: the page is full, or it failed. */
static bool
visit(struct list_work *work, int fd, const char *name, char *path, unsigned depth)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return pass_over(work, path, errno);
	if (S_ISDIR(st.st_mode))
		return depth >= DEEPEST || (depth == 0 && !is_tenants(name)) ||
		       walk(work, fd, name, path, depth + 1);
	if (work->n == STORE_PAGE) {
		work->full = true;
		return false;
	}
	if (strcmp(path, "trellis-media") != 0)
		add_found(work, path, &st);
	return true;
}

static bool
visit_all(struct list_work *work, int fd, const struct names *names, char *path,
    unsigned depth)
{
	const size_t len = strlen(path);
	bool goes_on = true;

	for (size_t i = 0; goes_on && i < names->n; i++) {
		const int n = snprintf(path + len, PATH_BYTES - len, "%s%s",
		    len > 0 ? "/" : "", names->each[i]);

		if (n < 0 || (size_t)n >= PATH_BYTES - len)
			continue;
		if (!is_behind(path, work->after))
			goes_on = visit(work, fd, names->each[i], path, depth);
	}
	path[len] = '\0';
	return goes_on;
}

static bool
walk(struct list_work *work, int at, const char *name, char *path, unsigned depth)
{
	const int fd =
	    openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	struct names names = { 0 };
	bool goes_on;
	int error;

	if (listing == NULL) {
		error = errno;
		if (fd >= 0)
			close(fd);
		return pass_over(work, path, error);
	}
	error = read_names(listing, &names);
	goes_on = error == 0 ? visit_all(work, fd, &names, path, depth)
			     : pass_over(work, path, error);
	free_names(&names);
	closedir(listing);
	return goes_on;
}

static void
list_page(void *arg)
{
	struct list_work *work = arg;
	char path[PATH_BYTES] = "";

	(void)walk(work, work->of.store->root, ".", path, 0);
}

static void
keep_page(trl_ctx *ctx, const struct list_work *work, struct store_listing *at)
{
	at->n = work->n;
	at->ended = !work->full;
	at->passed = work->full ? work->passed_here : work->passed;
	if (at->passed > 0)
		trl_log(TRL_LOG_ERROR, ctx,
		    "something in the media folder cannot be read: it is passed over",
		    TRL_LOG_STR("first", work->unread),
		    TRL_LOG_STR("why", strerror(work->why)),
		    TRL_LOG_INT("count", (int64_t)at->passed));
	at->found =
	    trl_arena_memdup(ctx->arena, work->found, work->n * sizeof *work->found);
	for (size_t i = 0; i < at->n; i++)
		at->found[i].name = trl_arena_strdup(ctx->arena, work->names[i]);
	if (at->n > 0)
		snprintf(at->after, sizeof at->after, "%s", work->names[at->n - 1]);
}

enum trl_code
local_list(trl_ctx *ctx, media_store *base, struct store_listing *at)
{
	struct local_store *store = (struct local_store *)base;
	struct list_work *work = calloc(1, sizeof *work);
	enum trl_code rc;

	trl_assert(work != NULL);
	work->of.store = store;
	work->after = at->after;
	rc = local_do(ctx, store, false, list_page, work);
	if (rc == TRL_OK && work->of.error != 0)
		rc = local_fail(ctx, store,
		    work->of.error == ENOENT ? EIO : work->of.error,
		    "listing the folder");
	if (rc == TRL_OK)
		keep_page(ctx, work, at);
	free(work);
	return rc;
}
