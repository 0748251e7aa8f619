/* media.GetStorage - what an organisation stores. */
#include "media.h"

enum trl_code
media_get_storage(struct media *self, trl_ctx *ctx,
    const Media__V1__GetStorageRequest *in, Media__V1__Storage *out)
{
	(void)in;
	trl_set(out, used, 0);
	trl_set(out, reserved, 0);
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &media_sql_storage_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
}
