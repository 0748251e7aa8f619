/* password_hash.c - see password.h. Passwords are taken exactly as given: no trimming,
 * no normalisation, no cut (Argon2id takes any length). */
#include "password.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include <trl/complain.h>

enum { RETRY_AFTER_MS = 1000, HASH = 32 /* bytes that libsodium makes */ };

/* One password's way through the pool; lies on the actor's stack, which
 * trl_offload does not leave while the work runs. */
struct job {
	const struct auth_passwords *self;
	const struct auth_pepper *pepper; /* or NULL */
	const char *password;
	const char *kept; /* to check against, or NULL: to hash */
	char made[crypto_pwhash_STRBYTES];
	enum { WRONG, RIGHT, NO_MEMORY, UNREADABLE } end; /* hashed: RIGHT */
};

_Static_assert(AUTH_KID_MAX + 1 + crypto_pwhash_STRBYTES <= AUTH_PASSWORD_TEXT, "room");

/* As crypto_pwhash_str_verify, which says -1 with EINVAL both of another password and
 * of memory that was not there: here only what was computed is compared. kept is a
 * string that crypto_pwhash_str made: "$argon2id$v=19$m=65536,t=2,p=1$salt$hash". */
static int
verify(const char *kept, const char *input, size_t len)
{
	uint8_t salt[crypto_pwhash_SALTBYTES], hash[HASH], made[HASH];
	char salt_text[32], hash_text[64];
	unsigned long memory_kib, passes;
	size_t salt_len, hash_len;
	bool same;

	if (sscanf(kept, "$argon2id$v=19$m=%lu,t=%lu,p=1$%31[^$]$%63[^$]", &memory_kib,
		&passes, salt_text, hash_text) != 4 ||
	    sodium_base642bin(salt, sizeof salt, salt_text, strlen(salt_text), NULL,
		&salt_len, NULL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
	    sodium_base642bin(hash, sizeof hash, hash_text, strlen(hash_text), NULL,
		&hash_len, NULL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
	    salt_len != sizeof salt || hash_len != sizeof hash ||
	    memory_kib > SIZE_MAX / 1024)
		return UNREADABLE;
	errno = 0;
	if (crypto_pwhash(made, sizeof made, input, len, salt, passes,
		memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return errno == EINVAL || errno == EFBIG ? UNREADABLE : NO_MEMORY;
	same = sodium_memcmp(made, hash, sizeof made) == 0;
	sodium_memzero(made, sizeof made);
	return same ? RIGHT : WRONG;
}

/* On a thread of the pool. */
static void
run_job(void *arg)
{
	struct job *job = arg;
	uint8_t tag[crypto_auth_hmacsha256_BYTES];
	const char *input = job->password;
	size_t len = strlen(input);

	if (job->pepper) {
		crypto_auth_hmacsha256_state state;

		crypto_auth_hmacsha256_init(&state, job->pepper->key, job->pepper->len);
		crypto_auth_hmacsha256_update(&state, (const uint8_t *)input, len);
		crypto_auth_hmacsha256_final(&state, tag);
		sodium_memzero(&state, sizeof state);
		input = (const char *)tag;
		len = sizeof tag;
	}
	if (job->kept)
		job->end = verify(job->kept, input, len);
	else if (crypto_pwhash_str_alg(job->made, input, len, job->self->passes,
		     job->self->memory_bytes, crypto_pwhash_ALG_ARGON2ID13) == 0)
		job->end = RIGHT;
	else
		job->end = NO_MEMORY; /* its arguments are in range */
	sodium_memzero(tag, sizeof tag);
}

static const struct auth_pepper *
find_pepper(const struct auth_passwords *self, const char *kid, size_t len)
{
	for (size_t i = 0; i < self->n_peppers; i++)
		if (strlen(self->peppers[i].kid) == len &&
		    memcmp(self->peppers[i].kid, kid, len) == 0)
			return &self->peppers[i];
	return NULL;
}

static enum trl_code
run(trl_ctx *ctx, struct auth_passwords *self, struct job *job)
{
	enum trl_code rc = trl_offload(ctx, &self->work, run_job, job);

	if (rc != TRL_OK)
		return rc;
	if (job->end == UNREADABLE)
		return trl_fail(ctx, TRL_INTERNAL, "a kept password cannot be read");
	if (job->end == NO_MEMORY) {
		trl_series_add(self->no_memory, 1);
		rc = trl_fail(ctx, TRL_BUSY, "no memory for a password's hash");
		trl_err_retry_after(ctx, RETRY_AFTER_MS);
		return rc;
	}
	self->hashes++;
	return TRL_OK;
}

enum trl_code
auth_password_hash(trl_ctx *ctx, struct auth_passwords *self, const char *password,
    char out[AUTH_PASSWORD_TEXT])
{
	struct job job = { .self = self,
		.pepper = self->n_peppers > 0 ? &self->peppers[0] : NULL,
		.password = password };
	enum trl_code rc;

	rc = run(ctx, self, &job);
	if (rc != TRL_OK)
		return rc;
	if (job.pepper)
		snprintf(out, AUTH_PASSWORD_TEXT, "%s%s", job.pepper->kid, job.made);
	else
		snprintf(out, AUTH_PASSWORD_TEXT, "%s", job.made);
	return TRL_OK;
}

enum trl_code
auth_password_check(trl_ctx *ctx, struct auth_passwords *self, const char *kept,
    const char *password, bool *right, bool *stale)
{
	const struct auth_pepper *newest =
	    self->n_peppers > 0 ? &self->peppers[0] : NULL;
	struct job job = { .self = self, .password = password };
	bool known = kept != NULL;
	size_t kid_len;
	enum trl_code rc;

	if (!known)
		kept = self->nobody;
	kid_len = strcspn(kept, "$");
	job.pepper = kid_len > 0 ? find_pepper(self, kept, kid_len) : NULL;
	if (kid_len > 0 &&
	    !job.pepper) { /* its pepper was taken away: nobody knows it */
		known = false;
		kept = self->nobody;
		kid_len = strcspn(kept, "$");
		job.pepper = newest;
	}
	job.kept = kept + kid_len;
	rc = run(ctx, self, &job);
	if (rc != TRL_OK)
		return rc;
	*right = known && job.end == RIGHT;
	*stale = job.pepper != newest || crypto_pwhash_str_needs_rehash(job.kept,
					     self->passes, self->memory_bytes) != 0;
	return TRL_OK;
}

/* "kid:hex[,kid:hex]", the newest first; lines do as commas. */
static bool
read_peppers(struct auth_passwords *self, const trl_secret *secret)
{
	const char *at = (const char *)trl_secret_bytes(secret);
	const char *end = at + trl_secret_len(secret);

	while (at < end) {
		struct auth_pepper *pepper = &self->peppers[self->n_peppers];
		const char *stop = at, *colon;

		while (stop < end && *stop != ',' && *stop != '\n')
			stop++;
		colon = memchr(at, ':', (size_t)(stop - at));
		if (stop > at) {
			if (self->n_peppers == AUTH_PEPPERS_MAX || !colon ||
			    colon == at || colon - at > AUTH_KID_MAX ||
			    stop - colon - 1 < 32 ||
			    memchr(at, '$', (size_t)(colon - at)))
				return false;
			memcpy(pepper->kid, at, (size_t)(colon - at));
			pepper->key = (const uint8_t *)colon + 1;
			pepper->len = (size_t)(stop - colon - 1);
			self->n_peppers++;
		}
		at = stop + 1;
	}
	return true;
}

/* A string of the form libsodium keeps, with the costs that are set and random
 * salt and hash: checking against it costs what a real one costs. */
static void
make_nobody(struct auth_passwords *self)
{
	char salt[24], hash[48];
	uint8_t random[crypto_pwhash_SALTBYTES + 32];

	randombytes_buf(random, sizeof random);
	sodium_bin2base64(salt, sizeof salt, random, crypto_pwhash_SALTBYTES,
	    sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	sodium_bin2base64(hash, sizeof hash, random + crypto_pwhash_SALTBYTES, 32,
	    sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	snprintf(self->nobody, sizeof self->nobody,
	    "%s$argon2id$v=19$m=%zu,t=%llu,p=1$%s$%s",
	    self->n_peppers > 0 ? self->peppers[0].kid : "", self->memory_bytes / 1024,
	    self->passes, salt, hash);
}

bool
auth_passwords_check(const struct auth_password_config *config)
{
	struct auth_passwords read = { 0 };

	if (!config->pepper || read_peppers(&read, config->pepper))
		return true;
	trl_complain(
	    "TRELLIS_PASSWORD_PEPPER: must be kid:key, or several separated by commas "
	    "with the newest first; a kid has up to %d characters, a key 32 or more.",
	    AUTH_KID_MAX);
	return false;
}

bool
auth_passwords_open(struct auth_passwords *self, trl_loop *loop,
    const struct auth_password_config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	trl_assert(sodium_init() >= 0);
	*self = (struct auth_passwords){
		.work = { .name = "argon2",
		    .slots = (unsigned)(config->slots > 0 ? config->slots
					: cores > 0       ? cores
							  : 1),
		    .queue = (unsigned)config->queue,
		    .retry_after_ms = RETRY_AFTER_MS },
		.passes = (unsigned long long)config->passes,
		.memory_bytes = (size_t)config->memory_kib * 1024,
	};
	if (!auth_passwords_check(config) ||
	    (config->pepper && !read_peppers(self, config->pepper)))
		return false;
	if (!auth_memory_fits(self->work.slots, self->memory_bytes,
		auth_memory_of_group("/proc/self/cgroup", "/sys/fs/cgroup")))
		return false;
	self->no_memory = trl_series_get(
	    trl_counter_new("trellis_argon2_no_memory_total",
		"Password hashes that got no memory, and were answered 503", NULL),
	    (const char *const[]){ NULL });
	make_nobody(self);
	trl_offload_init(loop, &self->work);
	return true;
}

void
auth_passwords_close(struct auth_passwords *self)
{
	trl_offload_fini(&self->work);
}
