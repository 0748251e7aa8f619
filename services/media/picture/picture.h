/* picture.h - the messages between the service and trellis-picture: a request of fixed
 * size with a file beside it (trl/child.h), and a reply of fixed size followed by the
 * bytes of a picture. Both ends are of one release on one machine, so these are structs
 * as they lie in memory; a program of another version is not asked (trl/child.h). The
 * service trusts no field of a reply (variant/renderer.c). */
#pragma once

#include <stdint.h>

enum {
	PICTURE_VERSION = 2,
	PICTURE_REPLY_MAX = 16 << 20, /* bytes, its head included */

	/* The limits of what is decoded; all are checked on the header. */
	PICTURE_FILE_MAX = 100 << 20,  /* bytes */
	PICTURE_PIXELS_MAX = 50000000, /* of a frame */
	PICTURE_ALL_MAX = 200000000,   /* pixels of all frames */
	PICTURE_LARGE = 16000000,      /* pixels: its decoder may run out of memory */
	PICTURE_SIDE_MAX = 16383,
	PICTURE_FRAMES_MAX = 100,
	PICTURE_SCANS_MAX = 500,         /* of a JPEG */
	PICTURE_METADATA_MAX = 16 << 20, /* bytes besides the picture; not of HEIF */
	PICTURE_CHUNKS_MAX = 100,        /* of text, of a PNG */
	/* Compressed text of a PNG: how many chunks, each of which may become 8 MB and
	 * is kept four times, and how many bytes. */
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

/* The first five can be written, HEIC only read; AVIF and HEIC are read only if the
 * request says so. variant/options.c has their names. */
enum picture_format {
	PICTURE_ANY, /* in a request: the file's own, WebP for AVIF and HEIC */
	PICTURE_JPEG,
	PICTURE_PNG,
	PICTURE_WEBP,
	PICTURE_GIF,
	PICTURE_AVIF,
	PICTURE_HEIC
};

/* Either way nothing is enlarged, and there is at least one pixel. */
enum picture_fit {
	PICTURE_CONTAIN, /* the largest size that fits within width and height */
	/* Fills width and height, and crops evenly on both sides; of a smaller picture,
	 * the largest area with their proportions. */
	PICTURE_COVER
};

enum picture_task {
	PICTURE_LOOK = 1, /* what it is; the reply has its ThumbHash, and no picture */
	PICTURE_MAKE
};

struct picture_request {
	uint32_t task, fit, format;
	uint32_t width, height; /* 0: free */
	uint32_t quality;       /* 0: the format's default */
	uint32_t heif;          /* 1: read AVIF and HEIC, too */
};

enum picture_status {
	PICTURE_DONE = 1,
	PICTURE_REJECTED /* for good; reason says why, for whoever sent the file */
};

struct picture_reply {
	uint32_t status, format;        /* LOOK: the file's; MAKE: the new picture's */
	uint32_t width, height, frames; /* as displayed; of one frame */
	uint32_t thumb_hash_len;
	uint8_t thumb_hash[PICTURE_HASH_MAX];
	char reason[PICTURE_REASON_MAX]; /* a sentence */
};
