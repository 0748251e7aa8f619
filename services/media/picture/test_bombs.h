/* test_bombs.h - what the tests of wrong and dear pictures share: PNGs that are put
 * together chunk by chunk, frames, and how large the program became. */
#pragma once

#include "picture/test_asking.h"

static struct trl_buf file;

static const char *const kinds[] = { ".jpg", ".jpg[interlace]", ".png",
	".png[interlace]", ".webp", ".webp[lossless]", ".gif", ".avif" };

/* The largest that it ever was, and is now, in KiB (/proc/pid/status). */
static inline long
status_kib(const char *field)
{
	char path[64], line[256];
	long kib = -1;
	FILE *status;

	(void)snprintf(path, sizeof path, "/proc/%d/status", rig.pid);
	status = fopen(path, "r");
	assert_non_null(status);
	while (fgets(line, sizeof line, status))
		if (strncmp(line, field, strlen(field)) == 0)
			kib = atol(line + strlen(field) + 1);
	assert_int_equal(fclose(status), 0);
	assert_true(kib > 0);
	return kib;
}

static inline void
put32(uint32_t value)
{
	for (int i = 24; i >= 0; i -= 8)
		trl_buf_add(&file, &(uint8_t){ (uint8_t)(value >> i) }, 1);
}

static inline uint32_t
crc_of(const uint8_t *data, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static inline void
png_chunk(const char *type, const void *data, size_t len)
{
	size_t at;

	put32((uint32_t)len);
	at = file.len;
	trl_buf_adds(&file, type);
	trl_buf_add(&file, data, len);
	put32(crc_of(file.data + at, len + 4));
}

/* The first chunk of a PNG of grey with 8 bits. */
static inline void
png_begin(uint32_t width, uint32_t height)
{
	uint8_t head[13] = { 0, 0, 0, 0, 0, 0, 0, 0, 8 };

	for (int i = 0; i < 4; i++) {
		head[i] = (uint8_t)(width >> (24 - 8 * i));
		head[4 + i] = (uint8_t)(height >> (24 - 8 * i));
	}
	trl_buf_clear(&file);
	trl_buf_add(&file, "\x89PNG\r\n\x1a\n", 8);
	png_chunk("IHDR", head, sizeof head);
}

/* One white pixel (deflate, stored). */
static inline void
png_end(void)
{
	png_chunk("IDAT", "\x78\x01\x01\x02\x00\xfd\xff\x00\xff\x02\x00\x01\x00", 13);
	png_chunk("IEND", "", 0);
}

static inline void
put_bits(struct trl_buf *out, unsigned *at, unsigned code, unsigned n)
{
	while (n-- > 0) { /* Huffman's codes begin with their highest bit */
		if (*at % 8 == 0)
			trl_buf_add(out, "", 1);
		out->data[out->len - 1] |= (uint8_t)((code >> n & 1) << *at % 8);
		++*at;
	}
}

/* A text of some 7.9 MB in a chunk of 50 KB (RFC 1951, 3.2.6: a letter, then 258 times
 * the last one, over and over). */
static inline void
bomb(struct trl_buf *out)
{
	enum { TIMES = 30600 };
	uint32_t a = 1, b = 0;
	unsigned at = 0;

	trl_buf_clear(out);
	trl_buf_add(out, "Comment\0\0\x78\x01", 11);
	put_bits(out, &at, 6, 3);
	put_bits(out, &at, 0x30 + 'a', 8);
	for (int i = 0; i < TIMES; i++) {
		put_bits(out, &at, 0xc5, 8);
		put_bits(out, &at, 0, 5);
	}
	put_bits(out, &at, 0, 7);
	for (int i = 0; i < 1 + 258 * TIMES; i++) {
		a = (a + 'a') % 65521;
		b = (b + a) % 65521;
	}
	for (int i = 24; i >= 0; i -= 8)
		trl_buf_add(out, &(uint8_t){ (uint8_t)((b << 16 | a) >> i) }, 1);
}
