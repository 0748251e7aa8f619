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
/* The first is none of Content-Digest's, whose wishes are in the order of the others.
 */
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
		return "The hash in Upload-Checksum is not base64 of the right length.";
	}
	return "Upload-Checksum takes sha1 and sha256.";
}

/* Where the parameters of a member (RFC 8941, 3.1.2) end. They say nothing to us. */
static const char *
skip_parameters(const char *text)
{
	bool is_quoted = false;

	if (*text != ';')
		return text;
	for (; *text && (is_quoted || *text != ','); text++) {
		if (is_quoted && *text == '\\' && text[1])
			text++;
		else if (*text == '"')
			is_quoted = !is_quoted;
	}
	return is_quoted ? NULL : text;
}

static const char *
take_hash(const char *name, size_t name_len, const char *hash, size_t len,
    struct digest_wish *out)
{
	for (size_t i = 0; i < TRL_COUNT(algorithms); i++) {
		if (!is_named(algorithms[i].field, name, name_len))
			continue;
		return read_hash(&algorithms[i], hash, len, &out[i - 1])
			   ? NULL
			   : "A hash in Content-Digest is not base64 of the right "
			     "length.";
	}
	return NULL;
}

/* One member of the dictionary, "sha-256=:base64:" (RFC 8941, 3.2); *text is behind it
 * then, and behind the comma, or NULL at the end. */
static const char *
read_member(const char **text, struct digest_wish *out)
{
	static const char no_list[] =
	    "Content-Digest is not a list of algorithm=:base64:.";
	const char *name = *text + strspn(*text, " \t");
	const size_t name_len = strcspn(name, "=,");
	const char *hash = name + name_len + 2, *end, *why;
	size_t len;

	if (name[name_len] != '=' || name[name_len + 1] != ':')
		return no_list;
	len = strcspn(hash, ":");
	if (!hash[len] || !(end = skip_parameters(hash + len + 1)))
		return no_list;
	end += strspn(end, " \t");
	if (*end && *end != ',')
		return no_list;
	why = take_hash(name, name_len, hash, len, out);
	*text = *end ? end + 1 : NULL;
	return why;
}

const char *
digest_read_content(const char *text, struct digest_wish *out)
{
	const char *why = NULL;
	bool any = false;

	memset(out, 0, DIGEST_CONTENTS * sizeof *out);
	while (!why && text)
		why = read_member(&text, out);
	for (size_t i = 0; i < DIGEST_CONTENTS; i++)
		any |= out[i].algorithm != NULL;
	return why || any ? why : "Content-Digest takes sha-256 and sha-512.";
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

	bool any = checksum && checksum->algorithm;

	for (size_t i = 0; content && i < DIGEST_CONTENTS; i++)
		any |= content[i].algorithm != NULL;
	if (!any)
		return NULL;
	self = calloc(1, sizeof *self);
	trl_assert(self);
	open_hash(self, 0, checksum);
	for (int i = 0; content && i < DIGEST_CONTENTS; i++)
		open_hash(self, 1 + i, &content[i]);
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
	uint8_t hash[EVP_MAX_MD_SIZE];

	for (int i = 0; self && i < DIGESTS_MAX; i++) {
		if (!self->hashes[i])
			continue;
		trl_assert(EVP_DigestFinal_ex(self->hashes[i], hash, NULL) == 1);
		if (memcmp(hash, self->wishes[i].hash, self->wishes[i].len) != 0)
			return i == 0 ? DIGEST_CHECKSUM_DIFFERS
				      : DIGEST_CONTENT_DIFFERS;
	}
	return DIGEST_FITS;
}

enum trl_code
digests_tell(trl_ctx *ctx, enum digest_match match)
{
	switch (match) {
	case DIGEST_CHECKSUM_DIFFERS:
		return trl_fail(ctx, TRL_CHECKSUM,
		    "The body's checksum is not the one in Upload-Checksum.");
	case DIGEST_CONTENT_DIFFERS:
		return trl_fail(ctx, TRL_MALFORMED,
		    "The body's digest is not the one in Content-Digest.");
	default:
		return TRL_OK;
	}
}

enum trl_code
digests_tell_nothing(
    trl_ctx *ctx, const struct digest_wish *checksum, const struct digest_wish *content)
{
	digests *all = digests_new(checksum, content);
	const enum digest_match match = all ? digests_end(all) : DIGEST_FITS;

	digests_free(&all);
	return digests_tell(ctx, match);
}
