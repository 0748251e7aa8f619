/* replay.h - the look for what a WRITE has answered before. For whoever dispatches
 * messages: the bus, by the skeleton. A handler looks for nothing, for it runs only
 * where nothing was found; but for one that commits before it can answer, and then
 * leaves a mark under a key made from the request's own. */
#pragma once

#include <trl/pg.h>

/* Fills reply with the stored one if ctx's key already ran; *replayed tells.
 * Errors: TRL_INVALID (the key was used for another request), TRL_UNAVAILABLE,
 * TRL_DEADLINE. */
enum trl_code trl_replay(
    trl_ctx *ctx, trl_pg *pg, ProtobufCMessage *reply, bool *replayed) TRL_MUST_CHECK;
