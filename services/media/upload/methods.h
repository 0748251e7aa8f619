/* methods.h - what the methods about uploads share. For the files of this folder. */
#pragma once

#include "upload/upload.h"

enum { UPLOAD_FINAL_KEY = 32 };

/* Errors: TRL_PRECONDITION (Tus-Resumable is missing, or another). */
enum trl_code upload_check_version(trl_ctx *ctx, const char *resumable) TRL_MUST_CHECK;
/* NULL, or why the fields cannot be. checksum and digest may be NULL. */
const char *upload_read_body(const char *checksum, const char *digest, bool has_length,
    uint64_t length, struct upload_body *out) TRL_MUST_CHECK;
/* Ends one, whatever it has; with a record of the reply, which may be NULL.
 * Errors: TRL_CONFLICT (it is no longer as it was read; its file is being made). */
enum trl_code upload_remove(struct media *self, trl_ctx *ctx, const upload_row *row,
    ProtobufCMessage *reply) TRL_MUST_CHECK;
/* The same by an actor of its own, for one that nobody was told of; whoever writes it
 * leaves it first. Of one that has become a file, nothing. ctx may be cancelled. */
void upload_drop(struct media *self, trl_ctx *ctx, struct trl_id id);
