/* limit.h - the limits people, keys, tenants and addresses have, one table
 * (limit.c), and how one stands after a request was counted. GCRA: `count` in
 * any window of `window_s`, refilled evenly. Anybody may read it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trl_limit_subject {
	TRL_LIMIT_ADDRESS, /* the client's address; of IPv6 its /64 */
	TRL_LIMIT_PERSON,
	TRL_LIMIT_KEY,
	TRL_LIMIT_TENANT,
	TRL_LIMIT_NAME, /* a text that a service counts (an e-mail address), hashed */
	TRL_LIMIT_RECIPIENT, /* whom a mail goes to, the same */
	TRL_LIMIT_KNOWN /* a name and where its owner is known to come from, the same */
};

/* Limits of a tenant that its plan may set: a feature's number then stands in the place
 * of count (billing.v1.Feature). */
enum trl_limit_planned {
	TRL_LIMIT_UNPLANNED,
	TRL_LIMIT_READS,  /* "api-reads-per-minute" */
	TRL_LIMIT_WRITES, /* "api-writes-per-minute" */
	TRL_LIMITS_PLANNED
};

struct trl_limit {
	const char *name; /* in RateLimit-Policy, and in the key */
	const char *rate; /* the method's class it belongs to; NULL: every request */
	enum trl_limit_subject subject;
	uint32_t count;
	uint32_t window_s;
	bool strict; /* without Redis: no allowance above the replica's share */
	enum trl_limit_planned planned;
	bool apart; /* requests of this class do not count as those without a class */
};

/* Every limit there is. */
extern const struct trl_limit trl_limits[];
extern const size_t trl_limits_count;

/* How a limit stands. */
struct trl_limit_state {
	const struct trl_limit *limit;
	bool allowed;
	uint64_t quota; /* count, or the plan's, after TRELLIS_RATE_SCALE */
	uint64_t remaining;
	uint64_t
	    next_us; /* until there is one more: when refused, until there is one */
};

/* The limit of a subject for a method's class, NULL: none. With rate NULL the one
 * that every request counts against. */
const struct trl_limit *trl_limit_find(
    enum trl_limit_subject subject, const char *rate);
