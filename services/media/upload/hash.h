/* hash.h - a SHA-256 that another process can continue: its state is kept in the
 * upload's row, the same on every machine. One actor, or one thread, at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/sha.h>

#include <trl/compiler.h>

enum {
	HASH_TEXT = 65, /* 64 digits and NUL */
	/* A version, eight words, a length in bytes, and the block that is not full. */
	HASH_STATE = 1 + 32 + 8 + 64
};

void hash_init(SHA256_CTX *hash);
void hash_add(SHA256_CTX *hash, const void *data, size_t len);
/* The hash so far, which may go on. */
void hash_text(const SHA256_CTX *hash, char text[HASH_TEXT]);
void hash_save(const SHA256_CTX *hash, uint8_t state[HASH_STATE]);
/* False: it is not the state of a hash of this many bytes. */
bool hash_load(
    SHA256_CTX *hash, const void *state, size_t len, uint64_t bytes) TRL_MUST_CHECK;
