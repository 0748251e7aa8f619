/* What other modules would say, by linking: auth's stubs answer from world.people,
 * bumps are counted. */
#include <stdio.h>
#include <string.h>

#include <auth_v1.trl.h>

#include "test_ground.h"

struct trl_redis_script *const trl_access_scripts[] = { NULL };

void
trl_access_bump_tenant(trl_ctx *ctx, trl_access *access, struct trl_id tenant)
{
	(void)ctx;
	(void)access;
	(void)tenant;
	ground.tenant_bumps++;
}

void
trl_access_bump_account(trl_ctx *ctx, trl_access *access, struct trl_id account)
{
	(void)ctx;
	(void)access;
	(void)account;
	ground.account_bumps++;
}

static enum trl_code
count(trl_ctx *ctx, const char *rate, const char *text)
{
	const size_t len = strlen(ground.counted);

	snprintf(
	    ground.counted + len, sizeof ground.counted - len, "%s:%s ", rate, text);
	if (ground.limited && strcmp(ground.limited, text) == 0)
		return trl_fail(ctx, TRL_RATE, "the limit is reached");
	return TRL_OK;
}

enum trl_code
trl_access_limit_name(
    trl_ctx *ctx, trl_access *access, const char *rate, const char *name)
{
	(void)access;
	return count(ctx, rate, name);
}

enum trl_code
trl_access_limit_recipient(
    trl_ctx *ctx, trl_access *access, const char *rate, const char *address)
{
	(void)access;
	return count(ctx, rate, address);
}

trl_access *
trl_access_open(trl_loop *loop, trl_redis *redis)
{
	(void)loop;
	(void)redis;
	return (trl_access *)&ground; /* nobody looks into it */
}

void
trl_access_close(trl_access **access)
{
	*access = NULL;
}

static Auth__V1__AccountFacts *
facts_new(trl_ctx *ctx, const struct world_person *person)
{
	Auth__V1__AccountFacts *facts = auth_v1_account_facts_new(ctx);

	trl_set(facts, account_id, trl_value_bytes(ctx, person->account));
	facts->email = trl_arena_strdup(ctx->arena, person->email);
	facts->display_name = trl_arena_strdup(ctx->arena, person->display_name);
	trl_set(facts, verified, person->verified);
	return facts;
}

enum trl_code
auth_call_find_account_with(trl_ctx *ctx, trl_bus *bus,
    const Auth__V1__FindAccountRequest *in, const struct trl_call_terms *terms,
    Auth__V1__AccountFacts **out)
{
	(void)bus;
	(void)terms;
	trl_assert(!trl_key_held(ctx)); /* as the bus wants it */
	for (size_t i = 0; i < world.n_people; i++) {
		const struct world_person *person = &world.people[i];

		if (in->email
			? strcmp(in->email, person->email) == 0
			: trl_id_eq(trl_value_id(in->account_id), person->account)) {
			*out = facts_new(ctx, person);
			return TRL_OK;
		}
	}
	return trl_fail(ctx, TRL_NOT_FOUND, "no such account");
}

enum trl_code
auth_call_list_accounts_with(trl_ctx *ctx, trl_bus *bus,
    const Auth__V1__ListAccountsRequest *in, const struct trl_call_terms *terms,
    Auth__V1__ListAccountsReply **out)
{
	Auth__V1__ListAccountsReply *reply = auth_v1_list_accounts_reply_new(ctx);

	(void)bus;
	(void)terms;
	trl_assert(!trl_key_held(ctx)); /* as the bus wants it */
	reply->items =
	    trl_arena_alloc(ctx->arena, sizeof reply->items[0] * WORLD_PEOPLE_MAX);
	for (size_t i = 0; i < in->n_account_ids; i++)
		for (size_t j = 0; j < world.n_people; j++)
			if (trl_id_eq(trl_value_id(in->account_ids[i]),
				world.people[j].account))
				reply->items[reply->n_items++] =
				    facts_new(ctx, &world.people[j]);
	*out = reply;
	return TRL_OK;
}
