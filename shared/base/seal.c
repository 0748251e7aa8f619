/* seal.c - a purpose's key is keyed BLAKE2b of the purpose's name under the process's
 * seal key, so what was sealed for one purpose opens for no other. A seal is a random
 * nonce of 24 bytes, long enough to be drawn without a count of those before it, and
 * the XChaCha20-Poly1305 of the data behind it (libsodium's ietf form). */
#include <trl/seal.h>

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/secret.h>

enum {
	NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES
};

struct trl_sealer {
	trl_secret *key;
};

trl_sealer *
trl_sealer_new(const uint8_t key[TRL_SEAL_KEY], const char *purpose)
{
	trl_sealer *sealer = malloc(sizeof *sealer);
	uint8_t derived[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];

	trl_assert(sealer != NULL && sodium_init() >= 0);
	crypto_generichash(derived, sizeof derived, (const unsigned char *)purpose,
	    strlen(purpose), key, TRL_SEAL_KEY);
	sealer->key = trl_secret_new(derived, sizeof derived);
	sodium_memzero(derived, sizeof derived);
	return sealer;
}

void
trl_sealer_free(trl_sealer **sealer)
{
	if (*sealer == NULL)
		return;
	trl_secret_free(&(*sealer)->key);
	free(TRL_TAKE(*sealer));
}

void *
trl_seal(const trl_sealer *sealer, trl_arena *arena, const void *data, size_t len,
    size_t *out_len)
{
	uint8_t *sealed = trl_arena_alloc(arena, NONCE + len + TAG);

	randombytes_buf(sealed, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE, NULL, data, len,
	    NULL, 0, NULL, sealed, trl_secret_bytes(sealer->key));
	*out_len = NONCE + len + TAG;
	return sealed;
}

void *
trl_unseal(const trl_sealer *sealer, trl_arena *arena, const void *sealed, size_t len,
    size_t *out_len)
{
	const uint8_t *nonce = sealed;
	uint8_t *data;

	if (len < NONCE + TAG)
		return NULL;
	data = trl_arena_alloc(arena, len - NONCE - TAG + 1);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(data, NULL, NULL, nonce + NONCE,
		len - NONCE, NULL, 0, nonce, trl_secret_bytes(sealer->key)) != 0)
		return NULL;
	*out_len = len - NONCE - TAG;
	data[*out_len] = '\0';
	return data;
}
