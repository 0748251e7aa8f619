/* mac.h - proof of origin for messages that leave the process: keyed BLAKE2b
 * (RFC 7693) under the key of a pair of services. Private to bus/calls.
 *
 * Each connection has keys of its own, one a direction, derived from the pair's
 * key, the caller's nonce and the callee's challenge: what was recorded on
 * another connection, or before a restart, proves nothing here. Within one, a
 * counter that may not repeat. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/bus.h>
#include <trl/secret.h>

#include "frame.h"

enum { BUS_KEYS_MAX = 4 };

struct bus_key {
	uint16_t kid;
	const uint8_t *bytes; /* 32, in the ring's secret */
};

/* The keys of one pair; the first is used to call, any is accepted. */
struct bus_keyring {
	char peer[TRL_BUS_NAME_MAX + 1];
	size_t n;
	struct bus_key keys[BUS_KEYS_MAX];
	trl_secret *secret;
};

/* Reads lines "kid:64 hexadecimal digits" (kid 1 to 65535). Empty lines and
 * lines with # are skipped. False: not so, or none, or too many. */
bool bus_keyring_parse(struct bus_keyring *ring, const char *text);
void bus_keyring_fini(struct bus_keyring *ring);
const struct bus_key *bus_keyring_find(const struct bus_keyring *ring, uint16_t kid);

struct bus_mac {
	bool on;
	bool for_long; /* messages: bus_mac_tag_long */
	uint16_t kid;
	trl_secret *secret;
	const uint8_t *out, *in; /* 32 each, in the secret */
	uint64_t sent;           /* counter of the last message made */
	uint64_t top, seen;      /* highest counter taken, and the 64 below it */
};

/* The keys of a connection; *mac is not looked at. */
void bus_mac_derive(struct bus_mac *mac, const struct bus_key *key, bool is_caller,
    const uint8_t nonce[16], const uint8_t challenge[16], const char *caller,
    const char *callee);
void bus_mac_fini(struct bus_mac *mac);
/* The tag over len bytes. */
void bus_mac_tag(
    const uint8_t key[32], const uint8_t *data, size_t len, uint8_t tag[BUS_TAG]);
/* Of long messages, at a fraction of the price: Poly1305 (RFC 8439, 2.5) under a key
 * of its own for each, made of key and the envelope. Within a connection no counter
 * repeats, and so no such key. */
void bus_mac_tag_long(
    const uint8_t key[32], const uint8_t *data, size_t len, uint8_t tag[BUS_TAG]);
/* In constant time; data includes the tag. */
bool bus_mac_check(const uint8_t key[32], const uint8_t *data, size_t len);
bool bus_mac_check_long(const uint8_t key[32], const uint8_t *data, size_t len);
/* Takes a counter once; false: seen before, or too old to tell. */
bool bus_mac_fresh(struct bus_mac *mac, uint64_t counter);
