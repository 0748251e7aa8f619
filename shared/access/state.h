/* state.h - what the files of this module share. */
#pragma once

#include <trl/access.h>
#include <trl/metrics.h>

#include "key.h"
#include "script.h"

enum {
	ACCESS_COPY_MS = 60000, /* how long a copy may be believed */
	ACCESS_EPOCH_S = 3600,  /* an unused epoch; must outlive copies */
	ACCESS_BUCKETS = 8192   /* subjects that are counted here without Redis */
};

struct access_config {
	double rate_scale;
	int64_t replicas;
};

struct access_bucket {
	uint64_t key; /* hash of the limit's key; 0: free */
	uint64_t arrival_us;
};

/* Microseconds that one takes and that all of a limit take, after the scale; and
 * the same as the arguments of a script: step, window, window in ms. */
struct access_pace {
	double step_us, window_us;
	uint64_t quota;
	struct {
		size_t len;
		char text[24];
	} args[3];
};

struct trl_access {
	trl_loop *loop;
	trl_redis *redis;
	struct access_config config;
	struct access_bucket *buckets;
	uint8_t seed[16];
	trl_series *lost;          /* trips that Redis did not answer */
	struct access_pace *paces; /* one a row of limit.c */
};

#define ACCESS_EPOCH_TEXT "3600" /* ACCESS_EPOCH_S as an argument */

/* local.c: how fast a limit goes. */
void access_paces_init(trl_access *access);
const struct access_pace *access_pace(
    const trl_access *access, const struct trl_limit *limit);

/* local.c: counts in this process, by its share of the limit. */
void access_count_local(trl_access *access, const struct access_key *key,
    const struct trl_limit *limit, struct trl_limit_state *state);

/* copy.c: copies as bytes, in the arena. */
void access_pack_who(
    trl_arena *arena, const struct trl_access_who *who, struct trl_redis_arg *out);
/* NULL: not such bytes. */
const struct trl_access_who *access_unpack_who(
    trl_arena *arena, const void *data, size_t len);
void access_pack_grant(
    trl_arena *arena, const struct trl_access_grant *grant, struct trl_redis_arg *out);
const struct trl_access_grant *access_unpack_grant(
    trl_arena *arena, const void *data, size_t len);

/* trip.c: whether this limit was kept; fills the error. */
enum trl_code access_refused(trl_ctx *ctx, const struct trl_access_states *states);
