/* mac.c - see mac.h. */
#include "mac.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

bool
bus_keyring_parse(struct bus_keyring *ring, const char *text)
{
	ring->n = 0;
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		char line[128];
		if (len > 0 && text[0] != '#' && text[0] != '\r') {
			if (len >= sizeof line || ring->n == BUS_KEYS_MAX)
				return false;
			memcpy(line, text, len);
			line[len] = '\0';
			struct bus_key *key = &ring->keys[ring->n];
			char *hex;
			unsigned long kid = strtoul(line, &hex, 10);
			size_t got = 0;
			const char *end = NULL;
			if (hex == line || *hex != ':' || kid == 0 || kid > UINT16_MAX)
				return false;
			hex++;
			if (sodium_hex2bin(key->bytes, sizeof key->bytes, hex,
				strlen(hex), NULL, &got, &end) != 0 ||
			    got != sizeof key->bytes || (*end != '\0' && *end != '\r'))
				return false;
			key->kid = (uint16_t)kid;
			if (bus_keyring_find(ring, key->kid) != NULL)
				return false;
			ring->n++;
			sodium_memzero(line, sizeof line);
		}
		text += len;
		if (*text == '\n')
			text++;
	}
	return ring->n > 0;
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

	crypto_generichash_init(&state, key->bytes, sizeof key->bytes, sizeof both);
	crypto_generichash_update(&state, (const uint8_t *)purpose, sizeof purpose);
	crypto_generichash_update(&state, nonce, 16);
	crypto_generichash_update(&state, challenge, 16);
	crypto_generichash_update(&state, (const uint8_t *)caller, strlen(caller) + 1);
	crypto_generichash_update(&state, (const uint8_t *)callee, strlen(callee) + 1);
	crypto_generichash_final(&state, both, sizeof both);
	memset(mac, 0, sizeof *mac);
	memcpy(is_caller ? mac->out : mac->in, both, 32);
	memcpy(is_caller ? mac->in : mac->out, both + 32, 32);
	mac->kid = key->kid;
	mac->on = true;
	sodium_memzero(both, sizeof both);
}

void
bus_mac_tag(
    const uint8_t key[32], const uint8_t *data, size_t len, uint8_t tag[BUS_TAG])
{
	crypto_generichash(tag, BUS_TAG, data, len, key, 32);
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
