/* trip.c - the two round trips of a request, and counting a name. Commands of one
 * trip go out together; each touches one tag. Where Redis does not answer, nothing
 * was fetched and the limits are counted here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

enum { TRIP_COMMANDS = 2, TRIP_LIMITS = 2 };

/* A command with its limits, and room for their numbers. */
struct leg {
	struct trl_redis_command *command;
	size_t n;
	const struct trl_limit *limits[TRIP_LIMITS];
	struct access_key keys[TRIP_LIMITS];
	size_t n_before; /* keys before the limits: epoch, copy */
	struct access_key before[2];
};

static void
leg_limit(struct leg *leg, const struct trl_limit *limit, struct trl_id id)
{
	if (!limit)
		return;
	access_key_limit(&leg->keys[leg->n], limit, id);
	leg->limits[leg->n++] = limit;
}

static void
leg_limit_text(struct leg *leg, const struct trl_limit *limit, const char *text)
{
	if (!limit)
		return;
	access_key_limit_text(&leg->keys[leg->n], limit, text);
	leg->limits[leg->n++] = limit;
}

static void
add_arg(struct trl_redis_command *command, const char *text, size_t len)
{
	trl_assert(command->n_args < TRL_REDIS_ARGS_MAX);
	command->args[command->n_args++] = (struct trl_redis_arg){ text, len };
}

/* Keys first, then the numbers. */
static void
leg_seal(const trl_access *access, struct leg *leg)
{
	static const char counts[] = "012";
	struct trl_redis_command *command = leg->command;
	size_t i, j;

	command->script = &access_script_visit;
	for (i = 0; i < leg->n_before; i++)
		add_arg(command, leg->before[i].text, leg->before[i].len);
	for (i = 0; i < leg->n; i++)
		add_arg(command, leg->keys[i].text, leg->keys[i].len);
	command->n_keys = command->n_args;
	add_arg(command, ACCESS_EPOCH_TEXT, sizeof ACCESS_EPOCH_TEXT - 1);
	add_arg(command, &counts[leg->n_before], 1);
	for (i = 0; i < leg->n; i++) {
		const struct access_pace *pace = access_pace(access, leg->limits[i]);

		for (j = 0; j < TRL_COUNT(pace->args); j++)
			add_arg(command, pace->args[j].text, pace->args[j].len);
	}
}

static uint64_t
item(const struct trl_redis_reply *reply, size_t i)
{
	const struct trl_redis_reply *at = &reply->items[i];

	return at->type == TRL_REDIS_INT && at->num > 0 ? (uint64_t)at->num : 0;
}

/* Adds how the leg's limits stand: as Redis says from item `first`, else (reply
 * NULL or not of that form) as counted here. */
static void
leg_states(trl_access *access, const struct leg *leg,
    const struct trl_redis_reply *reply, size_t first, struct trl_access_states *states)
{
	const bool told = reply && reply->type == TRL_REDIS_LIST &&
			  reply->n_items == first + 4 * leg->n;
	size_t i;

	for (i = 0; i < leg->n; i++) {
		struct trl_limit_state *state;

		trl_assert(states->n < TRL_ACCESS_LIMITS_MAX);
		state = &states->state[states->n++];
		if (!told) {
			access_count_local(
			    access, &leg->keys[i], leg->limits[i], state);
			continue;
		}
		*state = (struct trl_limit_state){ .limit = leg->limits[i],
			.quota = access_pace(access, leg->limits[i])->quota,
			.allowed = item(reply, first + 4 * i) != 0,
			.remaining = item(reply, first + 4 * i + 1),
			.reset_us = item(reply, first + 4 * i + 2),
			.retry_us = item(reply, first + 4 * i + 3) };
	}
}

enum trl_code
access_refused(trl_ctx *ctx, const struct trl_access_states *states)
{
	const struct trl_limit_state *worst = NULL;
	size_t i;

	for (i = 0; i < states->n; i++)
		if (!states->state[i].allowed &&
		    (!worst || states->state[i].retry_us > worst->retry_us))
			worst = &states->state[i];
	if (!worst)
		return TRL_OK;
	trl_err_clear(ctx);
	(void)trl_fail(ctx, TRL_RATE,
	    "The limit \"%s\" is reached: %llu in %u seconds.", worst->limit->name,
	    (unsigned long long)worst->quota, worst->limit->window_s);
	trl_err_retry_after(ctx, (uint32_t)(worst->retry_us / 1000) + 1);
	return TRL_RATE;
}

/* Sends n commands; false: Redis did not answer. */
static bool
travel(trl_ctx *ctx, trl_access *access, const struct trl_redis_command *commands,
    size_t n, struct trl_redis_reply *replies)
{
	if (access->redis &&
	    trl_redis_run(ctx, access->redis, commands, n, replies) == TRL_OK)
		return true;
	trl_series_add(access->lost, 1);
	return false;
}

enum trl_code
trl_access_greet(trl_ctx *ctx, trl_access *access, const char *address,
    const char *rate, const uint8_t hash[TRL_ACCESS_HASH],
    const struct trl_access_who **who, struct trl_access_states *states)
{
	struct trl_redis_command commands[2] = { { 0 } };
	struct trl_redis_reply replies[2];
	struct leg leg = { .command = &commands[0] };
	struct access_key key;
	bool told;

	*who = NULL;
	leg_limit_text(&leg, trl_limit_find(TRL_LIMIT_ADDRESS, NULL), address);
	if (rate)
		leg_limit_text(&leg, trl_limit_find(TRL_LIMIT_ADDRESS, rate), address);
	leg_seal(access, &leg);
	if (hash) {
		access_key_who(&key, hash);
		commands[1].verb = "GET";
		add_arg(&commands[1], key.text, key.len);
	}
	told = travel(ctx, access, commands, hash ? 2 : 1, replies);
	leg_states(access, &leg, told ? &replies[0] : NULL, 0, states);
	if (told && hash && replies[1].type == TRL_REDIS_DATA)
		*who = access_unpack_who(ctx->arena, replies[1].data, replies[1].len);
	return access_refused(ctx, states);
}

static uint64_t
epoch_of(const struct trl_redis_reply *reply)
{
	if (reply->type == TRL_REDIS_LIST && reply->n_items >= 2)
		reply = &reply->items[0];
	return reply->type == TRL_REDIS_DATA ? strtoull(reply->data, NULL, 10) : 0;
}

/* A grant copy is believed if both its epochs are the present ones. */
static const struct trl_access_grant *
believed(trl_ctx *ctx, const struct trl_redis_reply *reply,
    const struct trl_access_visit *visit, struct trl_id tenant)
{
	const struct trl_access_grant *grant;

	if (!visit->tenant_epoch || reply->items[1].type != TRL_REDIS_DATA)
		return NULL;
	grant =
	    access_unpack_grant(ctx->arena, reply->items[1].data, reply->items[1].len);
	if (!grant || grant->tenant_epoch != visit->tenant_epoch ||
	    grant->account_epoch != visit->account_epoch ||
	    !trl_id_eq(grant->tenant, tenant))
		return NULL;
	return grant;
}

/* The caller's own limit: of a key the strictest where its class has none. */
static const struct trl_limit *
limit_of(const struct trl_access_who *who, const char *rate)
{
	const struct trl_limit *limit;

	if (who->kind != TRL_KEY)
		return trl_limit_find(TRL_LIMIT_PERSON, rate);
	limit = trl_limit_find(TRL_LIMIT_KEY, rate);
	return limit ? limit : trl_limit_find(TRL_LIMIT_KEY, "write");
}

/* Outside a tenant: one leg, the account's epoch with the caller's limit. */
static enum trl_code
arrive_alone(trl_ctx *ctx, trl_access *access, const struct trl_access_who *who,
    const char *rate, struct trl_access_visit *visit, struct trl_access_states *states)
{
	struct trl_redis_command command = { 0 };
	struct trl_redis_reply reply;
	struct leg leg = { .command = &command };
	const bool is_key = who->kind == TRL_KEY;
	bool told;

	leg_limit(&leg, limit_of(who, rate), is_key ? who->session : who->account);
	if (!is_key) {
		access_key_epoch(&leg.before[0], 'a', who->account);
		leg.n_before = 1;
	}
	if (!leg.n && !leg.n_before)
		return TRL_OK;
	leg_seal(access, &leg);
	told = travel(ctx, access, &command, 1, &reply);
	leg_states(access, &leg, told ? &reply : NULL, is_key ? 0 : 2, states);
	if (told && !is_key)
		visit->account_epoch = epoch_of(&reply);
	return access_refused(ctx, states);
}

/* The account's epoch, made where it was missing. 0: Redis does not tell. */
static uint64_t
make_epoch(trl_ctx *ctx, trl_access *access, struct trl_id account)
{
	struct trl_redis_command command = { 0 };
	struct trl_redis_reply reply;
	struct leg leg = { .command = &command, .n_before = 1 };

	access_key_epoch(&leg.before[0], 'a', account);
	leg_seal(access, &leg);
	return travel(ctx, access, &command, 1, &reply) ? epoch_of(&reply) : 0;
}

/* In a tenant: one leg under the tenant's tag counts caller and tenant and brings
 * epoch and grant; a plain GET beside it brings the account's epoch (a key ends with
 * its tenant's). */
static enum trl_code
arrive_in_tenant(trl_ctx *ctx, trl_access *access, const struct trl_access_who *who,
    struct trl_id tenant, const char *rate, struct trl_access_visit *visit,
    struct trl_access_states *states)
{
	struct trl_redis_command commands[TRIP_COMMANDS] = { { 0 } };
	struct trl_redis_reply replies[TRIP_COMMANDS];
	struct leg leg = { .command = &commands[0], .n_before = 2 };
	const bool is_key = who->kind == TRL_KEY;
	const struct trl_id subject = is_key ? who->session : who->account;
	const struct trl_limit *own = limit_of(who, rate);
	struct access_key epoch;
	bool told;

	access_key_epoch(&leg.before[0], 't', tenant);
	access_key_grant(&leg.before[1], tenant, subject);
	if (own) {
		access_key_limit_in(&leg.keys[leg.n], own, tenant, subject);
		leg.limits[leg.n++] = own;
	}
	leg_limit(&leg, trl_limit_find(TRL_LIMIT_TENANT, rate), tenant);
	leg_seal(access, &leg);
	if (!is_key) {
		access_key_epoch(&epoch, 'a', who->account);
		commands[1].verb = "GET";
		add_arg(&commands[1], epoch.text, epoch.len);
	}
	told = travel(ctx, access, commands, is_key ? 1 : 2, replies);
	leg_states(access, &leg, told ? &replies[0] : NULL, 2, states);
	if (!told)
		return access_refused(ctx, states);
	if (!is_key && replies[1].type == TRL_REDIS_NIL)
		visit->account_epoch = make_epoch(ctx, access, who->account);
	else if (!is_key)
		visit->account_epoch = epoch_of(&replies[1]);
	visit->tenant_epoch = epoch_of(&replies[0]);
	visit->grant = believed(ctx, &replies[0], visit, tenant);
	return access_refused(ctx, states);
}

enum trl_code
trl_access_arrive(trl_ctx *ctx, trl_access *access, const struct trl_access_who *who,
    struct trl_id tenant, const char *rate, struct trl_access_visit *visit,
    struct trl_access_states *states)
{
	*visit = (struct trl_access_visit){ 0 };
	if (trl_id_is_nil(tenant))
		return arrive_alone(ctx, access, who, rate, visit, states);
	return arrive_in_tenant(ctx, access, who, tenant, rate, visit, states);
}

enum trl_code
trl_access_limit_name(
    trl_ctx *ctx, trl_access *access, const char *rate, const char *name)
{
	struct trl_redis_command command = { 0 };
	struct trl_access_states states = { 0 };
	struct leg leg = { .command = &command };
	struct trl_redis_reply reply;
	bool told;

	leg_limit_text(&leg, trl_limit_find(TRL_LIMIT_NAME, rate), name);
	if (!leg.n)
		return TRL_OK;
	leg_seal(access, &leg);
	told = travel(ctx, access, &command, 1, &reply);
	leg_states(access, &leg, told ? &reply : NULL, 0, &states);
	return access_refused(ctx, &states);
}
