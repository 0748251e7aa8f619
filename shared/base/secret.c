/* secret.c - libsodium's guarded heap: locked, between guard pages, wiped when
 * freed, read-only while it lives. */
#include <trl/secret.h>

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/compiler.h>

struct trl_secret {
	size_t len;
	uint8_t *bytes;
};

trl_secret *
trl_secret_new(const void *bytes, size_t len)
{
	trl_secret *secret = malloc(sizeof *secret);

	trl_assert(secret != NULL && sodium_init() >= 0);
	secret->len = len;
	secret->bytes = sodium_malloc(len ? len : 1);
	trl_assert(secret->bytes != NULL);
	if (len > 0)
		memcpy(secret->bytes, bytes, len);
	sodium_mprotect_readonly(secret->bytes);
	return secret;
}

void
trl_secret_free(trl_secret **secret)
{
	if (*secret == NULL)
		return;
	sodium_free((*secret)->bytes);
	free(TRL_TAKE(*secret));
}

const uint8_t *
trl_secret_bytes(const trl_secret *secret)
{
	return secret->bytes;
}

size_t
trl_secret_len(const trl_secret *secret)
{
	return secret->len;
}

bool
trl_secret_eq(const trl_secret *a, const trl_secret *b)
{
	return a->len == b->len && sodium_memcmp(a->bytes, b->bytes, a->len) == 0;
}
