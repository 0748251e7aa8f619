/* end.h - how an upload ends, for the files of this folder and the sweep. An actor. */
#pragma once

#include "upload/upload.h"

/* end.c */

/* Whether a job still has to read its bytes, or to assemble them. */
enum trl_code upload_is_pending(struct media *self, trl_ctx *ctx, const upload_row *row,
    bool *pending) TRL_MUST_CHECK;
/* Ends an upload, whatever it holds; records reply, unless it is NULL.
 * Errors: TRL_CONFLICT (it has changed since it was read; its file is being made). */
enum trl_code upload_remove(struct media *self, trl_ctx *ctx, const upload_row *row,
    ProtobufCMessage *reply) TRL_MUST_CHECK;
/* The same for one that may have advanced since it was read; first stops its writer in
 * this process, within patience_ms if it can. Errors: also TRL_NOT_FOUND (it has
 * ended); TRL_CONFLICT also if it has become a file. */
enum trl_code upload_end_now(struct media *self, trl_ctx *ctx, const upload_row *was,
    uint32_t patience_ms, ProtobufCMessage *reply) TRL_MUST_CHECK;
/* Ends an upload that the store has lost; sure: the store is not making a file of it.
 * Errors: TRL_GONE (it has ended now), TRL_INTERNAL (not decided yet), TRL_CONFLICT as
 * above. */
enum trl_code upload_lost(
    struct media *self, trl_ctx *ctx, const upload_row *row, bool sure) TRL_MUST_CHECK;
/* Fails with what its client is then told: TRL_GONE. */
enum trl_code upload_say_lost(trl_ctx *ctx);
/* Ends an upload that no client knows of, in an actor of its own; its writer stops
 * first. Does nothing if it has become a file. ctx may be cancelled. */
void upload_drop(struct media *self, trl_ctx *ctx, struct trl_id id);

/* parts.c */

/* Removes parts of a final upload, with their bytes, except those that another one
 * still needs, whose job comes here as well. Errors: faults. */
enum trl_code upload_drop_parts(struct media *self, trl_ctx *ctx,
    const ProtobufCBinaryData *parts, size_t n) TRL_MUST_CHECK;
/* The same for a final upload that will not be assembled; does nothing for others. */
enum trl_code upload_drop_parts_of(
    struct media *self, trl_ctx *ctx, const upload_row *row) TRL_MUST_CHECK;
