/* sign.c - see sign.h. What was signed has one spelling, so whatever has our signature
 * can be read. */
#include "link/sign.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/compiler.h>
#include <trl/complain.h>

enum {
	LISTED_MAX = 4,
	KEYS_MAX = LISTED_MAX + 1,
	KID_MAX = 16,
	KEY_BYTES = 32,
	SIGNED_MAX = 512
};
enum { SIGNATURE_TEXT = 44 /* 43 characters and NUL */ };

struct key {
	char kid[KID_MAX + 1];
	trl_secret *bytes;
};

struct link_keys {
	struct key key[KEYS_MAX];
	size_t n;
};

void
link_keys_free(link_keys **keys)
{
	if (!*keys)
		return;
	for (size_t i = 0; i < (*keys)->n; i++)
		trl_secret_free(&(*keys)->key[i].bytes);
	free(*keys);
	*keys = NULL;
}

static const struct key *
find_key(const link_keys *keys, const char *kid)
{
	for (size_t i = 0; i < keys->n; i++)
		if (strcmp(keys->key[i].kid, kid) == 0)
			return &keys->key[i];
	return NULL;
}

static void
add_key(link_keys *keys, const char *kid, size_t len, const uint8_t bytes[KEY_BYTES])
{
	struct key *key = &keys->key[keys->n++];

	memcpy(key->kid, kid, len);
	key->kid[len] = '\0';
	key->bytes = trl_secret_new(bytes, KEY_BYTES);
}

/* "kid:hex", one of the list. */
static bool
read_key(link_keys *keys, const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	const size_t kid_len = colon ? (size_t)(colon - text) : 0;
	uint8_t bytes[KEY_BYTES];
	char kid[KID_MAX + 1];
	size_t n = 0;
	bool fine;

	if (!kid_len || kid_len > KID_MAX || keys->n == LISTED_MAX ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789") != kid_len)
		return false;
	memcpy(kid, text, kid_len);
	kid[kid_len] = '\0';
	fine = !find_key(keys, kid) && len - kid_len - 1 == 2 * sizeof bytes &&
	       sodium_hex2bin(bytes, sizeof bytes, colon + 1, 2 * sizeof bytes, NULL,
		   &n, NULL) == 0 &&
	       n == sizeof bytes;
	if (fine)
		add_key(keys, kid, kid_len, bytes);
	sodium_memzero(bytes, sizeof bytes);
	return fine;
}

static bool
read_list(link_keys *keys, const trl_secret *setting)
{
	const char *at = (const char *)trl_secret_bytes(setting);
	const char *end = at + trl_secret_len(setting);
	bool fine = true;

	while (fine && at <= end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *to = comma ? comma : end;

		fine = read_key(keys, at, (size_t)(to - at));
		at = to + 1;
	}
	if (!fine)
		trl_complain("TRELLIS_MEDIA_LINK_KEYS is not kid:hex[,kid:hex] with 64 "
			     "digits each, at most %d of them",
		    LISTED_MAX);
	return fine;
}

static void
make_key(link_keys *keys, const uint8_t *seal_key)
{
	static const char purpose[] = "media links";
	uint8_t bytes[KEY_BYTES];

	crypto_generichash(bytes, sizeof bytes, (const uint8_t *)purpose,
	    sizeof purpose - 1, seal_key, KEY_BYTES);
	add_key(keys, "0", 1, bytes);
	sodium_memzero(bytes, sizeof bytes);
}

bool
link_keys_read(const trl_secret *setting, const uint8_t *seal_key, link_keys **out)
{
	link_keys *keys = calloc(1, sizeof *keys);

	trl_assert(keys);
	if (setting && !read_list(keys, setting)) {
		link_keys_free(&keys);
		return false;
	}
	if (seal_key && !find_key(keys, "0"))
		make_key(keys, seal_key);
	*out = keys;
	return true;
}

static void
sign(const struct key *key, struct trl_id tenant, const char *text,
    char signature[SIGNATURE_TEXT])
{
	uint8_t own[crypto_auth_hmacsha256_KEYBYTES], mac[crypto_auth_hmacsha256_BYTES];

	crypto_generichash(own, sizeof own, tenant.bytes, sizeof tenant.bytes,
	    trl_secret_bytes(key->bytes), KEY_BYTES);
	crypto_auth_hmacsha256(mac, (const uint8_t *)text, strlen(text), own);
	sodium_bin2base64(signature, SIGNATURE_TEXT, mac, sizeof mac,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(own, sizeof own);
}

const char *
link_sign(trl_arena *arena, const link_keys *keys, const struct link_claim *claim)
{
	char tenant[TRL_ID_TEXT], file[TRL_ID_TEXT], link[TRL_ID_TEXT] = "-";
	char signature[SIGNATURE_TEXT];
	const char *text;

	trl_id_format(claim->tenant, tenant);
	trl_id_format(claim->file, file);
	if (!trl_id_is_nil(claim->link))
		trl_id_format(claim->link, link);
	text = trl_arena_printf(arena, "%s/%llu/%s/%s/%s/%s", keys->key[0].kid,
	    (unsigned long long)claim->expires, tenant, file, claim->options, link);
	sign(&keys->key[0], claim->tenant, text, signature);
	return trl_arena_printf(arena, "/m/%s/%s", signature, text);
}

/* All that follows the signature; false: it is longer than anything we sign. */
static bool
join(const struct link_path *path, char text[SIGNED_MAX])
{
	const char *const segments[] = { path->key, path->expires, path->tenant,
		path->file, path->options, path->link };
	size_t len = 0;

	for (size_t i = 0; i < TRL_COUNT(segments); i++) {
		const size_t n = strlen(segments[i]);

		if (len + n + 2 > SIGNED_MAX)
			return false;
		if (i)
			text[len++] = '/';
		memcpy(text + len, segments[i], n);
		len += n;
	}
	text[len] = '\0';
	return true;
}

bool
link_read(const link_keys *keys, const struct link_path *path, struct link_claim *claim)
{
	const struct key *key = find_key(keys, path->key);
	char text[SIGNED_MAX], signature[SIGNATURE_TEXT];

	*claim = (struct link_claim){ .options = path->options };
	if (!key || !trl_id_parse(path->tenant, strlen(path->tenant), &claim->tenant) ||
	    strlen(path->signature) != SIGNATURE_TEXT - 1 || !join(path, text))
		return false;
	sign(key, claim->tenant, text, signature);
	if (sodium_memcmp(signature, path->signature, SIGNATURE_TEXT - 1) != 0)
		return false;
	claim->expires = strtoull(path->expires, NULL, 10);
	return trl_id_parse(path->file, strlen(path->file), &claim->file) &&
	       (strcmp(path->link, "-") == 0 ||
		   trl_id_parse(path->link, strlen(path->link), &claim->link));
}
