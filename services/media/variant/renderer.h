/* renderer.h - asks trellis-picture about a file. */
#pragma once

#include "media.h"
#include "picture/picture.h"

/* Checks that it can be asked about a file at all. Errors: TRL_INVALID (the file is too
 * large; the message is the reason). */
enum trl_code renderer_takes(trl_ctx *ctx, const media_file *file) TRL_MUST_CHECK;
/* Asks, in its turn (turn.h). said is checked: its texts end, its numbers are possible;
 * bytes is the picture that was made, on the heap, which the caller frees in any case.
 * Errors: TRL_INVALID (the file was rejected: the message is the reason), TRL_BUSY,
 * TRL_UNAVAILABLE (trl_child_failed: because of the file), TRL_DEADLINE, and faults of
 * the store. */
enum trl_code renderer_ask(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct picture_request *asked, struct picture_reply *said,
    struct trl_buf *bytes) TRL_MUST_CHECK;
