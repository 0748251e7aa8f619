/* mac.c - see mac.h. */
#include "mac.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <sodium.h>

/* Reads one line; false: it is not of the form. */
static bool
read_key(struct bus_keyring *ring, char *line, uint8_t bytes[32])
{
	char *hex;
	unsigned long kid = strtoul(line, &hex, 10);
	size_t got = 0;
	const char *end = NULL;

	if (hex == line || *hex != ':' || kid == 0 || kid > UINT16_MAX)
		return false;
	hex++;
	if (sodium_hex2bin(bytes, 32, hex, strlen(hex), NULL, &got, &end) != 0 ||
	    got != 32 || (*end != '\0' && *end != '\r') ||
	    bus_keyring_find(ring, (uint16_t)kid) != NULL)
		return false;
	ring->keys[ring->n++].kid = (uint16_t)kid;
	return true;
}

bool
bus_keyring_parse(struct bus_keyring *ring, const char *text)
{
	uint8_t bytes[BUS_KEYS_MAX][32];
	char line[128];
	bool fine = true;

	ring->n = 0;
	ring->secret = NULL;
	while (fine && *text != '\0') {
		size_t len = strcspn(text, "\n");
		if (len > 0 && text[0] != '#' && text[0] != '\r') {
			fine = len < sizeof line && ring->n < BUS_KEYS_MAX;
			snprintf(line, sizeof line, "%.*s", (int)len, text);
			fine = fine && read_key(ring, line, bytes[ring->n]);
		}
		text += len;
		if (*text == '\n')
			text++;
	}
	if (fine && ring->n > 0)
		ring->secret = trl_secret_new(bytes, ring->n * sizeof bytes[0]);
	for (size_t i = 0; ring->secret != NULL && i < ring->n; i++)
		ring->keys[i].bytes = trl_secret_bytes(ring->secret) + 32 * i;
	sodium_memzero(bytes, sizeof bytes);
	sodium_memzero(line, sizeof line);
	return ring->secret != NULL;
}

void
bus_keyring_fini(struct bus_keyring *ring)
{
	trl_secret_free(&ring->secret);
	ring->n = 0;
}

const struct bus_key *
bus_keyring_find(const struct bus_keyring *ring, uint16_t kid)
{
	for (size_t i = 0; i < ring->n; i++)
		if (ring->keys[i].kid == kid)
			return &ring->keys[i];
	return NULL;
}

void
bus_mac_derive(struct bus_mac *mac, const struct bus_key *key, bool is_caller,
    const uint8_t nonce[16], const uint8_t challenge[16], const char *caller,
    const char *callee)
{
	static const char purpose[] = "trellis bus connection 1";
	crypto_generichash_state state;
	uint8_t both[64];

	crypto_generichash_init(&state, key->bytes, 32, sizeof both);
	crypto_generichash_update(&state, (const uint8_t *)purpose, sizeof purpose);
	crypto_generichash_update(&state, nonce, 16);
	crypto_generichash_update(&state, challenge, 16);
	crypto_generichash_update(&state, (const uint8_t *)caller, strlen(caller) + 1);
	crypto_generichash_update(&state, (const uint8_t *)callee, strlen(callee) + 1);
	crypto_generichash_final(&state, both, sizeof both);
	*mac = (struct bus_mac){ .on = true, .kid = key->kid };
	mac->secret = trl_secret_new(both, sizeof both);
	mac->out = trl_secret_bytes(mac->secret) + (is_caller ? 0 : 32);
	mac->in = trl_secret_bytes(mac->secret) + (is_caller ? 32 : 0);
	sodium_memzero(both, sizeof both);
	sodium_memzero(&state, sizeof state);
}

void
bus_mac_fini(struct bus_mac *mac)
{
	trl_secret_free(&mac->secret);
	*mac = (struct bus_mac){ 0 };
}

void
bus_mac_tag(
    const uint8_t key[32], const uint8_t *data, size_t len, uint8_t tag[BUS_TAG])
{
	crypto_generichash(tag, BUS_TAG, data, len, key, 32);
}

/* libcrypto's, by the widest instructions that the processor has: several times as fast
 * as libsodium's. */
static EVP_MAC *poly1305;
static pthread_once_t poly1305_once = PTHREAD_ONCE_INIT;

static void
fetch_poly1305(void)
{
	poly1305 = EVP_MAC_fetch(NULL, "POLY1305", NULL);
}

void
bus_mac_tag_long(
    const uint8_t key[32], const uint8_t *data, size_t len, uint8_t tag[BUS_TAG])
{
	uint8_t once[crypto_onetimeauth_KEYBYTES];
	size_t made;
	pthread_once(&poly1305_once, fetch_poly1305);
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(poly1305);
	crypto_generichash(once, sizeof once, data, BUS_ENVELOPE, key, 32);
	trl_assert(mac != NULL && EVP_MAC_init(mac, once, sizeof once, NULL) &&
		   EVP_MAC_update(mac, data, len) &&
		   EVP_MAC_final(mac, tag, &made, BUS_TAG));
	EVP_MAC_CTX_free(mac);
	sodium_memzero(once, sizeof once);
}

bool
bus_mac_check_long(const uint8_t key[32], const uint8_t *data, size_t len)
{
	uint8_t want[BUS_TAG];
	bus_mac_tag_long(key, data, len - BUS_TAG, want);
	return sodium_memcmp(want, data + len - BUS_TAG, BUS_TAG) == 0;
}

bool
bus_mac_check(const uint8_t key[32], const uint8_t *data, size_t len)
{
	uint8_t want[BUS_TAG];
	bus_mac_tag(key, data, len - BUS_TAG, want);
	return sodium_memcmp(want, data + len - BUS_TAG, BUS_TAG) == 0;
}

bool
bus_mac_fresh(struct bus_mac *mac, uint64_t counter)
{
	if (counter == 0)
		return false;
	if (counter > mac->top) {
		uint64_t by = counter - mac->top;
		mac->seen = by > 63 ? 0 : mac->seen << by;
		mac->seen |= 1;
		mac->top = counter;
		return true;
	}
	uint64_t back = mac->top - counter;
	if (back > 63 || (mac->seen >> back & 1) != 0)
		return false;
	mac->seen |= (uint64_t)1 << back;
	return true;
}
