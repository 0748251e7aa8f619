/* access.h - what is shared in Redis about who may do what: copies of sessions,
 * keys and grants, the epochs that end them, and the limits. The edge reads it in
 * two round trips a request; auth and tenants bump epochs.
 *
 * An epoch is a number a tenant and an account have in Redis; it only rises, also
 * across a loss of Redis (it starts at the time). A copy carries the epochs it was
 * read under and is believed only while they are the present ones, so whoever
 * changes a fact bumps the epoch after its commit and before its answer, and no
 * copy of the old fact is believed again. A missing epoch ends copies too.
 *
 * Where the one who changes a fact cannot reach Redis but the edge can, no epoch is
 * raised: so a copy's life, by Redis's own clock, is 5 s, and that is how long a
 * removed member or a closed session may at most go on in that case. (Waiting for
 * Redis before the answer would refuse every such write while Redis is down, when no
 * copy can be believed anyway.) The price is a call to auth and one to tenants in
 * 5 s for each caller that is busy.
 *
 * Redis Cluster: every script's keys share one tag. Nothing here is a record;
 * without Redis there are no copies (the owner is asked each time) and limits are
 * counted in this process. Only in actors, but for open and close. */
#pragma once

#include <trl/actor.h>
#include <trl/config.h>
#include <trl/limit.h>
#include <trl/redis.h>

typedef struct trl_access trl_access;

/* For struct trl_service: the scripts, and TRELLIS_RATE_SCALE and its like. */
extern struct trl_redis_script *const trl_access_scripts[];
extern const struct trl_config_table trl_access_config_table;

/* Start-up. redis is borrowed and may be NULL (as if it were down for good). NULL:
 * the configuration is wrong, printed. */
trl_access *trl_access_open(trl_loop *loop, trl_redis *redis);
void trl_access_close(trl_access **access);

/* Tokens. */

enum {
	TRL_ACCESS_HASH = 32,
	TRL_ACCESS_SESSION_TEXT = 48, /* "trs_", 43 of base64url, NUL */
	TRL_ACCESS_KEY_TEXT = 89,     /* "trl_", id, "_", 43, checksum of 8, NUL */
	TRL_ACCESS_CSRF_TEXT = 44
};

/* What is stored of a session token or an API key: BLAKE2b-256 of its whole text. */
void trl_access_hash(const char *token, size_t len, uint8_t hash[TRL_ACCESS_HASH]);
/* A new session token: 256 random bits. */
void trl_access_session_token(char text[TRL_ACCESS_SESSION_TEXT]);
/* Whether text has the form of one. */
bool trl_access_is_session(const char *text, size_t len);
/* A new API key of that id: `trl_<32 hex>_<43 base64url><8 hex>`; the checksum is
 * CRC-32 of what stands before it, so that scanners and we see a typing error. */
void trl_access_key_token(struct trl_id id, char text[TRL_ACCESS_KEY_TEXT]);
/* False: not of that form, or the checksum is wrong. */
bool trl_access_key_parse(const char *text, size_t len, struct trl_id *id);
/* The CSRF token of a session, from the stored hash of its token. */
void trl_access_csrf(
    const uint8_t hash[TRL_ACCESS_HASH], char text[TRL_ACCESS_CSRF_TEXT]);

/* Epochs. */

/* In the handler of whatever changes what an account or its sessions may do (logout,
 * revoke, password, verified) or what a tenant's members, keys or status are, before it
 * writes, and wherever a stored answer is given in its place: has the epoch bumped
 * after the commit and before the answer, whatever the write's end was but a refusal
 * (trl_after_write). */
void trl_access_changes_account(
    trl_ctx *ctx, trl_access *access, struct trl_id account);
void trl_access_changes_tenant(trl_ctx *ctx, trl_access *access, struct trl_id tenant);

/* The same now. Without Redis it is tried again in the background for 5 s, when no copy
 * is left. Never fails for the caller. */
void trl_access_bump_account(trl_ctx *ctx, trl_access *access, struct trl_id account);
void trl_access_bump_tenant(trl_ctx *ctx, trl_access *access, struct trl_id tenant);

/* Copies. */

/* Who a credential (session or API key) is. */
struct trl_access_who {
	enum trl_principal_kind kind; /* TRL_PERSON or TRL_KEY */
	struct trl_id account;
	struct trl_id session; /* or the key's id */
	struct trl_id tenant;  /* of a key */
	bool verified;
	int64_t expires_at_us;       /* wall; 0: never */
	uint64_t epoch;              /* of the account; of a key: of its tenant */
	const uint32_t *permissions; /* of a key, rising */
	size_t n_permissions;
};

/* What an account may do in a tenant; also of a key: only the tenant's status. */
struct trl_access_grant {
	struct trl_id tenant;
	uint8_t role;
	uint8_t status; /* tenants.v1.Tenant.Status */
	uint64_t tenant_epoch, account_epoch;
	/* Of limits that the plan sets, by enum trl_limit_planned - 1: so many as
	 * trl_access_quota made of them; 0: as limit.c has it. */
	uint32_t quotas[TRL_LIMITS_PLANNED - 1];
	const char *plan; /* its key; "": nobody knows of one */
	const uint32_t *permissions;
	size_t n_permissions;
};

/* What a plan's number makes of such a limit: TRELLIS_RATE_SCALE applies to it as to
 * any other, and it is never less than one, so that whoever has it can still change the
 * plan.
 */
uint32_t trl_access_quota(const trl_access *access, uint64_t number);

/* The two round trips of the edge. */

enum { TRL_ACCESS_LIMITS_MAX = 4 };

struct trl_access_states {
	size_t n;
	struct trl_limit_state state[TRL_ACCESS_LIMITS_MAX];
};

/* First: counts the address against the limits of every request and of the class,
 * and fetches the copy of the credential (hash NULL: none). *who is NULL where
 * there is no copy; its epoch is not yet compared. states are added to.
 * Errors: TRL_RATE. */
enum trl_code trl_access_greet(trl_ctx *ctx, trl_access *access, const char *address,
    const char *rate, const uint8_t hash[TRL_ACCESS_HASH],
    const struct trl_access_who **who, struct trl_access_states *states) TRL_MUST_CHECK;

/* What the second brings; an epoch of 0: Redis does not tell, believe no copy. */
struct trl_access_visit {
	uint64_t account_epoch, tenant_epoch;
	const struct trl_access_grant *grant; /* believed already; or NULL */
	bool tenant_counted; /* else its limit waits for trl_access_belongs */
};

/* Second: counts person or key, then, where there is a copy of a grant and they were
 * allowed, the tenant (nil: none), and fetches epochs and that copy. Who may be no
 * member takes nothing of a tenant's limit and learns nothing of it. The caller
 * compares who's epoch. Errors: TRL_RATE. */
enum trl_code trl_access_arrive(trl_ctx *ctx, trl_access *access,
    const struct trl_access_who *who, struct trl_id tenant, const char *rate,
    struct trl_access_visit *visit, struct trl_access_states *states) TRL_MUST_CHECK;

/* Third, only where the second did not count the tenant and its owner has confirmed the
 * grant: counts it. Errors: TRL_RATE. */
enum trl_code trl_access_belongs(trl_ctx *ctx, trl_access *access,
    const struct trl_access_grant *grant, const char *rate,
    struct trl_access_states *states) TRL_MUST_CHECK;

/* Keeps a copy for 5 s. Its epochs must have been read before the facts were. */
void trl_access_keep_who(trl_ctx *ctx, trl_access *access,
    const uint8_t hash[TRL_ACCESS_HASH], const struct trl_access_who *who);
/* Of account or key `subject`; only if the tenant's epoch still is the grant's. */
void trl_access_keep_grant(trl_ctx *ctx, trl_access *access, struct trl_id subject,
    const struct trl_access_grant *grant);

/* Limits of a service's own. */

/* Counts a text (an address given at login) against the TRL_LIMIT_NAME limit of a
 * class. Errors: TRL_RATE, with retry-after. */
enum trl_code trl_access_limit_name(trl_ctx *ctx, trl_access *access, const char *rate,
    const char *name) TRL_MUST_CHECK;

/* The same of a text of name and place, against the TRL_LIMIT_KNOWN limit. */
enum trl_code trl_access_limit_known(trl_ctx *ctx, trl_access *access, const char *rate,
    const char *name_and_place) TRL_MUST_CHECK;

/* The bytes that stand for a client's address wherever it is counted or remembered: of
 * IPv6 its /64, for a household or a machine has one; how many. Any thread. */
size_t trl_access_address(const char *address, uint8_t out[16]);

/* The same for the TRL_LIMIT_RECIPIENT limit: whom something is sent to. */
enum trl_code trl_access_limit_recipient(trl_ctx *ctx, trl_access *access,
    const char *rate, const char *address) TRL_MUST_CHECK;

/* Adds to states how such a limit of a class stands, which a service has refused with
 * TRL_RATE; the message names it. Nothing where it is none of the class. Any thread. */
void trl_access_name_refused(const trl_access *access, const char *rate,
    const char *message, uint32_t retry_after_ms, struct trl_access_states *states);

/* For what goes on beyond a request (streams). */

/* The present epochs of n accounts, or tenants, without counting anything; 0: there is
 * none, or Redis does not tell. */
void trl_access_account_epochs(trl_ctx *ctx, trl_access *access,
    const struct trl_id *accounts, size_t n, uint64_t *epochs);
void trl_access_tenant_epochs(trl_ctx *ctx, trl_access *access,
    const struct trl_id *tenants, size_t n, uint64_t *epochs);
/* As trl_access_arrive in a tenant, but nothing is counted and nothing refused. */
void trl_access_look(trl_ctx *ctx, trl_access *access, const struct trl_access_who *who,
    struct trl_id tenant, struct trl_access_visit *visit);
