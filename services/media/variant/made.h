/* made.h - what was made of a picture: its row and its bytes, made now where they are
 * not there. Whatever asks for the same at the same time, in this process, waits for
 * the one that makes it; two replicas may both make it, and the last one counts. Who
 * asked may leave: what has begun is made. */
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

/* The row of what was made so, in out; one without an etag: it was not.
 * options are decided. */
enum trl_code made_find(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct options *options, media_rendition *out) TRL_MUST_CHECK;
/* Makes it, and fills out. file is one of ctx's tenant.
 * Errors: TRL_INVALID (the picture cannot be rendered, and why), TRL_NOT_FOUND (the
 * file is gone), TRL_BUSY, TRL_UNAVAILABLE, TRL_STORAGE, TRL_DEADLINE. */
enum trl_code made_make(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct options *options, media_rendition *out) TRL_MUST_CHECK;
