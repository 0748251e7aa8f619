/* parts.c - what a final upload is made of goes with the last join that needs it: the
 * bytes would lie there twice and count once. So it does where that join comes to
 * nothing, for the file was purged or rejected: then they would lie there and count for
 * nobody. */
#include "upload/end.h"
#include "upload/row.h"

enum { TRIES = 3 };

static enum trl_code
is_needed(struct media *self, trl_ctx *ctx, struct trl_id id, bool *needed)
{
	Media__V1__UploadCount *found = media_v1_upload_count_new(ctx);
	enum trl_code rc = trl_batch_get_one(ctx, self->pg,
	    TRL_SCOPE_TENANT(ctx->tenant), &media_sql_upload_pending, NULL,
	    &found->base, TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", id));

	*needed = found->count > 0;
	return rc;
}

/* The bytes of one that was ended meanwhile. */
static enum trl_code
drop_bytes(struct media *self, trl_ctx *ctx, struct trl_id id)
{
	const struct store_object part = upload_object(ctx->tenant, id);
	bool needed = false;
	enum trl_code rc = is_needed(self, ctx, id, &needed);

	return rc == TRL_OK && !needed ? store_abandon(ctx, self->store, &part) : rc;
}

/* TRL_CONFLICT: it is needed, or was asked for or ended just now. */
static enum trl_code
drop_once(struct media *self, trl_ctx *ctx, struct trl_id id)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	enum trl_code rc = upload_find(self, ctx, id, row);

	if (rc != TRL_OK)
		return rc;
	return row->has_id ? upload_expire(self, ctx, row) : drop_bytes(self, ctx, id);
}

static enum trl_code
drop(struct media *self, trl_ctx *ctx, struct trl_id id)
{
	enum trl_code rc = TRL_OK;
	bool needed = false;

	for (unsigned tries = 0; rc == TRL_OK && !needed && tries < TRIES; tries++) {
		rc = drop_once(self, ctx, id);
		if (rc != TRL_CONFLICT)
			return rc;
		trl_err_clear(ctx);
		rc = is_needed(self, ctx, id, &needed);
	}
	return rc;
}

enum trl_code
upload_drop_parts(
    struct media *self, trl_ctx *ctx, const ProtobufCBinaryData *parts, size_t n)
{
	enum trl_code rc = TRL_OK;

	for (size_t i = 0; rc == TRL_OK && i < n; i++) {
		const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);

		rc = drop(self, ctx, trl_value_id(parts[i]));
		if (rc == TRL_OK)
			trl_arena_rewind(ctx->arena, mark);
	}
	return rc;
}

enum trl_code
upload_drop_parts_of(struct media *self, trl_ctx *ctx, const upload_row *row)
{
	/* Those of one that is put together its job has dropped. */
	return row->n_parts > 0 && row->joined < row->length
		   ? upload_drop_parts(self, ctx, row->parts, row->n_parts)
		   : TRL_OK;
}

enum trl_code
upload_file_gone(struct media *self, trl_ctx *ctx, struct trl_id file)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	enum trl_code rc = upload_find(self, ctx, file, row);

	return rc == TRL_OK && row->has_id ? upload_drop_parts_of(self, ctx, row) : rc;
}
