/* logo.h - whether bytes from outside may be a logo. Pure; trellis-pdf uses it, too. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { LOGO_BYTES_MAX = 65536, LOGO_SIDE_MAX = 2000 };

/* By their head alone, before anything decodes them: a PNG, of at most 64 KiB and 2,000
 * by 2,000 pixels. NULL, or what is wrong. */
const char *logo_check(const uint8_t *data, size_t len);
