/* base64.h - RFC 4648 section 4, padded. For shared/json only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 4 * ((len + 2) / 3) characters, no NUL. */
void json_base64_encode(const uint8_t *bytes, size_t len, char *out);
/* out takes len / 4 * 3 bytes. Strict: padding, no other characters, no bits left
 * over. */
bool json_base64_decode(const char *text, size_t len, uint8_t *out, size_t *out_len);
