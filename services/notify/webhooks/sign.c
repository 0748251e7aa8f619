/* sign.c - signatures by Standard Webhooks 1.0.0: HMAC-SHA256 of
 * "id.timestamp.body" under the bytes that a secret's base64 stands for. */
#include "webhooks/webhooks.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

static const char prefix[] = "whsec_";

enum { KEY_MIN = 24, KEY_MAX = 64 };

void
notify_webhook_secret(char text[NOTIFY_WEBHOOK_SECRET_TEXT])
{
	uint8_t key[NOTIFY_WEBHOOK_SECRET_BYTES];
	const size_t at = sizeof prefix - 1;

	randombytes_buf(key, sizeof key);
	memcpy(text, prefix, at);
	sodium_bin2base64(text + at, NOTIFY_WEBHOOK_SECRET_TEXT - at, key, sizeof key,
	    sodium_base64_VARIANT_ORIGINAL);
	sodium_memzero(key, sizeof key);
}

bool
notify_webhook_sign(const char *secret, const struct notify_webhook_signed *what,
    char out[NOTIFY_WEBHOOK_SIGNATURE_TEXT])
{
	crypto_auth_hmacsha256_state state;
	uint8_t key[KEY_MAX], mac[crypto_auth_hmacsha256_BYTES];
	char head[128];
	size_t len;
	int n;

	if (strncmp(secret, prefix, sizeof prefix - 1) != 0)
		return false;
	secret += sizeof prefix - 1;
	if (sodium_base642bin(key, sizeof key, secret, strlen(secret), NULL, &len, NULL,
		sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    len < KEY_MIN)
		return false;
	n = snprintf(head, sizeof head, "%s.%lld.", what->id, (long long)what->at_s);
	trl_assert(n > 0 && (size_t)n < sizeof head);
	crypto_auth_hmacsha256_init(&state, key, len);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)head, (size_t)n);
	crypto_auth_hmacsha256_update(&state, what->body, what->len);
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_memzero(key, sizeof key);
	sodium_memzero(&state, sizeof state);
	memcpy(out, "v1,", 3);
	sodium_bin2base64(out + 3, NOTIFY_WEBHOOK_SIGNATURE_TEXT - 3, mac, sizeof mac,
	    sodium_base64_VARIANT_ORIGINAL);
	return true;
}
