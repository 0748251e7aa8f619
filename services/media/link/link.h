/* link.h - what opens files without a session: signed URLs, of which some can be
 * revoked. */
#pragma once

#include "link/sign.h"
#include "media.h"

/* Where anybody may fetch the bytes of a public file (options LINK_WHOLE), or what is
 * made of them, as long as the file is there. In ctx's arena. */
const char *link_url(const struct media *self, trl_ctx *ctx, const media_file *file,
    const char *options);
