/* local_read.c - bytes out of the folder: as a file that the bus may hand over, or
 * piece by piece. */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct local_reader {
	store_reader base;
	int fd;
	uint8_t bytes[TRL_STREAM_PIECE];
};

struct read_work {
	struct local_work of;
	const struct store_object *object;
	struct local_reader *reader;
	size_t len;
	int fd;
	uint64_t size;
};

static void
open_file(void *arg)
{
	struct read_work *work = arg;
	char path[LOCAL_DIR_BYTES + 1 + LOCAL_NAME_BYTES];
	struct stat st;
	size_t len;

	local_dir_of_part(work->object, path);
	len = strlen(path);
	path[len] = '/';
	local_name_of(work->object, path + len + 1);
	work->fd =
	    openat(work->of.store->root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (work->fd >= 0 && fstat(work->fd, &st) == 0) {
		work->size = (uint64_t)st.st_size;
		return;
	}
	work->of.error = errno;
	if (work->fd >= 0)
		close(work->fd);
}

static enum trl_code
open_object(trl_ctx *ctx, media_store *base, const struct store_object *object, int *fd,
    uint64_t *size)
{
	struct local_store *store = (struct local_store *)base;
	struct read_work work = { .of = { .store = store }, .object = object };
	enum trl_code rc = local_do(ctx, store, false, open_file, &work);

	if (rc == TRL_OK && work.of.error != 0)
		rc = local_fail(ctx, store, work.of.error, "opening a file");
	if (rc != TRL_OK)
		return rc;
	*fd = work.fd;
	*size = work.size;
	return TRL_OK;
}

enum trl_code
local_size(
    trl_ctx *ctx, media_store *base, const struct store_object *object, uint64_t *size)
{
	int fd;
	enum trl_code rc = open_object(ctx, base, object, &fd, size);

	if (rc == TRL_OK)
		close(fd);
	return rc;
}

enum trl_code
local_reader_open(trl_ctx *ctx, media_store *base, const struct store_object *object,
    uint64_t offset, uint64_t len, store_reader **out)
{
	struct local_reader *reader;
	uint64_t size;
	int fd;
	enum trl_code rc = open_object(ctx, base, object, &fd, &size);

	(void)offset, (void)len;
	if (rc != TRL_OK)
		return rc;
	reader = malloc(sizeof *reader);
	trl_assert(reader != NULL);
	reader->fd = fd;
	*out = &reader->base;
	return TRL_OK;
}

static void
read_piece(void *arg)
{
	struct read_work *work = arg;
	const struct local_reader *reader = work->reader;
	ssize_t n;

	do {
		n = pread(reader->fd, work->reader->bytes, work->len,
		    (off_t)reader->base.offset);
	} while (n < 0 && errno == EINTR);
	work->of.error = n < 0 ? errno : n == 0 ? ENODATA : 0;
	work->len = n < 0 ? 0 : (size_t)n;
}

enum trl_code
local_reader_next(trl_ctx *ctx, store_reader *base, const uint8_t **data, size_t *len)
{
	struct local_store *store = (struct local_store *)base->store;
	struct read_work work = { .reader = (struct local_reader *)base,
		.len = base->left < TRL_STREAM_PIECE ? (size_t)base->left
						     : TRL_STREAM_PIECE };
	enum trl_code rc = local_do(ctx, store, false, read_piece, &work);

	if (rc == TRL_OK && work.of.error != 0)
		rc = local_fail(ctx, store, work.of.error, "reading a file");
	if (rc != TRL_OK)
		return rc;
	*data = work.reader->bytes;
	*len = work.len;
	return TRL_OK;
}

void
local_reader_close(store_reader *base)
{
	close(((struct local_reader *)base)->fd);
	free(base);
}

enum trl_code
local_give(trl_ctx *ctx, media_store *base, const struct store_object *object,
    trl_stream *stream, uint64_t offset, uint64_t len)
{
	uint64_t size;
	int fd;
	enum trl_code rc = open_object(ctx, base, object, &fd, &size);

	if (rc != TRL_OK)
		return rc;
	rc = trl_stream_write_file(ctx, stream, fd, offset, len);
	close(fd);
	return rc;
}

enum trl_code
local_fetch(trl_ctx *ctx, media_store *base, const struct store_object *object, int *fd)
{
	uint64_t size;

	return open_object(ctx, base, object, fd, &size);
}
