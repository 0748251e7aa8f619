/* strip.c - see strip.h. Only those pieces are taken over that a picture is decoded
 * from; whatever else there is or will be is left out. */
#include "picture/strip.h"

#include <string.h>

#include <trl/compiler.h>

#include "picture/walk.h"
#include "picture/webp.h"

static bool
is_one_of(uint8_t marker, const char *markers)
{
	return memchr(markers, marker, strlen(markers)) != NULL;
}

/* A JPEG's segment (ITU-T T.81, B.1.1.3) of n bytes, marker and all. Arithmetic coding
 * and whatever else browsers do not decode: false. */
static bool
add_segment(const uint8_t *at, size_t n, struct trl_buf *out)
{
	/* Without a thumbnail and a density; it says which colours these are, */
	static const uint8_t jfif[] = { 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1,
		0, 0, 1, 0, 1, 0, 0 };

	if (at[1] == 0xe0 && n >= sizeof jfif && memcmp(at + 4, "JFIF", 5) == 0)
		trl_buf_add(out, jfif, sizeof jfif);
	else if (at[1] == 0xee && n == 16 && memcmp(at + 4, "Adobe", 5) == 0)
		trl_buf_add(out, at, n); /* and so does this */
	else if (is_one_of(at[1], "\xc0\xc1\xc2\xc4\xda\xdb\xdd"))
		trl_buf_add(out, at, n); /* frame, tables, scan, restarts */
	else
		return at[1] == 0xfe || (at[1] >= 0xe0 && at[1] <= 0xef);
	return true;
}

static bool
strip_jpeg(const uint8_t *data, size_t len, struct trl_buf *out)
{
	const uint8_t *at = data + 2, *const end = data + len;

	trl_buf_add(out, data, 2);
	while (end - at >= 4 && at[0] == 0xff && at[1] != 0xd9) {
		const size_t n = 2 + ((size_t)at[2] << 8 | at[3]);
		const uint8_t *next = at + n;

		if (at[1] == 0xff) { /* they may be filled up */
			at++;
			continue;
		}
		if (n < 4 || n > (size_t)(end - at) || !add_segment(at, n, out))
			return false;
		if (at[1] == 0xda) {
			next = walk_behind_scan(at + n, end);
			trl_buf_add(out, at + n, (size_t)(next - at) - n);
		}
		at = next;
	}
	if (end - at < 2 || at[0] != 0xff || at[1] != 0xd9)
		return false;
	trl_buf_add(out, at, 2);
	return true;
}

/* PNG 1.2, 3.2. */
static bool
strip_png(const uint8_t *data, size_t len, struct trl_buf *out)
{
	static const char kept[][5] = { "IHDR", "PLTE", "tRNS", "IDAT", "IEND" };
	bool ended = false;
	size_t n;

	trl_buf_add(out, data, 8);
	for (size_t at = 8; !ended && len - at >= 12; at += n) {
		const uint8_t *chunk = data + at;
		bool is_kept = false;

		n = 12 + ((size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 |
			     (size_t)chunk[2] << 8 | chunk[3]);
		if (n > len - at)
			return false;
		for (size_t i = 0; i < TRL_COUNT(kept); i++)
			is_kept = is_kept || memcmp(chunk + 4, kept[i], 4) == 0;
		if (is_kept)
			trl_buf_add(out, chunk, n);
		else if (!(chunk[4] & 0x20)) /* it cannot be decoded without */
			return false;
		ended = memcmp(chunk + 4, "IEND", 4) == 0;
	}
	return ended;
}

static bool
strip_still_webp(const uint8_t *data, size_t len, struct trl_buf *out)
{
	const size_t at = out->len;
	struct walk_frames found;

	walk_webp(data, len, &found);
	if (found.cut_off || found.frames > 0)
		return false;
	trl_buf_add(out, data, walk_webp_length(data));
	return webp_strip(out, at);
}

bool
strip(enum picture_format format, const uint8_t *data, size_t len, struct trl_buf *out)
{
	const size_t at = out->len;
	bool done = false;

	if (format == PICTURE_JPEG && len >= 2)
		done = strip_jpeg(data, len, out);
	if (format == PICTURE_PNG && len >= 8)
		done = strip_png(data, len, out);
	if (format == PICTURE_WEBP)
		done = strip_still_webp(data, len, out);
	if (!done)
		out->len = at;
	return done;
}
