/* media.ListUploads - the uploads that have begun and not ended, and so hold room of
 * the plan: whoever began one finds it, and whoever manages files all of them. */
#include <trl/page.h>

#include "upload/upload.h"

/* Errors: TRL_INVALID (page_token). */
enum trl_code
media_list_uploads(struct media *self, trl_ctx *ctx,
    const Media__V1__ListUploadsRequest *in, Media__V1__ListUploadsReply *out)
{
	struct trl_page page;
	enum trl_code rc = trl_page_open(
	    ctx, "media.uploads", ctx->tenant, in->page_size, in->page_token, &page);

	if (rc == TRL_OK)
		rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
		    &media_sql_upload_list, NULL, &out->base,
		    TRL_ARG_ID("tenant_id", ctx->tenant),
		    TRL_ARG_ID("me", media_caller(ctx)),
		    TRL_ARG_BOOL("manages", trl_may(ctx, TRL_MAY_MEDIA_FILE_MANAGE)),
		    TRL_ARG_ID("before", trl_page_before(&page)),
		    TRL_ARG_TIME("now", trl_now(ctx)),
		    TRL_ARG_INT("limit", page.size + 1));
	if (rc == TRL_OK)
		trl_page_cut(ctx, &page, page.size, "id", &out->base);
	return rc;
}
