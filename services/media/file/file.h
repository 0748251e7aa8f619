/* file.h - a file's row, for those who give its bytes out or make something of it. */
#pragma once

#include "media.h"

/* Reads a file of ctx's tenant that the caller sees, whatever its state.
 * Errors: TRL_NOT_FOUND, faults. */
enum trl_code file_read(struct media *self, trl_ctx *ctx, struct trl_id file,
    media_file *out) TRL_MUST_CHECK;
