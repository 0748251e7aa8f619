/* logo.c - see logo.h. */
#include "catalogue/logo.h"

#include <string.h>

static uint32_t
number(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
	       at[3];
}

const char *
logo_check(const uint8_t *data, size_t len)
{
	/* The signature, then IHDR of 13 bytes (PNG, 5.2 and 11.2.2). */
	static const uint8_t head[16] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";

	if (len > LOGO_BYTES_MAX)
		return "has more than 64 KiB";
	if (len < 24 || memcmp(data, head, sizeof head) != 0)
		return "is no PNG";
	if (number(data + 16) - 1 >= LOGO_SIDE_MAX ||
	    number(data + 20) - 1 >= LOGO_SIDE_MAX)
		return "has more than 2,000 pixels a side";
	return NULL;
}
