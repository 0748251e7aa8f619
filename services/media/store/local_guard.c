/* local_guard.c - whose folder it is. The rows of an installation are about one folder:
 * a replica that was given another, or before whose start nobody mounted it, would take
 * uploads that the others do not find, and find none of theirs. So the folder holds an
 * id in the file trellis-media, and the one row of store_directory says which. The
 * first to come writes both; whoever finds another id, or a row and no id, is not
 * ready, and touches nothing. */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <trl/batch.h>
#include <trl/log.h>

#include "media_sql.h"

enum { ASK_US = 200000 };

static const char mark[] = "trellis-media";

struct guard_work {
	struct local_work of;
	struct trl_id id;
	bool make, marked;
};

/* 0 or an errno; EILSEQ: it holds something else. */
static int
read_mark(int root, struct trl_id *id)
{
	char text[TRL_ID_TEXT + 1] = "";
	const int fd = openat(root, mark, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;
	int error;

	if (fd < 0)
		return errno;
	n = pread(fd, text, sizeof text, 0);
	error = n < 0 ? errno : 0;
	close(fd);
	if (error == 0 && (n != TRL_ID_TEXT || text[n - 1] != '\n' ||
			      !trl_id_parse(text, TRL_ID_TEXT - 1, id)))
		error = EILSEQ;
	return error;
}

/* Whole or not at all, and of several at once only one. */
static int
make_mark(const struct local_store *store)
{
	const struct trl_id id = trl_id_random();
	char text[TRL_ID_TEXT + 1], written[64];
	int fd, error;

	trl_id_format(id, text);
	snprintf(written, sizeof written, "%s.%s", mark, text);
	strcat(text, "\n");
	fd =
	    openat(store->root, written, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	error = local_write_all(fd, text, TRL_ID_TEXT, 0);
	if (error == 0 && fsync(fd) != 0)
		error = errno;
	close(fd);
	if (error == 0 && linkat(store->root, written, store->root, mark, 0) != 0 &&
	    errno != EEXIST)
		error = errno;
	(void)unlinkat(store->root, written, 0);
	return error != 0 ? error : fsync(store->root) == 0 ? 0 : errno;
}

static void
look_at_mark(void *arg)
{
	struct guard_work *work = arg;
	int error = work->make ? make_mark(work->of.store) : 0;

	if (error == 0)
		error = read_mark(work->of.store->root, &work->id);
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
	if (store->refused[0] == '\0') {
		snprintf(store->refused, sizeof store->refused,
		    "TRELLIS_MEDIA_FOLDER %.200s %s; give every replica the one folder "
		    "of this installation, or use an S3 store",
		    store->folder, why);
		trl_log(TRL_LOG_ERROR, NULL, store->refused,
		    TRL_LOG_STR("folder", store->folder));
	}
	trl_err_clear(ctx);
	return trl_fail(ctx, TRL_UNAVAILABLE, "%.255s", store->refused);
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
	    TRL_ARG_TIME("now", trl_wall_us()));
	rc = trl_batch_write(work, NULL);
	if (rc == TRL_CONFLICT)
		return refuse(ctx, store,
		    "is another folder than the one that this installation's files "
		    "lie in (its trellis-media holds another id)");
	return rc;
}

enum trl_code
local_make_sure(trl_ctx *ctx, media_store *base)
{
	struct local_store *store = (struct local_store *)base;
	struct guard_work work = { .of = { .store = store } };
	enum trl_code rc = look(ctx, store, &work);

	if (rc == TRL_OK && !work.marked)
		rc = make_first_mark(ctx, store, &work);
	if (rc == TRL_OK)
		rc = claim(ctx, store, work.id);
	if (rc != TRL_OK)
		return rc;
	store->base.sure = true;
	store->refused[0] = '\0';
	return TRL_OK;
}

static void
ask(trl_ctx *ctx, void *self)
{
	struct local_store *store = self;
	enum trl_code rc = local_make_sure(ctx, &store->base);

	if (rc != TRL_OK && store->refused[0] == '\0' && !store->told)
		trl_log_err(ctx);
	store->told = rc != TRL_OK;
	store->asking = false;
	if (store->closed)
		local_store_free(store);
}

/* Asked again with later looks, so that a folder that is mounted meanwhile is taken. */
const char *
local_unready(void *self)
{
	struct local_store *store = self;
	const struct trl_spawn spawn = {
		.name = "media store", .run = ask, .arg = store
	};
	const uint64_t now_us = trl_mono_us();

	if (store->base.sure)
		return NULL;
	if (!store->asking && now_us - store->asked_us >= ASK_US) {
		store->asked_us = now_us;
		store->asking = trl_spawn(store->loop, &spawn) == TRL_OK;
	}
	return store->refused[0] != '\0' ? store->refused
					 : "it is not known yet whose folder it is";
}
