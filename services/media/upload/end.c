/* end.c - ends an upload before it is a file, or long after. The row goes first, with
 * its reservation; if the process dies then, the sweep removes the bytes. */
#include "upload/end.h"

#include <stdlib.h>

#include <trl/log.h>

#include "upload/row.h"
#include "upload/writer.h"

enum { DROP_MS = 30000 };
#define LOST_US INT64_C(3600000000)

static bool
has_bytes(const upload_row *row)
{
	return !row->finished_at || (row->concat && !upload_is_final(row));
}

enum trl_code
upload_is_pending(
    struct media *self, trl_ctx *ctx, const upload_row *row, bool *pending)
{
	Media__V1__UploadCount *found = media_v1_upload_count_new(ctx);
	enum trl_code rc = TRL_OK;

	if (row->finished_at && row->concat)
		rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
		    &media_sql_upload_pending, NULL, &found->base,
		    TRL_ARG_ID("tenant_id", ctx->tenant),
		    TRL_ARG_ID("id", trl_value_id(row->id)));
	*pending = found->count > 0;
	return rc;
}

static enum trl_code
remove_row(
    struct media *self, trl_ctx *ctx, const upload_row *row, ProtobufCMessage *reply)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

	trl_batch_add(work, &media_sql_upload_delete, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("id", trl_value_id(row->id)),
	    TRL_ARG_INT("generation", row->generation),
	    TRL_ARG_INT("reserved", row->reserved),
	    TRL_ARG_BOOL("finished", row->finished_at != NULL));
	quota_release(work, (uint64_t)row->reserved);
	return reply ? quota_write(self, work, NULL, reply)
		     : quota_write_unrecorded(self, work, NULL);
}

enum trl_code
upload_remove(
    struct media *self, trl_ctx *ctx, const upload_row *row, ProtobufCMessage *reply)
{
	const struct store_object object =
	    upload_object(ctx->tenant, trl_value_id(row->id));
	bool pending;
	enum trl_code rc = upload_is_pending(self, ctx, row, &pending);

	if (rc == TRL_OK && pending && upload_is_final(row))
		rc = trl_fail(ctx, TRL_CONFLICT, "The file is still being assembled.");
	if (rc == TRL_OK)
		rc = remove_row(self, ctx, row, reply);
	if (rc != TRL_OK || pending) /* the job of its final upload removes the bytes */
		return rc;
	rc = has_bytes(row) ? store_abandon(ctx, self->store, &object)
			    : upload_drop_parts_of(self, ctx, row);
	if (rc != TRL_OK) { /* the upload has ended; the sweep takes the bytes */
		trl_log_err(ctx);
		trl_err_clear(ctx);
	}
	return TRL_OK;
}

enum trl_code
upload_say_lost(trl_ctx *ctx)
{
	return trl_fail(ctx, TRL_GONE,
	    "The bytes of this upload are no longer in the store: begin a new one.");
}

/* Whether it is a file in the store: then the row is older (the database was restored),
 * and does not describe it. */
static enum trl_code
is_file(struct media *self, trl_ctx *ctx, const upload_row *row, bool *there)
{
	const struct store_object object =
	    upload_object(ctx->tenant, trl_value_id(row->id));
	uint64_t size;
	enum trl_code rc = store_size(ctx, self->store, &object, &size);

	*there = rc == TRL_OK;
	if (rc != TRL_NOT_FOUND)
		return rc;
	trl_err_clear(ctx);
	return TRL_OK;
}

/* The store has ended it: it can be neither continued nor finished, so its row goes,
 * and its reservation is freed. A server that is still completing a multipart upload
 * says the same for a while, so if it was asked to, nothing is decided while the last
 * checkpoint is young. */
enum trl_code
upload_lost(struct media *self, trl_ctx *ctx, const upload_row *row, bool sure)
{
	const int64_t since_us = trl_value_time_us(row->expires_at) -
				 (upload_expiry(self, ctx) - trl_now(ctx));
	bool there;
	enum trl_code rc;

	trl_err_clear(ctx);
	if (!sure && trl_now(ctx) - since_us < LOST_US)
		return trl_fail(
		    ctx, TRL_INTERNAL, "the store says that it has ended an upload");
	trl_log(TRL_LOG_ERROR, ctx, "the store has ended an upload, so its row goes",
	    TRL_LOG_ID("upload", trl_value_id(row->id)),
	    TRL_LOG_INT("bytes", row->received));
	rc = is_file(self, ctx, row, &there);
	if (rc == TRL_OK && !there)
		rc = upload_remove(self, ctx, row, NULL);
	return rc == TRL_OK ? upload_say_lost(ctx) : rc;
}

/* A complete upload is not dropped: its client was told that its bytes are kept. */
enum trl_code
upload_expire(struct media *self, trl_ctx *ctx, const upload_row *row)
{
	bool pending;
	enum trl_code rc;

	if (!row->finished_at && upload_is_whole(row))
		return upload_finish(self, ctx, trl_value_id(row->id), NULL);
	rc = upload_is_pending(self, ctx, row, &pending);
	if (rc == TRL_OK && pending)
		rc = trl_fail(
		    ctx, TRL_CONFLICT, "Its bytes are still needed for a file.");
	return rc == TRL_OK ? upload_remove(self, ctx, row, NULL) : rc;
}

static enum trl_code
fence(trl_ctx *ctx, struct media *self, const upload_row *row, uint32_t patience_ms)
{
	upload_writer *writer = upload_writer_find(self->uploads, ctx->tenant,
	    trl_value_id(row->id), trl_value_id(row->uploader));

	return writer ? upload_writer_fence(ctx, writer, patience_ms) : TRL_OK;
}

enum trl_code
upload_end_now(struct media *self, trl_ctx *ctx, const upload_row *was,
    uint32_t patience_ms, ProtobufCMessage *reply)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	enum trl_code rc = fence(ctx, self, was, patience_ms);

	if (rc == TRL_OK) /* it may have advanced meanwhile */
		rc = upload_find(self, ctx, trl_value_id(was->id), row);
	if (rc == TRL_OK && !row->has_id)
		rc = trl_fail(ctx, TRL_NOT_FOUND, "There is no such upload.");
	if (rc == TRL_OK && row->finished_at && !was->finished_at)
		rc = trl_fail(ctx, TRL_CONFLICT, "The upload has ended meanwhile.");
	return rc == TRL_OK ? upload_remove(self, ctx, row, reply) : rc;
}

struct drop {
	struct media *self;
	struct trl_id tenant, id;
};

static void
run_drop(trl_ctx *ctx, void *arg)
{
	struct drop what = *(struct drop *)arg;
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	enum trl_code rc;

	free(arg);
	ctx->service = "media";
	ctx->tenant = what.tenant;
	rc = upload_find(what.self, ctx, what.id, row);
	if (rc == TRL_OK && row->has_id && !row->finished_at)
		rc = upload_end_now(what.self, ctx, row, DROP_MS, NULL);
	if (trl_is_fault(rc)) /* it expires */
		trl_log_err(ctx);
	uploads_leave(what.self->uploads);
}

void
upload_drop(struct media *self, trl_ctx *ctx, struct trl_id id)
{
	struct drop *what = malloc(sizeof *what);
	const struct trl_spawn spawn = { .name = "upload-drop",
		.run = run_drop,
		.arg = what,
		.timeout_ms = DROP_MS };

	trl_assert(what);
	*what = (struct drop){ self, ctx->tenant, id };
	uploads_enter(self->uploads);
	if (trl_spawn(ctx->loop, &spawn) == TRL_OK)
		return;
	uploads_leave(self->uploads); /* it expires */
	free(what);
}
