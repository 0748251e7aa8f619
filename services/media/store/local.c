/* local.c - the store in a folder. What touches the disk runs on threads: names, reads
 * and writes, which memory mostly answers, on the loop's few; what waits for the disk
 * itself on threads of their own, so that no read stands behind it. */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trl/complain.h>
#include <trl/log.h>

#include "open.h"

enum { AGAIN_MS = 1000, STEP_BYTES = 8 << 20 };

struct run {
	void (*fn)(void *work);
	struct local_work *work;
};

/* That nothing is found says nothing where the root itself was taken away: ESTALE, as
 * NFS has it. */
static void
run_one(void *arg)
{
	const struct run *run = arg;
	struct local_work *work = run->work;
	struct stat root;

	run->fn(work);
	if (work->error == ENOENT && fstat(work->store->root, &root) == 0 &&
	    root.st_nlink == 0)
		work->error = ESTALE;
}

enum trl_code
local_do(trl_ctx *ctx, struct local_store *store, bool waits, void (*fn)(void *work),
    void *work)
{
	struct run run = { fn, work };

	return trl_offload(ctx, waits ? &store->sync : &store->disk, run_one, &run);
}

enum trl_code
local_fail(trl_ctx *ctx, struct local_store *store, int error, const char *doing)
{
	enum trl_code rc;

	if (error == ESTALE) /* the next one looks whether it is there again */
		store->base.lost = store->pg != NULL;
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG: /* the process's own limit, or the file system's */
		trl_log(TRL_LOG_WARN, ctx, "the media folder is full",
		    TRL_LOG_STR("folder", store->folder), TRL_LOG_STR("doing", doing));
		return trl_fail(ctx, TRL_STORAGE,
		    "There is no space left on the disk to store this.");
	case EWOULDBLOCK:
		rc = trl_fail(
		    ctx, TRL_LOCKED, "Another request is writing this upload.");
		break;
	case ENOENT:
		return trl_fail(ctx, TRL_NOT_FOUND, "These bytes are missing.");
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		rc = trl_fail(ctx, TRL_BUSY, "%s: %s", doing, strerror(error));
		break;
	default:
		rc = trl_fail(ctx, TRL_UNAVAILABLE, "%s in %s: %s", doing,
		    store->folder, strerror(error));
		break;
	}
	trl_err_retry_after(ctx, AGAIN_MS);
	return rc;
}

static void
close_store(media_store *base)
{
	struct local_store *store = (struct local_store *)base;

	trl_offload_fini(&store->disk);
	trl_offload_fini(&store->sync);
	close(store->root);
	free(store->folder);
	free(store);
}

static const struct store_way local_way = {
	.close = close_store,
	.make_sure = local_make_sure,
	.writer_open = local_writer_open,
	.writer_write = local_writer_write,
	.writer_sync = local_writer_sync,
	.writer_close = local_writer_close,
	.writer_step = local_writer_step,
	.writer_copy = local_writer_copy,
	.finish = local_finish,
	.abandon = local_abandon,
	.put = local_put,
	.size = local_size,
	.reader_open = local_reader_open,
	.reader_next = local_reader_next,
	.reader_close = local_reader_close,
	.give = local_give,
	.fetch = local_fetch,
	.remove = local_remove,
	.remove_tenant = local_remove_tenant,
	.list = local_list,
	.forget = local_forget,
	.sweeps = local_sweeps,
};

/* Only the last of its folders is made: a path that is mistyped is not. */
static int
open_folder(const char *folder)
{
	int fd;

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return -1;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && faccessat(fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

enum trl_code
local_store_open(const struct trl_host *host, const char *folder, media_store **out)
{
	struct local_store *store;
	const int root = open_folder(folder);

	if (root < 0) {
		trl_complain("TRELLIS_MEDIA_FOLDER: %s cannot be used: %s", folder,
		    strerror(errno));
		return TRL_INTERNAL;
	}
	signal(SIGXFSZ, SIG_IGN); /* the write that is too large says so */
	store = calloc(1, sizeof *store);
	trl_assert(store != NULL);
	*store = (struct local_store){
		.base = { .way = &local_way,
		    .sure = host->pg == NULL,
		    .keep_bytes = STORE_KEEP_BYTES },
		.pg = host->pg,
		.folder = strdup(folder),
		.step_bytes = STEP_BYTES,
		.root = root,
		.disk = { .name = "media_disk",
		    .slots = 3,
		    .queue = 1024,
		    .retry_after_ms = AGAIN_MS },
		.sync = { .name = "media_sync",
		    .slots = 8,
		    .queue = 1024,
		    .retry_after_ms = AGAIN_MS,
		    .waits = true },
	};
	trl_assert(store->folder != NULL);
	trl_offload_init(host->loop, &store->disk);
	trl_offload_init(host->loop, &store->sync);
	store_watch(&store->base, host);
	*out = &store->base;
	return TRL_OK;
}
