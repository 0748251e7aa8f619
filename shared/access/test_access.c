/* Tests with a real Redis: limits, copies and epochs. (Over 400 lines: what is counted
 * and what is believed go together in each request, so its stories share one world.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "state.h"

const struct trl_config_table *const trl_config_known[] = { NULL };

struct world {
	trl_loop *loop;
	trl_redis *redis;
	trl_access *access;
	void (*story)(trl_ctx *ctx, struct world *world);
	bool done;
};

static struct trl_id
random_id(void)
{
	struct trl_id id;

	randombytes_buf(id.bytes, sizeof id.bytes);
	return id;
}

static bool
is_ready(void *self)
{
	return trl_redis_ready(((struct world *)self)->redis);
}

static bool
is_done(void *self)
{
	return ((struct world *)self)->done;
}

static void
tell(trl_ctx *ctx, void *arg)
{
	struct world *world = arg;

	world->story(ctx, world);
	world->done = true;
}

/* Runs a story in an actor, with Redis. */
static void
run(void (*story)(trl_ctx *ctx, struct world *world))
{
	const char *url = getenv("TRELLIS_TEST_REDIS_URL");
	struct world world = { .story = story };

	if (!url)
		fail_msg("TRELLIS_TEST_REDIS_URL is not set; tools/test sets it.");
	world.loop = trl_loop_new(NULL);
	world.redis = trl_redis_open(world.loop, url, trl_access_scripts);
	assert_true(trl_loop_run_until(world.loop, is_ready, &world, 10000));
	world.access = trl_access_open(world.loop, world.redis);
	assert_non_null(world.access);
	assert_int_equal(
	    trl_spawn(world.loop,
		&(const struct trl_spawn){
		    .name = "story", .run = tell, .arg = &world, .timeout_ms = 10000 }),
	    TRL_OK);
	assert_true(trl_loop_run_until(world.loop, is_done, &world, 10000));
	trl_access_close(&world.access);
	trl_redis_close(&world.redis);
	trl_loop_free(&world.loop);
}

/* A client address of nobody else's. */
static void
new_address(char text[40])
{
	uint8_t b[6];

	randombytes_buf(b, sizeof b);
	(void)snprintf(text, 40, "fd00:%x:%x:%x::1", b[0] << 8 | b[1], b[2] << 8 | b[3],
	    b[4] << 8 | b[5]);
}

/* How often that limit is said to have been reached. */
static int
limited(const char *name)
{
	struct trl_buf text = { 0 };
	char line[100];
	const char *at;
	int n;

	snprintf(
	    line, sizeof line, "\ntrellis_access_limited_total{limit=\"%s\"} ", name);
	trl_metrics_render(&text, false);
	trl_buf_add(&text, "", 1);
	at = strstr((char *)text.data, line);
	n = at ? atoi(at + strlen(line)) : -1;
	trl_buf_fini(&text);
	return n;
}

static void
tell_sign_ups(trl_ctx *ctx, struct world *world)
{
	const struct trl_access_who *who;
	struct trl_access_states states;
	char address[40];
	int i;

	new_address(address);
	for (i = 0; i < 10; i++) {
		states.n = 0;
		assert_int_equal(trl_access_greet(ctx, world->access, address, "signup",
				     NULL, &who, &states),
		    TRL_OK);
		assert_int_equal(states.n, 2);
		assert_int_equal(states.state[1].remaining, 9 - i);
		assert_int_equal(states.state[1].quota, 10);
	}
	states.n = 0;
	assert_int_equal(trl_access_greet(ctx, world->access, address, "signup", NULL,
			     &who, &states),
	    TRL_RATE);
	assert_false(states.state[1].allowed);
	assert_int_equal(limited("signup-address"), 1);
	/* one is free again after a tenth of the hour */
	assert_in_range(ctx->err.retry_after_ms, 350 * 1000, 361 * 1000);
	new_address(address);
	states.n = 0;
	trl_err_clear(ctx);
	assert_int_equal(trl_access_greet(ctx, world->access, address, "signup", NULL,
			     &who, &states),
	    TRL_OK);
}

static void
refuses_the_eleventh_sign_up_of_an_address_in_an_hour(void **state)
{
	(void)state;
	run(tell_sign_ups);
}

/* A page with many pictures takes nothing of what all else may have. */
static void
ask_for_bytes(trl_ctx *ctx, struct world *world)
{
	const struct trl_access_who *who;
	struct trl_access_states states = { 0 };
	char address[40];

	new_address(address);
	for (int i = 0; i < 3; i++) {
		states.n = 0;
		assert_int_equal(trl_access_greet(ctx, world->access, address, "bytes",
				     NULL, &who, &states),
		    TRL_OK);
		assert_int_equal(states.n, 1);
		assert_string_equal(states.state[0].limit->name, "address-bytes");
	}
	states.n = 0;
	assert_int_equal(
	    trl_access_greet(ctx, world->access, address, "read", NULL, &who, &states),
	    TRL_OK);
	assert_int_equal(states.n, 1);
	assert_string_equal(states.state[0].limit->name, "address");
	assert_int_equal(states.state[0].remaining, states.state[0].quota - 1);
}

static void
bytes_are_counted_apart(void **state)
{
	(void)state;
	run(ask_for_bytes);
}

static void
tell_names(trl_ctx *ctx, struct world *world)
{
	char name[40];
	int i;

	new_address(name);
	for (i = 0; i < 5; i++)
		assert_int_equal(
		    trl_access_limit_name(ctx, world->access, "login", name), TRL_OK);
	assert_int_equal(
	    trl_access_limit_name(ctx, world->access, "login", name), TRL_RATE);
}

static void
refuses_the_sixth_log_in_to_an_account_in_a_minute(void **state)
{
	(void)state;
	run(tell_names);
}

/* Arrives as who in tenant and gives what was seen. */
static struct trl_access_visit
arrive(trl_ctx *ctx, struct world *world, const struct trl_access_who *who,
    struct trl_id tenant)
{
	struct trl_access_states states = { 0 };
	struct trl_access_visit visit;

	assert_int_equal(
	    trl_access_arrive(ctx, world->access, who, tenant, "read", &visit, &states),
	    TRL_OK);
	return visit;
}

static struct trl_access_grant
granted(const struct trl_access_visit *visit, struct trl_id tenant)
{
	return (struct trl_access_grant){ .tenant = tenant,
		.role = 2,
		.status = 1,
		.tenant_epoch = visit->tenant_epoch,
		.account_epoch = visit->account_epoch };
}

static void
tell_epochs(trl_ctx *ctx, struct world *world)
{
	const struct trl_access_who who = { .kind = TRL_PERSON,
		.account = random_id() };
	struct trl_id tenant = random_id();
	struct trl_access_visit visit = arrive(ctx, world, &who, tenant), later;
	struct trl_access_grant grant = granted(&visit, tenant);

	assert_null(visit.grant);
	assert_true(visit.tenant_epoch && visit.account_epoch);
	trl_access_keep_grant(ctx, world->access, who.account, &grant);
	later = arrive(ctx, world, &who, tenant);
	assert_non_null(later.grant);
	assert_int_equal(later.grant->role, 2);

	trl_access_bump_tenant(ctx, world->access, tenant);
	later = arrive(ctx, world, &who, tenant);
	assert_null(later.grant);
	assert_true(later.tenant_epoch > visit.tenant_epoch);

	/* a fact read before the bump comes too late to be kept */
	trl_access_keep_grant(ctx, world->access, who.account, &grant);
	assert_null(arrive(ctx, world, &who, tenant).grant);

	grant = granted(&later, tenant);
	trl_access_keep_grant(ctx, world->access, who.account, &grant);
	assert_non_null(arrive(ctx, world, &who, tenant).grant);
	trl_access_bump_account(ctx, world->access, who.account);
	assert_null(arrive(ctx, world, &who, tenant).grant);
}

static void
believes_no_copy_of_an_earlier_epoch(void **state)
{
	(void)state;
	run(tell_epochs);
}

/* How long Redis still keeps a key. */
static int64_t
life_ms(trl_ctx *ctx, struct world *world, const struct access_key *key)
{
	struct trl_redis_reply reply;

	assert_int_equal(
	    trl_redis_run(ctx, world->redis,
		&(const struct trl_redis_command){
		    .verb = "PTTL", .n_args = 1, .args = { { key->text, key->len } } },
		1, &reply),
	    TRL_OK);
	assert_int_equal(reply.type, TRL_REDIS_INT);
	return reply.num;
}

/* Who cannot raise an epoch can let copies live on for as long as this. */
static void
tell_life(trl_ctx *ctx, struct world *world)
{
	const struct trl_access_who who = { .kind = TRL_PERSON,
		.account = random_id() };
	struct trl_id tenant = random_id();
	struct trl_access_visit visit = arrive(ctx, world, &who, tenant);
	struct trl_access_grant grant = granted(&visit, tenant);
	struct access_key key;

	trl_access_keep_grant(ctx, world->access, who.account, &grant);
	access_key_grant(&key, tenant, who.account);
	assert_in_range(life_ms(ctx, world, &key), 1, 5000);
}

static void
no_copy_outlives_five_seconds(void **state)
{
	(void)state;
	run(tell_life);
}

static void
tell_loss(trl_ctx *ctx, struct world *world)
{
	const struct trl_access_who who = { .kind = TRL_PERSON,
		.account = random_id() };
	struct trl_id tenant = random_id();
	struct trl_access_visit visit = arrive(ctx, world, &who, tenant);
	struct trl_access_grant grant = granted(&visit, tenant);
	struct trl_redis_reply reply;
	struct access_key epoch;

	trl_access_keep_grant(ctx, world->access, who.account, &grant);
	access_key_epoch(&epoch, 't', tenant);
	assert_int_equal(
	    trl_redis_run(ctx, world->redis,
		&(const struct trl_redis_command){
		    .verb = "DEL", .n_args = 1, .args = { { epoch.text, epoch.len } } },
		1, &reply),
	    TRL_OK);
	assert_null(arrive(ctx, world, &who, tenant).grant);
}

static void
believes_no_copy_whose_epoch_was_lost(void **state)
{
	(void)state;
	run(tell_loss);
}

/* A request of the class "read"; how the tenant's limit stands after it. */
static struct trl_limit_state
read_once(trl_ctx *ctx, struct world *world, const struct trl_access_who *who,
    struct trl_id tenant, struct trl_access_visit *visit)
{
	struct trl_access_states states = { 0 };

	enum trl_code rc =
	    trl_access_arrive(ctx, world->access, who, tenant, "read", visit, &states);

	assert_true(rc == TRL_OK || rc == TRL_RATE);
	trl_err_clear(ctx);
	return visit->tenant_counted ? states.state[1] : (struct trl_limit_state){ 0 };
}

/* A plan with a number of reads, then another one; and a class that no plan sets. */
static void
tell_plans(trl_ctx *ctx, struct world *world)
{
	const struct trl_access_who who = { .kind = TRL_PERSON,
		.account = random_id() };
	struct trl_id tenant = random_id();
	struct trl_access_visit visit = arrive(ctx, world, &who, tenant);
	struct trl_access_grant grant = granted(&visit, tenant);
	struct trl_limit_state state;
	struct trl_access_states states = { 0 };

	grant.quotas[TRL_LIMIT_READS - 1] = trl_access_quota(world->access, 3);
	trl_access_keep_grant(ctx, world->access, who.account, &grant);
	for (unsigned i = 0; i < 3; i++) {
		state = read_once(ctx, world, &who, tenant, &visit);
		assert_true(state.allowed);
		assert_int_equal(state.quota, 3);
		assert_int_equal(state.remaining, 2 - i);
	}
	state = read_once(ctx, world, &who, tenant, &visit);
	assert_false(state.allowed);
	assert_in_range(state.next_us, 19000000, 20000000); /* one in 20 s */
	assert_int_equal(trl_access_arrive(ctx, world->access, &who, tenant, "write",
			     &visit, &states),
	    TRL_OK);
	assert_int_equal(states.state[1].quota, 1200);

	/* After an upgrade the old copy counts nothing, and the new one at once. */
	trl_access_bump_tenant(ctx, world->access, tenant);
	assert_int_equal(read_once(ctx, world, &who, tenant, &visit).quota, 0);
	assert_false(visit.tenant_counted);
	grant = granted(&visit, tenant);
	grant.quotas[TRL_LIMIT_READS - 1] = trl_access_quota(world->access, 60000);
	trl_access_keep_grant(ctx, world->access, who.account, &grant);
	states.n = 0;
	assert_int_equal(
	    trl_access_belongs(ctx, world->access, &grant, "read", &states), TRL_OK);
	assert_int_equal(states.state[0].quota, 60000);
	state = read_once(ctx, world, &who, tenant, &visit);
	assert_true(state.allowed);
	assert_int_equal(state.quota, 60000);
}

static void
counts_by_the_quota_of_the_plan(void **state)
{
	(void)state;
	run(tell_plans);
}

/* Reads `n` times under a plan of `quota` reads; how the limit stands after the last.
 */
static struct trl_limit_state
read_under(trl_ctx *ctx, struct world *world, const struct trl_access_who *who,
    struct trl_access_grant *grant, uint64_t quota, unsigned n)
{
	struct trl_limit_state state = { 0 };
	struct trl_access_visit visit;

	grant->quotas[TRL_LIMIT_READS - 1] = trl_access_quota(world->access, quota);
	trl_access_keep_grant(ctx, world->access, who->account, grant);
	for (unsigned i = 0; i < n; i++)
		state = read_once(ctx, world, who, grant->tenant, &visit);
	return state;
}

static void
tell_changes_of_plan(trl_ctx *ctx, struct world *world)
{
	const struct trl_access_who who = { .kind = TRL_PERSON,
		.account = random_id() };
	struct trl_id tenant = random_id();
	struct trl_access_visit visit = arrive(ctx, world, &who, tenant);
	struct trl_access_grant grant = granted(&visit, tenant);
	struct trl_limit_state state;

	assert_int_equal(read_under(ctx, world, &who, &grant, 7, 4).remaining, 3);
	assert_int_equal(read_under(ctx, world, &who, &grant, 22, 1).remaining, 17);
	assert_int_equal(read_under(ctx, world, &who, &grant, 7, 1).remaining, 1);
	assert_false(read_under(ctx, world, &who, &grant, 6, 1).allowed);
	state = read_under(ctx, world, &who, &grant, 7, 2);
	assert_false(state.allowed); /* the seventh was the last */
	assert_in_range(state.next_us, 7000000, 60000000 / 7 + 1);
}

static void
under_another_plan_what_was_taken_stays_taken(void **state)
{
	(void)state;
	run(tell_changes_of_plan);
}

static void
tell_nothing_left(trl_ctx *ctx, struct world *world)
{
	(void)ctx;
	assert_int_equal(trl_access_quota(world->access, 0), 1);
	assert_int_equal(trl_access_quota(world->access, UINT64_MAX), 60000000);
}

static void
a_plan_always_leaves_one_request_a_minute(void **state)
{
	(void)state;
	run(tell_nothing_left);
}

/* Invites once; *left is what the tenant's limit has after it, where it was shown. */
static enum trl_code
invite(trl_ctx *ctx, struct world *world, const struct trl_access_who *who,
    struct trl_id tenant, struct trl_access_visit *visit, uint64_t *left)
{
	struct trl_access_states states = { 0 };
	enum trl_code rc = trl_access_arrive(
	    ctx, world->access, who, tenant, "invite", visit, &states);

	assert_int_equal(states.n, visit->tenant_counted ? 2 : 1);
	if (visit->tenant_counted)
		*left = states.state[1].remaining;
	trl_err_clear(ctx);
	return rc;
}

static void
tell_outsiders(trl_ctx *ctx, struct world *world)
{
	const struct trl_access_who eve = { .kind = TRL_PERSON,
		.account = random_id() },
				    ada = { .kind = TRL_PERSON,
					    .account = random_id() };
	struct trl_id tenant = random_id();
	struct trl_access_states states = { 0 };
	struct trl_access_visit visit;
	struct trl_access_grant grant;
	uint64_t left = 0;

	for (int i = 0; i < 70; i++) {
		assert_int_equal(invite(ctx, world, &eve, tenant, &visit, &left),
		    i < 60 ? TRL_OK : TRL_RATE);
		assert_false(visit.tenant_counted);
	}
	assert_int_equal(invite(ctx, world, &ada, tenant, &visit, &left), TRL_OK);
	assert_false(visit.tenant_counted);
	grant = granted(&visit, tenant);
	assert_int_equal(
	    trl_access_belongs(ctx, world->access, &grant, "invite", &states), TRL_OK);
	assert_int_equal(states.n, 1);
	assert_int_equal(states.state[0].remaining, 599);
	grant = granted(&visit, tenant);
	trl_access_keep_grant(ctx, world->access, ada.account, &grant);
	for (int i = 1; i < 80; i++)
		assert_int_equal(invite(ctx, world, &ada, tenant, &visit, &left),
		    i < 60 ? TRL_OK : TRL_RATE);
	assert_true(visit.tenant_counted);
	/* One is free again after 6 s. */
	assert_in_range(left, 540, 542);
}

static void
who_is_no_member_or_refused_takes_nothing_of_the_tenants_limit(void **state)
{
	(void)state;
	run(tell_outsiders);
}

static void
tell_looks(trl_ctx *ctx, struct world *world)
{
	enum { MANY = 100 };
	const struct trl_access_who who = { .kind = TRL_PERSON,
		.account = random_id() };
	struct trl_id tenant = random_id(), accounts[MANY];
	struct trl_access_visit visit = arrive(ctx, world, &who, tenant), looked;
	struct trl_access_grant grant = granted(&visit, tenant);
	struct trl_access_states states = { 0 };
	uint64_t epoch, epochs[MANY], left;

	for (size_t i = 0; i < MANY; i++)
		accounts[i] = i == 77 ? who.account : random_id();
	trl_access_account_epochs(ctx, world->access, accounts, MANY, epochs);
	trl_access_tenant_epochs(ctx, world->access, &tenant, 1, &epoch);
	assert_int_equal(epoch, visit.tenant_epoch);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(epochs[i], i == 77 ? visit.account_epoch : 0);

	trl_access_keep_grant(ctx, world->access, who.account, &grant);
	assert_int_equal(trl_access_arrive(ctx, world->access, &who, tenant, "read",
			     &looked, &states),
	    TRL_OK);
	left = states.state[0].remaining;
	trl_access_look(ctx, world->access, &who, tenant, &looked);
	assert_non_null(looked.grant);
	assert_int_equal(looked.account_epoch, visit.account_epoch);
	trl_access_bump_tenant(ctx, world->access, tenant);
	trl_access_look(ctx, world->access, &who, tenant, &looked);
	assert_null(looked.grant);
	assert_true(looked.tenant_epoch > visit.tenant_epoch);
	states.n = 0;
	assert_int_equal(trl_access_arrive(ctx, world->access, &who, tenant, "read",
			     &looked, &states),
	    TRL_OK);
	assert_in_range(states.state[0].remaining, left - 1, left + 1);
}

static void
looking_shows_epochs_and_grants_and_counts_nothing(void **state)
{
	(void)state;
	run(tell_looks);
}

static void
tell_who(trl_ctx *ctx, struct world *world)
{
	struct trl_access_who who = { .kind = TRL_PERSON,
		.account = random_id(),
		.session = random_id(),
		.epoch = 5 };
	const struct trl_access_who *found;
	struct trl_access_states states = { 0 };
	uint8_t hash[TRL_ACCESS_HASH];
	struct access_key key;
	char address[40];

	new_address(address);
	randombytes_buf(hash, sizeof hash);
	assert_int_equal(
	    trl_access_greet(ctx, world->access, address, NULL, hash, &found, &states),
	    TRL_OK);
	assert_null(found);
	trl_access_keep_who(ctx, world->access, hash, &who);
	states.n = 0;
	assert_int_equal(
	    trl_access_greet(ctx, world->access, address, NULL, hash, &found, &states),
	    TRL_OK);
	assert_non_null(found);
	assert_true(trl_id_eq(found->account, who.account) && found->epoch == 5);
	access_key_who(&key, hash);
	assert_in_range(life_ms(ctx, world, &key), 1, 5000);
	who.epoch = 0; /* Redis did not tell: not kept */
	hash[0] ^= 1;
	trl_access_keep_who(ctx, world->access, hash, &who);
	states.n = 0;
	assert_int_equal(
	    trl_access_greet(ctx, world->access, address, NULL, hash, &found, &states),
	    TRL_OK);
	assert_null(found);
}

static void
keeps_who_a_credential_is(void **state)
{
	(void)state;
	run(tell_who);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_the_eleventh_sign_up_of_an_address_in_an_hour),
		cmocka_unit_test(bytes_are_counted_apart),
		cmocka_unit_test(refuses_the_sixth_log_in_to_an_account_in_a_minute),
		cmocka_unit_test(believes_no_copy_of_an_earlier_epoch),
		cmocka_unit_test(believes_no_copy_whose_epoch_was_lost),
		cmocka_unit_test(counts_by_the_quota_of_the_plan),
		cmocka_unit_test(under_another_plan_what_was_taken_stays_taken),
		cmocka_unit_test(a_plan_always_leaves_one_request_a_minute),
		cmocka_unit_test(no_copy_outlives_five_seconds),
		cmocka_unit_test(
		    who_is_no_member_or_refused_takes_nothing_of_the_tenants_limit),
		cmocka_unit_test(looking_shows_epochs_and_grants_and_counts_nothing),
		cmocka_unit_test(keeps_who_a_credential_is),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
