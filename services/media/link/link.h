/* link.h - what opens files without a session: signed URLs, of which some can be
 * revoked. */
#pragma once

#include "link/sign.h"
#include "media.h"

/* Where a file's bytes (options LINK_WHOLE), or what is made of them, can be fetched by
 * whoever has the URL: where its collection is public for ever, else for one to two
 * hours, and then by the same text for all who ask within an hour. In ctx's arena. */
const char *link_url(const struct media *self, trl_ctx *ctx, const media_file *file,
    const char *options);
