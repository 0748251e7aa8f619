/* buf.h - a growing run of bytes on the heap, bounded by its owner's checks.
 * Anybody may use one; it is not shared between threads. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <trl/compiler.h>

struct trl_buf {
	uint8_t *data;
	size_t len;
	size_t cap;
};

void trl_buf_fini(struct trl_buf *buf);
void trl_buf_clear(struct trl_buf *buf); /* len = 0, keeps the memory */
/* Room for n more bytes; returns where they go. */
uint8_t *trl_buf_reserve(struct trl_buf *buf, size_t n);
void trl_buf_add(struct trl_buf *buf, const void *p, size_t n);
void trl_buf_adds(struct trl_buf *buf, const char *s);
void trl_buf_printf(struct trl_buf *buf, const char *fmt, ...) TRL_PRINTF(2, 3);
/* Drops the first n bytes. */
void trl_buf_shift(struct trl_buf *buf, size_t n);
