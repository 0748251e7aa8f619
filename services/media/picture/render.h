/* render.h - from a file's pixels to those that are shown: scaled, upright, cut, sRGB
 * with 8 bits, without anything that was said beside the picture. */
#pragma once

#include "picture/size.h"
#include "picture/source.h"

/* As asked; all frames below each other (page-height) or only the first. An image still
 * to be computed, or NULL. */
VipsImage *render(
    const struct source *source, const struct picture_request *asked, bool all_frames);
