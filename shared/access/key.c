/* key.c - builds the names of keys. */
#include "key.h"

#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <sodium.h>

static void
put(struct access_key *key, const char *text, size_t len)
{
	trl_assert(key->len + len < sizeof key->text);
	memcpy(key->text + key->len, text, len);
	key->len += len;
	key->text[key->len] = '\0';
}

static void
put_hex(struct access_key *key, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	trl_assert(key->len + 2 * len < sizeof key->text);
	for (i = 0; i < len; i++) {
		key->text[key->len++] = digits[bytes[i] >> 4];
		key->text[key->len++] = digits[bytes[i] & 15];
	}
}

/* "trl:<kind>:{<owner><hex>}" */
static void
begin(struct access_key *key, char kind, char owner, const uint8_t *bytes, size_t len)
{
	const char head[] = { 't', 'r', 'l', ':', kind, ':', '{', owner };

	key->len = 0;
	put(key, head, sizeof head);
	put_hex(key, bytes, len);
	put(key, "}", 1);
}

void
access_key_who(struct access_key *key, const uint8_t hash[TRL_ACCESS_HASH])
{
	begin(key, 'w', 's', hash, TRL_ACCESS_HASH);
}

void
access_key_epoch(struct access_key *key, char owner, struct trl_id id)
{
	begin(key, 'e', owner, id.bytes, sizeof id.bytes);
}

void
access_key_grant(struct access_key *key, struct trl_id tenant, struct trl_id subject)
{
	begin(key, 'g', 't', tenant.bytes, sizeof tenant.bytes);
	put(key, ":", 1);
	put_hex(key, subject.bytes, sizeof subject.bytes);
}

static char
owner_of(enum trl_limit_subject subject)
{
	static const char letters[] = { [TRL_LIMIT_ADDRESS] = 'i',
		[TRL_LIMIT_PERSON] = 'a',
		[TRL_LIMIT_KEY] = 'k',
		[TRL_LIMIT_TENANT] = 't',
		[TRL_LIMIT_NAME] = 'n',
		[TRL_LIMIT_RECIPIENT] = 'r',
		[TRL_LIMIT_KNOWN] = 'o' };

	return letters[subject];
}

static void
end_limit(struct access_key *key, const struct trl_limit *limit)
{
	put(key, ":", 1);
	put(key, limit->name, strlen(limit->name));
}

void
access_key_limit(
    struct access_key *key, const struct trl_limit *limit, struct trl_id id)
{
	access_key_limit_of(key, limit, id.bytes, sizeof id.bytes);
}

void
access_key_limit_in(struct access_key *key, const struct trl_limit *limit,
    struct trl_id tenant, struct trl_id id)
{
	const char owner[] = { ':', owner_of(limit->subject) };

	begin(key, 'n', 't', tenant.bytes, sizeof tenant.bytes);
	put(key, owner, sizeof owner);
	put_hex(key, id.bytes, sizeof id.bytes);
	end_limit(key, limit);
}

/* The bytes that stand for a client: 4 of IPv4 (also mapped into IPv6), 8 of
 * IPv6, because a household or a machine has a /64; else 16 of a hash. */
static size_t
address_bytes(const char *text, uint8_t out[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t raw[16];

	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	if (inet_pton(AF_INET6, text, raw) == 1) {
		if (memcmp(raw, mapped, sizeof mapped) == 0) {
			memcpy(out, raw + 12, 4);
			return 4;
		}
		memcpy(out, raw, 8);
		return 8;
	}
	crypto_generichash(out, 16, (const uint8_t *)text, strlen(text), NULL, 0);
	return 16;
}

size_t
access_subject_bytes(enum trl_limit_subject subject, const char *text, uint8_t out[16])
{
	if (subject == TRL_LIMIT_ADDRESS)
		return address_bytes(text, out);
	crypto_generichash(out, 16, (const uint8_t *)text, strlen(text), NULL, 0);
	return 16;
}

size_t
trl_access_address(const char *address, uint8_t out[16])
{
	return address_bytes(address, out);
}

void
access_key_limit_of(struct access_key *key, const struct trl_limit *limit,
    const uint8_t *bytes, size_t len)
{
	begin(key, 'n', owner_of(limit->subject), bytes, len);
	end_limit(key, limit);
}

void
access_key_limit_text(
    struct access_key *key, const struct trl_limit *limit, const char *text)
{
	uint8_t bytes[16];
	size_t len = access_subject_bytes(limit->subject, text, bytes);

	access_key_limit_of(key, limit, bytes, len);
}
