/* walk.h - what can be seen of a file without decoding anything: its format, and
 * whether it is built to be dear. Pure; data is whatever somebody sent. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picture/picture.h"

/* By its first bytes, whatever it is called; PICTURE_ANY: none of those. */
enum picture_format walk_format(const uint8_t *data, size_t len);

/* Of a JPEG, up to its end: how many scans (SOS) and how many bytes beside them. A
 * broken one is told as far as it goes. */
void walk_jpeg(const uint8_t *data, size_t len, unsigned *scans, size_t *beside);

/* Of entropy-coded data within one: the place of the next marker, or the end. */
const uint8_t *walk_behind_scan(const uint8_t *at, const uint8_t *end);

/* Of a PNG: how many chunks of text, how many of those and of profiles are compressed,
 * and in how many bytes, and how many bytes are beside the picture. */
struct walk_png {
	unsigned texts, packs;
	size_t packed, beside;
};
void walk_png(const uint8_t *data, size_t len, struct walk_png *out);

/* Of a WebP or a GIF: how many frames, how many bytes beside them, and whether it ends
 * within a piece. */
struct walk_frames {
	unsigned frames;
	size_t beside;
	bool cut_off;
};
size_t walk_webp_length(const uint8_t *data); /* as its first 8 bytes say */
void walk_webp(const uint8_t *data, size_t len, struct walk_frames *out);
void walk_gif(const uint8_t *data, size_t len, struct walk_frames *out);
