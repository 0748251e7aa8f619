/* renderer.h - asks trellis-picture about a file. */
#pragma once

#include "media.h"
#include "picture/picture.h"

/* In its turn (turn.h). said is checked: its texts end, its numbers are possible; bytes
 * are those of a picture that was made, on the heap, for the caller to free whatever
 * comes. Errors: TRL_INVALID (it was rejected: the error's message is the reason),
 * TRL_NOT_FOUND (the file has no bytes), TRL_BUSY, TRL_UNAVAILABLE, TRL_DEADLINE. */
enum trl_code renderer_ask(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct picture_request *asked, struct picture_reply *said,
    struct trl_buf *bytes) TRL_MUST_CHECK;
