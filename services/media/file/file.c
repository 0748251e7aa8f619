/* media.GetFile, UpdateFile, and what is shown of files. */
#include "file/file.h"

enum trl_code
file_read(struct media *self, trl_ctx *ctx, struct trl_id file, media_file *out)
{
	enum trl_code rc = trl_batch_get_one(ctx, self->pg,
	    TRL_SCOPE_TENANT(ctx->tenant), &media_sql_file_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", file));

	if (rc == TRL_OK &&
	    !media_sees(self, ctx, out->collection, trl_value_id(out->created_by)))
		rc = trl_fail(ctx, TRL_NOT_FOUND, "There is no such file.");
	return rc;
}

enum trl_code
media_get_file(struct media *self, trl_ctx *ctx, const Media__V1__GetFileRequest *in,
    media_file *out)
{
	enum trl_code rc = file_read(self, ctx, trl_value_id(in->file_id), out);

	if (rc == TRL_OK && out->state == MEDIA__V1__FILE__STATE__deleted)
		rc = trl_fail(ctx, TRL_NOT_FOUND, "There is no such file.");
	return rc == TRL_OK ? media_show_file(self, ctx, &out, 1) : rc;
}

/* Errors: TRL_NOT_FOUND (it is not seen), TRL_DENIED (it is, and another's),
 * TRL_INVALID (name). */
enum trl_code
media_judge_file(struct media *self, trl_ctx *ctx, const ProtobufCMessage *in,
    const media_file *before, media_file *after)
{
	struct trl_id maker = trl_value_id(before->created_by);

	(void)in, (void)after;
	if (!media_sees(self, ctx, before->collection, maker) ||
	    before->state == MEDIA__V1__FILE__STATE__deleted)
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such file.");
	if (!media_may_change(ctx, maker))
		return trl_fail(
		    ctx, TRL_DENIED, "Only whoever made this file may change it.");
	return TRL_OK;
}

enum trl_code
media_show_file(struct media *self, trl_ctx *ctx, media_file **files, size_t n)
{
	(void)self, (void)ctx, (void)files, (void)n;
	return TRL_OK;
}
