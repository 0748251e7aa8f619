/* exif.h - what EXIF says of how a picture is to be turned. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* 1 to 8, of a block as files have it. 1 where it says nothing, or says it in another
 * way than one SHORT in its first directory: a browser does not turn it then, either.
 */
int exif_orientation(const uint8_t *data, size_t len);
