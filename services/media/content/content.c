/* content.c - media.GetContent: a file's bytes for whoever sees the file. */
#include "content/content.h"

#include "file/file.h"
#include "kinds/kinds.h"

enum { COME_AGAIN_MS = 2000 };

struct content
content_of_file(const struct media *self, trl_ctx *ctx, const media_file *file)
{
	const struct trl_id id = trl_value_id(file->id);
	const bool is_known = file->sha256 && *file->sha256;
	char tag[TRL_ID_TEXT];

	trl_id_format(id, tag); /* which names the same bytes always, too */
	return (struct content){
		.object = { ctx->tenant, id, "" },
		.type = file->type,
		.name = file->name,
		.size = file->size,
		.sha256 = is_known ? file->sha256 : NULL,
		.etag = trl_arena_printf(
		    ctx->arena, "\"%s\"", is_known ? file->sha256 : tag),
		.modified_us = trl_value_time_us(file->created_at),
		.is_inline = kinds_of(file->type).in_place,
		.cache = CONTENT_MINE,
		.permission = media_sees_by(
		    self, ctx, file->collection, trl_value_id(file->maker)),
	};
}

enum trl_code
content_ready(trl_ctx *ctx, const media_file *file)
{
	switch (file->state) {
	case MEDIA__V1__FILE__STATE__ready:
		return TRL_OK;
	case MEDIA__V1__FILE__STATE__processing:
		trl_err_retry_after(ctx, COME_AGAIN_MS);
		return trl_fail(ctx, TRL_CONFLICT, "The file is not ready yet.");
	default:
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such file.");
	}
}

enum trl_code
media_get_content(struct media *self, trl_ctx *ctx,
    const Media__V1__GetContentRequest *in, Media__V1__ContentBytes *out)
{
	const struct content_asked asked = CONTENT_ASKED(in);
	media_file file = MEDIA__V1__FILE__INIT;
	struct content what;
	enum trl_code rc;

	rc = file_read(self, ctx, trl_value_id(in->file_id), &file);
	if (rc == TRL_OK)
		rc = content_ready(ctx, &file);
	if (rc != TRL_OK)
		return rc;
	what = content_of_file(self, ctx, &file);
	return content_give(self, ctx, &what, &asked, out);
}
