/* utf8.h - UTF-8 (RFC 3629) as it comes from outside. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether it is well formed: no overlong forms, no surrogates, nothing above
 * U+10FFFF, and no NUL. */
bool trl_utf8_valid(const char *text, size_t len);
/* Code points of well-formed text. */
size_t trl_utf8_count(const char *text, size_t len);
/* The next code point of well-formed text; *at moves on. */
uint32_t trl_utf8_next(const char *text, size_t len, size_t *at);
/* Writes a code point (no surrogate, at most U+10FFFF); gives its 1 to 4 bytes. */
size_t trl_utf8_put(uint32_t code, char out[4]);
