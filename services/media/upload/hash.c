/* hash.c - see hash.h. libcrypto's newer interface has no way to keep a hash that is
 * under way; SHA256_CTX is what it had before, and shows its state (FIPS 180-4, 6.2).
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "upload/hash.h"

#include <endian.h>
#include <string.h>

#include <sodium.h>

enum { VERSION = 1, AT_LENGTH = 1 + 32, AT_BLOCK = AT_LENGTH + 8, BLOCK = 64 };

void
hash_init(SHA256_CTX *hash)
{
	trl_assert(SHA256_Init(hash) == 1);
}

void
hash_add(SHA256_CTX *hash, const void *data, size_t len)
{
	trl_assert(SHA256_Update(hash, data, len) == 1);
}

void
hash_text(const SHA256_CTX *hash, char text[HASH_TEXT])
{
	SHA256_CTX copy = *hash;
	uint8_t bytes[SHA256_DIGEST_LENGTH];

	trl_assert(SHA256_Final(bytes, &copy) == 1);
	sodium_bin2hex(text, HASH_TEXT, bytes, sizeof bytes);
}

static uint64_t
bytes_of(const SHA256_CTX *hash)
{
	return ((uint64_t)hash->Nh << 32 | hash->Nl) / 8;
}

void
hash_save(const SHA256_CTX *hash, uint8_t state[HASH_STATE])
{
	const uint64_t length = htobe64(bytes_of(hash));

	memset(state, 0, HASH_STATE);
	state[0] = VERSION;
	for (size_t i = 0; i < 8; i++) {
		const uint32_t word = htobe32(hash->h[i]);

		memcpy(state + 1 + 4 * i, &word, 4);
	}
	memcpy(state + AT_LENGTH, &length, 8);
	memcpy(state + AT_BLOCK, hash->data, hash->num);
}

bool
hash_load(SHA256_CTX *hash, const void *state, size_t len, uint64_t bytes)
{
	const uint8_t *at = state;
	uint64_t length;

	hash_init(hash);
	if (len == 0 && bytes == 0)
		return true;
	if (len != HASH_STATE || at[0] != VERSION)
		return false;
	memcpy(&length, at + AT_LENGTH, 8);
	if (be64toh(length) != bytes || bytes > UINT64_MAX / 8)
		return false;
	for (size_t i = 0; i < 8; i++) {
		uint32_t word;

		memcpy(&word, at + 1 + 4 * i, 4);
		hash->h[i] = be32toh(word);
	}
	hash->Nl = (uint32_t)(bytes * 8);
	hash->Nh = (uint32_t)(bytes * 8 >> 32);
	hash->num = (unsigned)(bytes % BLOCK);
	memcpy(hash->data, at + AT_BLOCK, hash->num);
	return true;
}
