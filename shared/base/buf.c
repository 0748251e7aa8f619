/* buf.c - a growing run of bytes; doubles, never shrinks before fini. */
#include <trl/buf.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 256 };

void
trl_buf_fini(struct trl_buf *buf)
{
	free(buf->data);
	*buf = (struct trl_buf){ 0 };
}

void
trl_buf_clear(struct trl_buf *buf)
{
	buf->len = 0;
}

uint8_t *
trl_buf_reserve(struct trl_buf *buf, size_t n)
{
	size_t cap = buf->cap ? buf->cap : FIRST_CAP;

	trl_assert(n <= SIZE_MAX / 4 && buf->len <= SIZE_MAX / 4);
	if (buf->data != NULL && n <= buf->cap - buf->len)
		return buf->data + buf->len;
	while (cap - buf->len < n)
		cap *= 2;
	buf->data = realloc(buf->data, cap);
	trl_assert(buf->data != NULL);
	buf->cap = cap;
	return buf->data + buf->len;
}

void
trl_buf_add(struct trl_buf *buf, const void *p, size_t n)
{
	if (n == 0)
		return;
	memcpy(
	    n <= buf->cap - buf->len ? buf->data + buf->len : trl_buf_reserve(buf, n),
	    p, n);
	buf->len += n;
}

void
trl_buf_adds(struct trl_buf *buf, const char *s)
{
	trl_buf_add(buf, s, strlen(s));
}

void
trl_buf_printf(struct trl_buf *buf, const char *fmt, ...)
{
	va_list args;
	size_t room;
	int n;

	trl_buf_reserve(buf, 64);
	room = buf->cap - buf->len;
	va_start(args, fmt);
	n = vsnprintf((char *)buf->data + buf->len, room, fmt, args);
	va_end(args);
	trl_assert(n >= 0);
	if ((size_t)n >= room) {
		trl_buf_reserve(buf, (size_t)n + 1);
		va_start(args, fmt);
		vsnprintf((char *)buf->data + buf->len, (size_t)n + 1, fmt, args);
		va_end(args);
	}
	buf->len += (size_t)n;
}

void
trl_buf_shift(struct trl_buf *buf, size_t n)
{
	trl_assert(n <= buf->len);
	if (n == 0)
		return;
	buf->len -= n;
	if (buf->len > 0)
		memmove(buf->data, buf->data + n, buf->len);
}
