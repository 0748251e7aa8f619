/* local_finish.c - what gets its name at once and for good: an upload that is whole,
 * and what was made of a file. Bytes are on the disk before the name is, and the name
 * before anybody is told. */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 8 };

struct finish_work {
	struct local_work of;
	const struct store_object *object;
	uint64_t size;
	const void *data;
};

/* As a finish before left it, which may have died before the name was durable. */
static int
is_finished(int dir, const char *name, uint64_t size)
{
	struct stat st;

	if (fstatat(dir, name, &st, 0) != 0)
		return errno;
	return (uint64_t)st.st_size == size ? 0 : ENOENT;
}

/* 0 or an errno. */
static int
cut_to(int fd, uint64_t size)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return errno;
	if ((uint64_t)st.st_size < size)
		return ENOENT;
	if ((uint64_t)st.st_size > size &&
	    (ftruncate(fd, (off_t)size) != 0 || fdatasync(fd) != 0))
		return errno;
	return 0;
}

static int
name_it(int dir, const struct store_object *object, uint64_t size)
{
	char name[LOCAL_NAME_BYTES], upload[LOCAL_NAME_BYTES];
	int fd, error;

	local_name_of(object, name);
	local_upload_of(object, upload);
	if (is_finished(dir, name, size) == 0) {
		(void)unlinkat(dir, upload, 0); /* of one who joined it again */
		return 0;
	}
	fd = local_upload_open(dir, upload, size == 0);
	if (fd < 0)
		return errno == ENOENT ? is_finished(dir, name, size) : errno;
	error = cut_to(fd, size);
	if (error == 0 && renameat(dir, upload, dir, name) != 0)
		error = errno;
	close(fd);
	return error;
}

static void
finish_file(void *arg)
{
	struct finish_work *work = arg;
	char path[LOCAL_DIR_BYTES];
	int dir;

	local_dir_of(work->object, path);
	dir = work->size == 0 ? local_dir_make(work->of.store, path)
			      : local_dir_open(work->of.store, path);
	if (dir < 0) {
		work->of.error = errno;
		return;
	}
	work->of.error = name_it(dir, work->object, work->size);
	if (work->of.error == 0 && local_dir_sync(work->of.store, path, dir) != 0)
		work->of.error = errno; /* ENOENT: it was removed meanwhile */
	close(dir);
}

enum trl_code
local_finish(trl_ctx *ctx, media_store *base, const struct store_object *object,
    const struct store_place *whole)
{
	struct local_store *store = (struct local_store *)base;
	struct finish_work work = {
		.of = { .store = store }, .object = object, .size = whole->offset
	};
	enum trl_code rc = local_do(ctx, store, true, finish_file, &work);

	if (rc == TRL_OK && work.of.error != 0)
		rc = local_fail(ctx, store, work.of.error, "finishing an upload");
	return rc;
}

static int
write_new(int dir, const char *name, const struct finish_work *work)
{
	const int fd = openat(
	    dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error;

	if (fd < 0)
		return errno;
	error = local_write_all(fd, work->data, (size_t)work->size, 0);
	if (error == 0 && fdatasync(fd) != 0)
		error = errno;
	close(fd);
	return error;
}

/* 0 or an errno. */
static int
put_in(int dir, const char *path, const struct finish_work *work)
{
	char name[LOCAL_NAME_BYTES], written[LOCAL_NAME_BYTES + TRL_ID_TEXT],
	    id[TRL_ID_TEXT];
	int error;

	local_name_of(work->object, name);
	trl_id_format(trl_id_random(), id);
	snprintf(written, sizeof written, "%s.%s", name, id);
	error = write_new(dir, written, work);
	if (error == 0 && renameat(dir, written, dir, name) != 0)
		error = errno;
	if (error == 0)
		return local_dir_sync(work->of.store, path, dir) == 0 ? 0 : errno;
	(void)unlinkat(dir, written, 0);
	return error;
}

static void
put_file(void *arg)
{
	struct finish_work *work = arg;
	char path[LOCAL_DIR_BYTES];

	local_dir_of_part(work->object, path);
	for (int i = 0; i < TRIES; i++) {
		const int dir = local_dir_make(work->of.store, path);

		work->of.error = dir < 0 ? errno : put_in(dir, path, work);
		if (dir >= 0)
			close(dir);
		if (work->of.error != ENOENT) /* the folder was taken away */
			break;
	}
	if (work->of.error != 0)
		local_dir_prune(work->of.store, path);
}

enum trl_code
local_put(trl_ctx *ctx, media_store *base, const struct store_object *object,
    const void *data, size_t len)
{
	struct local_store *store = (struct local_store *)base;
	struct finish_work work = {
		.of = { .store = store }, .object = object, .size = len, .data = data
	};
	enum trl_code rc = local_do(ctx, store, true, put_file, &work);

	if (rc == TRL_OK && work.of.error != 0)
		rc = local_fail(ctx, store,
		    work.of.error == ENOENT ? EIO : work.of.error,
		    "keeping what was made of a file");
	return rc;
}
