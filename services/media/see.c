/* see.c - who sees a file. One that the caller may not see is answered like one that
 * does not exist. */
#include <string.h>

#include "media.h"

bool
media_may_change(const trl_ctx *ctx, struct trl_id created_by)
{
	return !trl_id_is_nil(created_by) &&
	       trl_id_eq(created_by, ctx->principal.account);
}

bool
media_sees(const struct media *self, const trl_ctx *ctx, const char *collection,
    struct trl_id created_by)
{
	const struct collection *found =
	    collection && *collection ? collections_find(self->collections, collection)
				      : NULL;

	return (found && found->visibility != COLLECTION_PRIVATE) ||
	       media_may_change(ctx, created_by);
}
