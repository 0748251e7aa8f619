/* validate.h - holds a message against its rules; run at the edge and again at
 * the service. */
#pragma once

#include <trl/ctx.h>
#include <trl/method.h>

/* Checks all fields and nested messages; the violations carry JSON pointers
 * ("/email", "/items/3/name").
 * Errors: TRL_INVALID, with ctx->err.violations filled. */
enum trl_code trl_validate(trl_ctx *ctx, const struct trl_message *rules,
    const ProtobufCMessage *message) TRL_MUST_CHECK;
/* One text against one format; NULL when fine, else what it should be (static). */
const char *trl_format_check(enum trl_format format, const char *text, size_t len);
