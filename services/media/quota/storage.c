/* media.GetStorage - what an organisation stores, and how much it may. */
#include "quota/quota.h"

enum trl_code
media_get_storage(struct media *self, trl_ctx *ctx,
    const Media__V1__GetStorageRequest *in, Media__V1__Storage *out)
{
	struct quota quota;
	enum trl_code rc = quota_limit(self, ctx, &quota);

	(void)in;
	if (rc != TRL_OK)
		return rc;
	trl_set(out, used, 0);
	trl_set(out, reserved, 0);
	if (quota.limit != INT64_MAX)
		trl_set(out, limit, (uint64_t)quota.limit);
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &media_sql_storage_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
}
