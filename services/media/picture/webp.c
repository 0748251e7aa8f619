/* webp.c - see webp.h. vips writes an EXIF block of its own making into every WebP,
 * also when it is told to leave all of it out (8.14). A WebP is a RIFF: chunks of a
 * type, a length and so many bytes, filled up to an even number
 * (https://developers.google.com/speed/webp/docs/riff_container). */
#include "picture/webp.h"

#include <stdint.h>
#include <string.h>

#include <trl/compiler.h>

enum { HEAD = 12, CHUNK = 8, HAS_ICC = 0x20, HAS_EXIF = 0x08, HAS_XMP = 0x04 };

static bool
is_of(const uint8_t *chunk, const char *type)
{
	return memcmp(chunk, type, 4) == 0;
}

/* Whatever else there is and will be is beside the picture. */
static bool
is_kept(const uint8_t *chunk)
{
	static const char kept[][5] = { "VP8 ", "VP8L", "VP8X", "ALPH", "ANIM",
		"ANMF" };

	for (size_t i = 0; i < TRL_COUNT(kept); i++)
		if (is_of(chunk, kept[i]))
			return true;
	return false;
}

static size_t
length_of(const uint8_t *chunk)
{
	return chunk[4] | (size_t)chunk[5] << 8 | (size_t)chunk[6] << 16 |
	       (size_t)chunk[7] << 24;
}

bool
webp_strip(struct trl_buf *buf, size_t at)
{
	uint8_t *const begin = buf->data + at, *to = begin + HEAD;
	const uint8_t *const end = buf->data + buf->len;
	size_t n;

	if (end - begin < HEAD || !is_of(begin, "RIFF") || !is_of(begin + 8, "WEBP"))
		return false;
	for (uint8_t *from = to; from < end; from += n) {
		if (end - from < CHUNK)
			return false;
		n = CHUNK + length_of(from) + (length_of(from) & 1);
		if (n > (size_t)(end - from))
			return false;
		if (!is_kept(from))
			continue;
		memmove(to, from, n);
		if (is_of(to, "VP8X") && n > CHUNK)
			to[CHUNK] &= (uint8_t) ~(HAS_ICC | HAS_EXIF | HAS_XMP);
		to += n;
	}
	n = (size_t)(to - begin) - 8;
	for (int i = 0; i < 4; i++)
		begin[4 + i] = (uint8_t)(n >> (8 * i));
	buf->len = at + 8 + n;
	return true;
}
