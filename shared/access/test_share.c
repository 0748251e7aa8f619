/* Tests with a real Redis: requests of one turn that make one trip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "state.h"

const struct trl_config_table *const trl_config_known[] = { NULL };

enum { GUESTS = 25, ALLOWED = 10 /* sign-ups of an address in an hour */ };

/* One request, and what it was told. */
struct guest {
	struct world *world;
	trl_actor *actor;
	const char *address;
	const uint8_t *hash;
	bool leaves_during_the_trip;
	enum trl_code rc, err;
	struct trl_limit_state state;
	struct trl_id account; /* whose the credential is, or nil */
	size_t order;          /* among those who came back */
	uint32_t retry_ms;
};

struct world {
	trl_loop *loop;
	trl_redis *redis;
	trl_access *access;
	char address[40];
	uint8_t hash[TRL_ACCESS_HASH];
	struct guest guests[GUESTS];
	size_t n_back;
};

static bool
is_ready(void *self)
{
	return trl_redis_ready(((struct world *)self)->redis);
}

static bool
nobody_alive(void *loop)
{
	return trl_actors_alive(loop) == 0;
}

static int
open_world(void **state)
{
	const char *url = getenv("TRELLIS_TEST_REDIS_URL");
	struct world *world;
	uint8_t b[6];

	if (!url)
		fail_msg("TRELLIS_TEST_REDIS_URL is not set; tools/test sets it.");
	world = calloc(1, sizeof *world);
	assert_non_null(world);
	world->loop = trl_loop_new(NULL);
	world->redis = trl_redis_open(world->loop, url, trl_access_scripts);
	assert_true(trl_loop_run_until(world->loop, is_ready, world, 10000));
	world->access = trl_access_open(world->loop, world->redis);
	assert_non_null(world->access);
	randombytes_buf(b, sizeof b);
	randombytes_buf(world->hash, sizeof world->hash);
	(void)snprintf(world->address, sizeof world->address, "fd00:%x:%x:%x::1",
	    b[0] << 8 | b[1], b[2] << 8 | b[3], b[4] << 8 | b[5]);
	*state = world;
	return 0;
}

static int
close_world(void **state)
{
	struct world *world = *state;

	trl_access_close(&world->access);
	trl_redis_close(&world->redis);
	trl_loop_free(&world->loop);
	free(world);
	return 0;
}

static void
sign_up(trl_ctx *ctx, void *arg)
{
	struct guest *guest = arg;
	struct world *world = guest->world;
	struct trl_access_states states = { 0 };
	const struct trl_access_who *who;

	guest->rc = trl_access_greet(
	    ctx, world->access, guest->address, "signup", guest->hash, &who, &states);
	guest->order = world->n_back++;
	guest->err = ctx->err.code;
	guest->retry_ms = ctx->err.retry_after_ms;
	guest->state = states.state[1];
	if (who)
		guest->account = who->account;
}

/* All come in one turn. */
static void
invite(struct world *world, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct guest *guest = &world->guests[i];

		if (!guest->address)
			guest->address = world->address;
		guest->world = world;
		assert_int_equal(
		    trl_spawn_get(world->loop,
			&(const struct trl_spawn){
			    .name = "guest", .run = sign_up, .arg = guest },
			&guest->actor),
		    TRL_OK);
	}
}

static void
settle(struct world *world)
{
	assert_true(trl_loop_run_until(world->loop, nobody_alive, world->loop, 10000));
}

static size_t
count_allowed(const struct world *world)
{
	size_t i, n = 0;

	for (i = 0; i < GUESTS; i++)
		n += world->guests[i].world && world->guests[i].rc == TRL_OK;
	return n;
}

static void
a_party_is_counted_one_by_one_in_its_order(void **state)
{
	struct world *world = *state;
	size_t i;

	invite(world, GUESTS);
	settle(world);
	for (i = 0; i < GUESTS; i++) {
		const struct guest *guest = &world->guests[i];

		assert_int_equal(guest->order, i);
		assert_int_equal(guest->rc, i < ALLOWED ? TRL_OK : TRL_RATE);
		assert_int_equal(guest->state.allowed, i < ALLOWED);
		assert_int_equal(
		    guest->state.remaining, i < ALLOWED ? ALLOWED - 1 - i : 0);
		/* Each takes a tenth of the hour: so long until there is one more. */
		if (i < ALLOWED)
			assert_int_equal(guest->state.next_us, 360 * 1000000);
		else
			assert_in_range(guest->retry_ms, 350 * 1000, 360 * 1000);
	}
}

static void
parties_and_single_guests_are_counted_together(void **state)
{
	struct world *world = *state;

	invite(world, 1);
	settle(world);
	invite(world, 4);
	settle(world);
	assert_int_equal(world->guests[3].state.remaining, ALLOWED - 5);
	invite(world, GUESTS);
	settle(world);
	assert_int_equal(count_allowed(world), ALLOWED - 5);
}

static void
strangers_share_nothing(void **state)
{
	struct world *world = *state;

	world->guests[1].address = "fd00:ffff::1";
	world->guests[2].hash = world->hash;
	invite(world, 4);
	settle(world);
	assert_int_equal(world->guests[0].state.remaining +
			     world->guests[2].state.remaining +
			     world->guests[3].state.remaining,
	    (ALLOWED - 1) + (ALLOWED - 2) + (ALLOWED - 3));
}

static void
keep_who(trl_ctx *ctx, void *arg)
{
	struct world *world = arg;
	struct trl_access_who who = { .kind = TRL_PERSON, .epoch = 5 };

	memset(&who.account, 7, sizeof who.account);
	trl_access_keep_who(ctx, world->access, world->hash, &who);
}

static void
everybody_gets_a_copy_of_what_was_fetched(void **state)
{
	struct world *world = *state;
	struct trl_id account;
	size_t i;

	memset(&account, 7, sizeof account);
	assert_int_equal(trl_spawn(world->loop,
			     &(const struct trl_spawn){
				 .name = "keep", .run = keep_who, .arg = world }),
	    TRL_OK);
	settle(world);
	for (i = 0; i < 5; i++)
		world->guests[i].hash = world->hash;
	invite(world, 5);
	settle(world);
	for (i = 0; i < 5; i++)
		assert_true(trl_id_eq(world->guests[i].account, account));
}

/* At the end of the turn in which they came: the trip is under way, nobody has heard.
 */
static void
send_away(void *self)
{
	struct world *world = self;
	size_t i;

	for (i = 0; i < GUESTS; i++)
		if (world->guests[i].leaves_during_the_trip) {
			assert_int_equal(world->n_back, 0);
			world->guests[i].leaves_during_the_trip = false;
			trl_cancel(world->guests[i].actor);
		}
}

static void
where_the_leader_goes_away_each_makes_its_own_trip(void **state)
{
	struct world *world = *state;
	size_t i;

	world->guests[0].leaves_during_the_trip = true;
	trl_loop_on_flush(world->loop, send_away, world);
	invite(world, GUESTS);
	settle(world);
	/* What the lost trip had counted stays counted: stricter, never laxer. */
	assert_true(count_allowed(world) <= ALLOWED + 1);
	for (i = 1; i < GUESTS; i++)
		assert_true(
		    world->guests[i].rc == TRL_OK || world->guests[i].rc == TRL_RATE);
}

static void
a_leader_gone_before_the_trip_costs_the_others_nothing(void **state)
{
	struct world *world = *state;
	size_t i;

	invite(world, 6);
	trl_cancel(world->guests[0].actor);
	settle(world);
	for (i = 1; i < 6; i++) {
		assert_int_equal(world->guests[i].rc, TRL_OK);
		assert_int_equal(world->guests[i].state.remaining, ALLOWED - i);
	}
}

static void
who_goes_before_the_trip_is_not_counted(void **state)
{
	struct world *world = *state;

	invite(world, 6);
	trl_cancel(world->guests[2].actor);
	trl_cancel(world->guests[5].actor);
	settle(world);
	assert_int_equal(world->guests[0].state.remaining, ALLOWED - 1);
	assert_int_equal(world->guests[1].state.remaining, ALLOWED - 2);
	assert_int_equal(world->guests[3].state.remaining, ALLOWED - 3);
	assert_int_equal(world->guests[4].state.remaining, ALLOWED - 4);
}

static void
who_goes_during_the_trip_leaves_the_others_theirs(void **state)
{
	struct world *world = *state;

	world->guests[2].leaves_during_the_trip = true;
	world->guests[5].leaves_during_the_trip = true;
	trl_loop_on_flush(world->loop, send_away, world);
	invite(world, 6);
	settle(world);
	assert_int_equal(world->guests[0].state.remaining, ALLOWED - 1);
	assert_int_equal(world->guests[1].state.remaining, ALLOWED - 2);
	assert_int_equal(world->guests[3].state.remaining, ALLOWED - 4);
	assert_int_equal(world->guests[4].state.remaining, ALLOWED - 5);
	assert_int_equal(world->guests[3].err, TRL_OK);
}

static void
without_redis_everybody_is_counted_here(void **state)
{
	struct world *world = *state;

	trl_redis_close(&world->redis);
	world->access->redis = NULL;
	invite(world, GUESTS);
	settle(world);
	assert_int_equal(count_allowed(world), ALLOWED);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(a_party_is_counted_one_by_one_in_its_order),
		IN_A_WORLD(parties_and_single_guests_are_counted_together),
		IN_A_WORLD(strangers_share_nothing),
		IN_A_WORLD(everybody_gets_a_copy_of_what_was_fetched),
		IN_A_WORLD(where_the_leader_goes_away_each_makes_its_own_trip),
		IN_A_WORLD(a_leader_gone_before_the_trip_costs_the_others_nothing),
		IN_A_WORLD(who_goes_before_the_trip_is_not_counted),
		IN_A_WORLD(who_goes_during_the_trip_leaves_the_others_theirs),
		IN_A_WORLD(without_redis_everybody_is_counted_here),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
