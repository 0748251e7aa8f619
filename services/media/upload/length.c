/* length.c - the length of an upload that was begun without one: it comes with a PATCH,
 * before its body, and its room is reserved then. Once it is taken it is final, unless
 * that very PATCH is refused. */
#include "upload/length.h"

#include <trl/log.h>

#include "upload/row.h"
#include "upload/writer.h"

enum { LEAVE_MS = 2000 };

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
		    "The upload has %lld bytes already, so its length cannot be less.",
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
	if (length == (uint64_t)row->received) /* should nobody come to finish it */
		upload_add_finish(ctx, trl_value_id(row->id), work);
	quota_reserve(work, length > reserved ? length - reserved : 0, &quota);
	return quota_write_unrecorded(self, work, &quota);
}

/* Whoever wrote it without knowing its length closes it, also where nothing comes from
 * there. */
static enum trl_code
end_former(struct media *self, trl_ctx *ctx, const upload_row *row)
{
	const struct trl_id id = trl_value_id(row->id);
	upload_writer *writer =
	    upload_writer_find(self->uploads, ctx->tenant, id, media_caller(ctx));

	if (writer)
		return upload_writer_fence(ctx, writer, UPLOAD_FENCE_MS);
	return row->has_holder &&
		       !trl_id_eq(trl_value_id(row->holder), self->uploads->holder)
		   ? upload_tell_holder(ctx, self, trl_value_id(row->holder), id)
		   : TRL_OK;
}

enum trl_code
upload_settle_length(struct media *self, trl_ctx *ctx,
    const Media__V1__PatchUploadRequest *in, const struct upload_body *body,
    struct upload_late *out)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	enum trl_code rc = upload_look(self, ctx, trl_value_id(in->upload_id), row);

	if (rc != TRL_OK)
		return rc;
	if (row->has_length && (uint64_t)row->length == in->upload_length)
		return TRL_OK;
	if (row->has_length)
		return trl_fail(ctx, TRL_MALFORMED,
		    "The upload's length is %lld and cannot be changed.",
		    (long long)row->length);
	if ((uint64_t)row->received != in->upload_offset)
		return trl_fail(ctx, TRL_CONFLICT, "The upload's offset is %lld.",
		    (long long)row->received);
	/* What is refused fixes nothing. */
	if (body->length != UINT64_MAX && in->upload_length >= in->upload_offset &&
	    body->length > in->upload_length - in->upload_offset)
		return trl_fail(ctx, TRL_TOO_LARGE,
		    "The body has more bytes than Upload-Length allows.");
	rc = take_length(self, ctx, row, in->upload_length);
	if (rc == TRL_OK)
		*out = (struct upload_late){ .taken = true,
			.length = in->upload_length,
			.had_reserved = (uint64_t)row->reserved };
	return rc == TRL_OK ? end_former(self, ctx, row) : rc;
}

static enum trl_code
undo(struct media *self, trl_ctx *ctx, const upload_row *row,
    const struct upload_late *late)
{
	const uint64_t reserved = (uint64_t)row->reserved;
	uint64_t keeps = (uint64_t)row->received;
	trl_batch *work;

	if (keeps < late->had_reserved)
		keeps = late->had_reserved;
	if (!row->has_length || (uint64_t)row->length != late->length ||
	    row->finished_at || upload_is_whole(row) || keeps > reserved)
		return TRL_OK;
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	trl_batch_add(work, &media_sql_upload_length_undo, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("id", trl_value_id(row->id)),
	    TRL_ARG_INT("length", (int64_t)late->length),
	    TRL_ARG_INT("had_reserved", (int64_t)reserved),
	    TRL_ARG_INT("reserved", (int64_t)keeps));
	quota_release(work, reserved - keeps);
	return quota_write_unrecorded(self, work, NULL);
}

void
upload_unsettle_length(
    struct media *self, trl_ctx *ctx, struct trl_id id, const struct upload_late *late)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	const struct trl_err err = ctx->err;
	upload_writer *writer =
	    upload_writer_find(self->uploads, ctx->tenant, id, media_caller(ctx));
	enum trl_code rc = TRL_OK;

	trl_err_clear(ctx);
	if (writer) /* it makes durable what has come */
		rc = upload_writer_await(ctx, writer, LEAVE_MS);
	if (rc == TRL_OK)
		rc = upload_find(self, ctx, id, row);
	if (rc == TRL_OK && row->has_id)
		rc = undo(self, ctx, row, late);
	if (trl_is_fault(rc)) /* a conflict: another goes on, with that length */
		trl_log_err(ctx);
	trl_err_clear(ctx);
	ctx->err = err;
}
