/* strip.h - a still picture's file as it lies, without what is beside the picture and
 * behind it. Pure. */
#pragma once

#include <stdbool.h>

#include <trl/buf.h>

#include "picture/picture.h"

/* Appends it, of a whole JPEG, PNG or WebP. False: it has something that not everybody
 * reads, moves, or is of another format; what out has then is nothing. */
bool strip(
    enum picture_format format, const uint8_t *data, size_t len, struct trl_buf *out);
