/* link.h - signed URLs, which open files without a session; some can be revoked. */
#pragma once

#include "link/sign.h"
#include "media.h"

/* The URL at which anybody may fetch a public file's bytes (options LINK_WHOLE), or a
 * rendition, as long as the file exists. In ctx's arena. */
const char *link_url(const struct media *self, trl_ctx *ctx, const media_file *file,
    const char *options);
