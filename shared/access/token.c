/* token.c - the texts that open doors, and what is kept of them. */
#include <string.h>

#include <sodium.h>

#include <trl/access.h>

enum {
	SECRET_TEXT = 43,
	KEY_BEFORE_SUM = 4 + 32 + 1 + SECRET_TEXT,
	KEY_LEN = KEY_BEFORE_SUM + 8
};

static const char session_prefix[4] = { 't', 'r', 's', '_' };
static const char key_prefix[4] = { 't', 'r', 'l', '_' };

void
trl_access_hash(const char *token, size_t len, uint8_t hash[TRL_ACCESS_HASH])
{
	crypto_generichash(hash, TRL_ACCESS_HASH, (const uint8_t *)token, len, NULL, 0);
}

static void
random_text(char text[SECRET_TEXT + 1])
{
	uint8_t secret[32];

	randombytes_buf(secret, sizeof secret);
	sodium_bin2base64(text, SECRET_TEXT + 1, secret, sizeof secret,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(secret, sizeof secret);
}

static bool
is_base64url(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		const char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return true;
}

void
trl_access_session_token(char text[TRL_ACCESS_SESSION_TEXT])
{
	memcpy(text, session_prefix, sizeof session_prefix);
	random_text(text + sizeof session_prefix);
}

bool
trl_access_is_session(const char *text, size_t len)
{
	return len == TRL_ACCESS_SESSION_TEXT - 1 &&
	       memcmp(text, session_prefix, sizeof session_prefix) == 0 &&
	       is_base64url(text + sizeof session_prefix, SECRET_TEXT);
}

/* CRC-32 of ISO 3309, bit by bit: 80 bytes, once a request at most. */
static uint32_t
crc32_of(const char *text, size_t len)
{
	uint32_t crc = UINT32_MAX;
	size_t i;
	int bit;

	for (i = 0; i < len; i++) {
		crc ^= (uint8_t)text[i];
		for (bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0xedb88320u & -(crc & 1));
	}
	return ~crc;
}

static void
checksum(const char *text, char sum[9])
{
	const uint32_t crc = crc32_of(text, KEY_BEFORE_SUM);
	const uint8_t bytes[4] = { (uint8_t)(crc >> 24), (uint8_t)(crc >> 16),
		(uint8_t)(crc >> 8), (uint8_t)crc };

	sodium_bin2hex(sum, 9, bytes, sizeof bytes);
}

void
trl_access_key_token(struct trl_id id, char text[TRL_ACCESS_KEY_TEXT])
{
	memcpy(text, key_prefix, sizeof key_prefix);
	sodium_bin2hex(text + 4, 33, id.bytes, sizeof id.bytes);
	text[36] = '_';
	random_text(text + 37);
	checksum(text, text + KEY_BEFORE_SUM);
}

bool
trl_access_key_parse(const char *text, size_t len, struct trl_id *id)
{
	char sum[9];
	size_t n;

	if (len != KEY_LEN || memcmp(text, key_prefix, sizeof key_prefix) != 0 ||
	    text[36] != '_' || !is_base64url(text, len))
		return false;
	checksum(text, sum);
	if (memcmp(sum, text + KEY_BEFORE_SUM, 8) != 0)
		return false;
	return sodium_hex2bin(
		   id->bytes, sizeof id->bytes, text + 4, 32, NULL, &n, NULL) == 0 &&
	       n == sizeof id->bytes;
}

void
trl_access_csrf(const uint8_t hash[TRL_ACCESS_HASH], char text[TRL_ACCESS_CSRF_TEXT])
{
	static const uint8_t purpose[] = "trellis csrf 1..";
	uint8_t out[32];

	crypto_generichash(out, sizeof out, hash, TRL_ACCESS_HASH, purpose, 16);
	sodium_bin2base64(text, TRL_ACCESS_CSRF_TEXT, out, sizeof out,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}
