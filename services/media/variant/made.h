/* made.h - renditions of pictures, row and bytes, which are made if they do not exist.
 * Requests of this process for the same rendition wait for the one that makes it; two
 * replicas may both make it, and the last one counts. Once begun, it is made even if
 * whoever asked has left. */
#pragma once

#include "media.h"
#include "variant/options.h"
#include "variant/turn.h"

typedef Media__V1__Rendition media_rendition;

enum { MADE_WAITING_MAX = 64 /* for one */ };

/* What is being made. */
struct making;
struct variants {
	turns *turns;
	struct making *first;
};
typedef struct variants variants;

/* Reads the row of a rendition; without an etag, it was not made yet. options are
 * decided. */
enum trl_code made_find(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct options *options, media_rendition *out) TRL_MUST_CHECK;
/* Makes it, and fills out. file is one of ctx's tenant.
 * Errors: TRL_INVALID (why the picture cannot be rendered), TRL_NOT_FOUND (the
 * file is gone), TRL_BUSY, TRL_UNAVAILABLE, TRL_STORAGE, TRL_DEADLINE. */
enum trl_code made_make(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct options *options, media_rendition *out) TRL_MUST_CHECK;
