/* picture.h - what the service and trellis-picture say to each other: a request of
 * fixed size with a file beside it (trl/child.h) comes, a reply of fixed size and the
 * bytes of a picture go. Both are of one release and one machine, so these are structs
 * as they lie in memory; a program of another version is not asked (trl/child.h). The
 * service trusts no field of a reply
 * (variant/ask.c).
 */
#pragma once

#include <stdint.h>

enum {
	PICTURE_VERSION = 2,
	PICTURE_REPLY_MAX = 16 << 20, /* bytes, its head included */

	/* What is decoded at all; all of it is seen from the header. */
	PICTURE_FILE_MAX = 100 << 20,  /* bytes */
	PICTURE_PIXELS_MAX = 50000000, /* of a frame */
	PICTURE_ALL_MAX = 200000000,   /* pixels of all frames */
	PICTURE_LARGE = 16000000,      /* pixels: its decoder may want for memory */
	PICTURE_SIDE_MAX = 16383,
	PICTURE_FRAMES_MAX = 100,
	PICTURE_SCANS_MAX = 500,         /* of a JPEG */
	PICTURE_METADATA_MAX = 16 << 20, /* bytes beside the picture; not of HEIF */
	PICTURE_CHUNKS_MAX = 100,        /* of text, of a PNG */
	/* Of compressed text, of a PNG: chunks, each of which may become 8 MB, kept
	 * four times, and bytes. */
	PICTURE_PACKS_MAX = 6,
	PICTURE_PACKED_MAX = 1 << 20,

	/* What can be asked for. */
	PICTURE_WANTED_MAX = 4096, /* a side */
	PICTURE_QUALITY_MIN = 1,
	PICTURE_QUALITY_MAX = 100,

	PICTURE_CPU_S = 15, /* of decoding and scaling; encoding comes on top */
	PICTURE_HASH_MAX = 40,
	PICTURE_REASON_MAX = 160
};

/* The formats that go out are the first five; AVIF and HEIC come in only where the
 * request says so. NULL-free names are in variant/options.c. */
enum picture_format {
	PICTURE_ANY, /* of a request: that of the file, WebP for AVIF and HEIC */
	PICTURE_JPEG,
	PICTURE_PNG,
	PICTURE_WEBP,
	PICTURE_GIF,
	PICTURE_AVIF,
	PICTURE_HEIC
};

/* Never enlarged, and of at least one pixel, either way. */
enum picture_fit {
	PICTURE_CONTAIN, /* as large as it can be within width and height, whole */
	/* Covers width and height, what is beyond them is cut off on both sides; of a
	 * smaller one as much as has their proportions. */
	PICTURE_COVER
};

enum picture_task {
	PICTURE_LOOK = 1, /* what is it? No picture comes back, but its ThumbHash */
	PICTURE_MAKE
};

struct picture_request {
	uint32_t task, fit, format;
	uint32_t width, height; /* 0: free */
	uint32_t quality;       /* 0: that of the format */
	uint32_t heif;          /* 1: AVIF and HEIC are taken */
};

enum picture_status {
	PICTURE_DONE = 1,
	PICTURE_REJECTED /* for good: reason says why, to whoever sent the file */
};

struct picture_reply {
	uint32_t status, format;        /* of LOOK: the file's, of MAKE: that made */
	uint32_t width, height, frames; /* as displayed; of one frame */
	uint32_t thumb_hash_len;
	uint8_t thumb_hash[PICTURE_HASH_MAX];
	char reason[PICTURE_REASON_MAX]; /* a sentence */
};
