/* row.c - an upload's row, and how far it has come. */
#include "upload/writer.h"

#include <string.h>

enum { HOUR_S = 3600, CHECKPOINT_MS = 1000 };

int64_t
upload_expiry(const struct media *self, const trl_ctx *ctx)
{
	return trl_now(ctx) + self->config->upload_hours * HOUR_S * 1000000;
}

struct store_object
upload_object(struct trl_id tenant, struct trl_id id)
{
	return (struct store_object){ .tenant = tenant, .file = id, .part = "" };
}

bool
upload_is_final(const upload_row *row)
{
	return row->concat && strncmp(row->concat, "final;", 6) == 0;
}

bool
upload_is_whole(const upload_row *row)
{
	return row->has_length && row->length == row->received;
}

bool
upload_is_expired(const trl_ctx *ctx, const upload_row *row)
{
	return trl_value_time_us(row->expires_at) <= trl_now(ctx);
}

enum trl_code
upload_read(struct media *self, trl_ctx *ctx, struct trl_id id, upload_row *out)
{
	enum trl_code rc;

	media__v1__upload_row__init(out);
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &media_sql_upload_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", id),
	    TRL_ARG_ID("uploader", media_caller(ctx)));
	if (rc == TRL_OK && !out->has_id)
		rc = trl_fail(ctx, TRL_NOT_FOUND, "There is no such upload.");
	return rc;
}

enum trl_code
upload_look(struct media *self, trl_ctx *ctx, struct trl_id id, upload_row *out)
{
	upload_writer *writer =
	    upload_writer_find(self->uploads, ctx->tenant, id, media_caller(ctx));
	enum trl_code rc = TRL_OK;

	if (writer)
		rc = upload_writer_ask(ctx, writer, CHECKPOINT_MS);
	if (rc == TRL_OK)
		rc = upload_read(self, ctx, id, out);
	if (rc == TRL_OK && out->has_holder &&
	    !trl_id_eq(trl_value_id(out->holder), self->uploads->holder)) {
		rc = upload_ask_holder(ctx, self, out, NULL);
		if (rc == TRL_OK)
			rc = upload_read(self, ctx, id, out);
	}
	if (rc == TRL_OK && upload_is_expired(ctx, out))
		rc = trl_fail(ctx, TRL_GONE, "The upload has expired.");
	return rc;
}
