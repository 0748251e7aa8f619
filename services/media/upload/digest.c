/* digest.c - see digest.h. */
#include "upload/digest.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <sodium.h>

#include <trl/arena.h>

struct algorithm {
	const char *name;   /* in Upload-Checksum; NULL: there it is not */
	const char *field;  /* in Content-Digest; NULL: there it is not */
	const char *crypto; /* libcrypto's */
	size_t len;
};
static const struct algorithm algorithms[] = {
	{ "sha1", NULL, "SHA1", 20 },
	{ "sha256", "sha-256", "SHA256", 32 },
	{ NULL, "sha-512", "SHA512", 64 },
};

static bool
is_named(const char *name, const char *text, size_t len)
{
	return name && strlen(name) == len && memcmp(name, text, len) == 0;
}

static bool
read_hash(const struct algorithm *algorithm, const char *text, size_t len,
    struct digest_wish *out)
{
	struct digest_wish wish = { .algorithm = algorithm->crypto };

	if (sodium_base642bin(wish.hash, sizeof wish.hash, text, len, NULL, &wish.len,
		NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    wish.len != algorithm->len)
		return false;
	*out = wish;
	return true;
}

const char *
digest_read_checksum(const char *text, struct digest_wish *out)
{
	const size_t len = strcspn(text, " ");

	for (size_t i = 0; i < TRL_COUNT(algorithms); i++) {
		if (!is_named(algorithms[i].name, text, len))
			continue;
		if (text[len] && read_hash(&algorithms[i], text + len + 1,
				     strlen(text + len + 1), out))
			return NULL;
		return "The hash in Upload-Checksum is not base64 of its length.";
	}
	return "Upload-Checksum knows sha1 and sha256.";
}

/* One member of the dictionary, "sha-256=:base64:" (RFC 8941, 3.2). */
static const char *
read_member(const char *text, size_t len, struct digest_wish *out)
{
	const char *equals = memchr(text, '=', len);
	const size_t name_len = equals ? (size_t)(equals - text) : len;
	const char *value = text + name_len + 1;
	const size_t value_len = equals ? len - name_len - 1 : 0;

	if (value_len < 2 || value[0] != ':' || value[value_len - 1] != ':')
		return "Content-Digest is no list of algorithm=:base64:.";
	for (size_t i = 0; i < TRL_COUNT(algorithms); i++)
		if (is_named(algorithms[i].field, text, name_len))
			return read_hash(&algorithms[i], value + 1, value_len - 2, out)
				   ? NULL
				   : "A hash in Content-Digest is not base64 of its "
				     "length.";
	return NULL;
}

const char *
digest_read_content(const char *text, struct digest_wish *out)
{
	const char *why = NULL;

	*out = (struct digest_wish){ 0 };
	for (; !why; text++) {
		size_t len, end;

		text += strspn(text, " \t");
		len = end = strcspn(text, ",");
		while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
			len--;
		why = read_member(text, len, out);
		text += end;
		if (!*text)
			break;
	}
	if (!why && !out->algorithm)
		why = "Content-Digest knows sha-256 and sha-512.";
	return why;
}

struct digests {
	struct digest_wish wishes[DIGESTS_MAX];
	EVP_MD_CTX *hashes[DIGESTS_MAX];
};

static void
open_hash(digests *self, int at, const struct digest_wish *wish)
{
	if (!wish || !wish->algorithm)
		return;
	self->wishes[at] = *wish;
	self->hashes[at] = EVP_MD_CTX_new();
	trl_assert(
	    self->hashes[at] && EVP_DigestInit_ex(self->hashes[at],
				    EVP_get_digestbyname(wish->algorithm), NULL) == 1);
}

digests *
digests_new(const struct digest_wish *checksum, const struct digest_wish *content)
{
	digests *self;

	if (!(checksum && checksum->algorithm) && !(content && content->algorithm))
		return NULL;
	self = calloc(1, sizeof *self);
	trl_assert(self);
	open_hash(self, 0, checksum);
	open_hash(self, 1, content);
	return self;
}

void
digests_free(digests **all)
{
	digests *self = TRL_TAKE(*all);

	for (int i = 0; self && i < DIGESTS_MAX; i++)
		EVP_MD_CTX_free(self->hashes[i]);
	free(self);
}

void
digests_add(digests *self, const void *data, size_t len)
{
	for (int i = 0; self && i < DIGESTS_MAX; i++)
		if (self->hashes[i])
			trl_assert(EVP_DigestUpdate(self->hashes[i], data, len) == 1);
}

enum digest_match
digests_end(digests *self)
{
	static const enum digest_match differs[DIGESTS_MAX] = { DIGEST_CHECKSUM_DIFFERS,
		DIGEST_CONTENT_DIFFERS };
	uint8_t hash[EVP_MAX_MD_SIZE];

	for (int i = 0; self && i < DIGESTS_MAX; i++) {
		if (!self->hashes[i])
			continue;
		trl_assert(EVP_DigestFinal_ex(self->hashes[i], hash, NULL) == 1);
		if (memcmp(hash, self->wishes[i].hash, self->wishes[i].len) != 0)
			return differs[i];
	}
	return DIGEST_FITS;
}
