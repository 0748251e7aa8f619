/* source.h - a file that is to be a picture: judged by its first bytes and its header,
 * before anything is decoded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vips/vips.h>

#include "picture/picture.h"

struct source {
	const uint8_t *data; /* the file, mapped */
	size_t len;
	enum picture_format format;
	int width, height; /* of a frame, as it lies in the file */
	int frames;
	int orientation; /* EXIF's, 1 to 8; 1 where the decoder turns it itself */
	bool plain; /* its pixels are sRGB or grey with 8 bits, without a profile */
};

/* NULL, or why it is no picture for us, as a sentence that room may hold. */
const char *source_open(
    struct source *out, int file, bool heif, char room[PICTURE_REASON_MAX]);
void source_close(struct source *source);

/* Its pixels, read from top to bottom once. A JPEG is shrunk by 1, 2, 4 or 8 meanwhile,
 * a WebP by any factor; all frames stand below each other. NULL: it is broken. */
VipsImage *source_read(const struct source *source, double shrink, bool all_frames);
