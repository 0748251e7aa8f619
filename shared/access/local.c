/* local.c - limits while Redis does not answer: the same GCRA on this process's
 * clock, for this replica's share of the limit and a half more (none more where the
 * limit is strict). A table of fixed size, so subjects that fall on one bucket push
 * each other out; a flood of addresses can lengthen nobody's leash but its own. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "state.h"

/* At least one, and no more than there are microseconds. */
static uint64_t
scale(const trl_access *access, double count, double window_us)
{
	double quota = count * access->config.rate_scale;

	if (quota < 1)
		quota = 1;
	if (quota > window_us)
		quota = window_us;
	return (uint64_t)quota;
}

uint32_t
trl_access_quota(const trl_access *access, uint64_t number)
{
	return (uint32_t)scale(access, (double)number, 60e6);
}

/* The step is cut to nanoseconds, as the script cuts a plan's, or the last of a full
 * quota would not fit. Every request of a plan comes through here. */
static void
pace_set(struct access_pace *pace, uint64_t quota)
{
	pace->quota = quota;
	pace->step_us = pace->window_us / (double)quota;
	pace->step_us = (double)(uint64_t)(pace->step_us * 1000) / 1000;
}

static void
pace_fill(struct access_pace *pace, const struct trl_limit *limit, uint64_t quota)
{
	pace->window_us = (double)limit->window_s * 1e6;
	pace->life_len = (uint8_t)snprintf(
	    pace->life, sizeof pace->life, "%.0f", pace->window_us / 1000 + 1);
	trl_assert(pace->life_len < sizeof pace->life);
	pace_set(pace, quota);
}

void
access_paces_init(trl_access *access)
{
	size_t i;

	access->paces = calloc(trl_limits_count, sizeof *access->paces);
	trl_assert(access->paces);
	for (i = 0; i < trl_limits_count; i++)
		pace_fill(&access->paces[i], &trl_limits[i],
		    scale(access, trl_limits[i].count, trl_limits[i].window_s * 1e6));
}

const struct access_pace *
access_pace(const trl_access *access, const struct trl_limit *limit)
{
	return &access->paces[limit - trl_limits];
}

struct access_pace
access_pace_of(const trl_access *access, const struct trl_limit *limit, uint64_t quota)
{
	struct access_pace pace = *access_pace(access, limit);

	if (quota != 0)
		pace_set(&pace, quota);
	return pace;
}

static struct access_bucket *
bucket_of(trl_access *access, const struct access_key *key)
{
	struct access_bucket *bucket;
	uint64_t hash;

	crypto_shorthash(
	    (uint8_t *)&hash, (const uint8_t *)key->text, key->len, access->seed);
	if (!hash)
		hash = 1;
	bucket = &access->buckets[hash % ACCESS_BUCKETS];
	if (bucket->key != hash)
		*bucket = (struct access_bucket){ .key = hash };
	return bucket;
}

void
access_state_fill(struct trl_limit_state *state, double room_us, double step_us)
{
	const uint64_t window_us = (uint64_t)state->limit->window_s * 1000000;
	const double fit = room_us > 0 ? floor(room_us / step_us) : 0;

	if (state->allowed)
		state->remaining = (uint64_t)fit;
	/* One of an earlier limit's that it refused left its place to the next. */
	state->next_us = !state->allowed && fit > 0
			     ? 1
			     : (uint64_t)ceil((fit + 1) * step_us - room_us);
	if (state->next_us > window_us)
		state->next_us = window_us;
}

void
access_count_local(trl_access *access, const struct access_key *key,
    const struct trl_limit *limit, uint64_t quota, struct trl_limit_state *state)
{
	const struct access_pace pace = access_pace_of(access, limit, quota);
	struct access_bucket *bucket = bucket_of(access, key);
	const double share =
	    (limit->strict ? 1.0 : 1.5) / (double)access->config.replicas;
	const uint64_t now = trl_mono_us();
	const double window = pace.window_us;
	double step = pace.step_us / share, ahead;

	if (step > window)
		step = window;
	ahead = bucket->arrival_us > now ? (double)(bucket->arrival_us - now) : 0;
	*state = (struct trl_limit_state){
		.limit = limit, .allowed = ahead + step <= window, .quota = pace.quota
	};
	if (state->allowed) {
		ahead += step;
		bucket->arrival_us = now + (uint64_t)ahead;
	}
	access_state_fill(state, window - ahead, step);
}
