/* key.h - the names of everything in Redis. A name is "trl:", a letter for what
 * it is, and a tag in braces (the part Redis Cluster hashes) of a letter for whose
 * it is and hexadecimal of a fixed or delimited length, so no two subjects share a
 * name and no text of a client stands in one. */
#pragma once

#include <trl/access.h>

struct access_key {
	size_t len;
	char text[160];
};

void access_key_who(struct access_key *key, const uint8_t hash[TRL_ACCESS_HASH]);
void access_key_epoch(struct access_key *key, char owner, struct trl_id id);
void access_key_grant(
    struct access_key *key, struct trl_id tenant, struct trl_id subject);
/* subject: id for 'a', 'k', 't'. */
void access_key_limit(
    struct access_key *key, const struct trl_limit *limit, struct trl_id id);
/* Of a person or key inside a tenant, counted there: shares the tenant's tag. */
void access_key_limit_in(struct access_key *key, const struct trl_limit *limit,
    struct trl_id tenant, struct trl_id id);
/* The bytes that stand for an address (IPv4 whole, IPv6 its /64) or a name; how many.
 */
size_t access_subject_bytes(
    enum trl_limit_subject subject, const char *text, uint8_t out[16]);
void access_key_limit_of(struct access_key *key, const struct trl_limit *limit,
    const uint8_t *bytes, size_t len);
/* Of an address or a name. */
void access_key_limit_text(
    struct access_key *key, const struct trl_limit *limit, const char *text);
