/* media.GetUpload, PatchUpload, DeleteUpload - an upload that is there, by tus 1.0.0.
 */
#include "upload/methods.h"

#include <trl/log.h>
#include <trl/stream.h>

#include "upload/become.h"
#include "upload/tus.h"
#include "upload/writer.h"

enum { AGAIN_MS = 1000, DELETE_TRIES = 3 };

enum trl_code
upload_check_version(trl_ctx *ctx, const char *resumable)
{
	if (tus_is_version(resumable))
		return TRL_OK;
	return trl_fail(ctx, TRL_PRECONDITION,
	    "This is tus " TUS_VERSION ": send Tus-Resumable: " TUS_VERSION ".");
}

const char *
upload_read_body(const char *checksum, const char *digest, bool has_length,
    uint64_t length, struct upload_body *out)
{
	const char *why = NULL;

	*out = (struct upload_body){ .length = UINT64_MAX };
	if (has_length) /* else not known */
		out->length = length < INT64_MAX ? length : INT64_MAX;
	if (checksum)
		why = digest_read_checksum(checksum, &out->checksum);
	if (!why && digest)
		why = digest_read_content(digest, &out->digest);
	return why;
}

/* What a process that died has left is finished by whoever asks. That it cannot be at
 * the moment, or that another is about to, says nothing about how far it came. */
static enum trl_code
finish_left(struct media *self, trl_ctx *ctx, const upload_row *row)
{
	enum trl_code rc = TRL_OK;

	if (upload_is_whole(row) && !row->finished_at)
		rc = upload_try_finish(self, ctx, trl_value_id(row->id));
	if (rc == TRL_OK)
		return rc;
	if (trl_is_fault(rc))
		trl_log_err(ctx);
	trl_err_clear(ctx);
	if (rc == TRL_UNSUPPORTED_MEDIA_TYPE || rc == TRL_GONE)
		return trl_fail(ctx, TRL_GONE, "The upload has ended.");
	return TRL_OK;
}

enum trl_code
media_get_upload(struct media *self, trl_ctx *ctx,
    const Media__V1__GetUploadRequest *in, Media__V1__UploadProgress *out)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	enum trl_code rc = upload_check_version(ctx, in->tus_resumable);

	if (rc == TRL_OK)
		rc = upload_look(self, ctx, trl_value_id(in->upload_id), row);
	if (rc == TRL_OK)
		rc = finish_left(self, ctx, row);
	if (rc != TRL_OK)
		return rc;
	trl_set(out, upload_offset, (uint64_t)row->received);
	if (row->has_length)
		trl_set(out, upload_length, (uint64_t)row->length);
	else
		out->upload_defer_length = (char *)"1";
	out->upload_metadata = row->metadata;
	out->upload_concat = row->concat;
	out->upload_expires = row->expires_at;
	return TRL_OK;
}

/* The length of an upload that was begun without one. */
static enum trl_code
take_length(struct media *self, trl_ctx *ctx, const upload_row *row, uint64_t length)
{
	const struct collection *collection =
	    collections_find(self->collections, row->collection);
	const uint64_t reserved = (uint64_t)row->reserved;
	struct quota quota;
	trl_batch *work;
	enum trl_code rc;

	if (length < (uint64_t)row->received)
		return trl_fail(ctx, TRL_MALFORMED,
		    "The upload's offset is %lld already, so its length is no less.",
		    (long long)row->received);
	if (!collection || length > collection->max_bytes)
		return trl_fail(ctx, TRL_TOO_LARGE,
		    "A file of the collection %s can have %llu bytes at most.",
		    row->collection,
		    (unsigned long long)(collection ? collection->max_bytes : 0));
	rc = quota_limit(self, ctx, &quota);
	if (rc != TRL_OK)
		return rc;
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	trl_batch_add(work, &media_sql_upload_length, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("id", trl_value_id(row->id)),
	    TRL_ARG_ID("uploader", media_caller(ctx)),
	    TRL_ARG_INT("offset", row->received),
	    TRL_ARG_INT("length", (int64_t)length),
	    TRL_ARG_INT("reserved", (int64_t)(length > reserved ? length : reserved)),
	    TRL_ARG_INT("had_reserved", row->reserved),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	quota_reserve(work, length > reserved ? length - reserved : 0, &quota);
	return quota_write_unrecorded(self, work, &quota);
}

static enum trl_code
settle_length(struct media *self, trl_ctx *ctx, const Media__V1__PatchUploadRequest *in,
    const struct upload_body *body)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	enum trl_code rc = upload_look(self, ctx, trl_value_id(in->upload_id), row);

	if (rc != TRL_OK)
		return rc;
	if (row->has_length && (uint64_t)row->length == in->upload_length)
		return TRL_OK;
	if (row->has_length)
		return trl_fail(ctx, TRL_MALFORMED,
		    "The upload's length is %lld, once and for all.",
		    (long long)row->length);
	if ((uint64_t)row->received != in->upload_offset)
		return trl_fail(ctx, TRL_CONFLICT, "The upload's offset is %lld.",
		    (long long)row->received);
	/* What is refused fixes nothing. */
	if (body->length != UINT64_MAX && in->upload_length >= in->upload_offset &&
	    body->length > in->upload_length - in->upload_offset)
		return trl_fail(ctx, TRL_TOO_LARGE,
		    "The body has more bytes than Upload-Length leaves for it.");
	return take_length(self, ctx, row, in->upload_length);
}

/* All is there: a body can only go on beyond it. */
static enum trl_code
expect_nothing(trl_ctx *ctx, const struct upload_body *body)
{
	struct trl_piece piece = { .len = 0 };
	enum trl_code rc = TRL_OK;

	if (body->length != 0 && trl_stream_of(ctx))
		rc = trl_stream_read(ctx, trl_stream_of(ctx), &piece);
	if (rc == TRL_OK && piece.len > 0)
		rc = trl_fail(
		    ctx, TRL_TOO_LARGE, "The upload has all of its bytes already.");
	return rc;
}

static enum trl_code
patch(struct media *self, trl_ctx *ctx, const Media__V1__PatchUploadRequest *in,
    const struct upload_body *body, Media__V1__PatchedUpload *out)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	upload_writer *writer = NULL;
	uint64_t offset = in->upload_offset;
	enum trl_code rc = upload_take(
	    self, ctx, trl_value_id(in->upload_id), offset, body, row, &writer);

	if (rc == TRL_OK)
		rc = writer ? upload_receive(ctx, &writer, &offset)
			    : expect_nothing(ctx, body);
	if (rc != TRL_OK)
		return rc;
	trl_set(out, upload_offset, offset);
	out->upload_expires = offset == in->upload_offset
				  ? row->expires_at
				  : trl_value_time(ctx, upload_expiry(self, ctx));
	if (row->has_length && offset == (uint64_t)row->length && !row->finished_at)
		rc = upload_finish(self, ctx, trl_value_id(in->upload_id), NULL);
	return rc;
}

enum trl_code
media_patch_upload(struct media *self, trl_ctx *ctx,
    const Media__V1__PatchUploadRequest *in, Media__V1__PatchedUpload *out)
{
	struct upload_body body;
	const char *why;
	enum trl_code rc = upload_check_version(ctx, in->tus_resumable);

	if (rc != TRL_OK)
		return rc;
	why = upload_read_body(in->upload_checksum, in->content_digest,
	    in->has_content_length, in->content_length, &body);
	if (!why && !in->has_upload_offset)
		why = "Upload-Offset is missing.";
	if (why)
		return trl_fail(ctx, TRL_MALFORMED, "%s", why);
	trl_unchanged(ctx); /* the offset says whether it has happened */
	if (in->has_upload_length)
		rc = settle_length(self, ctx, in, &body);
	return rc == TRL_OK ? patch(self, ctx, in, &body, out) : rc;
}

/* Whoever writes it in this process leaves it first. */
static enum trl_code
fence_own(struct media *self, trl_ctx *ctx, struct trl_id id)
{
	upload_writer *writer =
	    upload_writer_find(self->uploads, ctx->tenant, id, media_caller(ctx));

	if (!writer)
		return TRL_OK;
	writer->fenced = true;
	(void)trl_wake(writer->flusher);
	return upload_writer_await(ctx, writer, UPLOAD_FENCE_MS);
}

static enum trl_code
delete_once(struct media *self, trl_ctx *ctx, struct trl_id id, Trellis__Empty *out)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	enum trl_code rc = upload_read(self, ctx, id, row);

	/* What is whole and cannot become a file nobody else ends soon. */
	if (rc == TRL_OK && upload_is_expired(ctx, row) &&
	    (row->finished_at || !upload_is_whole(row)))
		rc = trl_fail(ctx, TRL_GONE, "The upload has expired.");
	if (rc == TRL_OK)
		rc = fence_own(self, ctx, id);
	if (rc == TRL_OK) /* it may have come further meanwhile */
		rc = upload_read(self, ctx, id, row);
	return rc == TRL_OK ? upload_remove(self, ctx, row, &out->base) : rc;
}

enum trl_code
media_delete_upload(struct media *self, trl_ctx *ctx,
    const Media__V1__DeleteUploadRequest *in, Trellis__Empty *out)
{
	enum trl_code rc = upload_check_version(ctx, in->tus_resumable);

	for (unsigned tries = 0; rc == TRL_OK; tries++) {
		rc = delete_once(self, ctx, trl_value_id(in->upload_id), out);
		if (rc != TRL_CONFLICT || tries == DELETE_TRIES)
			break;
		trl_err_clear(ctx);
		rc = TRL_OK;
		if (tries + 1 == DELETE_TRIES)
			rc = trl_sleep(ctx, AGAIN_MS);
	}
	if (rc == TRL_CONFLICT) {
		trl_err_clear(ctx);
		rc = trl_fail(ctx, TRL_BUSY, "somebody goes on writing the upload");
		trl_err_retry_after(ctx, AGAIN_MS);
	}
	return rc;
}
