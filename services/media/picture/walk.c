/* walk.c - see walk.h. */
#include "picture/walk.h"

#include <string.h>

#include <trl/compiler.h>

static bool
begins(const uint8_t *data, size_t len, size_t at, const char *with, size_t n)
{
	return len >= at + n && memcmp(data + at, with, n) == 0;
}

/* ISO/IEC 14496-12, 4.3: the brand of a file that begins with its type. */
static enum picture_format
format_of_brand(const uint8_t *data, size_t len)
{
	static const char heic[][5] = { "heic", "heix", "heim", "heis", "hevc", "hevx",
		"mif1", "msf1" };

	if (!begins(data, len, 4, "ftyp", 4))
		return PICTURE_ANY;
	if (begins(data, len, 8, "avif", 4) || begins(data, len, 8, "avis", 4))
		return PICTURE_AVIF;
	for (size_t i = 0; i < TRL_COUNT(heic); i++)
		if (begins(data, len, 8, heic[i], 4))
			return PICTURE_HEIC;
	return PICTURE_ANY;
}

enum picture_format
walk_format(const uint8_t *data, size_t len)
{
	if (begins(data, len, 0, "\xff\xd8\xff", 3))
		return PICTURE_JPEG;
	if (begins(data, len, 0, "\x89PNG\r\n\x1a\n", 8))
		return PICTURE_PNG;
	if (begins(data, len, 0, "GIF87a", 6) || begins(data, len, 0, "GIF89a", 6))
		return PICTURE_GIF;
	if (begins(data, len, 0, "RIFF", 4) && begins(data, len, 8, "WEBP", 4))
		return PICTURE_WEBP;
	return format_of_brand(data, len);
}

/* ITU-T T.81, B.1.1: behind entropy-coded data, at the FF of the next marker. */
const uint8_t *
walk_behind_scan(const uint8_t *at, const uint8_t *end)
{
	while (end - at >= 2) {
		at = memchr(at, 0xff, (size_t)(end - at) - 1);
		if (!at)
			return end;
		if (at[1] != 0 && at[1] != 0xff && (at[1] < 0xd0 || at[1] > 0xd7))
			return at;
		at += at[1] == 0xff ? 1 : 2;
	}
	return end;
}

void
walk_jpeg(const uint8_t *data, size_t len, unsigned *scans, size_t *beside)
{
	const uint8_t *at = data, *const end = data + len;

	*scans = 0;
	*beside = 0;
	while ((at = memchr(at, 0xff, (size_t)(end - at))) != NULL) {
		size_t segment;

		while (at < end && *at == 0xff)
			at++;
		if (at == end || *at == 0xd9 /* EOI: no decoder reads on */)
			return;
		if (*at <= 0x01 || (*at >= 0xd0 && *at <= 0xd8)) {
			at++;
			continue;
		}
		if (end - at < 3)
			return;
		segment = 1 + ((size_t)at[1] << 8 | at[2]);
		if (segment < 3 || segment > (size_t)(end - at))
			return;
		if (*at == 0xda /* SOS */) {
			++*scans;
			at = walk_behind_scan(at + segment, end);
		} else {
			*beside += segment;
			at += segment;
		}
	}
}

/* PNG 1.2, 3.2: length, type, data, CRC. */
void
walk_png(const uint8_t *data, size_t len, struct walk_png *out)
{
	*out = (struct walk_png){ 0 };
	for (size_t at = 8; len - at >= 12 && at < len;) {
		const uint8_t *chunk = data + at;
		const size_t n = (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 |
				 (size_t)chunk[2] << 8 | chunk[3];
		const char *type = (const char *)chunk + 4;

		if (n > len - at - 12)
			return;
		if (memcmp(type, "tEXt", 4) == 0)
			out->texts++;
		if (memcmp(type, "zTXt", 4) == 0 || memcmp(type, "iTXt", 4) == 0) {
			/* An iTXt says behind its keyword whether it is packed. */
			const uint8_t *nul = memchr(chunk + 8, 0, n);
			const bool plain = type[0] == 'i' && nul &&
					   nul + 1 < chunk + 8 + n && nul[1] == 0;

			out->texts++;
			out->packs += plain ? 0 : 1;
			out->packed += plain ? 0 : n;
		}
		if (memcmp(type, "iCCP", 4) == 0) {
			out->packs++;
			out->packed += n;
		}
		if (memcmp(type, "IDAT", 4) != 0)
			out->beside += n;
		at += n + 12;
	}
}

/* Of a RIFF's chunk, or all of it. */
static size_t
length_of(const uint8_t *chunk)
{
	return chunk[4] | (size_t)chunk[5] << 8 | (size_t)chunk[6] << 16 |
	       (size_t)chunk[7] << 24;
}

size_t
walk_webp_length(const uint8_t *data)
{
	return 8 + length_of(data);
}

/* A RIFF: chunks of type, length and so many bytes, filled up to an even number. */
void
walk_webp(const uint8_t *data, size_t len, struct walk_frames *out)
{
	static const char picture[][5] = { "VP8 ", "VP8L", "VP8X", "ALPH", "ANIM",
		"ANMF" };

	const size_t whole = len < 8 ? 8 : walk_webp_length(data);

	*out = (struct walk_frames){ .cut_off = len < 12 || whole > len };
	for (size_t at = 12; !out->cut_off && at < whole && whole - at >= 8;) {
		const uint8_t *chunk = data + at;
		const size_t n = length_of(chunk);
		bool is_picture = false;

		for (size_t i = 0; i < TRL_COUNT(picture); i++)
			is_picture = is_picture || memcmp(chunk, picture[i], 4) == 0;
		out->frames += memcmp(chunk, "ANMF", 4) == 0;
		out->beside += is_picture ? 0 : n;
		out->cut_off = n > whole - at - 8;
		at += 8 + n + (n & 1);
	}
}

/* Behind blocks of a length and so many bytes, of which the last has none; NULL: they
 * do not end. */
static const uint8_t *
behind_blocks(const uint8_t *at, const uint8_t *end)
{
	while (at < end && *at != 0 && end - at > *at)
		at += 1 + *at;
	return at < end && *at == 0 ? at + 1 : NULL;
}

static size_t
palette_size(uint8_t packed)
{
	return packed & 0x80 ? (size_t)3 << ((packed & 7) + 1) : 0;
}

/* GIF89a, 18 to 27: a head, then extensions and pictures up to the trailer; many a file
 * has none. What begins as neither, decoders make of it what they can. */
void
walk_gif(const uint8_t *data, size_t len, struct walk_frames *out)
{
	const uint8_t *at = data + 13, *const end = data + len;

	*out = (struct walk_frames){ .cut_off = true };
	if (len < 13 || (size_t)(end - at) < palette_size(data[10]))
		return;
	at += palette_size(data[10]);
	while (at < end && (*at == '!' || *at == ',')) {
		const bool is_frame = *at == ',';
		const uint8_t *const begin = at;
		/* A frame has a head, a palette and the width of its codes. */
		size_t head = 2;

		if (is_frame && end - at > 10)
			head = 11 + palette_size(at[9]);
		if ((size_t)(end - at) < head || (is_frame && end - at <= 10))
			return;
		at = behind_blocks(at + head, end);
		out->frames += is_frame;
		if (!at)
			return;
		out->beside += is_frame ? 0 : (size_t)(at - begin);
	}
	out->cut_off = false;
}
