/* local_dirs.c - the folders of the local store. They are made when something is
 * written, and go when they are empty; somebody may take one away just then, so making
 * begins again a few times. */
#include "local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 8, DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW };

void
local_dir_of(const struct store_object *object, char dir[LOCAL_DIR_BYTES])
{
	char tenant[TRL_ID_TEXT];

	trl_id_format(object->tenant, tenant);
	snprintf(
	    dir, LOCAL_DIR_BYTES, "%s/%02x", tenant, (unsigned)object->file.bytes[15]);
}

void
local_dir_of_part(const struct store_object *object, char dir[LOCAL_DIR_BYTES])
{
	char file[TRL_ID_TEXT];
	size_t len;

	local_dir_of(object, dir);
	if (object->part != NULL && object->part[0] == '\0')
		return;
	trl_id_format(object->file, file);
	len = strlen(dir);
	snprintf(dir + len, LOCAL_DIR_BYTES - len, "/%s.made", file);
}

void
local_name_of(const struct store_object *object, char name[LOCAL_NAME_BYTES])
{
	const size_t len = strlen(object->part);

	if (len == 0) {
		trl_id_format(object->file, name);
		return;
	}
	trl_assert(
	    len < STORE_PART_BYTES &&
	    strspn(object->part, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len);
	memcpy(name, object->part, len + 1);
}

void
local_upload_of(const struct store_object *object, char name[LOCAL_NAME_BYTES])
{
	trl_id_format(object->file, name);
	strcat(name, ".part");
}

int
local_dir_open(const struct local_store *store, const char *dir)
{
	return openat(store->root, dir, DIR_FLAGS);
}

/* Calls fn for each folder of the path, the outermost first, until it gives -1. */
static int
each_above(const struct local_store *store, const char *dir,
    int (*fn)(const struct local_store *store, const char *dir))
{
	char path[LOCAL_DIR_BYTES];

	for (const char *slash = strchr(dir, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		memcpy(path, dir, (size_t)(slash - dir));
		path[slash - dir] = '\0';
		if (fn(store, path) != 0)
			return -1;
	}
	return 0;
}

static int
make_one(const struct local_store *store, const char *dir)
{
	return mkdirat(store->root, dir, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

int
local_dir_make(const struct local_store *store, const char *dir)
{
	int fd = local_dir_open(store, dir);

	for (int i = 0; fd < 0 && errno == ENOENT && i < TRIES; i++)
		if ((each_above(store, dir, make_one) == 0 &&
			make_one(store, dir) == 0) ||
		    errno == ENOENT)
			fd = local_dir_open(store, dir);
	return fd;
}

static int
sync_one(const struct local_store *store, const char *dir)
{
	const int fd = local_dir_open(store, dir);
	int rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int
local_dir_sync(const struct local_store *store, const char *dir, int fd)
{
	if (fsync(fd) != 0 || each_above(store, dir, sync_one) != 0)
		return -1;
	return fsync(store->root);
}

void
local_dir_prune(const struct local_store *store, const char *dir)
{
	char path[LOCAL_DIR_BYTES], *slash;

	snprintf(path, sizeof path, "%s", dir);
	while (unlinkat(store->root, path, AT_REMOVEDIR) == 0 &&
	       (slash = strrchr(path, '/')) != NULL)
		*slash = '\0';
}

/* Two levels at most: what was made of a file. */
static int
remove_inside(DIR *listing)
{
	const int at = dirfd(listing);
	const struct dirent *entry;

	errno = 0;
	while ((entry = readdir(listing)) != NULL) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(at, entry->d_name, 0) != 0 && errno != ENOENT &&
		    (errno != EISDIR || local_dir_remove(at, entry->d_name) != 0))
			return -1;
		errno = 0;
	}
	return errno == 0 ? 0 : -1;
}

int
local_dir_remove(int at, const char *name)
{
	const int fd = openat(at, name, DIR_FLAGS);
	DIR *listing;
	int rc, error;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	listing = fdopendir(fd);
	trl_assert(listing != NULL);
	rc = remove_inside(listing);
	error = errno;
	closedir(listing);
	errno = error;
	if (rc == 0 && unlinkat(at, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		rc = -1;
	return rc;
}
