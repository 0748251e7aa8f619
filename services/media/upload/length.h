/* length.h - the length of an upload that was begun without one (length.c), for PATCH.
 * An actor. */
#pragma once

#include "upload/upload.h"

struct upload_late {
	bool taken; /* with this request */
	uint64_t length, had_reserved;
};
/* Takes the length from a PATCH, before its body. Errors: TRL_NOT_FOUND, TRL_GONE,
 * TRL_MALFORMED (not the length that was set before), TRL_CONFLICT (not the offset),
 * TRL_TOO_LARGE. */
enum trl_code upload_settle_length(struct media *self, trl_ctx *ctx,
    const Media__V1__PatchUploadRequest *in, const struct upload_body *body,
    struct upload_late *out) TRL_MUST_CHECK;
/* Takes the length back after the request was refused; ctx's error stays. */
void upload_unsettle_length(
    struct media *self, trl_ctx *ctx, struct trl_id id, const struct upload_late *late);
