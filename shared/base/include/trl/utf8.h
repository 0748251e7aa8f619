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
/* How much of the beginning is plain: well formed, and without control characters
 * (C0 and DEL) but those in controls. */
size_t trl_utf8_plain(const char *text, size_t len, const char *controls);
/* Puts a question mark for each byte that is not plain. */
void trl_utf8_clean(char *text, size_t len, const char *controls);
/* The length to cut well-formed text to, at most max bytes and between characters. */
size_t trl_utf8_cut(const char *text, size_t len, size_t max);
/* Whether a code point is white space (the property White_Space of Unicode 15). */
bool trl_utf8_blank(uint32_t code);
/* Whether a code point shows nothing by itself, though it is no white space: controls,
 * Default_Ignorable_Code_Point of Unicode 15 (joiners, selectors, fillers, overrides,
 * tags), non-characters, and the few with an empty glyph. */
bool trl_utf8_hidden(uint32_t code);
/* Writes a code point (no surrogate, at most U+10FFFF); gives its 1 to 4 bytes. */
size_t trl_utf8_put(uint32_t code, char out[4]);
