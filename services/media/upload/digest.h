/* digest.h - the hashes that a request announces for its bytes: Upload-Checksum (tus
 * 1.0.0) and Content-Digest (RFC 9530). One actor, or one thread, at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/ctx.h>

enum {
	DIGEST_BYTES = 64,
	DIGEST_CONTENTS = 2, /* algorithms of Content-Digest, which may all be there */
	DIGESTS_MAX = 1 + DIGEST_CONTENTS
};

struct digest_wish {
	const char *algorithm; /* NULL: there is none; else as libcrypto calls it */
	uint8_t hash[DIGEST_BYTES];
	size_t len;
};

/* Both return NULL, or why the field is not valid. */
const char *digest_read_checksum(
    const char *text, struct digest_wish *out) TRL_MUST_CHECK;
/* Reads the known algorithms and ignores others; out has room for DIGEST_CONTENTS. */
const char *digest_read_content(
    const char *text, struct digest_wish *out) TRL_MUST_CHECK;

typedef struct digests digests;

/* content: DIGEST_CONTENTS of them, or NULL. NULL: no hash was announced. */
digests *digests_new(
    const struct digest_wish *checksum, const struct digest_wish *content);
void digests_free(digests **self);
/* self may be NULL. */
void digests_add(digests *self, const void *data, size_t len);
enum digest_match { DIGEST_FITS, DIGEST_CHECKSUM_DIFFERS, DIGEST_CONTENT_DIFFERS };
/* Once, after all bytes were added. */
enum digest_match digests_end(digests *self) TRL_MUST_CHECK;
/* Fails if they do not match: TRL_CHECKSUM (the checksum), TRL_MALFORMED (the content's
 * digest). */
enum trl_code digests_tell(trl_ctx *ctx, enum digest_match match) TRL_MUST_CHECK;
/* The same for a body without bytes. */
enum trl_code digests_tell_nothing(trl_ctx *ctx, const struct digest_wish *checksum,
    const struct digest_wish *content) TRL_MUST_CHECK;
