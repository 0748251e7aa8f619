/* s3_read.c - bytes out of the bucket, piece by piece as they are taken. A line that
 * breaks in the middle is begun again there: what has a name never changes. */
#include "s3.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct s3_reader {
	store_reader base;
	char key[S3_KEY_BYTES];
	trl_http_exchange *exchange; /* NULL: to be begun */
	trl_share *share;            /* of connections; NULL: it takes none */
	const uint8_t *data;         /* of it, that was not given yet */
	size_t len;
	unsigned tries; /* since something came */
};

/* Whoever hears that something is not there may remove what refers to it: so it is
 * asked in a way that has the server's own words. */
static enum trl_code
confirm_missing(trl_ctx *ctx, struct s3_store *store, const char *key)
{
	TRL_AUTO(s3_answer_fini) struct s3_answer answer = { .status = 0 };
	const struct s3_ask ask = { .method = "GET", .key = key, .range = "bytes=0-0" };
	enum trl_code rc;

	trl_err_clear(ctx);
	rc = s3_ask(ctx, store, &ask, &answer);
	if (rc != TRL_OK)
		return rc;
	rc = trl_fail(ctx, TRL_UNAVAILABLE,
	    "the S3 server says that it has nothing, "
	    "and gives it");
	trl_err_retry_after(ctx, S3_AGAIN_MS);
	return rc;
}

enum trl_code
s3_size(
    trl_ctx *ctx, media_store *base, const struct store_object *object, uint64_t *size)
{
	struct s3_store *store = (struct s3_store *)base;
	TRL_AUTO(s3_answer_fini) struct s3_answer answer = { .status = 0 };
	char key[S3_KEY_BYTES], *end;
	const struct s3_ask ask = {
		.method = "HEAD", .key = key, .header = "Content-Length"
	};
	unsigned long long found;
	enum trl_code rc;

	s3_key_of(object, key);
	rc = s3_ask(ctx, store, &ask, &answer);
	if (rc == TRL_NOT_FOUND)
		rc = confirm_missing(ctx, store, key);
	if (rc != TRL_OK)
		return rc;
	found = strtoull(answer.header, &end, 10);
	if (end == answer.header || *end != '\0')
		return s3_refused(ctx, ask.method, key, answer.status, "", 0);
	*size = found;
	return TRL_OK;
}

/* Has an answer that goes on where the reader is. */
static enum trl_code
begin(trl_ctx *ctx, struct s3_store *store, struct s3_reader *reader)
{
	enum trl_code rc;
	bool again;

	while (reader->exchange == NULL) {
		rc = s3_get_once(ctx, store, reader->key, reader->base.offset,
		    reader->base.left, &reader->exchange, &again);
		if (rc != TRL_OK && (!again || !s3_again(ctx, store, ++reader->tries)))
			return rc;
	}
	return TRL_OK;
}

void
s3_reader_close(store_reader *base)
{
	struct s3_reader *reader = (struct s3_reader *)base;

	trl_http_out_end(&reader->exchange);
	trl_share_give(&reader->share, 1);
	free(reader);
}

static enum trl_code
take_line(trl_ctx *ctx, struct s3_store *store, struct s3_reader *reader,
    struct trl_id tenant)
{
	enum trl_code rc;

	reader->share = trl_share_take(&store->readers, tenant, 1);
	if (reader->share != NULL)
		return begin(ctx, store, reader);
	rc = trl_fail(ctx, TRL_BUSY, "too many files are being read");
	trl_err_retry_after(ctx, S3_AGAIN_MS);
	return rc;
}

enum trl_code
s3_reader_open(trl_ctx *ctx, media_store *base, const struct store_object *object,
    uint64_t offset, uint64_t len, store_reader **out)
{
	struct s3_reader *reader = calloc(1, sizeof *reader);
	uint64_t size;
	enum trl_code rc;

	trl_assert(reader != NULL);
	reader->base = (store_reader){ .offset = offset, .left = len };
	s3_key_of(object, reader->key);
	rc = len > 0 ? take_line(ctx, (struct s3_store *)base, reader, object->tenant)
		     : s3_size(ctx, base, object, &size);
	if (rc == TRL_OK)
		*out = &reader->base;
	else
		s3_reader_close(&reader->base);
	return rc;
}

/* A piece of the answer; *len 0: it has ended, or broken. */
static enum trl_code
read_some(trl_ctx *ctx, struct s3_reader *reader)
{
	enum trl_code rc =
	    trl_http_out_read(ctx, reader->exchange, &reader->data, &reader->len);

	if (rc == TRL_OK && reader->len > 0) {
		reader->tries = 0;
		return TRL_OK;
	}
	if (rc == TRL_OK)
		rc = trl_fail(
		    ctx, TRL_UNAVAILABLE, "an answer of the S3 server is short");
	trl_err_retry_after(ctx, S3_AGAIN_MS);
	reader->len = 0;
	trl_http_out_end(&reader->exchange);
	return rc;
}

enum trl_code
s3_reader_next(trl_ctx *ctx, store_reader *base, const uint8_t **data, size_t *len)
{
	struct s3_store *store = (struct s3_store *)base->store;
	struct s3_reader *reader = (struct s3_reader *)base;
	enum trl_code rc;
	size_t n;

	while (reader->len == 0) {
		rc = begin(ctx, store, reader);
		if (rc == TRL_NOT_FOUND) { /* it was there */
			trl_err_clear(ctx);
			return trl_fail(ctx, TRL_UNAVAILABLE, "an object is gone");
		}
		if (rc != TRL_OK)
			return rc;
		rc = read_some(ctx, reader);
		if (rc != TRL_OK &&
		    (ctx->cancelled || !s3_again(ctx, store, ++reader->tries)))
			return rc;
	}
	n = reader->len < TRL_STREAM_PIECE ? reader->len : TRL_STREAM_PIECE;
	if (n > base->left)
		n = (size_t)base->left;
	*data = reader->data;
	*len = n;
	reader->data += n;
	reader->len -= n;
	return TRL_OK;
}

static enum trl_code
read_range(
    trl_ctx *ctx, struct s3_store *store, const struct s3_range *range, uint8_t *into)
{
	struct s3_reader *reader = calloc(1, sizeof *reader);
	store_reader *base = &reader->base;
	const uint8_t *data;
	enum trl_code rc;
	size_t n;

	trl_assert(reader != NULL);
	*base = (store_reader){
		.store = &store->base, .offset = range->at, .left = range->len
	};
	snprintf(reader->key, sizeof reader->key, "%s", range->key);
	rc = begin(ctx, store, reader);
	while (rc == TRL_OK &&
	       (rc = store_reader_next(ctx, base, &data, &n)) == TRL_OK && n > 0) {
		memcpy(into, data, n);
		into += n;
	}
	s3_reader_close(base);
	return rc;
}

enum trl_code
s3_read_key(
    trl_ctx *ctx, struct s3_store *store, const char *key, void *into, size_t len)
{
	const struct s3_range range = { .key = key, .len = len };

	return read_range(ctx, store, &range, into);
}

enum trl_code
s3_read(trl_ctx *ctx, media_store *base, const struct store_object *object,
    uint64_t offset, size_t len, void *into)
{
	char key[S3_KEY_BYTES];
	const struct s3_range range = { .key = key, .at = offset, .len = len };

	s3_key_of(object, key);
	return read_range(ctx, (struct s3_store *)base, &range, into);
}

struct spool_work {
	const char *folder;
	int fd, error;
	const uint8_t *data;
	size_t len;
};

static void
open_spool(void *arg)
{
	struct spool_work *work = arg;

	work->fd = open(work->folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	work->error = work->fd < 0 ? errno : 0;
}

static void
write_spool(void *arg)
{
	struct spool_work *work = arg;

	while (work->len > 0) {
		const ssize_t n = write(work->fd, work->data, work->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			work->error = n < 0 ? errno : ENOSPC;
			return;
		}
		work->data += n;
		work->len -= (size_t)n;
	}
}

static enum trl_code
do_spool(
    trl_ctx *ctx, struct s3_store *store, void (*fn)(void *), struct spool_work *work)
{
	enum trl_code rc = trl_offload(ctx, &store->disk, fn, work);

	if (rc != TRL_OK || work->error == 0)
		return rc;
	if (work->error == ENOSPC || work->error == EDQUOT || work->error == EFBIG)
		return trl_fail(ctx, TRL_STORAGE,
		    "There is no space left on the disk for a copy of this.");
	return trl_fail(ctx, TRL_UNAVAILABLE, "a temporary file in %s: %s",
	    store->spool, strerror(work->error));
}

static enum trl_code
copy_to(
    trl_ctx *ctx, struct s3_store *store, store_reader *reader, struct spool_work *work)
{
	enum trl_code rc;

	while (
	    (rc = store_reader_next(ctx, reader, &work->data, &work->len)) == TRL_OK &&
	    work->len > 0) {
		rc = do_spool(ctx, store, write_spool, work);
		if (rc != TRL_OK)
			return rc;
	}
	return rc;
}

enum trl_code
s3_fetch(trl_ctx *ctx, media_store *base, const struct store_object *object, int *fd)
{
	TRL_AUTO(store_reader_close) store_reader *reader = NULL;
	struct s3_store *store = (struct s3_store *)base;
	struct spool_work work = { .folder = store->spool, .fd = -1 };
	uint64_t size;
	enum trl_code rc = s3_size(ctx, base, object, &size);

	if (rc == TRL_OK)
		rc = store_reader_open(ctx, base, object, 0, size, &reader);
	if (rc == TRL_OK)
		rc = do_spool(ctx, store, open_spool, &work);
	if (rc == TRL_OK)
		rc = copy_to(ctx, store, reader, &work);
	if (rc == TRL_OK && lseek(work.fd, 0, SEEK_SET) == 0)
		*fd = work.fd;
	else if (work.fd >= 0)
		close(work.fd);
	return rc;
}
