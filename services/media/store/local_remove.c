/* local_remove.c - bytes go, and the folders that are empty then. Nothing waits for the
 * disk: what comes back after a loss of power the sweep finds. */
#include "local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct remove_work {
	struct local_work of;
	const struct store_object *object;
	const char *path; /* of what a listing found */
	bool upload_only;
	char tenant[TRL_ID_TEXT];
	bool more;
};

/* 0 or an errno; that it is not there is fine. */
static int
unlink_in(int dir, const char *name)
{
	return unlinkat(dir, name, 0) == 0 || errno == ENOENT ? 0 : errno;
}

/* A file's own bytes, and what an upload left. */
static int
remove_own(int dir, const struct store_object *object)
{
	const struct store_object own = { object->tenant, object->file, "" };
	char name[LOCAL_NAME_BYTES];
	int error;

	local_upload_of(&own, name);
	error = unlink_in(dir, name);
	local_name_of(&own, name);
	return error != 0 ? error : unlink_in(dir, name);
}

static int
remove_made(int dir, const struct store_object *object)
{
	char name[LOCAL_NAME_BYTES];

	trl_id_format(object->file, name);
	strcat(name, ".made");
	return local_dir_remove(dir, name) == 0 ? 0 : errno;
}

static void
remove_file(void *arg)
{
	struct remove_work *work = arg;
	const struct store_object *object = work->object;
	char path[LOCAL_DIR_BYTES], name[LOCAL_NAME_BYTES];
	const bool made = object->part != NULL && object->part[0] != '\0';
	int dir;

	if (made)
		local_dir_of_part(object, path);
	else
		local_dir_of(object, path);
	dir = local_dir_open(work->of.store, path);
	if (dir < 0) {
		work->of.error = errno == ENOENT ? 0 : errno;
		return;
	}
	if (made) {
		local_name_of(object, name);
		work->of.error = unlink_in(dir, name);
	} else {
		work->of.error = remove_own(dir, object);
	}
	if (object->part == NULL && work->of.error == 0)
		work->of.error = remove_made(dir, object);
	close(dir);
	local_dir_prune(work->of.store, path);
}

static enum trl_code
run(trl_ctx *ctx, media_store *base, void (*fn)(void *work), struct remove_work *work)
{
	struct local_store *store = (struct local_store *)base;
	enum trl_code rc;

	work->of.store = store;
	rc = local_do(ctx, store, false, fn, work);
	if (rc == TRL_OK && work->of.error != 0)
		rc = local_fail(ctx, store, work->of.error, "removing a file");
	return rc;
}

enum trl_code
local_remove(trl_ctx *ctx, media_store *store, const struct store_object *object)
{
	struct remove_work work = { .object = object };

	return run(ctx, store, remove_file, &work);
}

enum trl_code
local_abandon(trl_ctx *ctx, media_store *store, const struct store_object *object)
{
	const struct store_object own = { object->tenant, object->file, "" };
	struct remove_work work = { .object = &own };

	return run(ctx, store, remove_file, &work);
}

/* One of a tenant's folders, so that others get their turn on the threads. */
static void
remove_some(void *arg)
{
	struct remove_work *work = arg;
	const int fd = local_dir_open(work->of.store, work->tenant);
	const struct dirent *entry;
	DIR *listing;

	work->more = false;
	if (fd < 0) {
		work->of.error = errno == ENOENT ? 0 : errno;
		return;
	}
	listing = fdopendir(fd);
	trl_assert(listing != NULL);
	while ((entry = readdir(listing)) != NULL &&
	       (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")))
		continue;
	work->more = entry != NULL;
	if (entry != NULL && local_dir_remove(fd, entry->d_name) != 0)
		work->of.error = errno;
	closedir(listing);
	local_dir_prune(work->of.store, work->tenant);
}

enum trl_code
local_remove_tenant(trl_ctx *ctx, media_store *store, struct trl_id tenant, bool *more)
{
	struct remove_work work = { .more = true };
	const uint64_t until_us = store_until(ctx);
	enum trl_code rc;

	trl_id_format(tenant, work.tenant);
	do
		rc = run(ctx, store, remove_some, &work);
	while (rc == TRL_OK && work.more && trl_mono_us() < until_us);
	*more = rc == TRL_OK && work.more;
	return rc;
}

static void
forget_file(void *arg)
{
	struct remove_work *work = arg;
	char *slash, *path = strdup(work->path);

	trl_assert(path != NULL);
	work->of.error = unlink_in(work->of.store->root, path);
	slash = strrchr(path, '/');
	if (slash != NULL) {
		*slash = '\0';
		local_dir_prune(work->of.store, path);
	}
	free(path);
}

enum trl_code
local_forget(trl_ctx *ctx, media_store *store, const struct store_found *found)
{
	struct remove_work work = { .path = found->name };

	return run(ctx, store, forget_file, &work);
}
