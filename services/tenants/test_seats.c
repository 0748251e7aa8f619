/* Seats: members and open invitations, as many as the plan has, counted under the
 * tenant's lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"
#include "test_plan.h"

enum { SEATS = 3 };

/* The founder's tenant with as many seats. */
static int
found_with_seats(void **state)
{
	static int64_t version;

	ground_found(state);
	hear_plan("free", ++version, true, SEATS, PLAN_NO_LIMIT);
	hear_plan("team", version, false, 8, PLAN_NO_LIMIT);
	return 0;
}

static enum trl_code
add(const struct world_person *whom)
{
	Tenants__V1__AddMemberRequest ask = TENANTS__V1__ADD_MEMBER_REQUEST__INIT;
	struct world_caller who = { .person = founder, .tenant = home };

	trl_set(&ask, tenant_id, world_bytes(&home));
	ask.email = (char *)(uintptr_t)whom->email;
	trl_set(&ask, role, ROLE(member));
	return world_call(&who, &tenants_v1_add_member, &ask.base, NULL);
}

static enum trl_code
accept(const struct world_person *who, char *token)
{
	Tenants__V1__AcceptInvitationRequest ask =
	    TENANTS__V1__ACCEPT_INVITATION_REQUEST__INIT;

	ask.token = token;
	return world_call(&(struct world_caller){ .person = who },
	    &tenants_v1_accept_invitation, &ask.base, NULL);
}

static void
expect_error(int64_t limit, int64_t used)
{
	assert_string_equal(world.err.quota.feature, "seats");
	assert_string_equal(world.err.quota.plan, "free");
	assert_int_equal(world.err.quota.limit, limit);
	assert_int_equal(world.err.quota.used, used);
}

static const Tenants__V1__Entitlement *
seats_shown(void)
{
	Tenants__V1__GetEntitlementsRequest ask =
	    TENANTS__V1__GET_ENTITLEMENTS_REQUEST__INIT;
	struct world_caller who = { .person = founder, .tenant = home };
	Tenants__V1__Entitlements *out;

	assert_int_equal(
	    world_call(&who, &tenants_v1_get_entitlements, &ask.base, &out), TRL_OK);
	for (size_t i = 0; i < out->n_items; i++)
		if (strcmp(out->items[i]->feature, "seats") == 0)
			return out->items[i];
	return NULL;
}

static void
the_last_seat_is_taken_once(void **state)
{
	(void)state;
	assert_int_equal(add(world_person_new("bob", true)), TRL_OK);
	assert_int_equal(
	    invite(founder, "eve@example.test", ROLE(viewer), NULL), TRL_OK);
	assert_int_equal(
	    invite(founder, "mal@example.test", ROLE(viewer), NULL), TRL_QUOTA);
	expect_error(SEATS, 3);
	assert_int_equal(add(world_person_new("cas", true)), TRL_QUOTA);
	expect_error(SEATS, 3);
	assert_int_equal(seats_shown()->used, 3);
	assert_false(seats_shown()->over_limit);
}

static void
whoever_has_a_seat_is_told_so_before(void **state)
{
	const struct world_person *bob = world_person_new("bob", true);

	(void)state;
	assert_int_equal(add(bob), TRL_OK);
	assert_int_equal(
	    invite(founder, "eve@example.test", ROLE(viewer), NULL), TRL_OK);
	assert_int_equal(add(bob), TRL_EXISTS);
	assert_int_equal(
	    invite(founder, "eve@example.test", ROLE(viewer), NULL), TRL_EXISTS);
}

/* It held a seat while it was open. */
static void
accepting_takes_no_further_seat(void **state)
{
	const struct world_person *eve = world_person_new("eve", true);

	(void)state;
	assert_int_equal(add(world_person_new("bob", true)), TRL_OK);
	assert_int_equal(invite(founder, eve->email, ROLE(viewer), NULL), TRL_OK);
	assert_int_equal(accept(eve, world_letter_token()), TRL_OK);
	assert_int_equal(seats_shown()->used, 3);
}

static void
one_that_ended_holds_no_seat(void **state)
{
	tenants_invitation *made;

	(void)state;
	assert_int_equal(add(world_person_new("bob", true)), TRL_OK);
	assert_int_equal(
	    invite(founder, "eve@example.test", ROLE(viewer), &made), TRL_OK);
	world_sql("update tenants.invitation set expires_at = now() - interval '1 s' "
		  "where tenant_id = '%s'",
	    world_id_text(home));
	assert_int_equal(
	    invite(founder, "mal@example.test", ROLE(viewer), NULL), TRL_OK);
	assert_int_equal(resend(founder, made, NULL), TRL_QUOTA);
	expect_error(SEATS, 3);
}

/* C13: 8 members, then 5 seats. */
static void
a_downgrade_removes_nobody_and_refuses_the_next(void **state)
{
	const struct world_person *eve = world_person_new("eve", true);
	const char *names[] = { "a", "b", "c", "d", "e", "f" };
	static int64_t version = 100;

	(void)state;
	hear_entitlements(home, ++version, "team", 8);
	for (size_t i = 0; i < TRL_COUNT(names); i++)
		assert_int_equal(add(world_person_new(names[i], true)), TRL_OK);
	assert_int_equal(invite(founder, eve->email, ROLE(viewer), NULL), TRL_OK);
	assert_int_equal(seats_shown()->used, 8);
	hear_entitlements(home, ++version, "team", 5);
	assert_int_equal(seats_shown()->number, 5);
	assert_true(seats_shown()->over_limit);
	assert_int_equal(
	    invite(founder, "next@example.test", ROLE(viewer), NULL), TRL_QUOTA);
	assert_string_equal(world.err.quota.plan, "team");
	assert_int_equal(world.err.quota.limit, 5);
	assert_int_equal(world.err.quota.used, 8);
	assert_int_equal(accept(eve, world_letter_token()), TRL_QUOTA);
	assert_string_equal(world_sql("select count(*) from tenants.membership where "
				      "tenant_id = '%s'",
				world_id_text(home)),
	    "7");
	hear_entitlements(home, ++version, "team", 8);
	assert_int_equal(accept(eve, world_letter_token()), TRL_OK);
}

static void
seats_that_are_paid_for_are_no_more_than_the_plans(void **state)
{
	static int64_t version = 200;

	(void)state;
	hear_entitlements(home, ++version, "team", 50);
	assert_int_equal(seats_shown()->number, 8);
	hear_entitlements(home, ++version, "team", 0);
	assert_int_equal(seats_shown()->number, 8);
	hear_override(home, ++version, "seats", PLAN_NO_LIMIT);
	assert_false(seats_shown()->has_number);
	assert_int_equal(
	    seats_shown()->source, TENANTS__V1__ENTITLEMENT__SOURCE__operator);
}

struct racer {
	struct world_run run;
	Tenants__V1__CreateInvitationRequest ask;
	char email[40];
};

/* Ten at once for two seats. */
static void
seats_hold_against_a_race(void **state)
{
	struct racer racers[10];
	struct world_run *runs[10];
	unsigned fine = 0;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(racers); i++) {
		struct racer *racer = &racers[i];

		*racer =
		    (struct racer){ .ask =
					TENANTS__V1__CREATE_INVITATION_REQUEST__INIT };
		snprintf(racer->email, sizeof racer->email, "race%zu@example.test", i);
		racer->ask.email = racer->email;
		trl_set(&racer->ask, tenant_id, world_bytes(&home));
		trl_set(&racer->ask, role, ROLE(viewer));
		racer->run =
		    (struct world_run){ .who = { .person = founder, .tenant = home },
			    .method = &tenants_v1_create_invitation,
			    .in = &racer->ask.base };
		runs[i] = &racer->run;
		world_start(runs[i]);
	}
	world_wait(runs, TRL_COUNT(runs));
	for (size_t i = 0; i < TRL_COUNT(racers); i++) {
		fine += racers[i].run.rc == TRL_OK;
		assert_true(racers[i].run.rc == TRL_OK ||
			    racers[i].run.rc == TRL_QUOTA ||
			    racers[i].run.rc == TRL_BUSY);
	}
	assert_in_range(fine, 1, 2);
	assert_in_range(seats_shown()->used, 2, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_last_seat_is_taken_once, found_with_seats),
		cmocka_unit_test_setup(
		    whoever_has_a_seat_is_told_so_before, found_with_seats),
		cmocka_unit_test_setup(
		    accepting_takes_no_further_seat, found_with_seats),
		cmocka_unit_test_setup(one_that_ended_holds_no_seat, found_with_seats),
		cmocka_unit_test_setup(
		    a_downgrade_removes_nobody_and_refuses_the_next, found_with_seats),
		cmocka_unit_test_setup(
		    seats_that_are_paid_for_are_no_more_than_the_plans,
		    found_with_seats),
		cmocka_unit_test_setup(seats_hold_against_a_race, found_with_seats),
	};

	return cmocka_run_group_tests(tests, ground_open, world_close);
}
