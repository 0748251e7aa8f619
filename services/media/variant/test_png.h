/* test_png.h - a PNG that a test draws without a library. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <trl/buf.h>

/* A grey PNG, unpacked (deflate, stored), of the width and height its header says; its
 * rows are there or, for one that is a lie, are not. */
static struct trl_buf png;

static inline void
put32(uint32_t value)
{
	for (int i = 24; i >= 0; i -= 8)
		trl_buf_add(&png, &(uint8_t){ (uint8_t)(value >> i) }, 1);
}

static inline void
chunk(const char *type, const void *data, size_t len)
{
	uint32_t crc = UINT32_MAX;
	size_t at;

	put32((uint32_t)len);
	at = png.len;
	trl_buf_adds(&png, type);
	trl_buf_add(&png, data, len);
	for (size_t i = at; i < png.len; i++) {
		crc ^= png.data[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	put32(~crc);
}

static inline void
draw(uint32_t width, uint32_t height, bool rows)
{
	uint8_t head[13] = { (uint8_t)(width >> 24), (uint8_t)(width >> 16),
		(uint8_t)(width >> 8), (uint8_t)width, (uint8_t)(height >> 24),
		(uint8_t)(height >> 16), (uint8_t)(height >> 8), (uint8_t)height, 8 };
	struct trl_buf data = { 0 };
	uint32_t a = 1, b = 0;

	trl_buf_clear(&png);
	trl_buf_add(&png, "\x89PNG\r\n\x1a\n", 8);
	chunk("IHDR", head, sizeof head);
	trl_buf_add(&data, "\x78\x01", 2);
	for (uint32_t y = 0; rows && y < height; y++) {
		uint8_t row[8 + 4096] = { y + 1 == height, (uint8_t)(width + 1),
			(uint8_t)((width + 1) >> 8), (uint8_t) ~(width + 1),
			(uint8_t)(~(width + 1) >> 8) };

		for (uint32_t x = 0; x < width; x++)
			row[6 + x] = (uint8_t)(x + y);
		for (uint32_t i = 5; i < 6 + width; i++) {
			a = (a + row[i]) % 65521;
			b = (b + a) % 65521;
		}
		trl_buf_add(&data, row, 6 + width);
	}
	a |= b << 16;
	trl_buf_add(&data,
	    (uint8_t[]){
		(uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8), (uint8_t)a },
	    4);
	chunk("IDAT", data.data, data.len);
	chunk("IEND", "", 0);
	trl_buf_fini(&data);
}
