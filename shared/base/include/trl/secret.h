/* secret.h - bytes that must not leak: locked in memory, wiped when freed,
 * absent from logs because nothing prints the type. libsodium's guarded heap. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct trl_secret trl_secret;

trl_secret *trl_secret_new(const void *bytes, size_t len);
void trl_secret_free(trl_secret **secret);
const uint8_t *trl_secret_bytes(const trl_secret *secret);
size_t trl_secret_len(const trl_secret *secret);
/* In constant time. */
bool trl_secret_eq(const trl_secret *a, const trl_secret *b);
