/* sign.h - signed paths: /m/SIGNATURE/KEY/EXPIRES/TENANT/FILE/OPTIONS/LINK, where
 * SIGNATURE is base64url(HMAC-SHA256(tenant's key, everything after it, byte for
 * byte)). A tenant's key is a keyed hash of its id, so that it opens nothing of another
 * tenant's. Pure; any thread. */
#pragma once

#include <trl/arena.h>
#include <trl/id.h>
#include <trl/secret.h>

#define LINK_WHOLE "-" /* as options: the file's bytes as they are */

/* The keys that sign links: the newest signs, all are accepted. */
typedef struct link_keys link_keys;

/* Reads kid:hex[,kid:hex], newest first, at most four; setting NULL: none. A key
 * derived from the seal key (NULL: none) comes last, as "0", so that what it signed
 * stays valid when others are added; a "0" in the list takes its place. False:
 * trl_complain said what is wrong. */
bool link_keys_read(
    const trl_secret *setting, const uint8_t *seal_key, link_keys **out);
void link_keys_free(link_keys **keys);

/* What a path opens. */
struct link_claim {
	uint64_t expires; /* Unix seconds; 0: never */
	struct trl_id tenant, file;
	const char *options;
	struct trl_id link; /* nil: it cannot be revoked */
};
/* The path, in the arena. */
const char *link_sign(
    trl_arena *arena, const link_keys *keys, const struct link_claim *claim);

/* A path as received, by its segments. */
struct link_path {
	const char *signature, *key, *expires, *tenant, *file, *options, *link;
};
/* Whether we signed exactly that; then *claim is what it opens, with the path's
 * options. In constant time, except for which key it names. */
bool link_read(
    const link_keys *keys, const struct link_path *path, struct link_claim *claim);
