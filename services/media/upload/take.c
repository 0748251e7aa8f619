/* take.c - who becomes the writer of an upload. Of several requests at one offset only
 * one does, because the row has one generation. The present writer is first asked how
 * far it has come: a request at exactly that offset takes over, any other is refused
 * and the writer goes on.
 *
 * A request that only asks is not a writer: one at a time of this process tries to take
 * the row, by a statement that waits for nobody, and gets a writer once it has it. */

#include <string.h>

#include "upload/row.h"
#include "upload/writer.h"

enum { AGAIN_MS = 1000, CHECKPOINT_MS = 1000 };
/* How long a request keeps trying behind others that came before it. */
#define CONTEND_US UINT64_C(10000000)

struct taking {
	struct media *media;
	struct trl_id id, uploader;
	uint64_t offset;
	const struct upload_body *body;
	struct trl_id former; /* the process that holds the row, once it was asked */
	int64_t seized;       /* the generation it had; -1: it was not asked */
};

static enum trl_code
locked(trl_ctx *ctx)
{
	enum trl_code rc =
	    trl_fail(ctx, TRL_LOCKED, "Another request still holds this upload.");

	trl_err_retry_after(ctx, AGAIN_MS);
	return rc;
}

static enum trl_code
elsewhere(trl_ctx *ctx, uint64_t offset)
{
	return trl_fail(ctx, TRL_CONFLICT, "The upload's offset is %llu.",
	    (unsigned long long)offset);
}

/* Why the row was not taken. TRL_OK: only its holder is in the way, or there is nothing
 * to add. */
static enum trl_code
judge(trl_ctx *ctx, const struct taking *what, const upload_row *row)
{
	const uint64_t more = what->body->length == UINT64_MAX ? 0 : what->body->length;

	if (!row->has_id)
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such upload.");
	if (upload_is_expired(ctx, row))
		return trl_fail(ctx, TRL_GONE, "The upload has expired.");
	if (upload_is_final(row))
		return trl_fail(ctx, TRL_DENIED,
		    "This upload is made of others; nothing can be added to it.");
	if (what->offset != (uint64_t)row->received)
		return elsewhere(ctx, (uint64_t)row->received);
	if (row->has_length && more > (uint64_t)(row->length - row->received))
		return trl_fail(ctx, TRL_TOO_LARGE,
		    "The upload's length is %lld, and the body exceeds it.",
		    (long long)row->length);
	return TRL_OK;
}

/* Judges by a writer of this process, which has just committed. TRL_OK: it has to go.
 * Another process may have taken the row meanwhile, so the row is read. */
static enum trl_code
judge_own(trl_ctx *ctx, const struct taking *what, const upload_writer *writer)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	enum trl_code rc = upload_read(what->media, ctx, what->id, row);

	if (rc != TRL_OK || writer->phase == UPLOAD_OVER ||
	    row->generation != writer->generation)
		return rc;
	if (writer->durable != what->offset)
		return elsewhere(ctx, writer->durable);
	if (!writer->digests && writer->received != what->offset)
		return elsewhere(ctx, writer->received);
	return judge(ctx, what, row);
}

/* If this process has a writer, either that ends or the request does. */
static enum trl_code
settle_own(trl_ctx *ctx, const struct taking *what)
{
	upload_writer *writer = upload_writer_find(
	    what->media->uploads, ctx->tenant, what->id, what->uploader);
	enum trl_code rc;

	if (!writer)
		return TRL_OK;
	writer->refs++;
	rc = upload_writer_ask(ctx, writer, CHECKPOINT_MS);
	if (rc == TRL_OK && writer->phase != UPLOAD_OVER)
		rc = judge_own(ctx, what, writer);
	if (rc == TRL_OK && writer->phase != UPLOAD_OVER)
		rc = upload_writer_fence(ctx, writer, UPLOAD_FENCE_MS);
	if (rc == TRL_OK && writer->phase != UPLOAD_OVER)
		rc = locked(ctx);
	upload_writer_unref(&writer);
	return rc;
}

/* taken->has_id: the row is this process's now. Else was is the row as it is. */
static enum trl_code
take_row(trl_ctx *ctx, const struct taking *what, upload_row *taken, upload_row *was)
{
	trl_batch *work =
	    trl_batch_new(ctx, what->media->pg, TRL_SCOPE_TENANT(ctx->tenant));
	const uint64_t more = what->body->length == UINT64_MAX ? 0 : what->body->length;

	media__v1__upload_row__init(taken);
	media__v1__upload_row__init(was);
	if (what->offset > INT64_MAX || more > INT64_MAX - what->offset)
		return trl_fail(
		    ctx, TRL_TOO_LARGE, "An upload cannot have that many bytes.");
	/* Does not wait for the disk: should PostgreSQL lose this in a crash, nothing
	 * counts that this holder says under this generation, and it has said nothing
	 * yet. Taking the row from a holder that may be alive does wait. */
	if (what->seized < 0)
		trl_batch_add(work, &media_sql_upload_lazily, NULL);
	trl_batch_get(work, &media_sql_upload_take, NULL, &taken->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", what->id),
	    TRL_ARG_ID("uploader", what->uploader),
	    TRL_ARG_ID("holder", what->media->uploads->holder),
	    TRL_ARG_INT("offset", (int64_t)what->offset),
	    TRL_ARG_INT("until", (int64_t)(what->offset + more)),
	    TRL_ARG_INT("seized", what->seized), TRL_ARG_TIME("now", trl_now(ctx)));
	trl_batch_get(work, &media_sql_upload_get, NULL, &was->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", what->id),
	    TRL_ARG_ID("uploader", what->uploader));
	return trl_batch_write_unrecorded(work);
}

/* Tries to take the row, one request of this process at a time, unless one of its
 * writers has it (*waits). *out is the writer of row; or NULL, and row is as it is. */
static enum trl_code
try(trl_ctx *ctx, const struct taking *what, upload_row *row, upload_writer **out,
    bool *waits)
{
	struct uploads *all = what->media->uploads;
	Media__V1__UploadRow *was = media_v1_upload_row_new(ctx);
	uint8_t key[6 + 3 * 16] = "upload";
	enum trl_code rc;

	memcpy(key + 6, ctx->tenant.bytes, 16);
	memcpy(key + 22, what->id.bytes, 16);
	memcpy(key + 38, what->uploader.bytes, 16);
	rc = trl_key_enter(ctx, key, sizeof key);
	if (rc != TRL_OK)
		return rc;
	*waits = upload_writer_find(all, ctx->tenant, what->id, what->uploader);
	if (!*waits)
		rc = take_row(ctx, what, row, was);
	if (rc == TRL_OK && !*waits && row->has_id)
		rc = upload_writer_begin(ctx, all, row, what->body, out);
	else if (rc == TRL_OK && !*waits)
		*row = *was;
	trl_key_leave(ctx, key, sizeof key);
	return rc;
}

/* Another process may have it: that is asked how far it came, and loses it then. Where
 * one more has taken it meanwhile, that one was not asked yet. */
static enum trl_code
ask_other(trl_ctx *ctx, struct taking *what, upload_row *row)
{
	const int64_t asked = row->generation;
	enum trl_code rc;

	what->former = trl_value_id(row->holder);
	if (trl_id_is_nil(what->former)) /* it has just become free */
		return TRL_OK;
	rc = upload_ask_holder(ctx, what->media, row, NULL);
	if (rc == TRL_OK)
		rc = upload_read(what->media, ctx, what->id, row);
	if (rc == TRL_OK && row->generation == asked)
		what->seized = asked;
	return rc;
}

/* *out is NULL where nothing is to be added. */
static enum trl_code
contend(trl_ctx *ctx, struct taking *what, upload_row *row, upload_writer **out)
{
	const uint64_t until_us = trl_mono_us() + CONTEND_US;
	bool waits = false;
	enum trl_code rc;

	do {
		rc = settle_own(ctx, what);
		if (rc == TRL_OK)
			rc = try(ctx, what, row, out, &waits);
		if (rc == TRL_OK && !*out && !waits) {
			rc = judge(ctx, what, row);
			if (rc == TRL_OK && upload_is_whole(row))
				return TRL_OK;
			if (rc == TRL_OK)
				rc = ask_other(ctx, what, row);
		}
		if (rc != TRL_OK || *out)
			return rc;
	} while (trl_mono_us() < until_us);
	return locked(ctx);
}

/* What is left to do under the row; the writer goes where that fails. */
static enum trl_code
begin(trl_ctx *ctx, const struct taking *what, const upload_row *row,
    upload_writer **writer)
{
	struct quota quota;
	enum trl_code rc = TRL_OK;

	(*writer)->seized = !trl_id_is_nil(what->former);
	if ((*writer)->seized)
		rc = upload_tell_holder(ctx, what->media, what->former, what->id);
	if (rc == TRL_OK && !row->has_length) {
		rc = quota_limit(what->media, ctx, &quota);
		if (rc == TRL_OK)
			upload_writer_may(*writer, &quota);
	}
	if (rc == TRL_OK)
		return upload_writer_open(ctx, writer);
	upload_leave(writer);
	return rc;
}

/* Nothing is to be added: there is no need to become the writer. */
static enum trl_code
look_only(trl_ctx *ctx, const struct taking *what, upload_row *row)
{
	enum trl_code rc = upload_look(what->media, ctx, what->id, row);

	return rc == TRL_OK ? judge(ctx, what, row) : rc;
}

enum trl_code
upload_take(struct media *self, trl_ctx *ctx, struct trl_id id, uint64_t offset,
    const struct upload_body *body, upload_row *row, upload_writer **out)
{
	struct taking what = { .media = self,
		.id = id,
		.uploader = media_caller(ctx),
		.offset = offset,
		.body = body,
		.seized = -1 };
	upload_writer *writer = NULL;
	enum trl_code rc;

	*out = NULL;
	if (body->length == 0)
		return look_only(ctx, &what, row);
	rc = contend(ctx, &what, row, &writer);
	if (rc == TRL_OK && writer)
		rc = begin(ctx, &what, row, &writer);
	if (rc == TRL_OK)
		*out = writer;
	return rc;
}

enum trl_code
upload_begun(struct media *self, trl_ctx *ctx, const upload_row *row,
    const struct upload_body *body, upload_writer **out)
{
	struct quota quota = { .limit = INT64_MAX };
	upload_writer *writer;
	enum trl_code rc = TRL_OK;

	*out = NULL;
	if (!row->has_length)
		rc = quota_limit(self, ctx, &quota);
	if (rc == TRL_OK)
		rc = upload_writer_begin(ctx, self->uploads, row, body, &writer);
	if (rc != TRL_OK)
		return rc;
	upload_writer_may(writer, &quota);
	rc = upload_writer_open(ctx, &writer);
	if (rc == TRL_OK)
		*out = writer;
	return rc;
}
