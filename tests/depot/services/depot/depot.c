/* The depot service: blobs are files of the run folder, by tenant and name. It takes
 * bytes and gives them back, and is as little beside that as it can be. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <depot_v1.server.h>

#include <trl/complain.h>
#include <trl/service.h>
#include <trl/stream.h>

enum { PATH_BYTES = 512, READ_BYTES = 65536 };

struct depot {
	const char *folder;
	struct trl_offload files;
	uint64_t serial; /* of files in the making */
};

/* One piece on its way to the disk, or from it. */
struct piece {
	int fd;
	void *data;
	size_t len;
	uint64_t offset;
	int error;
	bool sync;
};

static void
write_it(void *arg)
{
	struct piece *piece = arg;
	size_t done = 0;

	while (done < piece->len && !piece->error) {
		const ssize_t n = pwrite(piece->fd, (const uint8_t *)piece->data + done,
		    piece->len - done, (off_t)(piece->offset + done));

		if (n < 0 && errno != EINTR)
			piece->error = errno;
		else if (n > 0)
			done += (size_t)n;
	}
	if (piece->sync && !piece->error && fdatasync(piece->fd) != 0)
		piece->error = errno;
}

static enum trl_code
fill(struct depot *self, trl_ctx *ctx, int fd, bool counted, uint64_t *size)
{
	trl_stream *stream = trl_stream_of(ctx);
	struct trl_piece in;
	enum trl_code rc;

	*size = 0;
	for (;;) {
		struct piece piece = { .fd = fd, .offset = *size };

		rc = trl_stream_read(ctx, stream, &in);
		if (rc != TRL_OK || in.len == 0)
			return rc;
		piece.data = (void *)(uintptr_t)in.data;
		piece.len = in.len;
		if (!counted)
			rc = trl_offload(ctx, &self->files, write_it, &piece);
		if (rc != TRL_OK)
			return rc;
		if (piece.error)
			return trl_fail(ctx,
			    piece.error == ENOSPC ? TRL_STORAGE : TRL_INTERNAL, "%s",
			    strerror(piece.error));
		*size += in.len;
	}
}

static void
path_of(const struct depot *self, const trl_ctx *ctx, const char *name,
    char path[PATH_BYTES])
{
	char tenant[TRL_ID_TEXT];

	trl_id_format(ctx->tenant, tenant);
	(void)snprintf(path, PATH_BYTES, "%s/%s-%s", self->folder, tenant, name);
}

static enum trl_code
keep(struct depot *self, trl_ctx *ctx, const Depot__V1__PutBlobRequest *in,
    uint64_t *size)
{
	char path[PATH_BYTES], made[PATH_BYTES + 24];
	struct piece last = { .sync = true };
	enum trl_code rc;

	path_of(self, ctx, in->name, path);
	(void)snprintf(
	    made, sizeof made, "%s.%llu", path, (unsigned long long)++self->serial);
	last.fd = open(made, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
	if (last.fd < 0)
		return trl_fail(ctx, TRL_INTERNAL, "%s: %s", made, strerror(errno));
	rc = fill(self, ctx, last.fd, in->has_counted && in->counted, size);
	if (rc == TRL_OK && in->has_length && in->length != *size)
		rc = trl_fail(
		    ctx, TRL_CHECKSUM, "%llu bytes came.", (unsigned long long)*size);
	if (rc == TRL_OK)
		rc = trl_offload(ctx, &self->files, write_it, &last);
	if (rc == TRL_OK && rename(made, path) != 0)
		rc = trl_fail(ctx, TRL_INTERNAL, "%s: %s", path, strerror(errno));
	if (rc != TRL_OK)
		(void)unlink(made);
	(void)close(last.fd);
	return rc;
}

enum trl_code
depot_put_blob(struct depot *self, trl_ctx *ctx, const Depot__V1__PutBlobRequest *in,
    Depot__V1__Blob *out)
{
	uint64_t size;
	enum trl_code rc;

	if (in->has_room && in->content_length > in->room)
		return trl_fail(ctx, TRL_TOO_LARGE, "There is room for %llu bytes.",
		    (unsigned long long)in->room);
	rc = keep(self, ctx, in, &size);
	if (rc != TRL_OK)
		return rc;
	trl_unchanged(ctx); /* no row: a blob is the file */
	out->name = in->name;
	trl_set(out, size, size);
	return TRL_OK;
}

static enum trl_code
open_blob(struct depot *self, trl_ctx *ctx, const char *name, int *fd, uint64_t *size)
{
	char path[PATH_BYTES];
	struct stat found;

	path_of(self, ctx, name, path);
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such blob.");
	if (fstat(*fd, &found) != 0)
		found.st_size = 0;
	*size = (uint64_t)found.st_size;
	return TRL_OK;
}

/* "bytes=A-B" or "bytes=A-". False: it is none, and counts for nothing. */
static bool
read_range(const char *text, uint64_t size, uint64_t *from, uint64_t *len)
{
	unsigned long long first, last;
	int end = 0;

	if (!text || sscanf(text, "bytes=%llu-%n", &first, &end) != 1 || !end)
		return false;
	last = size - 1;
	if (text[end] && sscanf(text + end, "%llu", &last) != 1)
		return false;
	*from = first;
	*len = first < size ? (last < size ? last + 1 : size) - first : 0;
	return last >= first || first >= size;
}

static void
read_it(void *arg)
{
	struct piece *piece = arg;
	const ssize_t n =
	    pread(piece->fd, piece->data, piece->len, (off_t)piece->offset);

	piece->len = n > 0 ? (size_t)n : 0;
}

static enum trl_code
write_pieces(struct depot *self, trl_ctx *ctx, int fd, uint64_t from, uint64_t len)
{
	void *data = trl_arena_alloc(ctx->arena, READ_BYTES);
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && len > 0) {
		struct piece piece = { .fd = fd, .data = data, .offset = from };

		piece.len = len < READ_BYTES ? (size_t)len : READ_BYTES;
		rc = trl_offload(ctx, &self->files, read_it, &piece);
		if (rc == TRL_OK && !piece.len)
			rc = trl_fail(ctx, TRL_INTERNAL, "the blob became shorter");
		if (rc == TRL_OK)
			rc = trl_stream_write(ctx, trl_stream_of(ctx), data, piece.len);
		from += piece.len;
		len -= piece.len;
	}
	return rc;
}

static enum trl_code
give(struct depot *self, trl_ctx *ctx, const Depot__V1__GetBlobRequest *in,
    Depot__V1__BlobBytes *out, int fd, uint64_t size)
{
	trl_stream *stream = trl_stream_of(ctx);
	uint64_t from = 0, len = size;
	enum trl_code rc;

	out->type = (char *)"application/octet-stream";
	if (read_range(in->range, size, &from, &len)) {
		if (from >= size) {
			trl_err_quota(ctx, "", "", (int64_t)size, 0);
			return trl_fail(ctx, TRL_RANGE, "The blob has %llu bytes.",
			    (unsigned long long)size);
		}
		trl_set(out, status, 206);
		out->range = trl_arena_printf(ctx->arena, "bytes %llu-%llu/%llu",
		    (unsigned long long)from, (unsigned long long)(from + len - 1),
		    (unsigned long long)size);
	}
	if (!in->untold)
		trl_set(out, length, in->more ? len - 1 : len);
	rc = trl_stream_answer(ctx, stream, &out->base);
	if (rc == TRL_OK && in->broken)
		len /= 2;
	if (rc == TRL_OK)
		rc = in->pieces ? write_pieces(self, ctx, fd, from, len)
				: trl_stream_write_file(ctx, stream, fd, from, len);
	if (rc == TRL_OK && in->broken)
		return trl_fail(ctx, TRL_INTERNAL, "it was to be broken off");
	return rc == TRL_OK ? trl_stream_end(ctx, stream) : rc;
}

enum trl_code
depot_get_blob(struct depot *self, trl_ctx *ctx, const Depot__V1__GetBlobRequest *in,
    Depot__V1__BlobBytes *out)
{
	uint64_t size;
	enum trl_code rc;
	int fd;

	rc = open_blob(self, ctx, in->name, &fd, &size);
	if (rc != TRL_OK)
		return rc;
	rc = give(self, ctx, in, out, fd, size);
	(void)close(fd);
	return rc;
}

enum trl_code
depot_look_at_blob(struct depot *self, trl_ctx *ctx,
    const Depot__V1__LookAtBlobRequest *in, Depot__V1__BlobSize *out)
{
	uint64_t size;
	enum trl_code rc;
	int fd;

	rc = open_blob(self, ctx, in->name, &fd, &size);
	if (rc != TRL_OK)
		return rc;
	(void)close(fd);
	trl_set(out, size, size);
	return TRL_OK;
}

static enum trl_code
open_depot(const struct trl_host *host, void **out)
{
	struct depot *self = calloc(1, sizeof *self);
	char *folder = NULL;

	trl_assert(self);
	if (asprintf(&folder, "%s/depot", host->run_dir ? host->run_dir : ".") < 0)
		return TRL_INTERNAL;
	if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
		trl_complain("depot cannot make %s: %s", folder, strerror(errno));
		return TRL_INTERNAL;
	}
	self->folder = folder;
	self->files = (struct trl_offload){
		.name = "depot", .slots = 4, .queue = 64, .retry_after_ms = 1000
	};
	trl_offload_init(host->loop, &self->files);
	*out = self;
	return TRL_OK;
}

static void
close_depot(void **state)
{
	struct depot *self = *state;

	trl_offload_fini(&self->files);
	free((void *)(uintptr_t)self->folder);
	free(self);
	*state = NULL;
}

static const struct trl_contract *const contracts[] = { &depot_v1_server, NULL };

const struct trl_service depot_service = {
	.name = "depot",
	.contracts = contracts,
	.open = open_depot,
	.close = close_depot,
};
