/* password.h - passwords: which are accepted, how they are kept, how one is checked.
 * Argon2id (RFC 9106) by libsodium, in an offload pool of its own: its memory is
 * slots x cost at most, and beyond a short queue the answer is BUSY at once.
 *
 * What is kept: "[kid$]" and libsodium's string, which holds salt and costs. With a
 * pepper (TRELLIS_PASSWORD_PEPPER) the input of Argon2id is HMAC-SHA256(pepper,
 * password) and kid names the pepper; the first of the list is for new hashes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/actor.h>
#include <trl/metrics.h>
#include <trl/secret.h>

struct auth_password_config {
	int64_t memory_kib, passes, slots, queue;
	trl_secret *pepper;
};

enum {
	AUTH_PASSWORD_MIN = 8, /* characters; the contract tells it, too */
	AUTH_PASSWORD_MAX_BYTES = 1024,
	AUTH_PASSWORD_TEXT = 160, /* what is kept, with the final NUL */
	AUTH_PEPPERS_MAX = 4,
	AUTH_KID_MAX = 16
};

struct auth_pepper {
	char kid[AUTH_KID_MAX + 1];
	const uint8_t *key; /* in the secret's memory */
	size_t len;
};

struct auth_passwords {
	struct trl_offload work;
	unsigned long long passes;
	size_t memory_bytes;
	struct auth_pepper peppers[AUTH_PEPPERS_MAX];
	size_t n_peppers;
	char nobody[AUTH_PASSWORD_TEXT]; /* no password has it; costs as any other */
	uint64_t hashes;                 /* computed since the start */
	trl_series *no_memory;           /* hashes that got none */
};

/* Whether the peppers are as they have to be; else trl_complain says so. */
bool auth_passwords_check(const struct auth_password_config *config);
/* Start-up. False: the configuration is wrong, which was said. */
bool auth_passwords_open(struct auth_passwords *self, trl_loop *loop,
    const struct auth_password_config *config) TRL_MUST_CHECK;
void auth_passwords_close(struct auth_passwords *self);

/* password_choice.c: NULL when the person of that address and name may choose the
 * password, else what is wrong with it (static text). email and name may be NULL. */
const char *auth_password_refused(
    const char *password, const char *email, const char *name);
/* Whether it is among the most common of the breached (any case). */
bool auth_password_is_common(const char *password);

/* password_memory.c: whether so many hashes of so many bytes can be had at once, beside
 * what a control group allows (SIZE_MAX: all); else trl_complain says so. */
bool auth_memory_fits(unsigned slots, size_t each, size_t group) TRL_MUST_CHECK;
/* The memory that the control groups listed in a file (/proc/self/cgroup) have below a
 * folder (/sys/fs/cgroup), of version 1 or 2; SIZE_MAX: no limit. */
size_t auth_memory_of_group(const char *groups, const char *top);

/* Hashes a password. Errors: TRL_BUSY (the queue is full; there is no memory),
 * TRL_DEADLINE. */
enum trl_code auth_password_hash(trl_ctx *ctx, struct auth_passwords *self,
    const char *password, char out[AUTH_PASSWORD_TEXT]) TRL_MUST_CHECK;
/* Checks a password against what is kept; kept NULL: nobody's, *right is false and
 * the work the same. *stale: kept under other costs or pepper than are set now.
 * Errors: TRL_BUSY (as above), TRL_DEADLINE; TRL_INTERNAL (what is kept cannot be
 * read). */
enum trl_code auth_password_check(trl_ctx *ctx, struct auth_passwords *self,
    const char *kept, const char *password, bool *right, bool *stale) TRL_MUST_CHECK;
