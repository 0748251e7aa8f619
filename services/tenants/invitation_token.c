/* The token of an invitation's link: "tri_" and base64url of
 *
 *   tenant (16) | invitation (16) | random (32) | keyed BLAKE2b of those (16)
 *
 * The tenant is inside because nothing can be looked up without one; the tag
 * refuses made-up tokens before any query. What lets somebody in is only the
 * random part: just BLAKE2b-256 of the whole is kept, and it is good once.
 */
#include <string.h>

#include <sodium.h>

#include "tenants.h"

enum { RANDOM = 32, TAG = 16, SIGNED = 16 + 16 + RANDOM, WHOLE = SIGNED + TAG };

static const char prefix[] = "tri_";

static void
sign(const struct tenants *self, const uint8_t *body, uint8_t tag[TAG])
{
	crypto_generichash(
	    tag, TAG, body, SIGNED, self->token_key, sizeof self->token_key);
}

void
tenants_token_new(const struct tenants *self, struct trl_id tenant,
    struct trl_id invitation, char text[TENANTS_TOKEN_TEXT],
    uint8_t hash[TENANTS_TOKEN_HASH])
{
	uint8_t body[WHOLE];

	_Static_assert(
	    sizeof prefix + (WHOLE * 4 + 2) / 3 <= TENANTS_TOKEN_TEXT, "room");
	memcpy(body, tenant.bytes, 16);
	memcpy(body + 16, invitation.bytes, 16);
	randombytes_buf(body + 32, RANDOM);
	sign(self, body, body + SIGNED);
	crypto_generichash(hash, TENANTS_TOKEN_HASH, body, sizeof body, NULL, 0);
	memcpy(text, prefix, sizeof prefix);
	sodium_bin2base64(text + sizeof prefix - 1,
	    TENANTS_TOKEN_TEXT - sizeof prefix + 1, body, sizeof body,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(body, sizeof body);
}

bool
tenants_token_read(const struct tenants *self, const char *text, struct trl_id *tenant,
    struct trl_id *invitation, uint8_t hash[TENANTS_TOKEN_HASH])
{
	uint8_t body[WHOLE], tag[TAG];
	size_t len;

	if (strncmp(text, prefix, sizeof prefix - 1) != 0)
		return false;
	text += sizeof prefix - 1;
	if (sodium_base642bin(body, sizeof body, text, strlen(text), NULL, &len, NULL,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    len != sizeof body)
		return false;
	sign(self, body, tag);
	if (sodium_memcmp(tag, body + SIGNED, TAG) != 0)
		return false;
	memcpy(tenant->bytes, body, 16);
	memcpy(invitation->bytes, body + 16, 16);
	crypto_generichash(hash, TENANTS_TOKEN_HASH, body, sizeof body, NULL, 0);
	return true;
}
