/* save.h - pixels become a file again. */
#pragma once

#include <trl/buf.h>

#include "picture/source.h"

/* Appends the file to out. quality 0: that of the format. 0, or vips has failed. */
int save(
    VipsImage *image, enum picture_format format, int quality, struct trl_buf *out);
