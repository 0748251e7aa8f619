/* local_guard.c - whose folder it is. The rows of an installation are about one folder:
 * a replica that was given another, or before whose start nobody mounted it, would take
 * uploads that the others do not find, and find none of theirs. So the folder holds an
 * id in the file trellis-media, and the one row of store_directory says which. The
 * first to come writes both; whoever finds another id, or a row and no id, is not
 * ready, and touches nothing. Each look before that opens the folder anew, because it
 * may have been mounted meanwhile; so it is where ours was taken away later. */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <trl/batch.h>
#include <trl/log.h>

#include "media_sql.h"

static const char mark[] = "trellis-media";

struct guard_work {
	struct local_work of;
	int root; /* where it looks; -1: it opens the folder, and the caller closes it
		   */
	struct store_mark is;
	bool make, marked;
	const uint64_t *set; /* of its sweeps, or NULL */
};

/* 0 or an errno; EILSEQ: it holds something else. */
static int
read_mark(int root, struct store_mark *is)
{
	char text[STORE_MARK_BYTES + 1];
	const int fd = openat(root, mark, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;
	int error;

	if (fd < 0)
		return errno;
	n = pread(fd, text, sizeof text, 0);
	error = n < 0 ? errno : 0;
	close(fd);
	if (error == 0 && !store_mark_read(text, (size_t)n, is))
		error = EILSEQ;
	return error;
}

static int
write_file(int root, const char *name, const struct store_mark *is)
{
	char text[STORE_MARK_BYTES];
	const size_t len = store_mark_write(is, text);
	const int fd =
	    openat(root, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error;

	if (fd < 0)
		return errno;
	error = local_write_all(fd, text, len, 0);
	if (error == 0 && fsync(fd) != 0)
		error = errno;
	close(fd);
	return error;
}

/* Whole or not at all; the first one of several at once only one makes. */
static int
write_mark(int root, const struct store_mark *is, bool first)
{
	char id[TRL_ID_TEXT], written[64];
	int error;

	trl_id_format(trl_id_random(), id);
	snprintf(written, sizeof written, "%s.%s", mark, id);
	error = write_file(root, written, is);
	if (error == 0 &&
	    (first ? linkat(root, written, root, mark, 0)
		   : renameat(root, written, root, mark)) != 0 &&
	    !(first && errno == EEXIST))
		error = errno;
	(void)unlinkat(root, written, 0);
	return error != 0 ? error : fsync(root) == 0 ? 0 : errno;
}

/* 0 or an errno; ENODEV: there is no folder. */
static int
open_root(struct guard_work *work)
{
	if (work->root < 0)
		work->root =
		    open(work->of.store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (work->root >= 0)
		return 0;
	return errno == ENOENT ? ENODEV : errno;
}

static void
look_at_mark(void *arg)
{
	struct guard_work *work = arg;
	const struct store_mark first = { .id = trl_id_random() };
	int error = open_root(work);

	if (error == 0 && work->make)
		error = write_mark(work->root, &first, true);
	if (error == 0)
		error = read_mark(work->root, &work->is);
	if (error == 0 && work->set) {
		work->is.sweeps = *work->set;
		error = write_mark(work->root, &work->is, false);
	}
	work->marked = error == 0;
	work->of.error = error == ENOENT ? 0 : error;
}

static enum trl_code
look(trl_ctx *ctx, struct local_store *store, struct guard_work *work)
{
	enum trl_code rc = local_do(ctx, store, true, look_at_mark, work);

	if (rc == TRL_OK && work->of.error != 0)
		rc = local_fail(ctx, store, work->of.error, "reading trellis-media");
	return rc;
}

static enum trl_code
refuse(trl_ctx *ctx, struct local_store *store, const char *why)
{
	char text[sizeof store->base.refused];

	snprintf(text, sizeof text,
	    "TRELLIS_MEDIA_FOLDER %.200s %s; give every replica the one folder of this "
	    "installation, or use an S3 store",
	    store->folder, why);
	if (store->base.refused[0] == '\0')
		trl_log(
		    TRL_LOG_ERROR, NULL, text, TRL_LOG_STR("folder", store->folder));
	store_refuse(&store->base, text);
	trl_err_clear(ctx);
	return trl_fail(ctx, TRL_UNAVAILABLE, "%.255s", text);
}

/* Whether rows are about a folder already. */
static enum trl_code
make_first_mark(trl_ctx *ctx, struct local_store *store, struct guard_work *work)
{
	trl_batch *known = trl_batch_new(ctx, store->pg, TRL_SCOPE_NOBODY);
	enum trl_code rc;

	trl_batch_add(known, &media_sql_store_unclaimed, NULL);
	rc = trl_batch_read(known);
	if (rc == TRL_CONFLICT)
		return refuse(ctx, store,
		    "holds no files of this installation (it has no file "
		    "trellis-media: is it mounted?)");
	if (rc != TRL_OK)
		return rc;
	work->make = true;
	return look(ctx, store, work);
}

static enum trl_code
claim(trl_ctx *ctx, struct local_store *store, struct trl_id id)
{
	trl_batch *work = trl_batch_new(ctx, store->pg, TRL_SCOPE_NOBODY);
	enum trl_code rc;

	trl_batch_add(work, &media_sql_store_claim, NULL, TRL_ARG_ID("id", id),
	    TRL_ARG_TIME("now", trl_wall_us()), TRL_ARG_BOOL("marked", true));
	rc = trl_batch_write(work, NULL);
	if (rc == TRL_CONFLICT)
		return refuse(ctx, store,
		    "is not the folder of this installation's files (its trellis-media "
		    "holds another id)");
	return rc;
}

static enum trl_code
find_out(trl_ctx *ctx, struct local_store *store, struct guard_work *work)
{
	enum trl_code rc = look(ctx, store, work);

	if (rc == TRL_OK && !work->marked)
		rc = make_first_mark(ctx, store, work);
	return rc == TRL_OK ? claim(ctx, store, work->is.id) : rc;
}

/* Of several that look at once the first decides, and then no other changes the root,
 * which is in use. */
enum trl_code
local_make_sure(trl_ctx *ctx, media_store *base)
{
	struct local_store *store = (struct local_store *)base;
	struct guard_work work = { .of = { .store = store }, .root = -1 };
	enum trl_code rc = find_out(ctx, store, &work);

	if (rc == TRL_OK && (!base->sure || base->lost) &&
	    dup3(work.root, store->root, O_CLOEXEC) < 0)
		rc = local_fail(ctx, store, errno, "opening it");
	if (rc == TRL_OK)
		store_is_sure(base);
	if (work.root >= 0)
		close(work.root);
	return rc;
}

enum trl_code
local_sweeps(trl_ctx *ctx, media_store *base, uint64_t *sweeps, const uint64_t *set)
{
	struct local_store *store = (struct local_store *)base;
	struct guard_work work = {
		.of = { .store = store }, .root = store->root, .set = set
	};
	enum trl_code rc = look(ctx, store, &work);

	if (rc == TRL_OK && !work.marked)
		rc =
		    local_fail(ctx, store, EIO, "reading trellis-media, which is gone");
	if (rc == TRL_OK)
		*sweeps = work.is.sweeps;
	return rc;
}
