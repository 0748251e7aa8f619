/* methods.h - what the methods about uploads share. For the files of this folder. */
#pragma once

#include "upload/upload.h"

enum { UPLOAD_FINAL_KEY = 32 };

/* Errors: TRL_PRECONDITION (Tus-Resumable is missing, or another). */
enum trl_code upload_check_version(trl_ctx *ctx, const char *resumable) TRL_MUST_CHECK;
/* NULL, or why the fields cannot be. checksum and digest may be NULL. */
const char *upload_read_body(const char *checksum, const char *digest, bool has_length,
    uint64_t length, struct upload_body *out) TRL_MUST_CHECK;
/* upload_expire, with a record of the reply. */
enum trl_code upload_remove(struct media *self, trl_ctx *ctx, const upload_row *row,
    ProtobufCMessage *reply) TRL_MUST_CHECK;
