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

bool
media_may_change(const trl_ctx *ctx, struct trl_id maker)
{
	return (!trl_id_is_nil(maker) && trl_id_eq(maker, media_caller(ctx))) ||
	       trl_may(ctx, TRL_MAY_MEDIA_FILE_MANAGE);
}

bool
media_sees(const struct media *self, const trl_ctx *ctx, const char *collection,
    struct trl_id maker)
{
	const struct collection *found =
	    collection && *collection ? collections_find(self->collections, collection)
				      : NULL;

	return (found && found->visibility != COLLECTION_PRIVATE) ||
	       media_may_change(ctx, maker);
}
