/* file.c - media.GetFile, UpdateFile. What is shown of files beside their rows is
 * link/show.c's. See file.h. */
#include "file/file.h"

#include <trl/event.h>
#include <trl/resource.h>
#include <trl/serve.h>

static enum trl_code
refuse(trl_ctx *ctx)
{
	return trl_fail(ctx, TRL_NOT_FOUND, "There is no such file.");
}

enum trl_code
file_find(struct media *self, trl_ctx *ctx, struct trl_id file, media_file *out)
{
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &media_sql_file_get, NULL, &out->base, TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("id", file));
}

enum trl_code
file_judge_bytes(struct media *self, trl_ctx *ctx, struct trl_id file, enum trl_code rc)
{
	const struct trl_err err = ctx->err;
	media_file *row = media_v1_file_new(ctx);

	if (rc != TRL_NOT_FOUND)
		return trl_fold(ctx, rc);
	trl_err_clear(ctx);
	rc = file_find(self, ctx, file, row);
	if (rc == TRL_OK && file_state(row) == MEDIA__V1__FILE__STATE__rejected)
		rc = refuse(ctx);
	if (rc != TRL_OK)
		return rc;
	ctx->err = err;
	return trl_fold(ctx, err.code);
}

enum trl_code
file_read(struct media *self, trl_ctx *ctx, struct trl_id file, media_file *out)
{
	enum trl_code rc = file_find(self, ctx, file, out);

	if (rc == TRL_OK &&
	    !media_sees(self, ctx, out->collection, trl_value_id(out->maker)))
		rc = refuse(ctx);
	return rc;
}

enum trl_code
media_get_file(struct media *self, trl_ctx *ctx, const Media__V1__GetFileRequest *in,
    media_file *out)
{
	enum trl_code rc = file_read(self, ctx, trl_value_id(in->file_id), out);

	if (rc == TRL_OK && out->state == MEDIA__V1__FILE__STATE__deleted)
		rc = refuse(ctx);
	if (rc == TRL_OK)
		rc = media_show_file(self, ctx, &out, 1);
	if (rc == TRL_OK)
		trl_strip(&media_v1_file_rules, &out->base);
	return rc;
}

/* Whether the caller may change one: the trash is seen only by those who may. */
static enum trl_code
may_change(struct media *self, trl_ctx *ctx, const media_file *row)
{
	const struct trl_id maker = trl_value_id(row->maker);

	if (media_may_change(ctx, maker))
		return TRL_OK;
	if (row->state == MEDIA__V1__FILE__STATE__deleted ||
	    !media_sees(self, ctx, row->collection, maker))
		return refuse(ctx);
	return trl_fail(ctx, TRL_DENIED, "Only whoever made this file may change it.");
}

/* Of UpdateFile, and of PurgeFile (after is NULL).
 * Errors: TRL_NOT_FOUND (it is not seen, or is deleted), TRL_DENIED (it is seen, and
 * another's), TRL_INVALID (name), TRL_CONFLICT (it is to be purged, and not deleted).
 */
enum trl_code
media_judge_file(struct media *self, trl_ctx *ctx, const ProtobufCMessage *in,
    const media_file *before, media_file *after)
{
	const bool deleted = before->state == MEDIA__V1__FILE__STATE__deleted;
	enum trl_code rc = may_change(self, ctx, before);

	(void)in;
	if (rc != TRL_OK)
		return rc;
	if (!after)
		return deleted ? TRL_OK
			       : trl_fail(ctx, TRL_CONFLICT,
				     "Only a deleted file can be purged.");
	return deleted ? refuse(ctx) : media_name_check(ctx, after->name);
}

/* Errors: TRL_NOT_FOUND (also of a deleted one), TRL_DENIED. */
enum trl_code
media_delete_file(struct media *self, trl_ctx *ctx,
    const Media__V1__DeleteFileRequest *in, const media_file *before, media_file *after)
{
	const int64_t now_us = trl_now(ctx);
	enum trl_code rc = may_change(self, ctx, before);

	(void)in;
	if (rc == TRL_OK && before->state == MEDIA__V1__FILE__STATE__deleted)
		rc = refuse(ctx);
	if (rc != TRL_OK)
		return rc;
	trl_set(after, kept_state, before->state);
	trl_set(after, state, MEDIA__V1__FILE__STATE__deleted);
	after->deleted_at = trl_value_time(ctx, now_us);
	after->purge_at =
	    trl_value_time(ctx, now_us + self->config->trash_days * 86400 * 1000000);
	return TRL_OK;
}

/* Errors: TRL_NOT_FOUND (also past purge_at), TRL_DENIED, TRL_CONFLICT (it is not
 * deleted). */
enum trl_code
media_restore_file(struct media *self, trl_ctx *ctx,
    const Media__V1__RestoreFileRequest *in, const media_file *before,
    media_file *after)
{
	enum trl_code rc = may_change(self, ctx, before);

	(void)in;
	if (rc != TRL_OK)
		return rc;
	if (before->state != MEDIA__V1__FILE__STATE__deleted)
		return trl_fail(ctx, TRL_CONFLICT, "This file is not deleted.");
	if (trl_value_time_us(before->purge_at) <= trl_now(ctx))
		return refuse(ctx);
	trl_set(after, state, file_state(before));
	after->has_kept_state = false;
	after->deleted_at = after->purge_at = NULL;
	return TRL_OK;
}

void
media_join_file(struct media *self, trl_ctx *ctx, trl_batch *work,
    const media_file *before, const media_file *after)
{
	const struct trl_id id = trl_value_id(before->id);
	const bool was = before->state == MEDIA__V1__FILE__STATE__deleted;
	/* Its bytes are on their way out, or gone: that is not put off or called back.
	 */
	const bool rejected = file_state(before) == MEDIA__V1__FILE__STATE__rejected;

	(void)self;
	if (!after) {
		file_gone(work, before);
		file_purge_at(ctx, work, id, 0);
	} else if (!was && after->state == MEDIA__V1__FILE__STATE__deleted) {
		file_purge_at(
		    ctx, work, id, rejected ? 0 : trl_value_time_us(after->purge_at));
	} else if (!rejected && was &&
		   after->state != MEDIA__V1__FILE__STATE__deleted) {
		file_purge_not(ctx, work, id);
	}
}
