/* state.h - what the files of this module share. */
#pragma once

#include <trl/access.h>
#include <trl/metrics.h>

#include "key.h"
#include "script.h"

enum {
	ACCESS_COPY_MS = 5000, /* how long a copy may be believed: access.h says why */
	ACCESS_EPOCH_S = 3600, /* an unused epoch; must outlive copies */
	ACCESS_BUCKETS = 8192, /* subjects that are counted here without Redis */
	ACCESS_PARTIES = 256,  /* heads of the table of open parties */
	ACCESS_TRIP_LIMITS = 2
};

struct access_config {
	double rate_scale;
	int64_t replicas;
};

struct access_bucket {
	uint64_t key; /* hash of the limit's key; 0: free */
	uint64_t arrival_us;
};

/* Microseconds that one takes and that all of a limit take, after the scale; and how
 * long its key is kept, as an argument of a script (ms). */
struct access_pace {
	double step_us, window_us;
	uint64_t quota;
	uint8_t life_len;
	char life[15];
};

struct trl_access {
	trl_loop *loop;
	trl_redis *redis;
	struct access_config config;
	struct access_bucket *buckets;
	uint8_t seed[16];
	trl_series *lost;     /* trips that Redis did not answer */
	trl_series **limited; /* one a row of limit.c */
	struct access_copies {
		trl_series *hit, *miss;
	} sessions, grants;
	struct access_pace *paces;                    /* one a row of limit.c */
	struct access_party *parties[ACCESS_PARTIES]; /* not yet under way */
};

/* What a request asks of Redis. Two that are equal byte for byte make one trip, so a
 * question is zeroed before it is filled and has no holes. */
struct access_question {
	const struct trl_limit *limits[ACCESS_TRIP_LIMITS];
	struct trl_id tenant;
	uint8_t subject[16]; /* address, name, account or key */
	uint8_t hash[TRL_ACCESS_HASH];
	uint8_t subject_len, n_limits;
	uint8_t n_own;  /* of the limits; the others are counted only with a grant */
	uint8_t before; /* keys before the limits: epoch, grant */
	uint8_t beside; /* enum access_beside */
	uint8_t zero[3];
	uint64_t quota; /* of the limit that the plan sets, if its grant is at hand */
};
_Static_assert(sizeof(struct access_question) ==
		   ACCESS_TRIP_LIMITS * sizeof(void *) + 16 + 16 + TRL_ACCESS_HASH + 16,
    "a hole would make equal questions differ");

/* What is fetched beside the script, under another tag. */
enum access_beside { ACCESS_NOTHING, ACCESS_WHO, ACCESS_ACCOUNT_EPOCH };

/* What Redis said. Of the n that made the trip this is number `place`, from 0. */
struct access_answer {
	bool told;    /* else nothing was fetched nor counted */
	bool counted; /* else only `beside` counts */
	size_t place;
	size_t n_counted;                        /* of the question's limits */
	uint32_t quotas[TRL_LIMITS_PLANNED - 1]; /* the copy's, by which was counted */
	uint64_t epoch;
	struct trl_redis_arg copy, beside; /* in the arena; data NULL: none */
	struct {
		uint64_t allowed, ahead_us;
	} limits[ACCESS_TRIP_LIMITS];
};

/* Requests that make one trip; on the stack of the one who makes it. */
struct access_party {
	const struct access_question *question;
	struct access_party *next; /* in the table, until it is under way */
	struct access_seat *first, **last;
	size_t n; /* with the one who makes the trip */
};

/* ask.c: goes by itself or with others; fills answer, adds how the limits stand. */
void access_ask(trl_ctx *ctx, trl_access *access,
    const struct access_question *question, struct access_answer *answer,
    struct trl_access_states *states);
/* 0: none. */
uint64_t access_epoch_of(struct trl_redis_arg text);

/* share.c: true: somebody else made the trip, and *answer is filled. False: make it,
 * for party->n, then call access_share_end. */
bool access_share(trl_ctx *ctx, trl_access *access,
    const struct access_question *question, struct access_party *party,
    struct access_answer *answer);
/* Tells the others of the party; one that is not told makes its own trip. */
void access_share_end(struct access_party *party, const struct access_answer *answer);

/* local.c: how fast a limit goes. */
void access_paces_init(trl_access *access);
const struct access_pace *access_pace(
    const trl_access *access, const struct trl_limit *limit);
/* The same for another quota; 0: the limit's own. */
struct access_pace access_pace_of(
    const trl_access *access, const struct trl_limit *limit, uint64_t quota);

/* local.c: what is left and when there is one more, where `room` of the window is free
 * and one takes `step`. state: its limit, and whether the request was let through. */
void access_state_fill(struct trl_limit_state *state, double room_us, double step_us);

/* local.c: counts in this process, by its share of the limit. */
void access_count_local(trl_access *access, const struct access_key *key,
    const struct trl_limit *limit, uint64_t quota, struct trl_limit_state *state);

/* copy.c: copies as bytes, in the arena. False: it has more permissions than one has
 * room for. */
bool access_pack_who(
    trl_arena *arena, const struct trl_access_who *who, struct trl_redis_arg *out);
/* NULL: not such bytes. */
const struct trl_access_who *access_unpack_who(
    trl_arena *arena, const void *data, size_t len);
bool access_pack_grant(
    trl_arena *arena, const struct trl_access_grant *grant, struct trl_redis_arg *out);
/* What the script reads of a grant's copy (script.c), which is one. */
void access_read_quotas(
    struct trl_redis_arg copy, uint32_t quotas[TRL_LIMITS_PLANNED - 1]);
const struct trl_access_grant *access_unpack_grant(
    trl_arena *arena, const void *data, size_t len);

/* trip.c: whether this limit was kept; fills the error. */
enum trl_code access_refused(trl_ctx *ctx, const struct trl_access_states *states);
