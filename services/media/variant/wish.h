/* wish.h - renditions on demand: sizes that no collection names, which a signed URL
 * asks for. They do not count against storage, so only so many of a picture are kept:
 * the oldest makes room, and is made again on demand. Private to variant/. */
#pragma once

#include "variant/made.h"

/* Lists in gone the renditions that have to go if key is kept, too; none if the
 * collection names it. Ask right before keeping it: others may be kept while it waits
 * for its turn. The file is one of ctx's tenant. Errors: TRL_NOT_FOUND. */
enum trl_code wish_make_room(struct media *self, trl_ctx *ctx, struct trl_id file,
    const char *key, Media__V1__Renditions *gone) TRL_MUST_CHECK;
/* Removes the bytes of renditions whose rows are gone. The sweep finds what this
 * leaves. One that is made again meanwhile loses its bytes, too: the next request is
 * told to come again, and it is made then. */
void wish_remove(struct media *self, trl_ctx *ctx, struct trl_id file,
    const Media__V1__Renditions *gone);
