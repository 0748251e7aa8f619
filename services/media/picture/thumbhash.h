/* thumbhash.h - a picture's rough look in some 25 bytes, for a page to show until the
 * picture is there: ThumbHash (Evan Wallace, https://evanw.github.io/thumbhash/). */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { THUMBHASH_SIDE_MAX = 100, THUMBHASH_MAX = 40 };

/* Of pixels in sRGB with straight alpha, row by row, at most THUMBHASH_SIDE_MAX a side.
 * Gives how many bytes it has. */
size_t thumbhash(
    int width, int height, const uint8_t *rgba, uint8_t out[THUMBHASH_MAX]);
