/* wish.h - sizes that no collection names: somebody wished for them by a signed URL.
 * What is made counts for no storage, so of one picture so many are kept: the oldest
 * makes room, and is made again when it is asked for. Private to variant/. */
#pragma once

#include "variant/made.h"

/* In gone: those that have to go if what is made under the key is kept, too; none where
 * the collection names it. It is asked right before that: what waits for its turn finds
 * others kept meanwhile. The file is one of ctx's tenant. Errors: TRL_NOT_FOUND. */
enum trl_code wish_make_room(struct media *self, trl_ctx *ctx, struct trl_id file,
    const char *key, Media__V1__Renditions *gone) TRL_MUST_CHECK;
/* The bytes of those whose rows are gone. What stays of them the sweep finds. Where one
 * is made again meanwhile it loses them, too: whoever asks for it next is told to come
 * again, and it is made then. */
void wish_remove(struct media *self, trl_ctx *ctx, struct trl_id file,
    const Media__V1__Renditions *gone);
