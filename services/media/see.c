/* see.c - who sees a file. One that the caller may not see is answered like one that
 * does not exist. */
#include <string.h>

#include "media.h"

struct trl_id
media_caller(const trl_ctx *ctx)
{
	return ctx->principal.kind == TRL_KEY ? ctx->principal.session
					      : ctx->principal.account;
}

static bool
is_own(const trl_ctx *ctx, struct trl_id maker)
{
	return !trl_id_is_nil(maker) && trl_id_eq(maker, media_caller(ctx));
}

bool
media_may_change(const trl_ctx *ctx, struct trl_id maker)
{
	return is_own(ctx, maker) || trl_may(ctx, TRL_MAY_MEDIA_FILE_MANAGE);
}

Media__V1__File__Visibility
media_visibility(const struct media *self, const char *collection)
{
	static const Media__V1__File__Visibility all[] = {
		[COLLECTION_PRIVATE] = MEDIA__V1__FILE__VISIBILITY__private,
		[COLLECTION_TENANT] = MEDIA__V1__FILE__VISIBILITY__tenant,
		[COLLECTION_PUBLIC] = MEDIA__V1__FILE__VISIBILITY__public,
	};
	const struct collection *found =
	    collection && *collection ? collections_find(self->collections, collection)
				      : NULL;

	return found ? all[found->visibility] : MEDIA__V1__FILE__VISIBILITY__private;
}

bool
media_sees(const struct media *self, const trl_ctx *ctx, const char *collection,
    struct trl_id maker)
{
	return media_visibility(self, collection) !=
		   MEDIA__V1__FILE__VISIBILITY__private ||
	       media_may_change(ctx, maker);
}

uint32_t
media_sees_by(const struct media *self, const trl_ctx *ctx, const char *collection,
    struct trl_id maker)
{
	return media_visibility(self, collection) !=
			   MEDIA__V1__FILE__VISIBILITY__private ||
		       is_own(ctx, maker)
		   ? 0
		   : TRL_MAY_MEDIA_FILE_MANAGE;
}
