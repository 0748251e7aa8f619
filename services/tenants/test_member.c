/* Adding, changing and removing members, and the owner who stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static const struct world_person *
somebody(const char *role)
{
	const struct world_person *person = world_person_new(role, true);

	world_join(home, person, role);
	return person;
}

static enum trl_code
add(const struct world_person *by, const char *email, Tenants__V1__Member__Role role,
    tenants_member **out)
{
	Tenants__V1__AddMemberRequest ask = TENANTS__V1__ADD_MEMBER_REQUEST__INIT;
	struct world_caller who = { .person = by, .tenant = home };

	trl_set(&ask, tenant_id, world_bytes(&home));
	ask.email = (char *)email;
	trl_set(&ask, role, role);
	return world_call(&who, &tenants_v1_add_member, &ask.base, out);
}

static enum trl_code
set_role(const struct world_person *by, const struct world_person *whose,
    Tenants__V1__Member__Role role, tenants_member **out)
{
	Tenants__V1__UpdateMemberRequest ask = TENANTS__V1__UPDATE_MEMBER_REQUEST__INIT;
	struct world_caller who = { .person = by, .tenant = home };

	trl_set(&ask, tenant_id, world_bytes(&home));
	trl_set(&ask, account_id, world_bytes(&whose->account));
	trl_set(&ask, role, role);
	return world_call(&who, &tenants_v1_update_member, &ask.base, out);
}

static void
fill_remove(Tenants__V1__RemoveMemberRequest *ask, const struct world_person *whom)
{
	tenants__v1__remove_member_request__init(ask);
	trl_set(ask, tenant_id, world_bytes(&home));
	trl_set(ask, account_id, world_bytes(&whom->account));
}

static enum trl_code
take_out(const struct world_person *by, const struct world_person *whom)
{
	Tenants__V1__RemoveMemberRequest ask;
	struct world_caller who = { .person = by, .tenant = home };

	fill_remove(&ask, whom);
	return world_call(&who, &tenants_v1_remove_member, &ask.base, NULL);
}

static enum trl_code
look(const struct world_person *by)
{
	Tenants__V1__GetTenantRequest ask = TENANTS__V1__GET_TENANT_REQUEST__INIT;
	struct world_caller who = { .person = by, .tenant = home };

	trl_set(&ask, tenant_id, world_bytes(&home));
	return world_call(&who, &tenants_v1_get_tenant, &ask.base, NULL);
}

static const char *
role_of(const struct world_person *person)
{
	return world_sql(
	    "select role from membership where tenant_id = '%s' and account_id = '%s'",
	    world_id_text(home), world_id_text(person->account));
}

static void
an_existing_account_is_added_by_its_address(void **state)
{
	const struct world_person *bob = world_person_new("bob", true);
	tenants_member *made;
	unsigned bumps = ground.tenant_bumps;

	(void)state;
	assert_int_equal(look(bob), TRL_NOT_FOUND);
	assert_int_equal(
	    add(founder, "BOB2@Example.Test", ROLE(member), &made), TRL_OK);
	assert_string_equal(made->email, bob->email);
	assert_string_equal(made->display_name, "bob");
	assert_true(trl_id_eq(trl_value_id(made->account_id), bob->account));
	assert_true(ground.tenant_bumps > bumps);
	assert_int_equal(look(bob), TRL_OK);
	assert_int_equal(add(founder, bob->email, ROLE(admin), NULL), TRL_EXISTS);
	assert_string_equal(world.err.field, "email");
	assert_string_equal(role_of(bob), "member");
}

static void
an_unknown_and_an_unverified_account_are_refused_alike(void **state)
{
	const struct world_person *eve = world_person_new("eve", false);
	char message[sizeof world.err.message];

	(void)state;
	assert_int_equal(
	    add(founder, "nobody@example.test", ROLE(viewer), NULL), TRL_INVALID);
	memcpy(message, world.err.message, sizeof message);
	assert_int_equal(add(founder, eve->email, ROLE(viewer), NULL), TRL_INVALID);
	assert_string_equal(world.err.message, message);
	assert_string_equal(role_of(eve), "");
}

static void
nobody_grants_or_touches_above_himself(void **state)
{
	const struct world_person *admin = somebody("admin");
	const struct world_person *member = somebody("member");
	const struct world_person *viewer = somebody("viewer");
	const struct world_person *bob = world_person_new("bob", true);

	(void)state;
	assert_int_equal(add(admin, bob->email, ROLE(owner), NULL), TRL_DENIED);
	assert_int_equal(set_role(admin, admin, ROLE(owner), NULL), TRL_DENIED);
	assert_int_equal(set_role(admin, member, ROLE(owner), NULL), TRL_DENIED);
	assert_int_equal(set_role(admin, founder, ROLE(viewer), NULL), TRL_DENIED);
	assert_int_equal(take_out(admin, founder), TRL_DENIED);
	assert_int_equal(take_out(member, viewer), TRL_DENIED);
	assert_int_equal(take_out(viewer, member), TRL_DENIED);
	assert_int_equal(add(member, bob->email, ROLE(viewer), NULL), TRL_DENIED);
	assert_string_equal(role_of(founder), "owner");
	assert_string_equal(role_of(viewer), "viewer");

	assert_int_equal(set_role(admin, viewer, ROLE(admin), NULL), TRL_OK);
	assert_string_equal(role_of(viewer), "admin");
	assert_int_equal(take_out(admin, member), TRL_OK);
	assert_int_equal(set_role(founder, admin, ROLE(owner), NULL), TRL_OK);
}

static void
a_role_changes_with_its_version(void **state)
{
	const struct world_person *bob = somebody("viewer");
	tenants_member *changed;

	(void)state;
	assert_int_equal(set_role(founder, bob, ROLE(member), &changed), TRL_OK);
	assert_int_equal(changed->version, 2);
	assert_int_equal(changed->role, ROLE(member));
	assert_string_equal(changed->email, bob->email);
	/* The role that they have already is no change, and nobody is told. */
	assert_int_equal(set_role(founder, bob, ROLE(member), &changed), TRL_OK);
	assert_int_equal(changed->version, 2);
	assert_string_equal(changed->email, bob->email);
	assert_string_equal(
	    world_sql("select string_agg(detail::json ->> 'role', ' ') from audit "
		      "where tenant_id = '%s' and action = 'tenants.member.update'",
		world_id_text(home)),
	    "member");
}

static void
the_removed_are_refused_at_once(void **state)
{
	const struct world_person *bob = somebody("member");
	unsigned bumps = ground.tenant_bumps, notices = ground.notices;

	(void)state;
	assert_int_equal(look(bob), TRL_OK);
	assert_int_equal(take_out(founder, bob), TRL_OK);
	assert_int_equal(ground.tenant_bumps, bumps + 1);
	assert_int_equal(ground.notices, notices + 1);
	assert_int_equal(look(bob), TRL_NOT_FOUND);
	assert_int_equal(take_out(founder, bob), TRL_NOT_FOUND);
	assert_string_equal(world.err.message, "There is no such member.");
	/* Field 1 of the event is the member, whose field 1 is the account. */
	assert_string_equal(
	    world_sql("select count(*) from outbox where type = "
		      "'tenants.member.removed' and position(decode('0a10', 'hex') || "
		      "uuid_send('%s') in payload) > 0",
		world_id_text(bob->account)),
	    "1");
}

static void
every_member_may_leave_but_the_last_owner(void **state)
{
	const struct world_person *viewer = somebody("viewer");
	const struct world_person *second = somebody("owner");

	(void)state;
	assert_int_equal(take_out(viewer, viewer), TRL_OK);
	assert_int_equal(look(viewer), TRL_NOT_FOUND);
	assert_int_equal(take_out(second, second), TRL_OK);
	assert_int_equal(take_out(founder, founder), TRL_CONFLICT);
	assert_non_null(strstr(world.err.message, "at least one owner"));
	assert_int_equal(set_role(founder, founder, ROLE(admin), NULL), TRL_CONFLICT);
	assert_non_null(strstr(world.err.message, "at least one owner"));
	assert_string_equal(role_of(founder), "owner");
}

static void
two_owners_who_remove_each_other_leave_one(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		const struct world_person *a = founder, *b = somebody("owner");
		Tenants__V1__RemoveMemberRequest ask[2];
		struct world_run run[2] = {
			{ .who = { .person = a, .tenant = home },
			    .in = &ask[0].base,
			    .method = &tenants_v1_remove_member },
			{ .who = { .person = b, .tenant = home },
			    .in = &ask[1].base,
			    .method = &tenants_v1_remove_member },
		};
		struct world_run *const runs[] = { &run[round & 1],
			&run[!(round & 1)] };

		fill_remove(&ask[0], b);
		fill_remove(&ask[1], a);
		world_start(runs[0]);
		world_start(runs[1]);
		world_wait(runs, 2);
		assert_int_equal((run[0].rc == TRL_OK) + (run[1].rc == TRL_OK), 1);
		assert_string_equal(world_sql("select count(*) from membership where "
					      "tenant_id = '%s' and role = 'owner'",
					world_id_text(home)),
		    "1");
		founder = run[0].rc == TRL_OK ? a : b;
	}
}

static void
two_owners_who_leave_at_once_leave_one(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		const struct world_person *a = founder, *b = somebody("owner");
		Tenants__V1__RemoveMemberRequest ask[2];
		struct world_run run[2] = {
			{ .who = { .person = a, .tenant = home },
			    .in = &ask[0].base,
			    .method = &tenants_v1_remove_member },
			{ .who = { .person = b, .tenant = home },
			    .in = &ask[1].base,
			    .method = &tenants_v1_remove_member },
		};
		struct world_run *const runs[] = { &run[0], &run[1] };

		fill_remove(&ask[0], a);
		fill_remove(&ask[1], b);
		world_start(runs[0]);
		world_start(runs[1]);
		world_wait(runs, 2);
		assert_int_equal((run[0].rc == TRL_OK) + (run[1].rc == TRL_OK), 1);
		assert_int_equal(
		    run[0].rc == TRL_OK ? run[1].rc : run[0].rc, TRL_CONFLICT);
		founder = run[0].rc == TRL_OK ? b : a;
	}
}

static void
a_key_acts_within_its_permissions_and_below_owners(void **state)
{
	const struct world_person *bob = somebody("viewer");
	Tenants__V1__RemoveMemberRequest ask;
	struct world_caller leave = { .person = founder,
		.tenant = home,
		.key = true,
		.may = (const char *const[]){ "tenants.member.leave", NULL } };
	struct world_caller both = { .person = founder,
		.tenant = home,
		.key = true,
		.may = (const char *const[]){
		    "tenants.member.leave", "tenants.member.update", NULL } };

	(void)state;
	fill_remove(&ask, bob);
	assert_int_equal(
	    world_call(&leave, &tenants_v1_remove_member, &ask.base, NULL), TRL_DENIED);
	fill_remove(&ask, founder);
	assert_int_equal(
	    world_call(&both, &tenants_v1_remove_member, &ask.base, NULL), TRL_DENIED);
	fill_remove(&ask, bob);
	assert_int_equal(
	    world_call(&both, &tenants_v1_remove_member, &ask.base, NULL), TRL_OK);
}

static void
members_come_in_pages_with_their_names(void **state)
{
	Tenants__V1__ListMembersRequest ask = TENANTS__V1__LIST_MEMBERS_REQUEST__INIT;
	Tenants__V1__ListMembersReply *page;
	struct world_caller who = { .person = founder, .tenant = home };
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		(void)somebody("member");
	trl_set(&ask, tenant_id, world_bytes(&home));
	trl_set(&ask, page_size, 2);
	do {
		assert_int_equal(
		    world_call(&who, &tenants_v1_list_members, &ask.base, &page),
		    TRL_OK);
		for (size_t i = 0; i < page->n_items; i++, n++) {
			assert_non_null(page->items[i]->email);
			assert_non_null(page->items[i]->display_name);
		}
		ask.page_token = page->next_page_token;
	} while (ask.page_token);
	assert_int_equal(n, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ground_found, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_existing_account_is_added_by_its_address),
		TEST(an_unknown_and_an_unverified_account_are_refused_alike),
		TEST(nobody_grants_or_touches_above_himself),
		TEST(a_role_changes_with_its_version),
		TEST(the_removed_are_refused_at_once),
		TEST(every_member_may_leave_but_the_last_owner),
		TEST(two_owners_who_remove_each_other_leave_one),
		TEST(two_owners_who_leave_at_once_leave_one),
		TEST(a_key_acts_within_its_permissions_and_below_owners),
		TEST(members_come_in_pages_with_their_names),
	};

	return cmocka_run_group_tests(tests, ground_open, world_close);
}
