/* access.c - opening, epochs and keeping copies; the two round trips are in trip.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/log.h>

#include "state.h"

static const struct trl_config_var vars[] = {
	TRL_CONFIG_REAL(struct access_config, rate_scale, "TRELLIS_RATE_SCALE", "1",
	    0.001, 1e9, "multiplies every rate limit"),
	TRL_CONFIG_INT(struct access_config, replicas, "TRELLIS_EDGE_REPLICAS", "1", 1,
	    10000, "edge processes that share the limits while Redis is down"),
};
const struct trl_config_table trl_access_config_table =
    TRL_CONFIG_TABLE("limits", vars);

static void
open_metrics(trl_access *access)
{
	trl_metric *m = trl_counter_new("trellis_access_limited_total",
	    "Requests that were over a limit", "limit", NULL);

	access->limited = calloc(trl_limits_count, sizeof *access->limited);
	trl_assert(access->limited);
	for (size_t i = 0; i < trl_limits_count; i++)
		access->limited[i] = trl_series_at(m, trl_limits[i].name);
	m = trl_counter_new("trellis_access_copies_total",
	    "Looks for a copy of a session, or of a grant, in Redis", "of", "result",
	    NULL);
	access->sessions.hit = trl_series_at(m, "session", "hit");
	access->sessions.miss = trl_series_at(m, "session", "miss");
	access->grants.hit = trl_series_at(m, "grant", "hit");
	access->grants.miss = trl_series_at(m, "grant", "miss");
}

trl_access *
trl_access_open(trl_loop *loop, trl_redis *redis)
{
	trl_access *access = calloc(1, sizeof *access);

	trl_assert(access);
	if (sodium_init() < 0 ||
	    !trl_config_read(&trl_access_config_table, &access->config)) {
		free(access);
		return NULL;
	}
	access->loop = loop;
	access->redis = redis;
	access_paces_init(access);
	access->buckets = calloc(ACCESS_BUCKETS, sizeof *access->buckets);
	trl_assert(access->buckets);
	randombytes_buf(access->seed, sizeof access->seed);
	access->lost = trl_series_get(
	    trl_counter_new("trellis_access_degraded_total",
		"Looks at sessions, grants or limits that Redis did not answer", NULL),
	    (const char *const[]){ NULL });
	open_metrics(access);
	return access;
}

void
trl_access_close(trl_access **access)
{
	if (!*access)
		return;
	free((*access)->buckets);
	free((*access)->paces);
	free((*access)->limited);
	free(TRL_TAKE(*access));
}

struct bump {
	trl_access *access;
	char owner;
	struct trl_id id;
};

static bool
bump_now(trl_ctx *ctx, trl_access *access, char owner, struct trl_id id)
{
	struct trl_redis_reply reply;
	struct access_key key;
	char life[16];
	int n;

	if (!access->redis)
		return true; /* then nobody keeps copies */
	access_key_epoch(&key, owner, id);
	n = snprintf(life, sizeof life, "%d", ACCESS_EPOCH_S);
	return trl_redis_run(ctx, access->redis,
		   &(const struct trl_redis_command){ .script = &access_script_bump,
		       .n_keys = 1,
		       .n_args = 2,
		       .args = { { key.text, key.len }, { life, (size_t)n } } },
		   1, &reply) == TRL_OK &&
	       reply.type == TRL_REDIS_INT;
}

/* Until it was told, or every copy has ended by its age. */
static void
bump_later(trl_ctx *ctx, void *arg)
{
	struct bump bump = *(struct bump *)arg;

	free(arg);
	while (!bump_now(ctx, bump.access, bump.owner, bump.id))
		if (trl_sleep(ctx, 200) != TRL_OK)
			return;
}

static void
bump(trl_ctx *ctx, trl_access *access, char owner, struct trl_id id)
{
	struct bump *later;

	if (bump_now(ctx, access, owner, id))
		return;
	trl_series_add(access->lost, 1);
	later = malloc(sizeof *later);
	trl_assert(later);
	*later = (struct bump){ access, owner, id };
	if (trl_spawn(access->loop, &(const struct trl_spawn){ .name = "access.bump",
					.run = bump_later,
					.arg = later,
					.timeout_ms = ACCESS_COPY_MS }) == TRL_OK)
		return;
	free(later);
	trl_log(TRL_LOG_ERROR, ctx,
	    "an epoch could not be raised: copies live up to 5 s",
	    TRL_LOG_ID("subject", id));
}

void
trl_access_bump_account(trl_ctx *ctx, trl_access *access, struct trl_id account)
{
	bump(ctx, access, 'a', account);
}

void
trl_access_bump_tenant(trl_ctx *ctx, trl_access *access, struct trl_id tenant)
{
	bump(ctx, access, 't', tenant);
}

/* A copy that could not be kept is a copy less; nobody is told. */
static void
keep(trl_ctx *ctx, trl_access *access, const struct trl_redis_command *command)
{
	struct trl_redis_reply reply;

	if (access->redis &&
	    trl_redis_run(ctx, access->redis, command, 1, &reply) != TRL_OK)
		trl_series_add(access->lost, 1);
}

void
trl_access_keep_who(trl_ctx *ctx, trl_access *access,
    const uint8_t hash[TRL_ACCESS_HASH], const struct trl_access_who *who)
{
	struct trl_redis_arg copy;
	struct access_key key;
	char life[16];
	int n;

	if (!who->epoch)
		return;
	access_key_who(&key, hash);
	if (!access_pack_who(ctx->arena, who, &copy))
		return;
	n = snprintf(life, sizeof life, "%d", ACCESS_COPY_MS);
	keep(ctx, access,
	    &(const struct trl_redis_command){ .verb = "SET",
		.n_args = 4,
		.args = {
		    { key.text, key.len }, copy, { "PX", 2 }, { life, (size_t)n } } });
}

void
trl_access_keep_grant(trl_ctx *ctx, trl_access *access, struct trl_id subject,
    const struct trl_access_grant *grant)
{
	char number[24], life[16], epoch_life[16];
	struct access_key epoch, key;
	struct trl_redis_arg copy;
	int n[3];

	if (!grant->tenant_epoch)
		return;
	access_key_epoch(&epoch, 't', grant->tenant);
	access_key_grant(&key, grant->tenant, subject);
	if (!access_pack_grant(ctx->arena, grant, &copy))
		return;
	n[0] = snprintf(
	    number, sizeof number, "%llu", (unsigned long long)grant->tenant_epoch);
	n[1] = snprintf(life, sizeof life, "%d", ACCESS_COPY_MS);
	n[2] = snprintf(epoch_life, sizeof epoch_life, "%d", ACCESS_EPOCH_S);
	keep(ctx, access,
	    &(const struct trl_redis_command){ .script = &access_script_keep,
		.n_keys = 2,
		.n_args = 6,
		.args = { { epoch.text, epoch.len }, { key.text, key.len },
		    { number, (size_t)n[0] }, copy, { life, (size_t)n[1] },
		    { epoch_life, (size_t)n[2] } } });
}
