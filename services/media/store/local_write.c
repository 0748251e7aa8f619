/* local_write.c - the bytes of an upload, while they come. The disk is set to write
 * them early (sync_file_range(2), which waits for nothing and takes no error from the
 * sync), so that a sync has little left to wait for. The file is locked by its
 * open description (fcntl(2), F_OFD_SETLK): whoever else wants to write it is refused,
 * and the lock goes with the process that had it, however that ended. */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 8, BEGIN_BYTES = 512 << 10, PAGE_BYTES = 4096 };

struct local_writer {
	store_writer base;
	struct store_object object;
	int fd;
	bool placed;    /* its name is durable */
	uint64_t begun; /* what lies before it the disk is at */
};

struct write_work {
	struct local_work of;
	struct local_writer *writer;
	struct store_pieces *pieces;
	uint64_t offset;
	int fd;
	bool placed;
};

/* The file may have been renamed or removed between its open and the lock. */
static bool
has_name(int dir, const char *name, int fd)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && fstatat(dir, name, &there, 0) == 0 &&
	       here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

int
local_upload_open(int dir, const char *name, bool make)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	for (int i = 0; i < TRIES; i++) {
		const int fd = openat(dir, name,
		    O_RDWR | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0), 0600);
		int error;

		if (fd < 0)
			return -1;
		if (fcntl(fd, F_OFD_SETLK, &whole) == 0 && has_name(dir, name, fd))
			return fd;
		error = errno;
		close(fd);
		errno = error == EACCES || error == EAGAIN ? EWOULDBLOCK : error;
		if (errno == EWOULDBLOCK)
			return -1;
	}
	errno = EWOULDBLOCK;
	return -1;
}

int
local_write_all(int fd, const void *data, size_t len, uint64_t offset)
{
	const uint8_t *at = data;

	while (len > 0) {
		const ssize_t n = pwrite(fd, at, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? ENOSPC : errno;
		at += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* What lies beyond the durable bytes came from a writer before. */
static int
go_on_at(int fd, uint64_t offset)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return errno;
	if ((uint64_t)st.st_size < offset)
		return ENOENT;
	if ((uint64_t)st.st_size > offset && ftruncate(fd, (off_t)offset) != 0)
		return errno;
	return 0;
}

static void
open_file(void *arg)
{
	struct write_work *work = arg;
	const struct store_object *object = &work->writer->object;
	const bool make = work->offset == 0;
	char path[LOCAL_DIR_BYTES], name[LOCAL_NAME_BYTES];
	int dir;

	local_dir_of(object, path);
	local_upload_of(object, name);
	for (int i = 0; i < TRIES; i++) {
		dir = make ? local_dir_make(work->of.store, path)
			   : local_dir_open(work->of.store, path);
		work->fd = dir < 0 ? -1 : local_upload_open(dir, name, make);
		work->of.error = work->fd < 0 ? errno : 0;
		if (dir >= 0)
			close(dir);
		/* The folder was taken away as an empty one. */
		if (!make || work->of.error != ENOENT)
			break;
	}
	if (work->fd < 0)
		return;
	work->of.error = go_on_at(work->fd, work->offset);
	if (work->of.error != 0)
		close(work->fd);
}

enum trl_code
local_writer_open(trl_ctx *ctx, media_store *base, const struct store_object *object,
    const struct store_place *from, store_writer **out)
{
	struct local_store *store = (struct local_store *)base;
	struct local_writer *writer = calloc(1, sizeof *writer);
	struct write_work work = {
		.of = { .store = store }, .writer = writer, .offset = from->offset
	};
	enum trl_code rc;

	trl_assert(writer != NULL);
	writer->object = *object;
	writer->object.part = "";
	rc = local_do(ctx, store, false, open_file, &work);
	if (work.of.error == ENOENT && from->offset == 0)
		work.of.error = EIO; /* the folder itself has gone */
	if (rc == TRL_OK && work.of.error != 0)
		rc = local_fail(ctx, store, work.of.error, "opening an upload");
	if (rc != TRL_OK) {
		free(writer);
		return rc;
	}
	writer->fd = work.fd;
	writer->begun = from->offset;
	*out = &writer->base;
	return TRL_OK;
}

/* Of whole pages only: the last one goes on being written to. Where the file system
 * knows no such thing, the sync does it all. */
static void
begin_writing(struct local_writer *writer, uint64_t end)
{
	end -= end % PAGE_BYTES;
	if (end < writer->begun + BEGIN_BYTES)
		return;
	(void)sync_file_range(writer->fd, (off_t)writer->begun,
	    (off_t)(end - writer->begun), SYNC_FILE_RANGE_WRITE);
	writer->begun = end;
}

/* What looks at the pieces does so while the disk writes. */
static void
write_pieces(void *arg)
{
	struct write_work *work = arg;
	struct store_pieces *pieces = work->pieces;
	uint64_t at = work->offset;

	for (; pieces->written < pieces->n; pieces->written++) {
		const struct iovec *piece = &pieces->at[pieces->written];

		work->of.error = local_write_all(
		    work->writer->fd, piece->iov_base, piece->iov_len, at);
		if (work->of.error != 0)
			break;
		at += piece->iov_len;
	}
	begin_writing(work->writer, at);
	for (unsigned i = 0; pieces->seen && i < pieces->written; i++)
		pieces->seen(
		    pieces->self, pieces->at[i].iov_base, pieces->at[i].iov_len);
}

enum trl_code
local_writer_write(trl_ctx *ctx, store_writer *base, struct store_pieces *pieces)
{
	struct local_store *store = (struct local_store *)base->store;
	struct write_work work = { .writer = (struct local_writer *)base,
		.pieces = pieces,
		.offset = base->offset };
	enum trl_code rc = local_do(ctx, store, false, write_pieces, &work);

	if (rc == TRL_OK && work.of.error != 0)
		rc = local_fail(ctx, store, work.of.error, "writing an upload");
	return rc;
}

static void
sync_file(void *arg)
{
	struct write_work *work = arg;
	char path[LOCAL_DIR_BYTES];
	int dir;

	if (fdatasync(work->writer->fd) != 0) {
		work->of.error = errno;
		return;
	}
	if (work->placed)
		return;
	local_dir_of(&work->writer->object, path);
	dir = local_dir_open(work->of.store, path);
	if (dir < 0 || local_dir_sync(work->of.store, path, dir) != 0)
		work->of.error = errno;
	if (dir >= 0)
		close(dir);
}

/* After a sync that failed nobody knows what of the file is on the disk, also if the
 * next one succeeds: the writer is done, and its bytes since the last one are. */
enum trl_code
local_writer_sync(trl_ctx *ctx, store_writer *base, struct store_place *now)
{
	struct local_store *store = (struct local_store *)base->store;
	struct local_writer *writer = (struct local_writer *)base;
	struct write_work work = {
		.of = { .store = store }, .writer = writer, .placed = writer->placed
	};
	enum trl_code rc;

	(void)now;
	if (writer->placed && base->durable == base->offset)
		return TRL_OK;
	rc = local_do(ctx, store, true, sync_file, &work);
	if (rc == TRL_OK && work.of.error != 0)
		rc = local_fail(ctx, store, work.of.error, "fdatasync");
	if (rc == TRL_OK)
		writer->placed = true;
	return rc;
}

struct copy_work {
	struct local_work of;
	const struct local_writer *writer;
	const struct store_object *from;
	uint64_t at, to, len;
};

/* Where the file system can, both files have the same blocks then. */
static int
copy_range(int from, int to, const struct copy_work *work)
{
	off_t at = (off_t)work->at, offset = (off_t)work->to;
	uint64_t left = work->len;

	while (left > 0) {
		const ssize_t n =
		    copy_file_range(from, &at, to, &offset, (size_t)left, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? ENODATA : errno;
		left -= (uint64_t)n;
	}
	return 0;
}

static void
copy_bytes(void *arg)
{
	struct copy_work *work = arg;
	char path[LOCAL_DIR_BYTES], name[LOCAL_NAME_BYTES];
	int dir, from = -1;

	local_dir_of(work->from, path);
	local_name_of(work->from, name);
	dir = local_dir_open(work->of.store, path);
	if (dir >= 0)
		from = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	work->of.error = from < 0 ? errno : copy_range(from, work->writer->fd, work);
	if (from >= 0)
		close(from);
	if (dir >= 0)
		close(dir);
}

uint64_t
local_writer_step(const store_writer *writer, bool *between)
{
	*between = true;
	return ((const struct local_store *)writer->store)->step_bytes;
}

enum trl_code
local_writer_copy(trl_ctx *ctx, store_writer *base, const struct store_object *from,
    uint64_t at, uint64_t n, bool *copied)
{
	struct local_store *store = (struct local_store *)base->store;
	struct copy_work work = { .of = { .store = store },
		.writer = (struct local_writer *)base,
		.from = from,
		.at = at,
		.to = base->offset,
		.len = n };
	enum trl_code rc;

	if (store->base.no_copies)
		return TRL_OK;
	rc = local_do(ctx, store, false, copy_bytes, &work);
	if (rc != TRL_OK)
		return rc;
	switch (work.of.error) {
	case 0:
		*copied = true;
		return TRL_OK;
	case EINVAL:
	case ENOSYS:
	case EOPNOTSUPP:
	case EPERM:
	case EXDEV: /* not with this file system or kernel */
		store->base.no_copies = true;
		return TRL_OK;
	default:
		return local_fail(ctx, store, work.of.error, "copying a file");
	}
}

void
local_writer_close(store_writer *base)
{
	close(((struct local_writer *)base)->fd);
	free(base);
}
